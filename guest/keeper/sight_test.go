package keeper

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The workspace is its owner's, who may rename and delete in it what another user keeps from them.
const otherUsersFiles = `
	echo closed > closed; chown 4242:4242 closed; chmod 600 closed; cp -p closed gone; cp -p closed replaced
	echo own > own; chown 1001:1001 own; chmod 600 own
	mkdir dir; echo inside > dir/inside; chown 4242:4242 dir; chmod 700 dir
	echo open > open; chown 4242:4242 open
	echo group > group; chown 4242:0 group; chmod 640 group`

const renameAll = `chown 1001:1001 .; setpriv --reuid 1001 --regid 1001 --clear-groups sh -c '
	mv closed closed.new; rm gone; mv -f replaced away; echo new > replaced; mv own own.new; mv dir dir.new; mv open open.new; mv group group.new; echo x > made; chmod 0 made'`

func TestWhatTheUserCouldNotReadIsInNoPatch(t *testing.T) {
	r := newRun(t)
	r.lower(otherUsersFiles)
	r.reader = &owner{UID: 1001, GID: 1001}
	_, filled := r.give(*r.reader, workspaceFrom{Path: r.k.places.lower, PID: os.Getpid()})
	if filled.Chowned > 0 {
		t.Skip("every file became the user's")
	}
	target := filepath.Join(r.root, "sandbox")
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s,metacopy=on", filepath.Join(r.k.places.file, workspaceLink), r.k.upper(), filepath.Join(r.k.places.disk, "workspace/work"))
	must(t, unix.Mount("overlay", target, "overlay", 0, options))
	shell(t, target, renameAll)
	must(t, unix.Unmount(target, 0))

	reply, patch := r.patch()
	if got := changesOf(reply); got != "R group>group.new, A made, R open>open.new" {
		t.Errorf("changed %q", got)
	}
	if reply.SkippedCount != 9 || strings.Contains(patch+string(r.contents), "closed") {
		t.Errorf("left out %d: %v\n%s", reply.SkippedCount, reply.Skipped, patch)
	}
	// The control: held to nobody's sight, it is all there.
	r.reader = nil
	if _, patch := r.patch(); !strings.Contains(patch, "-closed") || !strings.Contains(string(r.contents), "inside") {
		t.Errorf("the control has\n%s", patch)
	}
}
