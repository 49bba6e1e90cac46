#!/bin/bash
# `make lint`: everything that can be found without running the code. Every check runs, and the last
# line sums up.
#
# clang-format is not used. The tables (X-macros of leaves, statuses and results, field tables of
# debugfs) are aligned by hand so that they read as tables. Version 14 changes that alignment under
# every setting that is close to the kernel's: 121 of the 327 lines of tdx_arch.h. Markers around
# each table would be more noise than the check is worth. checkpatch checks the kernel's style.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"

out=build/lint
bad=() checks=0

# check NAME COMMAND...: passes if the command prints nothing and succeeds.
check() {
	local name=$1 log=$out/$1.log start=$SECONDS status=0

	shift
	("$@") >"$log" 2>&1 || status=$?
	checks=$((checks + 1))
	if [ "$status" = 0 ] && [ ! -s "$log" ]; then
		echo "ok      $name ($((SECONDS - start)) s)"
	else
		echo "BAD     $name, exit status $status:"
		sed 's/^/        /' "$log"
		bad+=("$name")
	fi
}

# files REGEX: prints the files of the working tree whose paths match, an extended expression.
files() {
	find . \( -path ./build -o -path ./.git \) -prune -o -type f -printf '%P\n' | sort | grep -E "$1"
}

# --- the compiler and sparse ----------------------------------------------------------------------

test_modules=(hwtest tests/emu tests/td tests/slow tests/vendor tests/oracle/guest tests/kvm/nmi
	tests/packages/kvm)

# Builds from scratch, because the compiler warns only about what it compiles. all.sh does the same
# for the other kernels. CI boots no backport, so the modules for hosts are built for it here.
compiler() {
	local kernel assignments

	rm -rf "$out/modules" "$out/bpo"
	STRICT=1 scripts/modules.sh "$KDIR" "$out/modules" "${test_modules[@]}"
	for kernel in $(scripts/kernel.sh --list | grep -e -bpo); do
		(
			# A failure ends no subshell that is followed by ||.
			assignments=$(scripts/kernel.sh "$kernel" 2>/dev/null) || exit
			eval "$assignments"
			export BUILD_ROOT
			STRICT=1 scripts/modules.sh "$KDIR" "$out/bpo/$kernel" hwtest
		) || echo "the build for $kernel failed"
	done
}

# Debian's sparse lacks some of the language that the newest kernel uses; CF defines replacements.
# Debian's headers lack the script with which Kbuild checks sparse, and without it Kbuild ignores
# C=2. So KBUILD_CHECKSRC is set directly, and the message about the script is dropped.
sparse() (
	assignments=$(scripts/kernel.sh "$(scripts/kernel.sh --newest)" 2>/dev/null)
	eval "$assignments"
	export BUILD_ROOT
	scripts/modules.sh "$KDIR" "$out/newest" "${test_modules[@]}"
	"$top/scripts/root.sh" --in "$BUILD_ROOT" sh -c 'command -v sparse' >/dev/null ||
		echo "no sparse in $BUILD_ROOT"
	CF="-D__typeof_unqual__=__typeof__ -D'__builtin_strlen(s)=(sizeof(s)-1)'"
	CF="$CF -D'__has_include(header)=1'" MAKE_ARGS="KBUILD_CHECKSRC=2" \
		scripts/modules.sh "$KDIR" "$out/newest" "${test_modules[@]}" 2>&1 |
		{ grep -v '/checker-valid.sh: No such file\|sparse is not available or not up to' || true; }
)

