#!/bin/bash
# Tests the operator's command against a sysfs that this script makes up: its text and JSON for each
# answer, and what it writes where. Takes seconds and no guest. Prints failures, or else one line.
#
#	tests/tool/unit.sh [COMMAND]	(build/tool/tdx-update)
#	FIRST=1				ends at the first check that fails
#
# Runs in a mount namespace of its own, where /lib/firmware is empty and takes the copies of images.
# A user who is not root becomes root there, in a user namespace.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ -z "${TOOL_TEST_DIR:-}" ]; then
	scripts/deps.sh build schema
	command=${1:-build/tool/tdx-update}
	[ -n "${1:-}" ] || make -s "$command"
	tests/tools/images.sh build/images
	TOOL_TEST_DIR=$(mktemp -d)
	export TOOL_TEST_DIR
	# Not in build/: others may run at the same time.
	gcc -O1 -Wall -Wextra -Werror -shared -fPIC -o "$TOOL_TEST_DIR/answers.so" tests/tool/answers.c -ldl
	trap 'rm -rf "$TOOL_TEST_DIR"' EXIT
	namespaces=(--mount)
	[ "$(id -u)" = 0 ] || namespaces+=(--map-root-user)
	status=0
	unshare "${namespaces[@]}" "$0" "$(realpath "$command")" || status=$?
	exit $status
fi
command=$1
mount -t tmpfs tmpfs /run
[ ! -d /lib/firmware ] || mount -t tmpfs tmpfs /lib/firmware

dir=$TOOL_TEST_DIR
export TDX_UPDATE_SYSFS=$dir/sys TDX_UPDATE_CONF=$dir/etc/tdx-update.conf
tdx=$TDX_UPDATE_SYSFS/firmware/tdx
subject='command'
# shellcheck source=tests/tool/expect.sh
. tests/tool/expect.sh

