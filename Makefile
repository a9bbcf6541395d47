# SPDX-License-Identifier: GPL-2.0-only
#
# "make help" says what there is. Everything is built in a root file system of
# its own (tools/testing/vm/rootfs), where this file is read a second time.

OUT := build
O := $(abspath $(OUT))
export SVA_BUILD := $(O)
VM := tools/testing/vm
prefix ?= /usr
# The debug kernel is this many times slower.
SLOWER ?= 5

builds := all modules lib tests tools bench-programs fuzzer pack pack-demo staging
runs := demo test shell bench fuzz
debug-runs := test-debug shell-debug fuzz-debug

.PHONY: $(builds) $(runs) $(debug-runs) test-debug-some test-kcsan test-valgrind \
	coverage check qemu check-qemu mutations help clean update install FORCE
.DEFAULT_GOAL := all

Q := $(if $(V),,@)

ifeq ($(SVA_INSIDE)$(KDIR),)

# ----- outside: enter the build root

export KERNEL V

export SVA_QEMU = $(wildcard $(O)/qemu-system-x86_64)

# Two builds at once would step on each other; two runs need not.
enter = $(2) env MAKEFLAGS= $(VM)/enter make -j$(shell nproc) --no-print-directory \
	-f Makefile $(MAKEOVERRIDES) $(1)
lock = $(VM)/host-tools && mkdir -p $(O) && flock $(O)/$(1).lock

$(builds): FORCE
	@$(call enter,$@,$(call lock,build))

check: FORCE
	@$(call enter,$@,$(call lock,check))

$(filter-out demo,$(runs)): pack
demo: pack-demo

# Without it, the tests that need it say that they are skipped.
test shell: qemu
qemu: pack
	@tools/testing/qemu/build $(O) || rm -f $(O)/qemu-system-x86_64
# QEMU's own test of what our patches change
check-qemu: qemu
	@$(VM)/enter tools/testing/qemu/check $(O)
# What our tests do not see is no reason to believe them.
mutations: pack
	@tools/testing/qemu/mutate $(O) $(T)
$(runs):
	@$(call enter,run-$@)

# The same with the debug kernel. What is built for it has its own place.
debug = $(VM)/host-tools && SVA_KERNEL=$$(tools/testing/debug/kernel $(2)) && \
	export SVA_KERNEL SVA_SLOWER=$(SLOWER) && $(1) $(MAKE) --no-print-directory
# There the longest test programs take more than their share.
$(debug-runs):
	@$(call debug) $(@:%-debug=%) OUT=$(OUT)/debug-build LIMIT=$(or $(LIMIT),480)

# What a quarter of an hour is enough for: what needs that kernel (units, failing
# allocations, the misc cgroup), chance, and whatever happens at once.
debug-some := bond_fault bond_storm fuzz_ioctl iova_async kunit_suites nested_storm \
	pasid_stress quota_misc quota_process quota_tree race_pairs vfio_fail viommu_*
test-debug-some:
	@$(MAKE) --no-print-directory test-debug T='$(debug-some)' LIMIT=240

# Where several threads or CPUs meet, on a kernel that looks for data races.
kcsan-some := as_context bond_attach bond_fault bond_group bond_life bond_storm \
	fault_queue fdinfo_* fuzz_ioctl invalidate_* iova_* list_* nested_* pasid_free \
	pasid_stress pasidfd_attach pasidfd_revoke pasidfd_share quota_[!s]* race_pairs \
	sim_* trace_events vfio_container_sim vfio_revoke vfio_sim_* viommu_*
test-kcsan:
	@$(call debug,,kcsan) test OUT=$(OUT)/kcsan-build T='$(or $(T),$(kcsan-some))' \
		LIMIT=$(or $(LIMIT),240) MACHINE=$(or $(MACHINE),plain)

# libsva and the command, for what they do with memory. Some tests run the command a
# hundred times.
test-valgrind: SLOWER := 10
test-valgrind:
	@SVA_SLOWER=$(SLOWER) $(MAKE) --no-print-directory test OUT=$(OUT)/valgrind-build \
		T='$(or $(T),lib_* tool_* doctor*)' LIMIT=240 APPEND="SVA_VALGRIND=1 $(APPEND)"

# The report is also about tests that failed. What earlier runs have counted goes,
# unless there is to be more of the same.
coverage: SLOWER := 2
coverage:
	@$(if $(MORE),,rm -rf $(O)/coverage-build/gcov)
	@rc=0; $(call debug,SVA_COVERAGE=1,coverage) test OUT=$(OUT)/coverage-build \
		APPEND="GCOV_PREFIX=/mnt/keep/gcov $(APPEND)" || rc=$$?; \
	$(VM)/enter tools/testing/debug/coverage $(O)/coverage-build $(O)/coverage && exit $$rc

# DESTDIR is not in the build root: a copy is made there first.
install: staging
	cp -r --preserve=mode,links $(O)/staging/. $(DESTDIR)/
