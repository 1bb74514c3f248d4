package keeper

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	deepestDirectories = 256
	longestPathBytes   = 4095 // PATH_MAX less its NUL: git could not open more
	skippedShown       = 100
	// All contents together, as a multiple of the patch limit: bounds the scratch space and the time of
	// files of which most would have no room in the patch anyway.
	contentsPerPatch = 16
)

type change struct {
	path          string
	lower, merged *side // nil: absent there
}

type skipped struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// skips are the first paths that are left out, and the number of all.
type skips struct {
	shown []skipped
	count int
}

func (s *skips) add(path, reason string) {
	s.count++
	if len(s.shown) < skippedShown {
		s.shown = append(s.shown, skipped{Path: visible(path), Reason: reason})
	}
}

type found struct {
	changes  []change
	skipped  skips
	tooLarge skips
}

// findChanges compares only what the sandbox's upper directory names: its cost depends on what changed,
// not on the size of the workspace.
func (k *keeper) findChanges(ctx context.Context, scratch string, c command) (*found, error) {
	var roots trees
	var err error
	for _, root := range []struct {
		fd   *int
		path string
	}{{&roots.upper, k.upper()}, {&roots.lower, k.places.lower}, {&roots.merged, k.places.merged}} {
		if *root.fd, err = openDir(unix.AT_FDCWD, root.path); err != nil {
			return nil, fmt.Errorf("opening %s: %w", root.path, err)
		}
		defer unix.Close(*root.fd)
	}
	w := &walk{
		ctx:      ctx,
		found:    &found{},
		ignored:  &ignoreRules{ctx: ctx, merged: roots.merged, shadow: filepath.Join(scratch, "shadow")},
		tracked:  &trackedPaths{ctx: ctx, scratch: scratch, lower: roots.lower},
		maxBytes: c.MaxBytes,
		roots:    roots,
		sight:    k.sightOf(c.Reader),
	}
	defer w.ignored.close()
	if err := w.upperDir(roots, "", 0); err != nil {
		return nil, err
	}
	return w.found, nil
}

type trees struct{ upper, lower, merged int }

type walk struct {
	ctx      context.Context
	found    *found
	ignored  *ignoreRules
	tracked  *trackedPaths
	maxBytes int64
	contents int64
	roots    trees
	sight    *sight
}

// upperDir handles a directory that is merged from upper and lower under one path.
func (w *walk) upperDir(d trees, path string, depth int) error {
	names, err := namesIn(d.upper)
	if err != nil {
		return fmt.Errorf("listing %q: %w", path, err)
	}
	for _, name := range names {
		below := joinPath(path, name)
		if w.unfit(below, name, depth) {
			continue
		}
		upper, err := statAt(d.upper, name)
		if err != nil {
			return fmt.Errorf("reading %q: %w", below, err)
		}
		lower, err := statAt(d.lower, name)
		if err != nil {
			return fmt.Errorf("reading %q: %w", below, err)
		}
		switch {
		case isKind(upper, unix.S_IFDIR) && isKind(lower, unix.S_IFDIR) && !isDetached(d.upper, name):
			err = w.into(d, name, below, depth)
		case isKind(upper, unix.S_IFREG) && isKind(lower, unix.S_IFREG) && gitMode(upper) == gitMode(lower) && isMetadataOnly(d.upper, name):
			// Another owner, the same content. Not even looked up in the overlay: there are thousands of these.
		default:
			err = w.compare(d.lower, d.merged, name, below, depth)
		}
		if err != nil {
			return err
		}
	}
	return w.ctx.Err()
}

func (w *walk) into(d trees, name, path string, depth int) error {
	var child trees
	var err error
	for _, dir := range []struct {
		from int
		to   *int
	}{{d.upper, &child.upper}, {d.lower, &child.lower}, {d.merged, &child.merged}} {
		if *dir.to, err = openDir(dir.from, name); err != nil {
			return fmt.Errorf("opening %q: %w", path, err)
		}
		defer unix.Close(*dir.to)
	}
	return w.upperDir(child, path, depth+1)
}

// compare handles an entry whose two sides have nothing to do with each other any more: made, removed,
// replaced, renamed (a directory with a redirect shows another one's files) or of changed content.
func (w *walk) compare(lowerDir, mergedDir int, name, path string, depth int) error {
	lower, err := statAt(lowerDir, name)
	if err != nil {
		return fmt.Errorf("reading %q: %w", path, err)
	}
	merged, err := statAt(mergedDir, name)
	if err != nil {
		return fmt.Errorf("reading %q: %w", path, err)
	}
	lowerIsDir, mergedIsDir := isKind(lower, unix.S_IFDIR), isKind(merged, unix.S_IFDIR)
	// Before the directory: once a shadow of it exists, a "name/" rule would match the file too.
	if err := w.file(path, unlessDir(lower), unlessDir(merged)); err != nil {
		return err
	}
	if !lowerIsDir && !mergedIsDir {
		return nil
	}
	if lowerIsDir == mergedIsDir || lower == nil || merged == nil {
		excluded, err := w.excluded(path, lowerIsDir, true)
		if err != nil || excluded {
			return err
		}
	}
	return w.compareDirs(childIf(lowerDir, lowerIsDir), childIf(mergedDir, mergedIsDir), name, path, depth)
}

