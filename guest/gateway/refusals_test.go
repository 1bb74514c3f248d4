package gateway

import "testing"

func TestRefusalsAreLimitedAndCounted(t *testing.T) {
	sent := make(chan message, 1000)
	refusals := newRefusals(func(m message) error { sent <- m; return nil })
	for range 500 {
		refusals.report(message{Reason: "no-name-for-address", Address: "198.18.3.4", Port: 443})
	}
	for range refusalsPerSecond {
		if m := <-sent; m.Type != "refused" || m.Reason != "no-name-for-address" {
			t.Fatalf("%+v", m)
		}
	}
	if m := <-sent; m.Reason != "suppressed" || m.Count != 500-refusalsPerSecond {
		t.Errorf("%+v", m)
	}
}
