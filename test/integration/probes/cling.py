"""Does all a process can to outlive its deadline: ignores signals, starts children in sessions of their own, twice removed.

usage: cling.py MARK    MARK is on every command line
"""
import os, signal, sys, time

for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"):
    signal.signal(getattr(signal, name), signal.SIG_IGN)
if len(sys.argv) == 2:
    for number in range(3):
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.execv(sys.executable, [sys.executable, __file__, sys.argv[1], f"child-{number}"])
            os._exit(0)
    print("clinging", flush=True)
while True:
    for _ in range(100000):
        pass
    time.sleep(0.001)
