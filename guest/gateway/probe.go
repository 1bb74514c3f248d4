package gateway

import (
	"errors"
	"net"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Less than the host waits for the whole of its canary.
const probeSeconds = 4

// probes lets the host be a client of its own gateway, before there is a sandbox: it names a destination, and gets
// what a program in this namespace would get. Only the control connection can ask, and only until it says that the
// sandbox is about to start.
type probes struct {
	hostPath string
	send     func(message) error
	forget   func()

	mutex sync.Mutex
	over  bool
}

func newProbes(hostPath string, send func(message) error, forget func()) *probes {
	return &probes{hostPath: hostPath, send: send, forget: forget}
}

// handle takes what the host says besides its answers. It must not wait: the answers come by the same way.
func (p *probes) handle(received message) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.over {
		return
	}
	switch received.Type {
	case "probe":
		go p.probe(received)
	case "probes-over":
		// The names the host asked for belong to nobody: the sandbox gets a table as fresh as if it had never been used.
		p.over = true
		p.forget()
		go p.send(message{Type: "probes-over"})
	}
}

// probe looks the name up and connects, as any client does, and lets the host have the connection.
func (p *probes) probe(asked message) {
	client, err := dialAsClient(asked.Name, asked.Port)
	if err != nil {
		p.send(message{Type: "probed", ID: asked.ID, Reason: probeReason(err), Message: err.Error()})
		return
	}
	host, err := dialProxy(p.hostPath)
	if err != nil {
		client.Close()
		p.send(message{Type: "probed", ID: asked.ID, Reason: "other", Message: attempt("hand the connection to the host", err).Error()})
		return
	}
	p.send(message{Type: "probed", ID: asked.ID, Address: client.RemoteAddr().(*net.TCPAddr).IP.String()})
	pipe(client, host)
}

// dialAsClient reads resolv.conf, which the sandbox shares, and asks the server named there.
func dialAsClient(name string, port int) (*net.TCPConn, error) {
	dialer := net.Dialer{Timeout: probeSeconds * time.Second, Resolver: &net.Resolver{PreferGo: true}, KeepAlive: -1}
	conn, err := dialer.Dial("tcp", net.JoinHostPort(name, strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

func probeReason(err error) string {
	var unresolved *net.DNSError
	switch {
	case errors.As(err, &unresolved) && unresolved.IsNotFound:
		return "no-such-name"
	case errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.EADDRNOTAVAIL), errors.Is(err, unix.EAFNOSUPPORT):
		return "no-route"
	default:
		return "other"
	}
}
