package gateway

import (
	"bytes"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

func testResolver(t testing.TB, asked *atomic.Int64) *resolver {
	t.Helper()
	ask := func(name, qtype, transport string) (allow, ok bool) {
		if asked != nil {
			asked.Add(1)
		}
		return strings.HasSuffix(name, "allowed.test"), name != "silent.test"
	}
	return newResolver(ask, newNames([][4]byte{{198, 18, 0, 2}}), newRefusals(func(message) error { return nil }))
}

func query(name string, kind dnsmessage.Type) dnsmessage.Message {
	return dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: kind, Class: dnsmessage.ClassINET}},
	}
}

func withEDNS(m dnsmessage.Message, version uint32, options ...dnsmessage.Option) dnsmessage.Message {
	var header dnsmessage.ResourceHeader
	header.SetEDNS0(4096, dnsmessage.RCodeSuccess, false)
	header.TTL |= version << 16
	m.Additionals = append(m.Additionals, dnsmessage.Resource{Header: header, Body: &dnsmessage.OPTResource{Options: options}})
	return m
}

func pack(t testing.TB, m dnsmessage.Message) []byte {
	t.Helper()
	packet, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return packet
}

func TestAnswers(t *testing.T) {
	const aaaa, a, https = dnsmessage.TypeAAAA, dnsmessage.TypeA, dnsmessage.Type(65)
	const ok, none, failed = dnsmessage.RCodeSuccess, dnsmessage.RCodeNameError, dnsmessage.RCodeServerFailure
	resolver := testResolver(t, nil)
	for _, row := range []struct {
		name    string
		kind    dnsmessage.Type
		rcode   dnsmessage.RCode
		address string
	}{
		{"allowed.test.", a, ok, "198.18.0.1"},
		{"allowed.test.", a, ok, "198.18.0.1"},
		{"aLLowed.TEST.", a, ok, "198.18.0.1"},
		{"www.allowed.test.", a, ok, "198.18.0.3"}, // .2 is a literal
		{"allowed.test.", aaaa, ok, ""},
		{"allowed.test.", https, ok, ""},
		{"_http._tcp.allowed.test.", dnsmessage.TypeSRV, ok, ""},
		{"other.test.", a, none, ""},
		{"other.test.", aaaa, none, ""},
		{"1.0.18.198.in-addr.arpa.", dnsmessage.TypePTR, none, ""},
		{"localhost.", a, ok, "127.0.0.1"},
		{"localhost.", aaaa, ok, ""},
		{"db.localhost.", a, ok, "127.0.0.1"},
		{".", dnsmessage.TypeNS, none, ""},
		{"a b.allowed.test.", a, none, ""},
		{"\xff.allowed.test.", a, none, ""},
		{"\x00.allowed.test.", a, none, ""},
		{"silent.test.", a, failed, ""},
	} {
		var response dnsmessage.Message
		if err := response.Unpack(resolver.respond(pack(t, query(row.name, row.kind)), "udp")); err != nil {
			t.Fatalf("%q: %v", row.name, err)
		}
		if response.ID != 7 || !response.Response || !response.RecursionAvailable || !response.RecursionDesired || response.RCode != row.rcode {
			t.Errorf("%q %v: header %+v, want %v", row.name, row.kind, response.Header, row.rcode)
		}
		if len(response.Questions) != 1 || response.Questions[0].Name.String() != row.name {
			t.Errorf("%q: the question is not echoed: %v", row.name, response.Questions)
		}
		if got := firstAddress(response); got != row.address {
			t.Errorf("%q %v: address %q, want %q", row.name, row.kind, got, row.address)
		}
		if soa := len(response.Authorities); (row.address == "" && row.rcode != failed) != (soa == 1) {
			t.Errorf("%q %v: %d SOA records", row.name, row.kind, soa)
		}
	}
}

func firstAddress(m dnsmessage.Message) string {
	if len(m.Answers) != 1 {
		return ""
	}
	resource, ok := m.Answers[0].Body.(*dnsmessage.AResource)
	if !ok || m.Answers[0].Header.TTL != answerTTLSeconds {
		return "wrong record"
	}
	var text []string
	for _, part := range resource.A {
		text = append(text, string(appendInt(nil, part)))
	}
	return strings.Join(text, ".")
}

