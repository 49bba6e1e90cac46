#!/bin/bash
# One Debian suite's part of `make check-packages`: installs, upgrades and removes the packages.
#
#	tests/packages/suite.sh SUITE DEBS NEXT_DEBS
#
# DEBS is the directory of this tree's packages, NEXT_DEBS that of the same ones with a higher
# version. The suite's own apt and dkms handle them in a copy of its root file system (base.sh).
# QEMU boots the system as it is after the installation. Last line: see sum() in lib.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top"

suite=$1 debs=$2 next_debs=$3
name=$suite
out=build/packages/$suite
root=$out/root
logs=$out/logs

# shellcheck source=tests/packages/lib.sh
. "$here/lib.sh"
trap stop_guests EXIT
trap 'exit 143' INT TERM

# Runs a command on the system. uname prints this machine's kernel there; dkms and apt see through
# that. as_running() is for commands that do not.
on() {
	scripts/root.sh --in "$root" env DEBIAN_FRONTEND=noninteractive HOME=/root "$@"
}

apt() {
	on apt-get -q -y -o Dpkg::Use-Pty=0 "$@"
}

version_in() {
	dpkg-deb -f "$1"/tdx-update-dkms_*.deb Version
}

# --- the checks -----------------------------------------------------------------------------------

# Prints every path of the system except scratch files, logs and caches, and except the key that
# dkms makes when it first signs a module, and keeps.
paths() {
	find "$root" -xdev \( -path "$root$top" -o -path "$root/tmp" -o -path "$root/run" -o \
		-path "$root/var/log" -o -path "$root/var/cache" -o -path "$root/var/lib/apt" -o \
		-path "$root/dev" -o -path "$root/proc" \) -prune -o -printf '%P %y\n' |
		grep -Ev '^var/lib/dkms/mok\.(key|pub) f$|^var/lib/dpkg/[a-z]*-old f$' | sort
}

# Prints paths with our name, DKMS's directories among the kernel's modules, and files there that
# mention the module.
traces() {
	find "$root"/{usr,etc,boot,var/lib/dkms,var/lib/dpkg/info} -xdev -name '*tdx[-_]update*'
	find "$root"/usr/lib/modules -type d -name dkms
	grep -rl tdx_update "$root"/usr/lib/modules || true
}

no_traces() {
	traces >"$out/traces"
	cat "$out/traces"
	[ ! -s "$out/traces" ]
}

# installed VERSION RELEASE: DKMS must have installed that version for that kernel, and modprobe
# must find this file, signed.
installed() {
	local file

	on dkms status -k "$2" | grep "^tdx-update/$1, $2, x86_64: installed"
	file=$(on modinfo -k "$2" -n tdx_update)
	[[ $file == /lib/modules/$2/updates/dkms/tdx_update.ko* ]]
	[ "$(on modinfo -k "$2" -F version tdx_update)" = "$1" ]
	[ "$(on modinfo -k "$2" -F vermagic tdx_update | awk '{ print $1 }')" = "$2" ]
	on modinfo -k "$2" -F signer tdx_update | grep -i 'dkms module signing key'
}

install_by_apt() {
	apt install "$top/$debs"/tdx-update{,-dkms}_*.deb
	installed "$version" "$release"
}

