// decoy-guest is the only program of ours inside the containers: one static binary, three roles.
package main

import (
	"os"
	"runtime"

	"decoy/guest/gateway"
	"decoy/guest/initproc"
	"decoy/guest/keeper"
)

// The first thread is the one signals to the process are judged by. Init keeps it for itself: the runtime's own
// goroutine for signals, should it come to run there, blocks nearly all of them.
func init() { runtime.LockOSThread() }

func main() {
	if len(os.Args) < 2 {
		os.Exit(usage())
	}
	switch os.Args[1] {
	case "gateway":
		runtime.UnlockOSThread()
		os.Exit(gateway.Main(os.Args[2:]))
	case "init":
		os.Exit(initproc.Main(os.Args[2:]))
	case "confined":
		os.Exit(initproc.Confined(os.Args[2:]))
	case "keeper":
		runtime.UnlockOSThread()
		os.Exit(keeper.Main(os.Args[2:]))
	default:
		os.Exit(usage())
	}
}

func usage() int {
	os.Stderr.WriteString("usage: decoy-guest gateway|init|confined|keeper\n")
	return 2
}
