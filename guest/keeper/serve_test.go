package keeper

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
)

func TestServeAnswersInOrderAndStaysInStep(t *testing.T) {
	needRoot(t)
	r := newRun(t)
	s, ended := r.serve()
	rows := []struct{ send, error string }{
		{`{"cmd":"statfs"}`, "it is not open"},
		{`{"cmd":"dance"}`, `unknown command "dance"; known: identify, open, fill, await, image, volume, snapshot, statfs, patch`},
		{`{"cmd":"open","sizeBytes":1}`, "too small"},
		// The six bytes of a refused tar must not be taken for commands.
		{`{"cmd":"fill","tarBytes":6}` + "\n\n{}\n\n", "it is not open"},
		{`{"cmd":"fill","tarBytes":-5}`, "must not be negative"},
		{`{"cmd":"await","path":"/etc"}`, "must lie inside"},
	}
	for _, row := range rows {
		s.send(row.send)
		var reply struct {
			OK    bool
			Error string
		}
		s.reply(&reply)
		if reply.OK || !strings.Contains(reply.Error, row.error) {
			t.Errorf("%s: %+v", row.send, reply)
		}
	}
	s.in.Close()
	within(t, ended)
}

func TestServeEndsWithItsInputEvenInACommand(t *testing.T) {
	r := newRun(t)
	s, ended := r.serve()
	s.send(`{"cmd":"await","path":"never"}`)
	s.in.Close()
	within(t, ended)
}

func TestServeRefusesGarbageAndGoesOn(t *testing.T) {
	r := newRun(t)
	s, ended := r.serve()
	for _, line := range []string{"garbage", "", "[]", `{"cmd":"await","path":"..` + strings.Repeat("x", 10000) + `"}`} {
		s.send(line)
		var reply failure
		s.reply(&reply)
		if reply.OK || reply.Error == "" {
			t.Errorf("%s: %+v", line, reply)
		}
	}
	// Longer than any command: no telling where the next one begins.
	go s.in.Write(bytes.Repeat([]byte("x"), commandBytes+1))
	within(t, ended)
}

func (r *run) serve() (*stream, <-chan struct{}) {
	in, toKeeper := io.Pipe()
	fromKeeper, out := io.Pipe()
	r.t.Cleanup(func() { toKeeper.Close() })
	return &stream{t: r.t, in: toKeeper, out: bufio.NewReader(fromKeeper)}, serve(r.k, in, out)
}

func within(t *testing.T, ended <-chan struct{}) {
	t.Helper()
	select {
	case <-ended:
	case <-time.After(time.Second):
		t.Error("did not end within a second")
	}
}