# A host as after loading tdx_update.
host() {
	rm -rf "$TDX_UPDATE_SYSFS" "$dir/log"
	mkdir -p "$tdx"/last{,_check} "$TDX_UPDATE_SYSFS"/{module/tdx_update,module/firmware_class/parameters,devices/system/cpu}
	: >"$dir/log"
	while read -r file value; do
		printf '%s\n' "$value" >"$tdx/$file"
	done <<-END
	version 1.5.24
	features0 0x0000800000040002
	race_protection supported
	state ready
	seamldr_version 1.5.12
	num_remaining_updates 7
	recovery_image
	update
	check
	last/result none
	last/errno 0
	last/reason none
	last/tds live
	last/phase shutdown
	last/leaf TDH.SYS.SHUTDOWN
	last/status 0x8000051200010000
	last/status_name UPDATE_COMPAT_SENSITIVE
	last/rcx 0x0000000000010000
	last/rdx 0x0000000000000000
	last/r8 0x0000000000000000
	last/cpu 3
	last/sessions 2
	last/image none
	last/file none
	last/from 1.5.24
	last/to 1.5.26
	last/blackout_ns 1500000
	last/total_ns 99000000
	last/when 1764188662
	END
	cp "$tdx"/last/* "$tdx/last_check/"
	echo 1.0 >"$TDX_UPDATE_SYSFS/module/tdx_update/version"
	: >"$TDX_UPDATE_SYSFS/module/firmware_class/parameters/path"
	echo 0-3 >"$TDX_UPDATE_SYSFS/devices/system/cpu/online"
	echo 0-3 >"$TDX_UPDATE_SYSFS/devices/system/cpu/present"
}

# tool STATUS ANSWERS ARGUMENT...: runs it; leaves OUT and ERR. It has to end so.
tool() {
	local want=$1 answers=$2 status=0

	shift 2
	ANSWERS=$answers ANSWERS_LOG=$dir/log LD_PRELOAD=$dir/answers.so timeout 60 "$command" "$@" \
		>"$dir/out" 2>"$dir/err" </dev/null || status=$?
	OUT=$(cat "$dir/out") ERR=$(cat "$dir/err")
	expect "exit status of $* with '$answers'" "$want" "$status"
	[[ " $* " != *" --json "* ]] || [ -z "$OUT" ] || cp "$dir/out" "$(mktemp -p "$dir/json" "$1.XXXX")"
}

json() {
	jq -r "$1" "$dir/out" 2>&1 || echo invalid
}

# How often a file was written.
writes() {
	grep -c "^$1 " "$dir/log" || true
}

# halves IMAGE STEM [OFFSET BYTE]: splits it into STEM.bin and STEM.sigstruct, with that byte of the
# sigstruct changed: nothing here checks signatures.
halves() {
	dd if="$1" of="$2.sigstruct" bs=2048 skip=2 count=1 status=none
	dd if="$1" of="$2.bin" bs=4096 skip=2 status=none
	[ -z "${3:-}" ] ||
		printf '%b' "\\x$4" | dd of="$2.sigstruct" bs=1 seek="$3" conv=notrunc status=none
}

mkdir "$dir/images" "$dir/json"
for image in same=1.5.24 a=1.5.25 v2=1.5.26 b=1.5.27; do
	cp "build/images/${image%=*}.blob" "$dir/images/tdx_module_${image#*=}.blob"
done
new=$dir/images/tdx_module_1.5.26.blob

# --- status ---------------------------------------------------------------------------------------

host
tool 0 '' status
expect_match "version in words" '^TDX module +1\.5\.24, ready$' "$OUT"
expect_match "race protection in words" '^race protection +yes' "$OUT"
tool 0 '' status --json
expect "numbers in JSON" "number number number number number number" \
	"$(json '[.updates_left, .last.errno, .last.cpu, .last.sessions, .last.blackout_ns, .last.total_ns] | map(type) | join(" ")')"
expect "other types in JSON" "string string string boolean boolean" \
	"$(json '[.version, .state, .last.rdx, .version_may_be_stale, .kernel_driver_version_stale] | map(type) | join(" ")')"
expect "what is not there in JSON" "null null" "$(json '"\(.kernel_driver_version) \(.no_such)"')"
tool 0 '' status --prometheus
expect_match "seconds of a blackout" '^tdx_update_last_blackout_seconds 0\.001500000$' "$OUT"
expect_match "race protection as a metric" '^tdx_module_race_protection 1$' "$OUT"
printf '1.5"24\\\n' >"$tdx/version"
tool 0 '' status --prometheus
expect_match "a label that is escaped" '^tdx_module_info\{version="1\.5\\"24\\\\",seamldr' "$OUT"
host
echo unsupported >"$tdx/race_protection"
echo shut-down >"$tdx/state"
tool 0 '' status --prometheus
expect_match "no race protection as a metric" '^tdx_module_race_protection 0$' "$OUT"
expect_match "the module is loaded" '^tdx_up 1$' "$OUT"
rm "$tdx/race_protection"
tool 0 '' status --prometheus
expect "race protection that is not known" 0 "$(grep -c race_protection <<<"$OUT")"
expect "states that are 1" 'tdx_module_state{state="shut-down"} 1' "$(grep '^tdx_module_state.* 1$' <<<"$OUT")"
tool 0 '' status --json
expect "version while TDX is down" null "$(json .version)"
tool 0 '' status
expect_match "advice while TDX is down" 'apply an image to bring it back' "$OUT"
rm -r "$tdx"
tool 69 '' status
tool 0 '' status --prometheus
expect "metrics without the module" 'tdx_up 0' "$(grep -v '^#' <<<"$OUT")"

# --- the ends of an update ------------------------------------------------------------------------

# errno, result, exit status, what has changed
while read -r error result status changed; do
	host
	tool "$status" "update:$error:$result" apply "$new" --recovery none --json
	expect "$result as JSON" "$result $error $status $changed" "$(json '"\(.result) \(.errno) \(.exit) \(.changed)"')"
	expect "details of $result" "TDH.SYS.SHUTDOWN 3 number 1.5.24 1500000 number" \
		"$(json '"\(.leaf) \(.cpu) \(.cpu | type) \(.from) \(.blackout_ns) \(.blackout_ns | type)"')"
	expect "writes for $result" 1 "$(writes update)"
done <<END
0 success 0 the new TDX module runs
16 update-race 75 nothing
4 interrupted 75 nothing
125 recovered 2 the recovery image runs
108 shut-down 5 no TDX module runs, its handoff data is whole
131 lost 3 no TDX module runs
22 bad-image 1 nothing
22 bad-name 1 nothing
28 no-updates-left 1 nothing
5 firmware-error 1 nothing
71 bad-handoff 1 nothing
END
host
tool 0 '' apply "$new" --recovery none
expect_match "success in words" 'installed, TDs live; 1\.5\.24 -> 1\.5\.26; CPUs stopped for 1\.500 ms$' "$OUT"
host
tool 1 'update:5:firmware-error' apply "$new" --recovery none
expect_match "a failure in words" 'firmware-error \(EIO\): .* \[TDH\.SYS\.SHUTDOWN on CPU 3: 0x8000051200010000 UPDATE_COMPAT_SENSITIVE\]$' "$ERR"
expect_match "what to do next" "changed: nothing; 'tdx-update explain firmware-error'" "$ERR"
expect "output of a failure" '' "$OUT"
tool 66 '' apply "$dir/none" --json
tool 77 'update:1:-' apply "$new" --recovery none --json
expect "no right as JSON" "null 1" "$(json '"\(.result) \(.errno)"')"
tool 71 'update:12345:-' apply "$new" --recovery none

# The path that the user named: as it is, of a relative one, and the end of a long one.
host
tool 0 '' apply "$new" --recovery none --json
expect_match "the path, told to the module" "^file $new\$" "$(cat "$dir/log")"
(cd "$dir" && ln -sf images/tdx_module_1.5.26.blob relative.blob && tool 0 '' apply relative.blob --recovery none)
expect_match "a relative path" "^file $dir/relative.blob\$" "$(cat "$dir/log")"
long=$dir/$(printf '%90s/%90s/%90s' '' '' '' | tr ' ' l)
mkdir -p "$long"
cp "$new" "$long/a.blob"
tool 0 '' apply "$long/a.blob" --recovery none
expect_match "a long path" '^file /\.\.\.l+/l{90}/l{90}/a\.blob$' "$(cat "$dir/log")"
expect "its length" 255 "$(sed -n 's/^file //p' "$dir/log" | tail -n 1 | tr -d '\n' | wc -c)"
# An older module takes no second line.
rm -r "$tdx/last/file" "$tdx/last_check"
: >"$dir/log"
tool 0 '' apply "$new" --recovery none
expect "paths for an older module" 0 "$(writes file)"
tool 0 '' status
expect "records of an older module" 2 "$(grep -c '^last .* unknown: an older tdx_update is loaded$' <<<"$OUT")"
# What lost TDX is told again by each update after it.
host
echo lost >"$tdx/last/result"
echo /old.blob >"$tdx/last/file"
tool 3 'update:131:-' apply "$new" --recovery none --json
expect "what lost TDX" "lost gone TDH.SYS.SHUTDOWN /old.blob" "$(json '"\(.result) gone \(.leaf) \(.lost_by)"')"
echo lost >"$tdx/state"
tool 3 '' apply --latest "$dir/images" --json
expect "the same of --latest" "lost TDH.SYS.SHUTDOWN /old.blob" "$(json '"\(.result) \(.leaf) \(.lost_by)"')"

# last/ is another attempt's: by its image, by its result, or because that one runs.
for answers in 'update:5:-' 'update:114:in-progress'; do
	host
	tool "$([[ $answers == *114* ]] && echo 75 || echo 1)" "$answers" apply "$new" --recovery none --json
	expect "details with $answers" "null null" "$(json '"\(.leaf) \(.phase)"')"
done
host
echo firmware-error >"$tdx/last/result"
echo other.blob >"$tdx/last/image"
tool 1 'update:5:-' apply "$new" --recovery none --json
expect "details of another image" "firmware-error null" "$(json '"\(.result) \(.leaf)"')"
host
tool 1 'update:5:lost' apply "$new" --recovery none --json
expect "details of another result" "firmware-error null" "$(json '"\(.result) \(.leaf)"')"

# --- waiting --------------------------------------------------------------------------------------

host
tool 0 'update:16:update-race update:16:update-race update:0:success' apply "$new" --recovery none --wait 20 --json
expect "a race that ends" "success 3" "$(json '"\(.result) \(.tries)"')"
expect "writes" 3 "$(writes update)"
host
start=$SECONDS
tool 75 'update:16:update-race' apply "$new" --recovery none --wait 2 --json
took=$((SECONDS - start))
expect "a race that lasts, between 2 and 4 s" yes "$([ $took -ge 2 ] && [ $took -le 4 ] && echo yes || echo "$took s")"
expect "tries are 3 or 4" yes "$([ "$(json .tries)" -ge 3 ] && [ "$(json .tries)" -le 4 ] && echo yes)"
expect "without KVM's debugfs" null "$(json ".not_run_yet | tojson")"
# However busy this machine is, pauses are not shorter; but for the last one, which ends with the
# time.
expect "pauses below 0.45 s" '' "$(awk '$1 == "update" { if (pause != "" && pause < 450) print pause; pause = last == "" ? "" : $3 - last; last = $3 }' \
	"$dir/log")"
# A VM of this process has not run, one of another has, a third has just gone.
kvm=$TDX_UPDATE_SYSFS/kernel/debug/kvm
host
mkdir -p "$kvm/$$-11" "$kvm/1-12" "$kvm/1-13" "$kvm/none"
echo 0 >"$kvm/$$-11/exits"
echo 5 >"$kvm/1-12/exits"
tool 75 'update:16:update-race' apply "$new" --recovery none --json
expect "in the way" "[{\"process\":$$,\"command\":\"$(cat /proc/$$/comm)\"}]" "$(json ".not_run_yet | tojson")"
tool 75 'update:16:update-race' apply "$new" --recovery none
expect_match "in words" "may be in the way: process $$ \($(cat /proc/$$/comm)\), whose VM has not run yet" "$ERR"
echo 1 >"$kvm/$$-11/exits"
tool 75 'update:16:update-race' apply "$new" --recovery none --json
expect "where all have run" '[]' "$(json ".not_run_yet | tojson")"
tool 75 'update:16:update-race' apply "$new" --recovery none
expect_match "in words" 'every VM has run by now' "$ERR"
tool 1 'update:5:firmware-error' apply "$new" --recovery none --json
expect "of another refusal" false "$(json 'has("not_run_yet")')"
rm -r "$TDX_UPDATE_SYSFS/kernel/debug"
tool 75 'update:16:update-race' apply "$new" --recovery none
expect_match "without KVM" 'cannot tell which TD is in the way: /sys/kernel/debug/kvm: No such file' "$ERR"
host
tool 1 'update:5:firmware-error update:0:success' apply "$new" --recovery none --wait 20 --json
expect "another failure is not waited for" 1 "$(json .tries)"
host
ANSWERS=update:16:update-race ANSWERS_LOG=$dir/log LD_PRELOAD=$dir/answers.so "$command" apply "$new" \
	--recovery none --wait 60 >"$dir/out" 2>&1 &
pid=$!
until [ "$(writes update)" -ge 1 ]; do sleep 0.1; done
kill -TERM $pid
status=0 start=$SECONDS
wait $pid || status=$?
expect "exit status after TERM" 143 "$status"
expect "it ends long before its time" yes "$([ $((SECONDS - start)) -lt 30 ] && echo yes)"
expect_match "what it says" 'nothing has changed' "$(cat "$dir/out")"

# --- check, dry run, recovery ---------------------------------------------------------------------

host
tool 0 '' apply "$new" --recovery none --dry-run
expect "a dry run writes" "0 1" "$(writes update) $(writes check)"
expect_match "what it says" 'can be installed now, nothing has changed' "$OUT"
tool 1 'check:74:corrupt' check "$new" --json
expect "a check as JSON" "false corrupt 1 nothing null" \
	"$(json '"\(.installable) \(.expected) \(.exit) \(.changed) \(.result)"')"
tool 3 'check:131:lost' check "$new" --json
expect "a check while TDX is lost" "lost nothing null null" "$(json '"\(.expected) \(.changed) \(.tds) \(.lost_by)"')"
tool 0 '' check "$new" --json
expect "a check that passes" "success can be installed now nothing 1.5.24 null" \
	"$(json '"\(.expected) \(.meaning) \(.changed) \(.from) \(.result)"')"
host
tool 0 '' apply "$new" --recovery auto --json
expect "the recovery image" "$dir/images/tdx_module_1.5.24.blob" "$(json .recovery)"
expect_match "the first write" '^recovery_image .*tdx_module_1\.5\.24\.blob ' "$(head -n 1 "$dir/log")"
expect "recovery_image afterwards" '' "$(cat "$tdx/recovery_image")"
expect "paths of recovery image and image" "$dir/images/tdx_module_1.5.24.blob $new" "$(sed -n 's/^file //p' "$dir/log" | xargs)"
host
echo set.blob >"$tdx/recovery_image"
tool 0 '' apply "$new" --json
expect "one that is set" set.blob "$(json .recovery)"
tool 0 '' apply "$new" --recovery none --json
expect "none" null "$(json .recovery)"
expect "recovery_image afterwards" set.blob "$(cat "$tdx/recovery_image")"
host
tool 1 'recovery_image:116:older' apply "$new" --recovery "$dir/images/tdx_module_1.5.24.blob"
expect "updates without it" 0 "$(writes update)"
tool 1 'recovery_image:116:older' apply "$new" --recovery "$dir/images/tdx_module_1.5.24.blob" --json
expect "as the result of the attempt" "older null" "$(json '"\(.result) \(.expected)"')"
host
tool 1 'recovery_image:116:older' apply "$new" --recovery "$dir/images/tdx_module_1.5.24.blob" --dry-run --json
expect "a dry run without it" "older $dir/images/tdx_module_1.5.24.blob" "$(json '"\(.expected) \(.answer_on)"')"
expect "checks" 0 "$(writes check)"

# Only the module can tell that a recovery image does not suit the new one. "auto" tries the next.
cp build/images/same.blob "$dir/images/tdx_module_1.5.24-b.blob"
host
echo "recovery image: 13 handoff pages, at least 24 needed" >"$tdx/last/reason"
tool 0 'update:71:bad-handoff update:0:success' apply "$new" --recovery auto --json
expect "the recovery image that suits" "success $dir/images/tdx_module_1.5.24.blob" "$(json '"\(.result) \(.recovery)"')"
expect "writes: two images, and what was set before" 3 "$(writes recovery_image)"
expect "the path of the image, told with both" 2 "$(grep -cx "file $new" "$dir/log")"
expect_match "the one that does not" 'passed over as recovery image: .*1\.5\.24-b\.blob: bad-handoff' "$ERR"
tool 66 'update:71:bad-handoff' apply "$new" --recovery auto
expect_match "none suits" 'no usable image of the running version 1\.5\.24' "$ERR"
host
echo "recovery image: 13 handoff pages, at least 24 needed" >"$tdx/last/reason"
tool 0 'update:71:bad-handoff update:71:bad-handoff update:0:success' apply "$new" --json
expect "by default it goes on without one" "success null" "$(json '"\(.result) \(.recovery)"')"
rm "$dir/images/tdx_module_1.5.24-b.blob"
# One that is set or named is blamed by its name.
host
echo "recovery image" | tee "$tdx/last/reason" >"$tdx/last_check/reason"
echo gone.blob >"$tdx/recovery_image"
tool 1 'update:2:no-image' apply "$new" --json
expect "what is blamed" "no-image gone.blob" "$(json '"\(.result) \(.answer_on)"')"
tool 1 'update:2:no-image' apply "$new"
expect_match "in words" '^tdx-update: gone\.blob: no-image .*: recovery image' "$ERR"
tool 1 'check:2:no-image' check "$new"
expect_match "by a check" '^tdx-update: gone\.blob: no-image .*: recovery image' "$ERR"

# --- the newest -----------------------------------------------------------------------------------

host
tool 0 '' apply --latest "$dir/images" --recovery none --json
expect "the newest" "$dir/images/tdx_module_1.5.27.blob" "$(json .file)"
host
tool 0 'check:71:bad-handoff check:0:success' apply --latest "$dir/images" --recovery none --json
expect "the next" "$dir/images/tdx_module_1.5.26.blob $dir/images/tdx_module_1.5.27.blob" \
	"$(json '"\(.file) \(.passed_over[].file)"')"
expect "checks" 2 "$(writes check)"
host
tool 1 'check:71:bad-handoff' apply --latest "$dir/images" --recovery none --json
expect "none will do: checks, updates" "3 0" "$(writes check) $(writes update)"
expect "passed over" 3 "$(json '.passed_over | length')"
host
tool 1 'check:112:cpu-offline' apply --latest "$dir/images" --recovery none --json
expect "the host's fault ends it: checks, updates" "1 0" "$(writes check) $(writes update)"
expect "its result" cpu-offline "$(json .result)"
host
echo 1.5.27 >"$tdx/version"
tool 0 '' apply --latest "$dir/images"
expect "nothing newer: recovery images set" 0 "$(writes recovery_image)"
expect_match "nothing newer" 'nothing newer than 1\.5\.27 in series 1\.5$' "$OUT"
for version in 1.4.50 2.0.01; do
	host
	echo $version >"$tdx/version"
	tool 0 '' apply --latest "$dir/images" --recovery none
	expect "another series than $version: checks" 0 "$(writes check)"
	expect_match "another series than $version" "than $version in series ...; the images of series 1\.5 need a reboot" "$OUT"
	tool 0 '' check "$new"
done
host
tool 0 '' check "$dir/images/tdx_module_1.5.24.blob"
host
echo 1.5.24x >"$tdx/version"
tool 69 '' apply --latest "$dir/images" --recovery none
host
echo lost >"$tdx/state"
tool 3 '' apply --latest "$dir/images" --recovery none
host
cat >"$dir/images/mapping_file.json" <<END
{ "tdx_module_releases": [
	{ "version": "1.5.27", "min_module_version_for_td_preserving": "1.5.25", "min_seamldr_versions": [ "1.5.00" ] },
	{ "version": "1.5.26", "min_module_version_for_td_preserving": "1.5.24", "min_seamldr_versions": [ "1.4.00", "1.5.13" ] },
	{ "version": "1.5.25", "min_module_version_for_td_preserving": "1.5.24", "min_seamldr_versions": [ "2.0.00", "1.5.12" ] } ] }
END
tool 0 '' apply --latest "$dir/images" --recovery none --json
expect "by the mapping file" "$dir/images/tdx_module_1.5.25.blob 2" "$(json '"\(.file) \(.passed_over | length)"')"

# As in Intel's repository the mapping file is above. Every command finds it, and says which it is.
repo=$dir/repo
blobs=$repo/joined_files/1.5
mkdir -p "$blobs"
mv "$dir/images/mapping_file.json" "$repo/"
cp "$dir"/images/*.blob "$blobs"
host
tool 0 '' apply --latest "$blobs" --recovery none --json
expect "by the mapping file above" "$blobs/tdx_module_1.5.25.blob $repo/mapping_file.json" "$(json '"\(.file) \(.mapping_file)"')"
expect_match "which file" "mapping file: $repo/mapping_file\.json$" "$ERR"
expect "how often it says so" 1 "$(grep -c 'mapping file:' <<<"$ERR")"
host
tool 1 '' apply "$blobs/tdx_module_1.5.27.blob" --recovery none --json
expect_match "an image that TDs do not survive" "^TDs survive it only if 1\.5\.25 or later runs \($repo/mapping_file\.json\) 1$" \
	"$(json '"\(.objection) \(.exit)"')"
expect "its updates" 0 "$(writes update)"
tool 1 '' apply "$blobs/tdx_module_1.5.27.blob" --recovery none
expect_match "what helps" '--mapping none ignores the mapping file' "$ERR"
tool 1 '' check "$blobs/tdx_module_1.5.27.blob" --json
expect "a check of it" "false success" "$(json '"\(.installable) \(.expected)"')"
tool 0 '' list "$blobs"
expect_match "a list with it" 'tdx_module_1\.5\.27\.blob: no: TDs survive it only if' "$OUT"
expect_match "a list with another" 'tdx_module_1\.5\.25\.blob: yes$' "$OUT"
tool 0 '' apply "$blobs/tdx_module_1.5.27.blob" --mapping none --recovery none --json
expect "without it" "null null" "$(json '"\(.mapping_file) \(.objection)"')"
echo '{ "tdx_module_releases": [] }' >"$dir/other.json"
tool 1 '' check "$blobs/tdx_module_1.5.25.blob" --mapping "$dir/other.json"
expect_match "by another one" "it is not in $dir/other\.json" "$ERR"
tool 66 '' check "$blobs/tdx_module_1.5.25.blob" --mapping "$dir/none.json"
mkdir -p "$repo/1/2/3/4"
cp "$new" "$repo/1/2/3/"
tool 1 '' check "$repo/1/2/3/${new##*/}"
mv "$repo/1/2/3/${new##*/}" "$repo/1/2/3/4/"
tool 0 '' check "$repo/1/2/3/4/${new##*/}"
rm -r "$repo/1"

