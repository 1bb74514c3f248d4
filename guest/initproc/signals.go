package initproc

import (
	"os"
	"os/signal"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

type signals struct {
	child   chan os.Signal
	forward chan os.Signal
}

func watchSignals() *signals {
	s := &signals{child: make(chan os.Signal, 1), forward: make(chan os.Signal, 8)}
	signal.Notify(s.child, syscall.SIGCHLD)
	signal.Notify(s.forward, syscall.SIGTERM, syscall.SIGINT)
	return s
}

// A signal that is sent from inside the namespace to PID 1, and has its default action there, is dropped
// (pid_namespaces(7)). Go's runtime handles all signals instead, and a SIGQUIT, or a SIGSEGV by sigqueue(3), from the
// command would make it print its stacks and die. Real faults still kill: the kernel forces those.
//
// dropTheRest is for the time in which the command is started: it inherits what is ignored, and nothing else.
func dropTheRest() { setRest(actionDefault) }

// ignoreTheRest is for the time after that. The kernel drops nothing while the thread a signal is for blocks it, and Go's
// runtime does that now and then: another thread then takes it, and with the default action dies of it.
func ignoreTheRest() { setRest(actionIgnore) }

func setRest(action uint64) {
	const last = 64
	for number := 1; number <= last; number++ {
		switch unix.Signal(number) {
		case unix.SIGKILL, unix.SIGSTOP, unix.SIGTERM, unix.SIGINT, unix.SIGCHLD:
		case unix.SIGURG: // the runtime's own preemption
		default:
			setAction(number, action)
		}
	}
}

const actionDefault, actionIgnore = 0, 1 // SIG_DFL and SIG_IGN

// setAction is rt_sigaction(2), for which package os/signal has no word: its Reset keeps the runtime's handler.
func setAction(number int, action uint64) {
	// The kernel's struct on amd64 and arm64 alike in what matters: the handler first; then no flags and an empty mask.
	kernel := [4]uint64{action}
	const maskBytes = 8
	syscall.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(number), uintptr(unsafe.Pointer(&kernel)), 0, maskBytes, 0, 0)
}
