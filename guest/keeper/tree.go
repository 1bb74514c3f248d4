package keeper

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Every walk here goes one component at a time from an open directory and never through a symbolic
// link: the trees hold whatever the sandbox put there.

const openDirFlags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC

// openDir opens a directory that is a direct child of dir.
func openDir(dir int, name string) (int, error) {
	return retry(func() (int, error) { return unix.Openat(dir, name, openDirFlags, 0) })
}

// openDirAt opens a directory below root; an empty path is root itself.
func openDirAt(root int, path string) (int, error) {
	dir, err := openDir(root, ".")
	if err != nil || path == "" {
		return dir, err
	}
	for part := range strings.SplitSeq(path, "/") {
		next, err := openDir(dir, part)
		unix.Close(dir)
		if err != nil {
			return -1, err
		}
		dir = next
	}
	return dir, nil
}

// openFileAt opens a regular file below root; O_NONBLOCK so that a fifo put in its place cannot hang us.
func openFileAt(root int, path string) (int, error) {
	parent, name := splitPath(path)
	dir, err := openDirAt(root, parent)
	if err != nil {
		return -1, err
	}
	defer unix.Close(dir)
	return retry(func() (int, error) {
		return unix.Openat(dir, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	})
}

func splitPath(path string) (parent, name string) {
	if at := strings.LastIndexByte(path, '/'); at >= 0 {
		return path[:at], path[at+1:]
	}
	return "", path
}

// statAt describes a direct child of dir without following it; nil when there is none, or no directory.
func statAt(dir int, name string) (*unix.Stat_t, error) {
	if dir < 0 {
		return nil, nil
	}
	var st unix.Stat_t
	err := unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	if errors.Is(err, unix.ENOENT) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &st, nil
}

func isKind(st *unix.Stat_t, kind uint32) bool {
	return st != nil && st.Mode&unix.S_IFMT == kind
}

// namesIn lists a directory in byte order; none for no directory.
func namesIn(dir int) ([]string, error) {
	if dir < 0 {
		return nil, nil
	}
	if _, err := unix.Seek(dir, 0, unix.SEEK_SET); err != nil {
		return nil, err
	}
	var names []string
	buffer := make([]byte, 32<<10)
	for {
		n, err := retry(func() (int, error) { return unix.ReadDirent(dir, buffer) })
		if err != nil {
			return nil, err
		}
		if n == 0 {
			slices.Sort(names)
			return names, nil
		}
		_, _, names = unix.ParseDirent(buffer[:n], -1, names)
	}
}

func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