# The command's package has its files where users, man and bash look for them, and enables nothing.
command_installed() {
	# shellcheck disable=SC2016 # dpkg-query's variable
	[ "$(on dpkg-query -Wf '${Homepage}\n' tdx-update tdx-update-dkms | grep -c '^https:')" = 2 ]
	on dpkg-query -L tdx-update | while read -r path; do
		[ -d "$root$path" ] || echo "$path"
	done | sort | diff - <(
		cat <<-END
		/usr/lib/systemd/catalog/tdx-update.catalog
		/usr/lib/systemd/system/tdx-update-boot.service
		/usr/lib/systemd/system/tdx-update-features.service
		/usr/lib/systemd/system/tdx-update-features.timer
		/usr/lib/systemd/system/tdx-update-metrics.service
		/usr/lib/systemd/system/tdx-update-metrics.timer
		/usr/lib/systemd/system/tdx-update@.service
		/usr/lib/udev/rules.d/60-tdx-update-load.rules
		/usr/sbin/tdx-update
		/usr/share/bash-completion/completions/tdx-update
		/usr/share/doc/tdx-update/README.md.gz
		/usr/share/doc/tdx-update/attestation.md.gz
		/usr/share/doc/tdx-update/changelog.gz
		/usr/share/doc/tdx-update/copyright
		/usr/share/doc/tdx-update/examples/90-tdx-update.rules
		/usr/share/doc/tdx-update/examples/libvirt-qemu
		/usr/share/doc/tdx-update/examples/older-names
		/usr/share/doc/tdx-update/examples/tdx-update.yml
		/usr/share/lintian/overrides/tdx-update
		/usr/share/man/man4/tdx_update.4.gz
		/usr/share/man/man8/tdx-update.8.gz
		/usr/share/tdx-update/grafana.json
		/usr/share/tdx-update/prometheus.rules.yml
		/usr/share/tdx-update/tdx-update.schema.json
		END
	)
	[ "$(on tdx-update --version)" = "tdx-update $version" ]
	[ "$(on systemctl is-enabled tdx-update@.service)" = static ]
	[ "$(on systemctl is-enabled tdx-update-metrics.timer)" = disabled ]
	[ "$(on systemctl is-enabled tdx-update-boot.service)" = disabled ]
	[ "$(on systemctl is-enabled tdx-update-features.timer)" = disabled ]
	[ -z "$(find "$root"/etc/{systemd,udev} -name '*tdx*')" ]
	# No upgrade may start the unit that updates at boot again.
	fails grep tdx-update-boot "$root"/var/lib/dpkg/info/tdx-update.{postinst,prerm}
}

# completed WORD...: prints what bash offers for the last word, sorted, on one line.
completed() {
	# shellcheck disable=SC2016 # expanded by the other shell
	on bash -euc '
		source /usr/share/bash-completion/completions/tdx-update
		cd /tmp/images
		COMP_WORDS=(tdx-update "$@") COMP_CWORD=$#
		_tdx_update
		printf "%s\n" "${COMPREPLY[@]}" | sort | xargs' bash "$@"
	[ "$(complete_function)" = _tdx_update ]
}

# Prints the function that bash calls for completion.
complete_function() {
	on bash -euc 'source /usr/share/bash-completion/completions/tdx-update
		complete -p tdx-update' | awk '{ print $3 }'
}

completes() {
	local words wanted

	mkdir -p "$root/tmp/images/older"
	touch "$root/tmp/images/tdx_module_1.5.26.blob"
	while IFS='|' read -r words wanted; do
		# A trailing space means that the last word is empty.
		[[ $words != *' ' ]] || words+="''"
		eval "words=($words)"
		# shellcheck disable=SC2128 # for who reads the log
		echo "$words: $wanted"
		# shellcheck disable=SC2178 # words is the list above
		[ "$(completed "${words[@]}")" = "$wanted" ]
	done <<-'END'
	a|apply
	''|--help --version apply check explain help history list pin reference status
	status --|--json --nfd --prometheus
	apply --rec|--recovery --recursive
	apply tdx|tdx_module_1.5.26.blob
	apply --latest |older
	apply --recovery a|auto
	apply --recovery tdx|tdx_module_1.5.26.blob
	apply --wait |
	list o|older
	pin --c|--clear
	pin --running |older
	pin tdx|tdx_module_1.5.26.blob
	check t|tdx_module_1.5.26.blob
	explain update-r|update-race
	explain lo|lost
	frobnicate |
	END
	rm -r "$root/tmp/images"
}

# Only the module's source is on the host.
sources_only() {
	[ "$(find "$root/usr/src/tdx-update-$version" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort |
		xargs)" = "Kbuild dkms.conf include src" ]
	[ -z "$(find "$root"/usr/src/tdx-update-* "$root/var/lib/dkms" -name '*emu*' -o -name 'tests')" ]
}

