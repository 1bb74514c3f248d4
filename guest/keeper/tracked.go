package keeper

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

const indexBytes = 256 << 20

// trackedPaths knows what the real workspace's git index lists. Only the index file is read, from the
// read-only lower tree, which the sandbox cannot write; no configuration next to it is.
type trackedPaths struct {
	ctx     context.Context
	scratch string
	lower   int

	read  bool
	none  bool // no index: whatever existed counts as tracked
	paths []string
}

// contains tells whether a path (or, for a directory, anything below it) is tracked.
func (t *trackedPaths) contains(path string, existed, dir bool) (bool, error) {
	if !t.read {
		t.read = true
		if err := t.load(); err != nil {
			return false, err
		}
	}
	if t.none {
		return existed, nil
	}
	if dir {
		path += "/"
	}
	at, found := slices.BinarySearch(t.paths, path)
	return found || dir && at < len(t.paths) && strings.HasPrefix(t.paths[at], path), nil
}

func (t *trackedPaths) load() error {
	index, err := t.copyIndex()
	if err != nil {
		return err
	}
	if index == "" {
		t.none = true
		return nil
	}
	repository, err := newScratchGit(filepath.Join(t.scratch, "tracked.git"))
	if err != nil {
		return err
	}
	list := repository.command(t.ctx, "ls-files", "-z", "--cached")
	list.Env = append(list.Env, "GIT_INDEX_FILE="+index)
	output, err := list.Output()
	if err != nil {
		// A split index or one of a newer git: fall back rather than lose the patch.
		t.none = true
		return nil
	}
	t.paths = strings.Split(strings.TrimSuffix(string(output), "\x00"), "\x00")
	slices.Sort(t.paths)
	return nil
}

// copyIndex returns "" where the workspace has no index of its own.
func (t *trackedPaths) copyIndex() (string, error) {
	fd, err := openFileAt(t.lower, ".git/index")
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENOTDIR) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || !isKind(&st, unix.S_IFREG) || st.Size > indexBytes {
		return "", err
	}
	index := filepath.Join(t.scratch, "index")
	copied, err := os.OpenFile(index, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", err
	}
	defer copied.Close()
	_, err = copied.ReadFrom(fdReader(fd))
	return index, err
}
