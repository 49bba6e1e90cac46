#!/bin/sh
# Hangs, and so does its child.
# SMP: 1
. /tests/lib.sh
sleep 1000 &
sleep 1000
