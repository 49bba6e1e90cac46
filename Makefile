# Entry points; scripts/ and tests/ do the work. `make help` lists them. Kbuild and DKMS build the
# module with the file Kbuild and do not need this one.

KDIR ?= /lib/modules/$(shell uname -r)/build
# kernel.release does not do: in Debian's headers it has the upstream version.
UTSRELEASE = $(KDIR)/include/generated/utsrelease.h
KRELEASE = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(UTSRELEASE) 2>/dev/null)

# Debian's users do not have depmod, modinfo and modprobe in their PATH.
export PATH := $(PATH):/usr/sbin:/sbin

modules:	## build tdx_update.ko for the running kernel or KDIR=, in build/modules/
	@scripts/modules.sh "$(KDIR)" "build/modules/$(KRELEASE)"
	@echo "build/modules/$(KRELEASE)/tdx_update.ko"

tool: build/tool/tdx-update
tool:		## build the operator's command, build/tool/tdx-update

install: build/tool/tdx-update
install:	## install command, man pages, completion, examples: PREFIX=, DESTDIR=
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" scripts/install.sh install

uninstall:	## remove what "make install" has installed: PREFIX=, DESTDIR=
	@PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" scripts/install.sh uninstall

demo:		## show in a guest: an update refused for a race, an update with TDs alive
	@tests/vm/demo.sh

try:		## open a shell in a guest with emulator, TDs, images and command: KERNEL=
	@tests/vm/demo.sh try

check:		## run the tests in guests: TEST=part of a name, SMP=, KERNEL=, KEEP=1: shell
	@tests/vm/run.sh --settings
	@scripts/deps.sh build
	@scripts/kernel.sh $(KERNEL) >/dev/null
	@tests/pure/unit.sh
	@tests/pure/signer.sh
	@tests/tool/unit.sh
	@tests/tool/reference.sh
	@tests/hwtest/unit.sh
	@tests/vm/run.sh

check-all:	## run the tests on every kernel that Debian packages: KERNEL=, TEST=, SMP=
	@tests/vm/all.sh all

check-debug:	## run them with sanitizers (kernels are built once): KERNEL=, TEST=, SMP=
	@tests/vm/all.sh built

check-kvm:	## update under KVM guests in Bochs, which has VMX: TEST=, KERNEL=, SHORT=1
	@tests/kvm/run.sh

check-tdx:	## update below a kernel that builds TDs itself, in software emulation: TEST=
	@tests/tdx/run.sh

check-hwtest:	## kill and stop each stage of tdx-update-hwtest at each of its steps: TEST=
	@tests/hwtest/kills.sh

coverage:	## show which lines of src/ no case reaches, and why: TEST=, SMP=
	@tests/coverage/run.sh

mutants:	## put changed images through the checks in user space: none unsigned may pass
	@tests/pure/mutants.sh

oracle:		## judge checks and emulator again: IMAGES=50000, SEQUENCES=10000, SEED=1
	@tests/oracle/run.sh

mutate:		## break the sources in single places: FILE=, LINE=, IN=user|guest, SAMPLE=N
	@tests/mutate/run.sh

fuzz:		## run libFuzzer on container, sigstruct and plan: SECONDS=600
	@tests/pure/fuzz.sh $(SECONDS)

model:		## check the rendezvous of up to 4 LPs in every order (spin, herd7): DEEP=1
	@tests/model/litmus.sh
	@tests/model/run.sh

proof:		## prove image.c and plan.c for every file and platform with CBMC: MUTANTS=all
	@tests/proof/run.sh

soak:		## update for MINUTES=30 while everything else goes on, on 4 and 8 CPUs
	@tests/soak/run.sh $(MINUTES)

bench:		## measure our blackouts and mainline's on simulated clocks: DOCS=1 for docs/
	@tests/bench/run.sh

compare:	## make mainline's driver and ours fail alike: writes docs/comparison.md
	@tests/bench/compare.sh

recording:	## record the demo's terminal as an animation: docs/demo.svg
	@scripts/recording.sh

lint:		## run compiler checks, sparse, checkpatch, shellcheck, codespell, own rules
	@scripts/lint.sh

dkms-install:	## install this version through DKMS for the running kernel
	@scripts/dkms.sh install

dkms-uninstall:	## remove every version from DKMS, for every kernel
	@scripts/dkms.sh uninstall

deb:		## build Debian packages in build/deb/VERSION/, and check them with lintian
	@scripts/deb.sh

rpm:		## build RPM packages in build/rpm/VERSION/, and check them with rpmlint
	@scripts/rpm.sh

dist:		## pack the release archive and its bill of materials (SPDX), in build/dist/
	@scripts/dist.sh
	@scripts/sbom.sh

check-packages:	## test archive, RPM and Debian packages, in guests, as root: SUITE=bookworm
	@tests/packages/run.sh

