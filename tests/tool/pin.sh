# shellcheck shell=bash
# The pin's part of unit.sh, which sources this: /etc/tdx-update.conf, `tdx-update pin`,
# `apply --pinned`, and what status says of both.
# shellcheck disable=SC2154 # set where this is sourced

conf=$TDX_UPDATE_CONF
pins=$dir/pins
mkdir "$dir/etc" "$pins"
for image in same=1.5.24 a=1.5.25 v2=1.5.26 b=1.5.27; do
	cp "build/images/${image%=*}.blob" "$pins/tdx_module_${image#*=}.blob"
done
image=$pins/tdx_module_1.5.26.blob
sum=$(sha256sum "$image" | cut -d ' ' -f 1)

# pin LINE...: writes the file.
pin() {
	printf '%s\n' "$@" >"$conf"
}

# --- the file -------------------------------------------------------------------------------------

host
tool 0 '' pin
expect "no pin" "nothing is pinned: there is no $conf" "$OUT"
tool 0 '' pin --json
expect "no pin as JSON" "null $conf 0" "$(json '"\(.pinned) \(.configuration) \(.exit)"')"
pin '# a comment' '' ' version=1.5.26 ' "	image	=	$image" "sha256 = ${sum^^}" 'wait = 7' 'mapping = none'
tool 0 '' pin
expect "what the file has" "version 1.5.26 image $image sha256 ${sum^^} mapping none wait 7" "$(xargs <<<"$OUT")"
tool 0 '' pin --json
expect "as JSON" "1.5.26 $image null 7 none" "$(json '"\(.pinned) \(.image) \(.directory) \(.wait) \(.mapping)"')"
# Each error has its line, and each command that needs the pin ends with the same status.
while IFS='|' read -r lines line text; do
	printf '%b' "$lines" >"$conf"
	tool 78 '' pin --json
	expect "of '$lines'" "tdx-update: $conf${line:+:$line}: $text" "$ERR"
	expect "as JSON" "$conf${line:+:$line}: $text 78" "$(json '"\(.error) \(.exit)"')"
done <<END
version = 1.5.26\n||there is neither image nor directory
image = /a\n||there is no version
version = 1.5.26\nimage = /a\ndirectory = /b\n||there are both image and directory: keep one of them
version = 1.5.26\nimage /a\n|2|'image /a' is not KEY = VALUE
#\n\nimgae = /a\n|3|there is no key 'imgae'
version = 1.5.26\nversion = 1.5.27\n|2|a second 'version'
version = 1.5\n|1|'version' has to be a version such as 1.5.26, not '1.5'
image = a.blob\n|1|'image' has to be an absolute path, not 'a.blob'
image =\n|1|'image' has to be an absolute path, not ''
sha256 = ${sum}0\n|1|'sha256' has to be 64 hexadecimal digits, not '${sum}0'
mapping = a\n|1|'mapping' has to be an absolute path or none, not 'a'
wait = 1m\n|1|'wait' has to be a number of seconds, at most 9999, not '1m'
wait = \n|1|'wait' has to be a number of seconds, at most 9999, not ''
version = 1.5.26\nimage = /a\0b\n|2|a NUL byte
END
tool 78 '' apply --pinned --json
tool 78 '' pin "$image"
tool 0 '' status --json
expect "in status" "null $conf:2: a NUL byte" "$(json '"\(.pinned) \(.pin_error)"')"
tool 0 '' status
expect_match "in words" "^pinned +unknown: $conf:2: a NUL byte$" "$OUT"
tool 0 '' status --prometheus
expect "as metrics" 'tdx_module_pinned_differs 1' "$(grep '^tdx_module_pin' <<<"$OUT")"
rm "$conf"
mkdir "$conf"
tool 78 '' pin
expect "a directory" "tdx-update: $conf: Is a directory" "$ERR"
rmdir "$conf"
ln -s tdx-update.conf "$conf"
tool 78 '' pin
expect "a link to itself" "tdx-update: $conf: Too many levels of symbolic links" "$ERR"
rm "$conf"

# --- pin ------------------------------------------------------------------------------------------

host
tool 0 '' pin "$image" --json
expect "what is pinned" "1.5.26 $image $sum null 60" "$(json '"\(.pinned) \(.image) \(.sha256) \(.mapping) \(.wait)"')"
expect "writes: a check only" "0 1" "$(writes update) $(writes check)"
expect "mode of a new file" 644 "$(stat -c %a "$conf")"
# Comments, mode and owner stay, so does a link; a crash leaves either file.
pin '# first' 'directory = /old' '  # second' 'version = 1.5.20' 'wait = 9'
chmod 640 "$conf"
chown 0:0 "$conf"
mv "$conf" "$dir/real.conf"
ln -s ../real.conf "$conf"
(cd "$pins" && tool 0 '' pin tdx_module_1.5.26.blob --mapping none)
expect "the file" "# first|  # second|version = 1.5.26|wait = 9|image = $image|sha256 = $sum|mapping = none" \
	"$(paste -sd '|' "$conf")"
