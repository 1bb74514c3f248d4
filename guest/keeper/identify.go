package keeper

import (
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

type fileIdentity struct {
	Device string `json:"device"`
	Inode  string `json:"inode"`
}

type identities struct {
	OK    bool           `json:"ok"`
	Files []fileIdentity `json:"files"`
}

// identify tells which files the paths lead to. Device and inode number are as stat(2) has them, decimal: JSON's numbers may not hold them.
func (k *keeper) identify(paths []string) (*identities, error) {
	reply := &identities{OK: true, Files: make([]fileIdentity, len(paths))}
	for i, path := range paths {
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			return nil, fmt.Errorf("looking at %q: %w", path, err)
		}
		reply.Files[i] = fileIdentity{Device: strconv.FormatUint(uint64(st.Dev), 10), Inode: strconv.FormatUint(st.Ino, 10)}
	}
	return reply, nil
}
