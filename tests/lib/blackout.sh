# shellcheck shell=dash
# Updates by our module and by mainline's own driver, for `make bench` and the case that looks after
# it. Sourced after lib.sh and mainline.sh.

# setup_drivers: both drivers beside each other, on firmware whose leaves take 20 us, so that CPUs
# come to a lock while another CPU is in a leaf. TDH.SYS.LP.INIT takes so long that every CPU has
# begun it before the first one ends it, however QEMU schedules them. The plugin's clocks take 20 us
# for each.
setup_drivers() {
	local leaf

	setup_beside remaining=1000000
	load
	# Emulated RSA takes time, and nothing here needs it.
	emu_set platform crypto=0
	for leaf in TDH.SYS.SHUTDOWN SEAMLDR.INSTALL TDH.SYS.INIT TDH.SYS.UPDATE; do
		emu_set delay "$leaf=20000"
	done
	emu_set delay TDH.SYS.LP.INIT=100000000
}

# say_code: where each driver's code is, as bench/plugin/clock.c takes it: the driver's first and
# last function, the one that stop_machine() calls, and the range of the kernel's function that it
# returns to. The list of symbols is long, and the kernel's own are in order.
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

# update_by DRIVER: one update, which has to succeed, to two images in turn.
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
