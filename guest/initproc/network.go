package initproc

import (
	"errors"
	"net/netip"

	"decoy/guest/network"

	"golang.org/x/sys/unix"
)

// A runtime with a network stack of its own has nobody listening; one that hangs is taken for that.
const gatewaySeconds = 5

const ownNetwork = ": the runtime gives the sandbox a network of its own; register gVisor with the runtime argument --network=host, or use `runtime: runc`"

// joinGateway makes sure that this is the namespace the gateway owns: the runtime, not the engine, decides what the sandbox
// gets, and gVisor's default is another stack. Nobody else listens here: nothing else has been started. The connection stays
// open, and ends with the gateway, whatever else is still there to tell us.
func joinGateway(gateway string) (socket int, err error) {
	if err := network.CheckAlone(); err != nil {
		return -1, errors.New("cannot join the gateway's network (" + err.Error() + ")" + ownNetwork)
	}
	address, err := netip.ParseAddrPort(gateway)
	if err != nil || !address.Addr().Is4() {
		return -1, errors.New("cannot join the gateway's network: its address is not one")
	}
	socket, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, errors.New("cannot open a socket: " + err.Error())
	}
	// Of connect(2), too: socket(7).
	if err := unix.SetsockoptTimeval(socket, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &unix.Timeval{Sec: gatewaySeconds}); err != nil {
		return -1, errors.New("cannot bound a connection: " + err.Error())
	}
	if err := connect(socket, &unix.SockaddrInet4{Addr: address.Addr().As4(), Port: int(address.Port())}); err != nil {
		return -1, errors.New("cannot reach the gateway (" + err.Error() + ")" + ownNetwork)
	}
	return socket, nil
}

func connect(socket int, address unix.Sockaddr) error {
	for {
		if err := unix.Connect(socket, address); err != unix.EINTR {
			return err
		}
	}
}
