#!/bin/sh
# apply --pinned brings a host to the pinned version as after a boot: it loads tdx_update, does
# nothing a second time, refuses by name, and looks for another image if its update left TDX down.
# SANITIZERS: no
# KERNEL: any
. /tests/lib.sh
. /tests/tool.sh
conf=/etc/tdx-update.conf
dir=$TMP/images
mkdir -p /run /etc/modprobe.d "$dir"
for image in same=1.5.24 a=1.5.25 v2=1.5.26; do
	cp "/lib/firmware/test/${image%=*}.blob" "$dir/tdx_module_${image#*=}.blob"
done
rm -rf $conf /run/tdx-update
echo "options tdx_update signer=$(cat "$SIGNER")" >/etc/modprobe.d/pinned.conf

# Pinned before tdx_update is loaded: nobody can check it then.
setup_emu
expect_tool 0 pin "$dir/tdx_module_1.5.26.blob"
expect_match "what it says" 'not checked: tdx_update is not loaded' "$ERR"
expect_tool 0 apply --pinned --json
expect "the update" "success 1.5.24 1.5.26 1.5.26 $dir/tdx_module_1.5.24.blob" \
	"$(json '"\(.result) \(.from) \(.to) \(.pinned) \(.recovery)"')"
expect_tool 0 apply --pinned
expect "again" "1.5.26 runs already, as pinned" "$OUT"
expect_tool 0 status --json
expect "status" "1.5.26 1.5.26 1.5.24" "$(json '"\(.version) \(.pinned) \(.at_boot)"')"

# The module refuses what is pinned, also beforehand.
reboot_firmware
set_byte "$dir/tdx_module_1.5.26.blob" 9000 1 "$dir/bad.blob"
expect_tool 1 pin "$dir/bad.blob"
expect "what is pinned" "image = $dir/tdx_module_1.5.26.blob" "$(grep image $conf)"
sed -i "s|^image = .*|image = $dir/bad.blob|; /^sha256/d" $conf
expect_tool 1 apply --pinned --json
expect "a bad image" corrupt "$(json .result)"
expect "version and state" "1.5.24 ready" "$(tdx version) $(tdx state)"

# Four failing calls leave TDX down: image and image again, each with a second try. An older image
# brings it back, with the TD.
td_build 1
expect_tool 0 pin "$dir/tdx_module_1.5.26.blob"
emu_set inject "TDH.SYS.UPDATE any 1 0xc000050900000000 0 4"
expect_tool 2 apply --pinned --recovery none --json
expect "what brings TDX back" "success $dir/tdx_module_1.5.25.blob $dir/tdx_module_1.5.26.blob 2" \
	"$(json '"\(.result) \(.file) \(.shut_down_by) \(.exit)"')"
expect "version and state" "1.5.25 ready" "$(tdx version) $(tdx state)"
expect_tds_alive 1
expect_tool 0 status --prometheus
expect_match "metrics" '^tdx_module_pinned_differs 1$' "$OUT"

# All fail: TDX stays down, and the answer is about the pinned image.
emu_set inject "TDH.SYS.UPDATE any 1 0xc000050900000000 0 0"
expect_tool 5 apply --pinned --recovery none --json
expect "nothing brings it back" "shut-down $dir/tdx_module_1.5.26.blob null" \
	"$(json '"\(.result) \(.file) \(.shut_down_by)"')"
emu_set inject clear
expect_tool 0 apply --pinned --json
expect "the next try" "success 1.5.26" "$(json '"\(.result) \(.to)"')"
expect_nothing_left "apply --pinned"
rm -rf $conf /run/tdx-update /etc/modprobe.d/pinned.conf
