package initproc

import (
	"encoding/binary"
	"runtime"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Numbers from the kernel's tables again, written out here: the filter's own are what is tested. Filters for both machines are run on either.
func TestFilterOfEachArchitecture(t *testing.T) {
	const vsock, inet = unix.AF_VSOCK, unix.AF_INET
	const x64, x86, arm64, arm = unix.AUDIT_ARCH_X86_64, unix.AUDIT_ARCH_I386, unix.AUDIT_ARCH_AARCH64, unix.AUDIT_ARCH_ARM
	for _, row := range []struct {
		machine, what string
		audit         uint32
		number        uint32
		argument      uint32
		want          bpf.RetConstant
	}{
		{"amd64", "socket(AF_VSOCK)", x64, 41, vsock, refuse(unix.EAFNOSUPPORT)},
		{"amd64", "socket(AF_INET)", x64, 41, inet, allow},
		{"amd64", "socketpair(AF_VSOCK)", x64, 53, vsock, refuse(unix.EAFNOSUPPORT)},
		{"amd64", "socket(AF_VSOCK) by x32", x64, 0x40000000 | 41, vsock, refuse(unix.EAFNOSUPPORT)},
		{"amd64", "socket(AF_VSOCK) by i386", x86, 359, vsock, refuse(unix.EAFNOSUPPORT)},
		{"amd64", "socketcall(SYS_SOCKET)", x86, 102, 1, refuse(unix.ENOSYS)},
		{"amd64", "io_uring_setup", x64, 425, 1, refuse(unix.ENOSYS)},
		{"amd64", "arm64's socket(AF_INET)", arm64, 198, inet, refuse(unix.ENOSYS)},
		{"arm64", "socket(AF_VSOCK)", arm64, 198, vsock, refuse(unix.EAFNOSUPPORT)},
		{"arm64", "socket(AF_INET)", arm64, 198, inet, allow},
		{"arm64", "socketpair(AF_VSOCK)", arm64, 199, vsock, refuse(unix.EAFNOSUPPORT)},
		{"arm64", "socketpair(AF_UNIX)", arm64, 199, unix.AF_UNIX, allow},
		{"arm64", "socket(AF_VSOCK) by arm", arm, 281, vsock, refuse(unix.EAFNOSUPPORT)},
		{"arm64", "socketpair(AF_VSOCK) by arm", arm, 288, vsock, refuse(unix.EAFNOSUPPORT)},
		{"arm64", "socket(AF_INET) by arm", arm, 281, inet, allow},
		{"arm64", "io_uring_enter by arm", arm, 426, 1, refuse(unix.ENOSYS)},
		{"arm64", "io_uring_register", arm64, 427, 1, refuse(unix.ENOSYS)},
		{"arm64", "x64's socket(AF_INET)", x64, 41, inet, refuse(unix.ENOSYS)},
		// Of amd64's numbers, 41 is pivot_root(2) here: it is the engine's filter that has to say something to it.
		{"arm64", "pivot_root", arm64, 41, vsock, allow},
	} {
		if got := answerOf(t, row.machine, row.audit, row.number, row.argument); got != row.want.Val {
			t.Errorf("%s, %s: got %#x, want %#x", row.machine, row.what, got, row.want.Val)
		}
	}
}

func TestNumbersAreThoseOfThisMachine(t *testing.T) {
	own := architectures[runtime.GOARCH][0]
	if own.socket != unix.SYS_SOCKET || own.socketpair != unix.SYS_SOCKETPAIR {
		t.Errorf("socket is %d and socketpair %d, want %d and %d", own.socket, own.socketpair, unix.SYS_SOCKET, unix.SYS_SOCKETPAIR)
	}
}

// The virtual machine loads words in network order, seccomp in the processor's: so the words are laid out for the former.
func answerOf(t *testing.T, machine string, audit, number, argument uint32) uint32 {
	t.Helper()
	virtual, err := bpf.NewVM(filterProgram(architectures[machine]))
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 64)
	binary.BigEndian.PutUint32(data[offsetNumber:], number)
	binary.BigEndian.PutUint32(data[offsetArchitecture:], audit)
	binary.BigEndian.PutUint32(data[offsetFirstArgument:], argument)
	answer, err := virtual.Run(data)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(answer)
}
