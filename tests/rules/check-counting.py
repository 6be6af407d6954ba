#!/usr/bin/env python3
"""tools/check.py gives a test one name, whether it ran or was skipped, with a reason or without, in any dialect of TAP;
and whatever the machine, one run of the plain build has the long tests. It adds up which deliveries were interrupted."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "tools"))

import check  # noqa: E402


def of(*lines: str, result: str = "OK") -> dict[str, str]:
    return check.results_of({"name": "t", "stdout": "\n".join(lines), "result": result})


CASES = [
    (of("ok 1 - a[x]"), {"t: a[x]": "passed"}),
    (of("ok 1 - a[x] # SKIP Skipped: no: such # thing"), {"t: a[x]": "skipped: Skipped: no: such # thing"}),
    (of("not ok 1 - a"), {"t: a": "failed"}),
    (of("not ok 1 - a", "# a.py:7: assert 1 == 2", "# more", result="ERROR"), {"t: a": "failed: a.py:7: assert 1 == 2"}),
    (of("ok 1 - b", "ok 2 # SKIP a"), {"t: b": "passed", "t: a": "skipped"}),  # cmocka
    (of("1..0 # SKIP nothing", result="SKIP"), {"t": "skipped"}),
    (of("ok 1 - a", result="ERROR"), {"t: a": "passed", "t: the program itself (error)": "failed"}),
]

for found, expected in CASES:
    if found != expected:
        sys.exit(f"{found} and not {expected}")
if check.kind("skipped: no: such") != "skipped" or check.kind("passed") != "passed":
    sys.exit("a reason is no part of the result")

if check.interruptions_in("# interrupted: A: cut: 3\nok 1 - a\n# interrupted: A: cut: 40\n1..1\n") != {"A: cut": 43}:
    sys.exit("interrupted deliveries are not counted")

# What is long is printed with its beginning and its end.
if check.shortened("first" + "x" * 9000 + "last") != "first" + "x" * 2995 + "\n[...]\n" + "x" * 2996 + "last":
    sys.exit("what was asserted, or how it ended, is not printed")

# The plain build's tests are in one of two runs, or all in the one that there can be.
for reason in ("", "not root"):
    check.why_impossible = lambda run, reason=reason: reason if run.name == "user" else ""
    plain, user, *_ = check.all_runs()
    if user.test != ["--no-suite", "rules"] or plain.test != ([] if reason else ["--suite", "rules"]):
        sys.exit(f"where a user is {'impossible' if reason else 'possible'}, {plain.test} and {user.test} are run")
