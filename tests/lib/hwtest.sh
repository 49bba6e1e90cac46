# shellcheck shell=dash
# Helpers of cases about tdx-update-hwtest: they run it on the emulator and read its report. Sourced
# after lib.sh.

HWTEST_DIR=$TMP/hwtest
OUT=''
# TDs for the kit: by the program that it has on a host, and a stand-in for KVM.
export TDX_HWTEST_TD=/tests/hwtest-td KVM_RECORD="$TMP/kvm"

# hwtest STATUS ARGUMENT...: run a stage or a command, and expect this exit status; set OUT.
hwtest() {
	local want=$1 status=0

	shift
	sh /tests/hwtest/tdx-update-hwtest "$@" --dir "$HWTEST_DIR" </dev/null >"$TMP/hwtest.out" 2>&1 ||
		status=$?
	OUT=$(cat "$TMP/hwtest.out")
	expect "exit status of tdx-update-hwtest $*" "$want" "$status"
	[ "$status" = "$want" ] || note "it said: $OUT"
}

# reported FILTER: apply a jq filter to the report.
reported() {
	jq -r "$1" "$HWTEST_DIR/report.json" 2>&1 || echo invalid
}

# facts VERDICT: print the ids of the facts with it, in one line.
facts() {
	reported ".facts | map(select(.verdict == \"$1\") | .id) | join(\" \")"
}

# emulate_report FILE: set the emulator from a report, and reset it.
emulate_report() {
	local file words

	hwtest 0 emulator "$1"
	echo "$OUT" >"$TMP/settings"
	while read -r file words; do
		case $file in
		platform | module) emu_set "$file" "$words" ;;
		esac
	done <"$TMP/settings"
	emu_set reset 1
	while read -r file words; do
		case $file in
		delay | inject) emu_set "$file" "$words" ;;
		esac
	done <"$TMP/settings"
}

# some_images NAME...: a directory with these test images, in IMAGES.
some_images() {
	local name

	IMAGES=$TMP/images
	rm -rf "$IMAGES"
	mkdir -p "$IMAGES"
	for name; do
		cp "/lib/firmware/test/$name.blob" "$IMAGES/"
	done
}

# expect_as_before: nothing is left of a stage: CPUs, modules, tracing and files are as they were.
expect_as_before() {
	expect "CPUs online" "$(cat /sys/devices/system/cpu/present)" "$(cat /sys/devices/system/cpu/online)"
	expect "tdx_hwtest loaded" no "$(! loaded tdx_hwtest && echo no)"
	expect "instances of tracing" '' "$(ls /sys/kernel/tracing/instances)"
	expect "copies of images" no "$([ ! -e /lib/firmware/tdx-update-hwtest ] && echo no)"
	expect "undo" no "$([ ! -e "$HWTEST_DIR/undo" ] && echo no)"
}
