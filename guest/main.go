// decoy-guest is the only program of ours inside the containers: one static binary, three roles.
package main

import (
	"os"

	"decoy/guest/gateway"
	"decoy/guest/initproc"
	"decoy/guest/keeper"
)

func main() {
	if len(os.Args) < 2 {
		os.Exit(usage())
	}
	switch os.Args[1] {
	case "gateway":
		os.Exit(gateway.Main(os.Args[2:]))
	case "init":
		os.Exit(initproc.Main(os.Args[2:]))
	case "keeper":
		os.Exit(keeper.Main(os.Args[2:]))
	default:
		os.Exit(usage())
	}
}

func usage() int {
	os.Stderr.WriteString("usage: decoy-guest gateway|init|keeper\n")
	return 2
}
