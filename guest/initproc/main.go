// Package initproc is PID 1 of the sandbox: it starts the untrusted command, reaps what that leaves behind, and
// reports the exit code in a way the command cannot forge.
package initproc

import (
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"syscall"
	"time"

	"decoy/guest/launch"

	"golang.org/x/sys/unix"
)

const (
	killedCode = 128 + int(unix.SIGKILL)
	// The host takes its last readings of the cgroup between the report and its acknowledgement.
	acknowledgeSeconds = 5
	// A process in uninterruptible sleep must not keep the result from the host for ever.
	reapSeconds = 10
	// More than a write(2) to someone who reads can take, on a busy machine as well.
	writtenSeconds = 2
)

// Main runs one command and returns its exit code. It holds the token that proves the report, so the command,
// which has the same uid, must be able to read nothing of this process: that comes first.
func Main(args []string) int {
	// Elsewhere, kill(-1) would end every process of the user's.
	if os.Getpid() != 1 {
		return cannotStart("cannot run as init: this is not PID 1 of a container")
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return cannotStart("cannot make init undumpable: " + err.Error())
	}
	// Keeps inherited descriptors (an engine's leak, say) from the command; not closed, some are the runtime's.
	if err := closeOnExec(); err != nil {
		return cannotStart("cannot seal the open descriptors: " + err.Error())
	}
	if err := checkKernel(args); err != nil {
		return cannotStart(err.Error())
	}
	if err := checkConfinement(slices.Contains(args, gvisorRole)); err != nil {
		return cannotStart(err.Error())
	}
	if err := confineSystemCalls(); err != nil {
		return cannotStart("cannot confine system calls: " + err.Error() + "; the kernel needs seccomp filters (CONFIG_SECCOMP_FILTER)")
	}
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(64 << 20)
	signals := watchSignals()
	host := &host{gateway: -1}
	received := make(chan reading, 1)
	go func() { received <- host.readTask() }()
	select {
	case got := <-received:
		if got.err != nil {
			return cannotStart(got.err.Error())
		}
		return run(got.task, host, signals)
	case early := <-signals.forward:
		return 128 + int(early.(syscall.Signal))
	}
}

func run(task *task, host *host, signals *signals) int {
	backstop := time.NewTimer(time.Duration(task.KillAfterSeconds) * time.Second)
	if task.Gateway != "" {
		var err error
		if host.gateway, err = joinGateway(task.Gateway); err != nil {
			return cannotStart(err.Error())
		}
	}
	gone, acknowledged := host.watch()
	warmThreads()
	dropTheRest()

	pid, err := start(task)
	ignoreTheRest()
	if err != nil {
		code := 126
		if failure, ok := err.(*launch.Failure); ok {
			code = failure.Code
		}
		if code == launch.NotTried {
			return cannotStart(err.Error())
		}
		os.Stderr.WriteString("decoy: cannot run " + strconv.Quote(task.Argv[0]) + ": " + err.Error() + "\n")
		pid = 0
		return report(task, code, reportEvents{gone, acknowledged, backstop})
	}

	for {
		select {
		case <-signals.child:
			code, ended := reap(pid)
			if !ended {
				continue
			}
			killTheRest(signals, backstop)
			return report(task, code, reportEvents{gone, acknowledged, backstop})
		case forwarded := <-signals.forward:
			unix.Kill(-1, forwarded.(syscall.Signal))
		case <-gone:
			return killedCode // the end of PID 1 is SIGKILL to everything in the namespace, pid_namespaces(7)
		case <-backstop.C:
			return killedCode
		}
	}
}

// start runs on another thread than the first, which by that stays ready for signals: a thread that forks blocks them all
// until the command runs, and what the command sends then would not be dropped, see ignoreTheRest.
func start(task *task) (pid int, err error) {
	started := make(chan struct{})
	go func() {
		defer close(started)
		pid, err = launch.Start(launch.Command{Argv: task.Argv, Env: task.Env, Cwd: task.Cwd, Umask: task.Umask})
	}()
	<-started
	return pid, err
}

// reap collects every child there is to collect, and says whether the command was among them.
func reap(command int) (code int, ended bool) {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WNOHANG|unix.WALL, nil)
		if err == unix.EINTR {
			continue
		}
		if err != nil || pid == 0 {
			return code, ended
		}
		if pid == command && (status.Exited() || status.Signaled()) {
			code, ended = exitCode(status), true
		}
	}
}

func exitCode(status unix.WaitStatus) int {
	if status.Signaled() {
		return 128 + int(status.Signal())
	}
	return status.ExitStatus()
}

// killTheRest leaves no process that could write after the report, as far as the kernel lets us: kill(-1) is atomic
// against fork(2), but a process of another uid (in-container root without CAP_KILL) is out of reach.
func killTheRest(signals *signals, backstop *time.Timer) {
	deadline := time.NewTimer(reapSeconds * time.Second)
	defer deadline.Stop()
	for {
		err := unix.Kill(-1, unix.SIGKILL)
		reap(0)
		if _, childless := unix.Wait4(-1, nil, unix.WNOHANG|unix.WALL, nil); childless == unix.ECHILD && err == unix.ESRCH {
			return
		}
		select {
		case <-signals.child:
		case <-time.After(20 * time.Millisecond): // a process entered by `docker exec` is no child of ours: no signal when it ends
		case <-deadline.C:
			return
		}
	}
}

type reportEvents struct {
	gone, acknowledged <-chan struct{}
	backstop           *time.Timer
}

// report writes the result to stdout and to stderr, waits for the host to acknowledge it, and returns the code.
// The engine carries the two side by side: each has its own end, before which nothing of it is missing.
func report(task *task, code int, events reportEvents) int {
	written := make(chan struct{})
	go func() {
		line := []byte("\x00decoy:" + task.Token + ":" + strconv.Itoa(code) + "\x00\n")
		writeWhole(2, line)
		writeWhole(1, line)
		close(written)
	}()
	select {
	case <-written:
	case <-events.gone:
		return lateCode(code, written)
	case <-events.backstop.C:
		return lateCode(code, written)
	}
	patience := time.NewTimer(acknowledgeSeconds * time.Second)
	defer patience.Stop()
	select {
	case <-events.acknowledged:
	case <-events.gone:
	case <-patience.C:
	}
	return code
}

// lateCode is for a host that has gone, perhaps because it has all of the report already: this thread may be the last to learn that it was
// written. Where nobody reads it, it is not.
func lateCode(code int, written <-chan struct{}) int {
	select {
	case <-written:
		return code
	case <-time.After(writtenSeconds * time.Second):
		return killedCode
	}
}

// writeWhole writes in one write(2), so that nothing can come between (pipe(7): PIPE_BUF). The command shares this
// open file and may have left it non-blocking, which would lose the report on a full pipe: its flags are reset first.
func writeWhole(fd int, line []byte) {
	unix.FcntlInt(uintptr(fd), unix.F_SETFL, 0)
	for {
		if _, err := unix.Write(fd, line); err != unix.EINTR {
			return
		}
	}
}

// cannotStart ends init without a report, by which the host knows that the command was not started and these are our words.
func cannotStart(reason string) int {
	os.Stderr.WriteString("decoy: " + reason + "\n")
	return 125
}
