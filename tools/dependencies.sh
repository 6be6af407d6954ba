#!/bin/sh
# Installs missing Debian packages that are needed for building and testing, without questions: as root, or with sudo.
#     dependencies.sh [demo | processor [ARCHITECTURE] | analysis | machines]
# demo: only for the demonstration and the plain build; processor: for tools/check-arch.sh, with cross-building for
# ARCHITECTURE (dpkg --add-architecture) if it is given; analysis: also for `make coverage` and `make analyze`; machines:
# for tools/fresh-machine.sh. If this release lacks a package that only some tests need, it is named with the tests that
# are skipped; any other missing package is an error.
set -eu

# The name behind a package that only depends on the release's version of it: `behind clang 'clang-[0-9]*'`.
behind() {
    LC_ALL=C apt-cache depends "$1" 2>/dev/null | sed -n "s/^ *Depends: \($2\)$/\1/p" | head -n 1
}

required() {
    if [ "$1" = machines ]; then
        echo mmdebstrap arch-test
        return
    fi
    echo gcc pkg-config meson ninja-build python3 openssl procps dovecot-pop3d dovecot-lmtpd dovecot-imapd scdoc \
        python3-pytest
    for library in ssl gsasl idn2 unistring sqlite3 inih jansson curl4-openssl edit seccomp cmocka; do
        echo "lib$library-dev${across:+:$across}"
    done
    [ -z "$across" ] || echo "crossbuild-essential-$across"
    [ "$1" = demo ] || echo dovecot-gssapi krb5-kdc krb5-admin-server krb5-user
    case $1 in demo | processor) ;; *) echo g++ binutils python3-dev ;; esac
    [ "$1" != analysis ] || echo lcov clang-tidy cppcheck
}

# A line each: the package (several names where releases differ, the first that there is counts), and what is
# skipped without it.
optional() {
    case $1 in demo | processor | machines) return ;; esac
    compiler=$(behind clang 'clang-[0-9]*')
    python=$(behind python3 'python3\.[0-9]*')
    echo "clang: the fuzz targets under libFuzzer"
    echo "libclang-rt-dev lib${compiler:-clang}-dev libclang-rt-${compiler#clang-}-dev: the fuzz targets under libFuzzer"
    echo "libuv1-dev: client-loops in libuv"
    echo "libevent-dev: client-loops in libevent"
    echo "zlib1g-dev: consumers-pkg-config, consumers-cmake"
    echo "libzstd-dev: consumers-pkg-config, consumers-cmake"
    echo "cmake: consumers-cmake"
    echo "libsecret-1-dev: tokens in the desktop's keyring, token-keyring"
    echo "dbus-daemon: token-keyring"
    echo "python3-jeepney: token-keyring"
    echo "libqrencode-dev: the QR codes of pop3 authorize"
    echo "dovecot-sieve: command-lmtp, what its filter drops"
    echo "clang-format: format"
    echo "doxygen: documentation"
    echo "valgrind: the tests under valgrind"
    echo "strace: command-power"
    echo "abigail-tools: abi"
    echo "python3-dbg: python-leaks-debug"
    echo "lib${python:-python3}-testsuite: cpython-test-poplib, python-memory"
    echo "python3-mesonpy: python-package"
    echo "python3-uvloop: python-aio under uvloop"
    echo "mypy: python-types"
    echo "python3-pip: python-package"
}

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

is_available() {
    LC_ALL=C apt-cache policy "$1" 2>/dev/null | grep -q '^ *Candidate: [^(]'
}

# Sets `wanted` to the required packages that are missing, `extra` to the optional ones that are missing and
# can be had, and `lacking` to what is said about those that can't.
examine() {
    wanted='' extra='' lacking=''
    for package in $(required "$purpose"); do
        is_installed "$package" || wanted="$wanted $package"
    done
    optional "$purpose" >"$table"
    while IFS=: read -r names cost; do
        choice=''
        for package in $names; do
            if is_installed "$package"; then
                choice=installed
                break
            fi
            [ -n "$choice" ] || ! is_available "$package" || choice=$package
        done
        case $choice in
        installed) ;;
        '') lacking="$lacking${names%% *} is not in this release: skipped is$cost
" ;;
        *) extra="$extra $choice" ;;
        esac
    done <"$table"
}

purpose=${1:-checks} across=${2:-}
table=$(mktemp)
trap 'rm -f "$table"' EXIT
examine
[ -n "$wanted$extra$lacking" ] || exit 0

as_root=''
if [ "$(id -u)" != 0 ] && ! as_root=$(command -v sudo); then
    [ -z "$extra$lacking" ] || echo "without root or sudo, left out:$extra" >&2
    [ -n "$wanted" ] || exit 0
    echo "missing packages, and neither root nor sudo:$wanted" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
# Only what is lacking: no need to ask again, unless nothing is known of what there is.
if [ -n "$wanted$extra" ] || ! is_available meson; then
    $as_root apt-get update -qq >&2
    examine
fi
if [ -n "$wanted$extra" ]; then
    echo "installing:$wanted$extra"
    # shellcheck disable=SC2086 # lists of words
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $wanted $extra >&2
fi
printf '%s' "$lacking"
