package gateway

import (
	"sync"
	"time"
)

const (
	// Long enough for a client's AAAA and its retries, short enough that a name asked again later is seen again by the host.
	verdictSeconds = 5
	verdictsMost   = 4096
)

// verdict is the host's word on one name. Until settled, everyone who asks for the name waits for the same answer.
type verdict struct {
	settled chan struct{}
	allow   bool
	known   bool
	expires time.Time
}

// verdicts remembers what the host said about a name for a few seconds.
type verdicts struct {
	ask func(name, qtype, transport string) (allow, ok bool)

	mutex  sync.Mutex
	byName map[string]*verdict
}

func newVerdicts(ask func(name, qtype, transport string) (allow, ok bool)) *verdicts {
	return &verdicts{ask: ask, byName: map[string]*verdict{}}
}

// on returns the verdict on a name; known is false when the host did not answer.
func (v *verdicts) on(name, qtype, transport string) (allow, known bool) {
	now := time.Now()
	v.mutex.Lock()
	held := v.byName[name]
	if held != nil && (held.expires.IsZero() || now.Before(held.expires)) {
		v.mutex.Unlock()
		<-held.settled
		return held.allow, held.known
	}
	v.makeRoom(now)
	held = &verdict{settled: make(chan struct{})}
	v.byName[name] = held
	v.mutex.Unlock()

	held.allow, held.known = v.ask(name, qtype, transport)
	v.mutex.Lock()
	if held.known {
		held.expires = time.Now().Add(verdictSeconds * time.Second)
	} else {
		delete(v.byName, name)
	}
	v.mutex.Unlock()
	close(held.settled)
	return held.allow, held.known
}

// makeRoom keeps the table bounded: first what has expired, then anything settled. Unsettled ones are bounded by
// the limit on concurrent queries.
func (v *verdicts) makeRoom(now time.Time) {
	if len(v.byName) < verdictsMost {
		return
	}
	for name, held := range v.byName {
		if !held.expires.IsZero() && now.After(held.expires) {
			delete(v.byName, name)
		}
	}
	for name, held := range v.byName {
		if len(v.byName) < verdictsMost/2 {
			return
		}
		if !held.expires.IsZero() {
			delete(v.byName, name)
		}
	}
}

// forget drops what is settled; who waits for a verdict still gets it.
func (v *verdicts) forget() {
	v.mutex.Lock()
	defer v.mutex.Unlock()
	clear(v.byName)
}
