package gateway

import "net"

// serveDNSOverUDP returns only when the socket fails. While all slots are taken nothing is read: the kernel's
// receive buffer is the queue.
func serveDNSOverUDP(conn *net.UDPConn, resolver *resolver) error {
	for {
		packet := make([]byte, ednsUDPBytes)
		resolver.slots <- struct{}{}
		length, client, err := conn.ReadFromUDPAddrPort(packet)
		if err != nil {
			return attempt("read DNS questions", err)
		}
		go func() {
			defer func() { <-resolver.slots }()
			if response := resolver.respond(packet[:length], "udp"); response != nil {
				conn.WriteToUDPAddrPort(response, client)
			}
		}()
	}
}
