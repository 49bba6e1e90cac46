#!/bin/bash
# `make mutate`: breaks the sources in one place at a time and has the tests look for it.
#
#	FILE=src/plan.c		only the mutations of that file
#	LINE="N..."		only these lines of the table
#	IN=user or guest	only the mutations that are tried in user space, or in guests
#	SAMPLE=N SEED=		N mutations, no known survivors; SEED (default: the commit) decides
#				which ones
#	JUDGED=300		images that the oracle judges for each mutation
#	GUESTS=			guests side by side (default: the CPUs of this machine)
#	RESUME=1		keeps the verdicts of an earlier run and does the rest
#
# The table is tests/mutate/mutations. Each mutation is made in a copy of its file. Its row says how
# it is tried: in user space (pure.sh), or in a guest with the cases that the row names (guest.sh).
# A guest tries several mutations in turn; each costs only a build of tdx_update.ko or of the
# command.
#
# The last line has the share of mutations that were found, of those that change something. The run
# fails if it is below 97 %.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top"

export TABLE=tests/mutate/mutations
out=build/mutate
least=97		# percent that have to be found
per_guest=25		# most mutations that one guest tries
silence=150		# seconds without progress of a guest after which it counts as hung

die() {
	echo "mutate: $*" >&2
	exit 1
}

table() {
	MODE=$1 ROW=${2:-} awk -f tests/tools/rows.awk -f tests/mutate/table.awk
}

mkdir -p "$out"
exec 8>"$out/.lock"
flock -n 8 || { echo "Waiting for another run in this tree to end"; flock 8; }

# --- which ----------------------------------------------------------------------------------------

rows=$(table list) || die "rows of the table cannot be applied"

# Prints the rows on standard input in an order that SEED decides.
shuffle() {
	local seed=${SEED:-$(git rev-parse HEAD 2>/dev/null || echo 1)}

	awk -v x="$(cksum <<<"$seed" | cut -d ' ' -f 1)" '
		BEGIN { x = x % 2147483646 + 1 }
		{ x = x * 16807 % 2147483647; print x "\t" $0 }' | sort -n | cut -f 2-
}

chosen=$(awk -F '\t' -v file="${FILE:-}" -v line="${LINE:-}" -v place="${IN:-}" '
	file != "" && $2 != file || line != "" && !index(" " line " ", " " $1 " ") { next }
	$3 == "same" || place == "" || (place == "guest") == ($3 ~ /\//)' <<<"$rows")
same=$(awk -F '\t' '$3 == "same"' <<<"$chosen" | grep -c . || true)
chosen=$(awk -F '\t' -v sample="${SAMPLE:-}" \
	'$3 != "same" && !(sample != "" && $4 ~ /^open: /)' <<<"$chosen")
[ -z "${SAMPLE:-}" ] || chosen=$(shuffle <<<"$chosen" | sed -n "1,${SAMPLE}p" | sort -n)
[ -n "$chosen" ] || die "no row of the table is chosen"

verdicts=$out/verdicts
[ -n "${RESUME:-}" ] || rm -rf "$verdicts"
mkdir -p "$verdicts" "$out/files"

# is_known LINE: succeeds if an earlier run has tried this row, and the row is still the same.
is_known() {
	[ -s "$verdicts/$1" ] && [ "$(sed 1d "$verdicts/$1")" = "$(sed -n "${1}p" "$TABLE")" ]
}

declare -A file_of=() how_of=()
pure=() guest=()
while IFS=$'\t' read -r line file how _; do
	file_of[$line]=$file how_of[$line]=$how
	! is_known "$line" || continue
	table apply "$line" >"$out/files/$line"
	case $how in
	pure | signer | tool | reference | hwtest) pure+=("$line") ;;
	*/*) guest+=("$line") ;;
	*) die "$TABLE:$line: '$how' is no way to find a mutation" ;;
	esac
done <<<"$chosen"

# verdict LINE found|survived|unclear WHAT: keeps and prints the verdict on a mutation.
verdict() {
	{
		printf '%s\t%s\n' "$2" "$3"
		sed -n "${1}p" "$TABLE"
	} >"$verdicts/$1"
	printf '%-9s%4d  %s%s\n' "$2" "$1" "$(table show "$1" | cut -c 1-110)" "${3:+  <- $3}" |
		cut -c 1-200
}

# --- in user space --------------------------------------------------------------------------------

if [ ${#pure[@]} -gt 0 ]; then
	echo "Looking for ${#pure[@]} mutations in user space"
	tests/mutate/pure.sh --prepare
	# shellcheck disable=SC2016 # expanded by the inner shell
	printf '%s\n' "${pure[@]}" | xargs -P "$(nproc)" -I LINE sh -c '
		set -- $(MODE=list awk -f tests/tools/rows.awk -f tests/mutate/table.awk | awk -F "\t" "\$1 == LINE { print \$2, \$3 }")
		tests/mutate/pure.sh LINE "$1" build/mutate/files/LINE "$2" >build/mutate/pure/LINE.verdict ||
			echo "broken" >build/mutate/pure/LINE.verdict
		echo LINE' | while read -r line; do
		IFS=$'\t' read -r found what <"$out/pure/$line.verdict"
		[ "$found" != broken ] || die "line $line cannot be tried"
		verdict "$line" "$found" "$what"
	done
fi

# --- in guests ------------------------------------------------------------------------------------

# header KEY CASE: prints the value of "# KEY: value" in the head of a case.
header() {
	sed -n '/^\. /q; s/^# '"$1"': *//p' "tests/cases/$2.sh"
}