func (w *walk) compareDirs(lowerParent, mergedParent int, name, path string, depth int) error {
	lowerDir, err := openDirIf(lowerParent, name)
	if err != nil {
		return fmt.Errorf("opening %q: %w", path, err)
	}
	defer closeIf(lowerDir)
	mergedDir, err := openDirIf(mergedParent, name)
	if err != nil {
		return fmt.Errorf("opening %q: %w", path, err)
	}
	defer closeIf(mergedDir)
	names, err := namesIn(lowerDir)
	if err != nil {
		return fmt.Errorf("listing %q: %w", path, err)
	}
	more, err := namesIn(mergedDir)
	if err != nil {
		return fmt.Errorf("listing %q: %w", path, err)
	}
	names = append(names, more...)
	slices.Sort(names)
	for _, child := range slices.Compact(names) {
		below := joinPath(path, child)
		if w.unfit(below, child, depth+1) {
			continue
		}
		if err := w.compare(lowerDir, mergedDir, child, below, depth+1); err != nil {
			return err
		}
	}
	return w.ctx.Err()
}

func (w *walk) file(path string, lower, merged *unix.Stat_t) error {
	c := change{path: path, lower: sideOf(lower), merged: sideOf(merged)}
	special := merged != nil && c.merged == nil
	if c.lower == nil && c.merged == nil && !special {
		return nil
	}
	excluded, err := w.excluded(path, c.lower != nil, false)
	if err != nil || excluded {
		return err
	}
	if c.lower != nil && !w.sight.below(w.roots.lower, path) || c.merged != nil && !w.sight.merged(w.roots, path) {
		w.skip(path, "the sandbox could not read it")
		return nil
	}
	if special {
		w.skip(path, "not a file, directory or symbolic link")
	}
	if path := strings.ToLower(path); c.merged != nil && c.merged.mode == symlinkMode && (path == ".gitmodules" || strings.HasSuffix(path, "/.gitmodules")) {
		w.skip(c.path, "git refuses a .gitmodules that is a symbolic link")
		c.merged = nil
	}
	if c.lower == nil && c.merged == nil {
		return nil
	}
	if reason := w.tooLarge(c); reason != "" {
		w.found.tooLarge.add(path, reason)
		return nil
	}
	w.found.changes = append(w.found.changes, c)
	return nil
}

// tooLarge tells why there is no room for a change. One that has room takes it.
func (w *walk) tooLarge(c change) string {
	before, after := sizeOf(c.lower), sizeOf(c.merged)
	if largest := max(before, after); largest > w.maxBytes {
		return fmt.Sprintf("it has %d bytes, and a patch at most %d", largest, w.maxBytes)
	}
	if most := contentsPerPatch * w.maxBytes; w.contents+before+after > most {
		return fmt.Sprintf("with it the changed files would have more than %d bytes together", most)
	}
	w.contents += before + after
	return ""
}

// excluded tells whether .gitignore keeps a path out. As in git, that is for untracked paths only: where the
// workspace has a git index it tells what is tracked, elsewhere whatever was there before counts as tracked.
func (w *walk) excluded(path string, existed, dir bool) (bool, error) {
	ignored, err := w.ignored.match(path, dir)
	if err != nil || !ignored {
		return false, err
	}
	tracked, err := w.tracked.contains(path, existed, dir)
	return !tracked, err
}

// unfit names what never enters a patch.
func (w *walk) unfit(path, name string, depth int) bool {
	if name == ".git" {
		return true
	}
	if isDisguisedGit(name) {
		w.skip(path, "some systems take this name for .git")
		return true
	}
	if depth >= deepestDirectories || len(path) > longestPathBytes {
		w.skip(path, "too deep")
		return true
	}
	return false
}

func (w *walk) skip(path, reason string) {
	w.found.skipped.add(path, reason)
}

func unlessDir(st *unix.Stat_t) *unix.Stat_t {
	if isKind(st, unix.S_IFDIR) {
		return nil
	}
	return st
}

func childIf(dir int, is bool) int {
	if is {
		return dir
	}
	return -1
}

func openDirIf(parent int, name string) (int, error) {
	if parent < 0 {
		return -1, nil
	}
	return openDir(parent, name)
}

func closeIf(fd int) {
	if fd >= 0 {
		unix.Close(fd)
	}
}

func joinPath(parent, name string) string {
	if parent == "" {
		return name
	}
	return parent + "/" + name
}
