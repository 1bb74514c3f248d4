package keeper

import (
	"errors"
	"io"
	"strings"

	"golang.org/x/sys/unix"
)

// side is one file as git sees it.
type side struct {
	mode uint32 // 100644, 100755 or 120000, octal
	size int64
}

const symlinkMode = 0o120000

func sideOf(st *unix.Stat_t) *side {
	if !isKind(st, unix.S_IFREG) && !isKind(st, unix.S_IFLNK) {
		return nil
	}
	return &side{mode: gitMode(st), size: st.Size}
}

func sizeOf(s *side) int64 {
	if s == nil {
		return 0
	}
	return s.size
}

// gitMode: git keeps the owner's execute bit and nothing else.
func gitMode(st *unix.Stat_t) uint32 {
	switch {
	case isKind(st, unix.S_IFLNK):
		return symlinkMode
	case st.Mode&0o100 != 0:
		return 0o100755
	}
	return 0o100644
}

// readSide returns a file's content as git would store it.
func readSide(root int, path string, s *side, use func(io.Reader) error) error {
	if s.mode == symlinkMode {
		target, err := readLinkAt(root, path)
		if err == nil && int64(len(target)) != s.size {
			err = errors.New("it changed while it was read")
		}
		if err != nil {
			return err
		}
		return use(strings.NewReader(target))
	}
	fd, err := openFileAt(root, path)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if !isKind(&st, unix.S_IFREG) || st.Size != s.size {
		return errors.New("it changed while it was read")
	}
	return use(fdReader(fd))
}

func readLinkAt(root int, path string) (string, error) {
	parent, name := splitPath(path)
	dir, err := openDirAt(root, parent)
	if err != nil {
		return "", err
	}
	defer unix.Close(dir)
	target := make([]byte, longestPathBytes+1)
	n, err := unix.Readlinkat(dir, name, target)
	if err != nil {
		return "", err
	}
	return string(target[:n]), nil
}

type fdReader int

func (r fdReader) Read(p []byte) (int, error) {
	n, err := retry(func() (int, error) { return unix.Read(int(r), p) })
	if err != nil {
		return 0, err
	}
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}
