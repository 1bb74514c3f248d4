package keeper

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestOpenMakesADiskThatGoesWithItsLastMount(t *testing.T) {
	r := newRun(t)
	reply, _ := r.open(10<<30, nil)
	t.Logf("%+v", *reply)
	if reply.BlockBytes != 4096 || reply.SizeBytes > 10<<30 || reply.SizeBytes < 10<<30*96/100 || reply.Inodes < 600_000 {
		t.Errorf("%+v", reply)
	}
	if used := allocatedBytes(t, filepath.Join(r.k.places.file, "disk")); used > 8<<20 {
		t.Errorf("an empty disk of 10 GiB takes %d bytes of the host's", used)
	}
	must(t, unix.Mount(reply.Device, filepath.Join(r.root, "sandbox"), "ext4", 0, ""))
	r.letGo()
	must(t, unix.Unmount(r.k.places.disk, 0))
	if link, err := os.Readlink(filepath.Join(r.k.places.file, deviceLink)); err != nil || link != reply.Device {
		t.Errorf("the device is named %q (%v), not %s", link, err, reply.Device)
	}
	if !isAttached(reply.Device) {
		t.Error("the device went while a mount was left")
	}
	must(t, unix.Unmount(filepath.Join(r.root, "sandbox"), 0))
	eventually(t, "the device is free", func() bool { return !isAttached(reply.Device) })
}

func TestSizes(t *testing.T) {
	for _, row := range []struct {
		sizeBytes             int64
		leastUsable, atInodes int64 // percent, count
	}{
		{8 << 20, 85, 2048},
		{64 << 20, 90, 16384},
		{1 << 30, 97, 65536},
		{10 << 30, 97, 655360},
		{200 << 30, 98, 2 << 20},
	} {
		t.Run(fmt.Sprint(row.sizeBytes), func(t *testing.T) {
			reply, _ := newRun(t).open(row.sizeBytes, nil)
			if percent := reply.SizeBytes * 100 / row.sizeBytes; percent < row.leastUsable || int64(reply.Inodes) < row.atInodes || int64(reply.Inodes) > row.atInodes*11/10 {
				t.Errorf("%d%% usable, %d inodes", percent, reply.Inodes)
			}
		})
	}
	for _, sizeBytes := range []int64{-1, 0, 4096, 8<<20 - 1} {
		_, err := newRun(t).k.open(command{SizeBytes: sizeBytes})
		if err == nil || !strings.Contains(err.Error(), "too small; ask for at least 8388608 (8m)") {
			t.Errorf("%d: %v", sizeBytes, err)
		}
	}
}

func TestManyAtOnceGetDistinctDevices(t *testing.T) {
	runs := make([]*run, 10)
	for i := range runs {
		runs[i] = newRun(t)
	}
	devices := make([]string, len(runs))
	errs := make([]error, len(runs))
	var all sync.WaitGroup
	for i, r := range runs {
		all.Go(func() {
			reply, err := r.k.open(command{SizeBytes: 64 << 20})
			if errs[i] = err; err == nil {
				devices[i] = reply.Device
			}
		})
	}
	all.Wait()
	must(t, errors.Join(errs...))
	seen := map[string]bool{}
	for _, device := range devices {
		if seen[device] {
			t.Errorf("%s twice: %v", device, devices)
		}
		seen[device] = true
	}
}

func TestTheCapIsENOSPCAndUsageTellsIt(t *testing.T) {
	r := newRun(t)
	r.open(64<<20, nil, tarEntry{Header: tar.Header{Name: "ballast", Typeflag: tar.TypeReg, Mode: 0o600}, content: strings.Repeat("x", 1<<20)})
	before, err := r.k.usage(false)
	must(t, err)
	if before.UsedBytes != 0 || before.InodesUsed != 0 {
		t.Errorf("the tar counts as the sandbox's: %+v", before)
	}
	big, err := os.Create(filepath.Join(r.k.places.disk, "big"))
	must(t, err)
	defer big.Close()
	written := 0
	for err == nil && written < 100<<20 {
		var n int
		n, err = big.Write(make([]byte, 1<<20))
		written += n
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("%d bytes went in: %v", written, err)
	}
	after, err := r.k.usage(false)
	must(t, err)
	if after.UsedBytes < int64(written) || after.UsedBytes > int64(written)+1<<20 || after.FreeBytes > 1<<20 {
		t.Errorf("%d bytes written, %+v", written, after)
	}
}

func TestInodesRunOutAsUsageTells(t *testing.T) {
	r := newRun(t)
	r.open(8<<20, nil)
	var err error
	for i := 0; err == nil; i++ {
		err = os.WriteFile(filepath.Join(r.k.places.disk, fmt.Sprint(i)), nil, 0o600)
	}
	u, _ := r.k.usage(false)
	if !errors.Is(err, unix.ENOSPC) || u.InodesFree != 0 || u.FreeBytes == 0 {
		t.Errorf("%v: %+v", err, u)
	}
}

