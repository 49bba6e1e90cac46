#!/bin/sh
# A command that does not exist; the shell would go on.
# SMP: 1
. /tests/lib.sh
no_such_command "the answer" 42 41
