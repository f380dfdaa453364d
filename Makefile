# Plain `make` prints the targets. `make run` and `make test` set up what they
# need (scripts/setup says what it installs) and build what is missing.

ARCH     ?= x86_64
# A board with an image of its own, in place of ARCH and LOADER.
BOARD    ?=
PAYLOAD  ?= regress
# A WebAssembly program to run in place of a payload, and its arguments.
WASM     ?=
ARGS     ?=
LOADER   ?= uefi
BUILD    := build
PACKAGES := regress bootstrap agents accept
ARCHES   := x86_64 aarch64

# What is built is where these rules look for it, whatever the user's
# environment says; flags of theirs would change what is booted.
export CARGO_TARGET_DIR := $(CURDIR)/target
unexport RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET CARGO_BUILD_RUSTFLAGS

# Wrong words are refused here, before anything is built.
known = $(if $(filter $($(1)),$(2)),,$(error $(1)=$($(1)) is not known; give one of: $(2)))
$(call known,ARCH,$(ARCHES))
$(call known,PAYLOAD,$(PACKAGES))
$(call known,LOADER,uefi direct limine)
ifneq ($(BOARD),)
$(call known,BOARD,rpi4)
override ARCH := aarch64
override LOADER := card
endif
ifeq ($(ARCH)-$(LOADER),x86_64-direct)
$(error LOADER=direct is for ARCH=aarch64 only)
endif
ifeq ($(LOADER)$(LIMINE_DIR),limine)
$(error LOADER=limine needs LIMINE_DIR=FOLDER, a binary release of Limine 8.0 or later)
endif
ifneq ($(LIMINE_DIR),)
ifneq ($(shell test -e '$(LIMINE_DIR)/BOOTX64.EFI' && echo there),there)
$(error LIMINE_DIR=$(LIMINE_DIR) holds no binary release of Limine: BOOTX64.EFI and BOOTAA64.EFI are not there)
endif
endif

# Cargo uses all processors, and two rules may build the same in two ways.
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help setup check test test-host test-qemu test-long fuzz run hosted image build kernel loader direct payloads programs keys helio fmt clippy clean

help:
	@echo 'Heliograph: a microkernel that can show a stranger what it did.'
	@echo
	@echo '  make run         boot in QEMU, run a payload, collect and verify its log'
	@echo '                   ARCH=x86_64|aarch64, or BOARD=rpi4  PAYLOAD=$(subst $() ,|,$(PACKAGES))'
	@echo '                   LOADER=uefi|direct|limine (limine: with LIMINE_DIR=folder)'
	@echo '                   KERNEL_FEATURES= (a kernel without the shell, whatever heliograph.toml says)'
	@echo '                   WASM=program.wasm, with ARGS="its arguments": a WASI program in its place'
	@echo '  make hosted      the same payload on this machine, without QEMU'
	@echo '  make test        everything CI runs: host tests, both architectures in QEMU, lints'
	@echo '  make check       the quick part of it: formatting, lints, host tests'
	@echo '  make test-long   what takes longer than make test may'
	@echo '  make fuzz        the fuzz targets, FUZZ_SECONDS=60 each; TARGET=name for one of them'
	@echo '  make image       build/ARCH/boot-LOADER.img, to boot elsewhere; LOADER as above'
	@echo '                   BOARD=rpi4 FIRMWARE=folder: build/rpi4/card.img'
	@echo '  make build       kernel, loader, payloads and the helio command, not run'
	@echo '  make setup       install compiler, linker, QEMU and firmware, no more'
	@echo '  make clean       remove what was built'

# ---- tools: chosen once, kept in a file that make includes ----------------

TOOLS := $(BUILD)/tools.mk
ifneq ($(filter-out help clean,$(MAKECMDGOALS)),)
include $(TOOLS)
endif

$(TOOLS): scripts/setup rust-toolchain.toml
	@scripts/setup $@

setup: $(TOOLS)

# ---- building --------------------------------------------------------------

