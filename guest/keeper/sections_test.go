package keeper

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAPatchThatTakesTooLongKeepsTheFilesThatAreDone(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "patch"))
	must(t, err)
	defer file.Close()
	patch := &sections{file: file, out: bufio.NewWriter(file), files: []changedFile{{sections: 1}, {sections: 2}, {sections: 1}}, maxBytes: 1000}
	must(t, patch.readFrom(strings.NewReader("diff --git a/a b/a\n+diff --git\ndiff --git a/b b/b\n-x\ndiff --git a/b b/b\n+half a li")))
	if err := patch.end(); err == nil || !strings.Contains(err.Error(), "the patch has 2 files, its summary 3") {
		t.Error(err)
	}
	must(t, patch.cutShort("too long"))
	got, err := os.ReadFile(file.Name())
	must(t, err)
	if left := strings.Join(patch.left, ","); left != ",too long,too long" || string(got) != "diff --git a/a b/a\n+diff --git\n" {
		t.Errorf("%s\n%s", left, got)
	}
}
