package keeper

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// PAX records GNU tar and Docker keep extended attributes in.
const paxXattr = "SCHILY.xattr."

// extract unpacks a tar into target exactly: owners, modes, times, whiteouts. A later entry replaces an
// earlier one. Nothing is ever written through a symbolic link.
func extract(in io.Reader, target string) error {
	root, err := openDir(unix.AT_FDCWD, target)
	if err != nil {
		return fmt.Errorf("opening %s: %w", target, err)
	}
	defer unix.Close(root)
	x := extraction{root: root, parent: -1}
	defer x.closeParent()
	archive := tar.NewReader(in)
	for {
		header, err := archive.Next()
		if err == io.EOF {
			return x.finish()
		}
		if err != nil {
			return fmt.Errorf("reading the tar: %w", err)
		}
		if err := x.entry(header, archive); err != nil {
			return fmt.Errorf("unpacking %q: %w", header.Name, err)
		}
	}
}

type extraction struct {
	root int
	// The parent of the last entry, open: entries of one directory follow each other, and no entry removes a directory.
	parent      int
	parentPath  string
	directories []*tar.Header // their times are set last: filling a directory changes them
}

func (x *extraction) entry(h *tar.Header, content io.Reader) error {
	name := path.Clean(h.Name)
	if !filepath.IsLocal(name) {
		return fmt.Errorf("the name leads outside")
	}
	if err := checkXattrs(h); err != nil {
		return err
	}
	parent, base := splitPath(name)
	dir, err := x.openParent(parent)
	if err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeDir:
		x.directories = append(x.directories, h)
		return makeDirectory(dir, base, h)
	case tar.TypeReg:
		return makeFile(dir, base, h, content)
	}
	if err := unix.Unlinkat(dir, base, 0); err != nil && !errors.Is(err, unix.ENOENT) {
		return err
	}
	switch h.Typeflag {
	case tar.TypeSymlink:
		if err := unix.Symlinkat(h.Linkname, dir, base); err != nil {
			return err
		}
		return finishUnopenable(dir, base, h)
	case tar.TypeLink:
		return x.makeLink(dir, base, h)
	case tar.TypeChar:
		return makeWhiteout(dir, base, h)
	}
	return fmt.Errorf("type %q is refused; only directories, files, links and whiteouts (character device 0:0) belong here", h.Typeflag)
}

func (x *extraction) openParent(parent string) (int, error) {
	if x.parent >= 0 && x.parentPath == parent {
		return x.parent, nil
	}
	x.closeParent()
	dir, err := x.makeParents(parent)
	if err == nil {
		x.parent, x.parentPath = dir, parent
	}
	return dir, err
}

func (x *extraction) closeParent() {
	if x.parent >= 0 {
		unix.Close(x.parent)
	}
	x.parent = -1
}

// makeParents opens the parent, making what is missing of it as root's.
func (x *extraction) makeParents(parent string) (int, error) {
	dir, err := openDir(x.root, ".")
	if err != nil || parent == "" {
		return dir, err
	}
	for part := range strings.SplitSeq(parent, "/") {
		if err := unix.Mkdirat(dir, part, 0o755); err != nil && !errors.Is(err, unix.EEXIST) {
			unix.Close(dir)
			return -1, err
		}
		next, err := openDir(dir, part)
		unix.Close(dir)
		if err != nil {
			return -1, fmt.Errorf("its parent %q is not a directory: %w", parent, err)
		}
		dir = next
	}
	return dir, nil
}

func makeDirectory(dir int, base string, h *tar.Header) error {
	if err := unix.Mkdirat(dir, base, 0o700); err != nil && !errors.Is(err, unix.EEXIST) {
		return err
	}
	made, err := openDir(dir, base)
	if err != nil {
		return err
	}
	defer unix.Close(made)
	return finishOpen(made, h)
}

