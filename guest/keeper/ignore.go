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

	"golang.org/x/sys/unix"
)

const gitignoreBytes = 1 << 20

// ignoreRules asks git's own matcher, one path at a time. Git never works in the sandbox's tree: it gets a
// shadow of the directories asked about, holding nothing but copies of their .gitignore files. So a fifo
// named .gitignore cannot hang it, and there is no repository, attribute or hook for it to find.
type ignoreRules struct {
	ctx    context.Context
	merged int    // the tree the .gitignore files are read from
	shadow string // made on first use

	git     *exec.Cmd
	ask     io.WriteCloser
	answers *bufio.Reader
	stderr  bytes.Buffer
	known   map[string]bool // shadow directories made
	current string          // most lookups are for siblings
}

func (r *ignoreRules) match(path string, dir bool) (bool, error) {
	if r.git == nil {
		if err := r.start(); err != nil {
			return false, err
		}
	}
	parent, _ := splitPath(path)
	// A directory of this name has no place in the shadow, where it may be a file.
	if inGitignoreDir(path, dir) {
		return false, nil
	}
	if err := r.shadowDir(parent, true); err != nil {
		return false, fmt.Errorf("reading the .gitignore files above %s: %w", visible(path), err)
	}
	if dir {
		if err := r.shadowDir(path, false); err != nil {
			return false, fmt.Errorf("reading the .gitignore files of %s: %w", visible(path), err)
		}
	}
	// The prefix keeps a leading ":" from being pathspec magic.
	if _, err := io.WriteString(r.ask, "./"+path+"\x00"); err != nil {
		return false, r.failed(err)
	}
	// With -v -n -z every path is answered by four fields: source, line, pattern, path.
	var fields [4][]byte
	for i := range fields {
		field, err := r.answers.ReadBytes(0)
		if err != nil {
			return false, r.failed(err)
		}
		fields[i] = field[:len(field)-1]
	}
	source, pattern := fields[0], fields[2]
	return len(source) > 0 && !bytes.HasPrefix(pattern, []byte("!")), nil
}

func (r *ignoreRules) start() error {
	repository, err := newScratchGit(r.shadow + ".git")
	if err != nil {
		return err
	}
	if err := os.Mkdir(r.shadow, 0o700); err != nil {
		return err
	}
	r.known = map[string]bool{}
	git := repository.command(r.ctx, "check-ignore", "-z", "--stdin", "-v", "-n", "--no-index")
	git.Env = append(git.Env, "GIT_WORK_TREE="+r.shadow, "GIT_FLUSH=1")
	git.Dir = r.shadow
	git.Stderr = &r.stderr
	if r.ask, err = git.StdinPipe(); err != nil {
		return err
	}
	answers, err := git.StdoutPipe()
	if err != nil {
		return err
	}
	r.answers = bufio.NewReader(answers)
	r.git = git
	return git.Start()
}

// shadowDir makes a directory and those above it, with their .gitignore files if rules is set: before git
// is asked about anything in them, since it reads each only once.
func (r *ignoreRules) shadowDir(path string, rules bool) error {
	withRules, made := r.known[path]
	if made && (withRules || !rules) {
		return nil
	}
	if path != "" {
		parent, _ := splitPath(path)
		if err := r.shadowDir(parent, true); err != nil {
			return err
		}
		if !made {
			if err := os.Mkdir(filepath.Join(r.shadow, path), 0o700); err != nil {
				return err
			}
		}
	}
	r.known[path] = rules
	if !rules {
		return nil
	}
	content, err := r.gitignoreOf(path)
	if err != nil || content == nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.shadow, path, ".gitignore"), content, 0o600)
}

// gitignoreOf returns nil where there is no .gitignore, or none git would read (it does not follow a symbolic link).
func (r *ignoreRules) gitignoreOf(path string) ([]byte, error) {
	fd, err := openFileAt(r.merged, joinPath(path, ".gitignore"))
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ENXIO) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil || !isKind(&st, unix.S_IFREG) || st.Size > gitignoreBytes {
		return nil, err
	}
	return io.ReadAll(fdReader(fd))
}

func inGitignoreDir(path string, dir bool) bool {
	if dir {
		path += "/"
	}
	return strings.Contains("/"+path, "/.gitignore/")
}

func (r *ignoreRules) failed(err error) error {
	r.close()
	return fmt.Errorf("git check-ignore: %w: %s", err, bytes.TrimSpace(r.stderr.Bytes()))
}

func (r *ignoreRules) close() {
	if r.git == nil || r.git.Process == nil {
		return
	}
	r.ask.Close()
	r.git.Wait()
	r.git.Process = nil
}
