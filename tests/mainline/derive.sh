#!/bin/bash
# Takes mainline's update driver out of Debian's package of the kernel's source.
#
#	KERNEL= BUILD_ROOT= tests/mainline/derive.sh OUT
#
# OUT gets seven files of the package, unchanged, and core.c: the definitions of tdx.c that these
# files use. README.md says how they become a module. The script fails if the package lacks one of
# the files, or tdx.c does not have each definition once. The package stays in build/kernels-built,
# its files in build/mainline.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)

package=linux-source-${KERNEL%%-*}
core=arch/x86/virt/vmx/tdx
files=(
	"$core"/{seamldr.c,seamcall.S,tdxcall.S,seamcall_internal.h,tdx.h,tdx_global_metadata.c,tdx.c}
	drivers/virt/coco/tdx-host/tdx-host.c
)
# How the definitions begin, in their order in tdx.c.
definitions=(
	'struct tdx_module_state {'
	'static struct tdx_module_state tdx_module_state;'
	'static DEFINE_PER_CPU(bool, tdx_lp_initialized);'
	'static struct tdx_sys_info tdx_sysinfo;'
	'static DEFINE_RAW_SPINLOCK(sysinit_lock);'
	'static int try_init_module_global('
	'int tdx_cpu_enable('
	'static int read_sys_metadata_field('
	'#include "tdx_global_metadata.c"'
	'int tdx_module_shutdown('
	'int tdx_module_run_update('
	'const struct tdx_sys_info *tdx_get_sysinfo('
)

die() {
	echo "derive.sh: $*" >&2
	exit 1
}

# Prints the path of the package's newest version that has been downloaded; nothing if none has.
downloaded() {
	find "$kept" -name "${package}_*_all.deb" | sort -V | tail -n 1
}

# Runs apt-get where that suite's packages are known.
apt() {
	"$top/scripts/root.sh" --in "$BUILD_ROOT" apt-get -q=2 -o APT::Sandbox::User=root "$@" >&2
}

download() {
	cd "$kept"
	# Old package lists name files that the archive no longer has.
	apt download "$package" || { apt update && apt download "$package"; }
}

# definition START: prints the definition of tdx.c that begins so: one line, or up to its brace.
definition() {
	START=$1 awk '
		index($0, ENVIRON["START"]) == 1 {
			found++
			single = /;$|^#/
			inside = !single
			if (single)
				print
		}
		inside { print }
		inside && /^}/ { inside = 0 }
		END { exit found != 1 || inside }
	' "$source/tdx.c" || die "$package's tdx.c has no definition '$1', or several"
	echo
}

kept=$top/build/kernels-built
mkdir -p "$kept"
deb=$(downloaded)
if [ -z "$deb" ]; then
	(download) || die "could not download $package: is this Debian?"
	deb=$(downloaded)
fi

# The directory gets its name last, so that what is there is complete.
source=$top/build/mainline/$(basename "$deb" _all.deb)
if [ ! -e "$source" ]; then
	echo "Taking mainline's driver out of ${deb##*/}" >&2
	rm -rf "$source.new"
	mkdir -p "$source.new"
	dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/src/$package.tar.xz" |
		tar -xJ -C "$source.new" --transform 's|.*/||' "${files[@]/#/$package/}" ||
		die "$package does not have all of: ${files[*]}"
	mv "$source.new" "$source"
fi

for start in "${definitions[@]}"; do
	definition "$start"
done >"$out/core.c.new"
# The file keeps its time where nothing has changed, so that Kbuild has nothing to do.
if cmp -s "$out/core.c.new" "$out/core.c"; then
	rm "$out/core.c.new"
else
	mv "$out/core.c.new" "$out/core.c"
fi
for file in "${files[@]##*/}"; do
	[ "$file" = tdx.c ] || ln -sf "$source/$file" "$out/$file"
done
