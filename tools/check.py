#!/usr/bin/env python3
"""Builds everything and runs every test: in the plain build as an ordinary user, under sanitizers as the caller (root, in
CI), under valgrind; those of the client and the command on a bare machine; each fuzz target for five seconds; and the
tests of threads under ThreadSanitizer.

    check.py [--werror] [--plain | --only RUN]...
                                              --plain: only the first run; --werror: warnings are errors (in CI, as
                                              users may have newer compilers)
    check.py --only processor [--command] [--across FILE]...
                                              the tests that depend on the processor; --command: also the whole command;
                                              --across: cross-built with this cross file of Meson
    check.py --built FOLDER...                the tests of the core and the client, and the fuzzers' corpora, in
                                              build directories that are ready (tools/check-musl.sh)

Tests see nothing of this program's environment. tests/tools/run_test.py has the conditions of each run. A test that
runs several times counts once, and has passed if it passed in each run. In the plain build each test runs once as an
ordinary user (or, if there is none and with --plain, as the caller) and, if that can make a difference, once on a bare
machine. Skipped tests are named and counted separately. For each target of mail it prints how many deliveries were
interrupted. Failures are named again at the end. The last line is
`N passed, N failed`; the exit status is 0 if none failed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SANITIZERS = "-Db_sanitize=address,undefined"

MOST_PRINTED = 6000  # characters of a test that failed

INTERRUPTED = re.compile(r"^# interrupted: (.+): (\d+)$", re.MULTILINE)
TAP_LINE = re.compile(r"^(ok|not ok)\b(?:\s+\d+)?(?:\s*-?\s*(.*))?$")
SKIP = re.compile(r"#\s*SKIP", re.IGNORECASE)


# In place of how to set a folder up: it is.
BUILT = ["already built"]


class Run(NamedTuple):
    """One way to run tests: its name, the build folder, how to set that up, what to run; under which
    conditions; what to build, when that is not all; and the program without which it is skipped."""

    name: str
    build: str
    setup: list[str]
    test: list[str]
    conditions: str = "plain"
    tool: str = "meson"
    targets: tuple[str, ...] = ()


# Whatever the folder was set up with before: a test must not be missing because a package was.
WHOLE = ["-Dpython=enabled", "-Dcommand=enabled", "-Dtests=true", "-Dexamples=true"]

# What a user, a name service, IPv6, files elsewhere or the date can make a difference to.
OUTSIDE = [word for suite in ("client", "auth", "collect", "command", "interop", "server") for word in ("--suite", suite)]

# What is in the twins of Linux's files: src/system.
PROGRAMS = [
    *(f"tests/client/client-{name}" for name in ("cancel", "connect", "event_loop", "pipelining", "quirks")),
    *(f"tests/sync/command-{name}" for name in ("delivery", "mbox", "plan", "runner", "state")),
]
PORTABLE = [*(Path(program).name for program in PROGRAMS), "command-without-sandbox"]

# Of replies, memory, power cuts, faults, Gmail and octets that parsers read: to them a user, IPv6 or the place of files
# makes no difference: the bare machine does without.
BUT_LONG = ["--no-suite", "long", "--no-suite", "hostile", "--no-suite", "fuzz"]

# Tests wait more than they reckon: three for each processor keep it busy.
PROCESSORS = os.cpu_count() or 1
AT_ONCE = ["--num-processes", str(3 * PROCESSORS), "--timeout-multiplier", "3"]

RUNS = [
    Run("plain", "build", WHOLE, []),
    # The rules build, and the build folder is its owner's: `make fresh` tries that as an ordinary user.
    Run("user", "build", WHOLE, ["--no-suite", "rules"], conditions="user"),
    Run("bare", "build", WHOLE, [*OUTSIDE, *BUT_LONG, "--no-suite", "within"], conditions="bare"),
    Run(
        "sanitizers",
        "build-sanitizers",
        ["-Db_lundef=false", "-Dbuildtype=debug", "-Doptimization=0", "-Dc_args=-g1 -fsanitize-undefined-trap-on-error",
         "-Dc_link_args=-fsanitize-undefined-trap-on-error", SANITIZERS, *WHOLE],
        ["--no-suite", "rules"],
        conditions="sanitizers",
    ),
    Run("portable", "build-portable", ["-Dportable=true", "-Dpython=disabled", "-Dcommand=enabled", "-Dtests=true"], PORTABLE,
        conditions="east_2040",
        targets=("src/cli/pop3", "tests/server/pop3-testserver", "tests/tools/libclock-2040.so", *PROGRAMS)),  # fmt: skip
    Run("valgrind", "build", WHOLE, ["--suite", "valgrind"], conditions="valgrind", tool="valgrind"),
    Run("fuzzers", "build-fuzz", ["-Dfuzz=true"], ["--suite", "libfuzzer", "--num-processes", str(PROCESSORS)],
        targets=("fuzzers",), tool="clang"),  # fmt: skip
    Run(
        "thread sanitizer",
        "build-threads",
        ["-Db_lundef=false", "-Db_sanitize=thread"],
        ["threads", "client-cancel", "collect-parts", "collect-visit", "collect-visit-steps"],
        targets=(
            "tests/server/pop3-testserver",
            "tests/threads/client-threads",
            "tests/client/client-cancel",
            "tests/collect/collect-parts",
            "tests/collect/collect-visit",
        ),
    ),
]


# Not part of `make check`: what the processor makes a difference to, for programs that may be emulated and
# slow; and with dates that 32 bits of seconds do not reach. The core, the client, logging in, the collecting library and
# the command's parts; the command as a whole if that is asked for.
PROCESSOR_SETUP = ["-Dpython=disabled", "-Dcommand=enabled", "-Dtests=true", "-Dexamples=true", "-Ddebug=false"]
PROCESSOR_TESTS = [word for suite in ("unit", "server", "client", "auth", "collect", "parts") for word in ("--suite", suite)]
PROCESSOR_TESTS += ["-t", "20"]
COMMAND = ["--suite", "command"]
PROCESSOR = [
    Run("processor", "build-processor", PROCESSOR_SETUP, PROCESSOR_TESTS),
    Run("processor in 2040", "build-processor", PROCESSOR_SETUP, PROCESSOR_TESTS, conditions="east_2040"),
]


def on_processor(run: Run, files: list[str], more: list[str]) -> Run:
    """The run as these cross files have it, with more tests: what is emulated has no time for the long ones."""
    setup = [*run.setup, *(f"--cross-file={Path(file).resolve()}" for file in files)]
    return run._replace(setup=setup, test=[*run.test, *more, *(BUT_LONG if files else [])])


def slug(run: Run) -> str:
    """The run's name as part of a file's name."""
    return run.name.replace(" ", "-")


def why_impossible(run: Run) -> str:
    """Why tests cannot have this run's conditions on this machine, or nothing."""
    command = [ROOT / "tests/tools/run_test.py", ROOT / run.build, run.conditions, "--possible"]
    asked = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return asked.stdout if asked.returncode != 0 else ""


