package launch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAMissingProgramIsExplained(t *testing.T) {
	root := t.TempDir()
	t.Chdir(root)
	write := func(path, text string) {
		os.MkdirAll(filepath.Dir(path), 0o755)
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	link := func(target, path string) {
		os.MkdirAll(filepath.Dir(path), 0o755)
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
	}
	write("script", "#!/nowhere/bin/tool -x\nmain\n")
	write("spaces", "#! \t/nowhere/tool\n")
	write("windows", "#!/bin/sh\r\n")
	link("/nowhere/python3.12", "venv/bin/python3")
	link("python3", "venv/bin/python")
	write("venv/bin/pip", "#!"+root+"/venv/bin/python\n")
	write("musl", elf+"\x02\x01")
	write("forged", "#!/nowhere/\x1b[2J\n")
	write("long", "#!/"+strings.Repeat("n", 100_000)+"\n")
	write("plain", "data")
	unix.Mkfifo("pipe", 0o777)
	for program, want := range map[string]string{
		"./script":        `"./script" is there, but not its interpreter "/nowhere/bin/tool": the sandbox has`,
		"./spaces":        `not its interpreter "/nowhere/tool": the`,
		"./windows":       `ends with a carriage return`,
		"./venv/bin/pip":  `its interpreter "` + root + `/venv/bin/python" is a link to "/nowhere/python3.12", which the sandbox does not have`,
		"venv/bin/python": `"venv/bin/python" is a link to "/nowhere/python3.12"`,
		"python":          `"` + root + `/venv/bin/python" is a link to "/nowhere/python3.12"`,
		"./musl":          `not the dynamic loader`,
		"./forged":        `not its interpreter "/nowhere/\x1b[2J"`,
		"./long":          `nnnn": the sandbox`,
		"./plain":         "not found",
		"./pipe":          "not found",
		"./absent":        "not found",
		"absent":          "not found",
	} {
		got := explainMissing(program, []string{"PATH=/usr/bin:" + root + "/venv/bin"})
		if !strings.HasPrefix(got, notFound) || !strings.Contains(got, want) || len(got) > 1000 || strings.ContainsAny(got, "\x1b\n\r") {
			t.Errorf("%s: %q, want %q", program, got, want)
		}
		if want == notFound && got != notFound {
			t.Errorf("%s: %q, want no more than %q", program, got, want)
		}
	}
}
