#!/bin/bash
# Tries one mutation in user space.
#
#	tests/mutate/pure.sh LINE FILE CHANGED WAY
#		CHANGED is FILE with the mutation in line LINE of the table. WAY is one of
#		pure	build the table tests and the oracle's judge with it, run them until one
#			fails; the judge judges JUDGED= images
#		signer	compare the copies of Intel's signer (tests/pure/signer.sh)
#		tool	run the command against a made-up sysfs (tests/tool/unit.sh)
#		reference	compare its reference values (tests/tool/reference.sh)
#		hwtest	judge evidence, build a TD with a stand-in for KVM (tests/hwtest/unit.sh)
#	tests/mutate/pure.sh --prepare
#		build the objects that no mutation of a .c file changes
#
# Prints "survived"; or "found" or "unclear" (it does not compile), a tab, and what has failed.
set -euo pipefail
cd "$(dirname "$0")/../.."

out=build/mutate/pure
programs=(image_test plan_test judge)
declare -A sources=(
	[image_test]="src/image.c tests/pure/image_test.c"
	[plan_test]="src/image.c src/plan.c tests/pure/plan_test.c"
	[judge]="src/image.c src/plan.c tests/oracle/judge.c tests/oracle/expect.c tests/oracle/rules.c tests/oracle/images.c
		tests/oracle/situations.c tests/pure/user_verify.c"
)

# variable NAME: prints a variable of the Makefile. Drops -Werror, because a mutation may leave
# something unused.
variable() {
	make -s --no-print-directory --eval="variable: ; @echo \$($1)" variable | sed 's/-Werror//'
}
read -ra flags <<<"$(variable ORACLE_CFLAGS)"

object() {
	echo "${1//\//-}.o"
}

# compile DIR SOURCE [FILE [INCLUDE]]: compiles FILE in place of SOURCE to an object in DIR. INCLUDE
# comes before include/ in the search path.
compile() {
	gcc ${4:+-I"$4"} "${flags[@]}" -iquote "$(dirname "$2")" -c -x c -o "$1/$(object "$2")" "${3:-$2}"
}

read -ra tool_flags <<<"-O1 $(variable TOOL_CFLAGS)"
tool_sources=(tool/*.c src/image.c src/plan.c)

# is_old OBJECT SOURCE: succeeds if the object is older than its source or a header.
is_old() {
	[ ! "$1" -nt "$2" ] || [ -n "$(find include tool tests/oracle tests/pure -name '*.h' -newer "$1" -print -quit)" ]
}

if [ "$1" = --prepare ]; then
	mkdir -p "$out"
	scripts/deps.sh build
	# shellcheck disable=SC2048,SC2086 # lists of words
	for source in $(printf '%s\n' ${sources[*]} | sort -u); do
		! is_old "$out/$(object "$source")" "$source" || compile "$out" "$source"
	done
	mkdir -p "$out/tool"
	make -s build/tool/runbook.inc
	for source in "${tool_sources[@]}"; do
		object=$out/tool/$(object "$source")
		! is_old "$object" "$source" || gcc "${tool_flags[@]}" -c -o "$object" "$source"
	done
	exit
fi

file=$2 changed=$3 dir=$out/$1
rm -rf "$dir"
mkdir -p "$dir"
trap 'rm -rf "$dir"' EXIT
# uncompiled LOG: gives the verdict on a mutation that does not compile. If a static assertion has
# failed, the mutation is found. Any other error is a mistake in the table.
uncompiled() {
	if grep -q 'static assertion failed' "$1"; then
		printf 'found\tcompiler: %s\n' "$(grep -m 1 -o 'static assertion failed.*' "$1")"
	else
		printf 'unclear\tdoes not compile: %s\n' "$(grep -m 1 error "$1" || tail -n 1 "$1")"
	fi
}

if [ "$4" = signer ]; then
	cp --parents src/verify.c tool/container.c docs/firmware.md tests/pure/signer.sh "$dir/"
	cp "$changed" "$dir/$file"
	if "$dir/tests/pure/signer.sh" >"$dir/log" 2>&1; then
		echo survived
	else
		printf 'found\tsigner: %s\n' "$(head -n 1 "$dir/log")"
	fi
	exit
fi
if [ "$4" = hwtest ]; then
	cp -r --parents Makefile dkms.conf docs/firmware.md hwtest scripts/deps.sh tests/hwtest tests/tool/expect.sh "$dir/"
	cp "$changed" "$dir/$file"
	if FIRST=1 WERROR='' timeout 300 "$dir/tests/hwtest/unit.sh" >"$dir/log" 2>&1; then
		echo survived
	elif grep -q ': error: ' "$dir/log"; then
		uncompiled "$dir/log"
	else
		printf 'found\t%s\n' "$(grep -m 1 '^hwtest: ' "$dir/log" || tail -n 1 "$dir/log")"
	fi
	exit
fi
if [ "$4" = tool ] || [ "$4" = reference ]; then
	declare -A tests=([tool]=tests/tool/unit.sh [reference]=tests/tool/reference.sh)
	objects=()
	for source in "${tool_sources[@]}"; do
		object=$out/tool/$(object "$source")
		if [ "$source" = "$file" ]; then
			object=$dir/$(object "$source")
			gcc "${tool_flags[@]}" -iquote "$(dirname "$source")" -c -x c -o "$object" "$changed" 2>"$dir/log" || {
				uncompiled "$dir/log"
				exit
			}
		fi
		objects+=("$object")
	done
	gcc -o "$dir/tdx-update" "${objects[@]}" -lcrypto -ljansson
	if FIRST=1 timeout 600 "${tests[$4]}" "$dir/tdx-update" >"$dir/log" 2>&1; then
		echo survived
	else
		printf 'found\t%s\n' "$(head -n 1 "$dir/log")"
	fi
	exit
fi
if [[ $file == *.h ]]; then
	cp -r include "$dir/include"
	cp "$changed" "$dir/$file"
fi

# build PROGRAM: builds it with the mutation and the prepared objects.
build() {
	local source object objects=()

	# shellcheck disable=SC2086 # a list of words
	for source in ${sources[$1]}; do
		object=$dir/$(object "$source")
		if [ ! -e "$object" ]; then
			if [ "$source" = "$file" ]; then
				compile "$dir" "$source" "$changed"
			elif [[ $file == *.h ]]; then
				compile "$dir" "$source" "$source" "$dir/include"
			else
				object=$out/$(object "$source")
			fi
		fi
		objects+=("$object")
	done
	gcc "${flags[@]}" -o "$dir/$1" "${objects[@]}" -lcrypto
}

# reason PROGRAM: prints why the program failed, from its log.
reason() {
	case $1 in
	*_test) sed -n 's/^not ok [0-9]* //p' "$dir/log" | head -n 1 ;;
	judge) sed -n 's/^ *project: /the project says /p' "$dir/log" | head -n 1 ;;
	esac | grep . || grep -m 1 -E 'ERROR|runtime error' "$dir/log" || tail -n 1 "$dir/log"
}

for program in "${programs[@]}"; do
	[ "$program:$file" != image_test:src/plan.c ] || continue
	build "$program" >"$dir/log" 2>&1 || {
		uncompiled "$dir/log"
		exit
	}
	command=("$dir/$program")
	[ "$program" != judge ] || command+=(--stop 1 --images "${JUDGED:-300}")
	timeout 300 "${command[@]}" >"$dir/log" 2>&1 || {
		printf 'found\t%s: %s\n' "$program" "$(reason "$program")"
		exit
	}
done
echo survived
