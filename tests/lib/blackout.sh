# shellcheck shell=dash
# Measures blackouts: sourced after lib.sh by what `make bench` runs in a guest, and by the case
# that looks after it. Prints one line of raw figures an update; blackout.awk makes the table of
# them.

# The two drivers that are compared, as modules.
DRIVERS="tdx_update tdx_update_locked"

# load_driver MODULE: instead of the one that is loaded. Then calls $after_load MODULE.
load_driver() {
	local module
	for module in $DRIVERS; do
		! loaded "$module" || rmmod "$module" || die "$module does not unload"
	done
	modprobe "$1" "signer=$(cat "$SIGNER")" || die "$1 does not load"
	trap_ns=$(emu overhead)
	${after_load:-:} "$1"
}

# figures WORDS: of the update just made, which the emulator's log is all about: one line that
# begins with WORDS. What the emulation itself needs for a trap, half of it before and half after
# what its log has of a call, counts as the firmware's. Times in nanoseconds:
#
#	blackout	as the driver says
#	path		what the firmware takes if LP.INIT runs everywhere at once: what no driver can change
#	work		the same if every call takes the one host CPU's time
#	slowest		the slowest LP.INIT, which is in path; work has all of them
#	ends		from the start to the first call, and from the last call to the end
#	to_install	from SHUTDOWN to the first INSTALL
#	install		between INSTALLs, all together
#	to_init		from the last INSTALL to SYS.INIT
#	to_update	from SYS.INIT to UPDATE, LP.INIT in it
#	total		from the write to its return
#	after		from the last call of the blackout to the last of the update
#	calls		SEAMCALLs in the blackout
figures() {
	emu log | awk -v words="$*" -v trap="$trap_ns" -v blackout="$(tdx last/blackout_ns)" \
		-v total="$(tdx last/total_ns)" '
		{ start = $8 - trap / 2; end = $9 + trap / 2; took = end - start }
		$3 == "TDH.SYS.SHUTDOWN" {
			inside = 1
			first = start
			shutdown_end = last_end = end
		}
		!inside { next }
		# Those after UPDATE are outside again.
		done { after = end - last_end; next }
		{ calls++; work += took }
		$3 == "SEAMLDR.INSTALL" {
			if (!installs++) {
				to_install = start - shutdown_end
				first_install = start
			}
			in_install += took
			install_end = end
		}
		$3 == "TDH.SYS.INIT" { to_init = start - install_end; init_end = end }
		$3 == "TDH.SYS.LP.INIT" { lps += took; if (took > slowest) slowest = took; next }
		{ serial += took; last_end = end }
		$3 == "TDH.SYS.UPDATE" { done = 1; to_update = start - init_end }
		END {
			printf "%s blackout=%.0f path=%.0f work=%.0f", words, blackout, serial + slowest, work
			printf " slowest=%.0f ends=%.0f", slowest, blackout - (last_end - first)
			if (done)
				printf " to_install=%.0f install=%.0f to_init=%.0f to_update=%.0f",
					to_install, install_end - first_install - in_install, to_init,
					to_update
			printf " total=%.0f after=%.0f calls=%d\n", total, after, calls
		}'
}

# measured_update ERRNO WORDS: one update to the other of two images, its figures begin with WORDS.
measured_update() {
	local errno=$1
	shift
	case ${next_image:=test/a.blob} in
	test/a.blob) next_image=test/b.blob ;;
	*) next_image=test/a.blob ;;
	esac
	emu_set log 1
	update "$next_image"
	# shellcheck disable=SC2153 # update() sets it
	[ "$ERRNO" = "$errno" ] || die "update to $next_image: $ERRNO, $(tdx last/result)"
	figures "$@"
}

# compare BLOCKS UPDATES WORDS: the drivers by turns, BLOCKS times each, UPDATES a time.
compare() {
	local blocks=$1 updates=$2 driver block=0 i
	shift 2
	while [ $((block += 1)) -le "$blocks" ]; do
		for driver in $DRIVERS; do
			load_driver "$driver"
			# The first one after loading meets cold caches, and is not counted.
			measured_update 0 cold >/dev/null
			i=0
			while [ $((i += 1)) -le "$updates" ]; do
				measured_update 0 "figures driver=$driver cpus=$(nproc) $*"
			done
		done
	done
}

# leaf_time NANOSECONDS: what each leaf of the blackout takes.
leaf_time() {
	local leaf
	for leaf in TDH.SYS.SHUTDOWN SEAMLDR.INSTALL TDH.SYS.INIT TDH.SYS.LP.INIT TDH.SYS.UPDATE; do
		emu_set delay "$leaf=$1"
	done
}
