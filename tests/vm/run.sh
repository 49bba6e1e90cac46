#!/bin/bash
# Runs the cases in guests and sums up. What `make check` is.
#
#	TEST=part of a case's FOLDER/NAME	KERNEL=name, see scripts/kernel.sh
#	SMP=CPU count, or once: each case one time, on 2 CPUs or, if it does not name that, on
#	the first count that it does name
#	SMOKE=WORD only the cases that say "# SMOKE: WORD"
#	LEAN=1 leaves out cases with "# KERNEL: any": the kernel makes no difference to them
#	THREADS=single or multi: only the boots that share the host, or only those that run alone
#	TOKENS=the pool of CPUs to boot guests on, see pool.sh
#	KEEP=1 shows the console and leaves a shell on it; for the first boot of those chosen
#
# tests/vm/run.sh --settings only looks whether these make sense. Where they do not, it says so in
# one line, exit status 2.
#
# One boot for each CPU count that cases name, and one with true parallelism, which runs alone.
# Cases that start a kernel anew have boots of their own. Cases that say "# SANITIZERS: no" are
# about programs, not the kernel: where a kernel has sanitizers they are left out. A case may be
# skipped only where the kernel lacks something that it needs ("# NEEDS:"): elsewhere a skip is a
# failure. The last line is "N passed, N failed, N skipped"; a case counts once for each boot it is
# in.
#
# For the harness's own test: CASES_DIR, OUT_DIR, GUEST (what goes into the guest instead of the
# project's modules and images, see initramfs.sh), CASE_TIMEOUT and BOOT_TIMEOUT in seconds.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top"

cases_dir=${CASES_DIR:-tests/cases}

# shellcheck source=tests/vm/pool.sh
. tests/vm/pool.sh
# shellcheck source=tests/vm/sum.sh
. tests/vm/sum.sh

[[ ${SMP:-once} == once || ${SMP:-} =~ ^[1-9][0-9]*$ ]] ||
	usage "SMP=$SMP is neither a number of CPUs nor once"
[[ ${THREADS:-single} == @(single|multi) ]] || usage "THREADS=$THREADS is neither single nor multi"
[ -z "${KERNEL:-}" ] || scripts/kernel.sh --suite "$KERNEL" >/dev/null || { trap - EXIT; exit 2; }

# --- which boots, with which cases ----------------------------------------------------------------

# Sanitizers under software emulation take their time, and an eighth of the memory.
sanitizers='' slower=1 memory=1G
case ${KERNEL:-} in
*-debug | *-race) sanitizers=yes slower=12 memory=2G ;;
*-kasan) sanitizers=yes slower=3 memory=2G ;;
esac
case_timeout=${CASE_TIMEOUT:-$((120 * slower))}

declare -A plans=()	# boot -> its cases
mapfile -t names < <(cd "$cases_dir" && find . -name '*.sh' -printf '%P\n' | sed 's/\.sh$//' | sort |
	grep -F -e "${TEST:-}")
[ ${#names[@]} -gt 0 ] || usage "TEST=$TEST: no case in $cases_dir has that in its name"
declare -A heads=()	# "KEY case" -> the value of "# KEY: value" in the head of the case
# shellcheck disable=SC2016 # awk's own
while IFS=$'\t' read -r name key value; do
	heads[$key $name]+=${heads[$key $name]:+$'\n'}$value
done < <(cd "$cases_dir" && printf '%s\0' "${names[@]/%/.sh}" | xargs -0 awk '
	FNR == 1 { head = 1 }
	/^\. / { head = 0 }
	head && match($0, /^# [A-Z]+: */) {
		value = substr($0, RLENGTH + 1)
		sub(/^# /, "")
		sub(/:.*/, "")
		print substr(FILENAME, 1, length(FILENAME) - 3) "\t" $0 "\t" value
	}')
for name in "${names[@]}"; do
	[ -z "${SMOKE:-}" ] || [ "${heads[SMOKE $name]:-}" = "$SMOKE" ] || continue
	[ -z "${LEAN:-}" ] || [ "${heads[KERNEL $name]:-}" != any ] || continue
	[ -z "$sanitizers" ] || [ "${heads[SANITIZERS $name]:-}" != no ] || continue
	counts=2
	[[ ! ${heads[SMP $name]:-} =~ ^[0-9\ ]+ ]] || counts=${BASH_REMATCH[0]}
	read -r threads _ <<<"${heads[THREADS $name]:-}"
	read -r own _ <<<"${heads[BOOT $name]:-}"
	case $own in
	'' | kexec | nosmt | packages) ;;
	*) die "$name: BOOT: $own" ;;
	esac
	if [ "${SMP:-}" = once ]; then
		[[ " $counts " == *" 2 "* ]] || counts=${counts%% *}
		[[ " $counts " != *" 2 "* ]] || counts=2
	fi
	for smp in $counts; do
		case ${THREADS:-single}-${SMP:-once} in
		single-once | "single-$smp") plans[$smp${own:+-$own}]+="$name " ;;
		esac
	done
	case $threads in
	'' | single) ;;
	multi)
		case ${THREADS:-multi}-${SMP:-2} in
		multi-2 | multi-once) plans[2-multi]+="$name " ;;
		esac
		;;
	*) die "$name: THREADS: $threads" ;;
	esac