func TestExtractIsFaithful(t *testing.T) {
	r := newRun(t)
	at := time.Unix(1_600_000_000, 0)
	r.open(64<<20, nil,
		tarEntry{Header: tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o1777, Uid: 3, Gid: 4, ModTime: at}},
		tarEntry{Header: tar.Header{Name: "tmp/suid", Typeflag: tar.TypeReg, Mode: 0o4755, Uid: 1001, Gid: 1001, ModTime: at}, content: "hello"},
		tarEntry{Header: tar.Header{Name: "tmp/hard", Typeflag: tar.TypeLink, Linkname: "tmp/suid"}},
		tarEntry{Header: tar.Header{Name: "tmp/link", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd", Uid: 5, Gid: 6}},
		tarEntry{Header: tar.Header{Name: "tmp/gone", Typeflag: tar.TypeChar}},
		tarEntry{Header: tar.Header{Name: "opaque/", Typeflag: tar.TypeDir, Mode: 0o700, PAXRecords: map[string]string{paxXattr + opaqueXattr: "y"}}},
		tarEntry{Header: tar.Header{Name: "twice", Typeflag: tar.TypeReg, Mode: 0o600}, content: "one"},
		tarEntry{Header: tar.Header{Name: "twice", Typeflag: tar.TypeReg, Mode: 0o600}, content: "two"},
	)
	got := shell(t, r.k.places.disk, `stat -c '%n %f %u:%g %h %Y' tmp tmp/suid; stat -c '%n %F %u:%g %t,%T' tmp/link tmp/gone; readlink tmp/link; cat tmp/hard twice`)
	want := "tmp 43ff 3:4 2 1600000000\ntmp/suid 89ed 1001:1001 2 1600000000\n" +
		"tmp/link symbolic link 5:6 0,0\ntmp/gone character special file 0:0 0,0\n/etc/passwd\nhellotwo"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	disk, err := openDir(unix.AT_FDCWD, r.k.places.disk)
	must(t, err)
	defer unix.Close(disk)
	if xattrAt(disk, "opaque", opaqueXattr) != "y" {
		t.Error("the opaque mark is missing")
	}
}

func TestExtractRefuses(t *testing.T) {
	outside := t.TempDir()
	link := tarEntry{Header: tar.Header{Name: "out", Typeflag: tar.TypeSymlink, Linkname: outside}}
	for name, entries := range map[string][]tarEntry{
		"leads outside":         {{Header: tar.Header{Name: "../x", Typeflag: tar.TypeReg}}},
		"leads outside ":        {{Header: tar.Header{Name: "/x", Typeflag: tar.TypeReg}}},
		"is not a directory":    {link, {Header: tar.Header{Name: "out/x", Typeflag: tar.TypeReg}}},
		"not a directory":       {link, {Header: tar.Header{Name: "out/", Typeflag: tar.TypeDir}}},
		"target \"../x\" leads": {{Header: tar.Header{Name: "x", Typeflag: tar.TypeLink, Linkname: "../x"}}},
		"device 1:3 is refused": {{Header: tar.Header{Name: "x", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3}}},
		"type '4' is refused":   {{Header: tar.Header{Name: "x", Typeflag: tar.TypeBlock}}},
		"type '6' is refused":   {{Header: tar.Header{Name: "x", Typeflag: tar.TypeFifo}}},
		"redirect\" is refused": {{Header: tar.Header{Name: "x", Typeflag: tar.TypeDir, PAXRecords: map[string]string{paxXattr + redirectXattr: "/etc"}}}},
		"reading the tar: ":     nil,
	} {
		t.Run(name, func(t *testing.T) {
			r := newRun(t)
			content := tarOf(t, entries...)
			if entries == nil {
				content = bytes.Repeat([]byte("garbage "), 128)
			}
			_, err := r.k.open(command{SizeBytes: 64 << 20})
			must(t, err)
			_, err = r.k.fill(command{}, bytes.NewReader(content))
			if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(name)) {
				t.Errorf("%v", err)
			}
		})
	}
	if left, _ := os.ReadDir(outside); len(left) > 0 {
		t.Errorf("written outside: %v", left)
	}
}

func TestChownGivesEverythingWithoutCopying(t *testing.T) {
	r := newRun(t)
	r.lower(`mkdir -p a/b; head -c 30000000 /dev/zero > a/big; echo x > a/b/x; ln -s /etc/passwd a/link; touch theirs; chown -h 1001:1001 theirs; chmod 600 a/big; mkfifo a/fifo; ls -ld /etc/passwd > ../passwd`)
	_, reply := r.open(64<<20, &owner{UID: 1001, GID: 1001})
	if reply.Chowned != 7 { // the workspace itself, a, a/b, a/b/x, a/big, a/fifo, a/link
		t.Errorf("%+v", reply)
	}
	r.sandbox(`test "$(find . ! -user 1001 -o ! -group 1001)" = ""; test $(stat -c %s a/big) = 30000000; cmp a/big <(head -c 30000000 /dev/zero); test "$(ls -ld /etc/passwd)" = "$(cat ../lower/passwd)"`)
	if used := allocatedBytes(t, filepath.Join(r.k.upper(), "a/big")); used > blockBytes { // one block of attributes
		t.Errorf("the content was copied: %d bytes", used)
	}
	r.lower(`test $(stat -c %u a/big) = 0`)
	u, err := r.k.usage(false)
	must(t, err)
	if u.UsedBytes > 64<<10 {
		t.Errorf("the change of owner counts as the sandbox's: %+v", u)
	}
}

func TestAwait(t *testing.T) {
	r := newRun(t)
	r.open(8<<20, nil)
	go func() {
		time.Sleep(30 * time.Millisecond)
		os.WriteFile(filepath.Join(r.k.places.disk, "held"), nil, 0o600)
	}()
	_, err := r.k.await("held")
	must(t, err)
	if _, err := r.k.await("../x"); err == nil || !strings.Contains(err.Error(), `awaiting "../x": the path must lie inside the disk`) {
		t.Error(err)
	}
}

func allocatedBytes(t *testing.T, path string) int64 {
	var st unix.Stat_t
	must(t, unix.Lstat(path, &st))
	return st.Blocks * 512
}
