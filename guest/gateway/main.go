// Package gateway owns the sandbox's network namespace: it answers every allowed name with an address of its
// own, accepts whatever connects there, and hands each connection to the host's proxy together with the name.
// It decides nothing: the host judges every name and, again, every connection.
package gateway

import (
	"net"
	"os"
	"os/signal"
	"syscall"

	"decoy/guest/network"

	"golang.org/x/sys/unix"
)

const (
	socketsPath = "/run/decoy"
	controlPath = "/run/decoy/control.sock"
	proxyPath   = "/run/decoy/proxy.sock"
	probePath   = "/run/decoy/probe.sock"
	dnsAddress  = "127.0.0.1:53"
	dnsPort     = 53
)

// Main runs the gateway until SIGTERM (0) or until it cannot go on safely (1). The namespace has no other way
// out, so a gateway that is gone leaves the sandbox without a network: every failure is closed.
func Main(args []string) int {
	stop := make(chan os.Signal, 1)
	// The kernel drops signals to PID 1 that have no handler: without this, `docker stop` would wait its full grace period.
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	signal.Ignore(syscall.SIGPIPE, syscall.SIGHUP)

	failed := make(chan error, 1)
	go func() { failed <- run() }()
	select {
	case <-stop:
		return 0
	case err := <-failed:
		os.Stderr.WriteString("decoy-guest gateway: " + err.Error() + "\n")
		return 1
	}
}

// run returns only to report why the gateway cannot go on.
func run() error {
	if err := network.CheckAlone(); err != nil {
		return attempt("own the sandbox's network", err)
	}
	descriptors, err := raiseDescriptorLimit()
	if err != nil {
		return err
	}
	control, err := openControl(controlPath)
	if err != nil {
		return err
	}
	config := control.config
	literals, err := parseLiterals(config.Addresses)
	if err != nil {
		return control.fail(err)
	}
	if err := ownAddresses(literals); err != nil {
		return control.fail(err)
	}
	listeners, err := openListeners(config.Ports)
	if err != nil {
		return control.fail(err)
	}
	if err := dropPrivileges(config.UID, config.GID); err != nil {
		return control.fail(err)
	}
	exposed, err := openExposed(socketsPath, config.Expose, config.Ports)
	if err != nil {
		return control.fail(err)
	}

	refusals := newRefusals(control.send)
	names := newNames(literals)
	resolver := newResolver(control.ask, names, refusals)
	tunnels := newTunnels(proxyPath, names, refusals, connectionLimit(descriptors))
	probes := newProbes(probePath, control.send, resolver.forget)
	ended := make(chan error, 1)
	go func() { ended <- control.readAnswers(probes.handle) }()
	go func() { ended <- serveDNSOverUDP(listeners.dnsUDP, resolver) }()
	go func() { ended <- serveDNSOverTCP(listeners.dnsTCP, resolver) }()
	for _, listener := range listeners.tunnels {
		go func() { ended <- tunnels.serve(listener) }()
	}
	for port, listener := range exposed.listeners {
		go func() { ended <- exposed.serve(port, listener) }()
	}
	if err := control.send(message{Type: "ready"}); err != nil {
		return err
	}
	return <-ended
}

// raiseDescriptorLimit raises the soft limit to the hard one and returns it: a connection costs two descriptors.
func raiseDescriptorLimit() (uint64, error) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, attempt("read the limit on open files", err)
	}
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0, attempt("raise the limit on open files", err)
	}
	return limit.Cur, nil
}

// connectionLimit leaves room for the listeners, the DNS connections and the runtime.
func connectionLimit(descriptors uint64) int64 {
	const most, reserved = 4096, 256
	if descriptors >= 2*most+reserved {
		return most
	}
	if descriptors <= reserved {
		return 1
	}
	return int64(descriptors-reserved) / 2
}

func parseLiterals(texts []string) ([][4]byte, error) {
	literals := make([][4]byte, 0, len(texts))
	for _, text := range texts {
		ip := net.ParseIP(text).To4()
		if ip == nil || ip.IsLoopback() || ip.IsUnspecified() || ip.IsMulticast() {
			return nil, problem("cannot own the address \"" + text + "\": give a unicast IPv4 literal")
		}
		literals = append(literals, [4]byte(ip))
	}
	return literals, nil
}
