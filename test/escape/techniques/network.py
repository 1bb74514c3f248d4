"""Ways to the host's own services and to what passes on its wires. Prize: the token a listener of the host gives, or that is sent there."""
import socket, subprocess
from battery import targets, technique, read


def tcp(address, family=socket.AF_INET):
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(3)
        connection.connect((address, targets["port"]))
        return connection.recv(200).decode()


def udp(address):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.settimeout(3)
        connection.sendto(b"hello", (address, targets["port"]))
        return connection.recv(200).decode()


def unix(address):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(3)
        connection.connect(address)
        return connection.recv(200).decode()


def sniff(connection):
    connection.settimeout(3)
    for _ in range(2000):
        packet = connection.recv(2000).decode("latin1")
        if targets["chatter"] in packet:
            return packet


technique("tcp-to-host-loopback", "token of a listener")(lambda: tcp("127.0.0.1"))
technique("tcp-to-other-loopback-address", "token of a listener")(lambda: tcp("127.1.2.3"))
technique("tcp-to-host-address", "token of a listener")(lambda: tcp(targets["address"]))
technique("tcp-to-any-address", "token of a listener")(lambda: tcp("0.0.0.0"))
technique("tcp-to-mapped-loopback", "token of a listener")(lambda: tcp("::ffff:127.0.0.1", socket.AF_INET6))
technique("udp-to-host-loopback", "token of a listener")(lambda: udp("127.0.0.1"))
technique("udp-to-host-address", "token of a listener")(lambda: udp(targets["address"]))
technique("tcp-by-the-shell", "token of a listener")(lambda: subprocess.run(["bash", "-c", f"exec 3<>/dev/tcp/{targets['address']}/{targets['port']}; head -c 100 <&3"], capture_output=True, text=True, timeout=5).stdout)
technique("abstract-unix-socket", "token of a listener")(lambda: unix("\0" + targets["abstract"]))
technique("unix-socket-by-path", "token of a listener")(lambda: unix(targets["socket"]))
technique("unix-socket-through-proc", "token of a listener")(lambda: unix("/proc/1/root" + targets["socket"]))


@technique("engine-socket", "an answer of the engine")
def engine():
    for path in ("/var/run/docker.sock", "/run/docker.sock", "/proc/1/root/run/docker.sock", "/proc/1/root/var/run/docker.sock", "/run/podman/podman.sock", "/proc/1/root/run/podman/podman.sock"):
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(path)
                connection.sendall(b"GET /version HTTP/1.0\r\n\r\n")
                return connection.recv(500).decode()
        except OSError:
            pass


technique("packet-socket", "a datagram of others")(lambda: sniff(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))))
technique("raw-socket", "a datagram of others")(lambda: sniff(socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)))
technique("taking-the-gateways-dns-port", "a listener in its place")(lambda: socket.create_server(("127.0.0.1", 53)) and "listening")
technique("open-sockets-of-the-host", "the host's listeners")(lambda: f":{targets['port']:04X} " in read("/proc/net/tcp", 65536) and "listed")
