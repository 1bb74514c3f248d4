package initproc

import (
	"errors"
	"slices"

	"golang.org/x/sys/unix"
)

// gvisorRole is the argument of an init that is to run on gVisor.
const gvisorRole = "gvisor"

// What gVisor says of its kernel, in every release (pkg/sentry/syscalls/linux/linux64.go): no real one was built then.
const gvisorVersion = "#1 SMP Sun Jan 10 15:06:54 PST 2016"

// checkKernel refuses another kernel than was asked for: a runtime that only has gVisor's name gives none of its protection.
func checkKernel(args []string) error {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return errors.New("cannot read the kernel's name: " + err.Error())
	}
	isGvisor := unix.ByteSliceToString(name.Version[:]) == gvisorVersion
	if slices.Contains(args, gvisorRole) && !isGvisor {
		return errors.New("the runtime of that name is not gVisor: the sandbox has the host's own kernel; correct its path in the engine's daemon.json, or use `runtime: runc`")
	}
	return nil
}
