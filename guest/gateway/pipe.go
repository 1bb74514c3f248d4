package gateway

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	copyBytes = 64 << 10
	// As nginx's lingering_timeout: how long a client may still read, and finish sending, after the proxy has closed.
	lingerSeconds = 5
)

// Buffers are held only while bytes are in flight. io.Copy would splice, but a splice keeps a pipe for the life of
// an idle connection: twice the descriptors, and pages counted against the uid's pipe-user-pages-soft, which the
// sandbox and the runner share with us.
var buffers = sync.Pool{New: func() any { return new([copyBytes]byte) }}

// pipe copies both ways until both directions have ended, then closes both. One that ends first is half-closed,
// with what was sent before still delivered.
func pipe(client *net.TCPConn, proxy *net.UnixConn) {
	defer proxy.Close()
	defer client.Close()
	upwards := make(chan struct{})
	go func() {
		defer close(upwards)
		sendUp(client, proxy)
	}()
	sendDown(client, proxy)
	<-upwards
}

// sendUp copies from client to proxy. A client's reset closes the proxy's side at once.
func sendUp(client *net.TCPConn, proxy *net.UnixConn) {
	switch err := pump(proxy, client); {
	case err == nil:
		proxy.CloseWrite()
	case errors.As(err, new(writeError)):
		// The proxy has closed while the client is still sending. Its last words (a 413, say) are on their way down; a
		// reset now would destroy them, so what the client sends is read and dropped for a moment.
		client.SetReadDeadline(time.Now().Add(lingerSeconds * time.Second))
		pump(io.Discard, client)
	case errors.Is(err, os.ErrDeadlineExceeded):
	default:
		proxy.Close()
	}
}

// sendDown copies from proxy to client. A client that is gone ends both directions.
func sendDown(client *net.TCPConn, proxy *net.UnixConn) {
	err := pump(client, proxy)
	if errors.As(err, new(writeError)) {
		proxy.Close()
		reset(client)
		return
	}
	client.CloseWrite()
	if hungUp(proxy) {
		// Nobody will read what the client still sends: do not let its half keep the connection for ever.
		client.SetReadDeadline(time.Now().Add(lingerSeconds * time.Second))
	}
}

type writeError struct{ error }

// pump copies until the source ends (nil), fails, or the destination fails (a writeError). It waits for the source
// without holding a buffer and reads no further while the destination does not take what it has.
func pump(destination io.Writer, source syscall.Conn) error {
	raw, err := source.SyscallConn()
	if err != nil {
		return err
	}
	for {
		var buffer *[copyBytes]byte
		var length int
		var readErr error
		err := raw.Read(func(fd uintptr) bool {
			buffer = buffers.Get().(*[copyBytes]byte)
			for {
				length, readErr = unix.Read(int(fd), buffer[:])
				if readErr != unix.EINTR {
					break
				}
			}
			if readErr == unix.EAGAIN {
				buffers.Put(buffer)
				buffer = nil
				return false
			}
			return true
		})
		if err == nil {
			err = readErr
		}
		if err == nil && length > 0 {
			if _, failed := destination.Write(buffer[:length]); failed != nil {
				err = writeError{failed}
			}
		}
		if buffer != nil {
			buffers.Put(buffer)
		}
		if err != nil || length == 0 {
			return err
		}
	}
}

// hungUp tells a peer that has closed from one that has only finished sending, poll(2).
func hungUp(conn syscall.Conn) bool {
	raw, err := conn.SyscallConn()
	if err != nil {
		return true
	}
	gone := false
	err = raw.Control(func(fd uintptr) {
		events := []unix.PollFd{{Fd: int32(fd)}}
		count, err := unix.Poll(events, 0)
		gone = err == nil && count > 0 && events[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0
	})
	return gone || err != nil
}
