#!/bin/bash
# Writes the bill of materials of the archive of `make dist`: its files with checksums and licences,
# and the libraries that the command is linked with. The form is SPDX 2.1, tag:value.
#
#	scripts/sbom.sh		prints its path: build/dist/tdx-update-VERSION.spdx
#
# reuse reads licences from the files and from .reuse/dep5, which is Debian's own debian/copyright.
# It lists neither symbolic links nor the licence's text. What it takes from the clock, the user or
# chance is replaced, so the same archive has the same bill.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"

scripts/deps.sh sbom
archive=$(scripts/dist.sh)
name=$(basename "$archive" .tar.gz)
out=build/dist/$name.spdx
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tar -xf "$archive" -C "$work"
# It warns that there is no git.
reuse --root "$work/$name" spdx --output "$work/reuse.spdx" 2>"$work/log" || {
	cat "$work/log" >&2
	exit 1
}
left=$(cd "$work/$name" && { find . -type l; ls ./LICENSE; } | LC_ALL=C sort | sed 's/$/, /' | tr -d '\n')
# As SPDX defines it: the checksum of the files' sorted checksums.
code=$(sed -n 's/^FileChecksum: SHA1: //p' "$work/reuse.spdx" | LC_ALL=C sort | tr -d '\n' | sha1sum |
	cut -d ' ' -f 1)
time=$(sed -n 's/^ -- .*>  //p' debian/changelog | head -n 1)
sum=$(sha256sum <"$archive" | cut -d ' ' -f 1)
holder=$(sed -n 's/^Copyright: //p' debian/copyright)
homepage=$(sed -n 's/^Homepage: //p' debian/control)
# The libraries of the recipe of build/tool/tdx-update.
mapfile -t libraries < <(sed -n '/^build\/tool\/tdx-update:/,/^$/p' Makefile |
	grep -oE -- '-l[a-z]+' | sed 's/^-l/lib/' | sort -u)
[ ${#libraries[@]} -gt 0 ] || { echo "sbom.sh: Makefile names no library" >&2; exit 1; }

{
	sed -E -e "s,^DocumentName: .*,DocumentName: $name," \
		-e "s,^DocumentNamespace: .*,DocumentNamespace: ${homepage}spdx/$name-$sum," \
		-e '/^Creator: (Person|Organization): /d' \
		-e "s,^Created: .*,Created: $(date -ud "$time" +%Y-%m-%dT%H:%M:%SZ)," \
		-e 's/^(Relationship:) SPDXRef-DOCUMENT describes /\1 SPDXRef-archive CONTAINS /' "$work/reuse.spdx"
	cat <<-END

	PackageName: ${name%-*}
	SPDXID: SPDXRef-archive
	PackageVersion: ${name##*-}
	PackageFileName: ${archive##*/}
	PackageDownloadLocation: NOASSERTION
	FilesAnalyzed: true
	PackageVerificationCode: $code (excludes: ${left%, })
	PackageChecksum: SHA256: $sum
	PackageLicenseConcluded: GPL-2.0-only
	PackageLicenseInfoFromFiles: GPL-2.0-only
	PackageLicenseDeclared: GPL-2.0-only
	PackageCopyrightText: <text>$holder</text>
	Relationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-archive
	END
	for library in "${libraries[@]}"; do
		cat <<-END

		PackageName: $library
		SPDXID: SPDXRef-$library
		PackageDownloadLocation: NOASSERTION
		FilesAnalyzed: false
		PackageLicenseConcluded: NOASSERTION
		PackageLicenseDeclared: NOASSERTION
		PackageCopyrightText: NOASSERTION
		Relationship: SPDXRef-archive DYNAMIC_LINK SPDXRef-$library
		END
	done
} >"$out.new"
mv "$out.new" "$out"
echo "$out"
