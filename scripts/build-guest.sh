#!/bin/sh
# Builds the program that runs inside the containers, static and reproducible: the same source and toolchain give
# the same bytes on any machine, so the committed files can be checked against a fresh build.
set -eu

cd "$(dirname "$0")/../guest"
out=${DECOY_DIST:-../dist}
case $out in /*|../*) ;; *) out=../$out ;; esac
mkdir -p "$out"

# Nothing of the builder's machine may reach the result: not its Go settings, C compiler, paths, repository state or CPU level.
export GOENV=off GOFLAGS= GOWORK=off CGO_ENABLED=0 GOOS=linux GOAMD64=v1 GOARM64=v8.0 GOEXPERIMENT= GOTOOLCHAIN="${GOTOOLCHAIN:-go1.26.8}"

for arch in amd64 arm64; do
	case $arch in amd64) name=x64 ;; *) name=$arch ;; esac
	GOARCH=$arch go build -mod=readonly -buildvcs=false -trimpath -ldflags '-s -w -buildid=' -o "$out/decoy-guest-linux-$name" .
done
