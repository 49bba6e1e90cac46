#!/bin/sh
# Every file of last/ is right after a success, a race and an error; the log has one line for each
# attempt.
# SMP: 1 2
. /tests/lib.sh
setup

# expect_last FILE VALUE...: expect each file of last/ to have its value.
expect_last() {
	while [ $# -gt 0 ]; do
		expect "last/$1" "$2" "$(tdx "last/$1")"
		shift 2
	done
}

mark_dmesg
now=$(date +%s)
expect_update test/v2.blob 0 success
expect_last result success errno 0 tds live phase 'done' leaf none status 0x0000000000000000 \
	status_name none cpu -1 sessions 1 image test/v2.blob file test/v2.blob from 1.5.24 to 1.5.26
expect_ge last/when "$now" "$(tdx last/when)"
expect_le last/when "$(date +%s)" "$(tdx last/when)"
expect_ge last/blackout_ns 1 "$(tdx last/blackout_ns)"
expect_ge last/total_ns "$(tdx last/blackout_ns)" "$(tdx last/total_ns)"
expect "log lines" 1 "$(dmesg_since_mark | grep -c tdx_update:)"
expect_match log 'tdx_update: test/v2.blob: 1\.5\.24 -> 1\.5\.26, TDs live; CPUs stopped for [0-9]+ us, 19 updates left; by uid 0, [^ ]+\[[0-9]+\]$' \
	"$(dmesg_since_mark)"

td_ok new 1
mark_dmesg
expect_update test/v1.blob EBUSY update-race
expect_last result update-race errno 16 phase shutdown leaf TDH.SYS.SHUTDOWN \
	tds untouched status 0x8000051200010000 status_name UPDATE_COMPAT_SENSITIVE \
	cpu 0 sessions 0 image test/v1.blob from 1.5.26 to 1.5.26
expect_ge last/blackout_ns 1 "$(tdx last/blackout_ns)"
expect "log lines" 1 "$(dmesg_since_mark | grep -c tdx_update:)"
expect_match log 'tdx_update: test/v1.blob: update-race \(EBUSY\): .*; nothing has changed \[phase shutdown, TDH.SYS.SHUTDOWN on CPU 0: 0x8000051200010000 UPDATE_COMPAT_SENSITIVE, RCX 0x10000 RDX 0x0 R8 0x0\]; by uid 0, ' \
	"$(dmesg_since_mark)"
# A race is logged at level notice: an error would raise an alarm at each try.
expect "level of a race" 5 "$(dmesg -r | sed -n 's/^<\([0-9]*\)>.*tdx_update: test\/v1.blob: update-race .*/\1/p' | tail -n 1)"
# The same race again is not logged for a minute; another image's is.
mark_dmesg
expect_update test/v1.blob EBUSY update-race
expect "log lines of the same race" 0 "$(dmesg_since_mark | grep -c tdx_update:)"
expect_update test/v2.blob EBUSY update-race
expect_update test/v1.blob EBUSY update-race
expect "log lines of two races" 2 "$(dmesg_since_mark | grep -c tdx_update:)"
td_ok destroy 1

mark_dmesg
expect_update test/none.blob ENOENT no-image
expect_last result no-image errno 2 phase image leaf none status 0x0000000000000000 cpu -1 sessions 0 \
	image test/none.blob from none to none blackout_ns 0
expect "log lines" 1 "$(dmesg_since_mark | grep -c tdx_update:)"

# The path by which the requester knows the image, on a second line, is shown and logged. The image
# comes from the first line all the same.
mark_dmesg
expect_update "test/none.blob
/srv/images/a b.blob" ENOENT no-image
expect_last image test/none.blob file "/srv/images/a b.blob"
expect_match log 'tdx_update: /srv/images/a b\.blob: no-image ' "$(dmesg_since_mark)"

# The log tells who asked: the user of the login too, and a name without control characters.
mark_dmesg
login=''
[ ! -e /proc/self/loginuid ] || login=', login 1000'
who=$TMP/who$(printf '\033')
printf '#!/bin/sh\n[ -z "%s" ] || echo 1000 >/proc/self/loginuid\necho test/none.blob >%s/update\n' \
	"$login" "$TDX" >"$who"
chmod +x "$who"
"$who" 2>/dev/null
expect_match log "; by uid 0$login, who\\\\e\\[[0-9]+\\]\$" "$(dmesg_since_mark)"
