#!/bin/sh
# Checks that the sources are formatted by clang-format, and that no line ends in blanks.
set -eu
cd "$(dirname "$0")/.."
command -v clang-format >/dev/null || {
    echo "there is no clang-format"
    exit 77
}
code=$(find . \( -name .git -o -name 'build*' \) -prune -o -name '*.[ch]' -print)
text=$(find . \( -name .git -o -name 'build*' -o -name demo \) -prune -o \
    \( -name '*.md' -o -name '*.py' -o -name '*.sh' -o -name meson.build \) -print)
# shellcheck disable=SC2086 # lists of words
clang-format --dry-run --Werror $code
# shellcheck disable=SC2086
if grep -nE '[[:blank:]]+$' $code $text; then
    echo "blanks at the end of a line"
    exit 1
fi
echo "$(echo "$code" | wc -l) C files, $(echo "$text" | wc -l) other text files"
