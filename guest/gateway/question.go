package gateway

import (
	"strconv"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// question is what one well-formed query asks.
type question struct {
	id               uint16
	recursionDesired bool
	asked            dnsmessage.Question
	name             string // lower case, no trailing dot; the echoed question keeps the client's spelling (0x20)
	edns             bool
	udpBytes         int
}

// rejection is the code a malformed or unsupported query is answered with; silence is not to answer it at all.
type rejection struct {
	rcode   dnsmessage.RCode
	silence bool
}

const (
	headerBytes     = 12
	plainUDPBytes   = 512  // RFC 1035, 4.2.1
	ednsUDPBytes    = 1232 // the DNS flag day's size: no fragments
	rcodeBadVersion = dnsmessage.RCode(16)
)

// parseQuestion accepts exactly one question, at most one EDNS record, and not a byte more: what a stub resolver
// sends. Everything else is rejected before anything is asked of the host.
func parseQuestion(packet []byte) (question, *rejection) {
	var q question
	var parser dnsmessage.Parser
	header, err := parser.Start(packet)
	if err != nil || header.Response {
		return q, &rejection{silence: true} // answering an answer invites a loop
	}
	q.id, q.recursionDesired = header.ID, header.RecursionDesired
	if header.OpCode != 0 {
		return q, &rejection{rcode: dnsmessage.RCodeNotImplemented}
	}
	malformed := &rejection{rcode: dnsmessage.RCodeFormatError}
	asked, err := parser.AllQuestions()
	if err != nil || len(asked) != 1 {
		return q, malformed
	}
	q.asked = asked[0]
	if _, err := parser.AnswerHeader(); err != dnsmessage.ErrSectionDone {
		return q, malformed
	}
	if _, err := parser.AuthorityHeader(); err != dnsmessage.ErrSectionDone {
		return q, malformed
	}
	expected := headerBytes + wireBytes(q.asked.Name) + 4
	extra, rejected := q.parseAdditional(&parser)
	if rejected != nil {
		return q, rejected
	}
	if expected+extra != len(packet) {
		return q, malformed
	}
	if q.asked.Class != dnsmessage.ClassINET {
		return q, &rejection{rcode: dnsmessage.RCodeRefused}
	}
	q.name = strings.ToLower(strings.TrimSuffix(q.asked.Name.String(), "."))
	return q, nil
}

// parseAdditional reads the EDNS record, RFC 6891, if there is one, and returns its length on the wire.
func (q *question) parseAdditional(parser *dnsmessage.Parser) (length int, rejected *rejection) {
	malformed := &rejection{rcode: dnsmessage.RCodeFormatError}
	q.udpBytes = plainUDPBytes
	for {
		header, err := parser.AdditionalHeader()
		if err == dnsmessage.ErrSectionDone {
			return length, nil
		}
		if err != nil || header.Type != dnsmessage.TypeOPT || header.Name.String() != "." || q.edns {
			return 0, malformed
		}
		options, err := parser.OPTResource()
		if err != nil {
			return 0, malformed
		}
		q.edns = true
		q.udpBytes = min(max(int(header.Class), plainUDPBytes), ednsUDPBytes)
		optionsBytes := 0
		for _, option := range options.Options {
			optionsBytes += 4 + len(option.Data)
		}
		// The parser lets the last option reach beyond the record.
		if optionsBytes != int(header.Length) {
			return 0, malformed
		}
		length = 11 + optionsBytes
		if version := byte(header.TTL >> 16); version != 0 {
			return 0, &rejection{rcode: rcodeBadVersion}
		}
	}
}

// wireBytes is the uncompressed length: compression in the only name of a query has no honest use.
func wireBytes(name dnsmessage.Name) int {
	if name.Length == 1 {
		return 1
	}
	return int(name.Length) + 1
}

// wellFormed admits only what the host can put in a rule and a log: letters, digits, hyphen and, for SRV, underscore.
func wellFormed(name string) bool {
	if name == "" {
		return false
	}
	for _, character := range []byte(name) {
		switch {
		case character >= 'a' && character <= 'z', character >= '0' && character <= '9':
		case character == '-', character == '_', character == '.':
		default:
			return false
		}
	}
	return true
}

// typeText is the type's name in the log; RFC 3597 for the ones without.
func typeText(kind dnsmessage.Type) string {
	switch kind {
	case dnsmessage.TypeA:
		return "A"
	case dnsmessage.TypeAAAA:
		return "AAAA"
	case dnsmessage.TypeCNAME:
		return "CNAME"
	case dnsmessage.TypeMX:
		return "MX"
	case dnsmessage.TypeNS:
		return "NS"
	case dnsmessage.TypePTR:
		return "PTR"
	case dnsmessage.TypeSOA:
		return "SOA"
	case dnsmessage.TypeSRV:
		return "SRV"
	case dnsmessage.TypeTXT:
		return "TXT"
	case dnsmessage.TypeALL:
		return "ANY"
	case 64:
		return "SVCB"
	case 65:
		return "HTTPS"
	default:
		return "TYPE" + strconv.Itoa(int(kind))
	}
}
