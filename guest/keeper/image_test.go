package keeper

import (
	"archive/tar"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// newImage is a keeper whose image has what the script makes; it runs in the image's root.
func newImage(t *testing.T, script string) *keeper {
	k := newKeeper(t.TempDir())
	must(t, os.MkdirAll(k.places.image, 0o755))
	shell(t, k.places.image, script)
	return k
}

func TestAPathNeverLeadsOutOfTheImage(t *testing.T) {
	k := newImage(t, `
		mkdir -p a/b usr/bin; echo x > a/file; echo x > usr/bin/tool
		ln -s /a/b absolute; ln -s ../../../a/b upwards; ln -s a/file tofile; ln -s absolute again; ln -s usr/bin bin
		ln -s loop2 loop1; ln -s loop1 loop2; ln -s / root; ln -s /etc/passwd outside; ln -s nothing dangling`)
	for _, row := range []struct {
		path, resolved string
		problem        error
	}{
		{"/", "", nil},
		{"/a/./b/", "a/b", nil},
		{"/absolute", "a/b", nil},
		{"/upwards", "a/b", nil},
		{"/again/../file", "a/file", nil},
		{"/../../a", "a", nil},
		{"/root/root/root/a", "a", nil},
		{"/bin/tool", "usr/bin/tool", nil},
		{"/tofile", "a/file", nil},
		{"/tofile/x", "", unix.ENOTDIR},
		{"/loop1", "", unix.ELOOP},
		{"/outside", "", unix.ENOENT},
		{"/dangling", "", unix.ENOENT},
		{"/root/etc/passwd", "", unix.ENOENT},
	} {
		resolved, err := resolveInImage(k.places.image, row.path)
		if resolved != row.resolved || !errors.Is(err, row.problem) {
			t.Errorf("%s leads to %q (%v), not %q (%v)", row.path, resolved, err, row.resolved, row.problem)
		}
	}
}

func TestTheLookTellsWhatASandboxIsLaidOutBy(t *testing.T) {
	k := newImage(t, `
		mkdir -p etc usr/bin opt; mkdir -m 1777 tmp; mkdir -m 2750 data; echo x > data/x; ln -s usr/bin bin; echo x > file
		printf 'root:x:0:0:::\n' > etc/passwd; ln -s ../usr/group etc/group; printf 'g\377' > usr/group
		printf x > usr/bin/sh; chmod 755 usr/bin/sh; printf x > usr/bin/bash; mkdir usr/bin/zsh; ln -s sh usr/bin/ash; ln -s /etc/passwd usr/bin/dash`)
	reply, err := k.image(command{
		Volumes:  []string{"/data", "/file", "/no/such", "/bin"},
		Programs: []string{"sh", "bash", "zsh", "ash", "dash", "/usr/bin/sh", "/usr/bin/none"}, SearchPath: "/none:/bin",
	})
	must(t, err)
	var directories []string
	for _, d := range reply.Directories {
		directories = append(directories, fmt.Sprintf("%s %o %v", d.Name, d.Mode, d.Empty))
	}
	if want := []string{"data 2750 false", "etc 755 false", "opt 755 true", "tmp 1777 true", "usr 755 false"}; !reflect.DeepEqual(directories, want) {
		t.Errorf("the root has %q", directories)
	}
	if want := []string{"bin", "file"}; !reflect.DeepEqual(reply.Others, want) {
		t.Errorf("beside them there is %q", reply.Others)
	}
	var volumes []string
	for _, v := range reply.Volumes {
		volumes = append(volumes, v.Path+" "+v.Kind+" "+v.At.Name)
	}
	if want := []string{"/data directory data", "/file other ", "/no/such missing ", "/bin directory usr/bin"}; !reflect.DeepEqual(volumes, want) {
		t.Errorf("the volumes are %q", volumes)
	}
	if want := []string{"sh", "ash", "/usr/bin/sh"}; !reflect.DeepEqual(reply.Programs, want) {
		t.Errorf("there are %q", reply.Programs)
	}
	if want := map[string][]byte{"etc/passwd": []byte("root:x:0:0:::\n"), "etc/group": []byte("g\377")}; !reflect.DeepEqual(reply.Files, want) {
		t.Errorf("the files are %q", reply.Files)
	}
}

func TestAnImageThatCannotBeLookedAtIsRefused(t *testing.T) {
	for script, problem := range map[string]string{
		`for i in $(seq 101); do mkdir d$i; done`:                "101 directories; more than 100 cannot be mounted",
		`for i in $(seq 10001); do echo f$i; done | xargs touch`: "10001 entries; more than 10000 are refused",
		`mkdir "$(printf 'a\377')"`:                              "whose name is not UTF-8",
		`mkdir etc; head -c 2000000 /dev/zero > etc/passwd`:      "reading the image's /etc/passwd: it has 2000000 bytes",
		`mkdir etc a; ln -s b a/b`:                               "following the image's VOLUME \"/a/b\"",
	} {
		if _, err := newImage(t, script).image(command{Volumes: []string{"/a/b"}}); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%s: %v, not %q", script, err, problem)
		}
	}
	// A pipe in the place of a file must not hang the keeper.
	reply, err := newImage(t, `mkdir etc; mkfifo etc/passwd; mkdir etc/group`).image(command{})
	if err != nil || len(reply.Files) != 0 {
		t.Errorf("%v, %v", reply, err)
	}
}

func TestTheGuestProgramIsPutOnTheDisk(t *testing.T) {
	r := newRun(t)
	must(t, os.WriteFile(r.k.places.guest, []byte("the program"), 0o700))
	r.open(64<<20, nil, tarEntry{Header: tar.Header{Name: "decoy/", Typeflag: tar.TypeDir, Mode: 0o755}})
	if _, err := r.k.fill(command{Guest: true}, strings.NewReader("")); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(r.k.places.disk, "decoy/guest")
	content, err := os.ReadFile(target)
	info, _ := os.Stat(target)
	if err != nil || string(content) != "the program" || info.Mode().Perm() != 0o755 {
		t.Errorf("%q, %v, %v", content, info, err)
	}
}
