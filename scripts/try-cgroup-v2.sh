#!/bin/sh
# Runs dist/ in a virtual machine that has what GitHub's runners have and this machine may lack: a current Docker engine on cgroup v2,
# driven by systemd, with AppArmor. Needs root, Debian or Ubuntu, about 4 GB of disk and no KVM. Ends with 0 only when every check held.
#
#   scripts/try-cgroup-v2.sh            as GitHub has it: systemd drives the cgroups
#   DECOY_VM_CGROUP_DRIVER=cgroupfs     the engine drives them itself
#   DECOY_VM_ENGINES='podman …'         in place of `docker`, one after the other: containerd-store, noexec-home, podman, podman-apparmor, podman-rootless,
#                                       docker-rootless, docker-escape, podman-escape (scripts/cgroup-v2/in-machine.sh says what each is)
#   DECOY_VM_DIRECTORY=/somewhere       where the disk image is kept between runs; remove it to start from nothing
#   DECOY_VM_ARCHITECTURE=arm64         in place of amd64; elsewhere than on arm64 the tree is made by qemu-user, for which the kernel needs binfmt_misc
#   DECOY_VM_SECONDS=1800               after which the machine is ended; default: 1800, on arm64 5400, as it is slower to emulate
#   DECOY_VM_ACCELERATOR=kvm            where /dev/kvm works and the architecture is this machine's; default: tcg, software emulation
#   DECOY_VM_CHECKS='name|name'         only these checks of scripts/cgroup-v2/checks.mjs
set -eu

cd "$(dirname "$0")/.."
architecture=${DECOY_VM_ARCHITECTURE:-amd64}
case $architecture in amd64) suffix= ;; *) suffix=-$architecture ;; esac
directory=${DECOY_VM_DIRECTORY:-${TMPDIR:-/tmp}/decoy-vm$suffix}
driver=${DECOY_VM_CGROUP_DRIVER:-systemd}
accelerator=${DECOY_VM_ACCELERATOR:-tcg}
# The suite that carries Docker 28, and the one whose kernel (6.12) is nearest to GitHub's.
suite=forky kernel_suite=trixie
foreign_format=/usr/lib/binfmt.d/qemu-aarch64.conf

[ "$(id -u)" = 0 ] || { echo 'run this as root: it makes the tree of a Debian system' >&2; exit 1; }
mkdir -p "$directory"

# QEMU's Arm machine has one serial port of its own. The processor has no pointer authentication, which is slow to emulate.
choose_machine() {
	case $architecture in
	amd64) emulator=qemu-system-x86_64 emulator_package=qemu-system-x86 machine=q35 processor=max console=ttyS0 result_port=ttyS1 result_device=isa-serial seconds=1800 ;;
	arm64) emulator=qemu-system-aarch64 emulator_package=qemu-system-arm machine=virt processor=neoverse-n1 console=ttyAMA0 result_port=ttyS0 result_device=pci-serial seconds=5400 ;;
	*) echo "DECOY_VM_ARCHITECTURE is '$architecture': it can be amd64 or arm64" >&2; exit 1 ;;
	esac
	[ "$accelerator" = tcg ] || processor=max
}

# Before 8.1 QEMU could go on running code that the kernel of the machine had patched meanwhile on the other processor: on x86 it panics then ("Oops: int3"),
# most likely when the first cap on CPUs is set. Not where one thread runs both processors.
choose_threads() {
	[ "$accelerator" = tcg ] && [ "$architecture" = amd64 ] || return 0
	version=$("$emulator" --version | sed -n 's/^QEMU emulator version \([0-9.]*\).*/\1/p')
	[ "$(printf '%s\n' "$version" 8.1 | sort -V | head -n 1)" = 8.1 ] || accelerator=tcg,thread=single
}

is_foreign() {
	[ "$architecture" = arm64 ] && [ "$(dpkg --print-architecture)" != arm64 ]
}

install_tools() {
	missing=
	command -v "$emulator" >/dev/null || missing="$missing $emulator_package"
	is_foreign && [ ! -e $foreign_format ] && missing="$missing qemu-user-static"
	is_foreign && ! command -v arch-test >/dev/null && missing="$missing arch-test"
	command -v mmdebstrap >/dev/null || missing="$missing mmdebstrap"
	command -v mke2fs >/dev/null || missing="$missing e2fsprogs"
	[ -z "$missing" ] && return
	apt-get update -qq
	# shellcheck disable=SC2086 # a list of package names
	DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get install -y -qq --no-install-recommends $missing >&2
}

