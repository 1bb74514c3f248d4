// Package keeper is the trusted helper container of a run: it makes the sandbox's capped disk, tells
// how much of it is used, and turns what the sandbox changed in the workspace into a git patch.
//
// It lives exactly as long as its standard input. Its mounts and its loop device live in its mount
// namespace, so the kernel undoes them however it dies.
package keeper

import (
	"os"
	"os/signal"

	"decoy/guest/network"

	"golang.org/x/sys/unix"
)

// Main serves newline-delimited JSON commands on standard input until it ends or SIGTERM arrives.
func Main(args []string) int {
	if len(args) == 1 && args[0] == inNamespace {
		return stayInNamespace()
	}
	if len(args) > 0 {
		os.Stderr.WriteString("decoy keeper: takes no arguments: commands arrive on standard input\n")
		return 2
	}
	if err := network.CheckAlone(); err != nil {
		os.Stderr.WriteString("decoy keeper: " + err.Error() + "\n")
		return 1
	}
	// As PID 1 the kernel drops signals without a handler: without this, `docker stop` takes ten seconds.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, unix.SIGTERM, unix.SIGINT)
	// Modes come from the tar, whatever the container runtime's umask.
	unix.Umask(0)

	ended := serve(newKeeper("/"), os.Stdin, os.Stdout)
	select {
	case <-ended:
	case <-signals:
	}
	return 0
}

// keeper is the state between commands; places are below one root so that tests can move them.
type keeper struct {
	places   places
	baseline *unix.Statfs_t
	root     *os.File   // top directory of the disk: errors of writing since it was opened are told by syncfs(2)
	held     []*os.File // locks and loop devices of volumes: until this process ends
	promised int64      // what the volumes can still grow by
	// How the workspace was given to the sandbox's user: by a mapping of its owner, or file by file.
	mapped        *owner
	ownersWritten bool
}

type places struct {
	dev     string // loop-control and loopN; made when missing
	file    string // on the host's disk: the disk file, and scratch space that is not under the cap
	disk    string // the capped file system
	lower   string // the real workspace, read-only
	image   string // the files of the sandbox's image, read-only, where it has one
	guest   string // this program
	merged  string // the workspace as the sandbox sees it
	volumes string // folders of the user's volumes, by number
	volume  string // where one of them is mounted for a moment
}

func newKeeper(root string) *keeper {
	below := func(name string) string {
		if root == "/" {
			return "/" + name
		}
		return root + "/" + name
	}
	return &keeper{places: places{
		dev:     "/dev",
		file:    below("file"),
		disk:    below("disk"),
		lower:   below("lower/workspace"),
		image:   below("lower/image"),
		guest:   below("decoy-guest"),
		merged:  below("merged"),
		volumes: below("volumes"),
		volume:  below("volume"),
	}}
}
