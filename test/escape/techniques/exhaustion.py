"""More than the caps. Prize: an amount above them."""
import mmap, os, signal, tempfile
from battery import targets, technique

MIB = 1 << 20


def above(what, amount):
    return amount > targets[what] and f"{amount}"


@technique("memory-of-one-process", "more than the cap")
def memory():
    held = []
    for _ in range(targets["memoryMebibytes"] + 64):
        held.append(bytearray(b"\1") * MIB)
    return above("memoryMebibytes", len(held))


@technique("memory-of-many-processes", "more than the cap")
def many():
    readings, children = [], []
    for _ in range(8):
        reading, writing = os.pipe()
        readings.append(reading)
        child = os.fork()
        children.append(child)
        if child == 0:
            held = bytearray(b"\1") * (MIB * (targets["memoryMebibytes"] // 7))
            os.write(writing, b"x")
            signal.pause()
        os.close(writing)
    held = [os.read(reading, 1) for reading in readings]
    # All at the same time: none of them has been ended for the others' sake.
    return all(held) and all(os.waitpid(child, os.WNOHANG) == (0, 0) for child in children) and "eight sevenths of the cap"


@technique("memory-of-anonymous-files", "more than the cap")
def memory_files():
    descriptor = os.memfd_create("x")
    return above("memoryMebibytes", sum(os.write(descriptor, b"\1" * MIB) for _ in range(targets["memoryMebibytes"] + 64)) // MIB)


@technique("memory-shared", "more than the cap")
def memory_shared():
    size = (targets["memoryMebibytes"] + 64) * MIB
    place = mmap.mmap(-1, size)
    for offset in range(0, size, 4096):
        place[offset] = 1
    return "touched"


@technique("memory-in-dev-shm", "more than the cap")
def shm():
    written = 0
    with tempfile.TemporaryFile(dir="/dev/shm", buffering=0) as file:
        try:
            while written < (targets["memoryMebibytes"] + 64) * MIB:
                written += file.write(b"\1" * MIB)
        except OSError:
            pass
        return above("memoryMebibytes", written // MIB)


def fill(folder, sparse=False):
    written = 0
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        try:
            while written < (targets["storageMebibytes"] + 32) * MIB:
                if sparse:
                    os.posix_fallocate(file.fileno(), written, MIB)
                    written += MIB
                else:
                    written += file.write(b"\1" * MIB)
        except OSError:
            pass
        return above("storageMebibytes", written // MIB)


technique("disk-by-writing", "more than the cap")(lambda: fill("/tmp"))
technique("disk-by-allocating", "more than the cap")(lambda: fill("/tmp", sparse=True))
technique("disk-in-the-workspace", "more than the cap")(lambda: fill(targets["workspace"]))


@technique("processes", "more than the cap")
def processes():
    count = 0
    try:
        while count < targets["pids"] + 50:
            if os.fork() == 0:
                signal.pause()
            count += 1
    except OSError:
        pass
    return above("pids", count)
