#!/bin/sh
# Checks that the library's packages for i386 and amd64 can be installed beside each other and both work: each is built
# in a fresh system of its architecture, then both are installed in one and programs compiled for each.
#     check-multiarch.sh RELEASE
set -eu
cd "$(dirname "$0")/.."
release=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for architecture in amd64 i386; do
    echo "-- Debian $release: the packages for $architecture"
    # shellcheck disable=SC2016 # $DEB_... is for the machine's shell
    tools/fresh-machine.sh --share "$work" "$release" "$architecture" -- sh -euc '
        export DEBIAN_FRONTEND=noninteractive DEB_BUILD_OPTIONS=nocheck
        { apt-get update && apt-get build-dep -y --no-install-recommends ./packaging; } >/share/log 2>&1 ||
            { tail -n 40 /share/log; exit 1; }
        tools/make-deb.sh /share/$(dpkg --print-architecture) >/dev/null'
done
echo "-- Debian $release: both installed"
# shellcheck disable=SC2016
tools/fresh-machine.sh --share "$work" "$release" amd64 -- sh -euc '
    export DEBIAN_FRONTEND=noninteractive
    {
        dpkg --add-architecture i386
        apt-get update
        apt-get install -y --no-install-recommends gcc-multilib pkgconf \
            /share/*/libpop3-0_*.deb /share/*/libpop3-dev_*.deb libc6-dev:i386
    } >/share/log 2>&1 || { tail -n 40 /share/log; exit 1; }
    for architecture in amd64 i386; do
        triplet=$(dpkg-architecture -a "$architecture" -qDEB_HOST_MULTIARCH)
        case $architecture in i386) flag=-m32 ;; *) flag=-m64 ;; esac
        export PKG_CONFIG_LIBDIR=/usr/lib/$triplet/pkgconfig:/usr/share/pkgconfig
        cc $flag -o /tmp/program tests/rules/consumer.c $(pkg-config --cflags --libs libpop3)
        ldd /tmp/program | grep -F "/$triplet/libpop3.so.0"
        echo "$architecture: $(/tmp/program)"
    done'