expect "its mode, the link, what is left" "640 ../real.conf tdx-update.conf" \
	"$(stat -c %a "$dir/real.conf") $(readlink "$conf") $(ls -A "$dir/etc")"
rm "$dir/real.conf" "$conf"
# On a full disk the file stays as it was.
mount -t tmpfs -o size=8k tmpfs "$dir/etc"
pin 'version = 1.5.20' 'directory = /old'
before=$(cat "$conf")
head -c 4096 /dev/zero >"$dir/etc/filler"
tool 71 '' pin "$image"
expect "what it says" "tdx-update: $conf: cannot be changed: No space left on device" "$ERR"
expect "the file after that" "$before filler, tdx-update.conf" "$(cat "$conf") $(ls -Am "$dir/etc")"
umount "$dir/etc"
pin 'version = 1.5.20' 'directory = /old'
tool 0 '' pin "$image" --wait 0
expect "a wait that is given" 'wait = 0' "$(grep wait "$conf")"
tool 0 '' pin --clear
tool 0 '' pin --clear
expect "after clear" '' "$(ls -A "$dir/etc")"
# Not every image, and not by mistake.
tool 1 check:74:corrupt pin "$image" --json
expect_match "a corrupt one" "^$image: corrupt \(EBADMSG\)" "$(json .error)"
echo 1.5.27 >"$tdx/version"
tool 1 '' pin "$image"
expect_match "an older one" "older than 1\.5\.27, which runs; --allow-downgrade" "$ERR"
echo junk >"$pins/junk.blob"
tool 1 '' pin "$pins/junk.blob"
tool 66 '' pin "$pins/none.blob"
expect "what these have pinned" '' "$(ls -A "$dir/etc")"
tool 0 '' pin "$image" --allow-downgrade
host
tool 0 check:112:cpu-offline pin "$image"
expect_match "the host's fault" 'could not be installed now: cpu-offline' "$ERR"
tool 0 '' pin --running "$pins"
expect "the running version" "version = 1.5.24" "$(grep version "$conf")"
echo 1.5.20 >"$tdx/version"
tool 66 '' pin --running "$pins"
rm -r "$tdx"
tool 69 '' pin --running "$pins"
tool 0 '' pin "$image"
expect_match "without tdx_update" 'not checked: tdx_update is not loaded' "$ERR"
for words in "pin $image --clear" "pin $image --running $pins" "pin --wait 5" "pin --running" "apply $image --pinned" \
	"apply --pinned --latest $pins" "list $pins --pinned"; do
	# shellcheck disable=SC2086 # words
	tool 64 '' $words
done

# --- apply --pinned -------------------------------------------------------------------------------

rm "$conf"
rm -rf /run/tdx-update
host
tool 0 '' apply --pinned --json
expect "no pin" "nothing is pinned: there is no $conf null 0" "$(json '"\(.meaning) \(.file) \(.exit)"')"
pin 'version = 1.5.24' 'image = /none'
tool 0 '' apply --pinned --json
expect "it runs" "1.5.24 runs already, as pinned 1.5.24" "$(json '"\(.meaning) \(.pinned)"')"
expect "writes" "" "$(cat "$dir/log")"
tool 0 '' status --json
expect "recorded at boot" "1.5.24" "$(json .at_boot)"
pin 'version = 1.5.26' "image = $image" "sha256 = $sum"
tool 0 '' apply --pinned --json
expect "an update" "success $image $pins/tdx_module_1.5.24.blob" "$(json '"\(.result) \(.file) \(.recovery)"')"
echo 1.5.26 >"$tdx/version"
tool 0 '' apply --pinned
expect "updates in all" 1 "$(writes update)"
# The record: of this boot, of the first version only, and not after an update that nobody recorded.
tool 0 '' status
expect_match "at boot" '^at boot +1\.5\.24$' "$OUT"
expect_match "pinned" '^pinned +1\.5\.26, which runs$' "$OUT"
sed -i 's/^........-/00000000-/' /run/tdx-update/at-boot
tool 0 '' status
expect_match "of another boot" '^at boot +unknown' "$OUT"
tool 0 '' apply --pinned
expect "not recorded" 1 "$(grep -c ^00000000- /run/tdx-update/at-boot)"
host
tool 0 '' apply --pinned --dry-run
expect "recorded anew; a dry run's updates" "1.5.24 0" "$(cut -d ' ' -f 2 /run/tdx-update/at-boot) $(writes update)"
echo 1.5.25 >"$tdx/version"
tool 0 '' apply --pinned --dry-run
expect "recorded once" "1.5.24" "$(cut -d ' ' -f 2 /run/tdx-update/at-boot)"