func appendInt(text []byte, part byte) []byte {
	if part >= 10 {
		text = appendInt(text, part/10)
	}
	return append(text, '0'+part%10)
}

// What the host logs, and proposes a rule for, is the host a record belongs to.
func TestRecordsOfAHostAreJudgedByItsName(t *testing.T) {
	for _, row := range []struct {
		asked string
		kind  dnsmessage.Type
		want  string
	}{
		{"_http._tcp.only.allowed.test.", dnsmessage.TypeSRV, "only.allowed.test"},
		{"_443._tcp.only.allowed.test.", dnsmessage.Type(52), "only.allowed.test"},
		{"_dmarc.other.test.", dnsmessage.TypeTXT, "other.test"},
		{"_http._tcp.other.test.", dnsmessage.TypeA, "_http._tcp.other.test"},
		{"_http._tcp.other.test.", dnsmessage.TypeAAAA, "_http._tcp.other.test"},
		{"x._tcp.other.test.", dnsmessage.TypeSRV, "x._tcp.other.test"},
		{"_tcp.", dnsmessage.TypeSRV, "_tcp"},
	} {
		var judged []string
		resolver := testResolver(t, nil)
		resolver.verdicts.ask = func(name, qtype, transport string) (allow, ok bool) {
			judged = append(judged, name)
			return name == "only.allowed.test", true
		}
		var response dnsmessage.Message
		if err := response.Unpack(resolver.respond(pack(t, query(row.asked, row.kind)), "udp")); err != nil {
			t.Fatalf("%q: %v", row.asked, err)
		}
		if len(judged) != 1 || judged[0] != row.want {
			t.Errorf("%q %v: judged %q, want %q", row.asked, row.kind, judged, row.want)
		}
		if allowed := row.want == "only.allowed.test"; allowed != (response.RCode == dnsmessage.RCodeSuccess) || len(response.Answers) != 0 {
			t.Errorf("%q %v: %v, answers %v", row.asked, row.kind, response.RCode, response.Answers)
		}
	}
}

func TestMalformedPackets(t *testing.T) {
	const silence = dnsmessage.RCode(0xffff)
	const form, unsupported, refused = dnsmessage.RCodeFormatError, dnsmessage.RCodeNotImplemented, dnsmessage.RCodeRefused
	good := pack(t, query("allowed.test.", dnsmessage.TypeA))
	edit := func(change func(*dnsmessage.Message)) []byte {
		m := query("allowed.test.", dnsmessage.TypeA)
		change(&m)
		return pack(t, m)
	}
	answer := dnsmessage.Resource{
		Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName("x."), Class: dnsmessage.ClassINET},
		Body:   &dnsmessage.AResource{},
	}
	beyond := pack(t, withEDNS(query("allowed.test.", dnsmessage.TypeA), 0, dnsmessage.Option{Code: 10, Data: []byte("12345678")}))
	beyond[len(beyond)-13] = 1 // the record's length, in front of one option of 12 bytes
	pointer := append(append([]byte(nil), good[:12]...), 0xc0, 0x0c, 0, 1, 0, 1)
	dotted := append(append([]byte(nil), good[:12]...), 3, 'a', '.', 'b', 0, 0, 1, 0, 1)
	for name, row := range map[string]struct {
		packet []byte
		rcode  dnsmessage.RCode
	}{
		"empty":                         {nil, silence},
		"half a header":                 {good[:7], silence},
		"an answer":                     {edit(func(m *dnsmessage.Message) { m.Response = true }), silence},
		"a header alone":                {good[:12], form},
		"a question cut short":          {good[:len(good)-1], form},
		"a byte too many":               {append(bytes.Clone(good), 0), form},
		"no question":                   {edit(func(m *dnsmessage.Message) { m.Questions = nil }), form},
		"two questions":                 {edit(func(m *dnsmessage.Message) { m.Questions = append(m.Questions, m.Questions[0]) }), form},
		"an answer in it":               {edit(func(m *dnsmessage.Message) { m.Answers = append(m.Answers, answer) }), form},
		"an authority in it":            {edit(func(m *dnsmessage.Message) { m.Authorities = append(m.Authorities, answer) }), form},
		"an additional that is not OPT": {edit(func(m *dnsmessage.Message) { m.Additionals = append(m.Additionals, answer) }), form},
		"two OPT":                       {edit(func(m *dnsmessage.Message) { *m = withEDNS(withEDNS(*m, 0), 0) }), form},
		"an EDNS option beyond its OPT": {beyond, form},
		"a name that points at itself":  {pointer, form},
		"a dot within a label":          {dotted, form},
		"an update":                     {edit(func(m *dnsmessage.Message) { m.OpCode = 5 }), unsupported},
		"CHAOS":                         {edit(func(m *dnsmessage.Message) { m.Questions[0].Class = dnsmessage.ClassCHAOS }), refused},
	} {
		var asked atomic.Int64
		response := testResolver(t, &asked).respond(row.packet, "udp")
		if asked.Load() != 0 {
			t.Errorf("%s: the host was asked", name)
		}
		if row.rcode == silence {
			if response != nil {
				t.Errorf("%s: answered", name)
			}
			continue
		}
		var got dnsmessage.Message
		if err := got.Unpack(response); err != nil || got.ID != 7 || got.RCode != row.rcode || len(got.Answers) != 0 {
			t.Errorf("%s: %v %+v, want %v", name, err, got.Header, row.rcode)
		}
	}
}

