package launch

import (
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Command is what to run. Env is the whole environment: nothing of ours is passed on.
type Command struct {
	Argv []string
	Env  []string
	Cwd  string
	// Umask is applied to the command when Some; the caller's stays otherwise.
	Umask *int
}

// NotTried is the code of a failure that is none of the command's: the configuration's.
const NotTried = 125

// Failure is a command that could not be started, with the exit code shells use for it: 127 not found, 126 otherwise;
// or NotTried.
type Failure struct {
	Code   int
	Reason string
}

func (f *Failure) Error() string { return f.Reason }

// Start runs the command in a session of its own: no controlling terminal, no descriptor but /dev/null and our
// stdout and stderr. It changes this process's working directory, for lookup of a relative program, and umask.
func Start(command Command) (pid int, err error) {
	if err := unix.Chdir(command.Cwd); err != nil {
		return 0, &Failure{NotTried, "cannot enter the working directory " + strconv.Quote(command.Cwd) + " (" + err.Error() +
			"): give one that the sandbox has and its user may enter, such as one in the workspace, or leave working-directory out"}
	}
	program, err := Lookup(command.Argv[0], command.Env)
	if err == unix.ENOENT && len(command.Argv) == 1 && strings.Contains(command.Argv[0], " ") {
		return 0, &Failure{127, "not found: it is one word with spaces in it, so give the program and its arguments as words of their own, or a script"}
	}
	if err != nil {
		return 0, failure(err, command)
	}
	null, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, &Failure{126, "cannot open /dev/null: " + err.Error()}
	}
	defer unix.Close(null)
	if command.Umask != nil {
		unix.Umask(*command.Umask)
	}
	pid, err = syscall.ForkExec(program, command.Argv, &syscall.ProcAttr{
		Env:   command.Env,
		Files: []uintptr{uintptr(null), 1, 2},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return 0, failure(err, command)
	}
	return pid, nil
}

func failure(err error, command Command) *Failure {
	switch err {
	case unix.ENOENT, unix.ENOTDIR:
		return &Failure{127, explainMissing(command.Argv[0], command.Env)}
	default:
		return &Failure{126, err.Error()}
	}
}
