package gateway

import "testing"

func TestFirstPrivilege(t *testing.T) {
	bare := "Name:\tx\nUid:\t7\t7\t7\t7\nGid:\t8\t8\t8\t8\nGroups:\t \nNoNewPrivs:\t1\n" +
		"CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\nCapAmb:\t0000000000000000\n"
	replaced := func(old, new string) string {
		for i := 0; i+len(old) <= len(bare); i++ {
			if bare[i:i+len(old)] == old {
				return bare[:i] + new + bare[i+len(old):]
			}
		}
		t.Fatalf("no %q", old)
		return ""
	}
	for name, row := range map[string]struct{ status, want string }{
		"nothing left":   {bare, ""},
		"saved uid":      {replaced("Uid:\t7\t7\t7\t7", "Uid:\t7\t7\t0\t7"), "Uid:\t7\t7\t0\t7"},
		"a group":        {replaced("Groups:\t ", "Groups:\t0"), "Groups:\t0"},
		"bounding set":   {replaced("CapBnd:\t0000000000000000", "CapBnd:\t0000000000001000"), "CapBnd:\t0000000000001000"},
		"new privileges": {replaced("NoNewPrivs:\t1", "NoNewPrivs:\t0"), "NoNewPrivs:\t0"},
		"a line missing": {replaced("CapAmb:\t0000000000000000\n", ""), "no CapAmb line"},
	} {
		if got := firstPrivilege(row.status, 7, 8); got != row.want {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
}
