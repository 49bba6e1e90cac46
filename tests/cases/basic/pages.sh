#!/bin/sh
# An update frees every page that it takes from the page allocator, however it ends.
# NEEDS: CONFIG_KPROBE_EVENTS
. /tests/lib.sh
TRACE=/sys/kernel/tracing
[ -e $TRACE/kprobe_events ] || skip "this kernel has no kprobes"
setup
td_build 1

# traced IMAGE ERRNO RESULT: trace an update, and expect every page that it took to be given back.
traced() {
	: >$TRACE/trace
	for event in taken given; do store_text $TRACE/events/kprobes/$event/enable 1; done
	expect_update "$@"
	for event in taken given; do store_text $TRACE/events/kprobes/$event/enable 0; done
	# The event of a return names the function that is returned to.
	sed -n 's/.* taken: (.*\[tdx_update\] <- .*) page=\(0x[0-9a-f]*\).*/\1/p' \
		$TRACE/trace | sort >"$TMP/taken"
	sed -n 's/.* given: .* page=\(0x[0-9a-f]*\).*/\1/p' $TRACE/trace | sort >"$TMP/given"
	expect_ge "pages taken for $1" 2 "$(grep -c . "$TMP/taken")"
	expect "pages taken for $1 and not given back" '' "$(grep -vxF -f "$TMP/given" "$TMP/taken")"
}

# shellcheck disable=SC2016 # kprobes' own variables
for function in get_zeroed_page_noprof get_zeroed_page; do
	! grep -qw $function /proc/kallsyms || { store_text $TRACE/kprobe_events "r:taken $function page=\$retval:x64"; break; }
done
echo 'p:given free_pages page=%di:x64' >>$TRACE/kprobe_events

traced test/v2.blob 0 success
td_ok new 2
traced test/v2.blob EBUSY update-race
td_ok destroy 2
store "$TDX/recovery_image" test/same.blob
traced test/v2.blob 0 success
emu_set inject "SEAMLDR.INSTALL any $(nproc) 0x8000000000020001 1 1"
traced test/v2.blob ENOTRECOVERABLE lost

store_text $TRACE/kprobe_events ''
: >$TRACE/trace
