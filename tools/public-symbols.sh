#!/bin/sh
# Prints the functions that a library's public headers declare, one on each line, sorted.
#     public-symbols.sh libpop3|libpop3-collect
cd "$(dirname "$0")/.." || exit 1
case ${1:-} in
libpop3) headers=$(ls include/pop3/*.h | grep -v '/collect\.h$') ;;
libpop3-collect) headers=include/pop3/collect.h ;;
*)
    echo "public-symbols.sh: which library?" >&2
    exit 2
    ;;
esac
# shellcheck disable=SC2086 # a list of files
cat $headers | tr '\n' ' ' | grep -o 'POP3_API [^;]*' |
    grep -o 'pop3_[a-z0-9_]*(' | tr -d '(' | sort -u