# group LINE: prints the kind of guest that the row's cases run in, "KERNEL CPUS". The third column
# of the row has the form CASE[,CASE]...[:CPUS][@KERNEL].
group() {
	local how=${how_of[$1]} cases counts cpus='' kernel=default

	if [[ $how == *@* ]]; then
		kernel=${how##*@}
		how=${how%@*}
	fi
	if [[ $how == *:* ]]; then
		cpus=${how##*:}
		how=${how%:*}
	fi
	IFS=, read -ra cases <<<"$how"
	for case in "${cases[@]}"; do
		[ -e "tests/cases/$case.sh" ] || die "$TABLE:$1: there is no case $case"
		counts=$(header SMP "$case" | grep -Eo '^[0-9 ]+' || echo 2)
		[[ " $counts " == *" 2 "* ]] || cpus=${cpus:-${counts%% *}}
	done
	echo "$kernel ${cpus:-2}"
}

# build_mutant LINE: builds the module or the command with the mutation. Prints the path of the file
# in the guest that it replaces.
build_mutant() {
	local file=${file_of[$1]} modules=$out/modules/$KVER

	rm -f "$out/built/$1"
	mkdir -p "$out/built"
	if [[ $file == tool/* ]]; then
		rm -rf "$out/tool"
		mkdir -p "$out/tool"
		cp -r Makefile dkms.conf include src tool "$out/tool/"
		cp "$out/files/$1" "$out/tool/$file"
		env -u MAKEFLAGS make -s -C "$out/tool" CFLAGS="-O1 -Wno-error" build/tool/tdx-update \
			>"$out/build.log" 2>&1 || return 1
		cp "$out/tool/build/tool/tdx-update" "$out/built/$1"
		echo /sbin/tdx-update
	elif [[ $file == hwtest/tdx-update-hwtest ]]; then
		cp "$out/files/$1" "$out/built/$1"
		echo "/tests/$file"
	else
		replace "$out/files/$1" "$modules/$file"
		if { [[ $file == *.c ]] && link_module "$file"; } || make_module; then
			cp "$modules/tdx_update.ko" "$out/built/$1"
		fi
		replace "$file" "$modules/$file"
		[ -e "$out/built/$1" ] || return 1
		echo "/lib/modules/$KVER/updates/tdx_update.ko"
	fi
}

# replace FROM TO: makes TO a new file. The next build sees that it has changed, and a link into the
# tree is not written through.
replace() {
	rm "$2"
	cp "$1" "$2"
}

# recorded OBJECT: prints the command with which Kbuild made this object of the module.
recorded() {
	sed -n '1{s/^[^ ]* := *//; s/\$\$/$/g; s/\\#/#/g; p}' "$out/modules/$KVER/$(dirname "$1")/.$(basename "$1").cmd"
}

symbols() {
	nm -u "$out/modules/$KVER/tdx_update.o" | sort
}

# link_module FILE: builds the module after FILE has changed. It runs Kbuild's recorded commands,
# because Kbuild itself takes longer to check what has changed. It fails if the module needs new
# symbols of the kernel, whose versions only Kbuild finds. Afterwards it puts back the object that
# has no mutation: nothing else would build it again for the next mutation.
link_module() {
	local object=${1%.c}.o modules=$out/modules/$KVER status=0

	mv "$modules/$object" "$out/object"
	link_with "$object" || status=1
	mv "$out/object" "$modules/$object"
	return $status
}

link_with() {
	local where=$out/modules/$KVER commands part

	commands=$(recorded "$1")
	# Newer kernels name files from the module's directory, older ones from the kernel's.
	[[ $commands != *" -o /"* ]] || where=$KDIR
	for part in "$1" tdx_update.o; do
		in_root sh -ec "cd '$(realpath -sm "$where")'; $(recorded "$part")" >"$out/build.log" 2>&1 || return 1
	done
	[ -z "$(comm -13 "$out/symbols" <(symbols))" ] || return 1
	in_root sh -ec "cd '$(realpath -sm "$where")'; $(recorded tdx_update.ko)" >"$out/build.log" 2>&1
}

in_root() {
	env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS scripts/root.sh --in "$BUILD_ROOT" "$@"
}

make_module() {
	# shellcheck disable=SC2086 # a list of words
	in_root make -s -C "$KDIR" M="$(realpath "$out/modules/$KVER")" -j2 ${MAKE_ARGS:-} modules \
		>"$out/build.log" 2>&1
}

# prepare [KERNEL]: makes the initramfs of a kernel, with all cases and without a mutation.
prepare() {
	local built

	assignments=$(scripts/kernel.sh ${1:+"$1"})
	eval "$assignments"
	export KERNEL KVER KROOT KDIR BUILD_ROOT MAKE_ARGS
	echo "Building modules and images for $KVER"
	built=$(tests/vm/build.sh)
	mapfile -t built <<<"$built"
	tests/vm/initramfs.sh "$out/$KVER.cpio" tests/cases=/tests/cases \
		tests/mutate/guest.sh=/tests/mutate.sh "${built[@]}"
	scripts/modules.sh "$KDIR" "$out/modules/$KVER"
	symbols >"$out/symbols"
}

# settle DIR: gives the verdicts after a guest has tried the lines in DIR/list. Lines that it did
# not reach go to DIR/rest. Lines whose cases also fail without the mutation go to DIR/alone, and
# are tried again in a guest of their own.
settle() {
	local dir=$1 line how why splat

	tr -d '\r\0' <"$dir/work.log" >"$dir/work"
	tr -d '\r\0' <"$dir/console.log" >"$dir/console"
	: >"$dir/rest"
	while read -r line _; do
		how=$(sed -n "s/^end $line //p" "$dir/work")
		why=$(awk -v line="$line" '
			$0 == "mutation " line { on = 1; next }
			/^mutation / { on = 0 }
			on && /^# .*: expected|^# (hung|died)|^Bail out|^# memory is still|^# fault in/ {
				sub(/^# /, ""); print; exit
			}' "$dir/work")
		splat=$(awk -v line="$line" -v splat="$SPLAT" '
			/mutate: begin / { on = $NF == line }
			/mutate: end / { on = 0 }
			on && $0 ~ splat { sub(/^\[[^]]*\] */, ""); print; exit }' "$dir/console")
		if grep -q "^sick $line\$" "$dir/work"; then
			if [ "$(wc -l <"$dir/list")" = 1 ]; then
				verdict "$line" unclear "its cases fail or are skipped without the mutation, too"
			else
				echo "$line" >>"$dir/alone"
			fi
		elif [ -n "$splat" ]; then
			verdict "$line" found "$splat"
		elif [ "$how" = survived ]; then
			verdict "$line" survived ''
		elif [ -n "$how" ]; then
			verdict "$line" found "$how: $why"
		elif ! grep -q "^mutation $line\$" "$dir/work"; then
			echo "$line" >>"$dir/rest"
		else
			verdict "$line" found "the guest stops in $(sed -n 's/.*test: case //p' "$dir/console" |
				tail -n 1)${why:+: $why}"
		fi
	done <"$dir/list"
}
# The pattern of vm/judge.sh without our own module's message, which the cases check themselves.
SPLAT=$(sed -n "s/^splat='\(.*\)|do not trust KVM'\$/\1/p" tests/vm/judge.sh)'|Kernel panic'
[ "$SPLAT" != '|Kernel panic' ] || die "vm/judge.sh has no pattern of splats"

# watch PID DIR: waits for the guest, and kills it when it makes no progress for too long, because
# its CPUs spin or a task is stuck. Progress is a line of its report, or a mark of its cases on the
# console. Other lines there do not count: a kernel goes on complaining about a stuck task.
watch() {
	local pid=$1 dir=$2 size seen='' quiet=0

	while kill -0 "$pid" 2>/dev/null; do
		sleep 1
		size=$({ cat "$dir/work.log"; grep -a ' test: ' "$dir/console.log"; } 2>/dev/null | wc -c || true)
		if [ "$size" = "$seen" ]; then quiet=$((quiet + 1)); else quiet=0; fi
		seen=$size
		[ $quiet -lt $silence ] || { kill "$pid" 2>/dev/null || true; break; }
	done
	wait "$pid" || true
}

# boot DIR CPUS: boots a guest that tries the lines in DIR/list, and waits for its end.
boot() {
	local dir=$1 cpus=$2

	mkdir -p "$dir/root/mutate"
	cp "$dir/list" "$dir/root/mutate/list"
	while read -r line _; do
		cp "$out/built/$line" "$dir/root/mutate/$line"
	done <"$dir/list"
	(
		cat "$out/$KVER.cpio"
		cd "$dir/root"
		find mutate | cpio --quiet -o -H newc -R 0:0
	) >"$dir/initramfs"
	rm -r "$dir/root"
	tests/vm/boot.sh --kernel "$KROOT/boot/vmlinuz-$KVER" --initrd "$dir/initramfs" --dir "$dir" \
		--smp "$cpus" --timeout $((60 + 240 * $(wc -l <"$dir/list"))) \
		--append "guest.script=/tests/mutate.sh guest.case_timeout=90" </dev/null 8>&- &
	watch $! "$dir"
	rm "$dir/initramfs"
	grep -q '^mutation ' "$dir/work.log" || die "the guest does not start: $(tail -n 3 "$dir/console.log")"
}

# in_guests KERNEL CPUS LINE...: tries the lines in as many boots as that takes.
in_guests() {
	local cpus=$2 number=0 taken line how size dir pid
	local -A under_way=()	# pid of a boot -> its directory

	shift 2
	while [ $# -gt 0 ] || [ ${#under_way[@]} -gt 0 ]; do
		while [ $# -gt 0 ] && [ ${#under_way[@]} -lt "$guests" ]; do
			dir=$out/guests/$KVER-$cpus-$((number += 1))
			rm -rf "$dir"
			mkdir -p "$dir"
			size=$((($# + guests - 1) / guests)) taken=0
			[ $size -le $per_guest ] || size=$per_guest
			while [ $# -gt 0 ] && [ $taken -lt $size ]; do
				line=$1
				# A doubtful line gets a guest of its own.
				[[ $doubtful != *" $line "* ]] || [ $taken = 0 ] || break
				shift
				taken=$((taken + 1))
				how=${how_of[$line]%@*}
				echo "$line ${target_of[$line]} $(tr , ' ' <<<"${how%:*}")" >>"$dir/list"
				[[ $doubtful != *" $line "* ]] || break
			done
			boot "$dir" "$cpus" &
			under_way[$!]=$dir
		done
		wait -n -p pid "${!under_way[@]}" || die "a guest could not be started"
		dir=${under_way[$pid]}
		unset "under_way[$pid]"
		settle "$dir"
		# shellcheck disable=SC2046 # lists of numbers
		set -- "$@" $(cat "$dir/rest")
		if [ -e "$dir/alone" ]; then
			doubtful+="$(xargs <"$dir/alone") "
			# shellcheck disable=SC2046
			set -- "$@" $(cat "$dir/alone")
		fi
	done
}

doubtful=' '
guests=${GUESTS:-$(nproc)}
declare -A groups=() target_of=()
for line in "${guest[@]}"; do
	in=$(group "$line")
	groups[$in]+="$line "
done
kernel=''
for in in $(printf '%s\n' "${!groups[@]}" | sort | tr ' ' /); do
	[ "$kernel" = "${in%/*}" ] || {
		kernel=${in%/*}
		prepare "${kernel#default}"
	}
	# shellcheck disable=SC2086 # a list of numbers
	set -- ${groups[${in%/*} ${in#*/}]}
	echo "Looking for $# mutations in guests with $KERNEL and ${in#*/} CPUs"
	lines=()
	for line; do
		if target=$(build_mutant "$line"); then
			target_of[$line]=$target
			lines+=("$line")
		elif grep -q 'static assertion failed' "$out/build.log"; then
			verdict "$line" found "compiler: $(grep -m 1 -o 'static assertion failed.*' "$out/build.log")"
		else
			verdict "$line" unclear "does not compile: $(grep -m 1 -i error "$out/build.log")"
		fi
	done
	[ ${#lines[@]} -eq 0 ] || in_guests "$KERNEL" "${in#*/}" "${lines[@]}"
done

# --- the sum --------------------------------------------------------------------------------------

found=0 survived=0 unclear=0
echo
while IFS=$'\t' read -r line _ _ note; do
	read -r seen _ <"$verdicts/$line"
	case $seen in
	found)
		found=$((found + 1))
		[[ $note != open:* ]] || echo "Line $line is found, and said to survive: $note"
		;;
	unclear)
		unclear=$((unclear + 1))
		echo "unclear: $TABLE:$line: $(table show "$line")"
		;;
	*)
		survived=$((survived + 1))
		echo "survived: $TABLE:$line: $(table show "$line")${note:+ ($note)}"
		;;
	esac
done <<<"$chosen"
total=$((found + survived))
[ "$total" -gt 0 ] || die "nothing was tried"
echo "$((total + same)) mutations: $same change nothing; of the other $total $found are found, $survived survive:" \
	"$((found * 1000 / total / 10)).$((found * 1000 / total % 10)) %"
[ $unclear = 0 ] || die "$unclear mutations could not be judged"
[ $((found * 100)) -ge $((least * total)) ]