def build(run: Run) -> None:
    """Sets the build folder up, again if it is already (packages may have come since), and builds."""
    again = ["--reconfigure"] if (ROOT / run.build / "build.ninja").exists() else []
    if again:  # what was not there when it was set up is looked for again
        subprocess.run(["meson", "configure", "--clearcache", run.build], cwd=ROOT, check=True)
    subprocess.run(["meson", "setup", *again, run.build, *run.setup], cwd=ROOT, check=True)
    jobs = str(os.cpu_count() or 2)
    subprocess.run(["ninja", "-C", run.build, "-j", jobs, *run.targets], cwd=ROOT, check=True)


def kind(result: str) -> str:
    """The result without the reason that may be behind it."""
    return result.split(":")[0]


def results_of(test: dict) -> dict[str, str]:
    """The results within one of Meson's tests: each line of TAP, or the test as a whole. Behind "skipped" and "failed" is
    the reason, if one is given: it is no part of the name, as the test may run under other conditions."""
    name = test["name"]
    found: dict[str, str] = {}
    lines = (test.get("stdout") or "").splitlines()
    for line, comment in zip(lines, [*lines[1:], ""]):
        match = TAP_LINE.match(line)
        if match is None:
            continue
        parts = [part.strip() for part in SKIP.split(match[2] or "")]
        label = f"{name}: {parts[0] or parts[-1]}"  # behind "# SKIP" is the reason, or cmocka's name of the test
        if len(parts) > 1:
            found[label] = f"skipped: {parts[-1]}" if parts[0] else "skipped"
        else:
            reason = f": {comment[2:]}" if comment.startswith("# ") else ""
            found[label] = "passed" if match[1] == "ok" else f"failed{reason}"
    ended = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}.get(test["result"], "failed")
    if not found:
        found[name] = ended
    elif ended == "failed" and "failed" not in map(kind, found.values()):
        found[f"{name}: the program itself ({test['result'].lower()})"] = "failed"
    return found


