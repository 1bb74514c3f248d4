"""Runs the techniques of an area, each in a process of its own, and prints a JSON line before and one after each: what it obtained, or null.

usage: battery.py AREA TARGETS [SKIPPED…]    TARGETS is JSON; AREA `list` prints the names of all
"""
import ctypes, importlib, json, os, signal, sys

AREAS = ["network", "filesystem", "proc", "kernel", "ipc", "namespaces", "cgroups", "devices", "clock", "exhaustion"]
SECONDS = 20
libc = ctypes.CDLL(None, use_errno=True)
targets = {}
known = []


def technique(name, prize):
    """`prize` is what counts as obtained. The function returns it, or nothing; an error is nothing, too."""
    def register(attempt):
        known.append({"name": name, "prize": prize, "attempt": attempt})
        return attempt
    return register


def call(number, *arguments):
    """A system call by its number; raises OSError. Numbers are as wide as the kernel reads them: of an int on the stack the upper half would be anything."""
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(each) if isinstance(each, int) else each for each in arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), "syscall")
    return result


def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), "libc")
    return result


def read(path, size=4096):
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        return os.read(descriptor, size).decode("latin1")
    finally:
        os.close(descriptor)


def write(path, text):
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)


def host_processes():
    """Processes that carry the test's mark."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if targets["mark"] in open(f"/proc/{pid}/cmdline", "rb").read().decode("latin1") and "battery.py" not in open(f"/proc/{pid}/cmdline").read():
                yield int(pid)
        except OSError:
            pass


def obtained_by(attempt):
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        os.close(reading)
        signal.alarm(SECONDS)
        try:
            try:
                open("/proc/self/oom_score_adj", "w").write("1000")
            except OSError:
                pass
            prize = attempt()
            os.write(writing, json.dumps(None if not prize else str(prize)[:8000]).encode())
        except BaseException:
            pass
        os._exit(0)
    os.close(writing)
    os.waitpid(pid, 0)
    try:
        # What it started holds the pipe open.
        os.killpg(pid, signal.SIGKILL)
    except OSError:
        pass
    parts = []
    while part := os.read(reading, 65536):
        parts.append(part)
    os.close(reading)
    return json.loads(b"".join(parts) or b"null")


def main():
    area = sys.argv[1]
    if area == "list":
        listed = []
        for each in AREAS:
            known.clear()
            importlib.import_module(each)
            listed += [{"area": each, "name": one["name"], "prize": one["prize"]} for one in known]
        print(json.dumps(listed))
        return
    targets.update(json.loads(sys.argv[2]))
    importlib.import_module(area)
    for one in known:
        if one["name"] not in sys.argv[3:]:
            print(json.dumps({"trying": one["name"]}), flush=True)
            print(json.dumps({"tried": one["name"], "obtained": obtained_by(one["attempt"])}), flush=True)
    print(json.dumps({"over": area}), flush=True)


if __name__ == "__main__":
    sys.modules["battery"] = sys.modules["__main__"]
    main()
