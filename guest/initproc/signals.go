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

// ignoreTheRest gives every other signal its default action, which for PID 1 means: sent from inside the
// namespace, it is dropped (pid_namespaces(7)). Go's runtime handles all signals, and a SIGQUIT, or a SIGSEGV by
// sigqueue(3), from the command would make it print its stacks and die. Real faults still kill: the kernel forces those.
func ignoreTheRest() {
	const last = 64
	for number := 1; number <= last; number++ {
		switch unix.Signal(number) {
		case unix.SIGKILL, unix.SIGSTOP, unix.SIGTERM, unix.SIGINT, unix.SIGCHLD:
		case unix.SIGURG: // the runtime's own preemption
		default:
			defaultAction(number)
		}
	}
}

// defaultAction is rt_sigaction(2) with SIG_DFL, which package os/signal has no word for: its Reset keeps the runtime's handler.
func defaultAction(number int) {
	// The kernel's struct on amd64 and arm64 alike in what matters: all zero is SIG_DFL, no flags, empty mask.
	var action [32]byte
	const maskBytes = 8
	syscall.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(number), uintptr(unsafe.Pointer(&action)), 0, maskBytes, 0, 0)
}
