package initproc

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// The engine's own filter differs between versions: before Docker 23 it lets AF_VSOCK through, which no network
// namespace confines (it leads to the hypervisor and, on it, to the other side), and before 25 io_uring, whose
// operations no filter sees. This one is on top of whatever the engine has, and the same everywhere.

// Families of sockets the sandbox may open: those a network namespace confines and programs need. The kernel gives
// EAFNOSUPPORT for a family it was not built with, so that is what programs are prepared for.
var allowedFamilies = []uint32{unix.AF_UNSPEC, unix.AF_UNIX, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK, unix.AF_PACKET}

// architecture is one way into the kernel: the numbers its system calls have there.
type architecture struct {
	audit      uint32
	socket     uint32
	socketpair uint32
	socketcall uint32 // 0: there is none
	// Bits that tell another table of the same numbers (x32) apart.
	ignoredBits uint32
}

// Numbers from the kernel's syscall tables; io_uring's three are the same everywhere.
var architectures = map[string][]architecture{
	"amd64": {
		{audit: unix.AUDIT_ARCH_X86_64, socket: 41, socketpair: 53, ignoredBits: 0x40000000},
		{audit: unix.AUDIT_ARCH_I386, socket: 359, socketpair: 360, socketcall: 102},
	},
	"arm64": {
		{audit: unix.AUDIT_ARCH_AARCH64, socket: 198, socketpair: 199},
		{audit: unix.AUDIT_ARCH_ARM, socket: 281, socketpair: 288},
	},
}

const (
	ioUringSetup, ioUringRegister = 425, 427
	// Of struct seccomp_data (seccomp(2)); arguments are 64 bits, and both our architectures little-endian.
	offsetNumber, offsetArchitecture, offsetFirstArgument = 0, 4, 16
	// The first argument of socketcall(2), linux/net.h.
	callSocket, callSocketpair = 1, 8
)

// confineSystemCalls takes effect for every thread of this process and everything it starts, and cannot be undone.
func confineSystemCalls() error {
	rows, known := architectures[runtime.GOARCH]
	if !known {
		return fmt.Errorf("no system call numbers are known for %s", runtime.GOARCH)
	}
	raw, err := bpf.Assemble(filterProgram(rows))
	if err != nil {
		return err
	}
	filters := make([]unix.SockFilter, len(raw))
	for i, each := range raw {
		filters[i] = unix.SockFilter{Code: each.Op, Jt: each.Jt, Jf: each.Jf, K: each.K}
	}
	program := unix.SockFprog{Len: uint16(len(filters)), Filter: &filters[0]}
	// Without it the kernel takes filters from nobody but CAP_SYS_ADMIN. The engine has set it already.
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	thread, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return errno
	}
	if thread != 0 {
		return fmt.Errorf("thread %d has a filter of its own", thread)
	}
	return nil
}

func filterProgram(rows []architecture) []bpf.Instruction {
	program := []bpf.Instruction{bpf.LoadAbsolute{Off: offsetArchitecture, Size: 4}}
	for _, row := range rows {
		body := rulesOf(row)
		program = append(program, bpf.JumpIf{Cond: bpf.JumpEqual, Val: row.audit, SkipFalse: uint8(len(body))})
		program = append(program, body...)
	}
	// An architecture that is in no table: the engine's filter refuses it, and so does this one.
	return append(program, refuse(unix.ENOSYS))
}

// rulesOf ends in a return on every path.
func rulesOf(row architecture) []bpf.Instruction {
	var families []bpf.Instruction
	families = append(families, bpf.LoadAbsolute{Off: offsetFirstArgument, Size: 4})
	for i, family := range allowedFamilies {
		families = append(families, bpf.JumpIf{Cond: bpf.JumpEqual, Val: family, SkipTrue: uint8(len(allowedFamilies) - i)})
	}
	families = append(families, refuse(unix.EAFNOSUPPORT), allow)

	// socketcall(2) has its arguments in memory, where no filter sees the family: making sockets with it is refused.
	var calls []bpf.Instruction
	if row.socketcall != 0 {
		calls = []bpf.Instruction{
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: row.socketcall, SkipTrue: 5},
			bpf.LoadAbsolute{Off: offsetFirstArgument, Size: 4},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: callSocket, SkipTrue: 2},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: callSocketpair, SkipTrue: 1},
			allow,
			refuse(unix.ENOSYS),
		}
	}

	rules := []bpf.Instruction{bpf.LoadAbsolute{Off: offsetNumber, Size: 4}}
	if row.ignoredBits != 0 {
		rules = append(rules, bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: ^row.ignoredBits})
	}
	rules = append(rules,
		bpf.JumpIf{Cond: bpf.JumpLessThan, Val: ioUringSetup, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: ioUringRegister, SkipTrue: 1},
		refuse(unix.ENOSYS),
	)
	rules = append(rules, calls...)
	rules = append(rules,
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: row.socket, SkipTrue: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: row.socketpair, SkipTrue: 1},
		allow,
	)
	return append(rules, families...)
}

var allow = bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}

func refuse(number unix.Errno) bpf.RetConstant {
	return bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(number)}
}
