package keeper

import (
	"testing"
	"time"
)

// A workspace of 20,000 files in 400 directories; the figures are in the log of `go test -v -run Timings`.
func TestTimings(t *testing.T) {
	for _, row := range []struct {
		name  string
		chown *owner
	}{{"as it is", nil}, {"chowned", &owner{UID: 1001, GID: 1001}}} {
		t.Run(row.name, func(t *testing.T) {
			r := newRun(t)
			r.lower(`for d in $(seq 400); do mkdir -p src/$((d%20))/$d; (cd src/$((d%20))/$d; for f in $(seq 50); do echo "$d $f" > $f.txt; done); done`)
			opened, filled := r.open(10<<30, row.chown)
			t.Logf("open: %+v, fill: %+v", *opened, *filled)
			for _, script := range []string{"true", `for f in src/1/*/7.txt; do echo more >> $f; done; echo new > new; rm src/2/2/1.txt`} {
				r.sandbox(script)
				begun := time.Now()
				patched, _ := r.patch()
				t.Logf("patch of %d files: %s", patched.Files, time.Since(begun).Round(100*time.Microsecond))
			}
			u, err := r.k.usage(false)
			must(t, err)
			t.Logf("disk: %d inodes, baseline %d free of %d blocks", u.InodesFree, r.k.baseline.Bfree, r.k.baseline.Blocks)
		})
	}
}
