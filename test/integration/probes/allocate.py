"""Uses MEBIBYTES of memory, page by page."""
import sys

held = []
for _ in range(int(sys.argv[1])):
    held.append(bytearray(b"\1") * (1 << 20))
print("allocated", flush=True)
