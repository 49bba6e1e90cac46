# Entry points, one line each; what they do is in scripts/ and tests/. `make help` lists them.
# The module's own build is Kbuild's (see there): this file is not needed for it.

KDIR ?= /lib/modules/$(shell uname -r)/build
# Not kernel.release: Debian's headers have the upstream version there.
UTSRELEASE = $(KDIR)/include/generated/utsrelease.h
KRELEASE = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(UTSRELEASE) 2>/dev/null)

modules:	## build tdx_update.ko for the running kernel or KDIR=, in build/modules/
	@scripts/modules.sh "$(KDIR)" "build/modules/$(KRELEASE)"
	@echo "build/modules/$(KRELEASE)/tdx_update.ko"

demo:		## in a guest, from nothing: a refused race, an update with TDs alive
	@tests/vm/demo.sh

check:		## the tests, in guests: TEST=part of a name, SMP=, KERNEL=, KEEP=1 for a shell
	@tests/vm/run.sh

lint:		## compiler warnings, sparse, checkpatch, shellcheck, spelling, rules of the tree
	@scripts/lint.sh

dkms-install:	## install this version through DKMS for the running kernel
	@scripts/dkms.sh install

dkms-uninstall:	## and remove it again, for every kernel
	@scripts/dkms.sh uninstall

clean:		## remove what was built; what was downloaded stays (rm -rf build removes that too)
	rm -rf $(filter-out build/kernels build/checkpatch,$(wildcard build/*))

help:		## this list
	@sed -n 's/^\([a-z-]*\):\t*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

build/tools/%: tests/tools/%.c include/tdx_arch.h tests/emu/tdx_emu_abi.h
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -Werror -Iinclude -Itests/emu -o $@ $< -lcrypto

.PHONY: modules demo check lint dkms-install dkms-uninstall clean help
