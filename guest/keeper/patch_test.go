package keeper

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Each row: the real workspace, what the sandbox does to it, and what the patch must say. The patch is
// applied with the real git to a copy of the real workspace, which must then equal the sandbox's.
func TestPatchAppliesToTheSameTree(t *testing.T) {
	for _, row := range []struct{ name, lower, sandbox, changed string }{
		{"nothing", `echo a > a`, `cat a; touch -d yesterday a`, ``},
		{"text", `seq 100 > a; seq 5 > b`, `sed -i s/50/fifty/ a`, `M a`},
		{"no newline at the end", `printf 'a\nb' > a`, `printf 'a\nb\nc' > a`, `M a`},
		{"CRLF", `printf 'a\r\nb\r\n' > a; echo '* text=auto eol=lf' > .gitattributes`, `printf 'a\r\nc\r\n' > a`, `M a`},
		{"binary", `head -c 5000 /dev/urandom > a`, `printf '\0\1\2' | dd of=a bs=1 seek=100 conv=notrunc; head -c 3000 /dev/urandom > b`, `M a, A b`},
		{"empty files", `touch a; echo x > b; touch c`, `touch new; : > b; rm c; echo y > a`, `M a, M b, R c>new`},
		{"rename", `seq 100 > a; mkdir d; seq 200 300 > d/b`, `mv a z; mv d/b b; echo more >> b`, `R d/b>b, R a>z`},
		{"directory renamed", `mkdir -p d/e; seq 100 > d/a; seq 200 > d/e/b; chmod +x d/a`, `mv d f`, `R d/a>f/a, R d/e/b>f/e/b`},
		{"directory renamed and edited below", `mkdir -p d/e; seq 100 > d/a; seq 200 > d/e/b`, `mv d f; echo x >> f/e/b; mv f/a f/z; mkdir d; echo y > d/a`, `M d/a, R d/e/b>f/e/b, A f/z`},
		{"metacopy file renamed", `mkdir d; seq 100 > a; seq 300 > b`, `chown 5 a; mv a d/a2; chown 7 b; mv b b2; mv b2 b`, `R a>d/a2`},
		{"exec bit", `seq 9 > a; seq 8 > b; chmod +x b`, `chmod +x a; chmod -x b`, `M a, M b`},
		{"mode git does not keep", `seq 9 > a`, `chmod 600 a; chown 1001 a`, ``},
		{"symbolic links", `ln -s x a; ln -s y b; echo t > c; ln -s z d; ln -s k e`, `ln -sfn w a; rm b; rm c; ln -s /etc/passwd c; rm d; echo f > d; ln -s ../../.. new`, `M a, D b, M c, M d, A new`},
		{"directory removed", `mkdir -p d/e; seq 5 > d/a; seq 6 > d/e/b; seq 7 > c`, `rm -r d`, `D d/a, D d/e/b`},
		{"directory removed and made anew", `mkdir -p d/e; seq 50 > d/a; seq 6 > d/e/b`, `rm -r d; mkdir d; seq 50 > d/a; echo c > d/c`, `A d/c, D d/e/b`},
		{"directory becomes a file", `mkdir -p d/e; seq 5 > d/a; seq 6 > d/e/b`, `rm -r d; echo x > d`, `A d, D d/a, D d/e/b`},
		{"file becomes a directory", `echo x > d`, `rm d; mkdir -p d/e; seq 5 > d/a; seq 6 > d/e/b`, `D d, A d/a, A d/e/b`},
		{"directory becomes a link", `mkdir d; seq 5 > d/a`, `rm -r d; ln -s /etc d`, `A d, D d/a`},
		{"link becomes a directory", `ln -s /etc d`, `rm d; mkdir d; seq 5 > d/passwd`, `D d, A d/passwd`},
		{"directory to file and back", `mkdir d; seq 5 > d/a`, `rm -r d; echo x > d; rm d; mkdir d; seq 5 > d/a`, ``},
		{"odd names", `mkdir 'a b'; echo 1 > 'a b/c d'; echo 2 > $'new\nline'; echo 3 > 'q"uote'; echo 4 > 'back\slash'; echo 5 > ü; echo 6 > :colon; echo 7 > $'tab\t'; echo 8 > '-rf'; echo 9 > ' '; echo 10 > '*'`,
			`for f in *; do test -d "./$f" || echo x >> "./$f"; done; echo x >> 'a b/c d'; echo x > $'bad\xff\xfe'; echo x > ':(glob)y'; echo z > '!n'; echo z2 > '#h'`,
			`M  , A !n, A #h, M *, M -rf, A :(glob)y, M :colon, M a b/c d, M back\slash, A bad\xff\xfe, M new` + "\n" + `line, M q"uote, M tab` + "\t" + `, M ü`},
		{"empty directories", `mkdir -p d/e`, `mkdir -p f/g; rmdir d/e`, ``},
		{"special files", `echo a > a`, `mkfifo f; rm a; mkfifo a; python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('s')"; rm f s`, `D a`},
		{"a repository's own files", `git init -q .; echo a > a; git add a; git -c user.name=a -c user.email=a@b commit -qm a`, `echo b > .git/b; rm .git/HEAD; mkdir -p d/.git; echo x > d/.git/config; echo y > d/y; mkdir e; echo gitdir > e/.git`, `A d/y`},
		{".gitignore", `printf '/build/\n*.log\nnode_modules\n' > .gitignore; mkdir -p p/q; printf '!keep.log\n/tmp\n' > p/.gitignore; echo old > tracked.log; mkdir build; echo old > build/old`,
			`echo x > a.log; echo x > p/keep.log; mkdir p/tmp p/q/tmp p/q/node_modules; echo x > p/tmp/a; echo x > p/q/tmp/a; echo x > p/q/node_modules/a; echo x > build/new; echo y > build/old; echo y > tracked.log; rm -r p/tmp p/q/node_modules a.log build/new`,
			`M build/old, A p/keep.log, A p/q/tmp/a, M tracked.log`},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, chowned := range []*owner{nil, {UID: 1001, GID: 1001}} {
				r := newRun(t)
				r.lower(row.lower)
				r.open(64<<20, chowned)
				r.sandbox(row.sandbox)
				reply, patch := r.patch()
				if got := changesOf(reply); got != row.changed {
					t.Errorf("changed %q, want %q", got, row.changed)
				}
				r.applied(patch)
				r.placed(reply)
				r.letGo()
				unix.Unmount(r.k.places.disk, 0)
			}
		})
	}
}

