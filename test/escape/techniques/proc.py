"""What /proc and /sys show and change. A changed setting is looked at on the host."""
import os
from battery import host_processes, read, targets, technique, write


@technique("processes-of-the-host", "one is seen")
def see():
    return next(host_processes(), None)


technique("environment-of-a-host-process", "the token in it")(lambda: [read(f"/proc/{pid}/environ") for pid in host_processes()][0])
technique("memory-map-of-a-host-process", "its map")(lambda: [read(f"/proc/{pid}/maps") for pid in host_processes()][0])
technique("root-of-a-host-process", "content of a host file")(lambda: [read(f"/proc/{pid}/root" + targets["file"]) for pid in host_processes()][0])


@technique("process-by-number", "a process that is listed nowhere")
def by_number():
    name = read(f"/proc/{targets['pid']}/cmdline")
    return targets["mark"] in name and name


@technique("kernel-log", "a line of the host")
def kernel_log():
    descriptor = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    lines = []
    try:
        while True:
            lines.append(os.read(descriptor, 8192).decode("latin1"))
    except BlockingIOError:
        return "".join(line for line in lines if targets["mark"] in line)


technique("memory-of-the-kernel", "its ELF head")(lambda: read("/proc/kcore", 4).startswith("\x7fELF") and "ELF")


@technique("addresses-of-the-kernel", "one that is not zero")
def addresses():
    return next((line for line in open("/proc/kallsyms") if not line.startswith("0000000000000000") and " T " in line), None)


technique("name-for-core-files", "a setting of the host")(lambda: write("/proc/sys/kernel/core_pattern", targets["mark"]))
technique("kernel-setting", "a setting of the host")(lambda: write("/proc/sys/kernel/printk_ratelimit_burst", "4711"))
technique("memory-setting", "a setting of the host")(lambda: write("/proc/sys/vm/stat_interval", "7"))
technique("setting-through-pid-1", "a setting of the host")(lambda: write("/proc/1/root/proc/sys/kernel/printk_ratelimit_burst", "4711"))
technique("setting-below-sys", "a setting of the host")(lambda: write("/sys/kernel/mm/transparent_hugepage/khugepaged/alloc_sleep_millisecs", "60001"))
