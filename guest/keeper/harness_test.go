package keeper

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test binary is its own keeper, so that the Docker tests run the code under test.
func TestMain(m *testing.M) {
	if len(os.Args) >= 2 && os.Args[1] == "keeper" {
		os.Exit(Main(os.Args[2:]))
	}
	os.Exit(m.Run())
}

func needRoot(t testing.TB) {
	if os.Getuid() != 0 {
		t.Skip("mounting takes root")
	}
}

type run struct {
	t    testing.TB
	k    *keeper
	root string
	// of the last patch: what followed it
	contents []byte
	// whose sight patches are held to
	reader *owner
}

// newRun is a keeper below a temporary directory, with an empty workspace.
func newRun(t testing.TB) *run {
	needRoot(t)
	root := t.TempDir()
	r := &run{t: t, k: newKeeper(root), root: root}
	for _, dir := range []string{"file", "lower/workspace", "sandbox"} {
		must(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	t.Cleanup(func() {
		r.letGo()
		for _, dir := range []string{"sandbox", "merged", "disk"} {
			for unix.Unmount(filepath.Join(root, dir), 0) == nil {
			}
		}
	})
	return r
}

// letGo is what the end of the keeper does: with its descriptor open, the disk cannot be unmounted.
func (r *run) letGo() {
	if r.k.root != nil {
		r.k.root.Close()
	}
}

func (r *run) open(sizeBytes int64, chown *owner, entries ...tarEntry) (*opened, *filled) {
	r.t.Helper()
	return r.openWith(sizeBytes, command{Chown: chown, Workspace: workspaceFrom{Path: r.k.places.lower}}, entries...)
}

// give is the workspace given to somebody, on a disk of 64 MiB.
func (r *run) give(to owner, from workspaceFrom) (*opened, *filled) {
	r.t.Helper()
	return r.openWith(64<<20, command{Chown: &to, Workspace: from})
}

func (r *run) openWith(sizeBytes int64, fill command, entries ...tarEntry) (*opened, *filled) {
	r.t.Helper()
	openReply, err := r.k.open(command{SizeBytes: sizeBytes})
	must(r.t, err)
	fillReply, err := r.k.fill(fill, bytes.NewReader(tarOf(r.t, append(layout(), entries...)...)))
	must(r.t, err)
	return openReply, fillReply
}

// lower runs a script in the real workspace, sandbox in its overlay.
func (r *run) lower(script string) {
	r.t.Helper()
	shell(r.t, filepath.Join(r.root, "lower/workspace"), script)
}

func (r *run) sandbox(script string) {
	r.t.Helper()
	target := filepath.Join(r.root, "sandbox")
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s,metacopy=on", r.k.places.lower, r.k.upper(), filepath.Join(r.k.places.disk, "workspace/work"))
	must(r.t, unix.Mount("overlay", target, "overlay", 0, options))
	shell(r.t, target, script)
	must(r.t, unix.Unmount(target, 0))
}

func (r *run) patch() (*patched, string) {
	r.t.Helper()
	reply, patch, err := r.tryPatch(100 << 20)
	must(r.t, err)
	return reply, patch
}

func (r *run) tryPatch(maxBytes int64) (*patched, string, error) {
	r.t.Helper()
	reply, payload, err := r.k.patch(command{MaxBytes: maxBytes, Metacopy: true, Contents: true, Reader: r.reader})
	if err != nil {
		return nil, "", err
	}
	var patch []byte
	r.contents = nil
	if payload != nil {
		all, err := io.ReadAll(payload)
		must(r.t, err)
		payload.Close()
		patch, r.contents = all[:reply.PatchBytes], all[reply.PatchBytes:]
	}
	announced := int64(0)
	for _, c := range reply.Contents {
		announced += c.Size
	}
	if int64(len(r.contents)) != announced {
		r.t.Fatalf("contents of %d bytes are announced, %d arrived", announced, len(r.contents))
	}
	left, _ := filepath.Glob(filepath.Join(r.k.places.file, "patch-*"))
	if len(left) > 0 || unix.Unmount(r.k.places.merged, 0) == nil {
		r.t.Errorf("the patch left something behind: %v", left)
	}
	return reply, string(patch), nil
}

type tarEntry struct {
	tar.Header
	content string
}

func layout() []tarEntry {
	var entries []tarEntry
	for _, name := range []string{"workspace/", "workspace/upper/", "workspace/work/"} {
		entries = append(entries, tarEntry{Header: tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: 0o755}})
	}
	return entries
}

func tarOf(t testing.TB, entries ...tarEntry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		e.Size = int64(len(e.content))
		must(t, w.WriteHeader(&e.Header))
		_, err := io.WriteString(w, e.content)
		must(t, err)
	}
	must(t, w.Close())
	return out.Bytes()
}

func shell(t testing.TB, dir, script string) string {
	t.Helper()
	c := exec.Command("bash", "-euc", script)
	c.Dir = dir
	c.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "HOME=/nonexistent")
	output, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s\n%s: %v", script, output, err)
	}
	return string(output)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// stream speaks the wire protocol to a keeper somewhere.
type stream struct {
	t   testing.TB
	in  io.WriteCloser
	out *bufio.Reader
}

func (s *stream) send(line string, more ...[]byte) {
	s.t.Helper()
	_, err := io.WriteString(s.in, line+"\n")
	must(s.t, err)
	for _, bytes := range more {
		_, err := s.in.Write(bytes)
		must(s.t, err)
	}
}

func (s *stream) reply(into any) {
	s.t.Helper()
	line, err := s.out.ReadString('\n')
	must(s.t, err)
	must(s.t, json.Unmarshal([]byte(line), into))
}

func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within ten seconds: %s", what)
		}
	}
}

// isAttached asks the kernel, not /dev: a node stays when its device is free.
func isAttached(device string) bool {
	_, err := os.Stat("/sys/block/" + strings.TrimPrefix(device, "/dev/") + "/loop/backing_file")
	return !errors.Is(err, os.ErrNotExist)
}