func TestEDNSIsAnsweredWithEDNS(t *testing.T) {
	cookie := dnsmessage.Option{Code: 10, Data: []byte("12345678")}
	for version, want := range map[uint32]dnsmessage.RCode{0: dnsmessage.RCodeSuccess, 1: rcodeBadVersion} {
		packet := pack(t, withEDNS(query("allowed.test.", dnsmessage.TypeA), version, cookie))
		var got dnsmessage.Message
		if err := got.Unpack(testResolver(t, nil).respond(packet, "udp")); err != nil {
			t.Fatal(err)
		}
		if len(got.Additionals) != 1 || got.Additionals[0].Header.ExtendedRCode(got.RCode) != want {
			t.Errorf("version %d: %+v", version, got)
		}
	}
}

func TestLongestNameFitsPlainUDP(t *testing.T) {
	label := strings.Repeat("a", 48) + "."
	longest := strings.Repeat(label, 4) + strings.Repeat("b", 42) + ".allowed.test."
	for _, name := range []string{longest, strings.ReplaceAll(longest, "allowed", "unknown")} {
		response := testResolver(t, nil).respond(pack(t, query(name, dnsmessage.TypeAAAA)), "udp")
		if len(response) == 0 || len(response) > plainUDPBytes {
			t.Errorf("%d bytes", len(response))
		}
	}
}

func TestHostIsAskedOncePerName(t *testing.T) {
	var asked atomic.Int64
	resolver := testResolver(t, &asked)
	var group sync.WaitGroup
	for i := range 200 {
		kind := []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA}[i%2]
		group.Go(func() { resolver.respond(pack(t, query("allowed.test.", kind)), "udp") })
	}
	group.Wait()
	if asked.Load() != 1 {
		t.Errorf("asked %d times", asked.Load())
	}
}

func TestVerdictsAndNamesAreBounded(t *testing.T) {
	resolver := testResolver(t, nil)
	seen := map[[4]byte]bool{}
	for i := range namesMost + 10 {
		name := "n" + string(appendNumber(nil, i)) + ".allowed.test"
		resolver.verdicts.on(name, "A", "udp")
		address, ok := resolver.names.addressOf(name)
		if ok != (i < namesMost) {
			t.Fatalf("name %d: %v", i, ok)
		}
		if !ok {
			continue
		}
		back, _ := resolver.names.nameOf(address)
		if seen[address] || back != name || address[0] != 198 || address[1]&^1 != 18 || address[3] == 0 || address[3] == 255 {
			t.Fatalf("name %d: bad address %v", i, address)
		}
		seen[address] = true
	}
	if held := len(resolver.verdicts.byName); held > verdictsMost {
		t.Errorf("%d verdicts held", held)
	}
	packet := resolver.respond(pack(t, query("one.more.allowed.test.", dnsmessage.TypeA)), "udp")
	var got dnsmessage.Message
	if err := got.Unpack(packet); err != nil || got.RCode != dnsmessage.RCodeServerFailure {
		t.Errorf("a full table: %v %v", err, got.RCode)
	}
}

func appendNumber(text []byte, number int) []byte {
	if number >= 10 {
		text = appendNumber(text, number/10)
	}
	return append(text, '0'+byte(number%10))
}
