package gateway

import (
	"sync"
	"time"
)

const refusalsPerSecond = 50

// refusals tells the host what was turned away without asking it, at most 50 messages a second: a sandbox that
// knocks in a loop must not be able to fill the host's log or delay its answers. The rest is only counted.
type refusals struct {
	send func(message) error

	mutex      sync.Mutex
	sent       int
	suppressed int
	open       bool
}

func newRefusals(send func(message) error) *refusals {
	return &refusals{send: send}
}

func (r *refusals) report(refused message) {
	refused.Type = "refused"
	r.mutex.Lock()
	if !r.open {
		r.open = true
		time.AfterFunc(time.Second, r.endSecond)
	}
	admitted := r.sent < refusalsPerSecond
	if admitted {
		r.sent++
	} else {
		r.suppressed++
	}
	r.mutex.Unlock()
	if admitted {
		r.send(refused)
	}
}

func (r *refusals) endSecond() {
	r.mutex.Lock()
	suppressed := r.suppressed
	r.sent, r.suppressed, r.open = 0, 0, false
	r.mutex.Unlock()
	if suppressed > 0 {
		r.send(message{Type: "refused", Reason: "suppressed", Count: suppressed})
	}
}
