"""Devices that are more than null and its like."""
import fcntl, os, tempfile
from battery import read, targets, technique


def node(kind, major, minor):
    path = tempfile.mkdtemp(dir="/tmp") + "/node"
    os.mknod(path, kind | 0o600, os.makedev(major, minor))
    return path


CHARACTER, BLOCK = 0o020000, 0o060000


def lines_of_kernel(path):
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    text = ""
    try:
        while True:
            text += os.read(descriptor, 8192).decode("latin1")
    except BlockingIOError:
        return targets["mark"] in text and text[-200:]


technique("kernel-log-as-a-node", "a line of the host")(lambda: lines_of_kernel(node(CHARACTER, 1, 11)))
technique("loop-control", "a free loop device")(lambda: f"loop{fcntl.ioctl(os.open('/dev/loop-control', os.O_RDWR), 0x4C82)}")
technique("loop-control-as-a-node", "a free loop device")(lambda: f"loop{fcntl.ioctl(os.open(node(CHARACTER, 10, 237), os.O_RDWR), 0x4C82)}")
technique("disk-by-name", "its first bytes")(lambda: [read(f"/dev/{name}", 512) for name in ("vda", "sda", "nvme0n1", "vda1", "sda1", "nvme0n1p1", "loop0") if os.path.exists(f"/dev/{name}")][0])
technique("disk-as-a-node", "its first bytes")(lambda: read(node(BLOCK, *targets["device"]), 4096))
technique("disk-as-a-node-to-write", "a descriptor to write with")(lambda: f"descriptor {os.open(node(BLOCK, *targets['device']), os.O_WRONLY)}")
technique("port-of-the-machine", "a byte of it")(lambda: read(node(CHARACTER, 1, 4), 1))
technique("console-as-a-node", "the host's console")(lambda: f"descriptor {os.open(node(CHARACTER, 5, 1), os.O_WRONLY | os.O_NOCTTY)}")
technique("terminals-of-the-host", "one of them")(lambda: f"descriptor {os.open(node(CHARACTER, 4, 64), os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)}")
