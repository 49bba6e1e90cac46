#!/bin/sh
# A module that leaves memory behind, of both kinds.
# SMP: 1
. /tests/lib.sh
expect_ok modprobe misbehave what=leak
expect_ok rmmod misbehave
