#!/bin/bash
# Packs the tree as it is now into a tar archive that is the same for the same files.
#
#	scripts/dist.sh		prints the archive's path: build/dist/tdx-update-VERSION.tar.gz
#
# Files that git ignores stay out. In a tree without git (an unpacked archive) everything but build/
# is packed. Every file gets the time of debian/changelog, so an unpacked archive packs to the same
# archive again.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"

version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
name=tdx-update-$version
out=build/dist/$name.tar.gz

# Prints the paths, each terminated by NUL.
files() {
	if [ -e .git ]; then
		# With new files that are not added yet, without deleted ones still in the index.
		git ls-files -z --cached --others --exclude-standard --deduplicate |
			while IFS= read -r -d '' path; do
				[ ! -e "$path" ] || printf '%s\0' "$path"
			done
	else
		find . -path ./build -prune -o ! -type d -printf '%P\0'
	fi
}

mkdir -p build/dist
time=$(sed -n 's/^ -- .*>  //p' debian/changelog | head -n 1)
files | LC_ALL=C sort -z | tar -c --no-recursion --null -T - --transform "s,^,$name/,SH" \
	--mtime "$time" --owner 0 --group 0 --numeric-owner --mode 'u=rwX,go=rX' --format ustar |
	gzip -9n >"$out.new"
mv "$out.new" "$out"
echo "$out"
