#!/bin/sh
# Installs what building, testing and the demonstration need and this machine lacks: Debian packages,
# without questions. Run as root, or where sudo works. Does nothing when all is there.
set -eu

packages='gcc pkg-config meson ninja-build python3 openssl procps dovecot-pop3d
    libssl-dev libgsasl-dev libidn2-dev libunistring-dev
    libsqlite3-dev libinih-dev libjansson-dev libedit-dev scdoc
    libcmocka-dev python3-pytest'

# What only the checks need: a demonstration does without it.
if [ "${1:-}" != demo ]; then
    packages="$packages clang libclang-rt-14-dev clang-format doxygen valgrind g++ binutils abigail-tools
        python3-dev python3-dbg libpython3.11-testsuite python3-mesonpy python3-pip
        dovecot-gssapi krb5-kdc krb5-admin-server krb5-user"
fi

# What `make coverage` and `make analyze` need.
if [ "${1:-}" = analysis ]; then
    packages="$packages lcov clang-tidy cppcheck"
fi

missing=''
for package in $packages; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=''
if [ "$(id -u)" != 0 ]; then
    as_root=$(command -v sudo) || {
        echo "missing packages, and neither root nor sudo:$missing" >&2
        exit 1
    }
fi
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086 # the lists are lists of words
{
    $as_root apt-get update -qq
    $as_root apt-get install -y -qq --no-install-recommends $missing
} >&2
