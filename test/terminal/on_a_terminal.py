"""Runs a program on a terminal of its own: COLUMNS ROWS PROGRAM ARGS… What the terminal shows comes out on stdout; a line "resize COLUMNS ROWS" or
"type TEXT" (JSON) on stdin is done to it. Ends with the program's exit code."""
import fcntl, json, os, pty, select, struct, sys, termios

columns, rows, argv = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]


def size(fd, columns, rows):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))


master, slave = pty.openpty()
size(master, columns, rows)
child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(slave, fd)
    os.closerange(3, 256)
    os.execvp(argv[0], argv)
os.close(slave)

sources = [master, 0]
while True:
    ready, _, _ = select.select(sources, [], [])
    if 0 in ready:
        request = os.read(0, 65536)
        if not request:
            sources.remove(0)
        for line in request.decode().splitlines():
            verb, rest = line.split(' ', 1)
            if verb == 'resize':
                size(master, *map(int, rest.split()))
            else:
                os.write(master, json.loads(rest).encode())
    if master in ready:
        try:
            data = os.read(master, 65536)
        except OSError:  # EIO: nobody has it open any more
            break
        if not data:
            break
        while data:
            data = data[os.write(1, data):]
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 255)
