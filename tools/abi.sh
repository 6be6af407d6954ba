#!/bin/sh
# Checks that programs that were compiled and linked with the library still work with it.
#
#     tools/abi.sh            compares the headers with the newest abi/libpop3-VERSION.abi and abi/libpop3-collect-VERSION.abi
#     tools/abi.sh dump       writes these
#
# Additions are accepted. Changes that break a program (a removed or changed function, a changed struct or enumerator) are
# printed and end with status 1; abi/allowed.abignore has exceptions. While CHANGELOG.md has a version as not yet released,
# its dump can be written again after an intended change; after the release it never changes. Ends with status 77 and a
# reason if nothing can be compared: no abidiff, one of another format, or another architecture.
#
# The description is made from a library that contains a pointer to each public function, and so all types that they use,
# because libabigail 2.2 omits functions of the library itself that another file calls. tools/check-symbols.sh checks that
# all functions exist.
set -eu
cd "$(dirname "$0")/.."
version=$(sed -n "s/^ *version: '\([0-9.]*\)',/\1/p" meson.build)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

skip() {
    echo "abi: not checked: $1"
    exit 77
}

# Names of files and folders stay out of it: it is to be the same wherever it is made.
dump() {
    {
        [ "$1" = libpop3 ] && echo '#include <pop3/pop3.h>' || echo '#include <pop3/collect.h>'
        tools/public-symbols.sh "$1" | sed 's/.*/extern __typeof__(\&&) const of_&; __typeof__(\&&) const of_& = &;/'
    } >"$work/surface.c"
    ${CC:-cc} -g -shared -fPIC -Iinclude -o "$work/libpop3-surface.so" "$work/surface.c"
    abidw --no-corpus-path --no-comp-dir-path --no-show-locs --no-elf-needed --out-file "$2" \
        "$work/libpop3-surface.so"
    sed -i "s|path='[^']*surface.c'|path='surface.c'|" "$2"
}

# What a dump says of itself: its "architecture" or "version", which is that of the format.
of_dump() {
    sed -n "s/^<abi-corpus .*$2='\([^']*\)'.*/\1/p" "$1"
}

enumerators() {
    sed -n "s/.*<enumerator name='\([^']*\)' value='\([^']*\)'.*/\1 = \2/p" "$1" | sort -u
}

command -v abidiff >/dev/null || skip 'there is no abidiff (abigail-tools)'
write_dump() {
    file=abi/$1-$version.abi
    if [ -e "$file" ] && ! grep -q "^## $version, not yet released" CHANGELOG.md; then
        echo "abi: $file is there: a release does not change" >&2
        exit 1
    fi
    mkdir -p abi
    dump "$1" "$file"
    echo "abi: wrote $file"
}

compare() {
    dump "$1" "$work/present.abi"
    last=$(ls abi/"$1"-[0-9]*.abi | sort -V | tail -1)
    [ "$(of_dump "$last" architecture)" = "$(of_dump "$work/present.abi" architecture)" ] ||
        skip "$last is of another architecture"
    format=$(of_dump "$work/present.abi" version)
    [ "$(of_dump "$last" version | cut -d . -f 1)" = "${format%%.*}" ] ||
        skip "$last has another format than the $format of this libabigail, which does not read it"
    abidiff --suppressions abi/allowed.abignore --no-added-syms "$last" "$work/present.abi" || {
        echo "abi: not what $last promised" >&2
        exit 1
    }
    # An enumerator with another number is harmless to abidiff.
    enumerators "$last" >"$work/promised"
    enumerators "$work/present.abi" >"$work/there"
    gone=$(comm -23 "$work/promised" "$work/there")
    [ -z "$gone" ] || {
        printf 'abi: not what %s promised:\n%s\n' "$last" "$gone" >&2
        exit 1
    }
    echo "abi: $(grep -c '<elf-symbol ' "$work/present.abi") functions, as $last promised"
}

for library in libpop3 libpop3-collect; do
    case ${1:-compare} in
    dump) write_dump "$library" ;;
    compare) compare "$library" ;;
    *)
        echo "abi: what is $1?" >&2
        exit 2
        ;;
    esac
done
