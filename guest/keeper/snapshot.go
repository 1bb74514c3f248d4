package keeper

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

const capabilityXattr = "security.capability"

// snapshotFolder is a directory of the sandbox: where its disk has it, and where it belongs in the image.
type snapshotFolder struct {
	From    string `json:"from"`    // relative to the disk
	To      string `json:"to"`      // relative to the image's root
	Overlay bool   `json:"overlay"` // an overlay's upper directory: deletions are marks in it
}

type snapshotTaken struct {
	OK    bool  `json:"ok"`
	Files int64 `json:"files"`
	Bytes int64 `json:"bytes"`
}

// snapshot writes what a sandbox changed into the files of a container of its image, as a plain tree: what the marks of the overlay
// delete is deleted there. Nothing is followed through a link on either side, and of special files there is none.
func (k *keeper) snapshot(c command) (*snapshotTaken, error) {
	s := &snapshot{leave: c.Leave, maxBytes: c.MaxBytes, links: map[uint64]linked{}, reply: &snapshotTaken{OK: true}}
	root, err := openDir(unix.AT_FDCWD, k.places.image)
	if err != nil {
		return nil, fmt.Errorf("opening the image: %w", err)
	}
	defer unix.Close(root)
	s.root = root
	// The engine makes a second copy when it keeps the first as a layer.
	var host unix.Statfs_t
	if err := unix.Fstatfs(root, &host); err != nil {
		return nil, fmt.Errorf("measuring the file system of the image: %w", err)
	}
	s.maxBytes = min(s.maxBytes, int64(host.Bavail)*host.Bsize/2)
	for _, folder := range c.Folders {
		if !filepath.IsLocal(folder.From) || !filepath.IsLocal(folder.To) {
			return nil, fmt.Errorf("%q and %q must lie inside the disk and the image", folder.From, folder.To)
		}
		if err := s.folder(k.places.disk, folder); err != nil {
			return nil, fmt.Errorf("saving /%s: %w", folder.To, err)
		}
	}
	for _, path := range c.Remove {
		if err := unix.Unlinkat(root, filepath.Base(path), 0); err != nil && !errors.Is(err, unix.ENOENT) {
			return nil, fmt.Errorf("removing %q: %w", path, err)
		}
	}
	return s.reply, nil
}

type snapshot struct {
	root     int
	leave    []string // paths in the image that stay as they are
	maxBytes int64
	links    map[uint64]linked // by inode of the disk
	reply    *snapshotTaken
}

type linked struct{ parent, name string }

func (s *snapshot) folder(disk string, folder snapshotFolder) error {
	diskRoot, err := openDir(unix.AT_FDCWD, disk)
	if err != nil {
		return err
	}
	defer unix.Close(diskRoot)
	from, err := openDirAt(diskRoot, folder.From)
	if err != nil {
		return err
	}
	defer unix.Close(from)
	to, err := s.makeWay(folder.To)
	if err != nil {
		return err
	}
	defer unix.Close(to)
	return s.inside(from, to, folder.To, folder.Overlay, 0)
}

// makeWay opens a directory of the image; what is missing on the way is made as root's.
func (s *snapshot) makeWay(path string) (int, error) {
	x := extraction{root: s.root, parent: -1}
	return x.makeParents(path)
}

func (s *snapshot) inside(from, to int, path string, overlay bool, depth int) error {
	if depth > deepestDirectories {
		return errors.New("there are more than 256 directories in each other")
	}
	names, err := namesIn(from)
	if err != nil {
		return err
	}
	for _, name := range names {
		below := joinPath(path, name)
		if slices.Contains(s.leave, below) {
			continue
		}
		if err := s.entry(from, to, name, below, overlay, depth); err != nil {
			return fmt.Errorf("%s: %w", visible(name), err)
		}
	}
	return nil
}

func (s *snapshot) entry(from, to int, name, path string, overlay bool, depth int) error {
	st, err := statAt(from, name)
	if err != nil || st == nil {
		return err
	}
	s.reply.Files++
	// Each entry takes room in the engine's store even when it is empty.
	if s.reply.Bytes += blockBytes; s.reply.Bytes > s.maxBytes {
		return s.tooLarge()
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return s.directory(from, to, name, path, st, overlay, depth)
	case unix.S_IFREG:
		return s.file(from, to, name, path, st, overlay)
	case unix.S_IFLNK:
		return s.symlink(from, to, name, st)
	case unix.S_IFCHR:
		if overlay && st.Rdev == 0 {
			return removeAll(to, name)
		}
	}
	// Sockets, pipes and the like are not saved.
	return nil
}