# Each condition in compat.h must hold on one of the kernels and not on another.
compat() {
	local kernel line truths=$out/compat

	rm -rf "$truths"
	mkdir -p "$truths"
	# Add a word after each condition, which the preprocessor keeps where the condition holds.
	awk '/^#if / && !/KERNEL_VERSION\(6, 1, 0\)/ { print; print "holds_" NR; next } { print }' \
		include/compat.h >"$truths/compat.c"
	echo "obj-m := compat.o" >"$truths/Kbuild"
	for kernel in $(scripts/kernel.sh --list); do
		(
			assignments=$(scripts/kernel.sh "$kernel" 2>/dev/null)
			eval "$assignments"
			scripts/root.sh --in "$BUILD_ROOT" make -s -C "$KDIR" M="$top/$truths" compat.i
		) >/dev/null 2>"$truths/$kernel.err" || { cat "$truths/$kernel.err"; continue; }
		mv "$truths/compat.i" "$truths/$kernel.i"
	done
	sed -n '/^holds_/p' "$truths/compat.c" | while read -r line; do
		[ "$(grep -lx "$line" "$truths"/*.i | wc -l)" -gt 0 ] ||
			echo "compat.h:${line#holds_}: holds on no kernel"
		[ "$(grep -Lx "$line" "$truths"/*.i | wc -l)" -gt 0 ] ||
			echo "compat.h:${line#holds_}: holds on every kernel"
	done
}

# compiles NAME FILE...: compiles the C on standard input for the kernel that the environment has,
# with the FILEs included before everything else, as if they were the kernel's own.
compiles() {
	local dir=$out/backports/$1

	shift
	mkdir -p "$dir"
	cat - <(printf '%s\n' '#include <linux/module.h>' 'MODULE_LICENSE("GPL");') >"$dir/check.c"
	printf '%s\n' "obj-m := check.o" "ccflags-y := -I$top/include ${*/#/-include }" >"$dir/Kbuild"
	scripts/root.sh --in "$BUILD_ROOT" make -s -C "$KDIR" M="$top/$dir" modules 2>&1 |
		{ grep -v 'MODULE_DESCRIPTION\|^Skipping BTF generation' || true; }
}

# compat.h goes by features, so a kernel that has a feature of a newer one must get that feature.
# Here it is 6.1 with the upload error of 6.8; 6.1 as it is and the newest kernel, for comparison.
backports() {
	local header=$out/backports/firmware.h assignments feature common

	rm -rf "$out/backports"
	mkdir -p "$out/backports"
	compiles without <<-END
	#include "compat.h"
	static_assert(FW_UPLOAD_ERR_FW_INVALID == FW_UPLOAD_ERR_HW_ERROR);
	END
	# Debian's headers are those that all flavours of a kernel have in common, and a few more.
	common=$(sed -n 's,^include \(.*\)/Makefile$,\1,p' "$KDIR/Makefile")
	sed 's/^\tFW_UPLOAD_ERR_MAX/\tFW_UPLOAD_ERR_FW_INVALID,\n&/' \
		"$common/include/linux/firmware.h" >"$header"
	feature=$(printf '%s\n' '#include <linux/firmware.h>' 'enum { THEIRS = FW_UPLOAD_ERR_FW_INVALID };' \
		'#include "compat.h"' 'static_assert(FW_UPLOAD_ERR_FW_INVALID == THEIRS);')
	compiles backport "$top/$header" <<<"$feature"
	assignments=$(scripts/kernel.sh "$(scripts/kernel.sh --newest)" 2>/dev/null)
	eval "$assignments"
	compiles newest <<<"$feature"
}

# --- checkpatch -----------------------------------------------------------------------------------

checkpatch_ignored=(
	# X-macros: a list of calls cannot be in parentheses, and its entries begin with [index].
	COMPLEX_MACRO MACRO_ARG_REUSE BRACKET_SPACE
	# The headers that describe the hardware also compile in user space, which lacks these.
	BIT_MACRO PREFER_DEFINED_ATTRIBUTE_MACRO PREFER_KERNEL_TYPES
	# Takes any name in capitals for a constant: BUILD_BUG_ON(FIRST != OTHER - 1).
	CONSTANT_COMPARISON
	# One message has a level that depends on the outcome.
	PRINTK_WITHOUT_KERN_LEVEL
	# kobject_uevent_env() takes an array of char * that is not const.
	STATIC_CONST_CHAR_ARRAY
	# Our own rule is stricter: see versions().
	LINUX_VERSION_CODE
	# Needs a kernel tree, from which it learns the names that are spelt so.
	CAMELCASE
	# The words "sign" and "problem" in messages are not names of functions.
	EMBEDDED_FUNCTION_NAME
)
# Allowed in trace.h: tracepoints do not have the form of code, and the macros in its lists bring
# their own commas and semicolons.
tracepoints='OPEN_ENDED_LINE|PARENTHESIS_ALIGNMENT|TRAILING_SEMICOLON|SPACING'

