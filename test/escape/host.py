"""The host's side: has all that is to be out of reach, until SIGTERM. Prints `ready`, and `signalled` for each SIGUSR1.

usage: host.py TARGETS MARK    the token is in the environment variable TOKEN
"""
import ctypes, json, os, signal, socket, sys, threading, time

targets, token = json.loads(sys.argv[1]), os.environ["TOKEN"]
libc = ctypes.CDLL(None, use_errno=True)
libc.shmat.restype = ctypes.c_void_p
X64 = os.uname().machine == "x86_64"


def say(text):
    os.write(1, text.encode() + b"\n")


def serve(listener):
    while True:
        connection, _ = listener.accept()
        connection.sendall(token.encode())
        connection.close()


def serve_datagrams(listener):
    while True:
        text, sender = listener.recvfrom(2000)
        if text == b"hello":
            listener.sendto(token.encode(), sender)


def chatter():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        while True:
            sender.sendto(targets["chatter"].encode(), ("127.0.0.1", targets["port"]))
            time.sleep(0.05)


def add_key():
    libc.syscall(248 if X64 else 217, ctypes.c_char_p(b"user"), ctypes.c_char_p(targets["key"].encode()), ctypes.c_char_p(token.encode()), len(token), -4)


signal.signal(signal.SIGUSR1, lambda *_: say("signalled"))
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.bind(("0.0.0.0", targets["port"]))
stream = socket.create_server(("0.0.0.0", targets["port"]))
threads = [(serve_datagrams, datagrams), (serve, stream)]
for name in ("\0" + targets["abstract"], targets["socket"]):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(name)
    listener.listen()
    threads.append((serve, listener))
os.chmod(targets["socket"], 0o777)
for run, listener in threads:
    threading.Thread(target=run, args=(listener,), daemon=True).start()
threading.Thread(target=chatter, daemon=True).start()

CREATE = 0o1000 | 0o666
segment = libc.shmget(targets["ipcKey"], 4096, CREATE)
ctypes.memmove(libc.shmat(segment, None, 0), f"{targets['mark']} {token}".encode(), len(targets["mark"]) + len(token) + 1)
queue = libc.msgget(targets["ipcKey"], CREATE)
message = ctypes.create_string_buffer((1).to_bytes(8, "little") + token.encode())
libc.msgsnd(queue, message, len(token), 0)
semaphore = libc.semget(targets["ipcKey"], 1, CREATE)
libc.semctl(semaphore, 0, 16, 42)
with open("/dev/shm/" + targets["mark"], "w") as file:
    file.write(token)
os.chmod("/dev/shm/" + targets["mark"], 0o666)
with open("/dev/kmsg", "w") as log:
    log.write(f"{targets['mark']} {token}")
add_key()
if os.fork() == 0:
    # The keys of the sandbox's user.
    os.setresuid(1001, 1001, 1001)
    add_key()
    signal.pause()
    os._exit(0)
say("ready")
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
signal.sigwait({signal.SIGTERM})
libc.shmctl(segment, 0, None)
libc.msgctl(queue, 0, None)
libc.semctl(semaphore, 0, 0)
os.unlink("/dev/shm/" + targets["mark"])
os.killpg(0, signal.SIGKILL)
