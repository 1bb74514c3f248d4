"""Tries to reach each target and prints a JSON line for each: whether an answer came, why not, and after how many seconds.

usage: connect.py KIND,ADDRESS,PORT…    KIND is tcp, udp or unix
"""
import json, socket, sys, time

QUERY = bytes.fromhex("123401000001000000000000" "076578616d706c6503636f6d00" "00010001")


def attempt(kind, address, port):
    family = socket.AF_UNIX if kind == "unix" else socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM) as connection:
        connection.settimeout(4)
        connection.connect(address if kind == "unix" else (address, port))
        if kind == "udp":
            connection.send(QUERY)
        elif kind == "unix" or port == 80:
            connection.sendall(b"GET /_ping HTTP/1.0\r\nHost: x\r\n\r\n")
        return len(connection.recv(100)) > 0


for target in sys.argv[1:]:
    kind, address, port = target.split(",")
    started = time.monotonic()
    try:
        reached, why = attempt(kind, address, int(port or 0)), "closed without an answer"
    except OSError as error:
        reached, why = False, type(error).__name__ + " " + str(error)
    print(json.dumps({"target": target, "reached": reached, "why": None if reached else why, "seconds": round(time.monotonic() - started, 3)}), flush=True)
