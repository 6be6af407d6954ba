#!/bin/sh
# Builds the core and the client without TLS, and their tests, with musl instead of glibc, and runs these tests: as for
# Linux, and with the replacements for other systems (-Dportable=true).
#     check-musl.sh [BUILD_FOLDER]
# Needs Debian's musl-tools, and Debian's source packages in apt: the test framework cmocka is built for musl from its
# source package. The last line is `N passed, N failed`, and the number of skipped tests.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build-musl}
mkdir -p "$build"
build=$(cd "$build" && pwd)
prefix=$build/prefix

# The source package of cmocka, as apt knows it here. A Debian system need not have deb-src lines: they are
# made of the lines for packages.
fetch_cmocka() {
    release=$(. /etc/os-release && echo "$VERSION_CODENAME")
    mkdir -p "$build/apt/lists/partial" "$build/source"
    apt-get indextargets 'Identifier: Packages' --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' |
        awk -v release="$release" '$2 == release && $3 == "main" && $4 == "Debian" {
            print "deb-src", $1, $2, "main"; exit }' >"$build/apt/sources.list"
    if [ ! -s "$build/apt/sources.list" ]; then
        echo "check-musl.sh: apt has no source of Debian's main section here: add one" >&2
        return 1
    fi
    set -- -qq -o Dir::Etc::sourcelist="$build/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::State::lists="$build/apt/lists" -o APT::Sandbox::User=
    apt-get "$@" update >&2
    (cd "$build/source" && apt-get "$@" source --download-only cmocka >&2)
    tar -xf "$build"/source/cmocka_*.orig.tar.?z -C "$build/source"
}

# cmocka is one file. What it asks config.h for, musl has.
build_cmocka() {
    source=$(echo "$build"/source/cmocka-*/src)
    mkdir -p "$prefix/lib/pkgconfig" "$prefix/include"
    defines=''
    for name in INTTYPES_H MALLOC_H SIGNAL_H STRINGS_H STRUCT_TIMESPEC CLOCK_REALTIME STRSIGNAL SIGLONGJMP \
        GCC_THREAD_LOCAL_STORAGE; do
        defines="$defines -DHAVE_$name=1"
    done
    # shellcheck disable=SC2086 # a list of words
    musl-gcc -O2 -std=gnu99 -w $defines -I"$source/../include" -c "$source/cmocka.c" -o "$build/cmocka.o"
    ar rcs "$prefix/lib/libcmocka.a" "$build/cmocka.o"
    cp "$source"/../include/cmocka*.h "$prefix/include"
    printf '%s\n' "prefix=$prefix" 'Name: cmocka' 'Description: unit tests' 'Version: 1.1.5' \
        'Libs: -L${prefix}/lib -lcmocka' 'Cflags: -I${prefix}/include' >"$prefix/lib/pkgconfig/cmocka.pc"
}

# What is linked to must be musl alone.
check_programs() {
    find "$1" -type f \( -perm -u+x -o -name '*.so.*' \) ! -name '*.p' | while read -r file; do
        needed=$(readelf -d "$file" 2>/dev/null | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -v '^libpop3\.so' || true)
        if [ -n "$needed" ] && [ "$needed" != libc.so ]; then
            echo "$file: needs" $needed
        fi
        if readelf -V "$file" 2>/dev/null | grep -q 'Name: GLIBC_'; then
            echo "$file: needs symbols of glibc"
        fi
    done
}

# Packages of this system are made for glibc: none but our cmocka is found.
build() {
    rm -rf "$build/$1"
    if ! CC=musl-gcc PKG_CONFIG_LIBDIR="$prefix/lib/pkgconfig" meson setup "$build/$1" -Dwerror=true -Dtls=disabled \
        -Dgsasl=disabled -Didn=disabled -Dseccomp=disabled -Dcommand=disabled -Dpython=disabled -Dbench=false \
        "$2" >"$build/$1.log" 2>&1 || ! ninja -C "$build/$1" >>"$build/$1.log" 2>&1; then
        tail -n 40 "$build/$1.log"
        echo "check-musl.sh: the $1 build for musl failed" >&2
        return 1
    fi
    foreign=$(check_programs "$build/$1")
    if [ -n "$foreign" ]; then
        echo "$foreign"
        return 1
    fi
}

command -v musl-gcc >/dev/null || {
    echo "check-musl.sh: there is no musl-gcc: install musl-tools" >&2
    exit 1
}
[ -f "$prefix/lib/libcmocka.a" ] || {
    fetch_cmocka
    build_cmocka
}
build linux -Dportable=false
build portable -Dportable=true
tools/check.py --built "$build/linux" --built "$build/portable"
