package keeper

import "strings"

// isDisguisedGit knows the names that reach .git on systems that fold case, drop trailing dots and
// spaces, or make 8.3 names (git's own core.protectNTFS; CVE-2014-9390).
func isDisguisedGit(name string) bool {
	name = strings.ToLower(strings.Map(func(r rune) rune {
		if isIgnoredByHFS(r) {
			return -1
		}
		return r
	}, name))
	name, _, _ = strings.Cut(name, ":")
	name, _, _ = strings.Cut(name, "\\")
	name = strings.TrimRight(name, ". ")
	return name == ".git" || name == "git~1"
}

// The code points HFS+ drops from names, as git's core.protectHFS has them.
func isIgnoredByHFS(r rune) bool {
	return r >= 0x200c && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x206a && r <= 0x206f || r == 0xfeff
}