# The hardware test's package has its files, DKMS has built its module, and its program finds its
# libraries. Nothing of it runs by itself.
hwtest_installed() {
	local file

	apt install "$top/$debs"/tdx-update-hwtest_*.deb
	on dkms status -k "$release" | grep "^tdx-update-hwtest/$version, $release, x86_64: installed"
	file=$(on modinfo -k "$release" -n tdx_hwtest)
	[[ $file == /lib/modules/$release/updates/dkms/tdx_hwtest.ko* ]]
	on modinfo -k "$release" -F signer tdx_hwtest | grep -i 'dkms module signing key'
	on dpkg-query -L tdx-update-hwtest | grep -v '^/usr/share/tdx-update-hwtest/' | while read -r path; do
		[ -d "$root$path" ] || echo "$path"
	done | grep -v "^/usr/src/tdx-update-hwtest-$version/" | sort | diff - <(
		cat <<-END
		/usr/lib/tdx-update-hwtest/tdx-update-hwtest-td
		/usr/sbin/tdx-update-hwtest
		/usr/share/doc/tdx-update-hwtest/changelog.gz
		/usr/share/doc/tdx-update-hwtest/copyright
		/usr/share/doc/tdx-update-hwtest/firmware.md.gz
		/usr/share/doc/tdx-update-hwtest/hardware.md.gz
		/usr/share/lintian/overrides/tdx-update-hwtest
		/usr/share/man/man8/tdx-update-hwtest.8.gz
		END
	)
	[ "$(on tdx-update-hwtest --version)" = "tdx-update-hwtest $version" ]
	on tdx-update-hwtest --help | grep '^Stages, in this order'
	on tdx-update-hwtest facts | grep -P '^not reached\trace-refused\t'
	status=0
	on /usr/lib/tdx-update-hwtest/tdx-update-hwtest-td 0 || status=$?
	[ "$status" = 64 ]
}

hwtest_purged() {
	apt purge tdx-update-hwtest
	find "$root"/{usr,etc,boot,var/lib} -xdev -name '*tdx[-_]*hwtest*' >"$out/traces"
	cat "$out/traces"
	[ ! -s "$out/traces" ]
	installed "$version" "$release"
}

upgrade() {
	apt install "$top/$next_debs"/tdx-update{,-dkms}_*.deb
	installed "$next" "$release"
	[ "$(on tdx-update --version)" = "tdx-update $next" ]
	[ -z "$(find "$root/usr/src" "$root/var/lib/dkms" -name "tdx-update-$version" -o \
		-name "$version")" ]
	[ "$(on dkms status | wc -l)" = 1 ]
}

# The kernel's package scripts have dkms build the module. Its packages come from apt's cache.
new_kernel() {
	apt --no-download install "linux-image-$second" "linux-headers-$second"
	installed "$next" "$second"
	installed "$next" "$release"
}

# dkms skips a kernel that the module does not support, until the administrator allows it in the
# file that docs/kernels.md names. Debian 12's dkms also makes the kernel's package fail, as
# docs/kernels.md says. Should this check fail, that page may be out of date.
not_for_this_kernel() {
	local conf=$root/etc/dkms/tdx-update.conf hook=/etc/kernel/postinst.d/dkms

	on dkms uninstall "tdx-update/$next" -k "$release"
	on dkms unbuild "tdx-update/$next" -k "$release"
	echo 'BUILD_EXCLUSIVE_KERNEL="^9\."' >"$conf"
	if [[ $dkms == 3.0.* ]]; then
		fails on $hook "$release"
	else
		on $hook "$release"
	fi
	fails installed "$next" "$release"
	echo 'BUILD_EXCLUSIVE_KERNEL="^[1-9]"' >"$conf"
	on $hook "$release"
	rm "$conf"
	installed "$next" "$release"
}

purge() {
	rm -f "$root/etc/dkms/tdx-update.conf"
	echo 'version = 1.5.26' >"$root/etc/tdx-update.conf"
	on systemctl enable tdx-update-boot.service
	apt purge tdx-update tdx-update-dkms
	no_traces
}

packages() {
	# shellcheck disable=SC2016 # dpkg-query's variable
	on dpkg-query -Wf '${Package}\n' | sort
}

# Without the packages that came with the second kernel, the system is the same as before.
as_before() {
	packages >"$out/packages.after"
	# shellcheck disable=SC2046 # a list of packages
	apt purge $(comm -13 "$out/packages.before" "$out/packages.after")
	paths >"$out/after"
	diff "$out/before" "$out/after"
}

# Runs a command with a uname that prints the release of the system's kernel.
as_running() {
	printf '#!/bin/sh\n[ "$*" != -r ] || exec echo %s\nexec /usr/bin/uname "$@"\n' "$release" \
		>"$root/tmp/uname"
	chmod 755 "$root/tmp/uname"
	on env -C "$top" PATH=/tmp:/usr/sbin:/usr/bin "$@"
}