# The top has no image itself. Names that begin with a dot and other file systems are left out.
tool 66 '' list "$repo"
expect_match "images below" "no image there, but 4 below, such as $blobs/tdx_module_1\.5\.27\.blob" "$ERR"
tool 66 '' apply --latest "$repo"
mkdir "$repo/.git" "$repo/mount"
mount -t tmpfs tmpfs "$repo/mount"
cp "$new" "$repo/.git/"
cp "$new" "$repo/mount/"
ln -s .. "$blobs/up"
tool 0 '' list "$repo" --recursive
expect_match "a path in the list" ' joined_files/1\.5/tdx_module_1\.5\.25\.blob: yes$' "$OUT"
expect "its lines" 5 "$(wc -l <<<"$OUT")"
umount "$repo/mount"
host
tool 0 '' apply --latest "$repo" --recursive --json
expect "the newest below, and its recovery image" "$blobs/tdx_module_1.5.25.blob $blobs/tdx_module_1.5.24.blob" \
	"$(json '"\(.file) \(.recovery)"')"

# --- names that lie, older versions ---------------------------------------------------------------

names=$dir/names
old=build/images/good-no-version.blob
mkdir "$names"
cp "$old" "$names/tdx_module_1.5.99.blob"
halves "$old" "$names/tdx_module_1.5.25" 21 02 # the month in which it was built
host
tool 0 '' apply --latest "$names" --recovery none --json
expect "not the one that was built earlier" "$names/tdx_module_1.5.25.bin $names/tdx_module_1.5.99.blob" \
	"$(json '"\(.file) \(.passed_over[].file)"')"
