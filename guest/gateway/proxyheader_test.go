package gateway

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/pires/go-proxyproto"
)

func TestProxyHeaderBytes(t *testing.T) {
	header, err := proxyHeader(
		&net.TCPAddr{IP: net.IPv4(198, 18, 0, 1), Port: 40000},
		&net.TCPAddr{IP: net.IPv4(198, 18, 0, 1), Port: 443},
		"api.example.com")
	want := "0d0a0d0a000d0a515549540a" + // signature
		"21" + "11" + "001e" + // PROXY v2, TCP over IPv4, 30 bytes follow
		"c6120001" + "c6120001" + "9c40" + "01bb" +
		"02" + "000f" + hex.EncodeToString([]byte("api.example.com"))
	if got := hex.EncodeToString(header); err != nil || got != want {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
	long, err := proxyHeader(&net.TCPAddr{IP: net.IPv4zero}, &net.TCPAddr{IP: net.IPv4zero}, strings.Repeat("a", 253))
	if err != nil || !bytes.HasSuffix(long, bytes.Repeat([]byte("a"), 253)) {
		t.Errorf("the longest name: %v", err)
	}
}

// What is written is what a reader of the specification reads, for every address and name.
func FuzzProxyHeader(f *testing.F) {
	f.Add([]byte{198, 18, 0, 1, 198, 18, 0, 1}, uint16(40000), uint16(443), "api.example.com")
	f.Add([]byte{0, 0, 0, 0, 255, 255, 255, 255}, uint16(0), uint16(65535), strings.Repeat("a", 253))
	f.Fuzz(func(t *testing.T, addresses []byte, from, to uint16, name string) {
		if len(addresses) != 8 || len(name) > 1000 {
			return
		}
		source := &net.TCPAddr{IP: addresses[:4], Port: int(from)}
		destination := &net.TCPAddr{IP: addresses[4:], Port: int(to)}
		written, err := proxyHeader(source, destination, name)
		if err != nil {
			t.Fatal(err)
		}
		body := slices.Concat(addresses, binary.BigEndian.AppendUint16(nil, from), binary.BigEndian.AppendUint16(nil, to),
			[]byte{2}, binary.BigEndian.AppendUint16(nil, uint16(len(name))), []byte(name))
		want := slices.Concat([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11"), binary.BigEndian.AppendUint16(nil, uint16(len(body))), body)
		if !bytes.Equal(written, want) {
			t.Fatalf("\n got %x\nwant %x", written, want)
		}
		reader := bufio.NewReader(io.MultiReader(bytes.NewReader(written), strings.NewReader("behind")))
		read, err := proxyproto.Read(reader)
		if err != nil || read.SourceAddr.String() != source.String() || read.DestinationAddr.String() != destination.String() {
			t.Fatalf("read again: %v %+v", err, read)
		}
		if behind, _ := io.ReadAll(reader); string(behind) != "behind" {
			t.Fatalf("behind the header: %q", behind)
		}
	})
}
