"""Ways to cgroups of others. Prize: a group on the host, or more than the caps."""
import ctypes, os, tempfile
from battery import checked, libc, targets, technique


def make(top):
    for folder, folders, _ in os.walk(top):
        if folder.count("/") - top.count("/") > 1:
            folders.clear()
        try:
            os.mkdir(os.path.join(folder, targets["mark"]))
        except OSError:
            pass


def mounted(kind, options):
    place = tempfile.mkdtemp(dir="/tmp")
    checked(libc.mount(b"cgroup", place.encode(), kind, ctypes.c_ulong(0), options))
    make(place)


technique("group-below-the-own-one", "a group on the host")(lambda: make("/sys/fs/cgroup"))
technique("mounted-version-1", "a group on the host")(lambda: mounted(b"cgroup", b"memory"))
technique("mounted-version-2", "a group on the host")(lambda: mounted(b"cgroup2", None))