expect_match "why" "its name says 1\.5\.99, but $names/tdx_module_1\.5\.25\.bin was built later$" "$ERR"
tool 1 '' apply "$names/tdx_module_1.5.99.blob" --recovery none
host
echo none >"$tdx/last/to"
tool 0 '' apply "$names/tdx_module_1.5.99.blob" --recovery none --allow-downgrade
expect_match "what runs after an update" '; 1\.5\.24 -> 1\.5\.24; ' "$OUT"
expect_match "what the name said" 'its name says 1\.5\.99, but 1\.5\.24 runs now$' "$ERR"
echo 1.5.99 >"$tdx/version"
tool 66 '' apply "$names/tdx_module_1.5.99.blob" --recovery auto --allow-downgrade
expect_match "as recovery image" 'passed over as recovery image: .*its name says 1\.5\.99' "$ERR"
host
tool 0 '' list "$names"
expect_match "dates" '^1\.5\.25 +2025-02-01 ' "$OUT"
expect_match "in a list" '1\.5\.99\.blob: no: its name says 1\.5\.99' "$OUT"
halves "$old" "$names/tdx_module_1.5.25" 948 06
tool 1 '' check "$names/tdx_module_1.5.99.blob"
expect_match "a higher SVN" 'tdx_module_1\.5\.25\.bin has a higher SVN' "$ERR"
halves "$old" "$names/tdx_module_1.5.25"
tool 1 '' check "$names/tdx_module_1.5.99.blob"
expect_match "a copy" 'tdx_module_1\.5\.25\.bin has the same contents' "$ERR"
tool 0 '' check "$names/tdx_module_1.5.25.bin"
rm "$names"/*.bin "$names"/*.sigstruct
# These prove nothing: another series, other CPUs, the same version.
for other in tdx_module_1.4.25 a tdx_module_1.5.99-b; do
	halves "$dir/images/tdx_module_1.5.25.blob" "$names/$other" 1030 "$([ $other = a ] && echo 0a || echo 08)"
	printf '\x02' | dd of="$names/$other.sigstruct" bs=1 seek=21 conv=notrunc status=none
	[ $other = a ] || printf '\0\0\0\0' | dd of="$names/$other.sigstruct" bs=1 seek=1000 conv=notrunc status=none
	tool 0 '' check "$names/tdx_module_1.5.99.blob"
	rm "$names"/*.bin "$names"/*.sigstruct
done

# The module does not know such a version either.
host
echo none | tee "$tdx/last/to" >"$tdx/last_check/to"
tool 0 '' check "$names/tdx_module_1.5.99.blob"
expect_match "its version" 'can be installed now: 1\.5\.24 -> 1\.5\.99$' "$OUT"
mv "$names/tdx_module_1.5.99.blob" "$names/module.blob"
tool 0 '' apply "$names/module.blob" --recovery none --dry-run
expect_match "no version" '1\.5\.24 -> a version that it does not tell$' "$OUT"
tool 0 '' apply "$names/module.blob" --recovery none --dry-run --json
expect "no version as JSON" null "$(json .to)"
tool 0 '' apply --latest "$names" --json
expect "passed over" "$names/module.blob null" "$(json '"\(.passed_over[].file) \(.file)"')"
expect_match "why" 'neither its content nor its name has a version' "$ERR"

# An older version of the same SVN is not installed by mistake.
host
echo 1.5.27 >"$tdx/version"
tool 1 '' apply "$new" --recovery none
expect_match "a downgrade" "$new: older than 1\.5\.27, which runs$" "$ERR"
expect_match "what helps" '--allow-downgrade installs it all the same' "$ERR"
tool 1 '' check "$new" --json
expect "a check of a downgrade" "false success 1" "$(json '"\(.installable) \(.expected) \(.exit)"')"
expect "updates" 0 "$(writes update)"
tool 0 '' apply "$new" --recovery none --allow-downgrade
echo shut-down >"$tdx/state"
tool 0 '' apply "$new" --recovery none
tool 64 '' apply --latest "$names" --allow-downgrade
tool 64 '' apply "$new" --recursive

# --- what is no container -------------------------------------------------------------------------

parts=$dir/parts
mkdir "$parts"
half=$parts/tdx_module_1.5.26
halves "$new" "$half"
host
tool 0 '' list "$parts" --json
expect "two halves" "1 $half.bin 2 1.5.26 1.5 true" \
	"$(json '"\(.images | length) \(.images[0] | "\(.file) \(.container) \(.version) \(.svn) \(.installable)")"')"
tool 0 '' apply --latest "$parts" --json
expect "the newest" "$half.bin" "$(json .file)"
expect_match "a copy is what the module gets" '^update tdx-update\.[^/]*/[0-9]-tdx_module_1\.5\.26\.bin ' "$(grep ^update "$dir/log")"
tool 0 '' check "$half.sigstruct"
truncate -s 100 "$half.bin" # less than a page: the rest is zero
tool 0 '' check "$half.bin" --json
expect "a module that is not whole pages" 1.5 "$(json .svn)"
: >"$half.bin"
tool 66 '' check "$half.sigstruct"
expect_match "an empty half" 'half of this image is an empty file' "$ERR"
tool 0 '' list "$parts"
expect_match "in a list" 'tdx_module_1\.5\.26\.bin: no: half of this image is an empty file' "$OUT"
rm "$half.bin"
tool 66 '' apply "$half.sigstruct"
expect_match "no module" 'half an image: its module, the file \.bin, is missing' "$ERR"
mv "$half.sigstruct" "$half.bin"
tool 66 '' check "$half.bin"
expect_match "no signature" 'half an image: its signature, the file \.sigstruct, is missing' "$ERR"
tool 66 '' list "$parts"
cp "$half.bin" "$half.sigstruct"
echo >>"$half.sigstruct"
tool 66 '' check "$half.bin"
expect_match "no sigstruct" 'does not have 2048 bytes' "$ERR"
: >"$parts/empty.blob"
echo junk >"$parts/junk.blob"
tool 66 '' check "$parts/empty.blob"
expect_match "an empty file" 'empty\.blob: the file is empty' "$ERR"
tool 66 '' check "$repo/mapping_file.json"
expect_match "JSON" 'mapping_file\.json: JSON, not an image; --mapping takes' "$ERR"
tool 0 'check:22:bad-image' list "$parts"
expect_match "an empty file in a list" 'empty\.blob: no: the file is empty' "$OUT"
expect_match "junk in a list" 'junk\.blob: no: bad-image' "$OUT"

