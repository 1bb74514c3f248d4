module decoy/guest

go 1.26.0

toolchain go1.26.8

require (
	github.com/pires/go-proxyproto v0.15.0
	golang.org/x/net v0.62.0
	golang.org/x/sys v0.49.0
)
