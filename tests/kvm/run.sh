#!/bin/bash
# `make check-kvm`: runs updates while KVM guests run, on CPUs that have VMX. Boots the cases in
# Bochs and sums up the results.
#
#	TEST=part of a case's name	KERNEL=name, see scripts/kernel.sh --kvm (the first)
#	SHORT=1 3 updates a case instead of 20, 1000 NMIs instead of 5000
#
# Cases with "# BOOT: kexec" have a boot of their own. After the others comes the control: the case
# "updates", and "linux" if it ran, with tdx_update built without VMPTRLD. The control passes only
# if these fail because the guests broke. On 7.3 an update by mainline's own driver has to break
# them, too (control/mainline.sh). Each counts as a case. The last line is "N passed, N failed, N
# skipped".
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
cd "$top"

out=build/check-kvm

# shellcheck source=tests/vm/sum.sh
. tests/vm/sum.sh

KERNEL=${KERNEL:-$(scripts/kernel.sh --kvm | head -n 1)}
scripts/kernel.sh --kvm | grep -qFx -e "$KERNEL" ||
	usage "no kernel $KERNEL; there are: $(scripts/kernel.sh --kvm | xargs)"
cases=() kexec=()
for file in "$here"/cases/*"${TEST:-}"*.sh; do
	name=$(basename "$file" .sh)
	if grep -qx '# BOOT: kexec' "$file" 2>/dev/null; then
		kexec+=("$name")
	elif [ -e "$file" ]; then
		cases+=("$name")
	fi
done
[ $((${#cases[@]} + ${#kexec[@]})) -gt 0 ] ||
	usage "no case in tests/kvm/cases has '${TEST:-}' in its name"
run_alone "$out"

# --- what the boots need --------------------------------------------------------------------------

# Builds tdx_update.ko without VMPTRLD from a changed copy of the sources, and prints its path.
build_control() {
	local dir=$out/control-$KVER source

	rm -rf "$dir"
	mkdir -p "$dir"
	cp -r Kbuild dkms.conf include src "$dir/"
	source=$dir/src/seamcall.c
	sed -i 's/^\tif (pa != VMX_NO_CURRENT_VMCS && !vmptrld(pa))$/\tif (0 \&\& !vmptrld(pa))/' "$source"
	[ "$(diff src/seamcall.c "$source" | grep -c '^>')" = 1 ] ||
		die "src/seamcall.c no longer has the line that the control is made of"
	scripts/root.sh --in "$BUILD_ROOT" make -s -j"$(nproc)" -C "$KDIR" \
		M="$(realpath "$dir")" modules 2>&1 |
		{ grep -v '^Skipping BTF generation' || true; } >&2
	echo "$dir/tdx_update.ko"
}

has_linux() {
	[[ " ${cases[*]} " == *" linux "* ]]
}

# build_linux DIR: makes the kernel and the initramfs of the KVM guest in the case "linux".
build_linux() (
	mkdir -p "$1"
	assignments=$(scripts/kernel.sh "$(scripts/kernel.sh --tiny)")
	eval "$assignments"
	tests/kvm/image.sh "$KROOT/boot/vmlinuz-$KVER" "$1/kernel"
	env -u MAKEFLAGS make -s build/kvm/linux-init
	cp build/kvm/linux-init "$1/init"
	(cd "$1" && echo init | cpio --quiet -o -H newc -R 0:0 >initrd)
)

scripts/deps.sh build kvm
assignments=$(scripts/kernel.sh "$KERNEL")
eval "$assignments"
export KERNEL KVER KROOT KDIR BUILD_ROOT MAKE_ARGS

echo "Building modules and images for $KVER"
built=$(tests/vm/build.sh demo) || die "the build failed"
# Only files that the cases use: Bochs takes more than a second for a megabyte.
mapfile -t guest < <(grep -E '/((tdx_(update|emu|td|nmi)|mainline_tdx)\.ko|guests)$' <<<"$built")
for file in a.blob b.blob same.blob bad-signer.blob signer; do
	guest+=("build/images/$file=/lib/firmware/test/$file")
done
guest+=("$here/kvm.sh=/tests/kvm.sh")
if [[ " ${cases[*]} " == *" hwtest "* ]]; then
	mapfile -t -O ${#guest[@]} guest < <(grep -E \
		'/tdx_hwtest\.ko$|=/sbin/(tdx-update|jq|flock)$|=/tests/hwtest/(lib|tdx-update-hwtest)$' <<<"$built")
fi
if has_linux; then
	build_linux "$out/linux"
	guest+=("$out/linux/kernel=/linux/kernel" "$out/linux/initrd=/linux/initrd")
fi
broken=$(build_control) || die "the control cannot be built"

# --- boot, judge ----------------------------------------------------------------------------------

dir=$out/$KERNEL
rm -rf "$dir" "$dir-kexec"
mkdir -p "$dir" "$dir-kexec"
printf '%s\n' "${cases[@]}" >"$dir/plan"
printf '%s\n' "${kexec[@]}" >"$dir-kexec/plan"
MODULES=kvm-intel tests/vm/initramfs.sh "$out/$KERNEL.cpio" "${guest[@]}" \
	"$here/cases=/tests/cases" "$here/control=/tests/control" \
	"$dir/plan=/tests/plans/cases" "$dir-kexec/plan=/tests/plans/kexec"
# Files that replace or add to those: tdx_update for the control, which installs it later, and KVM
# without its table for ftrace. With the table some kernels look each function up among all symbols
# of the module, which takes as long in Bochs as the whole boot.
over=$dir/root
mkdir -p "$over/control"
cp "$broken" "$over/control/"
(cd "$KROOT" && find "lib/modules/$KVER/kernel/arch/x86/kvm" -name 'kvm.ko*' -o -name 'kvm-int*') |
	while read -r module; do
		mkdir -p "$over/$(dirname "$module")"
		pack=cat unpack=cat
		[[ $module != *.xz ]] || pack="xz -c -0 --check=crc32" unpack="xz -dc"
		$unpack <"$KROOT/$module" >"$dir/module"
		objcopy -R __mcount_loc -R .rela__mcount_loc "$dir/module"
		$pack <"$dir/module" >"$over/$module"
	done
(cd "$over" && find . | cpio --quiet -o -H newc -R 0:0) >>"$out/$KERNEL.cpio"

# boot PLAN DIR INITRD WORDS: boots these cases. The guest's clock counts instructions, so its
# measurements do not depend on the host's speed. Only the timeout does.
boot() {
	tests/kvm/boot.sh --kernel "$KROOT/boot/vmlinuz-$KVER" --initrd "$3" --dir "$2" \
		--timeout "${BOOT_TIMEOUT:-3600}" --append "panic_on_warn=1 guest.plan=$1 \
		guest.case_timeout=600 ${SHORT:+guest.short=1} $4" </dev/null 8>&- &
	pids[$!]=bochs
	wait $! || die "could not boot: $(tail -n 3 "$2/screen.log" 2>/dev/null)"
	pids=()
}

# judged DIR: judges a boot and adds its cases up.
judged() {
	local p f s seconds

	tests/vm/judge.sh "$1" || true
	grep -E '^# (NMIs |a guest stood)' "$1/ktap.log" || true
	read -r p f s <"$1/result"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	read -r _ seconds <"$1/exit"
	echo "Ended   $KERNEL: $p passed, $f failed, $s skipped, in $seconds s"
}

if [ ${#kexec[@]} -gt 0 ]; then
	echo "Booting $KERNEL, 2 CPUs with VMX and a kexec: ${#kexec[@]} cases"
	tests/vm/kexec.sh "$out/$KERNEL-kexec.cpio" "$out/$KERNEL.cpio"
	# It takes long to load and to unpack a kernel on such a slow CPU.
	boot kexec "$dir-kexec" "$out/$KERNEL-kexec.cpio" nowatchdog
	mv "$dir-kexec/work.log" "$dir-kexec/ktap.log"
	judged "$dir-kexec"
fi
[ ${#cases[@]} -gt 0 ] || exit $((failed > 0))

echo "Booting $KERNEL, 2 CPUs with VMX: ${#cases[@]} cases, and the control"
boot cases "$dir" "$out/$KERNEL.cpio" guest.script=/tests/control/run.sh

# Separate the logs of the cases and of the control at the marks that control/run.sh has printed.
mark='^control begins$'
tr -d '\r\0' <"$dir/work.log" >"$dir/ktap.all"
sed "/$mark/,\$d" "$dir/ktap.all" >"$dir/ktap.log"
sed "1,/$mark/d" "$dir/ktap.all" >"$dir/control.log"
mv "$dir/console.log" "$dir/console.all"
sed '/test: control begins/,/test: control ends/d' "$dir/console.all" >"$dir/console.log"

judged "$dir"

# Prints why the control has not failed as it must, one reason a line.
wrong() {
	local log=$dir/control.log

	grep -q 'test: control ends' "$dir/console.all" || echo "it did not come to its end"
	grep -q '^not ok 1 updates$' "$log" || echo "the case did not fail"
	grep -q '^# cpu=.* end=fail-entry-' "$log" ||
		echo "no guest ended with KVM_EXIT_FAIL_ENTRY"
	if has_linux; then
		grep -q '^not ok 2 linux$' "$log" || echo "the case with Linux did not fail"
		grep -q '^# cpu=.* init=.* end=fail-entry-' "$log" ||
			echo "Linux did not end with KVM_EXIT_FAIL_ENTRY"
	fi
	! grep -E '^# (errno of|last/result of)' "$log" || echo "the update itself failed"
}

wrong=$(wrong)
if [ -z "$wrong" ]; then
	passed=$((passed + 1))
	broken=$(sed -n 's/^# \(cpu=[0-9]* nr=[0-9]*\) .* end=fail-entry-.*/\1/p' "$dir/control.log" |
		sort -u)
	echo "The control's updates succeeded, and broke $(wc -l <<<"$broken") guests"
else
	failed=$((failed + 1))
	printf 'not ok control\n%s\n' "$wrong"
	sed 's/^/    | /' "$dir/control.log"
fi
# On kernels with mainline's driver: its own control.
if [[ ${guest[*]} == *mainline_tdx.ko* ]]; then
	if grep -q '^ok 1 mainline$' "$dir/control.log"; then
		passed=$((passed + 1))
		echo "Mainline's driver updated, and broke the guests; on a CPU with the erratum it hid"
	else
		failed=$((failed + 1))
		echo "not ok control/mainline"
		sed '/^not ok 1 mainline/q; s/^/    | /' "$dir/control.log"
	fi
fi
[ "$failed" = 0 ]
