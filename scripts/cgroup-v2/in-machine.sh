#!/bin/sh
# Runs inside the virtual machine, as root: for each of the engines in the file `engines`, says what there is and runs the checks on it.
cd /opt/decoy || exit 1
exec 2>&1
chmod -R a+rX dist scripts
checks=/opt/decoy/scripts/cgroup-v2 cli=/opt/decoy/dist/cli.js runtime=/run/user/1001 failed=0
export DOCKER_HOST=

as_runner() {
	runuser -u runner -- env "HOME=${runner_home:-/home/runner}" XDG_RUNTIME_DIR=$runtime "DBUS_SESSION_BUS_ADDRESS=unix:path=$runtime/bus" sh -c 'cd && exec "$@"' sh "$@"
}

describe() {
	docker info --format 'engine {{.ServerVersion}}, cgroup v{{.CgroupVersion}} by {{.CgroupDriver}}, storage {{.Driver}}, kernel {{.KernelVersion}}, {{.OperatingSystem}}, {{.Architecture}}, security {{.SecurityOptions}}' || failed=1
}

# Names of checks, separated by |.
run_checks() {
	who=$1
	IFS='|'
	set -f
	# shellcheck disable=SC2086 # split at |
	set -- $2
	set +f
	unset IFS
	echo "as $who:"
	if [ "$who" = root ]; then (cd /root && HOME=/root node $checks/checks.mjs $cli "$@"); else as_runner node $checks/checks.mjs $cli "$@"; fi || failed=1
}

docker_with() {
	printf '%s\n' "$1" >/etc/docker/daemon.json
	systemctl restart docker || failed=1
	describe
}

start_podman() {
	# Stacked on the profile of the containers, it keeps their processes from signalling each other: see docs/runners.md.
	if grep -q '^crun ' /sys/kernel/security/apparmor/profiles; then apparmor_parser -R /etc/apparmor.d/crun; fi
	systemctl start podman.socket || failed=1
	DOCKER_HOST=unix:///run/podman/podman.sock
	describe
}

try_techniques() {
	# Where a device node leads nowhere, as in Debian's /tmp, the control cannot show what one is good for.
	mount -o remount,dev /tmp || failed=1
	node $checks/escape/escape.mjs || failed=1
}

try_engine() {
	only=$(cat only)
	case $1 in
	docker)
		if [ "$(cat driver)" = systemd ]; then describe; else docker_with "{\"exec-opts\":[\"native.cgroupdriver=$(cat driver)\"]}"; fi
		run_checks runner "$only"
		if [ -z "$only" ]; then
			run_checks root 'a short run is counted|nothing is left behind'
			as_runner node $cli doctor || failed=1
		fi
		;;
	# Docker's own image store, or containerd's.
	containerd-store)
		docker_with '{"features":{"containerd-snapshotter":true}}'
		run_checks runner "$only"
		;;
	noexec-home)
		mkdir -p /elsewhere && mount -t tmpfs -o noexec,nosuid,uid=1001,gid=1001,mode=700 none /elsewhere
		runner_home=/elsewhere
		run_checks runner 'a short run is counted|changes come out as a patch'
		runner_home=
		;;
	podman)
		start_podman
		node $cli doctor || failed=1
		run_checks root "$only"
		;;
	# The techniques of docs/escape-battery.md.
	docker-escape)
		describe
		try_techniques
		;;
	podman-escape)
		start_podman
		try_techniques
		;;
	# As Debian has it: refused.
	podman-apparmor)
		systemctl start podman.socket || failed=1
		DOCKER_HOST=unix:///run/podman/podman.sock
		describe
		node $checks/refused.mjs $cli AppArmor || failed=1
		;;
	podman-rootless)
		systemctl start user@1001.service
		as_runner systemctl --user start podman.socket || failed=1
		DOCKER_HOST=unix://$runtime/podman/podman.sock
		describe
		as_runner node $checks/refused.mjs $cli rootless || failed=1
		;;
	docker-rootless)
		systemctl start user@1001.service
		as_runner systemd-run --user --quiet --unit=docker-rootless --property=Delegate=yes --setenv=PATH=/usr/sbin:/usr/bin /usr/share/docker.io/contrib/dockerd-rootless.sh
		DOCKER_HOST=unix://$runtime/docker.sock
		seconds=0
		until docker info >/dev/null 2>&1 || [ $seconds -ge 120 ]; do sleep 4; seconds=$((seconds + 4)); done
		describe
		as_runner node $checks/refused.mjs $cli rootless || failed=1
		;;
	*)
		echo "no such engine: $1"
		failed=1
		;;
	esac
	DOCKER_HOST=
}

echo "containerd $(containerd --version | cut -d' ' -f3), $(runc --version | head -n 1), podman $(podman --version 2>/dev/null | cut -d' ' -f3), node $(node --version), controllers: $(cat /sys/fs/cgroup/cgroup.controllers)"
for engine in $(cat engines); do
	echo "== $engine"
	try_engine "$engine"
done
echo "decoy-checks: $failed"
sync
