package keeper

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// A killed run's containers take a moment to let go of a volume; a live run is not waited for any longer than that.
	volumePatience   = 10 * time.Second
	volumePause      = 50 * time.Millisecond
	volumeJournalMiB = 8
	volumeMountFlags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC | unix.MS_NOATIME
	// errors=remount-ro: what the superblock says there, panic for one, does not count. noinit_itable: a hole is zero already.
	volumeMountOption = "errors=remount-ro,noinit_itable"
)

type volumeOpened struct {
	OK        bool  `json:"ok"`
	SizeBytes int64 `json:"sizeBytes"`
}

// volume opens one of the user's volumes: an ext4 file that outlives the run. It is this keeper's alone until its last mount is
// gone: the lock holds other keepers off, and the loop device those that come when this one was killed.
func (k *keeper) volume(c command) (*volumeOpened, error) {
	if !filepath.IsLocal(c.Path) {
		return nil, fmt.Errorf("opening the volume %q: its folder %q must lie inside %s", c.Name, c.Path, k.places.volumes)
	}
	folder := filepath.Join(k.places.volumes, c.Path)
	deadline := time.Now().Add(volumePatience)
	if err := k.lockVolume(folder, c.Name, deadline); err != nil {
		return nil, err
	}
	file := filepath.Join(folder, "disk")
	st, err := k.findOrMakeVolume(folder, file, c)
	if err != nil {
		return nil, err
	}
	if c.Exact && st.Size != c.SizeBytes {
		return nil, fmt.Errorf("the volume %q has a size of %d MiB, not %d: leave the size out, or remove the volume first with `decoy volumes remove %s`", c.Name, st.Size>>20, c.SizeBytes>>20, c.Name)
	}
	if err := k.reserve(file, st, c.Name); err != nil {
		return nil, err
	}
	if err := k.awaitDetached(st, c.Name, deadline); err != nil {
		return nil, err
	}
	if err := checkVolume(file, c.Name); err != nil {
		return nil, err
	}
	loop, err := attachLoop(file, k.places.dev)
	if err != nil {
		return nil, fmt.Errorf("opening the volume %q: %w", c.Name, err)
	}
	// Open, it keeps the device until the sandbox has mounted it; from then on the mount does.
	k.held = append(k.held, loop)
	if err := k.handOver(loop.Name(), c); err != nil {
		return nil, fmt.Errorf("opening the volume %q: %w", c.Name, err)
	}
	if err := os.Symlink(loop.Name(), filepath.Join(k.places.file, "volume-"+c.Path)); err != nil {
		return nil, fmt.Errorf("naming the loop device of the volume %q: %w", c.Name, err)
	}
	return &volumeOpened{OK: true, SizeBytes: st.Size}, nil
}

// lockVolume holds the lock until this process ends, however it does.
func (k *keeper) lockVolume(folder, name string, deadline time.Time) error {
	lock, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return fmt.Errorf("locking the volume %q: %w", name, err)
	}
	k.held = append(k.held, lock)
	if err := giveToOwnerOf(folder, lock.Name()); err != nil {
		return err
	}
	for {
		err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("locking the volume %q: %w", name, err)
		}
		if time.Now().After(deadline) {
			return inUse(name)
		}
		time.Sleep(volumePause)
	}
}

func inUse(name string) error {
	return fmt.Errorf("the volume %q is in use by another run, and still was after %s: run them one after the other, or give each a volume of its own", name, volumePatience)
}

// findOrMakeVolume gives the volume's file. A new one gets its name only when it is whole.
func (k *keeper) findOrMakeVolume(folder, file string, c command) (*unix.Stat_t, error) {
	var st unix.Stat_t
	err := unix.Lstat(file, &st)
	if errors.Is(err, unix.ENOENT) {
		if err := makeVolume(folder, file, c); err != nil {
			return nil, fmt.Errorf("making the volume %q: %w", c.Name, err)
		}
		err = unix.Lstat(file, &st)
	}
	if err != nil {
		return nil, fmt.Errorf("looking at the volume %q: %w", c.Name, err)
	}
	if !isKind(&st, unix.S_IFREG) {
		return nil, fmt.Errorf("the file of the volume %q is not a regular file: remove the volume with `decoy volumes remove %s`", c.Name, c.Name)
	}
	return &st, nil
}

