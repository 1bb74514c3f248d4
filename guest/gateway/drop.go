package gateway

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// dropPrivileges leaves the process with nothing but its open listeners and the uid that may reach the proxy
// socket. Credentials belong to a thread, not to the process, so every call goes to all of the runtime's threads
// (threads started later inherit), and the kernel is asked afterwards whether that is so.
func dropPrivileges(uid, gid int) error {
	if uid <= 0 || gid < 0 {
		return problem("cannot drop to uid " + strconv.Itoa(uid) + ": give one above 0")
	}
	highest, err := highestCapability()
	if err != nil {
		return err
	}
	// The bounding set first: that needs CAP_SETPCAP, which the later steps take away.
	for capability := 0; capability <= highest; capability++ {
		if err := onAllThreads(unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, uintptr(capability)); err != nil {
			return attempt("drop capability "+strconv.Itoa(capability)+" from the bounding set (SETPCAP is needed)", err)
		}
	}
	if err := onAllThreads(unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL); err != nil {
		return attempt("clear the ambient capabilities", err)
	}
	if err := syscall.Setgroups(nil); err != nil {
		return attempt("leave all supplementary groups (SETGID is needed)", err)
	}
	if err := syscall.Setresgid(gid, gid, gid); err != nil {
		return attempt("change to gid "+strconv.Itoa(gid), err)
	}
	if err := syscall.Setresuid(uid, uid, uid); err != nil {
		return attempt("change to uid "+strconv.Itoa(uid)+" (SETUID is needed)", err)
	}
	if err := clearCapabilities(); err != nil {
		return attempt("clear the capabilities", err)
	}
	if err := onAllThreads(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1); err != nil {
		return attempt("set no_new_privs", err)
	}
	// The sandbox runs as the same uid: no ptrace, no /proc/PID/mem, should it ever see this process.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return attempt("make the process undumpable", err)
	}
	return proveDropped(uid, gid)
}

func onAllThreads(trap uintptr, arguments ...uintptr) error {
	var all [6]uintptr
	copy(all[:], arguments)
	_, _, errno := syscall.AllThreadsSyscall6(trap, all[0], all[1], all[2], all[3], all[4], all[5])
	if errno != 0 {
		return errno
	}
	return nil
}

// highestCapability probes, because a kernel newer than this program has more of them.
func highestCapability() (int, error) {
	highest := -1
	for capability := 0; capability < 64; capability++ {
		if _, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(capability), 0, 0, 0); err != nil {
			break
		}
		highest = capability
	}
	if highest < 0 {
		return 0, problem("cannot read the capability bounding set")
	}
	return highest, nil
}

// proveDropped reads back what each thread really has; a gateway that cannot prove it does not start.
func proveDropped(uid, gid int) error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return attempt("list the threads", err)
	}
	for _, thread := range threads {
		status, err := os.ReadFile("/proc/self/task/" + thread.Name() + "/status")
		if err != nil {
			return attempt("read a thread's status", err)
		}
		if field := firstPrivilege(string(status), uid, gid); field != "" {
			return problem("cannot drop privileges: a thread still has " + field)
		}
	}
	return nil
}

// firstPrivilege returns the first line of a /proc status file, proc(5), that shows more than the bare uid, or "".
func firstPrivilege(status string, uid, gid int) string {
	four := func(id int) string {
		text := strconv.Itoa(id)
		return text + "\t" + text + "\t" + text + "\t" + text
	}
	const none = "0000000000000000"
	expected := map[string]string{
		"Uid": four(uid), "Gid": four(gid), "Groups": "", "NoNewPrivs": "1",
		"CapInh": none, "CapPrm": none, "CapEff": none, "CapBnd": none, "CapAmb": none,
	}
	for line := range strings.Lines(status) {
		key, value, _ := strings.Cut(line, ":")
		want, known := expected[key]
		if !known {
			continue
		}
		if strings.TrimSpace(value) != want {
			return strings.TrimSpace(line)
		}
		delete(expected, key)
	}
	for key := range expected {
		return "no " + key + " line"
	}
	return ""
}
