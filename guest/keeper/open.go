package keeper

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Lies beside the disk file and points at its loop device: a name for the device that the host knows before it exists.
const deviceLink = "device"

type opened struct {
	OK         bool             `json:"ok"`
	Device     string           `json:"device"`
	BlockBytes int64            `json:"blockBytes"` // of the capped file system
	SizeBytes  int64            `json:"sizeBytes"`  // usable, so a little less than the cap: ext4's own tables are under it
	FreeBytes  uint64           `json:"freeBytes"`  // of the host's file system that holds the disk file
	Inodes     uint64           `json:"inodes"`
	TimingsMs  map[string]int64 `json:"timingsMs"`
}

// open makes the capped disk and mounts it on /disk.
func (k *keeper) open(c command) (*opened, error) {
	if k.baseline != nil {
		return nil, fmt.Errorf("opening the disk: it is open already; one keeper keeps one disk")
	}
	reply := &opened{OK: true, TimingsMs: map[string]int64{}}
	file := filepath.Join(k.places.file, "disk")
	if err := timed(reply.TimingsMs, "mke2fs", func() (err error) {
		reply.FreeBytes, err = makeDisk(file, c.SizeBytes)
		return err
	}); err != nil {
		return nil, err
	}
	if err := timed(reply.TimingsMs, "mount", func() (err error) {
		reply.Device, err = mountDisk(file, k.places.disk, k.places.dev)
		return err
	}); err != nil {
		return nil, err
	}
	if err := os.Symlink(reply.Device, filepath.Join(k.places.file, deviceLink)); err != nil {
		return nil, unmountAfter(k.places.disk, fmt.Errorf("naming the loop device: %w", err))
	}
	var err error
	if k.root, err = os.Open(k.places.disk); err != nil {
		return nil, unmountAfter(k.places.disk, fmt.Errorf("opening the new disk: %w", err))
	}
	baseline, err := k.measure()
	if err != nil {
		k.root.Close()
		return nil, unmountAfter(k.places.disk, err)
	}
	reply.BlockBytes = baseline.Bsize
	reply.SizeBytes = int64(baseline.Blocks) * baseline.Bsize
	reply.Inodes = baseline.Files
	return reply, nil
}

type filled struct {
	OK        bool             `json:"ok"`
	Chowned   int              `json:"chowned"`
	TimingsMs map[string]int64 `json:"timingsMs"`
}

// fill unpacks the tar on the disk and, if asked, gives the workspace to the sandbox's user without writing to it.
// What the disk holds then is not counted as the sandbox's.
func (k *keeper) fill(c command, tar io.Reader) (*filled, error) {
	if k.baseline == nil {
		return nil, fmt.Errorf("filling the disk: it is not open; send \"open\" first")
	}
	reply := &filled{OK: true, TimingsMs: map[string]int64{}}
	if err := timed(reply.TimingsMs, "tar", func() error { return extract(tar, k.places.disk) }); err != nil {
		return nil, err
	}
	if c.Guest {
		if err := timed(reply.TimingsMs, "guest", k.placeGuest); err != nil {
			return nil, err
		}
	}
	if c.Chown != nil {
		if err := timed(reply.TimingsMs, "chown", func() (err error) {
			reply.Chowned, err = k.giveWorkspace(*c.Chown, c.Workspace)
			return err
		}); err != nil {
			return nil, err
		}
	}
	_, err := k.measure()
	return reply, err
}

// placeGuest puts this program on the disk, for a sandbox whose image does not have it.
func (k *keeper) placeGuest() error {
	target := filepath.Join(k.places.disk, "decoy", "guest")
	from, err := os.Open(k.places.guest)
	if err != nil {
		return fmt.Errorf("opening the guest program: %w", err)
	}
	defer from.Close()
	to, err := os.OpenFile(target, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		return fmt.Errorf("making %s: %w", target, err)
	}
	_, err = io.Copy(to, from)
	if err = errors.Join(err, to.Close()); err != nil {
		return fmt.Errorf("copying the guest program to the disk: %w", err)
	}
	return nil
}

// measure takes what is used now as what the sandbox starts with.
func (k *keeper) measure() (*unix.Statfs_t, error) {
	var baseline unix.Statfs_t
	if err := unix.Statfs(k.places.disk, &baseline); err != nil {
		return nil, fmt.Errorf("measuring the new disk: %w", err)
	}
	k.baseline = &baseline
	return &baseline, nil
}

func timed(timingsMs map[string]int64, name string, do func() error) error {
	begun := time.Now()
	err := do()
	timingsMs[name] = time.Since(begun).Milliseconds()
	return err
}

// mountDisk attaches the file to a loop device and mounts that. The device is closed again at once:
// it is marked autoclear, so the mounts alone keep it, and the last of them to go frees it.
func mountDisk(file, target, dev string) (string, error) {
	if err := os.MkdirAll(target, 0o755); err != nil {
		return "", fmt.Errorf("making the mount point: %w", err)
	}
	loop, err := attachLoop(file, dev)
	if err != nil {
		return "", err
	}
	defer loop.Close()
	// Everyone who mounts the device later shares this superblock. No barriers: nothing on the disk
	// has to survive a power cut, and each flush would become an fsync of the disk file on the host.
	// noinit_itable: the file is sparse, so the inode tables are zero already.
	if err := unix.Mount(loop.Name(), target, "ext4", unix.MS_NOATIME, "nobarrier,noinit_itable"); err != nil {
		return "", fmt.Errorf("mounting %s on %s: %w; the keeper needs SYS_ADMIN, the device rule \"b 7:* rmw\" and no AppArmor profile", loop.Name(), target, err)
	}
	return loop.Name(), nil
}

func unmountAfter(target string, cause error) error {
	if err := unix.Unmount(target, unix.MNT_DETACH); err != nil {
		return fmt.Errorf("%w (and unmounting %s: %v)", cause, target, err)
	}
	return cause
}
