#!/bin/sh
# Checks that clang-format would change nothing, and that no text file has trailing blanks or tabs.
set -eu
cd "$(dirname "$0")/.."
files=$(find bench examples include python src tests -name '*.[ch]' 2>/dev/null)
# shellcheck disable=SC2086 # a list of words
clang-format --dry-run --Werror $files
# shellcheck disable=SC2086
if grep -nE '[[:blank:]]+$' $files $(find . -path ./.git -prune -o -name '*.md' -print \
    -o -name 'meson.build' -print -o -path './build*' -prune -false); then
    echo "blanks at the end of a line"
    exit 1
fi
echo "$(echo "$files" | wc -l) files"
