"""System calls that lead to more of the kernel, or to others' memory and keys."""
import ctypes, os
from battery import call, checked, host_processes, libc, targets, technique

X64 = os.uname().machine == "x86_64"
NUMBERS = {"bpf": (321, 280), "perf": (298, 241), "userfaultfd": (323, 282), "ptrace": (101, 117), "readv": (310, 270), "keyctl": (250, 219), "syslog": (103, 116), "fanotify": (300, 262), "kcmp": (312, 272), "quotactl": (179, 60)}


def number(name):
    return NUMBERS[name][0 if X64 else 1]


def buffer(content=b"", size=128):
    return ctypes.create_string_buffer(content, max(size, len(content)))


technique("bpf-map", "a map in the kernel")(lambda: f"map {call(number('bpf'), 0, buffer(b''.join(n.to_bytes(4, 'little') for n in (2, 4, 4, 1))), 128)}")


@technique("bpf-program", "a program in the kernel")
def bpf_program():
    instructions = buffer(bytes.fromhex("b700000000000000" "9500000000000000"))
    licence = buffer(b"GPL")
    attributes = buffer((5).to_bytes(4, "little") + (2).to_bytes(4, "little") + ctypes.addressof(instructions).to_bytes(8, "little") + ctypes.addressof(licence).to_bytes(8, "little"))
    return f"program {call(number('bpf'), 5, attributes, 128)}"


@technique("counters-of-a-processor", "what others do on it")
def perf():
    attributes = buffer((1).to_bytes(4, "little") + (112).to_bytes(4, "little"), 112)  # PERF_TYPE_SOFTWARE, cpu-clock
    return f"counter {call(number('perf'), attributes, -1, 0, -1, 0)}"


technique("userfaultfd", "faults of the kernel, held up")(lambda: f"descriptor {call(number('userfaultfd'), 0)}")
technique("io-uring", "a ring no filter sees into")(lambda: f"ring {call(425, 4, buffer(size=256))}")
technique("fanotify", "events of every file system")(lambda: f"group {call(number('fanotify'), 4, 0)}")
@technique("kernel-log-by-call", "a line of the host")
def kernel_log():
    text = buffer(size=1 << 20)
    call(number("syslog"), 3, text, 1 << 20)
    return "".join(line for line in text.value.decode("latin1").splitlines() if targets["mark"] in line)


@technique("trace-of-a-host-process", "it is traced")
def trace():
    pid = next(host_processes(), targets["pid"])
    call(number("ptrace"), 0x4206, pid, 0, 0)
    return f"traced {pid}"


@technique("memory-of-a-host-process", "bytes of it")
def memory():
    pid = next(host_processes(), targets["pid"])
    start = int(open(f"/proc/{pid}/maps").readline().split("-")[0], 16)
    content = buffer(size=4)
    local = (ctypes.c_size_t * 2)(ctypes.addressof(content), 4)
    call(number("readv"), pid, local, 1, (ctypes.c_size_t * 2)(start, 4), 1, 0)
    return content.raw.startswith(b"\x7fELF") and "its first page"


@technique("descriptor-of-a-host-process", "content of a file it has open")
def descriptor():
    pid = next(host_processes(), targets["pid"])
    taken = call(438, call(434, pid, 0), 0, 0)
    return f"{os.fstat(taken).st_ino}"


@technique("keys-of-the-user", "a key of the host")
def keys():
    found = call(number("keyctl"), 10, -4, ctypes.c_char_p(b"user"), ctypes.c_char_p(targets["key"].encode()), 0)
    content = buffer(size=200)
    call(number("keyctl"), 11, found, content, 200)
    return content.value.decode()
