package keeper

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// content is one changed path as the sandbox left it, for a host that is to do the same. Bytes of regular
// files and targets of links follow the reply, in this order.
type content struct {
	Path []byte `json:"path"` // base64 in JSON: a path need not be UTF-8
	Mode string `json:"mode"` // 100644, 100755 or 120000; empty where the path is gone
	Size int64  `json:"size"`
}

// writeContents writes what follows the reply to a file that has lost its name already, and rewinds it.
func (k *keeper) writeContents(ctx context.Context, name string, changes []change) ([]content, *os.File, error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, nil, err
	}
	contents, err := k.copyContents(ctx, file, changes)
	if err = errors.Join(err, os.Remove(name), rewind(file)); err != nil {
		file.Close()
		return nil, nil, err
	}
	return contents, file, nil
}

func (k *keeper) copyContents(ctx context.Context, to io.Writer, changes []change) ([]content, error) {
	root, err := openDir(unix.AT_FDCWD, k.places.merged)
	if err != nil {
		return nil, err
	}
	defer unix.Close(root)
	out := bufio.NewWriterSize(to, 256<<10)
	contents := make([]content, 0, len(changes))
	for _, c := range changes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if c.merged == nil {
			contents = append(contents, content{Path: []byte(c.path)})
			continue
		}
		contents = append(contents, content{Path: []byte(c.path), Mode: fmt.Sprintf("%o", c.merged.mode), Size: c.merged.size})
		if err := readSide(root, c.path, c.merged, func(from io.Reader) error {
			// Exactly the announced size: one byte more would be taken for the next file's.
			if n, err := io.Copy(out, io.LimitReader(from, c.merged.size)); err != nil || n != c.merged.size {
				return errors.Join(err, fmt.Errorf("%d of %d bytes", n, c.merged.size))
			}
			return nil
		}); err != nil {
			return nil, fmt.Errorf("reading %s: %w", visible(c.path), err)
		}
	}
	return contents, out.Flush()
}

// unwritable is what keeps the changes from being brought out as contents: all of them are, or none.
func (f *found) unwritable(maxBytes int64) *skipped {
	if len(f.tooLarge.shown) > 0 {
		return &f.tooLarge.shown[0]
	}
	var total int64
	for _, c := range f.changes {
		if total += sizeOf(c.merged); total > maxBytes {
			return &skipped{visible(c.path), fmt.Sprintf("with it the changed files have more than %d bytes together", maxBytes)}
		}
	}
	return nil
}

// joined reads one after the other and closes both.
type joined struct {
	io.Reader
	first, second io.Closer
}

func (j joined) Close() error { return errors.Join(j.first.Close(), j.second.Close()) }
