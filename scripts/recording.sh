#!/bin/bash
# `make recording`: records the demo's terminal as an animation, docs/demo.svg.
set -euo pipefail
cd "$(dirname "$0")/.."

out=build/recording
scripts/deps.sh recording
mkdir -p "$out"
# Run the demo once before, so that downloads and builds are not in the recording.
tests/vm/demo.sh >"$out/demo.log"
# termtosvg needs a terminal, whose input must not end before the demo does.
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
