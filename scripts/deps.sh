#!/bin/bash
# Installs the Debian packages that are missing. Prints and does nothing if none is missing.
#
#	scripts/deps.sh GROUP|PACKAGE|PACKAGE=VERSION ...
#	scripts/deps.sh --names GROUP|PACKAGE ...	only prints the packages' names, one a line
#
# The machine's own apt configuration decides where packages come from.
set -euo pipefail

declare -A groups=(
	# Builds the modules, the command, the images and the guest, and boots the guest. jq and
	# bsdutils (script) are for the cases that run the command.
	[build]="make gcc libc6-dev libssl-dev libjansson-dev kmod cpio busybox-static jq bsdutils qemu-system-x86 seabios"
	# Compares the command's JSON with its schema.
	[schema]="python3-jsonschema"
	# Reads CoRIMs, makes keys and verifies signatures: tests/tool/reference.sh.
	[reference]="python3-cbor2 openssl"
	# Builds modules; [strict] is for the kernel's scripts that check more with W=1.
	[module]="make gcc libc6-dev"
	[strict]="perl python3"
	# Builds only the command.
	[tool]="make gcc libc6-dev libssl-dev libjansson-dev"
	# Builds a kernel; [llvm] is for a kernel with LLVM=1.
	[kernel]="make gcc libc6-dev flex bison bc libelf-dev libssl-dev openssl kmod xz-utils"
	[llvm]="clang lld llvm"
	# The compiler of `make fuzz`.
	[fuzz]="clang libclang-rt-14-dev"
	# For `make model`.
	[model]="spin"
	# For `make proof`, in a root of Debian 13.
	[proof]="cbmc cadical z3 gcc libc6-dev"
	# Draws the figures of `make bench`.
	[bench]="gnuplot-nox"
	# For `make recording`.
	[recording]="termtosvg bsdutils"
	# For `make deb`.
	[deb]="dpkg-dev debhelper dh-dkms lintian gcc libc6-dev libjansson-dev libssl-dev"
	# For `make rpm`.
	[rpm]="rpm rpmlint file make gcc libc6-dev libjansson-dev libssl-dev"
	# The licences in `make lint`, and the bill of materials of `make dist`.
	[sbom]="reuse"
	# For `make check-packages`; [fleet] updates the hosts there, in a root of the suite.
	# [watch] is always in a root file system, where no service starts.
	[packages]="mmdebstrap qemu-system-x86 ovmf e2fsprogs mtools openssl"
	[fleet]="ansible-core openssh-client"
	[watch]="prometheus"
	# For `make check-kvm`, which boots a PC with VMX from a CD. bsdutils (script) gives Bochs a
	# terminal; xz and zstd unpack the kernel.
	[kvm]="bochs bochs-term bochsbios vgabios isolinux syslinux-common genisoimage bsdutils binutils xz-utils zstd"
	# For `make lint`. perl runs checkpatch, xz-utils unpacks the kernel's source that has it.
	[lint]="make gcc jq sparse shellcheck codespell mandoc groff-base perl xz-utils"
)

die() {
	echo "deps.sh: $*" >&2
	exit 1
}

# Prints the arguments that are not installed; NAME=VERSION has to be that version.
missing() {
	local want name version have

	for want; do
		name=${want%%=*}
		version=${want#"$name"}
		have=$(dpkg-query -Wf '${db:Status-Status}=${Version}' "$name" 2>/dev/null || true)
		[[ $have == installed=* && $have == *"$version" ]] || echo "$want"
	done
}

# Retries: apt rejects a package index that it fetched while the archive changed. Timeout: another
# apt, such as unattended-upgrades, may be at work.
apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -q=2 -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
		-o DPkg::Lock::Timeout=600 "$@"
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
[ "$(id -u)" = 0 ] || die "packages are missing; as root: apt-get install ${packages[*]}"
# One at a time, from any tree: `apt-get update` does not wait for another one.
exec 8</var/lib/dpkg
flock 8
mapfile -t packages < <(missing "${wanted[@]}")
[ ${#packages[@]} -gt 0 ] || exit 0

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
