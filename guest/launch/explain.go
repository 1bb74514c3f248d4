package launch

import (
	"bytes"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// The kernel reads no more of a script's first line (BINPRM_BUF_SIZE).
const firstLineBytes = 256

// A chain of links longer than the kernel follows (path_resolution(7)) is not followed here either.
const mostLinks = 40

const notFound = "not found"

// explainMissing says why a program that execve(2) or Lookup answered ENOENT for cannot be run: a link that leads to nothing, or a
// file whose interpreter is not there. The file is the sandbox's: of it only a few bytes are read, and they are quoted.
func explainMissing(program string, env []string) string {
	for _, candidate := range candidates(program, env) {
		var status unix.Stat_t
		if unix.Lstat(candidate, &status) != nil {
			continue
		}
		if unix.Stat(candidate, &status) != nil {
			return notFound + ": " + strconv.Quote(candidate) + " " + leadsNowhere(candidate) + remedy
		}
		if interpreter := interpreterOf(candidate); interpreter != "" {
			return explainInterpreter(candidate, interpreter)
		}
	}
	return notFound
}

const remedy = ": the sandbox has /usr, /opt, the tool cache and the workspace, or the files of an image, and no HOME of the host; install it there"

func candidates(program string, env []string) []string {
	if strings.Contains(program, "/") {
		return []string{program}
	}
	var found []string
	for directory := range strings.SplitSeq(pathOf(env), ":") {
		found = append(found, directory+"/"+program)
	}
	return found
}

func explainInterpreter(program, interpreter string) string {
	named := "its interpreter " + strconv.Quote(interpreter)
	var status unix.Stat_t
	switch {
	case interpreter == elf:
		return notFound + ": " + strconv.Quote(program) + " is there, but not the dynamic loader it was built for: it is from another system, such as one with musl, or from NixOS"
	case strings.HasSuffix(interpreter, "\r"):
		return notFound + ": the first line of " + strconv.Quote(program) + " ends with a carriage return, which makes " + named + ": save it with Unix line ends"
	case unix.Stat(interpreter, &status) == nil:
		return notFound // so the interpreter's own interpreter
	case unix.Lstat(interpreter, &status) == nil:
		return notFound + ": " + strconv.Quote(program) + " is there, but " + named + " " + leadsNowhere(interpreter) + remedy
	default:
		return notFound + ": " + strconv.Quote(program) + " is there, but not " + named + remedy
	}
}

const elf = "\x7fELF"

// interpreterOf is what the first line names, or elf for a program that needs a loader; empty for what is neither, or cannot be read.
func interpreterOf(program string) string {
	// Not to be held up by what is no file, should it have changed since it was looked at.
	fd, err := unix.Open(program, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return ""
	}
	defer unix.Close(fd)
	buffer := make([]byte, firstLineBytes)
	n, err := unix.Pread(fd, buffer, 0)
	if err != nil {
		return ""
	}
	line, _, _ := bytes.Cut(buffer[:n], []byte("\n"))
	if bytes.HasPrefix(line, []byte(elf)) {
		return elf
	}
	rest, isScript := bytes.CutPrefix(line, []byte("#!"))
	if !isScript {
		return ""
	}
	interpreter := strings.TrimLeft(string(rest), " \t")
	if end := strings.IndexAny(interpreter, " \t"); end >= 0 {
		interpreter = interpreter[:end]
	}
	return interpreter
}

// leadsNowhere names the last link's target, the one that is not there.
func leadsNowhere(link string) string {
	target := link
	for range mostLinks {
		next, err := os.Readlink(target)
		if err != nil {
			break
		}
		if !strings.HasPrefix(next, "/") {
			next = target[:strings.LastIndexByte(target, '/')+1] + next
		}
		target = next
	}
	return "is a link to " + strconv.Quote(target) + ", which the sandbox does not have"
}