make_install() {
	as_running make dkms-install
	installed "$version" "$release"
	sources_only
	# Install again, as after a change of the source.
	as_running make dkms-install
	installed "$version" "$release"
}

make_uninstall() {
	as_running make dkms-uninstall
	no_traces
	paths >"$out/after"
	diff "$out/before" "$out/after"
}

# Runs what autopkgtest-pkg-dkms of debian/control runs in Debian's testbeds. That takes the package
# from an archive.
autopkgtest() {
	mkdir "$root/tmp/archive"
	cp "$debs"/*.deb "$root/tmp/archive/"
	on env -C /tmp/archive dpkg-scanpackages . >"$root/tmp/archive/Packages"
	echo "deb [trusted=yes] file:/tmp/archive ./" >"$root/etc/apt/sources.list.d/archive.list"
	apt update -o Dir::Etc::sourcelist=sources.list.d/archive.list -o Dir::Etc::sourceparts=- \
		-o APT::Get::List-Cleanup=0
	on env -C /tmp /usr/lib/dkms/dkms-autopkgtest tdx-update-dkms >"$out/autopkgtest.log" 2>&1 ||
		{ cat "$out/autopkgtest.log"; false; }
	grep "^I: PASS .*$release" "$out/autopkgtest.log"
}

# --- the guests -----------------------------------------------------------------------------------

# Builds the emulator, its TD client and a stand-in for KVM for the guest's kernel. No package has
# them, and cloud kernels have no KVM.
guest_modules() {
	on "$top/scripts/modules.sh" "/lib/modules/$release/build" "$top/$out/modules" tests/emu \
		tests/td tests/packages/kvm
}

# sign KEY CERTIFICATE MODULE: signs a module with the kernel's own tool. KEY and CERTIFICATE are
# paths on the system, MODULE is one in this tree.
sign() {
	on "/lib/modules/$release/build/scripts/sign-file" sha256 "$1" "$2" "$top/$3"
}

# Makes a copy of the system, as hard links, with the modules, images and scripts of the tests.
guest_root() {
	local guest=$out/guest
	local updates=$guest/usr/lib/modules/$release/updates test=$guest/opt/test module

	rm -rf "$guest"
	cp -al "$root" "$guest"
	rm -rf "$guest/var/cache/apt" "$guest/var/lib/apt/lists"
	mkdir -p "$test/modules"
	for module in emu/tdx_emu td/tdx_td packages/kvm/kvm-intel; do
		cp "$out/modules/tests/$module.ko" "$updates/"
		sign /var/lib/dkms/mok.key /var/lib/dkms/mok.pub "$updates/${module##*/}.ko"
	done
	cp "$out/modules/tdx_update.ko" "$test/modules/unsigned.ko"
	cp "$out/modules/tdx_update.ko" "$test/modules/foreign.ko"
	openssl req -new -x509 -nodes -days 36500 -subj "/CN=not of this machine" -newkey rsa:2048 \
		-keyout "$out/foreign.key" -outform DER -out "$out/foreign.pub"
	sign "$top/$out/foreign.key" "$top/$out/foreign.pub" "$test/modules/foreign.ko"
	on depmod -b "$top/$guest" "$release"
	mkdir -p "$test/images/bad"
	cp build/images/{signer,{same,a,v2,b}.blob} "$test/images/"
	cp build/images/{bad-hash,b}.blob "$test/images/bad/"
	cp "$here"/{guest,host,pinned,tdx}.sh "$out"/plan.* "$test/"
	pinned_units
	cat >"$guest/etc/systemd/system/guest-test.service" <<-END
	[Unit]
	Description=Test of tdx-update
	[Service]
	# When all else has started.
	Type=idle
	ExecStart=/bin/sh /opt/test/guest.sh /opt/test
	END
	mkdir -p "$guest/etc/systemd/system/multi-user.target.wants"
	ln -sf ../guest-test.service -t "$guest/etc/systemd/system/multi-user.target.wants"
	# Figures from before the boot.
	mkdir -p "$guest/var/lib/prometheus/node-exporter"
	echo 'tdx_up stale' >"$guest/var/lib/prometheus/node-exporter/tdx.prom"
	on systemctl --root "$top/$guest" enable tdx-update-metrics.timer
	# A guest with a machine ID is past its first boot, when systemd applies presets to units.
	on systemd-machine-id-setup --root="$top/$guest"
	# fleet.sh logs in by SSH.
	rm -rf "$out/ssh"
	mkdir -p "$out/ssh"
	on ssh-keygen -q -t ed25519 -N '' -C fleet.sh -f "$top/$out/ssh/key"
	sed 's/^/guest /' "$root"/etc/ssh/ssh_host_ed25519_key.pub >"$out/ssh/known_hosts"
	install -D -m 600 "$out/ssh/key.pub" "$guest/root/.ssh/authorized_keys"
	printf '[Match]\nType=ether\n[Network]\nDHCP=yes\n' \
		>"$guest/etc/systemd/network/80-ether.network"
	on systemctl --root "$top/$guest" enable systemd-networkd.service
	on systemctl --root "$top/$guest" disable systemd-networkd-wait-online.service
	# No one logs in on a terminal. Everything else is as installed.
	ln -sf /dev/null "$guest/etc/systemd/system/serial-getty@.service"
	ln -sf /dev/null "$guest/etc/systemd/system/getty@.service"
}

