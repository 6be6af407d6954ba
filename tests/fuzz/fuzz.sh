#!/bin/sh
# Lets libFuzzer work on one target for a while, from its corpus; the result is a line of TAP with its figures.
#     fuzz.sh TARGET CORPUS_FOLDER KEPT_FOLDER      (FUZZ_SECONDS says how long, 5 unless set)
# What it learns stays in KEPT_FOLDER, an input that it finds something with beside it.
set -eu
target=$1
seconds=${FUZZ_SECONDS:-5}
name=${target##*/fuzz_}
mkdir -p "$3"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if "$target" -artifact_prefix="$3-found-" -max_total_time="$seconds" -print_final_stats=1 "$3" "$2" >"$log" 2>&1; then
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    edges=$(sed -n 's/^#.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -1)
    echo "ok 1 - $name: $seconds seconds # $executions executions, $edges edges"
    echo '1..1'
else
    cat "$log"
    echo "not ok 1 - $name: $seconds seconds"
    echo '1..1'
    exit 1
fi
