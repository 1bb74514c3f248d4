package keeper

import (
	"fmt"

	"golang.org/x/sys/unix"
)

type usage struct {
	OK         bool   `json:"ok"`
	UsedBytes  int64  `json:"usedBytes"` // since the disk was opened
	SizeBytes  int64  `json:"sizeBytes"`
	FreeBytes  int64  `json:"freeBytes"`
	InodesUsed int64  `json:"inodesUsed"` // since the disk was opened
	InodesFree uint64 `json:"inodesFree"` // none left is a full disk too: ENOSPC with bytes free
	// Of the host's file system that holds the disk file, for root. With none the sandbox is told nothing: its write is in memory by then.
	HostFreeBytes int64 `json:"hostFreeBytes"`
	LostWrites    bool  `json:"lostWrites"` // where that was asked for: something that was written never came to the disk file
}

// usage tells how full the disk is. flush: first writes everything to the disk file, and tells whether that could take it.
func (k *keeper) usage(flush bool) (*usage, error) {
	if k.baseline == nil {
		return nil, fmt.Errorf("measuring the disk: it is not open; send \"open\" first")
	}
	lostWrites := flush && k.root != nil && unix.Syncfs(int(k.root.Fd())) != nil
	var host unix.Statfs_t
	if err := unix.Statfs(k.places.file, &host); err != nil {
		return nil, fmt.Errorf("measuring the host's disk: %w", err)
	}
	var now unix.Statfs_t
	if err := unix.Statfs(k.places.disk, &now); err != nil {
		return nil, fmt.Errorf("measuring the disk: %w", err)
	}
	// Below zero when the sandbox removed what the tar had brought.
	return &usage{
		OK:         true,
		UsedBytes:  max(0, int64(k.baseline.Bfree)-int64(now.Bfree)) * now.Bsize,
		SizeBytes:  int64(now.Blocks) * now.Bsize,
		FreeBytes:  int64(now.Bavail) * now.Bsize,
		InodesUsed: max(0, int64(k.baseline.Ffree)-int64(now.Ffree)),
		InodesFree: now.Ffree,

		HostFreeBytes: int64(host.Bfree) * host.Bsize,
		LostWrites:    lostWrites,
	}, nil
}
