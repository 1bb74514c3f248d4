package keeper

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestTheOwnersOfTheWorkspaceAreMapped(t *testing.T) {
	r := newRun(t)
	r.lower(`mkdir deep; echo a > deep/a; echo b > b; chmod 600 b; echo c > c; chown 1001:1001 c; echo d > d; chown 4242:4243 d`)
	_, filled := r.give(owner{UID: 1001, GID: 1001}, workspaceFrom{Path: r.k.places.lower, PID: os.Getpid()})
	link, err := os.Readlink(filepath.Join(r.k.places.file, workspaceLink))
	must(t, err)
	if mapsForeignMounts(t) != strings.HasPrefix(link, "/proc/") || (link == r.k.places.lower) != (filled.Chowned > 0) {
		t.Fatalf("the workspace is at %s, and %d entries were changed", link, filled.Chowned)
	}
	if filled.Chowned > 0 {
		return
	}

	target := filepath.Join(r.root, "sandbox")
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s,metacopy=on", filepath.Join(r.k.places.file, workspaceLink), r.k.upper(), filepath.Join(r.k.places.disk, "workspace/work"))
	must(t, unix.Mount("overlay", target, "overlay", 0, options))
	seen := shell(t, target, `stat -c '%n %u:%g %a' deep/a b c d; setpriv --reuid 1001 --regid 1001 --clear-groups sh -c 'echo more >> b; chmod +x deep/a; mv deep/a deep/moved; echo x > deep/new; echo no >> c' 2>/dev/null || true`)
	must(t, unix.Unmount(target, 0))
	if want := "deep/a 1001:1001 644\nb 1001:1001 600\nc 0:0 644\nd 4242:4243 644\n"; seen != want {
		t.Errorf("saw %q", seen)
	}
	reply, _ := r.patch()
	if got := changesOf(reply); got != "M b, R deep/a>deep/moved, A deep/new" {
		t.Errorf("changed %q", got)
	}
	// The workspace itself stays as it was.
	if got := shell(t, r.k.places.lower, `cat b c; stat -c '%u' deep/a b c d; ls`); got != "b\nc\n0\n0\n1001\n4242\nb\nc\nd\ndeep\n" {
		t.Errorf("the workspace has %q", got)
	}
}

func TestWithoutItsProcessNumberTheKeeperWritesOwners(t *testing.T) {
	r := newRun(t)
	r.lower(`echo a > a`)
	_, filled := r.give(owner{UID: 1001, GID: 1001}, workspaceFrom{Path: r.k.places.lower})
	link, err := os.Readlink(filepath.Join(r.k.places.file, workspaceLink))
	must(t, err)
	if link != r.k.places.lower || filled.Chowned != 2 {
		t.Errorf("the workspace is at %s, and %d entries were changed", link, filled.Chowned)
	}
}

func TestSwap(t *testing.T) {
	for _, row := range []struct {
		a, b uint32
		want string
	}{
		{0, 1001, "0>1001+1 1>1+1000 1001>0+1 1002>1002+4294966293"},
		{1001, 0, "0>1001+1 1>1+1000 1001>0+1 1002>1002+4294966293"},
		{5, 6, "0>0+5 5>6+1 6>5+1 7>7+4294967288"},
		{1000, 1000, "0>0+1000 1000>1000+1 1001>1001+4294966294"},
		{0, highestID, "0>4294967294+1 1>1+4294967293 4294967294>0+1"},
	} {
		var got []string
		for _, m := range swap(row.a, row.b) {
			got = append(got, fmt.Sprintf("%d>%d+%d", m.ContainerID, m.HostID, m.Size))
		}
		if strings.Join(got, " ") != row.want {
			t.Errorf("swap(%d, %d) is %q", row.a, row.b, got)
		}
	}
}

// mapsForeignMounts: overlays take a mount of no namespace from Linux 6.15 on.
func mapsForeignMounts(t *testing.T) bool {
	var name syscall.Utsname
	must(t, syscall.Uname(&name))
	var release []byte
	for _, c := range name.Release {
		release = append(release, byte(c))
	}
	var major, minor int
	_, err := fmt.Sscanf(string(release), "%d.%d", &major, &minor)
	must(t, err)
	return major > 6 || (major == 6 && minor >= 15)
}
