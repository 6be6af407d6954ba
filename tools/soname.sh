#!/bin/sh
# Prints the soname of a shared library.
#     soname.sh LIBRARY COMPILER [ARGUMENT]...
set -eu
library=$1
shift
file=$("$@" -print-file-name="lib$library.so")
name=$(readelf -d "$file" | sed -n 's/.*(SONAME).*\[\(.*\)\]$/\1/p')
[ -n "$name" ] || {
    echo "soname.sh: $file has no soname" >&2
    exit 1
}
echo "$name"
