#!/bin/sh
# Mends manual pages that Doxygen made, in a directory: it does not say of an apostrophe at the beginning of a line that
# it begins no request, nor of a backslash that it begins no escape sequence, in listings and in arguments of macros; and
# some versions ask for a font C, which terminals do not have.
# What groff complains about afterwards is an error, where there is a groff.
#     mend-man-pages.sh DIRECTORY
set -eu
sed -i -e "s/^'/\\\\\&'/" -e 's/\\\\/\\e/g' -e '/^\./!s/\\\([nrt0x"]\)/\\e\1/g' -e 's/\\fC/\\fR/g' "$1"/*.3
command -v preconv >/dev/null || exit 0
complaints=$(groff -k -man -Tutf8 -wmac -wnumber -wreg -wescape -z "$1"/*.3 2>&1)
[ -z "$complaints" ] || {
    echo "$complaints"
    exit 1
}
