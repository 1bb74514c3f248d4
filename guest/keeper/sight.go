package keeper

import (
	"golang.org/x/sys/unix"
)

const (
	readBit   = 4
	searchBit = 1
)

// sight tells what of the workspace the sandbox's user could read. The keeper reads all of it, and the sandbox can rename or delete
// what it cannot read: no patch and no workspace must bring out what modes kept from it. Nil: everything.
type sight struct {
	user owner
	// The workspace's owner on the host, where the two are mapped to each other.
	mapped *owner
}

// sightOf: root of the sandbox is not held to modes, and where owners were written every file is the user's.
func (k *keeper) sightOf(user *owner) *sight {
	if user == nil || user.UID == 0 || k.ownersWritten {
		return nil
	}
	return &sight{user: *user, mapped: k.mapped}
}

// below: whether the user could read a path of the host's workspace.
func (s *sight) below(lower int, path string) bool {
	return s == nil || s.along(path, func(part string) (*unix.Stat_t, error) { return s.asMapped(statAt(lower, part)) })
}

// merged: the same of the sandbox's view. What has been copied up has the owner that was seen, the rest that of the host.
func (s *sight) merged(d trees, path string) bool {
	return s == nil || s.along(path, func(part string) (*unix.Stat_t, error) {
		if st, err := statAt(d.upper, part); err != nil || st != nil {
			return st, err
		}
		return s.asMapped(statAt(d.merged, part))
	})
}

// along looks at each directory on the way, none of which is a link, and at the file itself.
func (s *sight) along(path string, stat func(part string) (*unix.Stat_t, error)) bool {
	for at, part := range path + "/" {
		if part != '/' {
			continue
		}
		st, err := stat(path[:at])
		if err != nil || st == nil || !s.permits(st) {
			return false
		}
	}
	return true
}

// permits: who owns something can give themselves the right.
func (s *sight) permits(st *unix.Stat_t) bool {
	bit := uint32(readBit)
	switch {
	case isKind(st, unix.S_IFLNK) || st.Uid == s.user.UID:
		return true
	case isKind(st, unix.S_IFDIR):
		bit = searchBit
	}
	if st.Gid == s.user.GID {
		bit <<= 3
	}
	return st.Mode&bit != 0
}

func (s *sight) asMapped(st *unix.Stat_t, err error) (*unix.Stat_t, error) {
	if err == nil && st != nil && s.mapped != nil {
		st.Uid, st.Gid = swapped(st.Uid, s.user.UID, s.mapped.UID), swapped(st.Gid, s.user.GID, s.mapped.GID)
	}
	return st, err
}

func swapped(id, a, b uint32) uint32 {
	switch id {
	case a:
		return b
	case b:
		return a
	}
	return id
}
