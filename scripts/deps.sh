#!/bin/bash
# Installs the Debian packages that are missing; says and does nothing when none is.
#
#	scripts/deps.sh GROUP|PACKAGE|PACKAGE=VERSION ...
#	scripts/deps.sh --names GROUP|PACKAGE ...	only prints the packages' names, one a line
#
# Where packages come from is the machine's own apt configuration; nothing here names a source.
set -euo pipefail

declare -A groups=(
	# What builds the modules, the command, the images and the guest, and what boots it; jq and
	# bsdutils (script) are for cases that run the command.
	[build]="make gcc libc6-dev libssl-dev libjansson-dev kmod cpio busybox-static jq bsdutils qemu-system-x86 seabios"
	# What modules are built with, and what the kernel's scripts run that look closer with W=1.
	[module]="make gcc libc6-dev"
	[strict]="perl python3"
	# What builds the command alone.
	[tool]="make gcc libc6-dev libssl-dev libjansson-dev"
	# What a kernel is built with.
	[kernel]="make gcc libc6-dev flex bison bc libelf-dev libssl-dev openssl kmod xz-utils"
	# And what a kernel is built with that is built with LLVM=1.
	[llvm]="clang lld llvm"
	# What `make fuzz` compiles with.
	[fuzz]="clang libclang-rt-14-dev"
	# What `make model` runs.
	[model]="spin"
	# What `make proof` runs, in a root of Debian 13.
	[proof]="cbmc cadical z3 gcc libc6-dev"
	# What `make bench` draws with.
	[bench]="gnuplot-nox"
	# What `make recording` runs.
	[recording]="termtosvg bsdutils"
	# What `make deb` runs.
	[deb]="dpkg-dev debhelper dh-dkms lintian gcc libc6-dev libjansson-dev libssl-dev"
	# What `make check-packages` runs.
	[packages]="mmdebstrap qemu-system-x86 ovmf e2fsprogs mtools openssl"
	# And what updates a fleet there, in a root of the suite's own.
	[fleet]="ansible-core openssh-client"
	# What `make check-kvm` boots from a CD: a PC with VMX. script gives Bochs a terminal, and
	# xz and zstd unpack the kernel.
	[kvm]="bochs bochs-term bochsbios vgabios isolinux syslinux-common genisoimage bsdutils binutils xz-utils zstd"
	# What `make lint` runs; perl is for checkpatch, xz-utils for the tar archive it comes in.
	[lint]="make gcc sparse shellcheck codespell mandoc perl xz-utils"
)

die() {
	echo "deps.sh: $*" >&2
	exit 1
}

# Prints those of its arguments that are not installed (in that version, where one is named).
missing() {
	local want name version have

	for want; do
		name=${want%%=*}
		version=${want#"$name"}
		have=$(dpkg-query -Wf '${db:Status-Status}=${Version}' "$name" 2>/dev/null || true)
		[[ $have == installed=* && $have == *"$version" ]] || echo "$want"
	done
}

# Retries because a package index fetched while the archive changes is refused once in a while.
apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -q=2 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 "$@"
}

names=''
if [ "${1:-}" = --names ]; then
	names=1
	shift
fi
wanted=()
for arg; do
	# shellcheck disable=SC2206 # a group is a list of words
	wanted+=(${groups[$arg]:-$arg})
done
if [ -n "$names" ]; then
	[ ${#wanted[@]} -eq 0 ] || printf '%s\n' "${wanted[@]}"
	exit
fi
mapfile -t packages < <(missing "${wanted[@]}")
[ ${#packages[@]} -gt 0 ] || exit 0
# One at a time: apt has a lock, too, but fails where it is held.
exec 8<"$0"
flock 8
mapfile -t packages < <(missing "${wanted[@]}")
[ ${#packages[@]} -gt 0 ] || exit 0

[ "$(id -u)" = 0 ] || die "not root; install by hand: apt-get install ${packages[*]}"
echo "Installing ${packages[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt update >"$log" 2>&1 || { cat "$log" >&2; die "apt-get update failed"; }
apt install -y --no-install-recommends "${packages[@]}" >"$log" 2>&1 || {
	tail -n 40 "$log" >&2
	die "apt-get could not install ${packages[*]}"
}
mapfile -t packages < <(missing "${wanted[@]}")
[ ${#packages[@]} -eq 0 ] || die "still missing after apt-get: ${packages[*]}"
