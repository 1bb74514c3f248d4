package keeper

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// scratchGit is a bare repository of our own. Every git process sees this repository's configuration and
// no other: not the host's, not the user's, and above all none from the workspace.
type scratchGit struct {
	program string
	dir     string
}

// HEAD names no commit, so that no git version takes attributes from a tree; core.protect* are off since
// names are judged before they get here.
const scratchConfig = `[core]
	repositoryFormatVersion = 0
	bare = true
	attributesFile = /dev/null
	excludesFile = /dev/null
	hooksPath = /dev/null
	fsmonitor = false
	quotePath = true
	protectHFS = false
	protectNTFS = false
[pack]
	compression = 0
[fastimport]
	unpackLimit = 1
[diff]
	renameLimit = 1000
[gc]
	auto = 0
`

func newScratchGit(dir string) (*scratchGit, error) {
	program, err := findProgram("git")
	if err != nil {
		return nil, fmt.Errorf("%w; install git on the host", err)
	}
	for _, part := range []string{"objects/pack", "refs/heads"} {
		if err := os.MkdirAll(filepath.Join(dir, part), 0o700); err != nil {
			return nil, err
		}
	}
	for name, content := range map[string]string{"HEAD": "ref: refs/heads/none\n", "config": scratchConfig} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	return &scratchGit{program: program, dir: dir}, nil
}

func (g *scratchGit) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, g.program, args...)
	c.Dir = g.dir
	c.Env = []string{
		"PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/nonexistent", "LC_ALL=C", "GIT_DIR=" + g.dir,
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_ATTR_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
	}
	c.SysProcAttr = dieWithKeeper()
	return c
}

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

func (g *scratchGit) diff(ctx context.Context, options ...string) *exec.Cmd {
	args := append([]string{"diff-tree", "-r", "-M", "--no-ext-diff", "--no-textconv", "--no-color"}, options...)
	return g.command(ctx, append(args, "refs/heads/lower", "refs/heads/merged", "--")...)
}

// summarize fills in the files and lines that changed.
func (g *scratchGit) summarize(ctx context.Context, reply *patched) error {
	var stderr bytes.Buffer
	diff := g.diff(ctx, "--raw", "--numstat", "-z")
	diff.Stderr = &stderr
	output, err := diff.Output()
	if err != nil {
		return fmt.Errorf("git diff-tree: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	fields := strings.Split(string(output), "\x00")
	next := func() string {
		if len(fields) == 0 {
			return ""
		}
		field := fields[0]
		fields = fields[1:]
		return field
	}
	// ":modes shas STATUS" NUL path, and for a rename NUL path again; then "ins TAB del TAB path", or for
	// a rename "ins TAB del TAB" NUL from NUL to.
	for len(fields) > 0 {
		field := next()
		if strings.HasPrefix(field, ":") {
			reply.ChangedFiles = append(reply.ChangedFiles, changedFileOf(field, next))
			continue
		}
		if counts := strings.SplitN(field, "\t", 3); len(counts) == 3 {
			reply.Insertions += count(counts[0])
			reply.Deletions += count(counts[1])
			if counts[2] == "" {
				next()
				next()
			}
		}
	}
	reply.Files = len(reply.ChangedFiles)
	return nil
}

func changedFileOf(raw string, next func() string) changedFile {
	status := raw[strings.LastIndexByte(raw, ' ')+1:][:1]
	switch status {
	case "R":
		from := next()
		return changedFile{Status: status, From: visible(from), Path: visible(next())}
	case "T": // a file became a symbolic link, or the reverse
		status = "M"
	}
	return changedFile{Status: status, Path: visible(next())}
}

// count takes "-", which stands for a binary file, as none.
func count(digits string) int64 {
	n, _ := strconv.ParseInt(digits, 10, 64)
	return n
}

// render writes the patch to a file that has lost its name already, and rewinds it.
func (g *scratchGit) render(ctx context.Context, file string, maxBytes int64) (*os.File, error) {
	patch, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := g.renderTo(ctx, patch, maxBytes); err != nil {
		patch.Close()
		return nil, err
	}
	return patch, errors.Join(os.Remove(file), rewind(patch))
}

func (g *scratchGit) renderTo(ctx context.Context, patch io.Writer, maxBytes int64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	diff := g.diff(ctx, "-p", "--binary", "--full-index", "--src-prefix=a/", "--dst-prefix=b/")
	var stderr bytes.Buffer
	diff.Stderr = &stderr
	stdout, err := diff.StdoutPipe()
	if err != nil {
		return err
	}
	if err := diff.Start(); err != nil {
		return err
	}
	written, err := io.Copy(patch, io.LimitReader(stdout, maxBytes+1))
	if err != nil || written > maxBytes {
		cancel()
		diff.Wait()
		if err == nil {
			err = fmt.Errorf("the patch has more than the %d bytes it may have; name what is built or downloaded in .gitignore", maxBytes)
		}
		return err
	}
	if err := diff.Wait(); err != nil {
		return fmt.Errorf("git diff-tree: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	return nil
}

func rewind(f *os.File) error {
	_, err := f.Seek(0, io.SeekStart)
	return err
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

// visible keeps UTF-8 as it is and shows every other byte as \xNN.
func visible(path string) string {
	var shown strings.Builder
	for i, r := range path {
		if r == '\uFFFD' && !strings.HasPrefix(path[i:], "\uFFFD") {
			fmt.Fprintf(&shown, `\x%02x`, path[i])
		} else {
			shown.WriteRune(r)
		}
	}
	return shown.String()
}

// dieWithKeeper matters outside a container only: there nothing else ends the child.
func dieWithKeeper() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
