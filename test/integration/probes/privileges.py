"""Tries what only privileges allow, and prints what worked, one word a line; then the kernel's account of this process."""
import ctypes, os, socket, subprocess

libc = ctypes.CDLL(None, use_errno=True)
PTRACE_SEIZE, CLONE_NEWUSER, CLONE_NEWNS = 0x4206, 0x10000000, 0x20000


def worked(name, test):
    try:
        if test():
            print("worked", name)
    except OSError:
        pass


def reads(path):
    with open(path, "rb") as file:
        return len(file.read(1)) == 1


def writes(path):
    """Opening is enough to know, and changes nothing."""
    os.close(os.open(path, os.O_WRONLY))
    return True


def in_child(test):
    pid = os.fork()
    if pid == 0:
        os._exit(0 if test() else 1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def device(path, major, minor):
    os.mknod(path, 0o060600, os.makedev(major, minor))
    os.unlink(path)
    return True


worked("ptrace-pid-1", lambda: libc.ptrace(PTRACE_SEIZE, 1, None, None) == 0)
worked("read-memory-of-pid-1", lambda: os.close(os.open("/proc/1/mem", os.O_RDONLY)) is None)
worked("read-environment-of-pid-1", lambda: os.close(os.open("/proc/1/environ", os.O_RDONLY)) is None)
worked("resolve-descriptors-of-pid-1", lambda: len(os.readlink("/proc/1/fd/0")) > 0)
worked("open-stdin-of-pid-1", lambda: os.close(os.open("/proc/1/fd/0", os.O_RDONLY | os.O_NONBLOCK)) is None)
worked("root-of-pid-1", lambda: len(os.listdir("/proc/1/root/")) > 0)
worked("user-namespace", lambda: in_child(lambda: libc.unshare(CLONE_NEWUSER) == 0))
worked("mount-namespace", lambda: in_child(lambda: libc.unshare(CLONE_NEWNS) == 0))
worked("mount", lambda: in_child(lambda: libc.unshare(CLONE_NEWNS) == 0 and libc.mount(b"none", b"/tmp", b"tmpfs", 0, None) == 0))
worked("device-node", lambda: device("/tmp/device", 7, 0))
worked("raw-socket", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close() is None)
worked("packet-socket", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0).close() is None)
worked("kernel-memory", lambda: reads("/proc/kcore"))
worked("kernel-keys", lambda: reads("/proc/keys"))
worked("kernel-timers", lambda: reads("/proc/timer_list"))
worked("sysctl", lambda: writes("/proc/sys/kernel/core_pattern"))
worked("sysrq", lambda: writes("/proc/sysrq-trigger"))
worked("sysfs", lambda: writes("/sys/module/loop/uevent") or writes("/sys/kernel/mm/ksm/run"))
worked("cgroup", lambda: writes("/sys/fs/cgroup/memory/memory.limit_in_bytes") or writes("/sys/fs/cgroup/memory.max"))
worked("engine-files", lambda: writes("/etc/hosts") or writes("/etc/resolv.conf") or writes("/etc/hostname"))
worked("chroot-directory", lambda: os.mkdir("/new-root-level-directory") is None)
print(open("/proc/self/status").read())
print("devices", *sorted(name for name in os.listdir("/dev")))
