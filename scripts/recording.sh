#!/bin/bash
# Records the demo's terminal as an animation, docs/demo.svg. What `make recording` is.
set -euo pipefail
cd "$(dirname "$0")/.."

out=build/recording
scripts/deps.sh recording
mkdir -p "$out"
# Once unseen: whatever it downloads and builds belongs to no recording.
tests/vm/demo.sh >"$out/demo.log"
# termtosvg wants a terminal, whose input must not end before the demo does.
record="termtosvg $out/demo.svg --command tests/vm/demo.sh --screen-geometry 100x40 --template gjm8"
record+=" --min-frame-duration 400 --max-frame-duration 2500 --loop-delay 6000"
rm -f "$out/input"
mkfifo "$out/input"
exec 9<>"$out/input"
script -qec "$record" "$out/terminal.log" <&9 >/dev/null
grep -q 'All of it held' "$out/demo.svg" || {
	echo "recording.sh: the recording does not reach the demo's end: $out/demo.svg" >&2
	exit 1
}
cp "$out/demo.svg" docs/demo.svg
echo "docs/demo.svg: $(stat -c %s docs/demo.svg) bytes"
