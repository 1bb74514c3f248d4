package gateway

import (
	"context"
	"net"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// A burst of lookups must not lose packets to the default 208 KiB: a lost one costs its client 5 seconds.
const dnsReceiveBytes = 4 << 20

type listeners struct {
	dnsUDP  *net.UDPConn
	dnsTCP  *net.TCPListener
	tunnels []*net.TCPListener
}

func openListeners(ports []int) (*listeners, error) {
	opened := &listeners{}
	var err error
	if opened.dnsUDP, err = listenUDP(dnsAddress); err != nil {
		return nil, attempt("listen for DNS on "+dnsAddress+"/udp", err)
	}
	if opened.dnsTCP, err = listenTCP(dnsAddress); err != nil {
		return nil, attempt("listen for DNS on "+dnsAddress+"/tcp", err)
	}
	for _, port := range ports {
		if port < 1 || port > 65535 || port == dnsPort {
			return nil, problem("cannot listen on port " + strconv.Itoa(port) + ": give one from 1 to 65535 other than 53, which is the gateway's DNS")
		}
		listener, err := listenTCP("0.0.0.0:" + strconv.Itoa(port))
		if err != nil {
			return nil, attempt("listen on port "+strconv.Itoa(port), err)
		}
		opened.tunnels = append(opened.tunnels, listener)
	}
	return opened, nil
}

// listenTCP turns keep-alive off: both ends are in this kernel, a dead peer is known at once.
func listenTCP(address string) (*net.TCPListener, error) {
	config := net.ListenConfig{KeepAlive: -1}
	listener, err := config.Listen(context.Background(), "tcp4", address)
	if err != nil {
		return nil, err
	}
	return listener.(*net.TCPListener), nil
}

func listenUDP(address string) (*net.UDPConn, error) {
	config := net.ListenConfig{Control: func(network, address string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) {
			// Best effort: FORCE needs NET_ADMIN, and the default still works for lookups one after another.
			unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, dnsReceiveBytes)
		})
	}}
	conn, err := config.ListenPacket(context.Background(), "udp4", address)
	if err != nil {
		return nil, err
	}
	return conn.(*net.UDPConn), nil
}
