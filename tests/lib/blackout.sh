# shellcheck shell=dash
# Updates by tdx_update and by mainline's own driver, for `make bench` and the case that tests the
# bench. Sourced after lib.sh and mainline.sh.

# setup_drivers: load both drivers, on firmware whose leaves take 20 us, so that CPUs reach a lock
# while another CPU is in a leaf. TDH.SYS.LP.INIT takes so long that every CPU begins it before the
# first one ends it, however QEMU schedules them. The plugin's clocks count 20 us for each leaf.
setup_drivers() {
	local leaf

	setup_beside remaining=1000000
	load
	# The emulator's RSA takes time, and nothing here needs it.
	emu_set platform crypto=0
	for leaf in TDH.SYS.SHUTDOWN SEAMLDR.INSTALL TDH.SYS.INIT TDH.SYS.UPDATE; do
		emu_set delay "$leaf=20000"
	done
	emu_set delay TDH.SYS.LP.INIT=100000000
}

# say_code: print where each driver's code is, in the form that bench/plugin/clock.c reads: the
# driver's first and last function, the function that stop_machine() calls, and the range of the
# kernel's function to which that returns. grep keeps only a part of the long list of symbols; the
# kernel's own symbols are in order.
say_code() {
	grep -E -A 4 '( multi_cpu_stop|\[(tdx_update|mainline_tdx)\])$' /proc/kallsyms | sort | awk '
		$3 == "multi_cpu_stop" { stop = $1 }
		stop && !stop_end && $1 > stop { stop_end = $1 }
		{ driver = substr($4, 2, length($4) - 2) }
		driver !~ /^(tdx_update|mainline_tdx)$/ || $2 !~ /[tT]/ { next }
		!(driver in low) { low[driver] = $1 }
		{ high[driver] = $1 }
		$3 ~ /^(tdxu_blackout_run|do_seamldr_install_module)$/ { blackout[driver] = $1 }
		END {
			for (driver in low)
				print "code", driver, low[driver], high[driver], blackout[driver], stop, stop_end
		}'
}

# update_by DRIVER: make one update, which has to succeed. Two images take turns.
update_by() {
	case ${bench_image:=test/b.blob} in
	test/b.blob) bench_image=test/a.blob ;;
	*) bench_image=test/b.blob ;;
	esac
	case $1 in
	mainline_tdx)
		begin_upload "$bench_image"
		until idle; do usleep 5000; done
		[ -z "$(cat "$NODE/error")" ] || die "update by $1: $(cat "$NODE/error")"
		;;
	*)
		update "$bench_image"
		[ "$ERRNO" = 0 ] || die "update by $1: $ERRNO, $(tdx last/result)"
		;;
	esac
}