done
[ ${#plans[@]} -gt 0 ] ||
	usage "SMP=${SMP:-} THREADS=${THREADS:-}: none of the cases chosen runs in such a boot"
# The longest first, so that the CPUs are busy to the end; those that run alone last.
mapfile -t boots < <(
	for boot in "${!plans[@]}"; do
		alone=0
		[[ $boot != *-multi ]] || alone=1
		echo "$alone $(wc -w <<<"${plans[$boot]}") ${boot%%-*} $boot"
	done | sort -k 1,1n -k 2,2nr -k 3,3nr | awk '{ print $4 }'
)
[ -z "${KEEP:-}" ] || boots=("${boots[0]}")
if [ "${1:-}" = --settings ]; then
	trap - EXIT
	exit 0
fi

# One run at a time in a tree: they would overwrite each other's results.
out=${OUT_DIR:-build/check}
run_alone "$out"

# --- what they need -------------------------------------------------------------------------------

scripts/deps.sh build
assignments=$(scripts/kernel.sh ${KERNEL:+"$KERNEL"})
eval "$assignments"
export KERNEL KVER KROOT KDIR BUILD_ROOT MAKE_ARGS

# Runs in a subshell, because the harness is always tested on the default kernel: its test needs a
# quick one.
selftest() (
	unset KERNEL MODULES THREADS TOKENS
	assignments=$(scripts/kernel.sh)
	eval "$assignments"
	export KERNEL KVER KROOT KDIR BUILD_ROOT MAKE_ARGS
	exec "$here/selftest.sh" 8>&-
)

if [ -n "${GUEST:-}" ]; then
	read -ra guest <<<"$GUEST"
else
	# What a broken harness says is worth nothing.
	selftest
	echo "Building modules and images for $KVER"
	built=$("$here/build.sh") || die "the build failed"
	mapfile -t guest <<<"$built"
fi
# has_needs WORDS: the kernel has all of them: options of its configuration (with "!": not set), or
# KERNEL=NAME or KERNEL=NAME|NAME.
has_needs() {
	local word config=$KROOT/boot/config-$KVER

	for word in $1; do
		case $word in
		KERNEL=*) [[ $KERNEL == @(${word#*=}) ]] || return 1 ;;
		!*) ! grep -q "^${word#!}=[my]" "$config" || return 1 ;;
		*) grep -q "^$word=[my]" "$config" || return 1 ;;
		esac
	done
}

# describe BOOT: prints what kind of boot it is.
describe() {
	local how=''

	case $1 in
	*-multi) how=' in threads of their own' ;;
	*-kexec) how=' and a kexec' ;;
	*-nosmt) how=', SMT off' ;;
	*-packages) how=' in two packages' ;;
	esac
	echo "$KERNEL, ${1%%-*} CPUs$how"
}

booted=()
for boot in "${boots[@]}"; do
	dir=$out/$KERNEL-$boot
	rm -rf "$dir"
	mkdir -p "$dir"
	# shellcheck disable=SC2086 # a list of names
	printf '%s\n' ${plans[$boot]} >"$dir/plan"
	for name in ${plans[$boot]}; do
		has_needs "${heads[NEEDS $name]:-}" || echo "$name"
	done >"$dir/may-skip"
	# shellcheck disable=SC2086 # a list of names
	for name in ${plans[$boot]}; do
		[ -z "${heads[CONSOLE $name]:-}" ] ||
			printf '%s\n' "$name"$'\t'"${heads[CONSOLE $name]//$'\n'/$'\n'$name$'\t'}"
	done >"$dir/demands"
	if cmp -s "$dir/plan" "$dir/may-skip"; then
		echo "Leaving out $(describe "$boot"): the kernel lacks what each of its cases needs"
		skipped=$((skipped + $(wc -l <"$dir/plan")))
		continue
	fi
	booted+=("$boot")
	guest+=("$dir/plan=/tests/plans/$boot")
