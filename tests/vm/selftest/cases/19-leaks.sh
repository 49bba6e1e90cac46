#!/bin/sh
# Unloads a module that leaks memory of kmalloc() and vmalloc().
# SMP: 1
. /tests/lib.sh
expect_ok modprobe misbehave what=leak
expect_ok rmmod misbehave