func TestPatchLeavesOutWhatIsIgnored(t *testing.T) {
	const lower = `printf '/build/\n*.log\nnode_modules\n!node_modules/kept\n' > .gitignore; mkdir p node_modules; printf '!keep.log\n/tmp\n' > p/.gitignore;
		echo old > tracked.log; echo old > stale.log; echo old > node_modules/a; echo old > node_modules/b; mkdir build; echo t > build/tracked`
	const sandbox = `echo x > a.log; echo x > p/keep.log; mkdir p/tmp; echo x > p/tmp/a; mkdir -p p/node_modules/deep; echo x > p/node_modules/deep/a; echo x > build/new;
		echo y > tracked.log; echo y > stale.log; rm -r node_modules; mkdir node_modules; echo y > node_modules/a; echo y > node_modules/new; echo y > build/tracked`
	for _, row := range []struct{ name, index, changed string }{
		// Nobody knows what was tracked: what existed counts.
		{"no repository", ``, `M build/tracked, M node_modules/a, D node_modules/b, A p/keep.log, M stale.log, M tracked.log`},
		{"git index", `git init -q .; git add -f tracked.log build/tracked .gitignore p`, `M build/tracked, A p/keep.log, M tracked.log`},
		{"broken git index", `mkdir .git; head -c 100 /dev/urandom > .git/index`, `M build/tracked, M node_modules/a, D node_modules/b, A p/keep.log, M stale.log, M tracked.log`},
		{"index that is a link", `mkdir .git; ln -s /etc/passwd .git/index`, `M build/tracked, M node_modules/a, D node_modules/b, A p/keep.log, M stale.log, M tracked.log`},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newRun(t)
			r.lower(lower + "\n" + row.index)
			r.open(64<<20, nil)
			r.sandbox(sandbox)
			reply, _ := r.patch()
			if got := changesOf(reply); got != row.changed {
				t.Errorf("changed %q, want %q", got, row.changed)
			}
		})
	}
}

