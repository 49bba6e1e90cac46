#!/bin/sh
# The guest's part of `make demo`, in the commands that an operator types: an update that is refused
# because a TD is being built, then one that succeeds. The script checks what it shows, and prints
# its last line only if all of it held.

tdx=/sys/firmware/tdx
td=/sys/kernel/debug/tdx_td
held=1

say() {
	printf '\n--- %s\n' "$*"
}

# run COMMAND: prints the command as an operator types it, then its output.
run() {
	printf '# %s\n' "$1"
	# A shell of its own: 2>&1 also has to show what busybox's echo says of a failed write.
	sh -c "$1" 2>&1
}

# Each TD with its state, the beginning of its measurement and the verdict on it.
show_tds() {
	run "sed 's/mrtd=\(.\{16\}\)[^ ]*/mrtd=\1.../' $td/tds"
}

# expect FILE PATTERN
expect() {
	grep -Eq "$2" "$1" || {
		echo "!!! expected $2 in $1, saw: $(cat "$1")"
		held=0
	}
}

modprobe tdx_emu
modprobe tdx_td

say "A TDX host: the module loads and shows the platform"
run "modprobe tdx_update signer=\$(cat /lib/firmware/test/signer)"
run "cd $tdx; grep . version features0 race_protection state seamldr_version num_remaining_updates"
for id in 1 2; do
	for cmd in "new $id" "add $id 3" "finalize $id" "enter $id"; do
		echo "$cmd" >$td/cmd
	done
done
before=$(sed 's/ enters=.*//' $td/tds)

say "Two TDs run, and a third is under construction"
echo "new 3" >$td/cmd
echo "add 3 2" >$td/cmd
show_tds

say "An update now would spoil the third TD's measurement: the firmware is asked to refuse, and does"
run "echo test/v2.blob > $tdx/update"
run "cat $tdx/last/result"
expect $tdx/last/result '^update-race$'
expect $tdx/version '^1\.5\.24$'

say "The third TD is finished"
echo "add 3 1" >$td/cmd
echo "finalize 3" >$td/cmd
third=$(grep '^id=3 ' $td/tds | sed 's/ enters=.*//')
show_tds

say "The same update again"
run "echo test/v2.blob > $tdx/update"
run "cd $tdx/last; grep . result from to blackout_ns"
run "cat $tdx/num_remaining_updates"
run "dmesg | grep 'tdx_update:'"
expect $tdx/last/result '^success$'
expect $tdx/version '^1\.5\.26$'

say "All TDs go on, and are who they were"
for id in 1 2 3; do
	echo "enter $id" >$td/cmd || held=0
done
show_tds
[ "$(sed 's/ enters=.*//' $td/tds)" = "$before
$third" ] || {
	echo "!!! a TD is not what it was"
	held=0
}
if grep -v 'verdict=good' $td/tds; then
	held=0
fi

[ $held = 1 ] && printf '\nAll of it held: one update refused, one done, three TDs alive with their measurements.\n'
