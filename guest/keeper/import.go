package keeper

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/sys/unix"
)

// importSides stores both sides as two commits, in one git process.
func (k *keeper) importSides(ctx context.Context, g *scratchGit, changes []change) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	git := g.command(ctx, "fast-import", "--quiet", "--done", "--date-format=raw")
	var stderr bytes.Buffer
	git.Stderr = &stderr
	stdin, err := git.StdinPipe()
	if err != nil {
		return err
	}
	if err := git.Start(); err != nil {
		return err
	}
	written := k.writeSides(stdin, changes)
	stdin.Close()
	if written != nil && !errors.Is(written, unix.EPIPE) {
		cancel()
		git.Wait()
		return written
	}
	if err := git.Wait(); err != nil {
		return fmt.Errorf("git fast-import: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	return written
}

func (k *keeper) writeSides(stdin io.Writer, changes []change) error {
	out := bufio.NewWriterSize(stdin, 256<<10)
	mark := 0
	for _, tree := range []struct {
		branch, root string
		of           func(change) *side
	}{
		{"lower", k.places.lower, func(c change) *side { return c.lower }},
		{"merged", k.places.merged, func(c change) *side { return c.merged }},
	} {
		root, err := openDir(unix.AT_FDCWD, tree.root)
		if err != nil {
			return err
		}
		defer unix.Close(root)
		var entries strings.Builder
		for _, c := range changes {
			s := tree.of(c)
			if s == nil {
				continue
			}
			mark++
			fmt.Fprintf(&entries, "M %o :%d %s\n", s.mode, mark, quoteC(c.path))
			fmt.Fprintf(out, "blob\nmark :%d\ndata %d\n", mark, s.size)
			if err := readSide(root, c.path, s, func(content io.Reader) error {
				// Exactly the announced size: one byte more would be read as a command.
				if n, err := io.Copy(out, io.LimitReader(content, s.size)); err != nil || n != s.size {
					return errors.Join(err, fmt.Errorf("%d of %d bytes", n, s.size))
				}
				return out.WriteByte('\n')
			}); err != nil {
				return fmt.Errorf("reading %s: %w", visible(c.path), err)
			}
		}
		fmt.Fprintf(out, "commit refs/heads/%s\ncommitter keeper <keeper> 0 +0000\ndata 0\n%s\n", tree.branch, entries.String())
	}
	io.WriteString(out, "done\n")
	return out.Flush()
}

// quoteC writes a path the way fast-import reads it whatever its bytes are.
func quoteC(path string) string {
	var quoted strings.Builder
	quoted.WriteByte('"')
	for i := range len(path) {
		if b := path[i]; b < 0x20 || b == '"' || b == '\\' || b >= 0x7f {
			fmt.Fprintf(&quoted, "\\%03o", b)
		} else {
			quoted.WriteByte(b)
		}
	}
	return quoted.String() + `"`
}
