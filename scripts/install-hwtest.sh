#!/bin/bash
# Installs the hardware test for its package: the command, the program that builds a TD, what judges
# the evidence, the man page, and the source of tdx_hwtest.ko for DKMS.
#
#	DESTDIR= scripts/install-hwtest.sh
#
# The module's dkms.conf is tdx_update's with other names, as it supports the same kernels. It goes
# to build/hwtest/, from where dh_dkms installs it.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top"

version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
share=/usr/share/tdx-update-hwtest
td=/usr/lib/tdx-update-hwtest/tdx-update-hwtest-td
source=${DESTDIR:-}/usr/src/tdx-update-hwtest-$version

install -D -m 755 hwtest/tdx-update-hwtest "${DESTDIR:-}/usr/sbin/tdx-update-hwtest"
sed -i "s|@LIB@|$share|; s|@TD@|$td|" "${DESTDIR:-}/usr/sbin/tdx-update-hwtest"
install -D -m 755 build/hwtest/td "${DESTDIR:-}$td"
install -D -m 644 -t "${DESTDIR:-}$share" hwtest/lib/*
echo "$version" >"${DESTDIR:-}$share/version"
install -D -m 644 -t "${DESTDIR:-}/usr/share/man/man8" docs/man/tdx-update-hwtest.8

install -D -m 644 -t "$source/hwtest" hwtest/Kbuild hwtest/*.c
install -D -m 644 -t "$source/src" src/seamcall.c
install -D -m 644 -t "$source/include" include/*.h
echo 'obj-m := hwtest/' >"$source/Kbuild"
mkdir -p build/hwtest
sed -e 's/^PACKAGE_NAME=.*/PACKAGE_NAME="tdx-update-hwtest"/' \
	-e 's/^BUILT_MODULE_NAME\[0\]=.*/BUILT_MODULE_NAME[0]="tdx_hwtest"/' dkms.conf >build/hwtest/dkms.conf
echo 'BUILT_MODULE_LOCATION[0]="hwtest/"' >>build/hwtest/dkms.conf
