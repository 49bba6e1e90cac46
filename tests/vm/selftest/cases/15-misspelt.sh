#!/bin/sh
# Calls a command that does not exist. A shell alone would go on.
# SMP: 1
. /tests/lib.sh
no_such_command "the answer" 42 41
