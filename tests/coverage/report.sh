#!/bin/bash
# Adds up the line counts of guests, and prints which lines of src/ no case reaches, and why.
#
#	BUILD_ROOT= tests/coverage/report.sh DIR NOTES
#
#	DIR/*/counts.tgz	what each boot has sent, see tests/lib/counts
#	NOTES			the directory with the compiler's notes (*.gcno) of tdx_update
#	BUILD_ROOT		the root with the compiler, see scripts/root.sh
#
# The lines are the compiler's at -O2, as the kernel is built. So a line whose code is merged into
# another one may count as reached, or have no code at all.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top"
dir=$top/$1 notes=$2

die() {
	echo "report.sh: $*" >&2
	exit 1
}

# Runs a tool of the compiler, which may not complain.
tool() {
	local log=$dir/tool.log

	"$top/scripts/root.sh" --in "$BUILD_ROOT" "$@" 2>"$log" || { cat "$log" >&2; return 1; }
	[ ! -s "$log" ] || { cat "$log" >&2; return 1; }
}

for source in src/*.c; do
	[ -e "$notes/$(basename "$source" .c).gcno" ] || die "no notes of $source in $notes"
done
rm -rf "$dir"/{raw,sum,sum.new}
mkdir -p "$dir"/{raw,sum}
for counts in "$dir"/*/counts.tgz; do
	[ -s "$counts" ] || die "no counts from ${counts%/*}: did that boot end?"
	# A boot with a kexec has sent two archives, one after the other.
	tar -x -z -i -f "$counts" -C "$dir/raw" || die "$counts is damaged"
done
for boot in "$dir"/raw/*/; do
	# Nothing, if no case of the boot loads tdx_update.
	[ -n "$(ls "$boot")" ] || continue
	if [ -z "$(ls "$dir/sum")" ]; then
		cp "$boot"/*.gcda "$dir/sum/"
	else
		tool gcov-tool merge -o "$dir/sum.new" "$dir/sum" "$boot"
		rm -r "$dir/sum"
		mv "$dir/sum.new" "$dir/sum"
	fi
done

# A file without counts is one that has not run.
cp "$notes"/*.gcno "$dir/sum/"
cd "$dir/sum"
tool gcov --json-format --stdout ./*.gcno >../gcov.json
cd "$top"
# Headers have code, too; those of the kernel do not count.
jq -r '.files[] | .file as $file | .lines[] | [$file, .line_number, .count] | @tsv' \
	"$dir/gcov.json" | sed -n "s|^[^\t]*/src/\([^/\t]*\t\)|src/\1|p" |
	LC_ALL=C sort -k 1,1 -k 2,2n >"$dir/lines.tsv"
TABLE=tests/coverage/unreached awk -f tests/tools/rows.awk \
	-f tests/coverage/report.awk "$dir/lines.tsv"
