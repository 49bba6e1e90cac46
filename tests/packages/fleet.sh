#!/bin/bash
# The fleet's part of `make check-packages`: one suite's Ansible runs contrib/ansible/tdx-update.yml
# by SSH on several guests, which run side by side.
#
#	tests/packages/fleet.sh SUITE
#
# Run suite.sh before: the hosts boot from its disk. Last line: see sum() in lib.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top"

suite=$1
name="$suite, fleet"
out=build/packages/$suite
logs=$out/logs
ssh=$out/ssh
hosts=(h1 h2 h3)

# shellcheck source=tests/packages/lib.sh
. "$here/lib.sh"
trap stop_guests EXIT
trap 'exit 143' INT TERM

# --- hosts ----------------------------------------------------------------------------------------

# Prints an unused TCP port.
free_port() {
	local port

	while port=$((RANDOM % 10000 + 20000)); grep -qi "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$port") " \
		/proc/net/tcp; do
		:
	done
	echo "$port"
}

boot_hosts() {
	local host release root=$out/root port

	release=$(ls "$root/usr/lib/modules")
	printf '[tdx_hosts]\n' >"$ssh/inventory"
	cat >"$ssh/config" <<-END
	Host *
		HostName 127.0.0.1
		HostKeyAlias guest
		User root
		IdentityFile $top/$ssh/key
		UserKnownHostsFile $top/$ssh/known_hosts
		BatchMode yes
		ConnectTimeout 20
	END
	for host in "${hosts[@]}"; do
		port=$(free_port)
		echo "$host" >>"$ssh/inventory"
		printf 'Host %s\n\tPort %s\n' "$host" "$port" >>"$ssh/config"
		boot "$host" fleet --kernel "$root/boot/vmlinuz-$release" \
			--initrd "$root/boot/initrd.img-$release" --ssh "$port" \
			--append "root=LABEL=guest rw guest.plan=fleet systemd.hostname=$host"
	done
}

# on HOST COMMAND...: runs the command on that host.
on() {
	local host=$1
	shift
	scripts/root.sh --in "$tools" ssh -F "$top/$ssh/config" "$host" "$@"
}

host_is_up() {
	local i

	for ((i = 0; i < 300; i++)); do
		[ ! -e "$out/boot-$1/exit" ] || return
		! on "$1" test -e /opt/test/host.sh || return 0
		sleep 1
	done
	return 1
}

hosts_are_up() {
	local host

	for host in "${hosts[@]}"; do
		host_is_up "$host"
		[ "$(on "$host" hostname)" = "$host" ]
	done
}

