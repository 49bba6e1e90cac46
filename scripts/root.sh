#!/bin/bash
# Provides the root file system in which to build for a suite of Debian, with the suite's compiler:
# this machine's own if it runs that suite, otherwise build/roots/SUITE.
#
#	scripts/root.sh SUITE [PACKAGE...]	makes the root if there is none, installs the
#						missing packages (or GROUPs, see deps.sh) in it,
#						and prints its path: / or that directory
#	scripts/root.sh --apt SUITE DIR		writes apt's configuration for that suite to
#						DIR/sources.list and DIR/apt.conf
#	scripts/root.sh --in ROOT COMMAND...	runs COMMAND in ROOT, where the tree has the same
#						path
#
# SUITE is a codename of Debian, or CODENAME-backports for that suite with its backports. Mirrors
# and how to reach them come from this machine's own apt configuration.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)

die() {
	echo "root.sh: $*" >&2
	exit 1
}

# mirror PATTERN: prints this machine's first mirror whose codename matches.
mirror() {
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format '$(CODENAME) $(COMPONENT) $(SITE)' |
		awk -v codename="$1" '$1 ~ codename && $2 == "main" { print $3; exit }'
}

sources() {
	local main security base=${1%-backports}

	main=$(mirror '^[a-z]+$')
	security=$(mirror '^[a-z]+-security$')
	[ -n "$main" ] || die "apt knows of no Debian mirror here: apt-get update?"
	echo "deb $main $base main"
	[ "$1" = sid ] || {
		echo "deb $main $base-updates main"
		[ -z "$security" ] || echo "deb $security $base-security main"
	}
	[ "$1" = "$base" ] || echo "deb $main $1 main"
}

# Prints how this machine reaches and checks a mirror, and settings for a root to build in.
settings() {
	apt-config dump --format '%F "%v";%n' Acquire |
		grep -E '^Acquire::(Check-|https?::|Retries|ForceIP|Max-)' || true
	echo 'Acquire::Languages "none";'
	echo 'Acquire::Retries "3";'
	echo 'APT::Install-Recommends "false";'
	echo 'APT::Sandbox::User "root";'
}

apt_files() {
	mkdir -p "$2"
	sources "$1" >"$2/sources.list"
	settings >"$2/apt.conf"
}

# Prints the arguments that the root lacks; NAME=VERSION has to be that version.
missing() {
	local want have

	for want; do
		have=$(dpkg-query --admindir="$root/var/lib/dpkg" -Wf '${db:Status-Status}=${Version}' \
			"${want%%=*}" 2>/dev/null || true)
		[[ $have == installed=* && $have == *"${want#"${want%%=*}"}" ]] || echo "$want"
	done
}

# Makes build/roots/SUITE anew. The directory is renamed last, so that $root is always complete.
make_root() {
	local conf

	"$top/scripts/deps.sh" mmdebstrap >&2
	echo "root $suite: making it" >&2
	conf=$(mktemp -d)
	apt_files "$suite" "$conf"
	rm -rf "$root.new"
	mkdir -p "$(dirname "$root")"
	mmdebstrap --quiet --variant=apt --aptopt="$conf/apt.conf" --dpkgopt=force-unsafe-io \
		--skip=cleanup/apt/lists \
		"${suite%-backports}" "$root.new" "$conf/sources.list" >"$root.log" 2>&1 || {
		tail -n 20 "$root.log" >&2
		die "mmdebstrap could not make a root of $suite"
	}
	rm -rf "$conf"
	mv "$root.new" "$root"
}

# inside ROOT COMMAND...: uses a mount namespace of its own, so that nothing ever stays mounted.
inside() {
	local dir=$1
	shift

	[ "$dir" != / ] || exec "$@"
	# shellcheck disable=SC2016 # expanded inside
	exec unshare --mount sh -ec '
		root=$1 top=$2
		shift 2
		mkdir -p "$root$top"
		mount --rbind "$top" "$root$top"
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		# Host names resolve there as on this machine.
		cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
		exec chroot "$root" /usr/bin/env -C "$PWD" PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			LC_ALL=C.UTF-8 "$@"
	' sh "$dir" "$top" "$@"
}

case ${1:-} in
--apt) apt_files "$2" "$3"; exit ;;
--in) shift; inside "$@" ;;
'' | -*) die "which suite?" ;;
esac

suite=$1
shift
# shellcheck source=/dev/null
host=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
if [ "$suite" = "$host" ]; then
	"$top/scripts/deps.sh" "$@" >&2
	echo /
	exit
fi

[ "$(id -u)" = 0 ] || die "building for $suite needs a root file system of it: run this as root"
root=$top/build/roots/$suite
mkdir -p "$top/build/roots"
exec 9>"$top/build/roots/.lock"
flock 9
[ -e "$root" ] || make_root
mapfile -t wanted < <("$top/scripts/deps.sh" --names "$@")
mapfile -t packages < <(missing "${wanted[@]}")
if [ ${#packages[@]} -gt 0 ]; then
	echo "root $suite: installing ${packages[*]}" >&2
	install=(env DEBIAN_FRONTEND=noninteractive apt-get -q=2 -y install "${packages[@]}")
	# Old package lists name files that the archive no longer has: try again with new lists.
	"$0" --in "$root" "${install[@]}" >"$root.log" 2>&1 9>&- ||
		{ "$0" --in "$root" apt-get -q=2 update &&
			"$0" --in "$root" "${install[@]}"; } >"$root.log" 2>&1 9>&- || {
		tail -n 20 "$root.log" >&2
		die "could not install ${packages[*]} in the root of $suite"
	}
fi
echo "$root"
