package keeper

import (
	"archive/tar"
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The whole life of a disk as the host uses it: the keeper opens it, dockerd mounts it too, a sandbox
// works in overlays on it, the patch is taken, and the device goes with its last mount.
func TestWithDocker(t *testing.T) {
	d := newDocker(t)
	workspace := d.workspace(`git init -q .; seq 100 > tracked; echo gone > removed; mkdir deep; head -c 1000000 /dev/urandom > deep/big; echo '*.log' > .gitignore`)
	k := d.startKeeper("one", workspace)
	content := tarOf(t, append(layout(),
		tarEntry{Header: tar.Header{Name: "usr/upper/bin/", Typeflag: tar.TypeDir, Mode: 0o755}},
		tarEntry{Header: tar.Header{Name: "usr/upper/bin/git", Typeflag: tar.TypeChar}},
		tarEntry{Header: tar.Header{Name: "usr/work/", Typeflag: tar.TypeDir, Mode: 0o755}},
		tarEntry{Header: tar.Header{Name: "work/", Typeflag: tar.TypeDir, Mode: 0o777, Uid: 1001}},
	)...)
	var opened opened
	k.send(fmt.Sprintf(`{"cmd":"open","sizeBytes":%d}`, 64<<20))
	k.reply(&opened)
	var filled filled
	k.send(fmt.Sprintf(`{"cmd":"fill","tarBytes":%d,"chown":{"uid":1001,"gid":1001},"workspace":{"path":%q}}`, len(content), workspace), content)
	k.reply(&filled)
	if !opened.OK || !filled.OK || filled.Chowned < 6 {
		t.Fatalf("%+v, %+v", opened, filled)
	}
	t.Logf("in a container: %+v, %+v", opened, filled)

	disk := d.volume("disk", "ext4", opened.Device, "")
	holder := d.run("-v", disk+":/disk", d.image, "sleep", "600")
	mountpoint := d.docker("volume", "inspect", "-f", "{{.Mountpoint}}", disk)
	overlay := func(name, lower string) string {
		return d.volume(name, "overlay", "overlay", fmt.Sprintf("lowerdir=%s,upperdir=%s/%s/upper,workdir=%s/%s/work,metacopy=on", lower, mountpoint, name, mountpoint, name))
	}
	usr, view := overlay("usr", "/usr"), overlay("workspace", workspace)
	var ok done
	k.send(`{"cmd":"await","path":"held"}`)
	d.docker("exec", holder, "touch", "/disk/held")
	k.reply(&ok)
	if !ok.OK {
		t.Error("held was not seen")
	}

	said := d.docker("run", "--rm", "--network", "none", "--label", d.label, "--user", "1001:1001", "-v", usr+":/usr:nocopy", "-v", view+":/w:nocopy", "-w", "/w", d.image, "bash", "-c",
		`test -e /usr/bin/git && echo "git is there"; sed -i 5d tracked; rm removed; chmod +x deep/big; echo new > new; echo x > a.log; ls -ln tracked | cut -d' ' -f3,4; head -c 100000000 /dev/zero 2>&1 > fill.log || true; head -c 100000000 /dev/zero > fill.log; true`)
	if !strings.Contains(said, "1001 1001") || !strings.Contains(said, "No space left on device") || strings.Contains(said, "git is there") {
		t.Errorf("the sandbox said %q", said)
	}
	var used usage
	k.send(`{"cmd":"statfs"}`)
	k.reply(&used)
	if used.UsedBytes < 50<<20 || used.FreeBytes > 1<<20 {
		t.Errorf("%+v", used)
	}
	var reply patched
	k.send(`{"cmd":"patch","maxBytes":1000000,"metacopy":true}`)
	k.reply(&reply)
	if got := changesOf(&reply); got != "M deep/big, A new, D removed, M tracked" {
		t.Errorf("changed %q: %+v", got, reply)
	}
	patch := make([]byte, reply.PatchBytes)
	_, err := io.ReadFull(k.out, patch)
	must(t, err)
	must(t, os.WriteFile(workspace+".patch", patch, 0o600))
	shell(t, workspace, `git apply --check ../`+filepath.Base(workspace)+`.patch`)

	d.docker("kill", "-s", "KILL", k.container)
	if !isAttached(opened.Device) {
		t.Error("the device went while dockerd had it mounted")
	}
	d.docker("rm", "-f", holder)
	eventually(t, "the device is free", func() bool { return !isAttached(opened.Device) })
}

func TestManyKeepersAtOnceInDocker(t *testing.T) {
	d := newDocker(t)
	workspace := d.workspace(`echo a > a`)
	var keepers []*container
	for i := range 10 {
		keepers = append(keepers, d.startKeeper(fmt.Sprint(i), workspace))
	}
	for _, k := range keepers {
		k.send(fmt.Sprintf(`{"cmd":"open","sizeBytes":%d}`, 1<<30))
	}
	devices := map[string]bool{}
	for _, k := range keepers {
		var reply opened
		k.reply(&reply)
		devices[reply.Device] = true
	}
	if len(devices) != len(keepers) || devices[""] {
		t.Errorf("%v", devices)
	}
	// The end of the input is the end of the keeper, and of its device.
	for _, k := range keepers {
		k.in.Close()
	}
	for device := range devices {
		eventually(t, device+" is free", func() bool { return !isAttached(device) })
	}
}

func TestTheKeeperStopsOnSIGTERM(t *testing.T) {
	d := newDocker(t)
	k := d.startKeeper("one", d.workspace("true"))
	k.send(`{"cmd":"statfs"}`)
	var reply failure
	k.reply(&reply)
	d.docker("kill", "-s", "TERM", k.container)
	eventually(t, "it is gone", func() bool { return d.docker("ps", "-q", "-f", "name="+k.container) == "" })
}

type docker struct {
	t            *testing.T
	image, label string
	prefix       string
	volumes      []string
	containers   []string
}

type container struct {
	stream
	container string
}

func newDocker(t *testing.T) *docker {
	needRoot(t)
	name := fmt.Sprintf("decoy-keeper-test-%d", os.Getpid())
	d := &docker{t: t, image: name + ":" + strings.ToLower(t.Name()), label: "decoy.test=" + name, prefix: name + "-" + strings.ToLower(t.Name()) + "-"}
	binary, err := os.ReadFile("/proc/self/exe")
	must(t, err)
	entries := []tarEntry{{Header: tar.Header{Name: "decoy-guest", Typeflag: tar.TypeReg, Mode: 0o755}, content: string(binary)}}
	for _, dir := range []string{"bin", "sbin", "lib", "lib64"} {
		entries = append(entries, tarEntry{Header: tar.Header{Name: dir, Typeflag: tar.TypeSymlink, Linkname: "usr/" + dir}})
	}
	for _, dir := range []string{"usr/", "tmp/"} {
		entries = append(entries, tarEntry{Header: tar.Header{Name: dir, Typeflag: tar.TypeDir, Mode: 0o755}})
	}
	load := exec.Command("docker", "import", "-", d.image)
	load.Stdin = bytes.NewReader(tarOf(t, entries...))
	if output, err := load.CombinedOutput(); err != nil {
		t.Fatalf("docker import: %s: %v", output, err)
	}
	t.Cleanup(func() {
		for _, c := range d.containers {
			exec.Command("docker", "rm", "-f", c).Run()
		}
		for i := range d.volumes {
			exec.Command("docker", "volume", "rm", "-f", d.volumes[len(d.volumes)-1-i]).Run()
		}
		exec.Command("docker", "rmi", "-f", d.image).Run()
	})
	return d
}

func (d *docker) docker(args ...string) string {
	d.t.Helper()
	output, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		d.t.Fatalf("docker %s: %s: %v", strings.Join(args, " "), output, err)
	}
	return strings.TrimSpace(string(output))
}