# The flags for cargo are in crates/helio/src/build/cargo.rs, and nowhere else.
FEATURES       = $(if $(filter undefined,$(origin KERNEL_FEATURES)),,--features '$(KERNEL_FEATURES)')
BUILD_PART     = $(HELIO) build --keys $(KEYS) --output $(BUILD)
BUILD_KERNEL   = $(BUILD_PART) kernel --target $(1) $(FEATURES)
BUILD_LOADER   = $(BUILD_PART) loader --target $(1)
BUILD_DIRECT   = $(BUILD_PART) direct --target aarch64
BUILD_PAYLOADS = $(BUILD_PART) payloads
HELIO := target/debug/helio
KEYS  := $(BUILD)/keys
FORCE:

# What takes long shows how far it is, where somebody looks.
QUIET := $(shell [ -t 2 ] || echo --quiet)

say = @printf 'make: %s\n' "$(1)" >&2

helio: $(TOOLS)
	$(call say,building the helio command)
	@cargo build $(QUIET) --locked -p helio

keys: helio
	@$(HELIO) keys init --dir $(KEYS) >/dev/null

$(BUILD)/%/kernel.elf: helio FORCE
	@$(call BUILD_KERNEL,$*) >/dev/null

$(BUILD)/%/loader.efi: keys FORCE
	@$(call BUILD_LOADER,$*) >/dev/null

$(BUILD)/aarch64/direct.img: helio FORCE
	@$(BUILD_DIRECT) >/dev/null

payloads: keys
	@$(BUILD_PAYLOADS) >/dev/null
	@mkdir -p $(BUILD)/packages
	@for name in $(PACKAGES); do \
	    $(HELIO) pack payload/$$name/package.toml -o $(BUILD)/packages/$$name.rvf --key $(KEYS)/operator.pem >/dev/null || exit 1; \
	done

# Programs that others wrote, for the tests. Where their compiler or source
# cannot be had, those tests are left out.
PROGRAMS := $(BUILD)/programs
programs: $(PROGRAMS)/built

