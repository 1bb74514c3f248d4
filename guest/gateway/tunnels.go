package gateway

import (
	"errors"
	"net"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const dialSeconds = 10

// tunnels carries each accepted connection to the host's proxy.
type tunnels struct {
	proxyPath string
	names     *names
	refusals  *refusals
	most      int64
	current   atomic.Int64
}

func newTunnels(proxyPath string, names *names, refusals *refusals, most int64) *tunnels {
	return &tunnels{proxyPath: proxyPath, names: names, refusals: refusals, most: most}
}

// serve returns only when the listener fails for good.
func (t *tunnels) serve(listener *net.TCPListener) error {
	for {
		client, err := listener.AcceptTCP()
		if err != nil {
			if !passes(err) {
				return attempt("accept connections", err)
			}
			time.Sleep(10 * time.Millisecond) // out of descriptors or memory, accept(2): nothing to await but others' end
			continue
		}
		destination := client.LocalAddr().(*net.TCPAddr)
		address := [4]byte(destination.IP.To4())
		name, known := t.names.nameOf(address)
		if !known {
			t.refuse(client, "no-name-for-address")
			continue
		}
		if t.current.Add(1) > t.most {
			t.current.Add(-1)
			t.refuse(client, "capacity")
			continue
		}
		go func() {
			defer t.current.Add(-1)
			t.carry(client, destination, name)
		}()
	}
}

func (t *tunnels) refuse(client *net.TCPConn, reason string) {
	destination := client.LocalAddr().(*net.TCPAddr)
	reset(client)
	t.refusals.report(message{Reason: reason, Address: destination.IP.String(), Port: destination.Port})
}

func (t *tunnels) carry(client *net.TCPConn, destination *net.TCPAddr, name string) {
	header, err := proxyHeader(client.RemoteAddr().(*net.TCPAddr), destination, name)
	if err != nil {
		reset(client)
		return
	}
	proxy, err := dialProxy(t.proxyPath)
	if err != nil {
		reset(client)
		return
	}
	if _, err := proxy.Write(header); err != nil {
		proxy.Close()
		reset(client)
		return
	}
	pipe(client, proxy)
}

// dialProxy tries again while the proxy's backlog is full, which a non-blocking connect(2) to a Unix socket
// reports as EAGAIN instead of waiting.
func dialProxy(path string) (*net.UnixConn, error) {
	deadline := time.Now().Add(dialSeconds * time.Second)
	for wait := time.Millisecond; ; wait = min(2*wait, 50*time.Millisecond) {
		conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
		if err == nil || !errors.Is(err, unix.EAGAIN) || time.Now().After(deadline) {
			return conn, err
		}
		time.Sleep(wait)
	}
}

// reset closes with RST, so that the client fails at once and does not mistake it for an empty answer.
func reset(client *net.TCPConn) {
	client.SetLinger(0)
	client.Close()
}

// passes tells a shortage or an aborted handshake from a listener that is broken.
func passes(err error) bool {
	for _, transient := range []error{unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM, unix.ECONNABORTED, unix.EPROTO, unix.EPERM} {
		if errors.Is(err, transient) {
			return true
		}
	}
	return false
}