func (d *docker) run(args ...string) string {
	d.t.Helper()
	id := d.docker(append([]string{"run", "-d", "--network", "none", "--label", d.label, "-v", "/usr:/usr:ro"}, args...)...)
	d.containers = append(d.containers, id)
	return id
}

func (d *docker) volume(name, kind, device, options string) string {
	d.t.Helper()
	name = d.prefix + name
	d.volumes = append(d.volumes, name)
	args := []string{"volume", "create", "--label", d.label}
	if kind != "" {
		args = append(args, "-o", "type="+kind, "-o", "device="+device)
	}
	if options != "" {
		args = append(args, "-o", "o="+options)
	}
	return d.docker(append(args, name)...)
}

func (d *docker) workspace(script string) string {
	dir := d.t.TempDir()
	shell(d.t, dir, script)
	return dir
}

func (d *docker) startKeeper(name, workspace string) *container {
	d.t.Helper()
	file := d.volume(name+"-file", "", "", "")
	name = d.prefix + name
	d.containers = append(d.containers, name)
	args := []string{"run", "--rm", "-i", "--name", name, "--network", "none", "--label", d.label, "--security-opt", "apparmor=unconfined", "--cap-drop", "ALL"}
	for _, capability := range []string{"SYS_ADMIN", "MKNOD", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETFCAP"} {
		args = append(args, "--cap-add", capability)
	}
	args = append(args, "--device-cgroup-rule", "b 7:* rmw", "--device-cgroup-rule", "c 10:237 rmw",
		"-v", "/usr:/usr:ro", "-v", file+":/file", "-v", workspace+":/lower/workspace:ro", d.image, "/decoy-guest", "keeper")
	c := exec.Command("docker", args...)
	in, err := c.StdinPipe()
	must(d.t, err)
	out, err := c.StdoutPipe()
	must(d.t, err)
	c.Stderr = os.Stderr
	must(d.t, c.Start())
	d.t.Cleanup(func() { in.Close(); c.Wait() })
	return &container{stream{t: d.t, in: in, out: bufio.NewReader(out)}, name}
}
