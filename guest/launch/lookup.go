// Package launch starts the sandbox's command: finds its program and gives it a clean process to run in.
package launch

import (
	"strings"

	"golang.org/x/sys/unix"
)

// What most container images and Docker itself use when nobody says.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Lookup finds the program as execvp(3) does, in the PATH of the command's own environment. When nothing can be
// executed it returns EACCES if something by that name was there, else ENOENT.
func Lookup(program string, env []string) (string, error) {
	if program == "" {
		return "", unix.ENOENT
	}
	if strings.Contains(program, "/") {
		return program, executable(program)
	}
	reason := error(unix.ENOENT)
	for directory := range strings.SplitSeq(pathOf(env), ":") {
		if directory == "" {
			directory = "." // POSIX: an empty element is the working directory
		}
		candidate := directory + "/" + program
		err := executable(candidate)
		if err == nil {
			return candidate, nil
		}
		if err == unix.EACCES {
			reason = err
		}
	}
	return "", reason
}

// pathOf takes the last PATH, as a shell assigning in order would.
func pathOf(env []string) string {
	path := defaultPath
	for _, variable := range env {
		if value, found := strings.CutPrefix(variable, "PATH="); found {
			path = value
		}
	}
	return path
}

func executable(path string) error {
	var status unix.Stat_t
	if err := unix.Stat(path, &status); err != nil {
		return err
	}
	if status.Mode&unix.S_IFMT != unix.S_IFREG {
		return unix.EACCES
	}
	return unix.Faccessat(unix.AT_FDCWD, path, unix.X_OK, unix.AT_EACCESS)
}
