#!/bin/sh
# A name that is not in the firmware search path, a directory's included.
. /tests/lib.sh
setup

for name in test/none.blob none test .; do
	expect_refused $name ENOENT no-image
	expect last/image $name "$(tdx last/image)"
	expect last/phase image "$(tdx last/phase)"
done
