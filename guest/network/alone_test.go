package network

import (
	"net"
	"testing"
)

func TestCheckAlone(t *testing.T) {
	loopback := net.Interface{Name: "lo", Flags: net.FlagUp | net.FlagLoopback}
	for name, row := range map[string]struct {
		interfaces []net.Interface
		alone      bool
	}{
		"the loopback interface":               {[]net.Interface{loopback}, true},
		"one that is not up yet":               {[]net.Interface{{Name: "lo", Flags: net.FlagLoopback}}, true},
		"a tunnel of the kernel's, down":       {[]net.Interface{loopback, {Name: "tunl0"}}, true},
		"a network card":                       {[]net.Interface{loopback, {Name: "eth0", Flags: net.FlagUp | net.FlagBroadcast}}, false},
		"a bridge before the loopback one":     {[]net.Interface{{Name: "docker0", Flags: net.FlagUp}, loopback}, false},
		"a namespace without anything (no lo)": {nil, false},
	} {
		if err := checkAlone(row.interfaces); (err == nil) != row.alone {
			t.Errorf("%s: %v", name, err)
		}
	}
}