# store HOST:WHAT...: prepares each host with host.sh WHAT, and all others with "good".
store() {
	local host word what waiting=()

	for host in "${hosts[@]}"; do
		what=good
		for word; do
			[ "${word%%:*}" != "$host" ] || what=${word#*:}
		done
		on "$host" "sh /opt/test/host.sh $what" &
		waiting+=($!)
	done
	for host in "${waiting[@]}"; do
		wait "$host"
	done
}

# told HOST WORDS: the host must be in this state, as "host.sh tell" prints it.
told() {
	local seen

	seen=$(on "$1" sh /opt/test/host.sh tell)
	echo "$1: $seen, expected: $2"
	[ "$seen" = "$2" ]
}

# --- the playbook ---------------------------------------------------------------------------------

# play NAME BATCHES [KEY=VALUE...]: runs the playbook. Its output is in the file $said, its exit
# status in $status.
play() {
	local word options=() batches=$2

	said=$logs/ansible-$1.log status=0
	shift 2
	for word; do
		options+=(-e "$word")
	done
	scripts/root.sh --in "$tools" env HOME=/root ANSIBLE_NOCOLOR=1 ANSIBLE_TIMEOUT=60 ANSIBLE_PIPELINING=1 \
		ANSIBLE_HOME="$top/$ssh/ansible" ANSIBLE_SSH_CONTROL_PATH_DIR=/tmp/tdx-update-fleet \
		ANSIBLE_SSH_ARGS="-F $top/$ssh/config -o ControlMaster=auto -o ControlPersist=30" \
		ansible-playbook -i "$top/$ssh/inventory" "$top/contrib/ansible/tdx-update.yml" \
		-e tdx_images=/opt/test/images -e tdx_wait=1 -e tdx_pause=1 \
		-e "{\"tdx_batch\": $batches}" "${options[@]}" >"$said" 2>&1 || status=$?
	cat "$said"
	echo "exit status $status"
}

# recap HOST KEY=N...: the playbook's recap must have these counts for the host. Without KEY=N, the
# host must not be in the recap: it was not touched.
recap() {
	local line host=$1 word
	shift

	line=$(sed -n '/^PLAY RECAP/,$p' "$said" | grep "^$host ") || [ $# = 0 ]
	for word; do
		[[ "$line " == *" $word "* ]]
	done
	[ $# != 0 ] || [ -z "$line" ]
}

# batch_of HOST: prints the number of the batch in which the host was updated.
batch_of() {
	awk -v host="[$1]" '/^PLAY \[/ { batch++ } $2 == host && $1 == "changed:" { print batch; exit }' \
		"$said"
}

# The first batch is h1, the second h2 and h3. A TD is being built on h2 until the playbook has
# retried twice. h3 refuses, which does not stop the others.
rolls_over() {
	local host builder

	store "h2:building" "h3:refusing"
	rm -f "$logs/ansible-roll.log"
	{
		until grep -q 'RETRYING: \[h2\].*(58 retries' "$logs/ansible-roll.log" 2>/dev/null; do
			sleep 0.5
		done
		on h2 sh /opt/test/host.sh built
	} &
	builder=$!
	play roll '[1, 2]' tdx_retries=60
	kill "$builder" || true
	[ "$status" = 2 ]
	[ "$(grep -c '^PLAY \[' "$said")" = 2 ]
	for host in h1 h2; do
		recap "$host" changed=1 failed=0 unreachable=0
		told "$host" "1.5.27 ready success good"
	done
	[ "$(batch_of h1) $(batch_of h2)" = "1 2" ]
	fails grep -E 'RETRYING: \[h[13]\]' "$said"
	recap h3 changed=0 failed=1
	grep '^fatal: \[h3\]' "$said" | grep no-updates-left
	told h3 "1.5.24 ready none good"
	grep -F '1.5.27, 19 updates left' "$said"
}

# Run again after the reason for the refusal is gone: only h3 is updated.
rolls_over_again() {
	on h3 sh /opt/test/host.sh good
	play again '["100%"]'
	[ "$status" = 0 ]
	recap h1 changed=0 failed=0
	recap h2 changed=0 failed=0
	recap h3 changed=1 failed=0
	told h1 "1.5.27 ready success good"
	told h3 "1.5.27 ready success good"
}

# The race outlasts all retries. A batch in which no host could be updated ends the play, and no
# host has changed.
stops_where_a_batch_fails() {
	store "h1:building"
	play race '[1, 2]' tdx_retries=2
	[ "$status" = 2 ]
	[ "$(grep -c 'RETRYING: \[h1\]' "$said")" = 2 ]
	recap h1 changed=0 failed=1
	grep '^fatal: \[h1\]' "$said" | grep update-race
	told h1 "1.5.24 ready update-race good"
	untouched h2 h3
}

untouched() {
	local host

	for host; do
		recap "$host"
		told "$host" "1.5.24 ready none good"
	done
}

# The hosts of the same batch are updated at the same time, so h2 is. Later batches are not.
stops_after_a_loss() {
	store "h1:breaking nothing"
	play loss '[2, 1]'
	[ "$status" = 2 ]
	told h1 "- lost lost -"
	recap h1 failed=1
	grep -A 3 '^fatal: \[h1\]' "$said" | grep 'lost: '
	told h2 "1.5.27 ready success good"
	untouched h3
}

stops_after_a_repair() {
	store "h1:breaking handoff"
	play repair '[1]'
	[ "$status" = 2 ]
	told h1 "1.5.24 ready recovered good"
	recap h1 changed=1 failed=1
	grep -A 3 '^fatal: \[h1\]' "$said" | grep 'recovered: '
	untouched h2 h3
}

fleet_is_over() {
	local host

	for host in "${hosts[@]}"; do
		on "$host" touch /run/fleet-over
	done
}

# --- the run --------------------------------------------------------------------------------------

tools=$(scripts/root.sh "$suite" fleet)
say "$(scripts/root.sh --in "$tools" ansible-playbook --version | sed -n 1p), ${#hosts[@]} hosts"
boot_hosts
check "hosts start side by side" hosts_are_up
check "the playbook rolls an update over them in batches, retries a race, reports a refusal" rolls_over
check "where all is done it does nothing" rolls_over_again
check "it stops at a batch that fails" stops_where_a_batch_fails
check "it stops after an update that lost the module" stops_after_a_loss
check "it stops after an update that had to be repaired" stops_after_a_repair
check "the hosts are told to end" fleet_is_over
for i in "${!hosts[@]}"; do
	booted "${hosts[i]}" "${pids[i]}"
done
pids=()
scripts/root.sh --in "$tools" rm -rf /tmp/tdx-update-fleet
sum
