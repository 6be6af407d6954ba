#!/bin/sh
# Static analysis with gcc's -fanalyzer, clang-tidy (.clang-tidy has the disabled checks, with reasons) and cppcheck.
# Prints nothing and ends with 0 if there are no findings. ROOMS="collect cli" limits it to these rooms.
#
#     tools/analyze.sh [gcc] [clang-tidy] [cppcheck]      only some of them
set -eu
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- gcc clang-tidy cppcheck
build=build-analyze
test -f $build/build.ninja || meson setup $build -Dtests=false -Dexamples=false >/dev/null
ninja -C $build build.ninja >/dev/null # and with it the commands that clang-tidy reads
failed=0
sources=$(for room in ${ROOMS:-$(ls src | grep -v "\.") python}; do
    case $room in
    python) git ls-files 'python/*.c' ;;
    *) git ls-files "src/$room/*.c" ;;
    esac
done | grep -v '_none\.c$')

# How the build compiles a file, but for the object.
command_of() {
    python3 -c 'import json, shlex, sys
for entry in json.load(open(sys.argv[1])):
    if entry["file"] == "../" + sys.argv[2]:
        words = shlex.split(entry["command"])
        print(shlex.join(words[: words.index("-o")] + ["-o", "/dev/null", "-c", entry["file"]]))
        break
else:
    sys.exit("analyze: the build does not compile " + sys.argv[2])' $build/compile_commands.json "$1"
}

for tool; do
    case $tool in
    gcc)
        # Off: -Wanalyzer-malloc-leak, which loses track of what a struct owns (the sanitizers and the tests of faults,
        # which count every allocation, look for leaks); -Wanalyzer-null-argument and -Wanalyzer-possible-null-argument,
        # which do not know what was checked before.
        for file in $sources; do
            compile=$(command_of "$file") || exit 2
            (cd $build && eval "$compile" -O1 -fanalyzer -Wno-analyzer-malloc-leak \
                -Wno-analyzer-null-argument -Wno-analyzer-possible-null-argument) || failed=1
        done
        ;;
    clang-tidy)
        # shellcheck disable=SC2086
        clang-tidy --quiet -p $build $sources 2>$build/clang-tidy.err || failed=1
        ;;
    cppcheck)
        # Off: varFuncNullUB, as NULL is a pointer in every C library of Linux; normalCheckLevelMaxBranches, which is
        # about cppcheck.
        # shellcheck disable=SC2086
        cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
            --suppress=normalCheckLevelMaxBranches --suppress=varFuncNullUB --error-exitcode=1 -Iinclude -Isrc \
            -D_POSIX_C_SOURCE=200809L -DP3_HAVE_IDN --library=python $sources || failed=1
        ;;
    *)
        echo "analyze: what is $tool?" >&2
        exit 2
        ;;
    esac
done
exit $failed