def logs(run: Run, kind: str) -> list[Path]:
    """Meson's logs of a run. It puts the name of a wrapper behind the name that it is given."""
    return sorted((ROOT / run.build / "meson-logs").glob(f"check-{slug(run)}*.{kind}"))


def perform(run: Run) -> dict[str, str]:
    """Runs the tests of one way; returns each result by the test's name."""
    for old in logs(run, "json"):
        old.unlink()
    reason = why_impossible(run)
    if reason:
        return {f"all tests under the conditions of \"{run.name}\" ({reason})": "skipped"}
    command = ["meson", "test", "-C", run.build, "--no-rebuild", "--setup", run.conditions]
    command += ["--logbase", f"check-{slug(run)}", *AT_ONCE, *run.test]
    subprocess.run(command, cwd=ROOT, check=False)
    found: dict[str, str] = {}
    for log in logs(run, "json"):
        for line in log.read_text().splitlines():
            found.update(results_of(json.loads(line)))
    return found or {f"{run.name}: no test ran": "failed"}


def build_and_perform(run: Run, built: list[tuple]) -> dict[str, str]:
    """The same after building, where that has not been done. What cannot be built is one test that failed."""
    what = (run.build, run.setup, run.targets)
    try:
        if run.setup != BUILT and what not in built:
            build(run)
    except subprocess.CalledProcessError as error:
        print(error)
        return {f"{run.name}: the build": "failed"}
    built.append(what)
    return perform(run)


def shortened(text: str) -> str:
    """The text without its middle, where it is long: what was asserted comes first, how it ended last."""
    half = MOST_PRINTED // 2
    return text if len(text) <= MOST_PRINTED else f"{text[:half]}\n[...]\n{text[-half:]}"


def interruptions_in(output: str) -> Counter[str]:
    """How many deliveries a test interrupted, by target and way, as it printed it (tests/tools/pytest_tap.py)."""
    found: Counter[str] = Counter()
    for what, times in INTERRUPTED.findall(output):
        found[what] += int(times)
    return found


def interruptions(run: Run) -> Counter[str]:
    """The same of all tests of a run."""
    lines = [line for log in logs(run, "json") for line in log.read_text().splitlines()]
    return sum((interruptions_in(json.loads(line).get("stdout") or "") for line in lines), Counter())


def report_interruptions(total: Counter[str]) -> None:
    """One line for each target."""
    targets: dict[str, list[str]] = {}
    for what, times in total.items():
        target, _, how = what.partition(": ")
        targets.setdefault(target, []).append(f"{how} {times}")
    if targets:
        print("deliveries that were interrupted, after which each message was found where it belongs, in all runs together:")
    for target, ways in sorted(targets.items()):
        print(f"  {target}: {', '.join(sorted(ways))}")


