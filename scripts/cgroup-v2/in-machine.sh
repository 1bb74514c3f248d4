#!/bin/sh
# Runs inside the virtual machine, as root: says what there is, then runs the checks as GitHub's user and once as root.
cd /opt/decoy || exit 1
exec 2>&1
chmod -R a+rX dist scripts
driver=$(cat driver)
if [ "$driver" != systemd ]; then
	printf '{"exec-opts":["native.cgroupdriver=%s"]}\n' "$driver" >/etc/docker/daemon.json
	systemctl restart docker
fi

docker info --format 'engine {{.ServerVersion}}, cgroup v{{.CgroupVersion}} by {{.CgroupDriver}}, storage {{.Driver}}, kernel {{.KernelVersion}}, {{.OperatingSystem}}, security {{.SecurityOptions}}' || exit 1
echo "containerd $(containerd --version | cut -d' ' -f3), $(runc --version | head -n 1), node $(node --version), controllers: $(cat /sys/fs/cgroup/cgroup.controllers)"

IFS='|'
set -f
# shellcheck disable=SC2046 # names are separated by |
set -- $(cat only)
unset IFS
echo 'as uid 1001 in the group docker:'
runuser -u runner -- env HOME=/home/runner sh -c 'cd /home/runner && exec node /opt/decoy/scripts/cgroup-v2/checks.mjs /opt/decoy/dist/cli.js "$@"' sh "$@"
as_user=$?
echo 'as root:'
HOME=/root node scripts/cgroup-v2/checks.mjs dist/cli.js 'a short run is counted' 'nothing is left behind'
as_root=$?
echo "decoy-checks: $((as_user + as_root))"
sync
