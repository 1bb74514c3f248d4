package gateway

import "golang.org/x/net/dns/dnsmessage"

// answerBytes builds the response; one without an address carries an SOA, so that clients cache the absence too (RFC 2308).
func answerBytes(q question, rcode dnsmessage.RCode, addresses [][4]byte) []byte {
	response := respondTo(q, rcode)
	response.Questions = []dnsmessage.Question{q.asked}
	owner := dnsmessage.ResourceHeader{Name: q.asked.Name, Class: dnsmessage.ClassINET, TTL: answerTTLSeconds}
	for _, address := range addresses {
		response.Answers = append(response.Answers, dnsmessage.Resource{Header: owner, Body: &dnsmessage.AResource{A: address}})
	}
	if len(addresses) == 0 && rcode != dnsmessage.RCodeServerFailure {
		response.Authorities = []dnsmessage.Resource{{Header: owner, Body: &dnsmessage.SOAResource{
			NS: q.asked.Name, MBox: q.asked.Name, Serial: 1,
			Refresh: answerTTLSeconds, Retry: answerTTLSeconds, Expire: answerTTLSeconds, MinTTL: answerTTLSeconds,
		}}}
	}
	return packed(q, response)
}

// rejectionBytes answers without the question, which may be the part that did not parse.
func rejectionBytes(q question, rcode dnsmessage.RCode) []byte {
	return packed(q, respondTo(q, rcode))
}

// truncatedBytes tells a client to ask again over TCP.
func truncatedBytes(q question) []byte {
	response := respondTo(q, dnsmessage.RCodeSuccess)
	response.Truncated = true
	response.Questions = []dnsmessage.Question{q.asked}
	return packed(q, response)
}

func respondTo(q question, rcode dnsmessage.RCode) dnsmessage.Message {
	response := dnsmessage.Message{Header: dnsmessage.Header{
		ID: q.id, Response: true, RecursionDesired: q.recursionDesired, RecursionAvailable: true, RCode: rcode & 0xf,
	}}
	if q.edns {
		var header dnsmessage.ResourceHeader
		if header.SetEDNS0(ednsUDPBytes, rcode, false) == nil {
			response.Additionals = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.OPTResource{}}}
		}
	}
	return response
}

// packed cannot fail on names that were just parsed; should it ever, the client gets SERVFAIL, not silence.
func packed(q question, response dnsmessage.Message) []byte {
	if encoded, err := response.Pack(); err == nil {
		return encoded
	}
	failure := respondTo(question{id: q.id}, dnsmessage.RCodeServerFailure)
	encoded, _ := failure.Pack()
	return encoded
}
