#!/bin/sh
# Builds the API reference with Doxygen; missing or wrong documentation, and broken links, are errors.
#     check-documentation.sh [OUTPUT_FOLDER]
set -eu
command -v doxygen >/dev/null || {
    echo "there is no doxygen"
    exit 77
}
out=$(mkdir -p "${1:-build-docs}" && cd "${1:-build-docs}" && pwd)
cd "$(dirname "$0")/.."
{
    cat docs/Doxyfile
    echo "OUTPUT_DIRECTORY = $out"
} | doxygen - >"$out/doxygen.log" 2>"$out/doxygen.errors" || {
    cat "$out/doxygen.errors"
    exit 1
}
if [ -s "$out/doxygen.errors" ]; then
    cat "$out/doxygen.errors"
    exit 1
fi
tools/mend-man-pages.sh "$out/man/man3"
tools/index-words.py "$out/html/search"
tools/check-reference.py "$out"
echo "API reference: $out/html/index.html"
