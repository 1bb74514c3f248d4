package keeper

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

type opened struct {
	OK         bool             `json:"ok"`
	Device     string           `json:"device"`
	BlockBytes int64            `json:"blockBytes"` // of the capped file system
	SizeBytes  int64            `json:"sizeBytes"`  // usable, so a little less than the cap: ext4's own tables are under it
	FreeBytes  uint64           `json:"freeBytes"`  // of the host's file system that holds the disk file
	Inodes     uint64           `json:"inodes"`
	Chowned    int              `json:"chowned"`
	TimingsMs  map[string]int64 `json:"timingsMs"`
}

// open makes the capped disk, mounts it on /disk, unpacks the tar there and, if asked, gives the
// workspace to the sandbox's user by metadata alone.
func (k *keeper) open(c command, tar io.Reader) (*opened, error) {
	if k.baseline != nil {
		return nil, fmt.Errorf("opening the disk: it is open already; one keeper keeps one disk")
	}
	reply := &opened{OK: true, TimingsMs: map[string]int64{}}
	started := time.Now()
	step := func(name string, do func() error) error {
		begun := time.Now()
		err := do()
		reply.TimingsMs[name] = time.Since(begun).Milliseconds()
		return err
	}

	file := filepath.Join(k.places.file, "disk")
	if err := step("mke2fs", func() (err error) {
		reply.FreeBytes, err = makeDisk(file, c.SizeBytes)
		return err
	}); err != nil {
		return nil, err
	}
	if err := step("mount", func() (err error) {
		reply.Device, err = mountDisk(file, k.places.disk, k.places.dev)
		return err
	}); err != nil {
		return nil, err
	}
	if err := step("tar", func() error { return extract(tar, k.places.disk) }); err != nil {
		return nil, unmountAfter(k.places.disk, err)
	}
	if c.Chown != nil {
		if err := step("chown", func() (err error) {
			reply.Chowned, err = k.chownWorkspace(*c.Chown)
			return err
		}); err != nil {
			return nil, unmountAfter(k.places.disk, err)
		}
	}

	var baseline unix.Statfs_t
	if err := unix.Statfs(k.places.disk, &baseline); err != nil {
		return nil, unmountAfter(k.places.disk, fmt.Errorf("measuring the new disk: %w", err))
	}
	k.baseline = &baseline
	reply.BlockBytes = baseline.Bsize
	reply.SizeBytes = int64(baseline.Blocks) * baseline.Bsize
	reply.Inodes = baseline.Files
	reply.TimingsMs["total"] = time.Since(started).Milliseconds()
	return reply, nil
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
