#!/bin/sh
# Repairs manual pages made by Doxygen, in a directory: Doxygen does not escape apostrophes at the beginning of a line, nor
# backslashes in listings and in arguments of macros; and some versions use a font C, which terminals do not have.
# Complaints of groff afterwards are errors, if groff is installed. Each function gets a page of its own, which is that
# of its group.
#     mend-man-pages.sh DIRECTORY
set -eu
for page in "$1"/*.3; do
    ! grep -q '^\.so ' "$page" || rm "$page" # of an earlier run
done
sed -i -e "s/^'/\\\\\&'/" -e 's/\\\\/\\e/g' -e '/^\./!s/\\\([nrt0x"]\)/\\e\1/g' -e 's/\\fC/\\fR/g' "$1"/*.3
if command -v preconv >/dev/null; then
    complaints=$(groff -k -man -Tutf8 -wmac -wnumber -wreg -wescape -z "$1"/*.3 2>&1)
    [ -z "$complaints" ] || {
        echo "$complaints"
        exit 1
    }
fi
for page in "$1"/pop3_*.3; do
    sed -n 's/^\.SS ".*[ *]\(pop3_[a-z0-9_]*\) (.*/\1/p' "$page" | while read -r name; do
        echo ".so man3/${page##*/}" >"$1/$name.3"
    done
done
