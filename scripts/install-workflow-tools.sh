#!/bin/sh
# Installs what the tests of workflows use: nektos/act, which runs them, actionlint and zizmor, which judge them. One version each, under
# names that have it, in DIRECTORY (default: a cache of this user's). Usage: scripts/install-workflow-tools.sh [DIRECTORY]
# Needs Go and pip. Go's checksum database verifies what is built. Takes some minutes once, and nothing where they are there already.
set -eu
act=v0.2.89 actionlint=v1.7.12 zizmor=1.32.0
directory=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/decoy-tests}
mkdir -p "$directory"
directory=$(cd "$directory" && pwd)

work=$(mktemp -d "$directory/build.XXXXXX")
trap 'rm -rf "$work"' EXIT

# Several at once do no harm: a program gets its name when it is whole.
build() {
	[ ! -x "$directory/$1-$3" ] || return 0
	echo "building $1 $3" >&2
	(cd / && GOBIN=$work timeout 600 go install "$2@$3")
	mv "$work/$1" "$directory/$1-$3"
}

build act github.com/nektos/act "$act"
build actionlint github.com/rhysd/actionlint/cmd/actionlint "$actionlint"

if ! [ -x "$directory/zizmor-$zizmor" ]; then
	echo "installing zizmor $zizmor" >&2
	timeout 300 pip3 install --quiet --disable-pip-version-check --no-deps --root-user-action=ignore --target "$work" "zizmor==$zizmor" >&2
	mv "$work/bin/zizmor" "$directory/zizmor-$zizmor"
fi
