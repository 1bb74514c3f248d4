package gateway

import (
	"net"

	"github.com/pires/go-proxyproto"
)

// proxyHeader is the PROXY protocol v2 header (haproxy's proxy-protocol.txt, section 2.2) that tells the host's
// proxy who connected to what: the TCP addresses, and as PP2_TYPE_AUTHORITY the name that was looked up.
func proxyHeader(source, destination *net.TCPAddr, name string) ([]byte, error) {
	header := proxyproto.Header{
		Version:           2,
		Command:           proxyproto.PROXY,
		TransportProtocol: proxyproto.TCPv4,
		SourceAddr:        source,
		DestinationAddr:   destination,
	}
	if err := header.SetTLVs([]proxyproto.TLV{{Type: proxyproto.PP2_TYPE_AUTHORITY, Value: []byte(name)}}); err != nil {
		return nil, err
	}
	return header.Format()
}