# Until the end of this script, where the kernel did not do so before.
run_foreign_programs() {
	formats=/proc/sys/fs/binfmt_misc
	[ -e $formats/register ] || mount -t binfmt_misc binfmt_misc $formats
	[ -e $formats/qemu-aarch64 ] && return
	cat $foreign_format >$formats/register
	trap "echo -1 >$formats/qemu-aarch64" EXIT
	trap 'exit 1' INT TERM
}

# Packages are fetched with apt's own signature check; only the expiry date of the index is let go, as a mirror may lag behind.
make_image() {
	mirror=$(sed -n 's/^URIs: *\(.*\/debian\)\/*$/\1/p' /etc/apt/sources.list.d/debian.sources 2>/dev/null | head -n 1)
	[ -n "$mirror" ] || mirror=$(sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\/debian\)\/* .*/\2/p' /etc/apt/sources.list 2>/dev/null | head -n 1)
	[ -n "$mirror" ] || { echo "no Debian mirror in apt's own sources: this needs Debian" >&2; exit 1; }
	tree=$directory/tree
	rm -rf "$tree"
	is_foreign && run_foreign_programs
	mmdebstrap --mode=root --variant=apt --quiet --architectures="$architecture" \
		--include=systemd-sysv,mount,dbus,udev,kmod,apparmor,initramfs-tools,"linux-image-cloud-$architecture/$kernel_suite" \
		--include=passwd,docker.io,docker-cli,nodejs,python3,git,curl,ca-certificates,e2fsprogs \
		--include=podman,crun,netavark,passt,slirp4netns,uidmap,rootlesskit,dbus-user-session,libpam-systemd,iproute2,iptables \
		--aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"' \
		"$suite" "$tree" "deb $mirror $suite main" "deb $mirror $kernel_suite main"
	seal_tree "$tree"
	rm -rf "$tree"
}

seal_tree() {
	cp "$1"/boot/vmlinuz-* "$directory/vmlinuz"
	cp "$1"/boot/initrd.img-*-"$architecture" "$directory/initrd"
	# Who GitHub's steps run as.
	chroot "$1" useradd --create-home --uid 1001 --user-group --groups docker runner
	sed "s/ttyS1/$result_port/" scripts/cgroup-v2/decoy-checks.service >"$1/etc/systemd/system/decoy-checks.service"
	mkdir -p "$1/etc/systemd/system/multi-user.target.wants"
	ln -sf ../decoy-checks.service "$1/etc/systemd/system/multi-user.target.wants/decoy-checks.service"
	echo '/dev/vda / ext4 defaults 0 1' >"$1/etc/fstab"
	mke2fs -q -t ext4 -d "$1" "$directory/root.partial" 6G
	mv "$directory/root.partial" "$directory/root.ext4"
}

# Machines were seen to stay, halted, when they should have switched themselves off.
end_when_checked() {
	until grep -q '^decoy-checks:' "$directory/result"; do sleep 2; done
	sleep 10
	kill "$(cat "$directory/pid")" 2>/dev/null
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

# Decoy and the checks go in as a plain tar on the second disk, what they print comes out of a serial port beside the console's.
run_machine() {
	printf '%s\n' "$driver" >"$directory/driver"
	printf '%s' "${DECOY_VM_CHECKS:-}" >"$directory/only"
	printf '%s\n' "${DECOY_VM_ENGINES:-docker}" >"$directory/engines"
	bundle_battery
	tar -cf "$directory/input.tar" -C "$PWD" dist scripts/cgroup-v2 -C "$directory" scripts driver only engines
	truncate -s %1M "$directory/input.tar"
	: >"$directory/result"
	end_when_checked &
	watcher=$!
	timeout "${DECOY_VM_SECONDS:-$seconds}" "$emulator" -machine "$machine" -accel "$accelerator" -cpu "$processor" -smp 2 -m 3072 \
		-nodefaults -no-reboot -display none -nic none -snapshot -pidfile "$directory/pid" \
		-kernel "$directory/vmlinuz" -initrd "$directory/initrd" \
		-append "root=/dev/vda rw console=$console panic=-1 mitigations=off apparmor=1 security=apparmor quiet" \
		-drive "file=$directory/root.ext4,format=raw,if=virtio" -drive "file=$directory/input.tar,format=raw,if=virtio" \
		-serial "file:$directory/console" -chardev "file,id=result,path=$directory/result" -device "$result_device,chardev=result" -device virtio-rng-pci </dev/null || echo "the machine ended with $?" >&2
	kill "$watcher" 2>/dev/null || true
}

choose_machine
install_tools
choose_threads
[ -e "$directory/root.ext4" ] || make_image
run_machine
cat "$directory/result"
if ! grep -q '^decoy-checks: 0' "$directory/result"; then
	echo "the checks did not all hold; what the machine said: $directory/console" >&2
	exit 1
fi
