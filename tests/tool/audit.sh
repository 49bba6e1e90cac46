# shellcheck shell=bash
# shellcheck disable=SC2154 # they are set where this is sourced
# Part of unit.sh: the audit trail, the lock of an update, libvirt's hook, and the labels for NFD.
# unit.sh sources it, with its functions and variables.

# --- the audit trail ------------------------------------------------------------------------------

socket=/run/systemd/journal/socket
records=$dir/records
journal_pid=''
# A reader of this script's output must not wait for the journal.
trap '[ -z "$journal_pid" ] || kill "$journal_pid"' EXIT
# history must not see this machine's journal.
[ ! -e /var/log/journal ] || mount -t tmpfs tmpfs /var/log/journal

# journal [FILE]: starts a journal that keeps records in FILE, or takes none.
journal() {
	[ -z "$journal_pid" ] || { kill "$journal_pid"; wait "$journal_pid" || true; }
	rm -f "$socket" "$dir/journal"
	mkdir -p "${socket%/*}"
	/usr/bin/python3 tests/tool/journal.py "$socket" "$@" >"$dir/journal" &
	journal_pid=$!
	until [ -s "$dir/journal" ]; do sleep 0.05; done
}

# audited STATUS ANSWERS ARGUMENT...: as tool, which has to leave one record. It is RECORD then.
audited() {
	local before i

	before=$(wc -l <"$records")
	tool "$@"
	for ((i = 0; i < 40; i++)); do
		[ "$(wc -l <"$records")" -gt "$before" ] && break
		sleep 0.05
	done
	shift 2
	expect "records of $*" 1 "$(($(wc -l <"$records") - before))"
	RECORD=$(tail -n 1 "$records")
}

# of FIELD...: prints these fields of the record, "-" for each that it lacks.
of() {
	local field

	for field; do
		jq -r --arg field "$field" '.["TDX_UPDATE_" + $field] // ["-"] | join("+")' <<<"$RECORD"
	done | xargs -d '\n'
}

sum=$(sha256sum "$new" | cut -d ' ' -f 1)
touch "$records"
journal "$records"
host
audited 0 'update:0:success' apply "$new" --recovery none
expect "who and what" "update $new $sum success 0 1.5.24 1.5.26 live 0 tdx_update" \
	"$(of OPERATION FILE SHA256 RESULT ERRNO FROM TO TDS EXIT INTERFACE)"
expect "who asked" "$command apply $new --recovery none timeout" "$(of COMMAND PARENT)"
expect "no login" "$(sed 's/^4294967295$/-/' /proc/self/loginuid 2>/dev/null || echo -)" "$(of LOGINUID)"
expect "its kind" "beca4ad206924c139250a740cf02b387 6 tdx-update" \
	"$(jq -r '[.MESSAGE_ID, .PRIORITY, .SYSLOG_IDENTIFIER | .[]] | join(" ")' <<<"$RECORD")"
expect_match "its line" "^update of $new: success: .*; from 1\.5\.24 to 1\.5\.26, exit status 0, asked by uid [0-9]" \
	"$(jq -r '.MESSAGE[]' <<<"$RECORD")"
expect "each field once" '' "$(jq -r 'to_entries[] | select(.value | length != 1).key' <<<"$RECORD")"
echo "handoff data is bad" >"$tdx/last/reason"
echo untouched >"$tdx/last/tds"
audited 1 'update:71:bad-handoff' apply "$new" --recovery none --json
expect "a refusal" "update bad-handoff 71 handoff data is bad untouched 1 $sum" \
	"$(of OPERATION RESULT ERRNO REASON TDS EXIT SHA256)"
# status, level
while read -r error result status level; do
	host
	audited "$status" "update:$error:$result" apply "$new" --recovery none
	expect "level of $result" "$result $level" "$(of RESULT) $(jq -r '.PRIORITY[]' <<<"$RECORD")"
