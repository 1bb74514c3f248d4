package gateway

import (
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// probed returns the probes with the host's end: what it is sent, and a listener for the connections it is given.
func probed(t *testing.T, forget func()) (*probes, chan message, *net.UnixListener) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "p")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	listener.SetDeadline(time.Now().Add(10 * time.Second))
	sent := make(chan message, 10)
	return newProbes(path, func(m message) error { sent <- m; return nil }, forget), sent, listener
}

func next(t *testing.T, sent chan message) message {
	t.Helper()
	select {
	case m := <-sent:
		return m
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was sent")
		return message{}
	}
}

func echoing(t *testing.T) (port int, accepted chan struct{}) {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	accepted = make(chan struct{}, 10)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted <- struct{}{}
			go func() { io.Copy(conn, conn); conn.Close() }()
		}
	}()
	return listener.Addr().(*net.TCPAddr).Port, accepted
}

func TestProbeGivesTheHostTheConnection(t *testing.T) {
	port, _ := echoing(t)
	probes, sent, listener := probed(t, func() {})
	probes.handle(message{Type: "probe", ID: 3, Name: "127.0.0.1", Port: port})
	if got := next(t, sent); got.Type != "probed" || got.ID != 3 || got.Address != "127.0.0.1" || got.Reason != "" {
		t.Fatalf("%+v", got)
	}
	conn, err := listener.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	conn.Write([]byte("there and back"))
	conn.CloseWrite()
	if back, err := io.ReadAll(conn); string(back) != "there and back" {
		t.Errorf("%q %v", back, err)
	}
}

func TestProbeSaysWhyThereIsNoConnection(t *testing.T) {
	probes, sent, _ := probed(t, func() {})
	probes.handle(message{Type: "probe", ID: 1, Name: "127.0.0.1", Port: 1})
	if got := next(t, sent); got.Reason != "other" || got.Message == "" || got.Address != "" {
		t.Errorf("%+v", got)
	}
	for reason, err := range map[string]error{
		"no-such-name": &net.OpError{Err: &net.DNSError{IsNotFound: true}},
		"no-route":     &net.OpError{Err: unix.ENETUNREACH},
		"other":        &net.OpError{Err: &net.DNSError{IsTimeout: true}},
	} {
		if got := probeReason(err); got != reason {
			t.Errorf("%v: %q, want %q", err, got, reason)
		}
	}
}

func TestNothingIsProbedOnceTheHostSaysItIsOver(t *testing.T) {
	port, accepted := echoing(t)
	forgotten := 0
	probes, sent, _ := probed(t, func() { forgotten++ })
	probes.handle(message{Type: "probes-over"})
	if got := next(t, sent); got.Type != "probes-over" || forgotten != 1 {
		t.Fatalf("%+v, forgotten %d times", got, forgotten)
	}
	probes.handle(message{Type: "probe", ID: 1, Name: "127.0.0.1", Port: port})
	probes.handle(message{Type: "probes-over"})
	select {
	case <-accepted:
		t.Error("probed nevertheless")
	case got := <-sent:
		t.Errorf("answered: %+v", got)
	case <-time.After(200 * time.Millisecond):
	}
	if forgotten != 1 {
		t.Error("the sandbox's names were forgotten")
	}
}

func TestForgottenNamesAreAskedAnewAndTheirAddressesAreNobodys(t *testing.T) {
	n := newNames(nil)
	first, _ := n.addressOf("canary.test")
	asked := 0
	v := newVerdicts(func(name, qtype, transport string) (allow, ok bool) { asked++; return asked == 1, true })
	resolver := &resolver{verdicts: v, names: n}
	v.on("canary.test", "A", "udp")
	resolver.forget()
	if name, known := n.nameOf(first); known {
		t.Errorf("%v still is %q", first, name)
	}
	if allow, _ := v.on("canary.test", "A", "udp"); allow || asked != 2 {
		t.Errorf("allowed %v, asked %d times", allow, asked)
	}
	if again, _ := n.addressOf("user.test"); again != first {
		t.Errorf("the first name gets %v, not %v", again, first)
	}
}
