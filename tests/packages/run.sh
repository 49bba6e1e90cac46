#!/bin/bash
# `make check-packages`: tests the release archive, the RPM packages, and the Debian packages on
# real systems.
#
#	SUITE=name	only that suite (bookworm, trixie, trixie-backports)
#
# Prints results as KTAP and progress as KTAP comments. The last line is "N passed, N failed, N
# skipped". Everything stays under build/packages/, so the next run reuses the root file systems.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top"

# shellcheck source=tests/vm/sum.sh
. tests/vm/sum.sh

suites="bookworm trixie trixie-backports"
for suite in ${SUITE:-}; do
	[[ " $suites " == *" $suite "* ]] || usage "SUITE=$suite is none of $suites"
done
[ "$(id -u)" = 0 ] || usage "needs root, for root file systems"

out=build/packages
run_alone "$out"

# part COMMAND...: prints the results of one part and adds them up.
part() {
	local p f s

	"$@" | tee "$out/part.log"
	read -r p f s < <(tail -n 1 "$out/part.log" |
		sed -n 's/.*: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p')
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

scripts/deps.sh build deb packages
echo "KTAP version 1"
echo "# building the packages"
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
scripts/deb.sh
scripts/deb.sh "$version.1"
part "$here/dist.sh"
part "$here/alerts.sh"
# Once, with the first suite's dkms.
read -r suite _ <<<"${SUITE:-$suites}"
part "$here/rpm.sh" "$suite"
tests/tools/images.sh build/images
for suite in ${SUITE:-$suites}; do
	part "$here/suite.sh" "$suite" "build/deb/$version" "build/deb/$version.1"
	part "$here/playbook.sh" "$suite"
	part "$here/fleet.sh" "$suite"
done
echo "# all of it took $SECONDS s"
[ "$failed" = 0 ]
