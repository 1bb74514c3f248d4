#!/bin/sh
# Runs dist/ in a virtual machine that has what GitHub's runners have and this machine may lack: a current Docker engine on cgroup v2,
# driven by systemd, with AppArmor. Needs root, Debian or Ubuntu, about 4 GB of disk and no KVM. Ends with 0 only when every check held.
#
#   scripts/try-cgroup-v2.sh            as GitHub has it: systemd drives the cgroups
#   DECOY_VM_CGROUP_DRIVER=cgroupfs     the engine drives them itself
#   DECOY_VM_ENGINES='podman …'         in place of `docker`, one after the other: containerd-store, noexec-home, podman, podman-apparmor, podman-rootless,
#                                       docker-rootless, docker-escape, podman-escape (scripts/cgroup-v2/in-machine.sh says what each is)
#   DECOY_VM_DIRECTORY=/somewhere       where the disk image is kept between runs; remove it to start from nothing
#   DECOY_VM_ACCELERATOR=kvm            where /dev/kvm works; default: tcg, software emulation
#   DECOY_VM_CHECKS='name|name'         only these checks of scripts/cgroup-v2/checks.mjs
set -eu

cd "$(dirname "$0")/.."
directory=${DECOY_VM_DIRECTORY:-${TMPDIR:-/tmp}/decoy-vm}
driver=${DECOY_VM_CGROUP_DRIVER:-systemd}
accelerator=${DECOY_VM_ACCELERATOR:-tcg}
# The suite that carries Docker 28, and the one whose kernel (6.12) is nearest to GitHub's.
suite=forky kernel_suite=trixie

[ "$(id -u)" = 0 ] || { echo 'run this as root: it makes the tree of a Debian system' >&2; exit 1; }
mkdir -p "$directory"

install_tools() {
	missing=
	command -v qemu-system-x86_64 >/dev/null || missing="$missing qemu-system-x86"
	command -v mmdebstrap >/dev/null || missing="$missing mmdebstrap"
	command -v mke2fs >/dev/null || missing="$missing e2fsprogs"
	[ -z "$missing" ] && return
	apt-get update -qq
	# shellcheck disable=SC2086 # a list of package names
	DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get install -y -qq --no-install-recommends $missing >&2
}

# Packages are fetched with apt's own signature check; only the expiry date of the index is let go, as a mirror may lag behind.
make_image() {
	mirror=$(sed -n 's/^URIs: *\(.*\/debian\)\/*$/\1/p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -n 1)
	[ -n "$mirror" ] || mirror=$(sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\/debian\)\/* .*/\2/p' /etc/apt/sources.list 2>/dev/null | head -n 1)
	[ -n "$mirror" ] || { echo "no Debian mirror in apt's own sources: this needs Debian" >&2; exit 1; }
	tree=$directory/tree
	rm -rf "$tree"
	mmdebstrap --mode=root --variant=apt --quiet \
		--include=systemd-sysv,mount,dbus,udev,kmod,apparmor,initramfs-tools,"linux-image-cloud-amd64/$kernel_suite" \
		--include=passwd,docker.io,docker-cli,nodejs,python3,git,curl,ca-certificates,e2fsprogs \
		--include=podman,crun,netavark,passt,slirp4netns,uidmap,rootlesskit,dbus-user-session,libpam-systemd,iproute2,iptables \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"' \
		"$suite" "$tree" "deb $mirror $suite main" "deb $mirror $kernel_suite main"
	seal_tree "$tree"
	rm -rf "$tree"
}

seal_tree() {
	cp "$1"/boot/vmlinuz-* "$directory/vmlinuz"
	cp "$1"/boot/initrd.img-*-amd64 "$directory/initrd"
	# Who GitHub's steps run as.
	chroot "$1" useradd --create-home --uid 1001 --user-group --groups docker runner
	cp scripts/cgroup-v2/decoy-checks.service "$1/etc/systemd/system/"
	mkdir -p "$1/etc/systemd/system/multi-user.target.wants"
	ln -sf ../decoy-checks.service "$1/etc/systemd/system/multi-user.target.wants/decoy-checks.service"
	echo '/dev/vda / ext4 defaults 0 1' >"$1/etc/fstab"
	mke2fs -q -t ext4 -d "$1" "$directory/root.partial" 6G
	mv "$directory/root.partial" "$directory/root.ext4"
}

# Debian's Node takes no TypeScript. In a directory as deep as that of the tests' support, from which dist/ is found.
bundle_battery() {
	battery=$directory/scripts/cgroup-v2/escape
	mkdir -p "$battery"
	case ${DECOY_VM_ENGINES:-} in
	*-escape*)
		node_modules/.bin/esbuild scripts/cgroup-v2/escape.mjs --bundle --platform=node --format=esm --log-level=warning --outfile="$battery/escape.mjs"
		cp -R test/escape/techniques test/escape/host.py "$battery"
		;;
	esac
}

# Decoy and the checks go in as a plain tar on the second disk, what they print comes out of the second serial port.
run_machine() {
	printf '%s\n' "$driver" >"$directory/driver"
	printf '%s' "${DECOY_VM_CHECKS:-}" >"$directory/only"
	printf '%s\n' "${DECOY_VM_ENGINES:-docker}" >"$directory/engines"
	bundle_battery
	tar -cf "$directory/input.tar" -C "$PWD" dist scripts/cgroup-v2 -C "$directory" scripts driver only engines
	truncate -s %1M "$directory/input.tar"
	: >"$directory/result"
	timeout "${DECOY_VM_SECONDS:-1800}" qemu-system-x86_64 -machine "q35,accel=$accelerator" -cpu max -smp 2 -m 3072 \
		-nodefaults -no-reboot -display none -nic none -snapshot \
		-kernel "$directory/vmlinuz" -initrd "$directory/initrd" \
		-append 'root=/dev/vda rw console=ttyS0 panic=-1 mitigations=off apparmor=1 security=apparmor quiet' \
		-drive "file=$directory/root.ext4,format=raw,if=virtio" -drive "file=$directory/input.tar,format=raw,if=virtio" \
		-serial "file:$directory/console" -serial "file:$directory/result" -device virtio-rng-pci </dev/null || echo "the machine ended with $?" >&2
}

install_tools
[ -e "$directory/root.ext4" ] || make_image
run_machine
cat "$directory/result"
if ! grep -q '^decoy-checks: 0' "$directory/result"; then
	echo "the checks did not all hold; what the machine said: $directory/console" >&2
	exit 1
fi
