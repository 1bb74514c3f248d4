package initproc

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A host that has read the report ends everything at once, perhaps before init runs again.
func TestReportThatWasWrittenCountsThoughTheHostIsGone(t *testing.T) {
	gone := make(chan struct{})
	close(gone)
	for round := 0; round < 50; round++ {
		withOutput(t, nil, func() {
			if code := report(&task{Token: "token"}, 7, reportEvents{gone, nil, time.NewTimer(time.Hour)}); code != 7 {
				t.Fatalf("round %d: report ended with %d in place of 7", round, code)
			}
		})
	}
}

func TestReportThatNobodyReadsIsNone(t *testing.T) {
	gone := make(chan struct{})
	close(gone)
	withOutput(t, make([]byte, 1<<20), func() {
		if code := report(&task{Token: "token"}, 7, reportEvents{gone, nil, time.NewTimer(time.Hour)}); code != killedCode {
			t.Fatalf("report ended with %d in place of %d", code, killedCode)
		}
	})
}

// withOutput has stdout and stderr be one pipe that has room for what is left of it behind `before`.
func withOutput(t *testing.T, before []byte, do func()) {
	t.Helper()
	var pipe, kept [2]int
	if err := unix.Pipe(pipe[:]); err != nil {
		t.Fatal(err)
	}
	unix.SetNonblock(pipe[1], true)
	for len(before) > 0 {
		written, err := unix.Write(pipe[1], before)
		if err != nil {
			break
		}
		before = before[written:]
	}
	for at := range kept {
		kept[at], _ = unix.Dup(at + 1)
		unix.Dup3(pipe[1], at+1, 0)
	}
	defer func() {
		for at, fd := range kept {
			unix.Dup3(fd, at+1, 0)
			unix.Close(fd)
		}
		// A writer that waits ends here.
		unix.Close(pipe[0])
		unix.Close(pipe[1])
	}()
	do()
}