def report_failures(run: Run, results: dict[str, str]) -> None:
    """Names what failed, with what Meson kept of the output."""
    for name, result in results.items():
        if result != "passed":
            print(f"  {kind(result)}: {name}{result[len(kind(result)):]}")
    if "failed" in map(kind, results.values()):
        text = "".join(log.read_text() for log in logs(run, "txt"))
        for block in text.split("\n\n====="):
            failed = re.findall(r"^not ok.*\n(?:#.*\n)*", block, flags=re.MULTILINE)
            if failed:
                print("\n".join(map(shortened, failed)))
            elif "ERROR" in block or re.search(r"exit status [1-9]", block):
                print(shortened(block))


def all_runs() -> list[Run]:
    """Every run. What an ordinary user runs in the plain build need not run there as root as well: under sanitizers it does."""
    plain, user, *others = RUNS
    if not why_impossible(user):
        plain = plain._replace(test=["--suite", "rules"])
    return [plain, user, *others]


def chosen(arguments: list[str]) -> list[Run]:
    """The runs that the command line asks for."""
    parser = argparse.ArgumentParser()
    names = [run.name for run in [*RUNS, *PROCESSOR]]
    parser.add_argument("--built", action="append", metavar="FOLDER")
    parser.add_argument("--across", action="append", metavar="FILE", default=[])
    parser.add_argument("--command", action="store_const", const=COMMAND, default=[])
    parser.add_argument("--only", action="append", choices=names, metavar="RUN", help=", ".join(names))
    parser.add_argument("--plain", action="append_const", dest="only", const="plain")
    parser.add_argument("--werror", action="store_true")
    given = parser.parse_args(arguments)
    only = given.only
    if given.built:
        suites = ["--suite", "unit", "--suite", "client", "--suite", "fuzz"]
        return [Run(Path(folder).name, os.path.relpath(folder, ROOT), BUILT, suites) for folder in given.built]
    processor = [on_processor(run, given.across, given.command) for run in PROCESSOR]
    runs = all_runs() if only is None else [run for run in [*RUNS, *processor] if run.name in only]
    werror = f"-Dwerror={str(given.werror).lower()}"
    return [run._replace(setup=[werror, *run.setup]) for run in runs]


def main(arguments: list[str]) -> int:
    total: dict[str, str] = {}
    lines = []
    failures = []
    built: list[tuple] = []
    interrupted: Counter[str] = Counter()
    for run in chosen(arguments):
        print(f"\n== {run.name}", flush=True)
        began = time.monotonic()
        if shutil.which(run.tool) is None:
            results = {f"all tests of \"{run.name}\" (there is no {run.tool})": "skipped"}
        else:
            results = build_and_perform(run, built)
            interrupted += interruptions(run)
        report_failures(run, results)
        counts = Counter(map(kind, results.values()))
        lines.append(
            f"{run.name}: {counts['passed']} passed, {counts['failed']} failed"
            + (f", {counts['skipped']} skipped" if counts["skipped"] else "")
            + f", in {time.monotonic() - began:.0f} seconds"
        )
        failures += [f"{run.name}: {name}{result[len('failed'):]}" for name, result in results.items() if kind(result) == "failed"]
        for name, result in results.items():
            if total.get(name) != "failed" and not (kind(result) == "skipped" and name in total):
                total[name] = kind(result)
    counts = Counter(total.values())
    print("\n" + "\n".join(lines))
    for name in failures:
        print(f"failed: {name}")
    report_interruptions(interrupted)
    print("each test counted once, whatever the number of builds it ran in:")
    print(
        f"{counts['passed']} passed, {counts['failed']} failed"
        + (f", {counts['skipped']} skipped" if counts["skipped"] else "")
    )
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
