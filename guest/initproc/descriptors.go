package initproc

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// closeOnExec marks every descriptor above stderr. Kernels before 5.11 and some sandboxes have no such flag of
// close_range(2): there, /proc lists them.
func closeOnExec() error {
	const everything = ^uint(0)
	if unix.CloseRange(3, everything, unix.CLOSE_RANGE_CLOEXEC) == nil {
		return nil
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if descriptor, err := strconv.Atoi(entry.Name()); err == nil && descriptor > 2 {
			unix.CloseOnExec(descriptor)
		}
	}
	return nil
}
