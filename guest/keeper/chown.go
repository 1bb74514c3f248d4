package keeper

import (
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// chownWorkspace gives every entry of the workspace to the sandbox's user through an overlay with
// metacopy: ownership goes to the disk, file contents stay where they are.
func (k *keeper) chownWorkspace(to owner) (int, error) {
	options := "lowerdir=" + k.places.lower + ",upperdir=" + filepath.Join(k.places.disk, "workspace/upper") +
		",workdir=" + filepath.Join(k.places.disk, "workspace/work") + ",metacopy=on"
	if err := mountOverlay(k.places.merged, options, 0); err != nil {
		return 0, err
	}
	chowned, err := chownTree(k.places.merged, to)
	if errors.Is(err, unix.ENOSPC) {
		err = fmt.Errorf("%w; the workspace has more entries than so small a disk can hold: raise storage", err)
	}
	return chowned, errors.Join(err, unmount(k.places.merged))
}

func chownTree(root string, to owner) (int, error) {
	dir, err := openDir(unix.AT_FDCWD, root)
	if err != nil {
		return 0, fmt.Errorf("opening %s: %w", root, err)
	}
	defer unix.Close(dir)
	var st unix.Stat_t
	if err := unix.Fstat(dir, &st); err != nil {
		return 0, fmt.Errorf("reading %s: %w", root, err)
	}
	c := &chowner{to: to, device: st.Dev}
	if err := c.entry(dir, ".", &st, root); err != nil {
		return c.changed, err
	}
	return c.changed, c.inside(dir, root)
}

type chowner struct {
	to      owner
	device  uint64
	changed int
}

func (c *chowner) inside(dir int, path string) error {
	names, err := namesIn(dir)
	if err != nil {
		return fmt.Errorf("listing %q: %w", path, err)
	}
	for _, name := range names {
		below := path + "/" + name
		st, err := statAt(dir, name)
		if err != nil {
			return fmt.Errorf("reading %q: %w", below, err)
		}
		if st == nil {
			continue
		}
		// Overlay directories share one device number, so another one is another mount. Files may differ.
		if isKind(st, unix.S_IFDIR) && st.Dev != c.device {
			continue
		}
		if err := c.entry(dir, name, st, below); err != nil {
			return err
		}
		if isKind(st, unix.S_IFDIR) {
			if err := c.into(dir, name, below); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *chowner) into(dir int, name, path string) error {
	child, err := openDir(dir, name)
	if err != nil {
		return fmt.Errorf("opening %q: %w", path, err)
	}
	defer unix.Close(child)
	return c.inside(child, path)
}

func (c *chowner) entry(dir int, name string, st *unix.Stat_t, path string) error {
	if st.Uid == c.to.UID && st.Gid == c.to.GID {
		return nil
	}
	if err := unix.Fchownat(dir, name, int(c.to.UID), int(c.to.GID), unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return fmt.Errorf("giving %q to %d:%d: %w", path, c.to.UID, c.to.GID, err)
	}
	c.changed++
	return nil
}
