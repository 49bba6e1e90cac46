#!/bin/bash
# Builds a kernel from Debian's source package with the compiler of its suite.
#
#	scripts/built-kernel.sh NAME SUITE PACKAGE "CONFIG... [emu] [VARIABLE=VALUE...]"
#
# Called by kernel.sh, whose list has the arguments and whose head describes the output. Each CONFIG
# is a file of tests/vm/config; the variables are for make, such as LLVM=1. With "own:" in front one
# is for the kernel alone, not for modules that are built for it. A kernel is built again when the
# options, the variables or the version of the package have changed. The kernel itself is not
# installed, only the packages that its build needs.
#
# With emu the emulator (tests/emu) is a part of the kernel. Its sources count as an option then,
# and the build's tree stays in build/linux/NAME, so that a new emulator costs seconds only.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)

name=$1 suite=$2 package=$3 configs=() args=() own=() emu=''
for word in $4; do
	case $word in
	emu) emu=yes ;;
	own:*) own+=("${word#own:}") ;;
	*=*) args+=("$word") ;;
	*) configs+=("$word") ;;
	esac
done
# What the emulator is built of.
mapfile -t emulator < <(cd "$top" && printf '%s\n' tests/emu/Kbuild tests/emu/*.[ch] include/*.h)
kept=$top/build/kernels-built
dir=$kept/$name
work=$top/build/linux/$name

die() {
	echo "built-kernel.sh: $*" >&2
	exit 1
}

say() {
	echo "kernel $name: $*" >&2
}

# Runs a command in the suite's root, with its packages and compiler.
there() {
	"$top/scripts/root.sh" --in "$root" "$@"
}

# Prints the options for this version of the kernel.
fragment() {
	local file

	for file in "${configs[@]}"; do
		sed -n "s/^${package#linux-source-}: //; /^CONFIG_/p" "$top/tests/vm/config/$file"
	done
	echo "CONFIG_LOCALVERSION=\"-${name#*-}\""
}

# Prints the version of the package that apt knows, if any.
candidate() {
	there apt-cache show --no-all-versions "$package" 2>/dev/null | sed -n 's/^Version: //p'
}

# recipe VERSION: prints what a kernel is made of. A kernel with another recipe is out of date.
recipe() {
	echo "source $1"
	echo "config $(fragment | sort | sha256sum)${args:+ ${args[*]}}${own:+ own: ${own[*]}}"
	[ -z "$emu" ] || echo "emu $(cd "$top" && cat "${emulator[@]}" | sha256sum)"
}

# Succeeds if there is a kernel that would be the same if built today. Any version of the package
# is good if apt knows none.
fresh() {
	local version

	[ -e "$dir/made" ] || return 1
	version=$(candidate)
	[ -n "$version" ] || version=$(sed -n 's/^source //p' "$dir/made")
	[ "$(sed '/^release /d' "$dir/made")" = "$(recipe "$version")" ]
}

unpack() {
	local deb

	deb=$("$top/scripts/source.sh" "${package#linux-source-}")
	version=${deb##*/"$package"_}
	version=${version%_all.deb}
	[ -z "$emu" ] || [ "$(cat "$work/.unpacked" 2>/dev/null)" != "$version" ] || return 0
	say "unpacking ${deb##*/}"
	rm -rf "$work"
	mkdir -p "$work"
	dpkg-deb --fsys-tarfile "$deb" | tar -xO "./usr/src/$package.tar.xz" |
		tar -xJ -C "$work" --strip-components=1
	echo "$version" >"$work/.unpacked"
}

# Copies the emulator and its headers into the tree, at the distance that its Kbuild expects.
add_emulator() {
	(cd "$top" &&
		cp -u --preserve=timestamps --parents "${emulator[@]}" "$work/drivers/tdx_update")
	grep -q tdx_update "$work/drivers/Makefile" ||
		echo 'obj-y += tdx_update/tests/emu/' >>"$work/drivers/Makefile"
}

# Options that the fragment does not name are off, or have this kernel's default.
configure() {
	local refused

	# Note the recipe now: the fragment may change during the build.
	made=$(recipe "$version")
	fragment >asked.config
	there make -s "${args[@]}" KCONFIG_ALLCONFIG=asked.config allnoconfig >"$log" 2>&1 || {
		cat "$log" >&2
		exit 1
	}
	refused=$(grep -vxFf .config asked.config || true)
	[ -z "$refused" ] || die "this kernel does not take, from tests/vm/config:"$'\n'"$refused"
}

# Logs the build, which takes minutes, and shows every 30 s that it goes on.
progress() {
	local line files=0 next=$((SECONDS + 30))

	while IFS= read -r line; do
		echo "$line"
		[[ $line != "  CC "* ]] || files=$((files + 1))
		[ "$SECONDS" -lt "$next" ] || {
			say "$files files compiled, $((SECONDS - start)) s"
			next=$((SECONDS + 30))
		}
	done >"$log"
}

compile() {
	say "building (once; log: ${log#"$top"/})"
	there nice -n 10 make "${args[@]}" "${own[@]}" -j"$(nproc)" bzImage modules 2>&1 | progress || {
		tail -n 40 "$log" >&2
		die "the build failed"
	}
}

# Keeps what boots and what external modules need, of the gigabytes that a build leaves. The
# directory is renamed last, so that $dir is always complete.
keep() {
	local release

	release=$(there make -s "${args[@]}" kernelrelease)
	rm -rf "$dir.new"
	mkdir -p "$dir.new/root/boot" "$dir.new/headers"
	cp arch/x86/boot/bzImage "$dir.new/root/boot/vmlinuz-$release"
	cp .config "$dir.new/root/boot/config-$release"
	there make -s "${args[@]}" INSTALL_MOD_PATH="$dir.new/root" modules_install >>"$log" 2>&1
	rm -f "$dir.new/root/lib/modules/$release"/{build,source}
	cp -r --parents Makefile .config Module.symvers include scripts tools/objtool/objtool \
		arch/x86/Makefile* arch/x86/include "$dir.new/headers"
	# The key that signed this kernel's own modules, to sign external modules with.
	[ ! -e certs/signing_key.pem ] ||
		cp --parents certs/signing_key.{pem,x509} "$dir.new/headers"
	printf '%s\n' "$made" "release $release" >"$dir.new/made"
	rm -rf "$dir"
	mv "$dir.new" "$dir"
	[ -n "$emu" ] || rm -rf "$work"
	say "$release built in $((SECONDS - start)) s, $(du -sh "$dir" | cut -f 1)"
}

# The kernel's build must not see the variables of a make that called this script.
unset MAKEFLAGS MAKELEVEL MFLAGS

mkdir -p "$kept"
exec 9>"$kept/.lock-$name"
flock 9
root=$("$top/scripts/root.sh" "$suite")
if ! fresh; then
	start=$SECONDS
	log=$kept/$name.log
	"$top/scripts/deps.sh" kmod xz-utils
	"$top/scripts/root.sh" "$suite" kernel >/dev/null
	[[ " ${args[*]} " != *" LLVM=1 "* ]] || "$top/scripts/root.sh" "$suite" llvm >/dev/null
	unpack
	cd "$work"
	if [ -n "$emu" ]; then
		mkdir -p drivers/tdx_update
		add_emulator
	fi
	configure
	compile
	keep
fi

printf 'KERNEL=%q KVER=%q KROOT=%q KDIR=%q BUILD_ROOT=%q MAKE_ARGS=%q\n' \
	"$name" "$(sed -n 's/^release //p' "$dir/made")" "$dir/root" "$dir/headers" "$root" \
	"${args[*]}"