func makeVolume(folder, file string, c command) error {
	begun := file + ".new"
	if err := os.Remove(begun); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if _, err := formatFile(begun, c.SizeBytes, []string{"-J", "size=" + strconv.Itoa(volumeJournalMiB), "-O", "^resize_inode", "-e", "remount-ro"}, "lazy_itable_init=1,lazy_journal_init=1,nodiscard"); err != nil {
		return err
	}
	if err := giveToOwnerOf(folder, begun); err != nil {
		return err
	}
	return os.Rename(begun, file)
}

// giveToOwnerOf lets the user whose folder it is read the file without privileges.
func giveToOwnerOf(folder, file string) error {
	var st unix.Stat_t
	if err := unix.Stat(folder, &st); err != nil {
		return err
	}
	return unix.Lchown(file, int(st.Uid), int(st.Gid))
}

// reserve sees that the host has room for all that the volumes can grow by.
func (k *keeper) reserve(file string, st *unix.Stat_t, name string) error {
	var host unix.Statfs_t
	if err := unix.Statfs(file, &host); err != nil {
		return fmt.Errorf("measuring the file system of the volume %q: %w", name, err)
	}
	k.promised += max(0, st.Size-st.Blocks*512)
	if free := int64(host.Bavail) * host.Bsize; free < k.promised {
		return fmt.Errorf("this machine has %d MiB free where its volumes are, and the volume %q could grow by more: make room, or give it a smaller size when it is new", free>>20, name)
	}
	return nil
}

// awaitDetached waits until no loop device holds the file: a run that was killed may still have it mounted.
func (k *keeper) awaitDetached(st *unix.Stat_t, name string, deadline time.Time) error {
	for {
		attached, err := heldByLoop(st, k.places.dev)
		if err != nil {
			return fmt.Errorf("looking for loop devices that hold the volume %q: %w", name, err)
		}
		if !attached {
			return nil
		}
		if time.Now().After(deadline) {
			return inUse(name)
		}
		time.Sleep(volumePause)
	}
}

func heldByLoop(st *unix.Stat_t, dev string) (bool, error) {
	backed, err := filepath.Glob("/sys/block/loop*/loop")
	if err != nil {
		return false, err
	}
	for _, path := range backed {
		node := filepath.Join(dev, filepath.Base(filepath.Dir(path)))
		number, err := strconv.Atoi(filepath.Base(node)[len("loop"):])
		if err != nil {
			continue
		}
		if err := makeNode(node, unix.S_IFBLK, unix.Mkdev(loopMajor, uint32(number))); err != nil {
			return false, err
		}
		loop, err := os.Open(node)
		if err != nil {
			if lostRace(err) {
				continue
			}
			return false, err
		}
		info, err := unix.IoctlLoopGetStatus64(int(loop.Fd()))
		loop.Close()
		if lostRace(err) {
			continue
		}
		if err != nil {
			return false, fmt.Errorf("LOOP_GET_STATUS64: %w", err)
		}
		if info.Inode == st.Ino && info.Device == st.Dev {
			return true, nil
		}
	}
	return false, nil
}

// checkVolume has e2fsck look at the whole file system and mend what can be mended safely, before the kernel reads it.
func checkVolume(file, name string) error {
	program, err := findProgram("e2fsck")
	if err != nil {
		return fmt.Errorf("checking the volume %q: %w; install e2fsprogs on the host", name, err)
	}
	check := exec.Command(program, "-f", "-p", file)
	check.Env = []string{"E2FSCK_CONFIG=/nonexistent", "LC_ALL=C"}
	check.SysProcAttr = dieWithKeeper()
	// e2fsck(8): 1 and 2, mended. What it prints has names the sandbox chose.
	var exit *exec.ExitError
	if err := check.Run(); err != nil && (!errors.As(err, &exit) || exit.ExitCode() < 0 || exit.ExitCode() > 3) {
		return fmt.Errorf("the file system of the volume %q is damaged (e2fsck: %w): remove the volume with `decoy volumes remove %s`", name, err, name)
	}
	return nil
}

// handOver gives the top directory, and nothing below it, to the sandbox's user, and takes away what mke2fs put there.
func (k *keeper) handOver(device string, c command) error {
	if err := os.MkdirAll(k.places.volume, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(device, k.places.volume, "ext4", volumeMountFlags, volumeMountOption); err != nil {
		return fmt.Errorf("mounting it: %w", err)
	}
	err := unix.Rmdir(filepath.Join(k.places.volume, "lost+found"))
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.ENOTDIR) {
		err = nil
	}
	if err == nil && c.Chown != nil {
		err = unix.Lchown(k.places.volume, int(c.Chown.UID), int(c.Chown.GID))
	}
	if err != nil {
		return unmountAfter(k.places.volume, err)
	}
	return unmount(k.places.volume)
}
