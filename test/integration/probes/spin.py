"""Keeps COUNT processors busy for SECONDS."""
import os, sys, time

for _ in range(int(sys.argv[1])):
    if os.fork() == 0:
        until = time.monotonic() + float(sys.argv[2])
        while time.monotonic() < until:
            pass
        os._exit(0)
for _ in range(int(sys.argv[1])):
    os.wait()
