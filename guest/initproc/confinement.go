package initproc

import (
	"errors"

	"golang.org/x/sys/unix"
)

// checkConfinement holds the engine to what was asked of it. An engine that was built or configured without seccomp
// (--seccomp-profile=unconfined) says nothing: its containers just have no filter. gVisor leaves the engine's filter out by
// default, as nothing of the sandbox reaches the host's kernel; gVisor's own calls to that go through a filter of its own.
func checkConfinement(onGvisor bool) error {
	if mode, err := unix.PrctlRetInt(unix.PR_GET_SECCOMP, 0, 0, 0, 0); !onGvisor && (err != nil || mode != 2) {
		return errors.New("the engine starts containers without its seccomp filter: remove seccomp-profile from its configuration, or install an engine and kernel with seccomp")
	}
	if set, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil || set != 1 {
		return errors.New("the engine does not set no_new_privs, although it was asked to")
	}
	return nil
}
