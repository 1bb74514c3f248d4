package gateway

import (
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// Answers do not change during a run; this only bounds how long a client goes without asking the host again.
const answerTTLSeconds = 60

// resolver answers DNS from the host's verdicts and never forwards anything: a question must not carry data out.
type resolver struct {
	verdicts *verdicts
	names    *names
	refusals *refusals
	slots    chan struct{}
}

// A resolver library sends two questions a name; beyond this many at once they wait, unread, in the socket.
const queriesMost = 256

func newResolver(ask func(name, qtype, transport string) (allow, ok bool), names *names, refusals *refusals) *resolver {
	return &resolver{verdicts: newVerdicts(ask), names: names, refusals: refusals, slots: make(chan struct{}, queriesMost)}
}

// forget makes the resolver as it was before the first question.
func (r *resolver) forget() {
	r.verdicts.forget()
	r.names.forget()
}

// respond returns the answer to one packet, or nil when it deserves none.
func (r *resolver) respond(packet []byte, transport string) []byte {
	q, rejected := parseQuestion(packet)
	if rejected != nil {
		if rejected.silence {
			return nil
		}
		return rejectionBytes(q, rejected.rcode)
	}
	rcode, addresses := r.decide(q, transport)
	response := answerBytes(q, rcode, addresses)
	if transport == "udp" && len(response) > q.udpBytes {
		return truncatedBytes(q)
	}
	return response
}

// decide judges one question.
//
// A denied name is NXDOMAIN, the only code every resolver takes for a final "no such host" at once. REFUSED reads
// better, but glibc makes of it (and of SERVFAIL) EAI_AGAIN, "temporary failure", which clients retry; c-ares makes
// EREFUSED, which reads as a refused connection; and musl ignores it and waits for its whole timeout. The price is
// RFC 8020: a caching resolver *inside* the sandbox may conclude that nothing below a denied name exists either.
//
// An allowed name has IPv4 only, and its other types are NODATA, not errors: musl fails the whole lookup when its
// AAAA half does.
func (r *resolver) decide(q question, transport string) (dnsmessage.RCode, [][4]byte) {
	isAddress := q.asked.Type == dnsmessage.TypeA
	if q.name == "localhost" || strings.HasSuffix(q.name, ".localhost") { // RFC 6761, 6.3
		if isAddress {
			return dnsmessage.RCodeSuccess, [][4]byte{{127, 0, 0, 1}}
		}
		return dnsmessage.RCodeSuccess, nil
	}
	if !wellFormed(q.name) {
		r.refusals.report(message{Reason: "malformed-name"})
		return dnsmessage.RCodeNameError, nil
	}
	allow, known := r.verdicts.on(judgedName(q), typeText(q.asked.Type), transport)
	switch {
	case !known:
		return dnsmessage.RCodeServerFailure, nil
	case !allow:
		return dnsmessage.RCodeNameError, nil
	case !isAddress:
		return dnsmessage.RCodeSuccess, nil
	}
	address, ok := r.names.addressOf(q.name)
	if !ok {
		r.refusals.report(message{Reason: "capacity", Name: q.name})
		return dnsmessage.RCodeServerFailure, nil
	}
	return dnsmessage.RCodeSuccess, [][4]byte{address}
}

// judgedName is whose name a question is about. `_https._tcp.example.com` is no host, but a record of example.com's
// (RFC 8552): clients such as apt ask for it before the host, and a rule for it would allow nothing.
func judgedName(q question) string {
	if q.asked.Type == dnsmessage.TypeA || q.asked.Type == dnsmessage.TypeAAAA {
		return q.name
	}
	name := q.name
	for strings.HasPrefix(name, "_") {
		_, parent, found := strings.Cut(name, ".")
		if !found {
			return q.name
		}
		name = parent
	}
	return name
}
