package gateway

import (
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func exposing(t *testing.T, ports ...int) (directory string) {
	t.Helper()
	directory = t.TempDir()
	e, err := openExposed(directory, ports, []int{80, 443})
	if err != nil {
		t.Fatal(err)
	}
	for port, listener := range e.listeners {
		t.Cleanup(func() { listener.Close() })
		go e.serve(port, listener)
	}
	return directory
}

func dialExposed(t *testing.T, directory string, port int) *net.UnixConn {
	t.Helper()
	path := filepath.Join(directory, "expose-"+strconv.Itoa(port)+".sock")
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestTheHostReachesTheServerOfAnExposedPort(t *testing.T) {
	port, _ := echoing(t)
	directory := exposing(t, port)
	conn := dialExposed(t, directory, port)
	conn.Write([]byte("there and back"))
	conn.CloseWrite()
	if got, err := io.ReadAll(conn); string(got) != "\x01there and back" {
		t.Errorf("%q %v", got, err)
	}
	info, err := os.Stat(filepath.Join(directory, "expose-"+strconv.Itoa(port)+".sock"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

func TestWithoutAServerThereIsNoSign(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	if got, err := io.ReadAll(dialExposed(t, exposing(t, port), port)); len(got) != 0 || err != nil {
		t.Errorf("%q %v", got, err)
	}
}

func TestTheGatewaysOwnPortsAreNotExposed(t *testing.T) {
	for _, port := range []int{0, -1, 65536, 53, 80, 443} {
		if _, err := openExposed(t.TempDir(), []int{port}, []int{80, 443}); err == nil {
			t.Errorf("%d was exposed", port)
		}
	}
}

func TestMoreThanTheMostAreClosed(t *testing.T) {
	port, _ := echoing(t)
	directory := t.TempDir()
	e, err := openExposed(directory, []int{port}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.listeners[port].Close() })
	e.most = 1
	go e.serve(port, e.listeners[port])
	first, one := dialExposed(t, directory, port), make([]byte, 1)
	if _, err := io.ReadFull(first, one); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(dialExposed(t, directory, port)); len(got) != 0 || err != nil {
		t.Errorf("%q %v", got, err)
	}
}