func (s *snapshot) directory(from, to int, name, path string, st *unix.Stat_t, overlay bool, depth int) error {
	if overlay && xattrAt(from, name, redirectXattr) != "" {
		return errors.New("it is a renamed directory that shows another one's files, which cannot be saved")
	}
	there, err := statAt(to, name)
	if err != nil {
		return err
	}
	if there != nil && (!isKind(there, unix.S_IFDIR) || overlay && xattrAt(from, name, opaqueXattr) == "y") {
		// What Decoy left alone there would go, too; it is put in place anew in every run.
		if err := removeAll(to, name); err != nil {
			return err
		}
	}
	if err := unix.Mkdirat(to, name, 0o700); err != nil && !errors.Is(err, unix.EEXIST) {
		return err
	}
	source, err := openDir(from, name)
	if err != nil {
		return err
	}
	defer unix.Close(source)
	target, err := openDir(to, name)
	if err != nil {
		return err
	}
	defer unix.Close(target)
	if err := s.inside(source, target, path, overlay, depth+1); err != nil {
		return err
	}
	return finishCopy(source, target, to, name, st)
}

func (s *snapshot) file(from, to int, name, path string, st *unix.Stat_t, overlay bool) error {
	if overlay && hasXattrAt(from, name, metacopyXattr) {
		return errors.New("its content is not on the disk, which cannot be saved")
	}
	if err := removeAll(to, name); err != nil {
		return err
	}
	parent, _ := splitPath(path)
	if first, found := s.links[st.Ino]; found && st.Nlink > 1 {
		dir, err := openDirAt(s.root, first.parent)
		if err != nil {
			return err
		}
		defer unix.Close(dir)
		return unix.Linkat(dir, first.name, to, name, 0)
	}
	// The whole length, holes included: the engine fills them.
	if s.reply.Bytes += st.Size; s.reply.Bytes > s.maxBytes {
		return s.tooLarge()
	}
	source, err := openFileAt(from, name)
	if err != nil {
		return err
	}
	defer unix.Close(source)
	var opened unix.Stat_t
	if err := unix.Fstat(source, &opened); err != nil {
		return err
	}
	if !isKind(&opened, unix.S_IFREG) || opened.Ino != st.Ino {
		return errors.New("it changed while it was read")
	}
	target, err := unix.Openat(to, name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	defer unix.Close(target)
	if _, err := io.Copy(fdWriter(target), io.LimitReader(fdReader(source), st.Size)); err != nil {
		return err
	}
	if err := finishCopy(source, target, to, name, st); err != nil {
		return err
	}
	if st.Nlink > 1 {
		s.links[st.Ino] = linked{parent, name}
	}
	return nil
}

func (s *snapshot) symlink(from, to int, name string, st *unix.Stat_t) error {
	target, err := readLinkAt(from, name)
	if err != nil {
		return err
	}
	if err := removeAll(to, name); err != nil {
		return err
	}
	if err := unix.Symlinkat(target, to, name); err != nil {
		return err
	}
	return unix.Fchownat(to, name, int(st.Uid), int(st.Gid), unix.AT_SYMLINK_NOFOLLOW)
}

func (s *snapshot) tooLarge() error {
	return fmt.Errorf("the changes have more than %d MiB, which is the disk's size or half of what the host has free, holes counted as if they were written: remove what need not be kept", s.maxBytes>>20)
}

// finishCopy sets owner, mode, capabilities and time; the owner first, as a change of it clears the others.
func finishCopy(source, target, parent int, name string, st *unix.Stat_t) error {
	if err := unix.Fchown(target, int(st.Uid), int(st.Gid)); err != nil {
		return err
	}
	if err := unix.Fchmod(target, st.Mode&0o7777); err != nil {
		return err
	}
	capability := make([]byte, 64)
	if n, err := unix.Fgetxattr(source, capabilityXattr, capability); err == nil && isKind(st, unix.S_IFREG) {
		if err := unix.Fsetxattr(target, capabilityXattr, capability[:n], 0); err != nil {
			return err
		}
	}
	return unix.UtimesNanoAt(parent, name, []unix.Timespec{st.Atim, st.Mtim}, unix.AT_SYMLINK_NOFOLLOW)
}

// removeAll removes an entry and all below it; none is no error.
func removeAll(dir int, name string) error {
	err := unix.Unlinkat(dir, name, 0)
	if err == nil || errors.Is(err, unix.ENOENT) {
		return nil
	}
	if !errors.Is(err, unix.EISDIR) && !errors.Is(err, unix.EPERM) {
		return err
	}
	child, err := openDir(dir, name)
	if err != nil {
		return err
	}
	names, err := namesIn(child)
	for _, below := range names {
		err = errors.Join(err, removeAll(child, below))
	}
	unix.Close(child)
	if err != nil {
		return err
	}
	return unix.Unlinkat(dir, name, unix.AT_REMOVEDIR)
}
