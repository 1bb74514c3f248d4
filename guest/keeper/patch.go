package keeper

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// The sandbox wrote the files git is about to compare, and a .gitignore of its making may be slow to match.
const patchPatience = 3 * time.Minute

type patched struct {
	OK           bool          `json:"ok"`
	Files        int           `json:"files"`
	Insertions   int64         `json:"insertions"`
	Deletions    int64         `json:"deletions"`
	ChangedFiles []changedFile `json:"changedFiles"`
	PatchBytes   int64         `json:"patchBytes"`
	Skipped      []skipped     `json:"skipped"`      // the first hundred
	SkippedCount int           `json:"skippedCount"` // all of them
	Contents     []content     `json:"contents,omitempty"`
	Unwritable   *skipped      `json:"unwritable,omitempty"` // why there are no contents although they were asked for
}

type changedFile struct {
	Path   string `json:"path"`
	Status string `json:"status"` // A, D, M or R
	From   string `json:"from,omitempty"`
	// Lines; both 0 for a binary file.
	Insertions int64 `json:"insertions"`
	Deletions  int64 `json:"deletions"`

	sections int // of the patch: a file that became a link is removed in one and made in the next
}

// patch renders what the sandbox changed in the workspace. The caller sends the payload and closes it.
func (k *keeper) patch(c command) (reply *patched, payload io.ReadCloser, err error) {
	if c.MaxBytes <= 0 {
		return nil, nil, fmt.Errorf("making the patch: maxBytes is %d; it must be positive", c.MaxBytes)
	}
	// On the host's disk, not on the capped one, which the sandbox may have filled.
	scratch, err := os.MkdirTemp(k.places.file, "patch-")
	if err != nil {
		return nil, nil, fmt.Errorf("making room for the patch: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()

	if err := k.mountResult(c.Metacopy); err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, unmount(k.places.merged)) }()

	ctx, cancel := context.WithTimeoutCause(context.Background(), patchPatience,
		fmt.Errorf("making the patch took longer than %s", patchPatience))
	defer cancel()
	reply, payload, err = k.patchIn(ctx, scratch, c)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, nil, cause
		}
		return nil, nil, fmt.Errorf("making the patch: %w", err)
	}
	return reply, payload, nil
}

func (k *keeper) patchIn(ctx context.Context, scratch string, c command) (*patched, io.ReadCloser, error) {
	found, err := k.findChanges(ctx, scratch, c)
	if err != nil {
		return nil, nil, err
	}
	reply := &patched{OK: true, ChangedFiles: []changedFile{}}
	patch, err := k.render(ctx, scratch, c.MaxBytes, found, reply)
	if err != nil {
		return nil, nil, err
	}
	// What is too large comes first: it is what the sandbox meant to make.
	reply.Skipped = append(append([]skipped{}, found.tooLarge.shown...), found.skipped.shown...)
	reply.Skipped = reply.Skipped[:min(len(reply.Skipped), skippedShown)]
	reply.SkippedCount = found.tooLarge.count + found.skipped.count
	if c.Contents {
		reply.Unwritable = found.unwritable(c.MaxBytes)
	}
	switch {
	case patch == nil:
		return reply, nil, nil
	case !c.Contents || reply.Unwritable != nil:
		return reply, patch, nil
	}
	contents, file, err := k.writeContents(ctx, filepath.Join(scratch, "contents"), found.changes)
	if err != nil {
		patch.Close()
		return nil, nil, err
	}
	reply.Contents = contents
	return reply, joined{io.MultiReader(patch, file), patch, file}, nil
}

// render makes the patch, nil without a change, and tells in the reply what is in it.
func (k *keeper) render(ctx context.Context, scratch string, maxBytes int64, found *found, reply *patched) (*os.File, error) {
	if len(found.changes) == 0 {
		return nil, nil
	}
	repository, err := newScratchGit(filepath.Join(scratch, "git"))
	if err != nil {
		return nil, err
	}
	if err := k.importSides(ctx, repository, found.changes); err != nil {
		return nil, err
	}
	if err := repository.summarize(ctx, reply); err != nil {
		return nil, err
	}
	patch, left, err := repository.render(ctx, filepath.Join(scratch, "patch"), reply.ChangedFiles, maxBytes)
	if err != nil {
		return nil, err
	}
	reply.leaveOut(left, &found.tooLarge)
	info, err := patch.Stat()
	if err != nil {
		patch.Close()
		return nil, err
	}
	reply.PatchBytes = info.Size()
	return patch, nil
}

// leaveOut takes out the changed files for which there is a reason, and tells of them.
func (p *patched) leaveOut(reasons []string, told *skips) {
	kept := []changedFile{}
	for i, file := range p.ChangedFiles {
		if reasons[i] == "" {
			kept = append(kept, file)
			continue
		}
		p.Insertions -= file.Insertions
		p.Deletions -= file.Deletions
		told.add(file.Path, reasons[i])
	}
	p.ChangedFiles, p.Files = kept, len(kept)
}

// mountResult shows the workspace as the sandbox left it. The sandbox's upper directory is one more lower
// layer here: the kernel will write nothing, and dockerd may still hold the same directory as an upper one.
func (k *keeper) mountResult(metacopy bool) error {
	options := "lowerdir=" + k.upper() + ":" + k.places.lower
	if metacopy {
		options += ",metacopy=on"
	}
	return mountOverlay(k.places.merged, options, unix.MS_RDONLY)
}

func (k *keeper) upper() string { return filepath.Join(k.places.disk, "workspace/upper") }