# What else may be there.
host
tool 66 '' apply --pinned --wait 3 --recovery "$dir/none"
echo 1.5.27 >"$tdx/version"
tool 1 '' apply --pinned --json
expect_match "a newer one runs" '^older than 1\.5\.27, which runs 1$' "$(json '"\(.objection) \(.exit)"')"
expect "updates" 0 "$(writes update)"
tool 0 '' status --prometheus
expect "as metrics" 'tdx_module_pinned_info{version="1.5.26"} 1 tdx_module_pinned_differs 1' "$(grep '^tdx_module_pin' <<<"$OUT" | paste -sd ' ')"
host
echo uninitialized >"$tdx/state"
tool 69 '' apply --pinned
expect_match "not initialized" 'TDX is not initialized: load kvm_intel with tdx=1' "$ERR"
host
pin 'version = 1.5.26' "image = $pins/gone.blob"
tool 66 '' apply --pinned
expect_match "no image" "$pins/gone\.blob: No such file" "$ERR"
pin 'version = 1.5.26' "image = $image" "sha256 = ${sum//[0-9]/0}"
tool 78 '' apply --pinned
expect_match "another file" "its SHA-256 is $sum, but another one is pinned" "$ERR"
pin 'version = 1.5.25' "image = $image"
tool 78 '' apply --pinned
expect_match "another version" "it is version 1\.5\.26, but 1\.5\.25 is pinned" "$ERR"
pin 'version = 1.5.29' "directory = $pins"
tool 66 '' apply --pinned
expect_match "not in the directory" "no image of version 1\.5\.29 in $pins" "$ERR"
pin 'version = 1.5.26' "directory = $pins"
cp "$image" "$pins/a-1.5.26.blob"
tool 0 'check:19:wrong-cpu check:0:success' apply --pinned --json
expect "the one that suits" "$image" "$(json .file)"
rm "$pins/a-1.5.26.blob"
host
pin 'version = 1.5.26' "image = $image" 'wait = 1'
start=$SECONDS
tool 75 'update:16:update-race' apply --pinned --json
expect "it waits as the file says" yes "$([ "$(json .tries)" -ge 2 ] && [ $((SECONDS - start)) -lt 10 ] && echo yes)"
tool 75 'update:16:update-race' apply --pinned --wait 0 --json
expect "or as it is told" 1 "$(json .tries)"
for end in 125:recovered:2 131:lost:3 116:older:1; do
	host
	tool "${end##*:}" "update:${end%:*}" apply --pinned --json
	expect "the result" "$(cut -d : -f 2 <<<"$end")" "$(json .result)"
done
# TDX is down: the images that are not newer, one after another.
host
tool 2 'update:108:shut-down update:71:bad-handoff update:0:success' apply --pinned --json
expect "what brings it back" "success $pins/tdx_module_1.5.24.blob $image 1.5.26 2" \
	"$(json '"\(.result) \(.file) \(.shut_down_by) \(.pinned) \(.exit)"')"
expect "updates" 3 "$(writes update)"
expect_match "in words" "$pins/tdx_module_1\.5\.25\.blob: TDX is down; trying this image instead" "$ERR"
host
tool 5 'update:108:shut-down' apply --pinned --json
expect "nothing does" "shut-down $image null" "$(json '"\(.result) \(.file) \(.shut_down_by)"')"
tool 0 '' status --prometheus
expect "as a metric" 'tdx_module_pinned_differs 1' "$(grep '^tdx_module_pinned_differs' <<<"$OUT")"
# modprobe loads the kernel module.
mkdir "$dir/bin"
printf '#!/bin/sh\necho "$*" >%s\n[ ! -e %s ] || mv %s %s\n' "$dir/modprobe" "$dir/kept" "$dir/kept" "$tdx" >"$dir/bin/modprobe"
chmod 755 "$dir/bin/modprobe"
host
mv "$tdx" "$dir/kept"
PATH=$dir/bin:$PATH tool 0 '' apply --pinned --json
expect "after modprobe" "-b tdx_update success" "$(cat "$dir/modprobe") $(json .result)"
rm -r "$tdx"
PATH=$dir/bin:$PATH tool 69 '' apply --pinned
expect_match "without a module" 'tdx_update cannot be loaded' "$ERR"
rm "$conf"
