package gateway

import (
	"net"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// dialAsOwner connects to a socket in a directory that only its owner may enter. Root without DAC_OVERRIDE, a
// capability the gateway should not need, may not; so for this one call the thread's file system uid,
// setfsuid(2), is the owner's.
func dialAsOwner(path string, timeout time.Duration) (net.Conn, error) {
	var directory unix.Stat_t
	if err := unix.Stat(filepath.Dir(path), &directory); err != nil {
		return nil, err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := unix.SetfsuidRetUid(int(directory.Uid))
	if err != nil {
		return nil, err
	}
	defer unix.SetfsuidRetUid(before)
	return net.DialTimeout("unix", path, timeout)
}
