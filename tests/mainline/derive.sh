#!/bin/bash
# Takes mainline's update driver out of Debian's source package of the kernel.
#
#	KERNEL= tests/mainline/derive.sh OUT
#
# Puts into OUT seven files of the package, unchanged, and core.c: the definitions of tdx.c that
# these files use. README.md says how they become a module. The script fails if the package lacks
# one of the files, or if tdx.c does not have each definition once. The seven are links into
# build/mainline.
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
# The first words of each definition, in the order of tdx.c.
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

# definition START: prints the definition of tdx.c that begins with START, up to its brace.
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

source=$top/build/mainline
"$top/scripts/source.sh" "${KERNEL%%-*}" "$source" "${files[@]}"

for start in "${definitions[@]}"; do
	definition "$start"
done >"$out/core.c.new"
# An unchanged file keeps its time stamp, so that Kbuild does not build it again.
if cmp -s "$out/core.c.new" "$out/core.c"; then
	rm "$out/core.c.new"
else
	mv "$out/core.c.new" "$out/core.c"
fi
for file in "${files[@]##*/}"; do
	[ "$file" = tdx.c ] || ln -sf "$source/$file" "$out/$file"
done
