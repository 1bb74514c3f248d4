package launch

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLookup(t *testing.T) {
	root := t.TempDir()
	t.Chdir(root)
	for path, mode := range map[string]os.FileMode{"a/tool": 0o755, "b/tool": 0o755, "b/only": 0o755, "a/data": 0o644} {
		os.MkdirAll(filepath.Dir(path), 0o755)
		os.WriteFile(path, nil, mode)
		os.Chmod(path, mode)
	}
	for name, row := range map[string]struct {
		program, path, want string
		err                 error
	}{
		"first directory wins":         {"tool", "a:b", "a/tool", nil},
		"later directory":              {"only", "a:b", "b/only", nil},
		"missing directory is skipped": {"only", "nowhere:b", "b/only", nil},
		"a slash means no search":      {"a/tool", "b", "a/tool", nil},
		"not there":                    {"absent", "a:b", "", unix.ENOENT},
		"there, not executable":        {"data", "a:b", "", unix.EACCES},
		"a directory is no program":    {"a", ".", "", unix.EACCES},
		"no name":                      {"", "a", "", unix.ENOENT},
		"no working directory in PATH": {"data", "b", "", unix.ENOENT},
	} {
		got, err := Lookup(row.program, []string{"PATH=" + row.path})
		if got != row.want || err != row.err {
			t.Errorf("%s: %q %v, want %q %v", name, got, err, row.want, row.err)
		}
	}
}
