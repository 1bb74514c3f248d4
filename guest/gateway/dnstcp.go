package gateway

import (
	"encoding/binary"
	"io"
	"net"
	"sync"
	"time"
)

const (
	dnsConnectionsMost = 64
	dnsPipelinedMost   = 16
	// A name is at most 255 bytes; the rest is room for EDNS padding and cookies.
	dnsQuestionBytes = 4096
	// RFC 7766, 6.2.3, leaves it to the server; no stub resolver keeps a connection idle.
	dnsIdleSeconds = 10
)

// serveDNSOverTCP returns only when the listener fails. Connections beyond the limit wait in its backlog.
func serveDNSOverTCP(listener *net.TCPListener, resolver *resolver) error {
	free := make(chan struct{}, dnsConnectionsMost)
	// Init's, which comes before everything else in the namespace (initproc/network.go). It stays: by its end init knows that of the gateway.
	idleSeconds := time.Duration(0)
	for {
		free <- struct{}{}
		conn, err := listener.AcceptTCP()
		if err != nil {
			if !passes(err) {
				return attempt("accept DNS connections", err)
			}
			<-free
			time.Sleep(10 * time.Millisecond)
			continue
		}
		idle := idleSeconds * time.Second
		idleSeconds = dnsIdleSeconds
		go func() {
			defer func() { <-free }()
			serveDNSConnection(conn, resolver, idle)
		}()
	}
}

// serveDNSConnection answers length-prefixed questions, several at a time and in whatever order the verdicts come
// (RFC 7766, 6.2.1.1), until the client ends, idles for longer than it may (0: it may for ever), or sends what is no question.
func serveDNSConnection(conn *net.TCPConn, resolver *resolver, idle time.Duration) {
	defer conn.Close()
	var writing sync.Mutex
	var answering sync.WaitGroup
	defer answering.Wait()
	pipelined := make(chan struct{}, dnsPipelinedMost)
	for {
		packet, err := readFramed(conn, idle)
		if err != nil {
			return
		}
		pipelined <- struct{}{}
		resolver.slots <- struct{}{}
		answering.Go(func() {
			defer func() { <-resolver.slots; <-pipelined }()
			response := resolver.respond(packet, "tcp")
			if response == nil {
				conn.Close()
				return
			}
			framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(response))), response...)
			writing.Lock()
			defer writing.Unlock()
			conn.SetWriteDeadline(time.Now().Add(dnsIdleSeconds * time.Second))
			if _, err := conn.Write(framed); err != nil {
				conn.Close()
			}
		})
	}
}

// readFramed reads one length-prefixed message; the whole of it has to arrive before the idle time is over.
func readFramed(conn *net.TCPConn, idle time.Duration) ([]byte, error) {
	if idle > 0 {
		conn.SetReadDeadline(time.Now().Add(idle))
	}
	var prefix [2]byte
	if _, err := io.ReadFull(conn, prefix[:]); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint16(prefix[:])
	if length < headerBytes || length > dnsQuestionBytes {
		return nil, io.ErrUnexpectedEOF
	}
	packet := make([]byte, length)
	_, err := io.ReadFull(conn, packet)
	return packet, err
}
