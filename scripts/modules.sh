#!/bin/bash
# Builds the project's modules for one kernel, outside the source tree.
#
#	scripts/modules.sh KDIR OUT [DIR...]
#
# KDIR is a kernel's build directory. OUT becomes a copy of the tree made of symbolic links: each
# kernel has its own objects, and Kbuild still sees which source has changed. Each DIR (tests/emu)
# is one more external module. MAKE_ARGS is passed to make (LLVM=1). BUILD_ROOT is the root with
# KDIR and its compiler, see root.sh (default: /). STRICT=1 builds with W=1 and fails if the build
# prints anything. COUNTS=1 has the kernel's gcov count the lines of tdx_update, but of no DIR.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
kdir=$1 out=$2 root=${BUILD_ROOT:-/}
shift 2

[ -e "$kdir/Makefile" ] || [ -e "$root$kdir/Makefile" ] || {
	echo "modules.sh: no kernel to build for in $kdir: install its headers or give KDIR=;" \
		"'make demo' needs neither" >&2
	exit 1
}
# A make that called this script would pass Kbuild a job server that Kbuild cannot reach.
unset MAKEFLAGS MAKELEVEL MFLAGS

mkdir -p "$out"
out=$(cd "$out" && pwd)
find "$out" -xtype l -delete
for path in Kbuild dkms.conf include src "$@"; do
	mkdir -p "$(dirname "$out/$path")"
	cp -rsf -T "$top/$path" "$out/$path"
done

[ -z "${STRICT:-}" ] || MAKE_ARGS="${MAKE_ARGS:-} W=1"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
for dir in . "$@"; do
	gcov=''
	[ -z "${COUNTS:-}" ] || [ "$dir" != . ] || gcov=GCOV_PROFILE=y
	# Drop Kbuild's message about BTF: the kernel's packages have no vmlinux to take it from.
	# shellcheck disable=SC2086 # a list of words
	"$top/scripts/root.sh" --in "$root" make -s -C "$kdir" M="$(realpath "$out/$dir")" \
		-j"$(nproc)" ${MAKE_ARGS:-} $gcov modules 2>&1 |
		{ grep -v '^Skipping BTF generation' || true; } | tee -a "$log" >&2
done
if [ -n "${STRICT:-}" ] && [ -s "$log" ]; then
	echo "modules.sh: the build for $kdir is not silent" >&2
	exit 1
fi
