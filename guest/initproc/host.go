package initproc

import (
	"bytes"
	"encoding/json"
	"strconv"

	"golang.org/x/sys/unix"
)

// Linux gives argv and the environment together at most a quarter of the stack limit (execve(2)); with JSON's escapes this is ample.
const taskLineBytes = 32 << 20

// task is the one line of configuration, from the host through our stdin and nothing else: argv, the environment
// and files of a container can be read from inside.
type task struct {
	Token            string   `json:"token"`
	Argv             []string `json:"argv"`
	Env              []string `json:"env"`
	Cwd              string   `json:"cwd"`
	KillAfterSeconds int      `json:"killAfterSeconds"`
	Umask            *int     `json:"umask"`
	// IPv4 address and port the gateway listens on; empty where there is none
	Gateway string `json:"gateway"`
}

// host is the other end of stdin, which the command does not have.
type host struct {
	buffered []byte
	gateway  int // connection to the gateway, or -1 where there is none
}

type reading struct {
	task *task
	err  error
}

func (h *host) readTask() reading {
	for {
		if line, rest, found := bytes.Cut(h.buffered, []byte("\n")); found {
			h.buffered = bytes.Clone(rest)
			task, err := parseTask(line)
			return reading{task, err}
		}
		if len(h.buffered) > taskLineBytes {
			return reading{nil, problem("cannot read the task: its line is longer than " + strconv.Itoa(taskLineBytes) + " bytes")}
		}
		if !h.fill() {
			return reading{nil, problem("cannot read the task: stdin ended first")}
		}
	}
}

func parseTask(line []byte) (*task, error) {
	parsed := &task{}
	if json.Unmarshal(line, parsed) != nil { // its error could quote the line, which holds the token and the environment
		return nil, problem("cannot read the task: the line is not the expected JSON")
	}
	switch {
	case parsed.Token == "":
		return nil, problem("cannot run the task: it has no token")
	case len(parsed.Argv) == 0:
		return nil, problem("cannot run the task: its argv is empty")
	case parsed.KillAfterSeconds <= 0:
		return nil, problem("cannot run the task: give killAfterSeconds above 0")
	case parsed.Cwd == "":
		return nil, problem("cannot run the task: it has no cwd")
	}
	return parsed, nil
}

// watch reads on in the background: a line acknowledges the report; the end means that nobody is left to report to. So does the gateway's,
// which ends with the host's process: an engine that hangs, or was killed, may keep stdin open.
func (h *host) watch() (gone, acknowledged <-chan struct{}) {
	ended, line := make(chan struct{}), make(chan struct{})
	go func() {
		acked := false
		for {
			if !acked && bytes.IndexByte(h.buffered, '\n') >= 0 {
				acked = true
				close(line)
			}
			h.buffered = h.buffered[:0]
			if !h.await() || !h.fill() {
				close(ended)
				return
			}
		}
	}()
	return ended, line
}

// await returns when there is something to read; false is the gateway's end, which sends nothing that was not asked for.
func (h *host) await() bool {
	for {
		watched := []unix.PollFd{{Fd: 0, Events: unix.POLLIN}, {Fd: int32(h.gateway), Events: unix.POLLIN}}
		if _, err := unix.Poll(watched, -1); err != nil {
			continue
		}
		if watched[1].Revents != 0 {
			return false
		}
		if watched[0].Revents != 0 {
			return true
		}
	}
}

// fill reads what there is; false is the end.
func (h *host) fill() bool {
	var chunk [4096]byte
	for {
		length, err := unix.Read(0, chunk[:])
		switch err {
		case nil:
			h.buffered = append(h.buffered, chunk[:max(length, 0)]...)
			return length > 0
		case unix.EINTR:
		case unix.EAGAIN:
			unix.Poll([]unix.PollFd{{Fd: 0, Events: unix.POLLIN}}, -1)
		default:
			return false
		}
	}
}

type problem string

func (p problem) Error() string { return string(p) }