func TestPatchDoesNotWalkIgnoredDirectories(t *testing.T) {
	r := newRun(t)
	r.lower(`echo node_modules > .gitignore`)
	r.open(256<<20, nil)
	r.sandbox(`mkdir node_modules; cd node_modules; mkfifo f{1..500}; echo x > ../x`)
	if reply, _ := r.patch(); reply.SkippedCount != 0 || changesOf(reply) != "A x" {
		t.Errorf("%+v", reply)
	}
}

// What the sandbox planted to have the keeper run or read something.
func TestPatchIsNotFooled(t *testing.T) {
	r := newRun(t)
	r.lower(`git init -q .; echo a > a; echo v > v; git add a`)
	r.open(64<<20, nil)
	trap := filepath.Join(r.root, "sprung")
	r.sandbox(strings.ReplaceAll(`
		printf '#!/bin/sh\ntouch TRAP\ncat\n' > trap.sh; chmod +x trap.sh
		printf '[core]\n\tfsmonitor = %s\n\thooksPath = .\n\tattributesFile = .gitattributes\n\texcludesFile = all\n\tworktree = /\n[diff "x"]\n\ttextconv = %s\n\tcommand = %s\n[diff]\n\texternal = %s\n[filter "x"]\n\tclean = %s\n\tsmudge = %s\n\tprocess = %s\n[core]\n\tpager = %s\n' $(yes $PWD/trap.sh | head -8) > .git/config
		cp .git/config .gitconfig
		for h in post-index-change fsmonitor-watchman reference-transaction pre-commit; do cp trap.sh .git/hooks/$h; cp trap.sh $h; done
		echo '* diff=x filter=x -text working-tree-encoding=UTF-16 export-subst' > .gitattributes
		mkdir .git/info -p; cp .gitattributes .git/info/attributes; echo '*' > .git/info/exclude
		mkdir d; mkfifo d/.gitignore; echo x > d/file
		mkdir e; ln -s /etc/hostname e/.gitignore; echo x > e/file
		mkdir -p f/.gitignore/sub; echo x > f/.gitignore/sub/file
		ln -s / root; ln -s /etc/shadow shadow
		mkdir .GIT 'GIT~1' '.git '; echo x > .GIT/config; echo x > 'GIT~1/config'; echo x > $'.g\342\200\214it'; ln -s x .gitmodules
		truncate -s 0 HEAD; mkdir objects refs; printf '[core]\nfsmonitor=touch TRAP' > config
		echo changed > a; mkfifo fifo; rm v; mknod v c 1 3
	`, "TRAP", trap))
	reply, patch := r.patch()
	if _, err := os.Lstat(trap); err == nil {
		t.Error("something of the sandbox's was executed")
	}
	want := `A .gitattributes, A .gitconfig, A HEAD, M a, A config, A d/file, A e/.gitignore, A e/file, A f/.gitignore/sub/file, A fsmonitor-watchman, A post-index-change, A pre-commit, A reference-transaction, A root, A shadow, A trap.sh, D v`
	if got := strings.Join(sorted(strings.Split(strings.NewReplacer("C ", "A ").Replace(changesOf(reply)), ", ")), ", "); got != strings.Join(sorted(strings.Split(want, ", ")), ", ") {
		t.Errorf("changed\n%s, want\n%s", got, want)
	}
	if strings.Contains(patch, "root:") || strings.Contains(patch, ".GIT") || !strings.Contains(patch, "\n+/etc/shadow\n") {
		t.Errorf("the patch:\n%s", patch)
	}
	var skips []string
	for _, s := range reply.Skipped {
		skips = append(skips, s.Path)
	}
	if got := strings.Join(skips, ","); got != ".GIT,.git ,.gitmodules,.g\u200cit,GIT~1,d/.gitignore,fifo,v" {
		t.Errorf("skipped %q", skips)
	}
}

