package initproc

import (
	"os"
	"slices"
	"strconv"

	"decoy/guest/launch"

	"golang.org/x/sys/unix"
)

// Confined becomes a program, under the filter that init puts on the command. A program the engine starts beside init has
// the engine's own filter alone. Arguments: NAME=value…, --, the program and its own.
func Confined(args []string) int {
	end := slices.Index(args, "--")
	if end < 0 || end+1 >= len(args) {
		return cannotStart("usage: decoy-guest confined [NAME=value…] -- PROGRAM [ARGUMENT…]")
	}
	environment, argv := args[:end], args[end+1:]
	if err := closeOnExec(); err != nil {
		return cannotStart("cannot seal the open descriptors: " + err.Error())
	}
	if err := confineSystemCalls(); err != nil {
		return cannotStart("cannot confine system calls: " + err.Error())
	}
	program, err := launch.Lookup(argv[0], environment)
	if err == nil {
		err = unix.Exec(program, argv, environment)
	}
	os.Stderr.WriteString("decoy: cannot run " + strconv.Quote(argv[0]) + ": " + err.Error() + "\n")
	return 127
}
