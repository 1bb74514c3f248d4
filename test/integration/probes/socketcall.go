// Opens sockets the two ways 32-bit x86 has, without a library in between.
package main

import (
	"fmt"
	"syscall"
	"unsafe"
)

func main() {
	for _, family := range []struct {
		name   string
		number uintptr
	}{{"INET", 2}, {"VSOCK", 40}} {
		arguments := [3]uintptr{family.number, 1, 0}
		_, _, errno := syscall.Syscall(102, 1, uintptr(unsafe.Pointer(&arguments)), 0)
		fmt.Printf("socketcall %s: %v\n", family.name, errno)
	}
	for _, family := range []struct {
		name   string
		number uintptr
	}{{"VSOCK", 40}, {"INET", 2}} {
		_, _, errno := syscall.Syscall(359, family.number, 1, 0)
		fmt.Printf("socket %s: %v\n", family.name, errno)
	}
}