clean:		## remove build results; kernels, roots and downloads stay in build/
	rm -rf $(filter-out $(addprefix build/,kernels kernels-built roots packages checkpatch),$(wildcard build/*))

help:		## print this list
	@sed -n 's/^\([a-z-]*\):\t*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 24

PURE_CFLAGS = -g -O1 -Wall -Wextra -Werror -fsanitize=address,undefined -fno-sanitize-recover=all \
	      -Iinclude -Itests/pure -Itool
PURE_HEADERS = include/tdx_arch.h include/core.h tool/kernel_string.h $(wildcard tests/pure/*.h)

build/pure/plan_test: tests/pure/plan_test.c src/image.c src/plan.c $(PURE_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(PURE_CFLAGS) -o $@ $(filter %.c,$^)

build/pure/image_test: tests/pure/image_test.c src/image.c $(PURE_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(PURE_CFLAGS) -o $@ $(filter %.c,$^)

build/pure/mutants: tests/pure/mutants.c tests/pure/user_verify.c src/image.c src/plan.c $(PURE_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(PURE_CFLAGS) -o $@ $(filter %.c,$^) -lcrypto

build/pure/fuzz: tests/pure/fuzz.c src/image.c src/plan.c $(PURE_HEADERS)
	@mkdir -p $(@D)
	clang $(PURE_CFLAGS) -Wno-c2x-extensions -fsanitize=fuzzer -o $@ $(filter %.c,$^)

build/pure/seed: tests/pure/fuzz.c src/image.c src/plan.c $(PURE_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(PURE_CFLAGS) -DSEEDS -o $@ $(filter %.c,$^)

# The functions in the oracle's tables have one type, and not all of them use every parameter.
ORACLE_CFLAGS = $(PURE_CFLAGS) -Wno-unused-parameter -Itests/oracle
ORACLE_SOURCES = tests/oracle/rules.c tests/oracle/images.c tests/oracle/situations.c
ORACLE_HEADERS = $(wildcard tests/oracle/*.h tests/oracle/guest/*.h)

build/oracle/judge: tests/oracle/judge.c tests/oracle/expect.c $(ORACLE_SOURCES) \
		    tests/pure/user_verify.c src/image.c src/plan.c $(ORACLE_HEADERS) $(PURE_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(ORACLE_CFLAGS) -o $@ $(filter %.c,$^) -lcrypto

build/oracle/sequences: tests/oracle/sequences.c tests/oracle/machine.c $(ORACLE_SOURCES) \
			$(ORACLE_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(ORACLE_CFLAGS) -o $@ $(filter %.c,$^) -lcrypto

build/oracle/replay: tests/oracle/guest/replay.c tests/oracle/guest/format.h
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -Werror -o $@ $<

# The command shares the kernel module's result table, and the code that reads and judges images.
WERROR = -Werror
TOOL_CFLAGS = -Wall -Wextra $(WERROR) -Wno-format-truncation -Iinclude -Itool -Ibuild/tool \
	      -DTDX_UPDATE_VERSION='"$(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)"'

build/tool/runbook.inc: docs/runbook.md tool/runbook.awk
	@mkdir -p $(@D)
	@awk -f tool/runbook.awk $< >$@ || { rm $@; false; }

build/tool/tdx-update: $(wildcard tool/*.[ch]) src/image.c src/plan.c include/tdx_arch.h include/core.h \
		       build/tool/runbook.inc dkms.conf
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(or $(CFLAGS),-O2 -g) $(TOOL_CFLAGS) $(LDFLAGS) -o $@ $(filter %.c,$^) \
		-lcrypto -ljansson

HWTEST_TD = hwtest/td/main.c hwtest/td/memory.c hwtest/td/guest.S

build/hwtest/td: $(HWTEST_TD) $(wildcard hwtest/td/*.h)
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(or $(CFLAGS),-O2 -g) -Wall -Wextra $(WERROR) $(LDFLAGS) -o $@ $(HWTEST_TD) -lcrypto

build/hwtest/kvm.so: tests/hwtest/kvm.c tests/hwtest/cpu.c tests/hwtest/kvm.h hwtest/td/kvm_tdx.h
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -Werror -shared -fPIC -o $@ $(filter %.c,$^) -lcrypto

build/kvm/guests: tests/kvm/guests.c tests/kvm/linux.c tests/kvm/guests.h
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -Werror -pthread -o $@ $(filter %.c,$^)

build/kvm/linux-init: tests/kvm/linux-init.c
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -Werror -ffreestanding -fno-stack-protector -fno-pie -no-pie \
		-mno-sse -static -nostdlib -s -o $@ $<

build/tdx/vmm: tests/tdx/vmm.c hwtest/td/memory.c hwtest/td/guest.S $(wildcard hwtest/td/*.h) \
		tests/emu/tdx_emu_guest.h
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -Werror -Ihwtest/td -Itests/emu -o $@ $(filter %.c %.S,$^) -lcrypto

build/bench/clock.so: tests/bench/plugin/clock.c tests/bench/plugin/qemu_plugin.h
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -Wno-unused-parameter -Werror -shared -fPIC -fvisibility=hidden -o $@ $<

build/tools/%: tests/tools/%.c include/tdx_arch.h tests/emu/tdx_emu_abi.h
	@mkdir -p $(@D)
	$(CC) -O2 -Wall -Wextra -Werror -Iinclude -Itests/emu -o $@ $< -lcrypto

.PHONY: modules tool install uninstall demo try check check-all check-debug check-kvm \
	check-tdx check-hwtest coverage mutants oracle mutate fuzz bench compare soak model \
	proof recording lint dkms-install dkms-uninstall deb rpm dist check-packages clean \
	help
