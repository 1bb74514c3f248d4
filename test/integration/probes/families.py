"""Prints, for each family of sockets and for io_uring, whether the kernel gives one: `open NAME` or `closed NAME ERRNO`."""
import ctypes
import errno
import socket
import sys

libc = ctypes.CDLL(None, use_errno=True)
types = {"NETLINK": socket.SOCK_RAW, "PACKET": socket.SOCK_RAW, "ALG": socket.SOCK_SEQPACKET, "QIPCRTR": socket.SOCK_DGRAM, "CAN": socket.SOCK_RAW}
families = {"UNIX": 1, "INET": 2, "AX25": 3, "INET6": 10, "NETLINK": 16, "PACKET": 17, "RDS": 21, "CAN": 29, "TIPC": 30, "BLUETOOTH": 31, "ALG": 38, "NFC": 39, "VSOCK": 40, "KCM": 41, "QIPCRTR": 42, "SMC": 43, "XDP": 44}


def tell(name, descriptor):
    print("open" if descriptor >= 0 else "closed", name, "" if descriptor >= 0 else errno.errorcode[ctypes.get_errno()])


for name, family in families.items():
    tell(name, libc.socket(family, types.get(name, socket.SOCK_STREAM), 0))
# With a high half in the argument: the kernel takes the low one only.
socket_number = {"x86_64": 41, "aarch64": 198}[sys.argv[1]]
tell("VSOCK-disguised", libc.syscall(socket_number, ctypes.c_ulong(40 | 1 << 32), ctypes.c_ulong(1), ctypes.c_ulong(0)))
if sys.argv[1] == "x86_64":
    tell("VSOCK-x32", libc.syscall(41 | 0x40000000, 40, 1, 0))
pair = (ctypes.c_int * 2)()
tell("pair", libc.socketpair(1, socket.SOCK_STREAM, 0, pair))
tell("io_uring", libc.syscall(425, 1, ctypes.create_string_buffer(120)))
