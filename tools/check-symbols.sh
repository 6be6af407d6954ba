#!/bin/sh
# Checks that the library exports what the public headers declare, and nothing else.
#     check-symbols.sh SHARED_LIBRARY STATIC_LIBRARY
set -eu
shared=$(realpath "$1")
static=$(realpath "$2")
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

tools/public-symbols.sh >"$work/declared"
sed -n 's/^ *\(pop3_[a-z0-9_]*\);$/\1/p' src/libpop3.map | sort >"$work/listed"
nm -D --defined-only "$shared" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$work/exported"
diff "$work/declared" "$work/listed" || {
    echo "src/libpop3.map (>) does not list what the public headers declare (<)"
    exit 1
}
diff "$work/declared" "$work/exported" || {
    echo "the library (>) does not export what the public headers declare (<)"
    exit 1
}
# The packages' list says since when a function is there, too: a new one is added with the version to come.
sed -n 's/^ \(pop3_[a-z0-9_]*\)@LIBPOP3_0 .*/\1/p' packaging/debian/libpop3-0.symbols | sort >"$work/packaged"
diff "$work/declared" "$work/packaged" || {
    echo "packaging/debian/libpop3-0.symbols (>) does not list what the public headers declare (<)"
    exit 1
}
if nm -D --defined-only "$shared" | awk '$2 != "A"' | grep -v '@@LIBPOP3_'; then
    echo "symbols without a version"
    exit 1
fi
# In the static library only names of ours may be global.
if nm -g --defined-only "$static" | awk 'NF == 3 { print $3 }' | grep -v -e '^pop3_' -e '^p3_'; then
    echo "global names in the static library that do not begin with pop3_ or p3_"
    exit 1
fi
echo "$(wc -l <"$work/declared") functions declared, listed, exported, versioned and packaged"