# Checks a copy in which __has_include(<...>) is replaced, which checkpatch cannot parse.
checkpatch() {
	local dir=$out/checkpatch IFS=,
	local options=(--no-tree --root=. --strict --max-line-length=100)

	options+=(--terse --show-types --quiet --no-summary)

	rm -rf "$dir"
	mkdir -p "$dir"
	files '\.[ch]$' | xargs cp --parents -t "$dir"
	find "$dir" -type f -exec sed -i 's/__has_include(<.*>)/__has_include(HEADER)/' {} +
	cd "$dir"
	# Only its output counts: its exit status includes the lines that are dropped here.
	{
		find . -type f -printf '%P\0' | sort -z | xargs -0 \
			perl "$top/build/checkpatch/checkpatch.pl" "${options[@]}" \
			--ignore "${checkpatch_ignored[*]}" --file || true
	} 2>&1 | { grep -vE "^src/trace\.h:[0-9]+: [A-Z]+:($tracepoints):" || true; }
}

# --- the shell ------------------------------------------------------------------------------------

# Of the shells that shellcheck knows, dash is closest to busybox's. SC1091 is off: scripts source
# files by their paths in the guest.
shell_guest() {
	local guests='(oracle/|kvm/|tdx/)?cases/.*\.sh|soak/soak\.sh|kvm/kvm\.sh|bench/guest-.*\.sh'

	guests+='|lib/(run|counts|.*\.sh)|vm/init|vm/(demo|try)-guest\.sh|vm/selftest/.*/.*\.sh'
	guests+='|packages/(guest|host|pinned|tdx)\.sh'
	files "^tests/($guests)$|^contrib/older-names$|^hwtest/tdx-update-hwtest$" |
		xargs shellcheck -s dash -e SC1091
}

shell_host() {
	files . | xargs grep -lxE '#!/bin/bash|# shellcheck shell=bash' | xargs shellcheck
}

# --- words and rules ------------------------------------------------------------------------------

spelling() {
	files . | grep -vx LICENSE | xargs codespell --quiet-level 3 --ignore-words-list nd
}

# Prose has at most 100 columns: comments, and pages except for their tables and examples.
# checkpatch checks the code.
columns() {
	local file pattern

	for file in $(files . | grep -vE '^LICENSE$|\.svg$|^debian/changelog$'); do
		case $file in
		*.md) pattern='([^| ]| {1,7}[^ |])' ;;
		*) pattern=' *(#|/\*|\* |\.\\")' ;;
		esac
		expand -t 8 "$file" | LC_ALL=C.UTF-8 grep -nE '^.{101}' |
			sed -nE "s!^([0-9]+):$pattern.*!$file:\1: more than 100 columns!p" || true
	done
}

# Every case begins with a comment on what must hold, sources lib.sh, and is a script for sh.
cases() {
	local file
	for file in $(files '^tests/(kvm/|tdx/)?cases/'); do
		sed -n 1p "$file" | grep -qx '#!/bin/sh' || echo "$file: line 1 is not #!/bin/sh"
		sed -n 2p "$file" | grep -q '^# [^ ]' || echo "$file: line 2 is not a comment"
		grep -nE '^# [A-Z]+:' "$file" |
			grep -vE ':# ((SMP|THREADS|BOOT|NEEDS|CONSOLE): |SMOKE: (yes|kasan)|SANITIZERS: no|KERNEL: any)' |
			sed "s|^|$file: unknown key: |"
		grep -qx '\. /tests/lib.sh' "$file" || echo "$file: does not source /tests/lib.sh"
		[[ $file =~ ^tests/(kvm/cases|(tdx/)?cases/[a-z]+)/[a-z0-9-]+\.sh$ ]] || echo "$file: is not FOLDER/NAME.sh"
	done
}

