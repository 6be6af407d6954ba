#!/usr/bin/env python3
"""Builds everything and runs every test, in the plain build, under sanitizers and under valgrind;
each fuzz target for ten seconds; and the tests of threads under ThreadSanitizer.

    check.py [--plain]        --plain leaves all but the first out

A test that runs in several builds counts once: it has passed when it passed in each. What was skipped
is named and counted apart. The last line is `N passed, N failed`; the exit status is 0 when none failed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SANITIZERS = "-Db_sanitize=address,undefined"

TAP_LINE = re.compile(r"^(ok|not ok)\b(?:\s+\d+)?(?:\s*-?\s*(.*))?$")
SKIP = re.compile(r"#\s*SKIP", re.IGNORECASE)


class Run(NamedTuple):
    """One way to run tests: its name, the build folder, how to set that up, what to run; and what
    to build, when that is not all."""

    name: str
    build: str
    setup: list[str]
    test: list[str]
    targets: tuple[str, ...] = ()


def runs(plain_only: bool) -> list[Run]:
    # Whatever the folder was set up with before: a test must not be missing because a package was.
    whole = ["-Dpython=enabled", "-Dcommand=enabled", "-Dtests=true", "-Dexamples=true"]
    every = [Run("plain", "build", whole, [])]
    if not plain_only:
        sanitized = ["-Db_lundef=false", "-Dbuildtype=debug", "-Doptimization=1", SANITIZERS]
        sanitized += whole
        every.append(Run("sanitizers", "build-sanitizers", sanitized, ["--no-suite", "rules"]))
        valgrind = "valgrind --quiet --leak-check=full --error-exitcode=99 --trace-children=no"
        valgrind += f" --suppressions={ROOT / 'tests/tools/valgrind.supp'}"
        every.append(
            Run("valgrind", "build", [], ["--wrapper", valgrind, "--suite", "valgrind"])
        )
        every.append(Run("fuzzers", "build-fuzz", ["-Dfuzz=true"], ["--suite", "libfuzzer"], ("fuzzers",)))
        every.append(
            Run(
                "thread sanitizer",
                "build-threads",
                ["-Db_lundef=false", "-Db_sanitize=thread"],
                ["threads", "client-cancel", "command-ahead"],
                (
                    "tests/server/pop3-testserver",
                    "tests/threads/client-threads",
                    "tests/client/client-cancel",
                    "tests/sync/command-ahead",
                ),
            )
        )
    return every


def slug(run: Run) -> str:
    """The run's name as part of a file's name."""
    return run.name.replace(" ", "-")


def build(run: Run) -> None:
    """Sets the build folder up, again if it is already (packages may have come since), and builds."""
    again = ["--reconfigure"] if (ROOT / run.build / "build.ninja").exists() else []
    subprocess.run(["meson", "setup", *again, run.build, *run.setup], cwd=ROOT, check=True)
    jobs = str(os.cpu_count() or 2)
    subprocess.run(["ninja", "-C", run.build, "-j", jobs, *run.targets], cwd=ROOT, check=True)


def results_of(test: dict) -> dict[str, str]:
    """The results within one of Meson's tests: each line of TAP, or the test as a whole."""
    name = test["name"]
    found: dict[str, str] = {}
    for line in (test.get("stdout") or "").splitlines():
        match = TAP_LINE.match(line)
        if match is None:
            continue
        label = f"{name}: {SKIP.split(match[2] or '')[0].strip()}"
        if SKIP.search(match[2] or ""):
            found[label] = "skipped"
        else:
            found[label] = "passed" if match[1] == "ok" else "failed"
    ended = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}.get(test["result"], "failed")
    if not found:
        found[name] = ended
    elif ended == "failed" and "failed" not in found.values():
        found[f"{name}: the program itself ({test['result'].lower()})"] = "failed"
    return found


def logs(run: Run, kind: str) -> list[Path]:
    """Meson's logs of a run. It puts the name of a wrapper behind the name that it is given."""
    return sorted((ROOT / run.build / "meson-logs").glob(f"check-{slug(run)}*.{kind}"))


def perform(run: Run) -> dict[str, str]:
    """Runs the tests of one way; returns each result by the test's name."""
    for old in logs(run, "json"):
        old.unlink()
    command = ["meson", "test", "-C", run.build, "--no-rebuild", "--logbase", f"check-{slug(run)}"]
    environment = dict(os.environ)
    environment.setdefault("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0")
    suppressions = ROOT / "tests" / "threads" / "thread-sanitizer.supp"
    environment.setdefault("TSAN_OPTIONS", f"halt_on_error=1:suppressions={suppressions}")
    environment.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1")
    subprocess.run([*command, *run.test], cwd=ROOT, env=environment, check=False)
    found: dict[str, str] = {}
    for log in logs(run, "json"):
        for line in log.read_text().splitlines():
            found.update(results_of(json.loads(line)))
    return found or {f"{run.name}: no test ran": "failed"}


def report_failures(run: Run, results: dict[str, str]) -> None:
    """Names what failed, with what Meson kept of the output."""
    for name, result in results.items():
        if result != "passed":
            print(f"  {result}: {name}")
    if "failed" in results.values():
        text = "".join(log.read_text() for log in logs(run, "txt"))
        for block in text.split("\n\n====="):
            if "not ok" in block or "ERROR" in block or re.search(r"exit status [1-9]", block):
                print(block[-6000:])


def main(arguments: list[str]) -> int:
    total: dict[str, str] = {}
    lines = []
    for run in runs("--plain" in arguments):
        print(f"\n== {run.name}", flush=True)
        build(run)
        results = perform(run)
        report_failures(run, results)
        counts = Counter(results.values())
        lines.append(
            f"{run.name}: {counts['passed']} passed, {counts['failed']} failed"
            + (f", {counts['skipped']} skipped" if counts["skipped"] else "")
        )
        for name, result in results.items():
            if total.get(name) != "failed" and not (result == "skipped" and name in total):
                total[name] = result
    counts = Counter(total.values())
    print("\n" + "\n".join(lines))
    print("each test counted once, whatever the number of builds it ran in:")
    print(
        f"{counts['passed']} passed, {counts['failed']} failed"
        + (f", {counts['skipped']} skipped" if counts["skipped"] else "")
    )
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
