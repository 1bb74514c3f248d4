package keeper

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Beside the disk file: leads to what the overlay of the workspace shall have below it, a name that the host knows before there is one.
const workspaceLink = "workspace"

// highestID: 4294967295 stands for "no id" (credentials(7)).
const highestID = 1<<32 - 2

// workspaceFrom is where the engine finds the workspace: its path, and the keeper's own number as the engine counts processes,
// or 0 where it is not known.
type workspaceFrom struct {
	Path string `json:"path"`
	PID  int    `json:"pid"`
}

// giveWorkspace shows the workspace's owner as the sandbox's user. Where the kernel can map owners of a mount that takes the same
// time for any number of files; else every entry gets its new owner on the disk. It returns how many did.
func (k *keeper) giveWorkspace(to owner, from workspaceFrom) (chowned int, err error) {
	target := from.Path
	tree, mapErr := k.mapWorkspace(to)
	if mapErr == nil && from.PID > 0 {
		// Open until the keeper goes: the engine mounts it later.
		target = fmt.Sprintf("/proc/%d/fd/%d", from.PID, tree)
	} else if chowned, err = k.chownWorkspace(to); err != nil {
		return chowned, err
	} else {
		k.ownersWritten = true
	}
	if err := os.Symlink(target, filepath.Join(k.places.file, workspaceLink)); err != nil {
		return chowned, fmt.Errorf("naming the workspace: %w", err)
	}
	return chowned, nil
}

// mapWorkspace returns the descriptor of a mount of the workspace, in no mount namespace, that shows its owner as another user and
// that user as its owner. It is an error where the file system has no such mounts, or where overlays take none
// from outside their namespace (before Linux 6.15).
func (k *keeper) mapWorkspace(to owner) (int, error) {
	var st unix.Stat_t
	if err := unix.Lstat(k.places.lower, &st); err != nil {
		return -1, fmt.Errorf("reading %s: %w", k.places.lower, err)
	}
	namespace, err := userNamespace(swap(st.Uid, to.UID), swap(st.Gid, to.GID))
	if err != nil {
		return -1, err
	}
	defer namespace.Close()
	tree, err := unix.OpenTree(unix.AT_FDCWD, k.places.lower, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC)
	if err != nil {
		return -1, fmt.Errorf("taking a mount of %s: %w", k.places.lower, err)
	}
	if err := k.mapMount(tree, namespace); err != nil {
		unix.Close(tree)
		return -1, err
	}
	k.mapped = &owner{UID: st.Uid, GID: st.Gid}
	return tree, nil
}

func (k *keeper) mapMount(tree int, namespace *os.File) error {
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(namespace.Fd())}
	if err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH, &attr); err != nil {
		return fmt.Errorf("mapping the owners of %s: %w", k.places.lower, err)
	}
	// The engine is not asked to do what cannot be done here.
	options := "lowerdir=" + k.upper() + ":/proc/self/fd/" + strconv.Itoa(tree)
	if err := mountOverlay(k.places.merged, options, unix.MS_RDONLY); err != nil {
		return err
	}
	return unmount(k.places.merged)
}

// swap maps each of two ids to the other, and every other one to itself.
func swap(a, b uint32) []syscall.SysProcIDMap {
	low, high := int(min(a, b)), int(max(a, b))
	var mapped []syscall.SysProcIDMap
	add := func(from, to, size int) {
		if size > 0 {
			mapped = append(mapped, syscall.SysProcIDMap{ContainerID: from, HostID: to, Size: size})
		}
	}
	add(0, 0, low)
	add(low, high, 1)
	if low != high {
		add(low+1, low+1, high-low-1)
		add(high, low, 1)
	}
	add(high+1, high+1, highestID-high)
	return mapped
}

// userNamespace makes one with these maps. A process must be in it for as long as it is written, and no longer.
func userNamespace(uids, gids []syscall.SysProcIDMap) (*os.File, error) {
	c := exec.Command("/proc/self/exe", "keeper", inNamespace)
	c.SysProcAttr = dieWithKeeper()
	c.SysProcAttr.Cloneflags = unix.CLONE_NEWUSER
	c.SysProcAttr.UidMappings, c.SysProcAttr.GidMappings = uids, gids
	end, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("making a user namespace: %w", err)
	}
	defer c.Wait()
	defer end.Close()
	return os.Open(fmt.Sprintf("/proc/%d/ns/user", c.Process.Pid))
}

// The argument of a keeper that is a namespace's process and nothing else.
const inNamespace = "in-namespace"

// stayInNamespace returns when its standard input ends.
func stayInNamespace() int {
	io.Copy(io.Discard, os.Stdin)
	return 0
}
