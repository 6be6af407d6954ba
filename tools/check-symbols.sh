#!/bin/sh
# Checks that a library exports what its public headers declare, and nothing else.
#     check-symbols.sh libpop3|libpop3-collect SHARED_LIBRARY STATIC_LIBRARY
set -eu
library=$1
shared=$(realpath "$2")
static=$(realpath "$3")
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

map=src/$library.map
package=$([ "$library" = libpop3 ] && echo libpop3-0 || echo "${library}0")
version=$(sed -n 's/^\(LIBPOP3[A-Z0-9_]*\) {$/\1/p' "$map")
tools/public-symbols.sh "$library" >"$work/declared"
sed -n 's/^ *\(pop3_[a-z0-9_]*\);$/\1/p' "$map" | sort >"$work/listed"
nm -D --defined-only "$shared" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$work/exported"
diff "$work/declared" "$work/listed" || {
    echo "$map (>) does not list what the public headers declare (<)"
    exit 1
}
diff "$work/declared" "$work/exported" || {
    echo "the library (>) does not export what the public headers declare (<)"
    exit 1
}
# The packages' list says since when a function is there, too: a new one is added with the version to come.
sed -n "s/^ \(pop3_[a-z0-9_]*\)@$version .*/\1/p" "packaging/debian/$package.symbols" | sort >"$work/packaged"
diff "$work/declared" "$work/packaged" || {
    echo "packaging/debian/$package.symbols (>) does not list what the public headers declare (<)"
    exit 1
}
if nm -D --defined-only "$shared" | awk '$2 != "A"' | grep -v "@@$version$"; then
    echo "symbols without a version"
    exit 1
fi
# In the static library only names of ours may be global.
if nm -g --defined-only "$static" | awk 'NF == 3 { print $3 }' | grep -v -e '^pop3_' -e '^p3_'; then
    echo "global names in the static library that do not begin with pop3_ or p3_"
    exit 1
fi
echo "$(wc -l <"$work/declared") functions declared, listed, exported, versioned and packaged"