$(PROGRAMS)/built: scripts/programs scripts/wasi-linker $(wildcard tests/programs/* tests/programs/*/* tests/programs/*/src/*) $(TOOLS)
	$(call say,building programs that others wrote)
	@scripts/programs $(PROGRAMS)

# What a way to boot needs beside the kernel.
WITH_uefi   := $(BUILD)/$(ARCH)/loader.efi
WITH_direct := $(BUILD)/aarch64/direct.img
WITH_card   := $(WITH_direct)
BOOT         = $(BUILD)/$(ARCH)/kernel.elf $(WITH_$(LOADER))

build: helio payloads $(foreach arch,$(ARCHES),$(BUILD)/$(arch)/kernel.elf $(BUILD)/$(arch)/loader.efi) $(WITH_direct)
kernel: $(BUILD)/$(ARCH)/kernel.elf
loader: $(BUILD)/$(ARCH)/loader.efi
direct: $(BUILD)/aarch64/direct.img

# ---- running ---------------------------------------------------------------

LIMINE := $(if $(LIMINE_DIR),--limine-dir '$(LIMINE_DIR)')

# What is run: a payload's package, or a program with its arguments.
ifeq ($(WASM),)
SUBJECT := --package $(BUILD)/packages/$(PAYLOAD).rvf
RUNNABLE := payloads
else
SUBJECT := --package '$(WASM)'
ARGUMENTS := $(if $(ARGS),-- $(ARGS))
RUNNABLE := keys
endif

run: helio $(RUNNABLE) $(BOOT)
	@$(HELIO) run --arch $(ARCH) --boot $(LOADER) $(LIMINE) $(SUBJECT) --out $(BUILD)/run/$(or $(BOARD),$(ARCH)) $(RUNFLAGS) $(ARGUMENTS)

hosted: helio $(RUNNABLE)
	@$(HELIO) run --hosted $(SUBJECT) --out $(BUILD)/run/hosted $(RUNFLAGS) $(ARGUMENTS)

# For a board, FIRMWARE=folder has what makes the card boot there.
CARD = $(BUILD)/$(BOARD)/card.img

image: helio payloads $(BOOT)
ifneq ($(BOARD),)
	@rm -f $(CARD) && mkdir -p $(dir $(CARD))
	@$(HELIO) flash --target $(BOARD) $(if $(FIRMWARE),--firmware $(FIRMWARE)) --package $(BUILD)/packages/$(PAYLOAD).rvf --to $(CARD)
else
	@$(HELIO) image --arch $(ARCH) --loader $(LOADER) $(LIMINE) --package $(BUILD)/packages/$(PAYLOAD).rvf -o $(BUILD)/$(ARCH)/boot-$(LOADER).img
endif

# ---- testing ---------------------------------------------------------------

fmt: $(TOOLS)
	@cargo fmt --all --check

# What is built for other targets is looked at while it is built, see
# scripts/lint-beside; what was built without that is built once more.
clippy: keys
	@grep -ls '^not looked at: ' target/*/*/lints/* | while read -r file; do \
	    touch -c "$$(sed -n 's/^not looked at: //p' "$$file")"; rm "$$file"; \
	done
	@HELIOGRAPH_LINT=yes $(MAKE) --no-print-directory build
	$(call say,clippy)
	@cargo clippy --quiet --locked --all-targets --features integration/qemu -- -D warnings
	@cargo clippy --quiet --locked -p kernel --lib --tests -- -D warnings
	@if grep -h . target/*/*/lints/*; then echo "make: clippy objects to the above in what is built for other targets" >&2; exit 1; fi

check: fmt clippy test-host

# The acceptance run and the agents are tests of built packages.
test-host: payloads programs
	$(call say,tests on the host)
	@cargo test --quiet --locked
	@cargo test --quiet --locked -p kernel --lib
	$(call say,that the gate can neither panic nor allocate)
	@$(PANIC_FREE) || { echo "make: the gate can panic or allocate: the functions above say where" >&2; exit 1; }
	@if $(PANIC_FREE) --features broken 2>/dev/null; then echo "make: a planted panic was not found" >&2; exit 1; fi

PANIC_FREE := cargo build --quiet --locked --profile panic-free -p panic-free

# Each test with the time it took: an unstable option, so the test program, and
# nothing else, is told that it may.
TIMED     := --config 'target."cfg(unix)".runner=["env","RUSTC_BOOTSTRAP=1"]'
TEST_QEMU := cargo test --quiet --locked -p integration --features qemu --test qemu $(TIMED) -- --test-threads=2 --format=pretty -Zunstable-options --report-time

test-qemu: build programs
	$(call say,tests in QEMU on both architectures)
	@qemu-system-aarch64 -machine help | grep -q raspi4b || echo "make: SKIPPED: the tests of a Raspberry Pi 4, for QEMU is older than 9" >&2
	@$(TEST_QEMU)

test: check test-qemu

test-long: test
	$(call say,long tests on the host)
	@cargo test --quiet --locked --tests -- --ignored
	$(call say,long tests in QEMU)
	@$(TEST_QEMU) --ignored

# ---- fuzzing ---------------------------------------------------------------

# `make test` feeds every target its corpus and a few seconds of mutations. This
# goes on: by libFuzzer, which is C++ and goes where new code is reached, or
# without a C++ compiler by mutations with another seed. New inputs are kept in
# build/fuzz; one that fails belongs into fuzz/corpus once it is mended.
FUZZ_SECONDS ?= 60
FUZZ_TARGETS := $(sort $(notdir $(wildcard fuzz/corpus/*)))
ifneq ($(TARGET),)
$(call known,TARGET,$(FUZZ_TARGETS))
endif
COVERAGE  := -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares
LIBFUZZER := RUSTFLAGS='$(COVERAGE)' cargo run --quiet --locked --profile fuzz --target host-tuple -p fuzz --features libfuzzer --

fuzz: $(TOOLS)
	$(call say,building the fuzz targets)
	@if ! command -v c++ >/dev/null; then \
	    FUZZ_SEED=$$(date +%s) FUZZ_SECONDS=$(FUZZ_SECONDS) cargo test --quiet --locked --profile fuzz -p fuzz --test corpus -- --nocapture --exact $(TARGET); \
	    exit; \
	fi; \
	for target in $(or $(TARGET),$(FUZZ_TARGETS)); do \
	    mkdir -p $(BUILD)/fuzz/$$target && \
	    FUZZ_TARGET=$$target $(LIBFUZZER) -max_total_time=$(FUZZ_SECONDS) -timeout=30 -print_final_stats=1 -verbosity=0 \
	        -artifact_prefix=$(BUILD)/fuzz/$$target-crash- $(BUILD)/fuzz/$$target fuzz/corpus/$$target || exit; \
	done

clean:
	@rm -rf $(BUILD) target
