package gateway

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func addQuestions(f *testing.F) {
	for _, name := range []string{"allowed.test.", "aLLowed.TEST.", "other.test.", "localhost.", "a b.allowed.test.", "."} {
		f.Add(pack(f, query(name, dnsmessage.TypeA)))
		f.Add(pack(f, withEDNS(query(name, dnsmessage.TypeAAAA), 0, dnsmessage.Option{Code: 10, Data: []byte("12345678")})))
	}
	f.Add(pack(f, withEDNS(query("allowed.test.", dnsmessage.TypeA), 1)))
	f.Add([]byte{0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 0x0c, 0, 1, 0, 1}) // a name that points at itself
}

// A question that is accepted, written again by hand, is the packet, but for the flags that ask for nothing: there is nowhere to hide a byte
// outside the name and the EDNS options, which go no further.
func FuzzParseQuestion(f *testing.F) {
	addQuestions(f)
	f.Fuzz(func(t *testing.T, packet []byte) {
		q, rejected := parseQuestion(packet)
		if rejected != nil {
			return
		}
		written := writeQuestion(q)
		if binary.BigEndian.Uint16(packet) != q.id || packet[2]&0xf8 != 0 || packet[2]&1 == 1 != q.recursionDesired {
			t.Fatalf("another header: %x %+v", packet[:4], q)
		}
		if !bytes.Equal(packet[4:10], written[4:10]) || !bytes.HasPrefix(packet[headerBytes:], written[headerBytes:]) {
			t.Fatalf("\n  got %x\nwrote %x", packet, written)
		}
		rest := packet[len(written):]
		if q.edns != (binary.BigEndian.Uint16(packet[10:]) == 1) || q.edns == (len(rest) == 0) {
			t.Fatalf("EDNS is %v with %x", q.edns, rest)
		}
		if q.edns && (!bytes.HasPrefix(rest, []byte{0, 0, 41}) || len(rest) != 11+int(binary.BigEndian.Uint16(rest[9:]))) {
			t.Fatalf("no EDNS record: %x", rest)
		}
		if q.udpBytes < plainUDPBytes || q.udpBytes > ednsUDPBytes {
			t.Fatalf("%d bytes over UDP", q.udpBytes)
		}
	})
}

// writeQuestion is RFC 1035, 4.1: the header with one question, and the question.
func writeQuestion(q question) []byte {
	written := append(binary.BigEndian.AppendUint16(nil, q.id), 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)
	if text := strings.TrimSuffix(q.asked.Name.String(), "."); text != "" {
		for _, label := range strings.Split(text, ".") {
			written = append(append(written, byte(len(label))), label...)
		}
	}
	written = append(written, 0)
	written = binary.BigEndian.AppendUint16(written, uint16(q.asked.Type))
	return binary.BigEndian.AppendUint16(written, uint16(q.asked.Class))
}

// Every answer parses, answers this very question, fits, and gives an address to nothing but an allowed name; the host is asked about names only that fit a rule and a log.
func FuzzRespond(f *testing.F) {
	addQuestions(f)
	f.Fuzz(func(t *testing.T, packet []byte) {
		var asked []string
		ask := func(name, qtype, transport string) (allow, ok bool) {
			asked = append(asked, name)
			return strings.HasSuffix(name, "allowed.test"), name != "silent.test"
		}
		resolver := newResolver(ask, newNames(nil), newRefusals(func(message) error { return nil }))
		overUDP, overTCP := resolver.respond(packet, "udp"), resolver.respond(packet, "tcp")
		for _, name := range asked {
			if len(name) == 0 || len(name) > 253 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" || strings.Contains(name, "..") {
				t.Fatalf("asked about %q", name)
			}
		}
		if (overUDP == nil) != (overTCP == nil) {
			t.Fatalf("%x over UDP, %x over TCP", overUDP, overTCP)
		}
		if overUDP == nil {
			return
		}
		if got := checkAnswer(t, overTCP, packet); !bytes.Equal(overUDP, overTCP) && !(checkAnswer(t, overUDP, packet).Truncated && len(overTCP) > plainUDPBytes) {
			t.Fatalf("another answer over UDP: %+v, over TCP: %+v", overUDP, got)
		}
		if len(overUDP) > ednsUDPBytes {
			t.Fatalf("%d bytes over UDP", len(overUDP))
		}
	})
}

func checkAnswer(t *testing.T, response, packet []byte) dnsmessage.Message {
	var got dnsmessage.Message
	if err := got.Unpack(response); err != nil {
		t.Fatalf("an answer that does not parse: %v", err)
	}
	if !got.Response || got.ID != binary.BigEndian.Uint16(packet) {
		t.Fatalf("not an answer to this query: %+v", got.Header)
	}
	q, rejected := parseQuestion(packet)
	if rejected != nil {
		if len(got.Questions)+len(got.Answers)+len(got.Authorities) > 0 || got.RCode == dnsmessage.RCodeSuccess && rejected.rcode&0xf != 0 {
			t.Fatalf("what was rejected is answered: %+v", got)
		}
		return got
	}
	if len(got.Questions) != 1 || got.Questions[0] != q.asked {
		t.Fatalf("the question is not echoed: %+v", got.Questions)
	}
	name := strings.ToLower(strings.TrimSuffix(q.asked.Name.String(), "."))
	isOurs := strings.HasSuffix("."+name, ".localhost") || strings.HasSuffix(name, "allowed.test")
	if len(got.Answers) > 0 && (!isOurs || q.asked.Type != dnsmessage.TypeA || got.RCode != dnsmessage.RCodeSuccess) {
		t.Fatalf("an address for %q: %+v", name, got.Answers)
	}
	return got
}
