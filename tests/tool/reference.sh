#!/bin/bash
# Tests `tdx-update reference` against a second reader of images and of CoRIMs (reference.py) and
# against openssl. Takes seconds, and neither guest nor root. Prints failures, or else one line.
#
#	tests/tool/reference.sh [COMMAND]	(build/tool/tdx-update)
#	FIRST=1					ends at the first check that fails
set -euo pipefail
cd "$(dirname "$0")/../.."

scripts/deps.sh build schema reference
command=$(realpath "${1:-build/tool/tdx-update}")
[ -n "${1:-}" ] || make -s build/tool/tdx-update
tests/tools/images.sh build/images
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
images=$dir/images
subject=reference
# shellcheck source=tests/tool/expect.sh
. tests/tool/expect.sh

# reference STATUS ARGUMENT...: runs it; leaves $dir/out and ERR. It has to end so.
reference() {
	local want=$1 status=0

	shift
	timeout 60 "$command" reference "$@" >"$dir/out" 2>"$dir/err" </dev/null || status=$?
	ERR=$(cat "$dir/err")
	expect "exit status of $*" "$want" "$status"
}

second() {
	/usr/bin/python3 tests/tool/reference.py "$@" 2>&1
}

# A host whose tdx_update accepts the test images' signer.
export TDX_UPDATE_SYSFS=$dir/sys
mkdir -p "$TDX_UPDATE_SYSFS/module/tdx_update/parameters" "$images"
cp build/images/signer "$TDX_UPDATE_SYSFS/module/tdx_update/parameters/signer"
good=(v1 v2 a b hv-1-3 good-1-page good-255-cpus good-svn-255 good-two-cpus good-handoff-pages good-debug)
for name in "${good[@]}"; do
	cp "build/images/$name.blob" "$images/"
done
good=("${good[@]/#/$images/}")
good=("${good[@]/%/.blob}")
v2=$images/v2.blob

# --- values ---------------------------------------------------------------------------------------

