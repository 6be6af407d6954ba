#!/bin/sh
# Repairs manual pages made by Doxygen, in a directory: Doxygen does not escape apostrophes at the beginning of a line, nor
# backslashes in listings and in arguments of macros; and some versions use a font C, which terminals do not have.
# Complaints of groff afterwards are errors, if groff is installed.
#     mend-man-pages.sh DIRECTORY
set -eu
sed -i -e "s/^'/\\\\\&'/" -e 's/\\\\/\\e/g' -e '/^\./!s/\\\([nrt0x"]\)/\\e\1/g' -e 's/\\fC/\\fR/g' "$1"/*.3
command -v preconv >/dev/null || exit 0
complaints=$(groff -k -man -Tutf8 -wmac -wnumber -wreg -wescape -z "$1"/*.3 2>&1)
[ -z "$complaints" ] || {
    echo "$complaints"
    exit 1
}
