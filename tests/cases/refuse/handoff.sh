#!/bin/sh
# SHUTDOWN asks for the highest handoff version that both TDX modules know. If there is none,
# nothing is shut down.
# KERNEL: any
. /tests/lib.sh

# running [MIN-MAX], no_downgrade, image's [MIN-MAX], version asked for (-: refused)
setup
while read -r running no_downgrade image hv; do
	emu_set module "hv=$running" "no_downgrade=$no_downgrade"
	emu_set reset 1
	if [ "$hv" = - ]; then
		expect_refused "test/hv-$image.blob" EPROTO bad-handoff
	else
		expect_update "test/hv-$image.blob" 0 success
		expect "RCX of SHUTDOWN, running $running, image $image" \
			"$(printf '0x%x' $((0x10000 + hv)))" "$(shutdown_rcx)"
	fi
done <<END
0-0 0 0-0 0
0-2 0 0-0 0
0-2 0 1-3 2
0-2 0 2-2 2
1-2 0 0-0 -
0-0 0 1-3 -
3-4 0 2-2 -
0-2 1 1-3 2
0-2 1 0-0 -
2-5 0 1-3 3
END