# --- lists, words, output -------------------------------------------------------------------------

host
tool 0 'check:0:success' list "$dir/images" --json
expect "newest first" "1.5.27 1.5.26 1.5.25 1.5.24" "$(json '[.images[].version] | join(" ")')"
expect "an image's SVN, container, signature" "1.5 2 false" "$(json '.images[1] | "\(.svn) \(.container) \(.debug_signed)"')"
tool 0 '' list "$dir/images"
expect "lines of a list that is not for a terminal" 5 "$(wc -l <"$dir/out")"
ANSWERS=check:71:bad-handoff ANSWERS_LOG=$dir/log script -qec \
	"stty cols 83; LD_PRELOAD=$dir/answers.so $command list $dir/images" /dev/null </dev/null |
	tr -d '\r' >"$dir/out"
expect "lines wider than the terminal" '' "$(grep -E '^.{84}' "$dir/out")"
expect_match "an image and its verdict" '^    tdx_module_1\.5\.27\.blob: no: bad-handoff \(EPROTO\): ' \
	"$(cat "$dir/out")"
words=$(tr -s '\n ' ' ' <"$dir/out")
tool 0 check:71:bad-handoff list "$dir/images"
expect "words on a terminal" "$(tr -s '\n ' ' ' <"$dir/out")" "$words"
tool 0 '' explain all
expect "results explained" "$(($(grep -c '^	X([A-Z_]*, "' include/core.h) + 1))" "$(grep -c '^  exit ' <<<"$OUT")"
tool 0 '' explain -16
expect_match "an errno explained" '^update-race \(EBUSY, 16\)$' "$OUT"
expect "lines of a page" "meaning changed look at do do not worked if exit" \
	"$(sed -nE 's/^  ([a-z]+( (at|not|if))?) .*/\1/p' <<<"$OUT" | xargs)"
