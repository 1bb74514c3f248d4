// Package network tells whether the network namespace this program was started in leads anywhere.
package network

import (
	"errors"
	"fmt"
	"net"
)

// CheckAlone fails where any interface but the loopback one is up. A fresh namespace may have tunnels of the
// kernel's, all down. Gateway and keeper ask first thing: the engine gives each a namespace of its own, and an
// engine that ever did not would put them, and with the gateway the sandbox, into the host's.
func CheckAlone() error {
	interfaces, err := net.Interfaces()
	if err != nil {
		return fmt.Errorf("listing the network interfaces: %w", err)
	}
	return checkAlone(interfaces)
}

func checkAlone(interfaces []net.Interface) error {
	hasLoopback := false
	for _, each := range interfaces {
		if each.Flags&net.FlagLoopback != 0 {
			hasLoopback = true
		} else if each.Flags&net.FlagUp != 0 {
			return fmt.Errorf("the engine started this container in a network: the interface %q is up, and none but the loopback one may be", each.Name)
		}
	}
	if !hasLoopback {
		return errors.New("the engine started this container without a loopback interface")
	}
	return nil
}
