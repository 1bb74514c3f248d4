package keeper

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
)

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
	places := map[string]int{}
	for len(fields) > 0 {
		field := next()
		if strings.HasPrefix(field, ":") {
			file := changedFileOf(field, next)
			places[file.Path] = len(reply.ChangedFiles)
			reply.ChangedFiles = append(reply.ChangedFiles, file)
			continue
		}
		if counts := strings.SplitN(field, "\t", 3); len(counts) == 3 {
			insertions, deletions, path := count(counts[0]), count(counts[1]), counts[2]
			if path == "" {
				next()
				path = next()
			}
			reply.Insertions += insertions
			reply.Deletions += deletions
			if place, known := places[visible(path)]; known {
				reply.ChangedFiles[place].Insertions += insertions
				reply.ChangedFiles[place].Deletions += deletions
			}
		}
	}
	reply.Files = len(reply.ChangedFiles)
	return nil
}

func changedFileOf(raw string, next func() string) changedFile {
	status, sections := raw[strings.LastIndexByte(raw, ' ')+1:][:1], 1
	switch status {
	case "R":
		from := next()
		return changedFile{Status: status, From: visible(from), Path: visible(next()), sections: sections}
	case "T": // a file became a symbolic link, or the reverse
		status, sections = "M", 2
	}
	return changedFile{Status: status, Path: visible(next()), sections: sections}
}

// count takes "-", which stands for a binary file, as none.
func count(digits string) int64 {
	n, _ := strconv.ParseInt(digits, 10, 64)
	return n
}