done
boots=("${booted[@]}")
"$here/initramfs.sh" "$out/$KERNEL.cpio" "$cases_dir=/tests/cases" "${guest[@]}"
# The initramfs of a boot: of those that start a kernel anew that kernel, its initramfs and what
# loads them are in there too.
initrd() {
	case $1 in
	*-kexec) echo "$out/$KERNEL-kexec.cpio" ;;
	*) echo "$out/$KERNEL.cpio" ;;
	esac
}
if [[ " ${boots[*]}" == *-kexec* ]]; then
	"$here/kexec.sh" "$(initrd -kexec)" "$out/$KERNEL.cpio"
fi

# --- boot, judge ----------------------------------------------------------------------------------

declare -A again=()	# boots that have been tried once more

# In the background: boots one guest. Most cases take seconds; two of them may use up all their
# time. Hundreds of CPUs share one of the host's, so there everything takes longer.
boot() {
	local dir=$out/$KERNEL-$1 thread=single smp=${1%%-*} append timeout
	local options=() runner=(exec) cpus=1 slower=$slower case_timeout=$case_timeout

	if [ "$smp" -gt 64 ]; then
		slower=$((slower * smp / 32)) case_timeout=$((case_timeout * smp / 32))
	fi
	[[ $KERNEL != *-gcov ]] || options+=(--counts "$dir/counts.tgz")
	[[ $1 != *-multi ]] || thread=multi cpus=$(nproc)
	append="guest.plan=$1 guest.case_timeout=$case_timeout"
	if [[ $1 == *-nosmt ]]; then
		smp+=,threads=2
		append+=" nosmt"
	fi
	[[ $1 != *-packages ]] || smp+=,sockets=2
	timeout=${BOOT_TIMEOUT:-$((60 + 20 * slower * $(wc -l <"$dir/plan") + 2 * case_timeout))}
	if [ -n "${KEEP:-}" ]; then
		options+=(--live console)
		append+=" guest.shell=1"
		timeout=0
	fi
	if [ -n "${TOKENS:-}" ]; then
		runner=(pool_run "$cpus")
	fi
	"${runner[@]}" "$here/boot.sh" --kernel "$KROOT/boot/vmlinuz-$KVER" --initrd "$(initrd "$1")" \
		--dir "$dir" --smp "$smp" --thread "$thread" --memory "$memory" --timeout "$timeout" \
		--append "$append" "${options[@]}"
}

# Starts a boot, or with KEEP= lets it have the terminal.
start() {
	echo "Booting $(describe "$1"): $(wc -l <"$out/$KERNEL-$1/plan") cases"
	if [ -n "${KEEP:-}" ]; then
		(boot "$1")
		ended "$1"
	else
		boot "$1" </dev/null 8>&- &
		pids[$!]=$1
	fi
}

# Shows what came of a boot and adds it up.
ended() {
	local dir=$out/$KERNEL-$1 p f s seconds

	# With a thread for each CPU, QEMU 7.2 can run an instruction that the kernel is patching.
	# At boot that breaks the kernel alone: nothing of this project runs before the first case.
	if [[ $1 == *-multi && -z ${again[$1]:-} ]] && grep -qs 'int3: 0000' "$dir/console.log" &&
		! grep -q 'test: case ' "$dir/console.log"; then
		again[$1]=1
		echo "QEMU broke the kernel before the first case (int3): once more"
		start "$1"
		return
	fi
	[ -e "$dir/exit" ] || die "could not boot: $(cat "$dir/qemu.log" 2>/dev/null)"
	mv "$dir/work.log" "$dir/ktap.log"
	"$here/judge.sh" "$dir" || true
	# Rows of a table that a case prints are for the reader of the run, as is their sum.
	grep '^# |' "$dir/ktap.log" | tr -d '\r' | awk -F '|' '
		{ print }
		/ past the point of no return / {
			rows += $4
			past += $5
			alive += substr($6, index($6, "in ") + 3)
		}
		END {
			if (past)
				printf "# | all leaves | all | %d rows | %d failed past the point of no " \
					"return | TDs survive in %d, %d %% | if each were final: 0 |\n",
					rows, past, alive, 100 * alive / past
		}' || true
	read -r p f s <"$dir/result"
	read -r _ seconds <"$dir/exit"
	echo "Ended   $(describe "$1"): $p passed, $f failed, $s skipped, in $seconds s"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

for boot in "${boots[@]}"; do
	# Threads that spin for one another need the host's CPUs for themselves.
	if [[ $boot == *-multi ]]; then
		drain 0
		start "$boot"
		drain 0
	else
		drain $(($(nproc) - 1))
		start "$boot"
	fi
done
drain 0
[ "$failed" = 0 ]
