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
	"strings"
	"syscall"
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

func (g *scratchGit) diff(ctx context.Context, options ...string) *exec.Cmd {
	args := append([]string{"diff-tree", "-r", "-M", "--no-ext-diff", "--no-textconv", "--no-color"}, options...)
	return g.command(ctx, append(args, "refs/heads/lower", "refs/heads/merged", "--")...)
}

// render writes the patch to a file that has lost its name already, and rewinds it. It also tells of each file, in git's order, why it is left out, if it is.
func (g *scratchGit) render(ctx context.Context, name string, files []changedFile, maxBytes int64) (*os.File, []string, error) {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, nil, err
	}
	patch := &sections{file: file, out: bufio.NewWriterSize(file, 256<<10), files: files, maxBytes: maxBytes}
	if err = errors.Join(g.renderTo(ctx, patch), os.Remove(name), rewind(file)); err != nil {
		file.Close()
		return nil, nil, err
	}
	return file, patch.left, nil
}

func (g *scratchGit) renderTo(whole context.Context, patch *sections) error {
	ctx, cancel := context.WithCancel(whole)
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
	if err := patch.readFrom(stdout); err != nil {
		cancel()
		diff.Wait()
		return err
	}
	err = diff.Wait()
	if cause := context.Cause(whole); err != nil && cause != nil {
		return patch.cutShort(cause.Error())
	}
	if err != nil {
		return fmt.Errorf("git diff-tree: %w: %s", err, bytes.TrimSpace(stderr.Bytes()))
	}
	return patch.end()
}

func rewind(f *os.File) error {
	_, err := f.Seek(0, io.SeekStart)
	return err
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