second values "${good[@]}" >"$dir/values"
expect "images that the second reader reads" ${#good[@]} "$(jq length "$dir/values" 2>&1)"
reference 0 --json "${good[@]}"
cp "$dir/out" "$dir/good.json"
# What the second reader has, of each image.
expect "values" "$(jq -Sc '.[]' "$dir/values")" \
	"$(jq -Sc --slurpfile want "$dir/values" '[.images, $want[0]] | transpose[] | . as [$seen, $want] |
		$seen | with_entries(select(.key as $key | $want | has($key)))' "$dir/out" 2>&1)"
expect "values that only one of them has" "container cpus debug_signed series signer version_named" \
	"$(jq -r --slurpfile want "$dir/values" '(.images[0] | keys) - ($want[0][0] | keys) | join(" ")' "$dir/out")"

reference 0 "$v2"
for member in mrseam mrsignerseam seam_attributes; do
	label=${member/_/}
	expect "text of $member" "$(jq -r --arg v2 "$v2" ".[] | select(.file == \$v2).$member" "$dir/values")" \
		"$(sed -n "s/^  ${label^^} *//p" "$dir/out")"
done
expect "text" "TDX module signed by MRSEAM MRSIGNERSEAM SEAMATTRIBUTES SVN TEE_TCB_SVN TEE_TCB_SVN_2 CPUs handoff" \
	"$(sed -n 's/^  \(.\{15\}\) .*/\1/p' "$dir/out" | xargs)"
expect_match "SVNs as text" '^  TEE_TCB_SVN     0501 and 14 bytes' "$(cat "$dir/out")"
expect_match "TCB info" "^  SVN             1\.5: TDX_01 with isvsvn 5 " "$(cat "$dir/out")"
expect_match "a CPU" '^  CPUs            0x806F8 \(family 6, model 143, stepping 8 or another\)$' "$(cat "$dir/out")"
expect_match "handoff" '^  handoff         versions 0 to 0, 13 pages$' "$(cat "$dir/out")"
expect_match "another signer" "v2\.blob: signed by parameter signer, not by Intel" "$ERR"
reference 0 "$images/good-debug.blob" "$images/hv-1-3.blob"
expect_match "a debug-signed image" '^  signed by       parameter signer \(debug\)$' "$(cat "$dir/out")"
expect_match "another handoff version" '^  handoff         versions 1 to 3, 13 pages$' "$(cat "$dir/out")"
cp build/images/good-no-version.blob "$images/tdx_module_1.5.16.blob"
reference 0 "$images/tdx_module_1.5.16.blob"
expect_match "a version from the name" "^  TDX module      1\.5\.16 by the file's name, " "$(cat "$dir/out")"

# An image whose fields differ from each other and from those of all others, by a key of its own.
sys=$TDX_UPDATE_SYSFS
export TDX_UPDATE_SYSFS=$dir/other
mkdir -p "$TDX_UPDATE_SYSFS/module/tdx_update/parameters"
mkimage=build/tools/mkimage
$mkimage key -o "$dir/other.pem"
$mkimage signer "$dir/other.pem" >"$TDX_UPDATE_SYSFS/module/tdx_update/parameters/signer"
$mkimage make --key "$dir/other.pem" -o "$images/other.blob" --version 2.3.14 --svn 17.9 --hv 258-773 \
	--handoff-pages 529 --cpu 0x1C30F45 --cpu 0xA06D1 --signed-byte 20=49 --signed-byte 21=18 \
	--signed-byte 1004=7 --signed-byte 1005=2
reference 0 --json "$images/other.blob"
second values "$images/other.blob" >"$dir/other-values"
expect "values of another image" "$(jq -Sc '.[]' "$dir/other-values")" \
	"$(jq -Sc --slurpfile want "$dir/other-values" '.images[] |
		with_entries(select(.key as $key | $want[0][0] | has($key)))' "$dir/out" 2>&1)"
expect "some of them" "43 52 2025-12-31 519 TDX_11 0911" \
	"$(jq -r '.[] | "\(.cpu_models[0] | "\(.family) \(.model)") \(.built) \(.build) \(.tcb_identity) \(.tee_tcb_svn[:4])"' "$dir/other-values")"
reference 0 "$images/other.blob"
expect_match "SVNs as text" '^  TEE_TCB_SVN     0911 and 14 bytes' "$(cat "$dir/out")"
reference 0 --corim "$images/other.blob"
expect "a CoRIM of it" '' "$(second corim "$dir/out" "$images/other.blob")"
# The last number that CBOR writes in one byte, and the first that it does not.
for svn in 23 24; do
	$mkimage make --key "$dir/other.pem" -o "$images/svn-$svn.blob" --svn 1.$svn --pages 1
	reference 0 --corim "$images/svn-$svn.blob"
	expect "a CoRIM with SVN minor $svn" '' "$(second corim "$dir/out" "$images/svn-$svn.blob")"
done
export TDX_UPDATE_SYSFS=$sys

# Halves: as joined. Each is the same image.
dd if="$v2" of="$dir/half.sigstruct" bs=2048 skip=2 count=1 status=none
dd if="$v2" of="$dir/half.bin" bs=4096 skip=2 status=none
reference 0 --json "$dir/half.bin"
expect "MRSEAM of halves" "$(jq -r --arg v2 "$v2" '.[] | select(.file == $v2).mrseam' "$dir/values")" \
	"$(jq -r '.images[].mrseam' "$dir/out")"

# --- CoRIM ----------------------------------------------------------------------------------------

reference 0 --corim "${good[@]}"
expect "a CoRIM of ${#good[@]} images" '' "$(second corim "$dir/out" "${good[@]}")"
cp "$dir/out" "$dir/first"
reference 0 --corim "${good[@]}"
expect "the same again" '' "$(cmp "$dir/first" "$dir/out" 2>&1)"
reference 0 --corim "$v2"
expect "a CoRIM of one image" '' "$(second corim "$dir/out" "$v2")"
expect_match "a CoRIM of another image" 'triples: expected' "$(second corim "$dir/out" "$images/a.blob")"
cp "$dir/out" "$dir/one"
reference 0 --corim "$dir/half.bin" "$v2" "$dir/half.sigstruct"
expect "one image by three names" '' "$(cmp "$dir/one" "$dir/out" 2>&1)"
reference 0 --corim "$images/a.blob"
expect "ids of two CoRIMs" 2 \
	"$(for file in "$dir/one" "$dir/out"; do od -An -tx1 -j 6 -N 16 "$file"; done | sort -u | wc -l)"

# signed KEY ALG HASH: signs with that key, and openssl verifies what the second reader took apart.
signed() {
	reference 0 --signed "$1" "${good[@]}"
	expect "a signed CoRIM by $1" '' "$(second signed "$dir/out" "$dir" "${good[@]}")"
	expect "algorithm" "$2" "$(cat "$dir/alg")"
	openssl pkey -in "$1" -pubout -out "$dir/public"
	expect "key ID" "$(openssl pkey -in "$1" -pubout -outform der | sha256sum | cut -d ' ' -f 1)" \
		"$(cat "$dir/kid")"
	expect "openssl on the signature" "Verified OK" \
		"$(openssl dgst "-$3" -verify "$dir/public" -signature "$dir/signature" "$dir/signed-part" 2>&1)"
	expect "payload" '' "$(cmp "$dir/first" "$dir/payload" 2>&1)"
	printf x >>"$dir/signed-part"
	expect "openssl on another text" 1 "$(openssl dgst "-$3" -verify "$dir/public" \
		-signature "$dir/signature" "$dir/signed-part" >/dev/null 2>&1; echo $?)"
}
keys=$dir/keys
mkdir "$keys"
# shellcheck disable=SC2015 # the output is of interest only after a failure
openssl ecparam -genkey -name prime256v1 -noout -out "$keys/p256" &&
	openssl ecparam -genkey -name secp384r1 -noout -out "$keys/p384.ec" &&
	openssl pkey -in "$keys/p384.ec" -out "$keys/p384" &&
	openssl ecparam -genkey -name secp521r1 -noout -out "$keys/p521" &&
	openssl genpkey -algorithm ed25519 -out "$keys/ed25519" &&
	openssl genrsa -out "$keys/rsa" 2048 2>/dev/null &&
	openssl pkey -in "$keys/p256" -aes256 -passout pass:secret -out "$keys/encrypted" &&
	openssl pkey -in "$keys/p256" -pubout -out "$keys/public" || fail "openssl makes no keys"
# Each signature is another one: numbers with leading zeroes come too.
for _ in 1 2 3 4; do
	signed "$keys/p256" -7 sha256
	signed "$keys/p384" -35 sha384
done
while read -r key words; do
	reference 66 --signed "$keys/$key" "$v2"
	expect_match "what is wrong with $key" "^tdx-update: $keys/$key: .*$words" "$ERR"
	expect "a CoRIM signed with $key" 0 "$(stat -c %s "$dir/out")"
done <<-END
	p521 not a key on P-256 or P-384
	ed25519 not a key on P-256 or P-384
	rsa not a key on P-256 or P-384
	encrypted encrypted, and --signed asks for no passphrase
	public no private key in PEM
	none No such file or directory
END

# --- --output -------------------------------------------------------------------------------------

umask 027
echo before >"$dir/output"
ln -s output "$dir/link"
reference 0 --corim --output "$dir/link" "$v2"
expect "a CoRIM in a file" '' "$(cmp "$dir/one" "$dir/output" 2>&1)"
expect "a link is kept" "output" "$(readlink "$dir/link")"
expect "mode" 640 "$(stat -c %a "$dir/output")"
expect "standard output" 0 "$(stat -c %s "$dir/out")"
reference 0 --json "$v2" --output="$dir/new"
expect "JSON in a new file" 1.5.26 "$(jq -r '.images[].version' "$dir/new")"
reference 0 --output "$dir/new" "$v2"
expect_match "text in a file" '^  MRSEAM ' "$(cat "$dir/new")"
reference 1 --corim --output "$dir/output" "$v2" build/images/wrong-0.blob
reference 66 --signed "$keys/rsa" --output "$dir/output" "$v2"
expect "a file after failures" '' "$(cmp "$dir/one" "$dir/output" 2>&1)"
cp "$v2" "$dir/kept.blob"
reference 64 --output "$dir/kept.blob" "$images/a.blob"
expect_match "an image as the output" 'kept\.blob is an image, and is not replaced' "$ERR"
reference 64 --output "$dir/half.bin" "$images/a.blob"
expect "an image that was to be replaced" '' "$(cmp "$v2" "$dir/kept.blob" 2>&1)"
cp "$keys/p256" "$dir/key"
reference 64 --signed "$dir/key" --output "$keys/../key" "$v2"
expect "a key that was to be replaced" '' "$(cmp "$keys/p256" "$dir/key" 2>&1)"
reference 71 --output "$dir/no/such" "$v2"
expect_match "no directory" 'no/such: No such file or directory' "$ERR"
# A limit stands in for a full disk. No --output here names a device: if the command were wrong,
# root would replace it.
status=0
ERR=$( (trap '' XFSZ; ulimit -f 0; exec "$command" reference --output "$dir/output" "$v2") 2>&1) || status=$?
expect "exit status on a full disk" 71 "$status"
expect_match "a full disk" 'output: File too large' "$ERR"
expect "a file on a full disk" '' "$(cmp "$dir/one" "$dir/output" 2>&1)"
status=0
"$command" reference --corim "$v2" >/dev/full 2>"$dir/err" || status=$?
expect "exit status on another full disk" 71 "$status"
mkfifo "$dir/pipe"
timeout 20 cat "$dir/pipe" >"$dir/read" &
reference 0 --corim --output "$dir/pipe" "$v2"
wait $! || true
expect "a CoRIM through a pipe" '' "$(cmp "$dir/one" "$dir/read" 2>&1)"
expect "a pipe after output" fifo "$(stat -c %F "$dir/pipe")"
# A reader that closes has seen enough of text, never of a CoRIM.
for options in "71 --corim" "0 --json"; do
	(
		sleep 0.3
		status=0
		# shellcheck disable=SC2086 # words
		"$command" reference ${options#* } "$v2" 2>"$dir/err" || status=$?
		echo "$status" >"$dir/status"
	) | true
	expect "exit status without a reader" "${options% *}" "$(cat "$dir/status")"
done
expect "files left behind" '' "$(find "$dir" -name '.tdx-update*')"
script -qec "$command reference --corim $v2; echo status \$?" /dev/null </dev/null >"$dir/out"
expect_match "a CoRIM on a terminal" 'standard output is a terminal: give --output FILE' "$(tr -d "\0" <"$dir/out")"
expect_match "its exit status" '^status 64' "$(tr -d "\0" <"$dir/out")"

# --- refusals -------------------------------------------------------------------------------------

while read -r name result words; do
	reference 1 "$v2" "build/images/$name.blob"
	expect_match "$name" "^tdx-update: build/images/$name\.blob: $result \(E[A-Z]+\): .*$words\$" "$ERR"
	expect "what is printed of $name and a good image" 0 "$(stat -c %s "$dir/out")"
done <<-END
	bad-header bad-image sigstruct: unknown header
	bad-signer bad-signature unknown signer
	bad-gdt bad-image a table offset is outside the TDX module
	bad-no-cpu bad-image a production image without CPU table
	bad-hash corrupt SEAMHASH does not match the module pages
	bad-hash-last corrupt SEAMHASH does not match the module pages
	bad-series-0 wrong-series
	pages-497 too-large 496 module pages
	wrong-0 bad-signature wrong signature
	wrong-last bad-signature wrong signature
END
: >"$dir/empty.blob"
reference 66 "$dir/empty.blob" --json
expect "the error as JSON" "$dir/empty.blob: the file is empty 66" "$(jq -r '"\(.error) \(.exit)"' "$dir/out")"
cp "$dir/out" "$dir/error.json"
reference 66 "$images"
reference 66 "$dir/none.blob"
rm "$dir/half.sigstruct"
reference 66 "$dir/half.bin"
expect_match "half an image" 'half an image: its signature, the file \.sigstruct, is missing' "$ERR"
# Nobody has named the signer here. Nor would Intel's debug-signed images be accepted.
rm -r "$TDX_UPDATE_SYSFS"
reference 1 "$v2"
expect_match "an unknown signer" 'bad-signature .*: unknown signer$' "$ERR"

for words in "" "--json --corim $v2" "--json --signed $keys/p256 $v2" "$v2 --signed" "$v2 --output=" \
	"$v2 --wait 3" "$v2 --corim=1" "$v2 --corim --corim"; do
	# shellcheck disable=SC2086 # words
	reference 64 $words
done

# --- JSON is as the schema has it -----------------------------------------------------------------

for kind in reference error; do
	file=$dir/$([ $kind = error ] && echo error || echo good).json
	jq --arg kind $kind 'del(.oneOf) + { "$ref": ("#/$defs/" + $kind) }' docs/tdx-update.schema.json \
		>"$dir/schema"
	expect "JSON of $kind" '' "$(/usr/bin/python3 -W ignore -m jsonschema \
		--error-format '{error.instance}: {error.message}' -i "$file" "$dir/schema" 2>&1)"
done

sum_up
