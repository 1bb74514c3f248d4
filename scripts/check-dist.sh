#!/bin/sh
# Rebuilds dist/ elsewhere and fails if it differs from the committed one: what users run is what the source says.
set -eu
cd "$(dirname "$0")/.."
fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
DECOY_DIST=$fresh node scripts/build.mjs
if ! diff -rq dist "$fresh"; then
	echo 'dist/ differs from a fresh build: run `npm run build` and commit dist/' >&2
	exit 1
fi
