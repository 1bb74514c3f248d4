package keeper

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// mountOverlay mounts on target; options as in the kernel's Documentation/filesystems/overlayfs.rst.
func mountOverlay(target, options string, flags uintptr) error {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return fmt.Errorf("making the mount point: %w", err)
	}
	flags |= unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_NOATIME
	if err := unix.Mount("overlay", target, "overlay", flags, options); err != nil {
		return fmt.Errorf("mounting an overlay with %q: %w", options, err)
	}
	return nil
}

func unmount(target string) error {
	if err := unix.Unmount(target, 0); err != nil {
		return fmt.Errorf("unmounting %s: %w", target, unmountAfter(target, err))
	}
	return nil
}
