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
}

type changedFile struct {
	Path   string `json:"path"`
	Status string `json:"status"` // A, D, M or R
	From   string `json:"from,omitempty"`
	// Lines; both 0 for a binary file.
	Insertions int64 `json:"insertions"`
	Deletions  int64 `json:"deletions"`
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
		fmt.Errorf("it took longer than %s", patchPatience))
	defer cancel()
	reply, payload, err = k.patchIn(ctx, scratch, c)
	if err != nil {
		return nil, nil, fmt.Errorf("making the patch: %w", because(ctx, err))
	}
	return reply, payload, nil
}

func (k *keeper) patchIn(ctx context.Context, scratch string, c command) (*patched, io.ReadCloser, error) {
	found, err := k.findChanges(ctx, scratch, c)
	if err != nil {
		return nil, nil, err
	}
	reply := &patched{OK: true, ChangedFiles: []changedFile{}, Skipped: found.skipped, SkippedCount: found.skippedCount}
	if len(found.changes) == 0 {
		return reply, nil, nil
	}
	repository, err := newScratchGit(filepath.Join(scratch, "git"))
	if err != nil {
		return nil, nil, err
	}
	if err := k.importSides(ctx, repository, found.changes); err != nil {
		return nil, nil, err
	}
	if err := repository.summarize(ctx, reply); err != nil {
		return nil, nil, err
	}
	patch, err := repository.render(ctx, filepath.Join(scratch, "patch"), c.MaxBytes)
	if err != nil {
		return nil, nil, err
	}
	info, err := patch.Stat()
	if err != nil {
		patch.Close()
		return nil, nil, err
	}
	reply.PatchBytes = info.Size()
	if !c.Contents {
		return reply, patch, nil
	}
	contents, file, err := k.writeContents(ctx, filepath.Join(scratch, "contents"), found.changes, c.MaxBytes)
	if err != nil {
		patch.Close()
		return nil, nil, err
	}
	reply.Contents = contents
	return reply, joined{io.MultiReader(patch, file), patch, file}, nil
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

func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}
