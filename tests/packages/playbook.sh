#!/bin/bash
# The playbook's part of `make check-packages`, without hosts: one suite's Ansible runs
# contrib/ansible/tdx-update.yml against stand-ins for ssh, kubectl and tdx-update, which act out
# every way in which an update ends or does not end.
#
#	tests/packages/playbook.sh SUITE
#
# Last line: see sum() in lib.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top"

suite=$1
name="$suite, playbook"
out=build/packages/$suite/playbook
logs=$out/logs
dir=$top/$out

# shellcheck source=tests/packages/lib.sh
. "$here/lib.sh"
rm -rf "$out"
mkdir -p "$logs"

# ssh OPTION... HOST COMMAND: runs the command on this machine. A host that is down, or goes down
# during the command, is unreachable: 255.
cat >"$dir/ssh" <<END
#!/bin/bash
host=\${*: -2:1}
[ ! -e "$dir/\$host.down" ] || exit 255
HOST=\$host bash -c "\${*: -1}"
status=\$?
[ ! -e "$dir/\$host.down" ] || exit 255
exit \$status
END

# HOST.does names what the command does on that host. "updated" lists the hosts that were told to
# update.
cat >"$dir/tdx-update" <<END
#!/bin/bash
answer() {
	printf '{ "result": %s, "meaning": "what it means", "exit": %s }\n' "\$1" "\$2"
	exit "\$2"
}
does=\$(cat "$dir/\$HOST.does" 2>/dev/null)
if [ "\$1" = status ]; then
	interface=tdx_update state=ready
	case \$does in
	shut-down | lost) state=\$does ;;
	unclear) interface=mainline state='' ;;
	esac
	printf '{ "interface": "%s", %s "version": "1.5.27", "updates_left": 19 }\n' \$interface \\
		"\${state:+\"state\": \"\$state\",}"
	exit
fi
echo "\$HOST" >>"$dir/updated"
echo "\$HOST update" >>"$dir/order"
case \$does in
'') answer '"success"' 0 ;;
refused) answer '"older"' 1 ;;
recovered) answer '"recovered"' 2 ;;
lost) answer '"lost"' 3 ;;
unclear) answer null 4 ;;
shut-down) answer '"shut-down"' 5 ;;
error) echo '{ "error": "no such directory", "exit": 66 }'; exit 66 ;;
race) answer '"update-race"' 75 ;;
killed) kill -KILL \$\$ ;;
killed-amid) echo '{ "result": "success",'; kill -KILL \$\$ ;;
silent) exit 1 ;;
gone) touch "$dir/\$HOST.down"; answer '"success"' 0 ;;
esac
END
# kubectl keeps HOST.unschedulable and HOST.annotated.
cat >"$dir/kubectl" <<END
#!/bin/bash
cd "$dir"
node=\$3
case \$* in
"get node "*)
	printf '{ "metadata": { "annotations": { "x": "y"%s } }, "spec": { "x": 1%s } }\n' \\
		"\$([ ! -e \$node.annotated ] || echo ', "tdx-update/cordoned": "true"')" \\
		"\$([ ! -e \$node.unschedulable ] || echo ', "unschedulable": true')"
	;;
"annotate node "*" --overwrite tdx-update/cordoned=true") touch \$node.annotated ;;
"annotate node "*" tdx-update/cordoned-") rm -f \$node.annotated ;;
"cordon "*)
	node=\$2
	[ "\$(cat \$node.does 2>/dev/null)" != not-a-node ] || { echo "no such node" >&2; exit 1; }
	touch \$node.unschedulable
	;;
"uncordon "*)
	node=\$2
	rm -f \$node.unschedulable
	;;
*) exit 1 ;;
esac
echo "\$node \$1" >>order
END
chmod 755 "$dir/ssh" "$dir/tdx-update" "$dir/kubectl"
printf '[tdx_hosts]\nh1\nh2\nh3\nh4\n' >"$dir/inventory"

