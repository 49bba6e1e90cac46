#!/bin/sh
# What `make demo` shows holds, and it shows a verdict for each TD whenever it lists them.
# SANITIZERS: no
# KERNEL: any
. /tests/lib.sh
setup_none
sh /tests/demo.sh >"$TMP/demo" 2>&1
expect_match "its end" '^All of it held' "$(cat "$TMP/demo")"
expect "TDs listed" 9 "$(grep -c '^id=' "$TMP/demo")"
expect "those with a verdict" 9 "$(grep -c '^id=.* verdict=[a-z-]' "$TMP/demo")"
