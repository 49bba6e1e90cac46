#!/bin/sh
# While TDX is down, the command tells shut-down from lost: by exit status, text, JSON and metrics,
# with the next step for each.
# SANITIZERS: no
# KERNEL: any
. /tests/lib.sh
. /tests/tool.sh
setup
last=$(($(nproc) - 1))
image=/lib/firmware/test/v2.blob

# expect_down STATE: expect it in every format of status.
expect_down() {
	expect_tool 0 status
	expect_match "status" "^TDX module +none runs, $1\$" "$OUT"
	expect_tool 0 status --json
	expect "status as JSON" "$1 $1" "$(json '"\(.state) \(.last.result)"')"
	expect_tool 0 status --prometheus
	expect_match metrics "^tdx_module_state\{state=\"$1\"\} 1\$" "$OUT"
	expect "states that are 1" 1 "$(echo "$OUT" | grep -c '^tdx_module_state.* 1$')"
}

# The handoff data is whole: the same image again brings TDX back.
td_build 1
emu_set inject "TDH.SYS.UPDATE any 1 0xc000050900000000 0 0"
expect_tool 5 apply "$image" --recovery none --json
expect "as JSON" "shut-down 108 5 TDH.SYS.UPDATE 0x0000000000000000" \
	"$(json '"\(.result) \(.errno) \(.exit) \(.leaf) \(.rdx)"')"
expect_match "what has changed" 'handoff data is whole' "$(json .changed)"
expect reason "$(tdx last/reason)" "$(json .reason)"
expect_down shut-down
expect_tool 0 status
expect_match "advice" 'apply an image to bring it back; keep tdx_update loaded' "$OUT"
expect_tool 5 apply "$image" --recovery none
expect_match "what it says" 'shut-down \(ESHUTDOWN\): .*tdx-update explain shut-down' "$(echo "$ERR" | xargs)"
emu_set inject clear
expect_tool 0 check "$image"
expect_tool 0 apply "$image" --recovery none
expect state ready "$(tdx state)"
expect_tds_alive 1
td destroy all

# A failure for good.
reboot_firmware
emu_set inject "SEAMLDR.INSTALL $last 1 0x8000000000020001 1 0"
expect_tool 3 apply "$image" --recovery none --json
expect "as JSON" "lost 131 3" "$(json '"\(.result) \(.errno) \(.exit)"')"
emu_set inject clear
expect_down lost
reason="the firmware has cleared the TDX module's memory"
expect_match metrics "^tdx_update_last_info\{result=\"lost\",reason=\"$reason\",tds=\"gone\",phase=\"install\",leaf=\"SEAMLDR.INSTALL\",status_name=\"EBADHASH\"" "$OUT"
expect_tool 0 status
expect_match "advice" 'TDX is down until reboot' "$OUT"
# Each later update tells what lost TDX.
cp "$image" "$TMP/other.blob"
expect_tool 3 apply "$TMP/other.blob" --recovery none
expect_match "what it says" "lost \(ENOTRECOVERABLE\): .*$reason \[SEAMLDR\.INSTALL on CPU $last: 0x8000000000020001 EBADHASH\]" "$ERR"
expect_tool 3 apply --latest /lib/firmware/test --json
expect "what lost TDX, as JSON" "$reason gone EBADHASH $image" \
	"$(json '"\(.reason) \(.tds) \(.status_name) \(.lost_by)"')"
expect_tool 3 check "$image"
expect_nothing_left "a lost TDX"

# The next steps differ.
expect_tool 0 explain ESHUTDOWN
expect_match "what to do" '^  do +apply another image, or the same one again, at once; no reboot' "$OUT"
expect_match "what not to do" '^  do not +unload tdx_update' "$OUT"
expect_match exit '^  exit +5$' "$OUT"
expect_tool 0 explain lost
expect_match "what to do" '^  do +save last/ and the kernel log, .*' "$OUT"
expect_match exit '^  exit +3$' "$OUT"
expect_match "what happened here" "^  here +$image, 1\.5\.24 -> 1\.5\.26: $reason \[SEAMLDR\.INSTALL on CPU $last: 0x8000000000020001 EBADHASH\]" "$OUT"
expect_tool 0 explain all
expect_match "no-room" '^no-room \(ENOBUFS' "$OUT"
expect_match "crypto-error" '^crypto-error \(ENOPKG' "$OUT"
reboot_firmware
