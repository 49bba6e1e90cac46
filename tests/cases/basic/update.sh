#!/bin/sh
# An image in a container of either version is installed; TDs live on with unchanged measurements.
# SMP: 1 2 4 8
# SMOKE: yes
. /tests/lib.sh
setup

for image in v1 v2; do
	emu_set reset 1
	td_build 1
	td_build 2
	remaining=$(tdx num_remaining_updates)
	expect_update test/$image.blob 0 success
	expect version 1.5.26 "$(tdx version)"
	expect num_remaining_updates $((remaining - 1)) "$(tdx num_remaining_updates)"
	expect state ready "$(tdx state)"
	expect "successful installs" 1 "$(emu_get state installs)"
	expect "open session" 0 "$(emu_get state session)"
	expect_tds_alive 1 2
	td_build 3
	for id in 1 2 3; do
		td_ok destroy $id
	done
done