ifeq ($(DESTDIR),)
	depmod -a $(notdir $(wildcard $(O)/staging/usr/lib/modules/*))
	ldconfig
	systemd-sysusers
	udevadm control --reload
endif

else

# ----- inside, or with a kernel's headers named by KDIR

ifneq ($(SVA_INSIDE),)
KDIR := $(if $(SVA_KERNEL),$(SVA_KERNEL)/linux,/usr/lib/modules/$(shell cat $(SVA_ROOT)/release)/build)
KSELFTEST_DIR := $(SVA_ROOT)/linux/tools/testing/selftests
endif

CONFIG := CONFIG_SVA=m CONFIG_SVA_SIM=m
CONFIG += CONFIG_SVA_VFIO_CONTAINER=m
CONFIG += CONFIG_SVA_VFIO=m CONFIG_SVA_VFIO_PCI=m CONFIG_SVA_VFIO_SIM=m
CONFIG += $(if $(SVA_INSIDE),CONFIG_SVA_TEST_MODULES=m)
# Ours are the only files of the debug kernel that say where they have been.
ifneq ($(SVA_KERNEL),)
CONFIG += CONFIG_SVA_KUNIT_TEST=y CONFIG_SVA_MISC_CG=y KCOV_INSTRUMENT=y
endif
# For "make coverage", modules and libsva count where they have been. Tests are only
# linked with what that needs. Else, what runs on the debug kernel in user space looks
# for bugs as well: libsva, its tests, and the command.
ifneq ($(SVA_COVERAGE),)
CONFIG += GCOV_PROFILE=y
with-lib := CFLAGS="-O0 -g --coverage -fprofile-update=atomic \
	-fprofile-prefix-map=src/=$(CURDIR)/lib/libsva/src/"
with-tests := LDLIBS=-lgcov LDFLAGS="-Wl,--wrap=_exit $(CURDIR)/tools/testing/debug/gcov_exit.c"
with-tools/sva := LDFLAGS=--coverage
else ifneq ($(SVA_KERNEL),)
sanitize := -fsanitize=address,undefined -fno-sanitize-recover=all
with-lib := CFLAGS="-O1 -g $(sanitize)"
# The compiler warns of paths that are only there because of the checks.
with-tests := SANITIZE="$(sanitize) -w"
with-tools/sva := $(with-lib)
endif
# Where T names programs, the others need not be made. Else it has to do with something
# that is in one of them.
ifneq ($(T),)
with-tests += PROGRAMS="$$(set -f; $(VM)/runtests --named $(T))"
endif
quiet := $(if $(V),V=1,-s)

# Each part gets these; what it makes goes to O.
sub = $(if $(wildcard $(1)/Makefile),$(Q)$(VM)/progress "building $(1)" \
	env $(with-$(2)) $(MAKE) $(if $(V),,-s) -C $(1) O=$(O)/$(2) SRCTREE=$(CURDIR) \
	LIBSVA_DIR=$(O)/lib KSELFTEST_DIR=$(KSELFTEST_DIR),@:)

all: modules lib tests tools bench-programs fuzzer

# What another kernel or compiler has left behind is of no use.
stamp := $(O)/made-with
$(stamp): FORCE
	@mkdir -p $(O)/logs
	@echo "$(KDIR) $(SVA_ROOT)" | cmp -s - $@ || { \
		rm -rf $(addprefix $(O)/,modules lib tests kernel-tests tools bench fuzz \
			check) $(O)/pack.erofs; \
		echo "$(KDIR) $(SVA_ROOT)" >$@; }

modules: $(stamp)
	@mkdir -p $(O)/modules
	$(Q)$(VM)/progress "building modules" $(MAKE) $(quiet) -C $(KDIR) M=$(CURDIR) \
		MO=$(O)/modules $(CONFIG) modules

lib: $(stamp)
	@mkdir -p $(O)/lib
	$(call sub,lib/libsva,lib)

tests: lib
	@mkdir -p $(O)/tests
	$(call sub,tools/testing/selftests/sva,tests)
	@cd $(O)/tests && for f in *; do \
		ls $(CURDIR)/tools/testing/selftests/sva/$${f%_32}* >/dev/null 2>&1 || rm -rf "$$f"; done
	@mkdir -p $(O)/kernel-tests
	$(call sub,tools/testing/selftests/kernel,kernel-tests)

tool-dirs := $(filter-out tools/testing,$(patsubst %/Makefile,%,$(wildcard tools/*/Makefile)))
tools: $(tool-dirs:%=%/build)
$(tool-dirs:%=%/build): %/build: lib
	@mkdir -p $(O)/$*
	$(call sub,$*,$*)

bench-programs: lib
	@mkdir -p $(O)/bench
	$(call sub,tools/testing/benchmarks,bench)

fuzzer: $(stamp)
	@mkdir -p $(O)/fuzz
	$(call sub,tools/testing/fuzz,fuzz)

# The disk image that is laid over the guest's root
pack: modules lib tests tools bench-programs fuzzer
pack-demo: modules lib tools
pack pack-demo:
	@$(VM)/pack-if-changed $(O)

