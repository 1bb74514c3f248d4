package keeper

import (
	"fmt"
	"net"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// leaveNetwork gives the keeper a network namespace of its own, with nothing in it. The engine would take
// 0.1 s to make one; it costs this program a few milliseconds, so it is started in the host's and leaves
// that before it reads its first command.
//
// A namespace belongs to a thread and the runtime has started several: only executing the program anew from
// the thread that has left takes the whole process along. What counts is the result: no interface that is up.
func leaveNetwork() error {
	alone, err := isAlone()
	if err != nil || alone {
		return err
	}
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("leaving the host's network: %w; the keeper needs SYS_ADMIN", err)
	}
	if alone, err := isAlone(); err != nil || !alone {
		return fmt.Errorf("leaving the host's network: the new namespace has interfaces (%v)", err)
	}
	return fmt.Errorf("starting anew outside the host's network: %w", unix.Exec("/proc/self/exe", os.Args, os.Environ()))
}

// isAlone tells whether this thread's network namespace has no interface that is up, as a fresh one (which may
// have tunnels of the kernel's, all down). A host whose own is like that has no network to keep anybody from.
func isAlone() (bool, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return false, fmt.Errorf("listing the network interfaces: %w", err)
	}
	for _, each := range interfaces {
		if each.Flags&net.FlagUp != 0 {
			return false, nil
		}
	}
	return true, nil
}
