"""Writes up to MEBIBYTES into each folder, prints how many went in and the error, and removes them again, except in the last.

usage: fill.py MEBIBYTES FOLDER…
"""
import errno, json, os, sys

limit, folders = int(sys.argv[1]), sys.argv[2:]
chunk = os.urandom(1 << 20)
for folder in folders:
    path, written, why = os.path.join(folder, "filling"), 0, None
    try:
        with open(path, "wb", buffering=0) as file:
            while written < limit << 20:
                written += file.write(chunk)
            os.fsync(file.fileno())
    except OSError as error:
        why = errno.errorcode[error.errno]
    print(json.dumps({"folder": folder, "mebibytes": written >> 20, "why": why}), flush=True)
    if folder != folders[-1] and os.path.exists(path):
        os.unlink(path)