# play WHAT [OPTION...]: runs the playbook while h2 does WHAT. The batches are h1, then h2 and h3,
# then h4. Somebody has cordoned h3, and an earlier run that failed h4.
play() {
	status=0
	rm -f "$dir"/{updated,order,*.down,*.does,*.unschedulable,*.annotated}
	touch "$dir"/{h3.unschedulable,h4.unschedulable,h4.annotated}
	case $1 in
	down) touch "$dir/h2.down" ;;
	good) ;;
	*) echo "$1" >"$dir/h2.does" ;;
	esac
	said=$logs/ansible-$1.log
	scripts/root.sh --in "$tools" env HOME="$dir" ANSIBLE_NOCOLOR=1 ANSIBLE_PIPELINING=1 \
		ANSIBLE_SSH_ARGS='' ANSIBLE_SSH_EXECUTABLE="$dir/ssh" ANSIBLE_FORKS=2 \
		ANSIBLE_PYTHON_INTERPRETER=/usr/bin/python3 \
		ansible-playbook -i "$dir/inventory" contrib/ansible/tdx-update.yml \
		-e "tdx_command=$dir/tdx-update" -e tdx_retries=1 -e tdx_pause=0 \
		-e '{"tdx_batch": [1, 2, 1]}' "${@:2}" >"$said" 2>&1 || status=$?
	cat "$said"
	updated=$(sort -u "$dir/updated" | xargs)
	cordoned=$(cd "$dir" && find . -name '*.unschedulable' | sed 's/[^h]*\(h.\).*/\1/' | sort | xargs)
	annotated=$(cd "$dir" && find . -name '*.annotated' | sed 's/[^h]*\(h.\).*/\1/' | sort | xargs)
	echo "updated: $updated; exit status $status; cordoned: $cordoned; by us: $annotated"
}

kubectl=(-e "tdx_kubectl=$dir/kubectl")

# stops WHAT TEXT: h2's TDX may be down, or h2 had to be repaired. The playbook fails with TEXT and
# does not update h4.
stops() {
	play "$1" "${@:3}"
	[ "$status" != 0 ]
	[ "$updated" = "h1 h2 h3" ]
	grep "^fatal: \[h2\].*$2" "$said"
}

# stops_in_cluster WHAT TEXT: it also leaves h2 cordoned, besides the two that were before.
stops_in_cluster() {
	stops "$1" "$2" "${kubectl[@]}"
	[ "$cordoned/$annotated" = "h2 h3 h4/h2 h4" ]
}

# goes_on WHAT: the playbook reports h2 and still updates h4.
goes_on() {
	play "$@"
	[ "$status" != 0 ]
	[[ $updated == "h1 "*"h3 h4" ]]
	grep -A 5 "^fatal: \[h2\]" "$said"
}

goes_on_in_cluster() {
	goes_on "$1" "${kubectl[@]}"
	[ "$cordoned/$annotated" = h3/ ]
}

all_good() {
	play good
	[ "$status" = 0 ]
	[ "$updated" = "h1 h2 h3 h4" ]
	[ "$(grep -c '"1.5.27, 19 updates left"\|1.5.27, 19 updates left' "$said")" = 4 ]
	[ "$cordoned/$annotated" = "h3 h4/h4" ]
	! grep -v ' update$' "$dir/order"
}

# Each node is cordoned before its update and uncordoned after it, but for h3. h2's cannot be, so h2
# is not updated.
cluster() {
	play not-a-node "${kubectl[@]}"
	[ "$status" != 0 ]
	[ "$updated" = "h1 h3 h4" ]
	grep "^failed: \[h2.*no such node" "$said"
	[ "$cordoned" = h3 ]
	[ "$(sed -n 's/^h1 //p' "$dir/order" | xargs)" = "get annotate cordon update uncordon annotate" ]
	[ "$(sed -n 's/^h3 //p' "$dir/order" | xargs)" = "get update" ]
	[ "$(sed -n 's/^h4 //p' "$dir/order" | xargs)" = "get update uncordon annotate" ]
}

# A race is retried once, as tdx_retries says.
race() {
	goes_on race
	[ "$(grep -c h2 "$dir/updated")" = 2 ]
}

tools=$(scripts/root.sh "$suite" fleet)
say "$(scripts/root.sh --in "$tools" ansible-playbook --version | sed -n 1p)"
check "all hosts are updated, batch by batch" all_good
check "nodes get no pods meanwhile; a host whose node cannot be cordoned is left out" cluster
check "a refusal does not stop the others, and its node gets pods again" goes_on_in_cluster refused
check "a race that lasts does not stop the others" race
check "an error of the command does not stop the others" goes_on error
check "a host that cannot be reached beforehand does not stop the others" goes_on down
check "it stops after a repair" stops recovered recovered
check "it stops after a shutdown that was not repaired, and the node gets none" \
	stops_in_cluster shut-down shut-down
check "it stops after a loss" stops lost lost
check "it stops after an update of which the kernel cannot tell the end" stops unclear 'what it means'
check "it stops when the command is killed" stops killed 'not known'
check "it stops when the command is killed amid its answer" stops killed-amid 'not known'
check "it stops when the command ends without an answer" stops silent 'not known'
check "it stops when a host becomes unreachable during the update, and the node gets none" \
	stops_in_cluster gone 'not known'
sum
