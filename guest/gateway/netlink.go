package gateway

import (
	"encoding/binary"
	"net"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The benchmarking range, RFC 2544: never on the internet, and unlike 127.0.0.0/8 not special to any client or SSRF filter.
var sandboxRange = prefix{address: [4]byte{198, 18, 0, 0}, bits: 15}

// With no address but 127.0.0.1, glibc's getaddrinfo(AF_INET, AI_ADDRCONFIG), which getent, browsers and many runtimes
// use, finds no name at all: it takes the machine for one without IPv4. This one, which no name is ever given, is for it to see.
var visibleAddress = prefix{address: [4]byte{198, 19, 255, 254}, bits: 32}

type prefix struct {
	address [4]byte
	bits    uint8
}

// ownAddresses makes the sandbox range and every literal local to this namespace, so that a listener on 0.0.0.0
// receives what is sent there. Nothing else gets a route: other addresses fail at once with "network unreachable".
func ownAddresses(literals [][4]byte) error {
	socket, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return attempt("open a netlink socket", err)
	}
	defer unix.Close(socket)
	if err := unix.Bind(socket, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return attempt("bind a netlink socket", err)
	}
	loopback, err := interfaceIndex("lo")
	if err != nil {
		return attempt("find the loopback interface", err)
	}
	if err := request(socket, linkUp(loopback)); err != nil {
		return attempt("bring the loopback interface up", err)
	}
	if err := request(socket, newAddress(loopback, visibleAddress)); err != nil && err != unix.EEXIST {
		return attempt("add an address to the loopback interface (NET_ADMIN is needed)", err)
	}
	if err := request(socket, withoutIPv6(loopback)); err != nil && !hasNoIPv6(err) {
		return attempt("take the IPv6 address off the loopback interface", err)
	}
	prefixes := []prefix{sandboxRange}
	for _, literal := range literals {
		prefixes = append(prefixes, prefix{address: literal, bits: 32})
	}
	for _, owned := range prefixes {
		if err := request(socket, localRoute(loopback, owned)); err != nil && err != unix.EEXIST {
			return attempt("add a local route (NET_ADMIN is needed)", err)
		}
	}
	return nil
}

func interfaceIndex(name string) (int32, error) {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(socket)
	query, err := unix.NewIfreq(name)
	if err != nil {
		return 0, err
	}
	if err := unix.IoctlIfreq(socket, unix.SIOCGIFINDEX, query); err != nil {
		return 0, err
	}
	return int32(query.Uint32()), nil
}

// linkUp is RTM_NEWLINK with IFF_UP, rtnetlink(7).
func linkUp(index int32) []byte {
	header := unix.IfInfomsg{Family: unix.AF_UNSPEC, Index: index, Flags: unix.IFF_UP, Change: unix.IFF_UP}
	body := unsafe.Slice((*byte)(unsafe.Pointer(&header)), unix.SizeofIfInfomsg)
	return netlinkMessage(unix.RTM_NEWLINK, 0, body)
}

// newAddress is `ip address add PREFIX dev lo scope host`, rtnetlink(7).
func newAddress(index int32, owned prefix) []byte {
	header := unix.IfAddrmsg{Family: unix.AF_INET, Prefixlen: owned.bits, Scope: unix.RT_SCOPE_HOST, Index: uint32(index)}
	body := append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(&header)), unix.SizeofIfAddrmsg)...)
	body = append(body, attribute(unix.IFA_LOCAL, owned.address[:])...)
	body = append(body, attribute(unix.IFA_ADDRESS, owned.address[:])...)
	return netlinkMessage(unix.RTM_NEWADDR, unix.NLM_F_CREATE|unix.NLM_F_EXCL, body)
}

// withoutIPv6 is `ip address del ::1/128 dev lo`: names have IPv4 addresses alone, so there is nothing to be had by IPv6.
func withoutIPv6(index int32) []byte {
	header := unix.IfAddrmsg{Family: unix.AF_INET6, Prefixlen: 128, Index: uint32(index)}
	body := append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(&header)), unix.SizeofIfAddrmsg)...)
	body = append(body, attribute(unix.IFA_LOCAL, net.IPv6loopback)...)
	return netlinkMessage(unix.RTM_DELADDR, 0, body)
}

// hasNoIPv6 is what the kernel answers where the engine turned IPv6 off, or where it was built or started without.
func hasNoIPv6(err error) bool {
	return err == unix.EADDRNOTAVAIL || err == unix.EOPNOTSUPP || err == unix.EAFNOSUPPORT
}

// localRoute is `ip route add local PREFIX dev lo`, rtnetlink(7).
func localRoute(index int32, owned prefix) []byte {
	header := unix.RtMsg{
		Family: unix.AF_INET, Dst_len: owned.bits, Table: unix.RT_TABLE_LOCAL,
		Protocol: unix.RTPROT_BOOT, Scope: unix.RT_SCOPE_HOST, Type: unix.RTN_LOCAL,
	}
	body := append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(&header)), unix.SizeofRtMsg)...)
	body = append(body, attribute(unix.RTA_DST, owned.address[:])...)
	body = append(body, attribute(unix.RTA_OIF, binary.NativeEndian.AppendUint32(nil, uint32(index)))...)
	return netlinkMessage(unix.RTM_NEWROUTE, unix.NLM_F_CREATE|unix.NLM_F_EXCL, body)
}

// attribute needs no padding: every value here is a multiple of four bytes long.
func attribute(kind uint16, value []byte) []byte {
	encoded := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
	encoded = binary.NativeEndian.AppendUint16(encoded, kind)
	return append(encoded, value...)
}

func netlinkMessage(kind, flags uint16, body []byte) []byte {
	encoded := binary.NativeEndian.AppendUint32(nil, uint32(unix.NLMSG_HDRLEN+len(body)))
	encoded = binary.NativeEndian.AppendUint16(encoded, kind)
	encoded = binary.NativeEndian.AppendUint16(encoded, flags|unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	encoded = binary.NativeEndian.AppendUint32(encoded, 1) // sequence: one request at a time
	encoded = binary.NativeEndian.AppendUint32(encoded, 0) // port: the kernel's
	return append(encoded, body...)
}

// request sends one message and returns the error its acknowledgement carries.
func request(socket int, encoded []byte) error {
	if err := unix.Sendto(socket, encoded, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	reply := make([]byte, 4096)
	length, _, err := unix.Recvfrom(socket, reply, 0)
	if err != nil {
		return err
	}
	if length < unix.NLMSG_HDRLEN+4 || binary.NativeEndian.Uint16(reply[4:]) != unix.NLMSG_ERROR {
		return unix.EPROTO
	}
	if code := int32(binary.NativeEndian.Uint32(reply[unix.NLMSG_HDRLEN:])); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}
