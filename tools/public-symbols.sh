#!/bin/sh
# Prints the functions that the public headers declare, one a line, sorted.
cd "$(dirname "$0")/.." || exit 1
cat include/pop3/*.h | tr '\n' ' ' | grep -o 'POP3_API [^;]*' |
    grep -o 'pop3_[a-z0-9_]*(' | tr -d '(' | sort -u