# Enables the unit that updates at boot, with stand-ins for what starts VMs. The kernel's command
# line names the image that is pinned.
pinned_units() {
	local units=$out/guest/etc/systemd/system unit condition=ConditionKernelCommandLine=guest.pin

	cat >"$units/test-pin.service" <<-END
	[Unit]
	Description=Pins what the command line names
	$condition
	Before=tdx-update-boot.service
	[Service]
	Type=oneshot
	ExecStart=/bin/sh /opt/test/pinned.sh pin
	[Install]
	WantedBy=multi-user.target
	END
	for unit in libvirtd kubelet virtqemud; do
		cat >"$units/$unit.service" <<-END
		[Unit]
		Description=Stand-in for $unit
		$condition
		[Service]
		Type=oneshot
		RemainAfterExit=yes
		ExecStart=/bin/sh /opt/test/pinned.sh started $unit
		[Install]
		WantedBy=multi-user.target
		END
	done
	# A client that comes before anything else starts the third one through its socket.
	cat >"$units/virtqemud.socket" <<-END
	[Unit]
	$condition
	[Socket]
	ListenStream=127.0.0.1:16509
	[Install]
	WantedBy=sockets.target
	END
	cat >"$units/test-client.service" <<-END
	[Unit]
	Description=Client of the stand-in for virtqemud
	$condition
	After=virtqemud.socket
	Before=test-pin.service
	[Service]
	Type=oneshot
	ExecStart=/bin/bash -c 'exec 3<>/dev/tcp/127.0.0.1/16509'
	[Install]
	WantedBy=multi-user.target
	END
	on systemctl --root "$top/$out/guest" enable test-pin.service test-client.service \
		libvirtd.service kubelet.service virtqemud.socket tdx-update-boot.service
}

guest_disk() {
	rm -f "$out/disk.img"
	mke2fs -q -t ext4 -L guest -O ^has_journal -d "$out/guest" "$out/disk.img" 2g
	rm -rf "$out/guest"
}

# Makes what a machine with Secure Boot boots from: firmware with Microsoft's keys, Debian's shim
# and boot loader, and DKMS's key where "mokutil --import" and the next boot put it.
secure_boot_disk() {
	local firmware=$out/firmware esp=$out/esp.img cert=$root/var/lib/dkms/mok.pub
	local ovmf=/usr/share/OVMF uuid=6d3c5b8e-3a0b-4a64-9d5f-5f3f3a1f6d21 tools

	tools=$(scripts/root.sh trixie python3-virt-firmware)
	mkdir -p "$firmware"
	openssl x509 -inform DER -in "$cert" -out "$firmware/mok.pem"
	cp $ovmf/OVMF_CODE_4M.secboot.fd "$firmware/code.fd"
	cp $ovmf/OVMF_VARS_4M.ms.fd "$firmware/ms.fd"
	scripts/root.sh --in "$tools" virt-fw-vars -i "$top/$firmware/ms.fd" \
		--add-mok "$uuid" "$top/$firmware/mok.pem" -o "$top/$firmware/vars.fd"

	cat >"$out/grub.cfg" <<-END
	linux /vmlinuz root=LABEL=guest rw console=ttyS0 loglevel=7 panic=-1 panic_on_warn=1 \\
		oops=panic mitigations=off random.trust_cpu=on no_timer_check guest.plan=signing
	initrd /initrd.img
	boot
	END
	rm -f "$esp"
	truncate -s 128M "$esp"
	mformat -i "$esp" -F ::
	mmd -i "$esp" ::/EFI ::/EFI/BOOT ::/EFI/debian
	mcopy -i "$esp" "$out/efi/usr/lib/shim/shimx64.efi.signed" ::/EFI/BOOT/BOOTX64.EFI
	mcopy -i "$esp" "$out/efi/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed" \
		::/EFI/BOOT/grubx64.efi
	mcopy -i "$esp" "$out/grub.cfg" ::/EFI/debian/grub.cfg
	mcopy -i "$esp" "$root/boot/vmlinuz-$release" ::/vmlinuz
	mcopy -i "$esp" "$root/boot/initrd.img-$release" ::/initrd.img
}

