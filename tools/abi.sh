#!/bin/sh
# Whether the library still keeps what its last release promised to programs that are linked with it.
#
#     tools/abi.sh            compares the library of build/ with the newest abi/libpop3-*.abi of the same soname
#     tools/abi.sh dump       writes abi/libpop3-VERSION.abi: part of making a release, once for each
#
# Additions are fine. What breaks a program (a function gone, a struct or an enumerator changed) is shown, and ends with
# status 1. Options structs begin with their size, which a caller fills in, and grow at their end: those changes are
# listed in abi/allowed.abignore with the reason for each.
set -eu
cd "$(dirname "$0")/.."
build=${BUILD:-build}
test -f "$build/build.ninja" || meson setup "$build" >/dev/null
ninja -C "$build" -j "$(nproc)" src/libpop3.so >/dev/null 2>&1 || ninja -C "$build" -j "$(nproc)" >/dev/null
library=$(ls "$build"/src/libpop3.so.?*.?* | head -1)
version=$(sed -n "s/^ *version: '\([0-9.]*\)',/\1/p" meson.build)

dump() {
    abidw --headers-dir include --drop-private-types --no-corpus-path --no-comp-dir-path --out-file "$1" "$library"
}

case ${1:-compare} in
dump)
    mkdir -p abi
    test ! -e "abi/libpop3-$version.abi" || {
        echo "abi: abi/libpop3-$version.abi is there: a release does not change" >&2
        exit 1
    }
    dump "abi/libpop3-$version.abi"
    echo "abi: wrote abi/libpop3-$version.abi"
    ;;
compare)
    present=$(mktemp)
    trap 'rm -f "$present"' EXIT
    dump "$present"
    functions=$(grep -c '<elf-symbol .*type=.func-type' "$present")
    last=$(ls abi/libpop3-*.abi 2>/dev/null | sort -V | tail -1)
    if [ -z "$last" ]; then
        # Nothing has been released: what can be told is that the tools work on this library.
        abidiff "$present" "$present"
        echo "abi: no release to compare with; $functions functions were described"
        exit 0
    fi
    ignored=
    test ! -f abi/allowed.abignore || ignored="--suppressions abi/allowed.abignore"
    # shellcheck disable=SC2086
    abidiff $ignored --no-added-syms "$last" "$present" || {
        echo "abi: not what $last promised" >&2
        exit 1
    }
    echo "abi: $functions functions, as $last promised"
    ;;
*)
    echo "abi: what is $1?" >&2
    exit 2
    ;;
esac
