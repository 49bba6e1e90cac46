#!/bin/sh
# Names that are not in the firmware search path are refused, and so are directories.
. /tests/lib.sh
setup

# The reason tells a file that cannot be read from one that does not exist.
mkdir /lib/firmware/test/folder.blob
: >/lib/firmware/test/empty.blob
for name in test/none.blob none test . test/folder.blob test/empty.blob; do
	case $name in
	*none*) reason=none ;;
	*) reason="the file is empty or cannot be read" ;;
	esac
	expect_refused $name ENOENT no-image
	expect "last/reason of $name" "$reason" "$(tdx last/reason)"
	expect last/image $name "$(tdx last/image)"
	expect last/phase image "$(tdx last/phase)"
done
rmdir /lib/firmware/test/folder.blob
rm /lib/firmware/test/empty.blob
