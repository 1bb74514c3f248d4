package keeper

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const (
	awaitPatience = 10 * time.Second
	// Watching would need one inotify watch per missing parent; a look costs two microseconds.
	awaitPause = 3 * time.Millisecond
)

type done struct {
	OK bool `json:"ok"`
}

// await waits until path exists on the disk, which somebody else mounted too and writes to.
func (k *keeper) await(path string) (*done, error) {
	if !filepath.IsLocal(path) {
		return nil, fmt.Errorf("awaiting %q: the path must lie inside the disk", path)
	}
	target := filepath.Join(k.places.disk, path)
	for deadline := time.Now().Add(awaitPatience); ; time.Sleep(awaitPause) {
		var st unix.Stat_t
		err := unix.Lstat(target, &st)
		if err == nil {
			return &done{OK: true}, nil
		}
		if !errors.Is(err, unix.ENOENT) {
			return nil, fmt.Errorf("awaiting %q: %w", path, err)
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("awaiting %q: it did not appear on the disk within %s", path, awaitPatience)
		}
	}
}
