package gateway

import (
	"bytes"
	"crypto/rand"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"
)

// opened returns a client's and a proxy's end with the pipe between them.
func opened(t testing.TB) (client *net.TCPConn, proxy *net.UnixConn) {
	t.Helper()
	tcp, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "p")
	unix, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tcp.Close(); unix.Close() })
	client, err = net.DialTCP("tcp4", nil, tcp.Addr().(*net.TCPAddr))
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := tcp.AcceptTCP()
	if err != nil {
		t.Fatal(err)
	}
	dialled, err := dialProxy(path)
	if err != nil {
		t.Fatal(err)
	}
	go pipe(accepted, dialled)
	proxy, err = unix.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); proxy.Close() })
	client.SetDeadline(time.Now().Add(20 * time.Second))
	proxy.SetDeadline(time.Now().Add(20 * time.Second))
	return client, proxy
}

func TestPipeHalfCloses(t *testing.T) {
	client, proxy := opened(t)
	sent := make([]byte, 3<<20)
	rand.Read(sent)
	go func() { client.Write(sent); client.CloseWrite() }()
	received, err := io.ReadAll(proxy)
	if err != nil || !bytes.Equal(sent, received) {
		t.Fatalf("up: %v, %d bytes", err, len(received))
	}
	// The client's half is over; the other still works.
	go func() { proxy.Write(received); proxy.CloseWrite() }()
	back, err := io.ReadAll(client)
	if err != nil || !bytes.Equal(sent, back) {
		t.Fatalf("down: %v, %d bytes", err, len(back))
	}
}

func TestPipeDeliversTheAnswerOfAProxyThatClosesDuringAnUpload(t *testing.T) {
	client, proxy := opened(t)
	writing := make(chan error, 1)
	go func() {
		for {
			if _, err := client.Write(make([]byte, 64<<10)); err != nil {
				writing <- err
				return
			}
		}
	}()
	io.ReadFull(proxy, make([]byte, 1<<20))
	proxy.Write([]byte("413"))
	proxy.Close()
	if answer, err := io.ReadAll(client); string(answer) != "413" || err != nil {
		t.Errorf("%q %v", answer, err)
	}
	select {
	case <-writing:
	case <-time.After(2 * lingerSeconds * time.Second):
		t.Error("the client may send for ever")
	}
}

func TestPipeEndsWithAClientThatResets(t *testing.T) {
	client, proxy := opened(t)
	client.Write([]byte("x"))
	io.ReadFull(proxy, make([]byte, 1))
	reset(client)
	if _, err := proxy.Read(make([]byte, 1)); err == nil {
		t.Error("the proxy was not told")
	}
	if _, err := proxy.Write([]byte("x")); err == nil {
		t.Error("the proxy may still write")
	}
}

func TestPipeHoldsTheSenderBack(t *testing.T) {
	client, proxy := opened(t)
	client.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
	sent := 0
	for {
		count, err := client.Write(make([]byte, 1<<20))
		sent += count
		if err != nil {
			break
		}
		if sent > 256<<20 {
			t.Fatal("nobody reads, and everything was taken")
		}
	}
	_ = proxy
}

func BenchmarkPipe(b *testing.B) {
	client, proxy := opened(b)
	chunk := make([]byte, 256<<10)
	b.SetBytes(int64(len(chunk)))
	go io.Copy(io.Discard, proxy)
	for b.Loop() {
		client.Write(chunk)
	}
}