func TestPatchWorksOnAFullDisk(t *testing.T) {
	r := newRun(t)
	r.lower(`echo big > .gitignore; seq 100 > a`)
	r.open(16<<20, nil)
	r.sandbox(`echo x >> a; cat /dev/zero > big || true; test $(stat -c %s big) -gt 5000000`)
	if reply, _ := r.patch(); changesOf(reply) != "M a" {
		t.Errorf("%+v", reply)
	}
}

func TestPatchSizeIsBounded(t *testing.T) {
	r := newRun(t)
	r.lower(`head -c 400000 /dev/urandom > old; head -c 90000 /dev/urandom > moved; seq 10 > kind`)
	r.open(256<<20, nil)
	try := func(maxBytes int64) (left string) {
		t.Helper()
		reply, patch, err := r.tryPatch(maxBytes)
		must(t, err)
		for _, s := range reply.Skipped {
			left += s.Path + ": " + s.Reason + "\n"
		}
		if reply.SkippedCount != len(reply.Skipped) || (reply.Unwritable != nil) != (left != "") || (left != "" && reply.Contents != nil) || reply.Files != len(reply.ChangedFiles) {
			t.Errorf("%+v", reply)
		}
		if int64(len(patch)) > maxBytes {
			t.Errorf("the patch has %d bytes", len(patch))
		}
		if left == "" {
			r.applied(patch)
		} else if patch != "" {
			must(t, os.WriteFile(filepath.Join(r.root, "patch"), []byte(patch), 0o600))
			shell(t, r.root, `rm -rf copy; cp -a lower/workspace copy; cd copy; git apply --whitespace=nowarn ../patch`)
		}
		return changesOf(reply) + "\n" + left
	}
	r.sandbox(`head -c 200000 /dev/urandom > b; echo x > a; echo y > c; mv moved moved-too; ln -sf a kind`)
	all := "A a, A b, A c, M kind, R moved>moved-too\n"
	for maxBytes, want := range map[int64]string{
		100_000: strings.Replace(all, "A b, ", "", 1) + "b: it has 200000 bytes, and a patch at most 100000\n",
		200_000: strings.Replace(all, "A b, ", "", 1) + "b: with it the patch would have more than 200000 bytes\n",
		300_000: all,
	} {
		if got := try(maxBytes); got != want {
			t.Errorf("with %d bytes: %s", maxBytes, got)
		}
	}
	if _, _, err := r.tryPatch(0); err == nil || !strings.Contains(err.Error(), `maxBytes is 0`) {
		t.Error(err)
	}
	// Of a file that becomes a link both sections go, or none; what follows stays where it belongs.
	r.sandbox(`rm -f *; cp ../lower/workspace/* .; ln -sf b old; seq 5 > kind`)
	if got, want := try(450_000), "M kind\nold: with it the patch would have more than 450000 bytes\n"; got != want {
		t.Error(got)
	}
	r.sandbox(`rm -f *; cp ../lower/workspace/* .; truncate -s 1T b; echo x > x; mkfifo fifo`)
	if got, want := try(100<<20), "A x\nb: it has 1099511627776 bytes, and a patch at most 104857600\nfifo: not a file, directory or symbolic link\n"; got != want {
		t.Error(got)
	}
	r.sandbox(`rm -f *; cp ../lower/workspace/* .; for i in $(seq 10 29); do truncate -s 900000 $i; done; echo x > x`)
	got, _, err := r.tryPatch(1_000_000)
	must(t, err)
	if got.SkippedCount != 4 || got.Skipped[0] != (skipped{"27", "with it the changed files would have more than 16000000 bytes together"}) || got.Files != 18 {
		t.Errorf("%d of %d, %+v", got.Files, got.SkippedCount, got.Skipped)
	}
}

func TestContentsComeOutTogetherOrNotAtAll(t *testing.T) {
	r := newRun(t)
	r.open(64<<20, nil)
	r.sandbox(`truncate -s 60000 a; truncate -s 60000 b; echo x > c`)
	reply, _, err := r.tryPatch(100_000)
	must(t, err)
	if reply.Contents != nil || reply.Unwritable == nil || reply.Unwritable.Path != "b" || reply.SkippedCount != 0 || changesOf(reply) != "A a, A b, A c" {
		t.Errorf("%+v", reply)
	}
}

