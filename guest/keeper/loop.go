package keeper

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// Numbers from the kernel's Documentation/admin-guide/devices.txt.
	loopMajor              = 7
	loopControlMajor       = 10
	loopControlMinor       = 237
	loopPatience           = 15 * time.Second
	longestLoopPauseMillis = 20
)

// attachLoop attaches the file to a free loop device. Others look for one at the same time, and the
// kernel reserves nothing between naming a free device and taking it: losing that race means trying again.
func attachLoop(file, dev string) (*os.File, error) {
	backing, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("opening the disk file: %w", err)
	}
	defer backing.Close()
	controlNode := filepath.Join(dev, "loop-control")
	if err := makeNode(controlNode, unix.S_IFCHR, unix.Mkdev(loopControlMajor, loopControlMinor)); err != nil {
		return nil, err
	}
	control, err := os.OpenFile(controlNode, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("asking for a loop device: %w; the keeper needs the device rule \"c 10:237 rmw\"", err)
	}
	defer control.Close()

	deadline := time.Now().Add(loopPatience)
	for {
		loop, err := takeFreeLoop(control, backing, dev)
		if err == nil {
			return loop, nil
		}
		if !lostRace(err) {
			return nil, fmt.Errorf("attaching the disk file to a loop device: %w", err)
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("attaching the disk file to a loop device: still contended after %s: %w", loopPatience, err)
		}
		time.Sleep(time.Duration(1+rand.IntN(longestLoopPauseMillis)) * time.Millisecond)
	}
}

func takeFreeLoop(control, backing *os.File, dev string) (*os.File, error) {
	number, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
	if err != nil {
		return nil, fmt.Errorf("LOOP_CTL_GET_FREE: %w", err)
	}
	node := filepath.Join(dev, fmt.Sprintf("loop%d", number))
	if err := makeNode(node, unix.S_IFBLK, unix.Mkdev(loopMajor, uint32(number))); err != nil {
		return nil, err
	}
	loop, err := os.OpenFile(node, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	if err := configureLoop(int(loop.Fd()), int(backing.Fd())); err != nil {
		loop.Close()
		return nil, err
	}
	return loop, nil
}

func configureLoop(loop, backing int) error {
	info := unix.LoopInfo64{Flags: unix.LO_FLAGS_AUTOCLEAR}
	copy(info.File_name[:], "decoy")
	err := unix.IoctlLoopConfigure(loop, &unix.LoopConfig{Fd: uint32(backing), Info: info})
	if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOTTY) {
		return wrap("LOOP_CONFIGURE", err)
	}
	// Before Linux 5.8.
	if err := unix.IoctlSetInt(loop, unix.LOOP_SET_FD, backing); err != nil {
		return wrap("LOOP_SET_FD", err)
	}
	if err := unix.IoctlLoopSetStatus64(loop, &info); err != nil {
		unix.IoctlSetInt(loop, unix.LOOP_CLR_FD, 0)
		return wrap("LOOP_SET_STATUS64", err)
	}
	return nil
}

// A device named free may be taken, or being freed, or gone, by the time it is opened.
func lostRace(err error) bool {
	for _, e := range []error{unix.EBUSY, unix.EAGAIN, unix.ENXIO, unix.ENODEV, unix.ENOENT} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// makeNode makes a device node: a container's /dev has none, the host's has them all.
func makeNode(path string, kind uint32, device uint64) error {
	err := unix.Mknod(path, kind|0o600, int(device))
	if err == nil || errors.Is(err, unix.EEXIST) {
		return nil
	}
	return fmt.Errorf("making the device node %s: %w; the keeper needs MKNOD and the device rules \"b 7:* rmw\" and \"c 10:237 rmw\"", path, err)
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
