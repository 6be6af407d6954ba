#!/bin/sh
# Sees that what is built has the hardening that docs/records/hardening.md promises, and that the check would notice its absence.
#     check-hardening.sh BUILD_FOLDER SCRATCH_FOLDER BINARY...
set -eu
build=$1
scratch=$2
shift 2
LC_ALL=C
export LC_ALL

# Says what a binary lacks, a line each.
lacks() {
    readelf -hW "$1" | grep -q 'Type: *DYN' || echo 'position-independent code'
    readelf -dW "$1" | grep -q 'BIND_NOW' || echo 'binding at the start (-z now)'
    readelf -lW "$1" | grep -q 'GNU_RELRO' || echo 'read-only relocations (-z relro)'
    readelf -lW "$1" | grep "GNU_STACK" | grep -q "RW " || echo 'a stack that is not executable'
    readelf -dW "$1" | grep -q TEXTREL && echo 'text without relocations'
    readelf --dyn-syms -W "$1" | grep -q '__stack_chk_fail' || echo 'the stack protector'
    return 0
}

# A program without any of it: each lack is to be told.
printf '#include <stdio.h>\nint main(int n, char **a) { char b[64]; sprintf(b, "%%s%%d", a[0], n); return puts(b); }\n' \
    >"$scratch/soft.c"
${CC:-cc} -O1 -w -fno-stack-protector -U_FORTIFY_SOURCE -no-pie -Wl,-z,norelro -Wl,-z,lazy -Wl,-z,execstack \
    -o "$scratch/soft" "$scratch/soft.c"
told=$(lacks "$scratch/soft" | wc -l)
if [ "$told" -ne 5 ]; then
    echo "of a program without any hardening $told lacks are told, not 5:"
    lacks "$scratch/soft"
    exit 1
fi

status=0
for binary; do
    missing=$(lacks "$binary")
    if [ -n "$missing" ]; then
        echo "$binary lacks:"
        echo "$missing"
        status=1
    fi
done

# What has no call that could be checked shows nothing of _FORTIFY_SOURCE: the compiler's words tell.
for flag in -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection; do
    bare=$(grep '"command"' "$build/compile_commands.json" | grep -E -- '-c \.\./(src|python)/' | grep -vc -- "$flag" || true)
    if [ "$bare" != 0 ]; then
        echo "$bare files of src and python are compiled without $flag"
        status=1
    fi
done
[ $status -ne 0 ] || echo "$# binaries are hardened"
exit $status