staging: modules lib tools
	@rm -rf $(O)/staging
	$(Q)$(VM)/install-platform $(O) $(O)/staging $(prefix)
	$(Q)set -e; for d in lib/libsva:lib $(foreach d,$(tool-dirs),$(d):$(d)); do \
		$(MAKE) -s -C $${d%:*} O=$(O)/$${d#*:} LIBSVA_DIR=$(O)/lib \
			SRCTREE=$(CURDIR) DESTDIR=$(O)/staging prefix=$(prefix) install; done

run-demo:
	@$(VM)/run --name demo -- sh /sva/guest-demo

run-test:
	@set -f; $(VM)/runtests $(if $(VMS),--vms $(VMS)) $(if $(APPEND),--append "$(APPEND)") \
		$(if $(MACHINE),--machine $(MACHINE)) $(if $(LIMIT),--limit $(LIMIT)) \
		$(if $(CPUS),--smp $(CPUS)) $(T)

run-shell:
	@$(VM)/run --name shell --shell $(if $(APPEND),--append "$(APPEND)") \
		$(if $(MACHINE),--machine $(MACHINE)) -- sh /sva/guest-shell

run-bench:
	@$(VM)/run --name bench --count -m 3G \
		--append "sva.pool_share=96 $(APPEND)" -- \
		sh /sva/guest-bench $(if $(T),$(T),$(notdir $(wildcard $(O)/bench/*)))

run-fuzz:
	@$(VM)/runfuzz $(if $(MACHINE),--machine $(MACHINE)) $(if $(SEED),--seed $(SEED)) \
		$(if $(THREADS),--threads $(THREADS)) $(if $(CALLS),--calls $(CALLS)) \
		$(if $(REPLAY),--replay $(REPLAY)) $(if $(TIMES),--times $(TIMES)) \
		$(if $(SECONDS),$(SECONDS),60)

check:
	@tools/testing/checks/run $(T)

endif

help:
	@echo 'make            build modules, library, tests and tools (into build/)'
	@echo 'make demo       boot a stock Debian kernel and show an unprivileged program'
	@echo '                sharing its memory with an accelerator'
	@echo 'make test       boot it and run the tests; T="pasid_*" names programs or,'
	@echo '                if there is no such program, single tests'
	@echo 'make test-debug make the debug kernel (10 minutes, once) and run the tests on it'
	@echo 'make test-debug-some  some of them, in a quarter of an hour'
	@echo 'make test-kcsan make another kernel, and look for data races on it'
	@echo 'make test-valgrind   libsva and the command, watched by valgrind'
	@echo 'make coverage   run the tests on a kernel that counts, and say what they reach of'
	@echo '                drivers/sva and libsva; MORE=1 adds to the last run'
	@echo 'make check      compiler warnings, sparse, checkpatch, kernel-doc, ...'
	@echo 'make check-qemu    the patched QEMU passes its own test of the IOMMU'
	@echo 'make mutations     breaks that QEMU in several ways: each must be noticed'
	@echo 'make shell      a root shell in the virtual machine, everything loaded'
	@echo 'make shell-debug  the same on the debug kernel'
	@echo 'make bench      run the benchmarks'
	@echo 'make fuzz       make calls by chance for SECONDS=60; SEED=, THREADS=, CALLS=,'
	@echo '                REPLAY=file, TIMES= as in Documentation/dev-tools/sva-debug.rst'
	@echo 'make fuzz-debug the same on the debug kernel, guided by its coverage'
	@echo 'make modules | lib | tests | tools      build only these'
	@echo 'make install    install into DESTDIR (modules for the kernel built for)'
	@echo 'make update     ask the mirror for a newer kernel now (else weekly)'
	@echo 'make clean      remove build/'
	@echo
	@echo 'KERNEL=7.2.12   build for and boot this kernel instead of the newest 7.2'
	@echo 'KDIR=directory  "make modules" against these headers with your compiler'
	@echo 'APPEND="..."    more of the guest kernel command line (sva.parameter=value)'
	@echo 'MACHINE=vtd     an Intel IOMMU in the virtual machine; "engine": one that'
	@echo '                nests, with a PCI engine behind it (a QEMU is built for it)'
	@echo 'VMS=1           number of virtual machines "make test" may use at once'
	@echo 'LIMIT=120       seconds that one test program may take'
	@echo 'CPUS=4          CPUs of a virtual machine that runs tests'
	@echo 'OUT=directory   build there, inside the checkout, instead of in build/'
	@echo 'V=1             show commands and raw test output'
	@echo 'SVA_CACHE, SVA_MIRROR, SVA_ACCEL=tcg|kvm, SVA_INSTALL=no: environment, see'
	@echo '                Documentation/dev-tools/sva-testing.rst'
	@echo
	@echo 'Logs are in build/logs.'

clean:
	rm -rf $(O)

update:
	@$(VM)/host-tools
	@$(VM)/kernel-version --update
