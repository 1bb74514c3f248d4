package keeper

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// Of symbolic links on one path; path_resolution(7).
const mostLinks = 40

// isStraight tells whether every part of the path that there is, is a directory. The runtime follows links when it mounts.
func isStraight(root, path string) (bool, error) {
	at := root
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		at = filepath.Join(at, part)
		info, err := os.Lstat(at)
		if os.IsNotExist(err) {
			return true, nil
		}
		if err != nil || !info.IsDir() {
			return false, err
		}
	}
	return true, nil
}

// resolveInImage follows a path as a process whose root is the image would: a link, even an absolute one, never leads
// out. What it gives is relative to root and has no link in it. Nobody changes the tree meanwhile.
func resolveInImage(root, path string) (string, error) {
	resolved, left, links := "", path, 0
	for left != "" {
		var part string
		part, left, _ = strings.Cut(left, "/")
		switch part {
		case "", ".":
			continue
		case "..":
			resolved, _ = splitPath(resolved)
			continue
		}
		next := joinPath(resolved, part)
		info, err := os.Lstat(filepath.Join(root, next))
		if err != nil {
			return "", err
		}
		switch {
		case info.Mode()&os.ModeSymlink != 0:
			if links++; links > mostLinks {
				return "", unix.ELOOP
			}
			target, err := os.Readlink(filepath.Join(root, next))
			if err != nil {
				return "", err
			}
			if strings.HasPrefix(target, "/") {
				resolved = ""
			}
			left = target + "/" + left
		case !info.IsDir() && strings.Trim(left, "/") != "":
			return "", unix.ENOTDIR
		default:
			resolved = next
		}
	}
	return resolved, nil
}
