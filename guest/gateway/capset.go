package gateway

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// clearCapabilities empties the effective, permitted and inheritable sets of every thread, capset(2).
func clearCapabilities() error {
	header := &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	empty := &[2]unix.CapUserData{}
	err := onAllThreads(unix.SYS_CAPSET, uintptr(unsafe.Pointer(header)), uintptr(unsafe.Pointer(&empty[0])))
	runtime.KeepAlive(header)
	runtime.KeepAlive(empty)
	return err
}