# A file that the text names must be in the tree, by a path from the top, from the file that names
# it, or from tests/. A name without a path may be anywhere. Not checked: headers of the kernel and
# the C library, output of spin and of the hardware test, names with patterns or variables, and
# tests/mainline and the comparison, which name the kernel's files. A section that the text names
# must be a title in the page.
references() {
	local tree=$out/tree

	files . >"$tree"
	grep -vE '^LICENSE$|\.svg$|^tests/mainline/|^docs/comparison\.md$' "$tree" |
		xargs grep -noHE '[A-Za-z0-9_./<*$-]*[A-Za-z0-9_]\.(md|sh|c|h)\b' |
		awk -F : '
			FILENAME == ARGV[1] {
				there[$0]
				sub(/.*\//, "")
				there[$0]
				next
			}
			$3 ~ /[<*$]|^\/|^(linux|asm)\/|^(cases\/)?FOLDER\/|^sysexits.h$|^pan.c$|^report.md$/ { next }
			{
				dir = $1
				sub(/[^\/]*$/, "", dir)
				path = dir $3
				while (sub(/[^\/.]+\/\.\.\//, "", path))
					;
				if (!($3 in there || path in there || "tests/" $3 in there))
					print $1 ":" $2 ": there is no " $3
			}' "$tree" -
	# shellcheck disable=SC2016 # perl's variables
	grep -vxE 'LICENSE|.*\.svg' "$tree" | xargs perl -e '
		my %titles;

		for my $file (@ARGV) {
			open my $in, "<", $file or die "$file: $!";
			my $text = join "", <$in>;

			$text =~ s/\*\///g;
			$text =~ s/\n[ \t]*[*#]*[ \t]*/ /g;
			while ($text =~ /\b(docs\/\w+\.md), ([A-Z][^,;:()]{0,60})/g) {
				my ($page, $title) = ($1, $2);

				next unless -e $page;
				$titles{$page} //= [split /\n/, `sed -n "s/^##* //p" $page`];
				print "$file: $page has no section \"$title\"\n"
					unless grep { $title =~ /^\Q$_\E\b/ } @{$titles{$page}};
			}
		}'
}

# Only compat.h may know kernel versions.
versions() {
	files '\.[ch]$|Kbuild$' | grep -vx include/compat.h |
		xargs grep -nE 'LINUX_VERSION_CODE|KERNEL_VERSION' || true
}

# agree WHERE FILE: the rows on standard input must be those of FILE, no more and no fewer.
agree() {
	sort | { diff "$2" - || true; } | sed -n "s/^</$1 lacks:/p; s/^>/$1 alone has:/p"
}

# The kernel module has the one table of results and errnos, the command that of exit statuses.
# Every copy of them must have the same rows, and the command must explain each result.
results() {
	local table=$out/results exits=$out/exits row='([a-z-]+) +(E[A-Z]+|-)'

	sed -nE 's/^\tX\([A-Z_]+, "([a-z-]+)", ([A-Z0]+),.*/\1 \2/p' include/core.h |
		sed 's/ 0$/ -/' | sort >"$table"
	[ -s "$table" ] || echo "include/core.h: no table of results found"
	sed -nE 's/^## ([a-z-]+) \(([A-Z-]+)\)$/\1 \2/p' docs/runbook.md | grep -vE '^(none|not-permitted) ' |
		agree runbook.md "$table"
	sed -nE "s/^\t\t$row( .*)?$/\1 \2/p" Documentation/ABI/testing/sysfs-firmware-tdx |
		agree Documentation.ABI "$table"
	sed -nE "s/^\.It $row$/\1 \2/p" docs/man/tdx_update.4 | agree tdx_update.4 "$table"

	make -s build/tool/tdx-update
	# The pages begin with the table's meanings.
	sed -nE '/^\tX\(/{N;s/^\tX\([A-Z_]+, "([a-z-]+)",[^"]*"([^"]*)".*/\1 \2/p}' include/core.h |
		sort >"$out/meanings"
	build/tool/tdx-update explain all --json |
		jq -r '.pages[] | select(.name | IN("none", "not-permitted") | not) | .name + " " + .meaning' |
		agree runbook.md "$out/meanings"

	# The schema's members, but for the version, and for those that say that a name is escaped.
	jq -r '.. | .properties? // empty | keys[]' docs/tdx-update.schema.json |
		grep -vE '^json_version$|_escaped$' | sort -u >"$out/members"
	sed -n '/^\.Sh JSON/,/^\.Sh FILES/s/^\.It Li //p' docs/man/tdx-update.8 | tr -d ' ' | tr , '\n' |
		sort -u | agree tdx-update.8 "$out/members"
	jq -r '."$defs".result.enum[] | select(. != null and . != "none")' docs/tdx-update.schema.json |
		agree tdx-update.schema.json <(cut -d ' ' -f 1 "$table")

	build/tool/tdx-update help | sed '1,/^Exit status/d' | sed -E 's/^ *([0-9]+) +/\1 /' |
		sort >"$exits"
	sed -n '/^\.Sh EXIT STATUS/,/^\.El/p' docs/man/tdx-update.8 |
		sed -n '/^\.It /{N; s/^\.It \([0-9]*\)\n/\1 /p}' | agree tdx-update.8 "$exits"
}

# fw_upload.c has the table of results and the upload's errors. The documentation must have the same
# rows. The manual must describe every parameter.
uploads() {
	local words=$out/uploads parameters=$out/parameters symbol error

	# FW_UPLOAD_ERR_* as the firmware loader spells them.
	while read -r symbol error; do
		sed -nE 's/^\tX\(([A-Z_]+), "([a-z-]+)",.*/\1 \2/p' include/core.h |
			sed -nE "s/^$symbol ([a-z-]+)$/$error \1/p"
	done < <(sed -nE 's/^\t\[TDXU_([A-Z_]+)\]\t*= FW_UPLOAD_ERR_([A-Z_]+),.*/\1 \2/p' src/fw_upload.c |
		sed 's/ BUSY$/ device-busy/; s/ WEAROUT$/ flash-wearout/; s/ RW_ERROR$/ read-write-error/
			s/ INVALID_SIZE$/ invalid-file-size/; s/ FW_INVALID$/ firmware-invalid/
			s/ CANCELED$/ user-abort/') | sort >"$words"
	[ "$(wc -l <"$words")" = "$(grep -c '^	\[TDXU_' src/fw_upload.c)" ] ||
		echo "src/fw_upload.c: a row of its table is not understood"
	sed -nE 's/^\t\t([a-z]+-[a-z-]+)  +([a-z-]+)( \(.*\))?$/\1 \2/p' \
		Documentation/ABI/testing/sysfs-firmware-tdx |
		grep -E '^(device|flash|read|invalid|firmware|user)-' | agree Documentation.ABI "$words"
	sed -nE '/^After an upload,/,/^\.El/{/^\.It /{N;s/^\.It ([a-z-]+)\n/\1 /p}}' docs/man/tdx_update.4 |
		grep -v '^hw-error ' | while IFS=' ,' read -r error rest; do
			tr -d , <<<"$rest" | tr ' ' '\n' | sed "s/^/$error /"
		done | agree tdx_update.4 "$words"

	sed -nE 's/^module_param(_cb)?\(([a-z_]+),.*/\2/p' src/*.c | sort >"$parameters"
	sed -n '/^Parameters,/,/^\.El/s/^\.It Cm //p' docs/man/tdx_update.4 |
		agree tdx_update.4 "$parameters"
}

# Alerts and dashboard must use metrics that the command prints.
metrics() {
	jq empty contrib/grafana/tdx-update.json
	comm -13 <(sed -nE 's/^\t+head\("([a-z_]+)".*/\1/p' tool/status.c | sort) \
		<(grep -owhE 'tdx_up|tdx_(module|update_last)_[a-z_]+' contrib/{prometheus,grafana}/* | sort -u) |
		sed 's/$/ is no metric of tdx-update status --prometheus/'
}

# A reference to a manual that is not installed here, or is not in mandoc's database, is fine.
man_pages() {
	local page

	mandoc -T lint docs/man/* 2>&1 |
		grep -vE 'referenced manual not found|outdated mandoc.db|system explicitly specified' || true
	# man-db's groff takes a page in mdoc for one of BSD unless told otherwise.
	for page in docs/man/*; do
		groff -mdoc -T utf8 "$page" | sed -n '1p; $p' | grep -w BSD | sed "s|^|$page: |" || true
	done
}

# docs/kernels.md must have the kernels of kernel.sh. README must name the options of a kernel that
# can host TDs, and tests/vm/config/tdx must set them.
kernels() {
	local list=$out/kernels option

	scripts/kernel.sh --table | sort >"$list"
	grep -E '^\| [0-9]+\.[0-9]+[^ ]* \|' docs/kernels.md | agree kernels.md "$list"
	for option in CONFIG_INTEL_TDX_HOST CONFIG_KVM_INTEL_TDX; do
		grep -q "$option" README.md || echo "README.md: no $option"
		grep -qx "$option=y" tests/vm/config/tdx || echo "tests/vm/config/tdx: no $option=y"
	done
}

# What is installed must not refer to tests/: the emulator must never reach a user's machine.
dkms() {
	grep -n tests/ Kbuild dkms.conf scripts/{dkms,install}.sh rpm/*.in || true
}

# Every file has a licence and a holder of the copyright, in itself or in debian/copyright, which
# .reuse/dep5 names, as the specification of REUSE wants it.
licences() {
	local log=$out/reuse

	reuse lint >"$log" 2>&1 || cat "$log"
}

# dkms.conf has the version. Debian's tools need it in the changelog too; no other file may have it.
version() {
	local version

	version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
	sed -n 1p debian/changelog | grep -qF "tdx-update ($version) " ||
		echo "debian/changelog does not begin with version $version, dkms.conf's"
	files . | grep -vxE 'dkms\.conf|debian/changelog' | xargs grep -nwF "$version" || true
}

mkdir -p "$out"
# One at a time in a tree: each begins by removing what the other builds.
exec 8>"$out/.lock"
flock -n 8 || { echo "Waiting for another lint in this tree to end"; flock 8; }
scripts/deps.sh build lint sbom
assignments=$(scripts/kernel.sh)
eval "$assignments"
# Fetch checkpatch and its word lists.
scripts/source.sh 6.1 build/checkpatch scripts/{checkpatch.pl,spelling.txt,const_structs.checkpatch}
# Fetch the kernels now: that prints progress, and a check that prints anything fails.
for kernel in $(scripts/kernel.sh --list); do
	scripts/kernel.sh "$kernel" >/dev/null
done
scripts/root.sh "$(scripts/kernel.sh --suite "$(scripts/kernel.sh --newest)")" sparse >/dev/null

check gcc compiler
check sparse sparse
check compat compat
check backports backports
check checkpatch checkpatch
check shell-guest shell_guest
check shell-host shell_host
check spelling spelling
check columns columns
check cases cases
check references references
check versions versions
check results results
check uploads uploads
check metrics metrics
check man man_pages
check kernels kernels
check dkms dkms
check version version
check licences licences

if [ ${#bad[@]} -gt 0 ]; then
	echo "lint: ${#bad[@]} of $checks checks found something: ${bad[*]}"
	exit 1
fi
echo "lint: clean"
