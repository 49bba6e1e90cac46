#!/bin/sh
# What a check of a 150-page image takes, beside sha384sum and openssl doing the same to the same bytes.
ROUNDS=15
CALLS=10

chmod +x /usr/bin/* /lib64/*
modprobe tdx_emu
modprobe tdx_update "signer=$(cat /lib/firmware/test/signer)"

# Hundredths of a second since boot.
now() {
	local up
	read -r up _ </proc/uptime
	echo "${up%.*}${up#*.}"
}

ours() {
	echo test/pages-150.blob >/sys/firmware/tdx/check
}

theirs() {
	/usr/bin/sha384sum /bench/module >/dev/null &&
		/usr/bin/openssl dgst -sha384 -verify /bench/key.pub -signature /bench/signature \
			/bench/signed >/dev/null
}

# What those two programs take to start, under emulation the greater part.
starts() {
	/usr/bin/sha384sum /dev/null >/dev/null && /usr/bin/openssl version >/dev/null
}

# time_of COMMAND: hundredths of a second for CALLS of it
time_of() {
	local start i=0
	start=$(now)
	while [ $((i += 1)) -le $CALLS ]; do
		"$1" || { echo "$1 failed"; exit 1; }
	done
	echo $(($(now) - start))
}

ours && theirs || exit 1
round=0
while [ $((round += 1)) -le $ROUNDS ]; do
	echo "$(time_of ours) $(time_of theirs) $(time_of starts)"
done >/tmp/rounds
# summary TEXT: median, least and most of the percentages on standard input
summary() {
	sort -n | awk -v text="$1" '{ r[NR] = $1 } END {
		printf "%s: %d %% (median of %d; %d to %d %%)\n", text, r[int((NR + 1) / 2)], NR,
			r[1], r[NR] }'
}
echo "check of a 150-page image, as a share of the time of"
awk '{ print 100 * $1 / $2 }' /tmp/rounds | summary "  sha384sum + openssl dgst -verify"
awk '$2 > $3 { print 100 * $1 / ($2 - $3) }' /tmp/rounds |
	summary "  the same, less what the two programs take to start"
echo "done"