done <<END
5 firmware-error 1 4
16 update-race 75 5
125 recovered 2 4
108 shut-down 5 2
131 lost 3 2
END
host
audited 0 'update:16:update-race update:0:success' apply "$new" --recovery none --wait 20
expect "tries are one attempt" "success 2" "$(of RESULT TRIES)"
audited 3 'check:131:lost' check "$new"
expect "a check" "check lost 131 nothing 3 6" "$(of OPERATION RESULT ERRNO CHANGED EXIT) $(jq -r '.PRIORITY[]' <<<"$RECORD")"
audited 0 '' apply "$new" --recovery none --dry-run
expect "a dry run" "check success 0" "$(of OPERATION RESULT EXIT)"
audited 0 '' apply --latest "$dir/images" --json
expect "the newest" "$dir/images/tdx_module_1.5.27.blob $(json .recovery)" "$(of FILE RECOVERY)"
ln -sf "$new" "$dir/link.blob"
audited 0 '' apply "$dir/link.blob" --recovery none
expect "a link's end" "$new" "$(of FILE)"
halves "$new" "$dir/half"
audited 0 '' apply "$dir/half.bin" --recovery none
expect_match "two halves" "^$dir/half\.bin [0-9a-f]{64}$" "$(of FILE SHA256)"
expect "whether the sum is that of a half" no "$(sha256sum "$dir/half.bin" | grep -q "$(of SHA256)" && echo yes || echo no)"
# What never reached the module.
host
echo 1.5.27 >"$tdx/version"
audited 1 '' apply "$new" --recovery none
expect "an objection" "update - older than 1.5.27, which runs 1.5.27 1.5.26 1" "$(of OPERATION RESULT OBJECTION FROM TO EXIT)"
audited 66 '' apply "$dir/none" --json
expect "no such file" "update $dir/none - 66" "$(of OPERATION FILE SHA256 EXIT)"
expect_match "why" 'No such file' "$(of ERROR)"
before=$(wc -l <"$records")
tool 0 '' apply --latest "$dir/images"
tool 0 '' list "$dir/images"
tool 0 '' status
tool 64 '' apply "$new" --wait x
sleep 0.2
expect "records of what is no attempt" "$before" "$(wc -l <"$records")"
# The pinned image and those that are tried after it have a record each.
host
pin 'version = 1.5.26' "image = $image"
before=$(wc -l <"$records")
tool 2 'update:108:shut-down update:71:bad-handoff update:0:success' apply --pinned
sleep 0.2
expect "records of the pinned image and of others" "tdx_module_1.5.26.blob shut-down 5
tdx_module_1.5.25.blob bad-handoff 1
tdx_module_1.5.24.blob success 2" "$(tail -n "+$((before + 1))" "$records" | while read -r RECORD; do of FILE RESULT EXIT; done | sed "s,.*/,,")"
rm "$conf"

host
ANSWERS=update:16:update-race ANSWERS_LOG=$dir/log LD_PRELOAD=$dir/answers.so "$command" apply "$new" \
	--recovery none --wait 60 >"$dir/out" 2>&1 &
pid=$!
until [ "$(writes update)" -ge 1 ]; do sleep 0.1; done
expect "the lock while it waits" 1 "$(flock -n /run/tdx-update-wanted.lock true; echo $?)"
kill -TERM $pid
wait $pid || true
sleep 0.2
RECORD=$(tail -n 1 "$records")
expect "a signal" "update $new ended by signal 15; nothing has changed 143" "$(of OPERATION FILE ERROR EXIT)"
expect "the lock afterwards" 0 "$(flock -n /run/tdx-update-wanted.lock true; echo $?)"
expect "who may lock it" 600 "$(stat -c %a /run/tdx-update-wanted.lock)"

