#!/bin/sh
# Installs nektos/act, which runs the action's workflow test, into DIRECTORY (default: where `go install` puts programs).
# Usage: scripts/install-act.sh [DIRECTORY]. Needs Go; the module proxy's checksum database verifies what is built.
set -eu
version=v0.2.89
directory=${1:-$(go env GOPATH)/bin}
mkdir -p "$directory"
GOBIN=$(cd "$directory" && pwd) go install "github.com/nektos/act@$version"
"$directory/act" --version
