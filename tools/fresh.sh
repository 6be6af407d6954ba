#!/bin/sh
# Runs commands on fresh Debian machines, one after the other, and adds up the results of their tests.
#     fresh.sh              `make demo` and `make check` on Debian 12 and on Debian 13
#     fresh.sh ci           `make check` here, `make demo` on a fresh Debian 12, and `make demo` with the plain tests on
#                           a fresh Debian 13
# Each part ends with its duration and its failures. The last line is the total, `N passed, N failed`, with `, N skipped`
# if any; a demonstration counts as one test, and a part without a result as one failed test.
set -u
cd "$(dirname "$0")/.." || exit 1
log=$(mktemp) || exit 1
trap 'rm -f "$log" "$log.status"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
passed=0 failed=0 skipped=0 summary='' all_began=$(date +%s)

# The last line that is a result, `12 passed, 0 failed, 3 skipped`: `make` writes a line of its own behind a failure.
result() {
    grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$log" | tail -n 1
}

# The number before a word in the result; 0 where it is not there.
number_of() {
    number=$(result | sed -n "s/.*\b\([0-9][0-9]*\) $1.*/\1/p")
    echo "${number:-0}"
}

# Runs a part: what it is called, whether its last line is a result (counted) or not (demo), the command.
part() {
    name=$1 kind=$2
    shift 2
    printf '\n==== %s\n' "$name"
    began=$(date +%s)
    {
        "$@" 2>&1
        echo $? >"$log.status"
    } | tee "$log"
    status=$(cat "$log.status")
    took=$(($(date +%s) - began))
    if [ "$kind" = counted ] && [ -n "$(result)" ]; then
        p=$(number_of passed) f=$(number_of failed) s=$(number_of skipped)
        [ "$status" = 0 ] || [ "$f" != 0 ] || f=1
    elif [ "$kind" = demo ] && [ "$status" = 0 ]; then
        p=1 f=0 s=0
    else
        p=0 f=1 s=0
    fi
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    summary=$(
        printf '%s\n' "$summary"
        printf '%s: %d passed, %d failed, %d skipped, in %d min %d s\n' "$name" "$p" "$f" "$s" \
            $((took / 60)) $((took % 60))
        sed -n 's/^failed: /    failed: /p' "$log"
    )
}

# The demonstration alone, or with tests whose result is the last line.
machine() {
    case $2 in
    demo) part "Debian $1, fresh: make demo" demo tools/fresh-machine.sh "$1" -- make demo ;;
    plain)
        part "Debian $1, fresh: make demo, plain tests" counted tools/fresh-machine.sh "$1" -- \
            sh -c 'make demo && tools/dependencies.sh && tools/check.py --plain --werror'
        ;;
    all)
        part "Debian $1, fresh: make demo, make check" counted tools/fresh-machine.sh "$1" -- \
            sh -c 'make demo && make check'
        ;;
    esac
}

case ${1:-} in
'')
    machine 12 all
    machine 13 all
    ;;
ci)
    part "here: make check" counted make check CHECK_OPTIONS=--werror
    machine 12 demo
    machine 13 plain
    ;;
*)
    sed -n '2,/^set -u/s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
printf '%s\n' "$summary"
echo "all of it: in $((($(date +%s) - all_began) / 60)) min"
if [ "$skipped" != 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
else
    echo "$passed passed, $failed failed"
fi
[ "$failed" = 0 ]