func TestPatchSurvivesADeepTree(t *testing.T) {
	r := newRun(t)
	r.open(64<<20, nil)
	r.sandbox(`python3 -c "
import os
for i in range(3000):
    os.mkdir('d'); os.chdir('d')
"; echo x > x`)
	reply, _ := r.patch()
	if changesOf(reply) != "A x" || reply.SkippedCount != 1 {
		t.Errorf("%s %v", changesOf(reply), reply.Skipped)
	}
}

func TestPatchCountsLines(t *testing.T) {
	r := newRun(t)
	r.lower(`seq 100 > a; seq 300 > b; printf '\0' > bin`)
	r.open(64<<20, nil)
	r.sandbox(`sed -i '5d;7s/7/seven/' a; mv b $'c\n'; echo x >> $'c\n'; printf '\0\0' > bin`)
	if reply, _ := r.patch(); reply.Files != 3 || reply.Insertions != 2 || reply.Deletions != 2 {
		t.Errorf("%+v", reply)
	}
}

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{"ü": "ü", "a\xffb": `a\xffb`, "\uFFFD": "\uFFFD", "\xc3": `\xc3`} {
		if got := visible(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}

// applied runs git apply on a copy of the real workspace, and compares it with what the sandbox left.
func (r *run) applied(patch string) {
	r.t.Helper()
	must(r.t, os.WriteFile(filepath.Join(r.root, "patch"), []byte(patch), 0o600))
	r.sandbox(`rm -rf ../copy ../result; cp -a ../lower/workspace ../copy; cp -a . ../result`)
	if patch != "" {
		shell(r.t, filepath.Join(r.root, "copy"), `rm -f .gitattributes; git -c core.protectNTFS=false apply --whitespace=nowarn ../patch; cp -a ../lower/workspace/.gitattributes . 2>/dev/null || true`)
	}
	if copy, result := r.describe("copy"), r.describe("result"); copy != result {
		r.t.Errorf("the patch gives\n%s\nthe sandbox left\n%s\npatch:\n%s", copy, result, patch)
	}
}

// placed does by the contents alone what applied did by the patch.
func (r *run) placed(reply *patched) {
	r.t.Helper()
	copy := filepath.Join(r.root, "copy")
	shell(r.t, r.root, `rm -rf copy; cp -a lower/workspace copy`)
	for _, c := range reply.Contents {
		path := filepath.Join(copy, string(c.Path))
		must(r.t, os.RemoveAll(path))
		for parent := filepath.Dir(path); c.Mode == "" && parent != copy && os.Remove(parent) == nil; parent = filepath.Dir(parent) {
		}
	}
	rest := r.contents
	for _, c := range reply.Contents {
		path := filepath.Join(copy, string(c.Path))
		bytes := rest[:c.Size]
		rest = rest[c.Size:]
		if c.Mode == "" {
			continue
		}
		must(r.t, os.MkdirAll(filepath.Dir(path), 0o755))
		switch c.Mode {
		case "120000":
			must(r.t, os.Symlink(string(bytes), path))
		case "100755":
			must(r.t, os.WriteFile(path, bytes, 0o755))
		default:
			must(r.t, os.WriteFile(path, bytes, 0o644))
		}
	}
	if copy, result := r.describe("copy"), r.describe("result"); copy != result {
		r.t.Errorf("the contents give\n%s\nthe sandbox left\n%s", copy, result)
	}
}

func (r *run) describe(folder string) string {
	r.t.Helper()
	return shell(r.t, filepath.Join(r.root, folder), `find . -name .git -prune -o \( -type f -o -type l \) -printf '%p\0' | sort -z | while IFS= read -r -d '' f; do
		printf '%q ' "$f"; if test -L "$f"; then readlink "$f"; else stat -c %A "$f" | cut -c4; md5sum < "$f"; fi; done`)
}

func sorted(lines []string) []string {
	slices.Sort(lines)
	return lines
}

func changesOf(p *patched) string {
	var lines []string
	for _, c := range p.ChangedFiles {
		if c.From != "" {
			c.Path = fmt.Sprintf("%s>%s", c.From, c.Path)
		}
		lines = append(lines, c.Status+" "+c.Path)
	}
	return strings.Join(lines, ", ")
}
