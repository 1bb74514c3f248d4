"""Shared memory, queues, semaphores and signals of the host."""
import ctypes, os, signal
from battery import checked, host_processes, libc, read, targets, technique

libc.shmat.restype = ctypes.c_void_p


@technique("shared-memory-by-key", "the token in it")
def shared_memory():
    place = libc.shmat(checked(libc.shmget(targets["ipcKey"], 0, 0)), None, 0o10000)
    return None if place in (None, ctypes.c_void_p(-1).value) else ctypes.string_at(place).decode()


@technique("shared-memory-by-number", "the token in it")
def by_number():
    for identifier in range(64):
        place = libc.shmat(identifier, None, 0o10000)
        if place not in (None, ctypes.c_void_p(-1).value):
            text = ctypes.string_at(place, 64).decode("latin1")
            if targets["mark"] in text:
                return text


@technique("message-queue", "a message")
def message_queue():
    content = ctypes.create_string_buffer(300)
    checked(libc.msgrcv(checked(libc.msgget(targets["ipcKey"], 0)), content, 200, 0, 0o4000 | 0o40000))
    return content.raw[8:].rstrip(b"\0").decode()


technique("semaphore", "its value")(lambda: (lambda value: value == 42 and value)(checked(libc.semctl(checked(libc.semget(targets["ipcKey"], 1, 0)), 0, 12))))
technique("shared-memory-by-name", "the token in it")(lambda: read("/dev/shm/" + targets["mark"]))
technique("shared-memory-list", "a segment of the host")(lambda: f"{targets['ipcKey']}" in read("/proc/sysvipc/shm", 65536) and "listed")


@technique("signal-to-a-host-process", "it arrives")
def send():
    os.kill(next(host_processes(), targets["pid"]), signal.SIGUSR1)


@technique("signal-to-everybody", "it arrives")
def send_all():
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    for pid in host_processes():
        os.kill(pid, signal.SIGUSR1)