expect "widest line" yes "$([ "$(awk '{ print length }' <<<"$OUT" | sort -n | tail -n 1)" -le 79 ] && echo yes)"
tool 0 '' explain none
expect "before the first update" "none (no error)" "$(head -n 1 <<<"$OUT")"
tool 0 '' explain eacces
expect "an errno that is no result's" "not-permitted (EPERM, 1)" "$(head -n 1 <<<"$OUT")"
tool 0 '' explain all --json
expect "each page as JSON" "$(grep -c '^## ' docs/runbook.md) $(grep -c '^## ' docs/runbook.md)" \
	"$(json '[(.pages | length), ([.pages[] | select(.look_at and .do and .do_not and .worked_if)] | length)] | join(" ")')"
expect "exit status of none" "null 0 77" "$(json '[.pages[] | select(.name | IN("none", "success", "not-permitted")).exit] | map(tostring) | join(" ")')"
echo lost >"$tdx/last/result"
echo "it is gone" >"$tdx/last/reason"
tool 0 '' explain lost
expect_match "what happened here" '^  here +none, 1\.5\.24 -> 1\.5\.26: it is gone \[TDH.SYS.SHUTDOWN on CPU 3: 0x8000051200010000 UPDATE_COMPAT' "$OUT"
tool 0 '' explain EINVAL --json
expect "an errno of two results, of neither here" "bad-name null bad-image null" "$(json '.pages[] | "\(.name) \(.last)"' | xargs)"
tool 64 '' explain 17
for words in "apply $new --wait 5s" "apply $new --wait -1" "apply $new --wait 31536001" "status --json --json" "status --json --prometheus" \
	"apply $new --latest $dir" "check" "list $dir extra" "status --wait 1" "apply $new --dry-run=1"; do
	# shellcheck disable=SC2086 # words
	tool 64 '' $words
