package gateway

import (
	"bytes"
	"encoding/hex"
	"net"
	"strings"
	"testing"
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
