package gateway

import (
	"net"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// The host limits what it opens, far below; this is for the descriptors that the sandbox's own connections need.
	exposedMost = 512
	// A server that is not there refuses at once; this is for one whose backlog is full.
	exposedDialSeconds = 5
	// The host's sign that the server has accepted: without it, the end of the connection means that nobody listens.
	exposedAccepted = 1
)

// exposed carries connections of the host's to servers in this namespace, at the ports the configuration names and no
// others. The way leads inwards alone: each connection begins with one the host opens to a socket that the sandbox cannot
// see, and ends at the loopback address here.
type exposed struct {
	most      int64
	current   atomic.Int64
	listeners map[int]*net.UnixListener
}

// openExposed makes a socket for each port. It is for when the privileges are dropped: they belong to the uid that owns the
// directory, and only it may connect.
func openExposed(directory string, ports, own []int) (*exposed, error) {
	e := &exposed{most: exposedMost, listeners: map[int]*net.UnixListener{}}
	before := unix.Umask(0o177)
	defer unix.Umask(before)
	for _, port := range ports {
		if !mayExpose(port, own) {
			return nil, problem("cannot expose port " + strconv.Itoa(port) + ": the gateway itself listens there; give another one from 1 to 65535")
		}
		path := filepath.Join(directory, "expose-"+strconv.Itoa(port)+".sock")
		listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
		if err != nil {
			return nil, attempt("make the socket of exposed port "+strconv.Itoa(port), err)
		}
		e.listeners[port] = listener
	}
	return e, nil
}

// mayExpose keeps the host from talking to the gateway's own listeners, which would take it for the sandbox.
func mayExpose(port int, own []int) bool {
	if port < 1 || port > 65535 || port == dnsPort {
		return false
	}
	for _, taken := range own {
		if port == taken {
			return false
		}
	}
	return true
}

// serve returns only when the listener fails for good.
func (e *exposed) serve(port int, listener *net.UnixListener) error {
	for {
		host, err := listener.AcceptUnix()
		if err != nil {
			if !passes(err) {
				return attempt("accept the host's connections", err)
			}
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if e.current.Add(1) > e.most {
			e.current.Add(-1)
			host.Close()
			continue
		}
		go func() {
			defer e.current.Add(-1)
			carryIn(host, port)
		}()
	}
}

func carryIn(host *net.UnixConn, port int) {
	dialer := net.Dialer{Timeout: exposedDialSeconds * time.Second, KeepAlive: -1}
	server, err := dialer.Dial("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		host.Close()
		return
	}
	if _, err := host.Write([]byte{exposedAccepted}); err != nil {
		host.Close()
		server.Close()
		return
	}
	pipe(server.(*net.TCPConn), host)
}
