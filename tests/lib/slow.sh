# shellcheck shell=dash
# Helpers of cases on a host whose crypto or restart is slow or fails (tests/slow/). Sourced after
# lib.sh.

SLOW=/sys/module/tdx_slow/parameters

# slow_load [rsa_generic=1]: load tdx_slow. It has to come before tdx_update, which chooses its RSA
# when it is loaded.
slow_load() {
	modprobe tdx_slow "$@" || die "tdx_slow does not load"
}

# slow_set PARAMETER VALUE
slow_set() {
	store_text "$SLOW/$1" "$2" || die "tdx_slow refuses $2 in $1"
}

# Print how many RSA operations tdx_slow was asked for.
rsa_requests() {
	cat "$SLOW/rsa_requests"
}
