#!/bin/sh
# Static analysis of the library: gcc's -fanalyzer, clang-tidy (.clang-tidy says what is off and why) and cppcheck.
# Says nothing and ends with 0 when all are content. ROOMS="sync cli" looks at those folders of src/ instead.
#
#     tools/analyze.sh [gcc] [clang-tidy] [cppcheck]      some of them
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- gcc clang-tidy cppcheck
build=build-analyze
test -f $build/build.ninja || meson setup $build -Dtests=false -Dexamples=false >/dev/null
ninja -C $build build.ninja >/dev/null # and with it the commands that clang-tidy reads
failed=0
sources=$(for room in ${ROOMS:-core io auth client}; do git ls-files "src/$room/*.c"; done | grep -v '_none\.c$')
flags="-std=c17 -D_POSIX_C_SOURCE=200809L -DP3_HAVE_IDN -Iinclude -Isrc"

for tool; do
    case $tool in
    gcc)
        # Off: -Wanalyzer-malloc-leak, which loses track of what a struct owns (the sanitizers and the tests of faults,
        # which count every allocation, look for leaks); -Wanalyzer-null-argument, which does not know what was
        # checked in another function.
        # shellcheck disable=SC2086
        for file in $sources; do
            case $file in
            src/cli/* | src/sync/*) gnu=-D_GNU_SOURCE ;;
            *) gnu= ;;
            esac
            gcc $flags $gnu -O1 -c -o /dev/null -fanalyzer -Wno-analyzer-malloc-leak \
                -Wno-analyzer-null-argument -Werror "$file" || failed=1
        done
        ;;
    clang-tidy)
        # shellcheck disable=SC2086
        clang-tidy --quiet -p $build $sources 2>$build/clang-tidy.err || failed=1
        ;;
    cppcheck)
        # shellcheck disable=SC2086
        cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
            --suppress=normalCheckLevelMaxBranches --error-exitcode=1 -Iinclude -Isrc -D_POSIX_C_SOURCE=200809L \
            -DP3_HAVE_IDN $sources || failed=1
        ;;
    *)
        echo "analyze: what is $tool?" >&2
        exit 2
        ;;
    esac
done
exit $failed
