#!/bin/sh
# Builds gVisor's runsc for the tests and prints the path of the program. Usage: scripts/install-runsc.sh [DIRECTORY]
# Needs Go >= 1.26.3; the module proxy's checksum database verifies what is built. Takes minutes once, and nothing where DIRECTORY
# (default: a cache of this user's) has that version already. Several at once do no harm: the program gets its name when it is whole.
set -eu
version=v0.0.0-20260905035102-160fafc42237
directory=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/decoy-tests}
mkdir -p "$directory"
program=$(cd "$directory" && pwd)/runsc-$version
if [ ! -x "$program" ]; then
	work=$(mktemp -d)
	trap 'rm -rf "$work"' EXIT
	cd "$work"
	# The module's "go" branch is the one that builds with the plain toolchain; a version with a timestamp is of that branch.
	printf 'module runsc\n\ngo 1.26.3\n\nrequire gvisor.dev/gvisor %s\n' "$version" >go.mod
	echo "building runsc $version, which takes some minutes" >&2
	CGO_ENABLED=0 timeout 1200 go build -mod=mod -trimpath -ldflags='-s -w' -o runsc gvisor.dev/gvisor/runsc >&2
	install -m 755 runsc "$program.$$"
	mv "$program.$$" "$program"
fi
echo "$program"