# A journal that hangs delays the end, and nothing else. Without libsystemd there are no records.
journal
start=$(date +%s%N)
tool 0 'update:0:success' apply "$new" --recovery none
took=$((($(date +%s%N) - start) / 1000000))
expect_match "a journal that hangs: the answer" 'installed, TDs live' "$OUT"
expect "between 0.4 and 5 s" yes "$([ $took -ge 400 ] && [ $took -le 5000 ] && echo yes || echo "$took ms")"
journal "$records"
before=$(wc -l <"$records")
tool 0 '' history --json
expect "no records" '[]' "$(json '.records | tojson')"
tool 0 '' history
expect_match "in words" 'the journal has no record' "$ERR"
library=$(realpath /usr/lib/*/libsystemd.so.0)
mount --bind /dev/null "$library"
tool 0 'update:0:success' apply "$new" --recovery none
tool 69 '' history --json
expect_match "history without libsystemd" 'there is no libsystemd' "$ERR"
umount "$library"
sleep 0.2
expect "records without libsystemd" "$before" "$(wc -l <"$records")"
kill "$journal_pid"
wait "$journal_pid" || true
journal_pid=''
rm "$socket"

# --- libvirt's hook -------------------------------------------------------------------------------

lock=/run/tdx-update-wanted.lock

# hook HOLD OPERATION TYPE: runs it for a guest; leaves ERR, and TOOK in milliseconds.
hook() {
	local start status=0

	start=$(date +%s%N)
	HOLD=$1 contrib/libvirt/qemu guest "$2" begin - 2>"$dir/err" <<<"<domain type='kvm'>
  <launchSecurity type='$3'/>
$(printf '%80000s' '')</domain>" || status=$?
	TOOK=$((($(date +%s%N) - start) / 1000000)) ERR=$(cat "$dir/err")
	expect "exit status of the hook" 0 "$status"
}

# is_held WHAT yes|no
is_held() {
	expect "$1 is held" "$2" "$([ "$TOOK" -ge 900 ] && echo yes || echo no)"
}

flock "$lock" sleep 1.5 &
until ! flock -n "$lock" true; do sleep 0.05; done
hook 30 prepare sev
is_held "another guest" no
hook 30 started tdx
is_held "a TD that has started" no
hook 30 prepare tdx
is_held "a TD" yes
expect "what the hook says" '' "$ERR"
wait
flock "$lock" sleep 3 &
pid=$!
until ! flock -n "$lock" true; do sleep 0.05; done
hook 1 prepare tdx
is_held "a TD, for so long" yes
expect "it is not over" yes "$(kill -0 $pid && echo yes)"
expect "what the hook says" "an update of the TDX module has not ended in 1 s: guest starts all the same" "$ERR"
wait
hook 30 prepare tdx
is_held "a TD without an update" no
rm "$lock"
hook 30 prepare tdx
is_held "a TD before the first update" no

# --- labels ---------------------------------------------------------------------------------------

labels() {
	sed -n 's!^feature\.node\.kubernetes\.io/!!p' "$dir/out" | LC_ALL=C sort | xargs
}

# What Kubernetes takes for a label. NFD takes no larger file.
valid_labels() {
	local part='[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?'

	expect "labels of $1 that are no labels" '' \
		"$(grep -v '^#' "$dir/out" | grep -vxE "feature\.node\.kubernetes\.io/$part=$part")"
	expect "size of $1" yes "$([ "$(stat -c %s "$dir/out")" -le 65536 ] && echo yes)"
}

host
echo update-race >"$tdx/last/result"
tool 0 '' status --nfd
expect "labels" "tdx-module.race-protection=true tdx-module.seamldr-version=1.5.12 tdx-module.state=ready tdx-module.updates-left=7 tdx-module.version.major=1 tdx-module.version.minor=5 tdx-module.version.update=24 tdx-module.version=1.5.24 tdx-update.interface=tdx_update tdx-update.last-result=update-race" "$(labels)"
valid_labels "a host"
expiry=$(sed -n 's/^# +expiry-time=//p' "$dir/out")
expect_match "form of the expiry" '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$' "$expiry"
left=$(($(date -d "$expiry" +%s) - $(date +%s)))
expect "minutes until then" yes "$([ $left -gt 590 ] && [ $left -le 600 ] && echo yes || echo $left)"
expect "what comes before the first label" 2 "$(sed '/^feature/,$d' "$dir/out" | wc -l)"
printf '%s\n' "--<1.5?>$(printf '%070d' 0)--" >"$tdx/seamldr_version"
echo ..7.. >"$tdx/num_remaining_updates"
echo ... >"$tdx/last/result"
echo unsupported >"$tdx/race_protection"
echo shut-down >"$tdx/state"
tool 0 '' status --nfd
valid_labels "a host with odd values"
expect "what is not known" "tdx-module.race-protection=false tdx-module.seamldr-version=1.5__$(printf '%058d' 0) tdx-module.state=shut-down tdx-module.updates-left=7 tdx-update.interface=tdx_update" "$(labels)"
rm -r "$tdx"
tool 0 '' status --nfd
expect "labels without the module" "tdx-update.interface=none" "$(labels)"
tool 64 '' status --nfd --json