func makeFile(dir int, base string, h *tar.Header, content io.Reader) error {
	const flags = unix.O_WRONLY | unix.O_CREAT | unix.O_EXCL | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := unix.Openat(dir, base, flags, 0o600)
	if errors.Is(err, unix.EEXIST) {
		if err := unix.Unlinkat(dir, base, 0); err != nil {
			return err
		}
		fd, err = unix.Openat(dir, base, flags, 0o600)
	}
	if err != nil {
		return err
	}
	file := fdWriter(fd)
	defer unix.Close(fd)
	if _, err := io.Copy(file, content); err != nil {
		return err
	}
	if err := finishOpen(fd, h); err != nil {
		return err
	}
	return setTimes(dir, base, h)
}

func (x *extraction) makeLink(dir int, base string, h *tar.Header) error {
	target := path.Clean(h.Linkname)
	if !filepath.IsLocal(target) {
		return fmt.Errorf("its target %q leads outside", h.Linkname)
	}
	parent, name := splitPath(target)
	from, err := openDirAt(x.root, parent)
	if err != nil {
		return err
	}
	defer unix.Close(from)
	return unix.Linkat(from, name, dir, base, 0)
}

// makeWhiteout makes what an overlay takes for a deletion (and the kernel for harmless: it needs no MKNOD).
func makeWhiteout(dir int, base string, h *tar.Header) error {
	if h.Devmajor != 0 || h.Devminor != 0 {
		return fmt.Errorf("the device %d:%d is refused; only whiteouts (0:0) belong here", h.Devmajor, h.Devminor)
	}
	if err := unix.Mknodat(dir, base, unix.S_IFCHR, int(unix.Mkdev(0, 0))); err != nil {
		return err
	}
	return finishUnopenable(dir, base, h)
}

// finishOpen sets the owner first: a change of owner clears set-id bits and capabilities.
func finishOpen(fd int, h *tar.Header) error {
	if err := unix.Fchown(fd, h.Uid, h.Gid); err != nil {
		return err
	}
	if err := unix.Fchmod(fd, uint32(h.Mode)&0o7777); err != nil {
		return err
	}
	for key, value := range h.PAXRecords {
		if name, found := strings.CutPrefix(key, paxXattr); found {
			if err := unix.Fsetxattr(fd, name, []byte(value), 0); err != nil {
				return fmt.Errorf("setting the attribute %q: %w", name, err)
			}
		}
	}
	return nil
}

func finishUnopenable(dir int, base string, h *tar.Header) error {
	if err := unix.Fchownat(dir, base, h.Uid, h.Gid, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	return setTimes(dir, base, h)
}

func (x *extraction) finish() error {
	for _, h := range x.directories {
		parent, base := splitPath(path.Clean(h.Name))
		dir, err := openDirAt(x.root, parent)
		if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) {
			continue // replaced by a later entry
		}
		if err != nil {
			return err
		}
		err = setTimes(dir, base, h)
		unix.Close(dir)
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("setting the time of %q: %w", h.Name, err)
		}
	}
	return nil
}

func setTimes(dir int, base string, h *tar.Header) error {
	modified := h.ModTime
	if modified.IsZero() {
		modified = time.Unix(0, 0)
	}
	at, err := unix.TimeToTimespec(modified)
	if err != nil {
		return err
	}
	return unix.UtimesNanoAt(dir, base, []unix.Timespec{at, at}, unix.AT_SYMLINK_NOFOLLOW)
}

// checkXattrs lets through what a user's files carry and an overlay's opaque mark; the other trusted
// attributes would make the overlay read somewhere else.
func checkXattrs(h *tar.Header) error {
	for key, value := range h.PAXRecords {
		name, found := strings.CutPrefix(key, paxXattr)
		switch {
		case !found, name == "security.capability", strings.HasPrefix(name, "user."):
		case name == opaqueXattr && value == "y" && h.Typeflag == tar.TypeDir:
		default:
			return fmt.Errorf("the attribute %q is refused; only user.*, security.capability and %s=y on a directory belong here", name, opaqueXattr)
		}
	}
	return nil
}

type fdWriter int

func (w fdWriter) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		n, err := retry(func() (int, error) { return unix.Write(int(w), p[written:]) })
		if err != nil {
			return written, err
		}
		written += n
	}
	return written, nil
}
