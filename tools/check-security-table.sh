#!/bin/sh
# Checks that every test that docs/reference/security.md names exists.
set -eu
cd "$(dirname "$0")/.."
missing=0
count=0
# Tests are the names in backquotes with three words or more; options and functions are not.
for name in $(grep -o '`[a-z0-9]*_[a-z0-9]*_[a-z0-9_]*`' docs/reference/security.md | tr -d '`' | sort -u); do
    [ "$name" = danger_accept_any_certificate ] && continue
    count=$((count + 1))
    grep -rqE "^(static void $name\(void|def $name\()" tests/ || {
        echo "docs/reference/security.md names $name, which no test is called"
        missing=$((missing + 1))
    }
done
echo "$count tests named, $missing missing"
[ "$count" -gt 0 ] && [ "$missing" -eq 0 ]