done
status=0
"$command" explain all >/dev/full 2>"$dir/err" || status=$?
expect "exit status on a full disk" 0 "$status"
expect_match "what is said of it" 'standard output: No space left on device' "$(cat "$dir/err")"
(
	sleep 0.3
	status=0
	"$command" explain all 2>"$dir/err" || status=$?
	echo "$status" >"$dir/status"
) | true
expect "exit status without a reader" 0 "$(cat "$dir/status")"
expect "what is said of it" '' "$(cat "$dir/err")"
# Names that would steer a terminal.
cp "$new" "$dir/images/"$'e\033[2Jil.blob'
host
tool 0 '' apply "$dir/images/"$'e\033[2Jil.blob' --recovery none
expect_match "a name that is escaped" 'e\\x1b\[2Jil\.blob: installed' "$OUT"
expect_match "the loader's name for it" '/1-image ' "$(grep '^update' "$dir/log")"
expect "left behind" '' "$(ls -d /lib/firmware/tdx-update.* /run/tdx-update.* 2>/dev/null)"

# shellcheck source=tests/tool/pin.sh
. tests/tool/pin.sh
# shellcheck source=tests/tool/audit.sh
. tests/tool/audit.sh

# --- every JSON is as the schema has it -----------------------------------------------------------

# validate COMMAND FILE...: prints what is wrong.
validate() {
	local kind=$1 file

	jq --arg kind "$kind" 'del(.oneOf) + { "$ref": ("#/$defs/" + $kind) }' docs/tdx-update.schema.json \
		>"$dir/$kind.schema"
	shift
	for file; do
		set -- "$@" -i "$file"
		shift
	done
	/usr/bin/python3 -W ignore -m jsonschema --error-format '{error.instance}: {error.message}
' "$@" "$dir/$kind.schema" 2>&1
}
for kind in status list check apply pin explain history; do
	files=$(grep -L '^  "error":' "$dir/json/$kind".* || true)
	expect "a JSON of $kind to validate" yes "${files:+yes}"
	# shellcheck disable=SC2086 # names without blanks
	expect "JSON of $kind" '' "$(validate $kind $files)"
done
mapfile -t files < <(grep -l '^  "error":' "$dir/json"/*)
expect "a JSON of an error to validate" yes "${files:+yes}"
expect "JSON of errors" '' "$(validate error "${files[@]}")"
# The schema refuses what it should.
jq '.no_such = 1' "$(find "$dir/json" -name 'status.*' | head -n 1)" >"$dir/wrong"
expect "what is wrong with a wrong JSON" 1 "$(validate status "$dir/wrong" | grep -c .)"

sum_up
