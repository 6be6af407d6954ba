# `make` builds, `make check` runs every test, `make demo` retrieves mail from a real server; the latter two install
# missing packages. Everything else is Meson: see meson.build.
BUILD ?= build
MESON ?= meson
JOBS := $(shell nproc 2>/dev/null || echo 2)

.PHONY: all check interop interop-oauth power demo bench bench-full bench-build fuzz install clean format dependencies wheels
.PHONY: uninstall dist deb sbom check-packages
.PHONY: check-gmail fresh check-musl check-arch demo-dependencies docs coverage analyze abi faults hostile

all: $(BUILD)/build.ninja
	ninja -C $(BUILD) -j $(JOBS)

$(BUILD)/build.ninja:
	$(MESON) setup $(BUILD)

check: dependencies
	tools/check.py $(CHECK_OPTIONS)

demo: demo-dependencies
	@test -f $(BUILD)/build.ninja || $(MESON) setup $(BUILD)
	@ninja -C $(BUILD) -j $(JOBS) src/cli/pop3 examples/print_mailbox tests/server/pop3-testserver
	@tools/demo.sh $(BUILD)

# The demonstration and every test on fresh machines: Debian 12 and 13 (root, or sudo).
fresh:
	tools/fresh.sh

# Delivery to a real Gmail mailbox, GMAIL, with an access token in TOKEN_FILE (tests/interop/check_gmail.py).
check-gmail: dependencies
	@test -n "$(GMAIL)" -a -n "$(TOKEN_FILE)" || { echo "make check-gmail GMAIL=me@gmail.com TOKEN_FILE=FILE"; exit 2; }
	@test -f $(BUILD)/build.ninja || $(MESON) setup $(BUILD)
	@ninja -C $(BUILD) -j $(JOBS) tests/sync/pop3-crash tests/server/pop3-testserver
	@tests/interop/check_gmail.py "$(GMAIL)" "$(TOKEN_FILE)"

# Speed and memory compared with other programs (docs/records/performance.md): the short form in three minutes, or the
# full one in an hour, which writes docs/records.
bench: bench-build
	bench/run.py --build $(BUILD)

bench-full: bench-build
	bench/run.py --build $(BUILD) --full --output docs/records

bench-build:
	@tools/bench-dependencies.sh
	@test -f $(BUILD)/build.ninja || $(MESON) setup $(BUILD)
	@ninja -C $(BUILD) -j $(JOBS)

# The tests on i386, arm64 and s390x, each in a fresh system (docs/records/platforms.md); as root.
# CHECK_ARCH_OPTIONS=--command also tests the whole command, which takes hours under emulation.
check-arch:
	tools/check-arch.sh $(CHECK_ARCH_OPTIONS)

dependencies:
	@tools/dependencies.sh

demo-dependencies:
	@tools/dependencies.sh demo

# The core and the client without TLS, built with musl instead of glibc, and their tests.
check-musl:
	tools/check-musl.sh

# Each fuzz target for a minute, or FUZZ_SECONDS; new inputs are kept in build-fuzz/corpus.
FUZZ_SECONDS ?= 60
fuzz: dependencies
	@test -f build-fuzz/build.ninja || $(MESON) setup build-fuzz -Dfuzz=true
	ninja -C build-fuzz -j $(JOBS) fuzzers
	FUZZ_SECONDS=$(FUZZ_SECONDS) $(MESON) test -C build-fuzz --no-rebuild --verbose --num-processes 1 --suite libfuzzer

# Which lines and branches the tests reach; the report is build-coverage/report/index.html.
coverage: dependencies
	@tools/dependencies.sh analysis
	tools/coverage.sh

# Static analysis of all rooms.
analyze: dependencies
	@tools/dependencies.sh analysis
	tools/analyze.sh

# Checks that the headers are compatible with the recorded interface (part of `make check`).
abi: dependencies
	tools/abi.sh

# Power cuts: states that a file system may have after a cut, constructed from recorded runs (strace), and the runs after
# them, which may be cut as well. Ten times as many as in `make check`.
POWER_STATES ?= 2000
power: all
	POWER_STATES=$(POWER_STATES) $(MESON) test -C $(BUILD) command-power --timeout-multiplier 100 --verbose

# Real servers (popa3d, solid-pop3d, Mailutils, Courier, Cyrus, tcllib, Twisted, Dovecot, Perdition, nginx), each in
# fresh systems of Debian 12 and 13, with the command, the library, cpoplib and poplib: docs/guide/servers.md.
interop:
	tools/interop.sh

# `pop3 authorize` in each of its forms, then `pop3 sync`, with a real authorization server (oidc-provider, by npm), a
# real browser and Dovecot. Skipped if they are not available.
interop-oauth: all
	tools/interop-oauth.sh

# The catalogue of hostile servers against the library, cpoplib, and every subcommand in every form.
hostile: all
	HOSTILE_ALL=1 $(MESON) test -C $(BUILD) --suite hostile --timeout-multiplier 10

# Every single call fails once; `make check` fails only every Nth allocation.
faults: all
	FAULT_STRIDE=1 $(MESON) test -C $(BUILD) --suite faults --timeout-multiplier 20

# Installs a separate release build without tests in PREFIX, below DESTDIR if that is set.
PREFIX ?= /usr/local
INSTALL_BUILD := build-install
install:
	@test -f $(INSTALL_BUILD)/build.ninja || $(MESON) setup $(INSTALL_BUILD) --buildtype=release -Dwerror=false \
	    -Dtests=false -Dexamples=false
	$(MESON) configure $(INSTALL_BUILD) --prefix=$(abspath $(PREFIX))
	ninja -C $(INSTALL_BUILD) -j $(JOBS)
	DESTDIR=$(DESTDIR) $(MESON) install -C $(INSTALL_BUILD) --no-rebuild
	@test -n "$(DESTDIR)" || test "$$(id -u)" != 0 || ldconfig

uninstall:
	ninja -C $(INSTALL_BUILD) uninstall

# The source as a tarball that builds without git.
dist:
	tools/dist.sh

# An sdist of cpoplib, and from it a wheel for each interpreter in PYTHONS.
PYTHONS ?= /usr/bin/python3
wheels:
	tools/make-wheels.py $(PYTHONS)

# The Debian packages, in build-deb.
deb:
	tools/make-deb.sh

# The SBOM of the source tarball (SPDX).
sbom:
	tools/sbom.py

# The packages on fresh Debian 12 and 13 machines, in a quarter of an hour; with root or sudo.
check-packages:
	tools/check-packages.sh

# The API reference, in build-docs.
docs:
	tools/check-documentation.sh

format:
	clang-format -i $$(git ls-files '*.[ch]')

clean:
	rm -rf $(BUILD) build-* demo
