#!/bin/bash
# The alerts' part of `make check-packages`: Prometheus reads contrib/prometheus and decides for a
# fleet of made-up hosts (alerts.yml) which alerts fire. Last line: see sum() in lib.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top"

name=alerts
out=build/packages/alerts
logs=$out/logs
rules=contrib/prometheus/tdx-update.rules.yml

# shellcheck source=tests/packages/lib.sh
. "$here/lib.sh"
rm -rf "$out"
mkdir -p "$logs"

promtool() {
	scripts/root.sh --in "$tools" promtool "$@"
}

# fire RULES: the alerts of these rules fire where they should.
fire() {
	sed "s|RULES|$top/$1|" tests/packages/alerts.yml >"$out/test.yml"
	promtool test rules "$top/$out/test.yml"
}

# It is noticed if any one of the alerts is always on.
wrong_rules_fail() {
	local alert

	sed -n 's/^ *- alert: //p' "$rules" | while read -r alert; do
		awk -v alert="$alert" '
			$2 == "alert:" { on = $3 == alert }
			on && $1 == "expr:" { sub(/expr: .*/, "expr: vector(1)") }
			{ print }' "$rules" >"$out/wrong.yml"
		fails cmp -s "$rules" "$out/wrong.yml"
		fails fire "$out/wrong.yml" </dev/null
	done
}

tools=$(scripts/root.sh "$(scripts/kernel.sh --suite "$(scripts/kernel.sh --newest)")" watch)
say "$(promtool --version 2>&1 | sed -n 1p)"
check "Prometheus takes the rules" promtool check rules "$top/$rules"
check "each alert names the right hosts" fire "$rules"
check "an alert that is always on is noticed" wrong_rules_fail
sum
