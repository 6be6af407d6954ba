#!/bin/sh
# Measures which lines and branches of the library the tests reach: runs them in a build with coverage, writes
# build-coverage/report/index.html, and prints a line for each room.
#
#     tools/coverage.sh [SUITE]...      run these suites instead of all that use the C library
set -eu
cd "$(dirname "$0")/.."
build=build-coverage
[ $# -gt 0 ] || set -- all

test -f $build/build.ninja ||
    meson setup $build -Db_coverage=true -Dbuildtype=debug -Db_ndebug=true >/dev/null
ninja -C $build -j "$(nproc)" >/dev/null
find $build -name '*.gcda' -delete
suites=
for suite; do
    case $suite in
    all) suites='--no-suite rules --no-suite bench-rules' ;; # what they measure is not this build's
    *) suites="$suites --suite $suite" ;;
    esac
done
# shellcheck disable=SC2086
meson test -C $build --no-rebuild $suites >$build/tests.log 2>&1 || {
    tail -20 $build/tests.log
    echo "coverage: tests failed" >&2
    exit 1
}

lcov --quiet --capture --rc lcov_branch_coverage=1 --directory $build/src --output-file $build/all.info
lcov --quiet --rc lcov_branch_coverage=1 --extract $build/all.info "$PWD/src/*" --output-file $build/src.info
genhtml --quiet --branch-coverage --output-directory $build/report $build/src.info
for room in src/*/; do
    room=$(basename "$room")
    lcov --quiet --rc lcov_branch_coverage=1 --extract $build/src.info "$PWD/src/$room/*" \
        --output-file $build/$room.info 2>/dev/null || continue
    lcov --rc lcov_branch_coverage=1 --summary $build/$room.info 2>&1 |
        awk -v room=src/$room '/lines/ {l = $2 " " $3 $4 $5} /branches/ {b = $2 " " $3 $4 $5}
             END {printf "%-12s lines %s  branches %s\n", room, l, b}'
done