# --- the run --------------------------------------------------------------------------------------

tests/packages/base.sh "$suite"
second=$(cat "$out/second-kernel")
say "copying the root file system"
mkdir -p "$logs"
rm -rf "$root"
cp -a --reflink=auto "$out/base" "$root"
release=$(ls "$root/usr/lib/modules")
version=$(version_in "$debs")
next=$(version_in "$next_debs")
printf '%s\n' systemd_is_up pinned_at_boot loaded_at_boot figures_at_boot timer_writes_figures \
	not_loaded_without_tdx module_found no_seam unit_verifies unit_fails_without_module module_loads \
	hwtest_looks update_works unit_waits_and_installs unit_fails_by_name journal_has_who_and_what \
	rule_verifies rule_writes_figures rule_writes_labels \
	rule_passes_over_a_linked_directory rule_tells_of_recovery rule_tells_of_shut_down \
	unit_brings_tdx_back pinned_unit_is_bounded rule_tells_of_loss \
	rule_tells_that_it_is_unloaded >"$out/plan.update"
printf '%s\n' systemd_is_up told_that_it_is_over unloads >"$out/plan.fleet"
printf '%s\n' boots_with_a_bad_pin >"$out/plan.pinned"
printf '%s\n' secure_boot_on unsigned_refused foreign_key_refused dkms_key_loads \
	>"$out/plan.signing"

dkms=$(on dkms --version | sed 's/^dkms-//')
say "kernel $release, dkms $dkms, second kernel ${second:-none}"
paths >"$out/before"
packages >"$out/packages.before"
check "apt installs the package, DKMS builds and signs the module" install_by_apt
check "only the module's source is on the host" sources_only
check "the command, its pages, units, rule and examples are there, no unit is enabled" command_installed
check "bash completes it" completes
check "apt installs the hardware test, DKMS builds its module" hwtest_installed

check "emulator and client build for the guest" guest_modules
check "a system disk with them and the tests" guest_root
check "as a file" guest_disk
check "apt purge leaves nothing of the hardware test, and the rest as it was" hwtest_purged
tdx_host="root=LABEL=guest rw kvm_intel.tdx=1 tdx_update.signer=$(<build/images/signer)"
boot update update --kernel "$root/boot/vmlinuz-$release" --initrd "$root/boot/initrd.img-$release" \
	--append "$tdx_host guest.plan=update guest.pin=1.5.26:v2.blob modules_load=tdx_emu,kvm_intel"
boot pinned pinned --kernel "$root/boot/vmlinuz-$release" --initrd "$root/boot/initrd.img-$release" \
	--append "$tdx_host guest.plan=pinned guest.pin=1.5.27:bad/bad-hash.blob modules_load=tdx_emu"
check "a machine with Secure Boot and DKMS's key" secure_boot_disk
boot signing signing --firmware "$out/firmware" --disk "$out/esp.img"

check "apt upgrades it, the old version is gone" upgrade
if [ -n "$second" ]; then
	check "a new kernel gets its module as it is installed" new_kernel
else
	skip "a new kernel gets its module as it is installed" "the archive has one kernel only"
fi
check "a kernel it is not for is passed over until told otherwise" not_for_this_kernel
check "apt purge leaves nothing of it" purge
check "the system is what it was" as_before
check "make dkms-install" make_install
check "make dkms-uninstall leaves nothing of it" make_uninstall
check "Debian's own test of a dkms package" autopkgtest
booted update "${pids[0]}"
booted pinned "${pids[1]}"
booted signing "${pids[2]}"
pids=()
sum
