#!/usr/bin/env python3
"""Measures us and our peers: the same machine, the same server, in turn, round after round.

    run.py [--full] [--rounds N] [--keep] [--build DIR] [--output DIR] [--deliver-to DIR] [WORKLOAD]...

Workloads are W1 to W9, T (other targets than a Maildir), P (Python), G1 (growth by messages), G2 (growth by
accounts) and G4 (visits over TLS); default all of them. The short form is for a look, with smaller workloads and
without the slowest peers; --full is for numbers to be published. Prints the tables, and leaves in --output (default: BUILD/bench-results)
performance-results.md and a folder performance with results.json and the plots; with --keep, what is there of other
tables stays, and each says of which run it is. docs/records/performance.md says
how it is done and what it means.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import plot
import workloads
from harness import ROOT, Bench, Row, Trial
from workloads import Goal, Result


def output_of(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def machine(bench: Bench) -> dict:
    """What the numbers depend on."""
    models = [l for l in Path("/proc/cpuinfo").read_text().splitlines() if l.startswith("model name")]
    cpu = models[0].split(":", 1)[1].strip() if models else platform.machine()
    packages = ["libetpan20", "libcurl4", "libcurl3-gnutls", "mpop", "fetchmail", "fdm", "getmail6"]
    packages += ["perl", "python3", "dovecot-pop3d", "libssl3"]
    listed = output_of("dpkg-query", "-W", "-f", "${Package} ${Version} ${db:Status-Status}\n", *packages)
    return {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "commit": output_of("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "processor": cpu,
        "processors": os.cpu_count(),
        "load_at_start": round(os.getloadavg()[0], 2),
        "kernel": ".".join(platform.release().split(".")[:2]),
        "disk": output_of("stat", "-f", "-c", "%T", str(bench.scratch)),
        "packages": dict(l.split()[:2] for l in listed.splitlines() if l.endswith(" installed")),
        "form": "short" if bench.short else "full",
        "rounds": bench.rounds,
    }


def number(value: float, digits: int = 2) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def table(result: Result) -> list[str]:
    """A result as a Markdown table: fastest first, what failed last."""
    floor = next((r.median for r in result.rows if r.trial.kind == "floor" and not r.failure), math.nan)
    ours = min((r.median for r in result.rows if r.trial.kind == "ours" and not r.failure), default=math.nan)
    lines = [
        f"### {result.name}: {result.title}",
        "",
        *([f"Of another run: {result.run}.", ""] if result.run else []),
        "| program | seconds | x floor | x ours | CPU seconds | peak MB | note |",
        "|---|---:|---:|---:|---:|---:|---|",
    ]
    for row in sorted(result.rows, key=lambda r: (bool(r.failure), r.median)):
        name = f"**{row.trial.name}**" if row.trial.kind == "ours" else row.trial.name
        if row.failure:
            lines.append(f"| {name} | | | | | | failed: {row.failure.replace('|', '/')} |")
            continue
        note = "once" if len(row.wall) == 1 else f"{number(min(row.wall), 3)} to {number(max(row.wall), 3)}"
        cpu = sorted(row.cpu)[len(row.cpu) // 2]
        lines.append(
            f"| {name} | {number(row.median, 3)} | {number(row.median / floor)} | {number(row.median / ours)} "
            f"| {number(cpu, 3)} | {number(max(row.peak_kib) / 1024, 1)} | {note} |"
        )
    for goal in result.goals:
        value = "" if goal.value is None else f"{number(goal.value)}, "
        floor = "" if goal.least is None else f" (the floor: {number(goal.least)})"
        lines += ["", f"{goal.text}: {value}goal at most {number(goal.most)}: **{goal.verdict}**{floor}"]
    return lines + [""]


def scanner(bench: Bench) -> list[str]:
    text = output_of(bench.tool("bench-scan"))
    return ["### The scanner, in GB/s", "", "```", *text.splitlines(), "```", ""]


def document(about: dict, results: list[Result], scan: list[str], plots: list[str]) -> str:
    """Everything as one page."""
    packages = ", ".join(f"{k} {v}" for k, v in about["packages"].items())
    lines = [
        "<!-- written by bench/run.py; do not edit -->",
        "# Performance: results of one run",
        "",
        f"{about['date']}, revision {about['commit']}, {about['form']} form, {about['rounds']} rounds. "
        f"{about['processors']} x {about['processor']}, Linux {about['kernel']}, scratch files on "
        f"{about['disk']}, load {about['load_at_start']} at the start. Debian packages: {packages}.",
        "",
        "Seconds are medians of wall time; the note has the fastest and the slowest round. What the columns "
        "mean, and what is not measured, is in performance.md.",
        "",
    ]
    for result in results:
        lines += table(result)
    lines += scan
    for name in plots:
        lines += [f"![{name}]({name})", ""]
    return "\n".join(lines)


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--timeout", type=int, help="seconds after which a program is killed")
    parser.add_argument("--keep", action="store_true", help="keep the tables of earlier runs that this one does not make")
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--output", type=Path)
    parser.add_argument("--deliver-to", type=Path, help="where mail is delivered: a folder on the disk to measure")
    parser.add_argument("workload", nargs="*", choices=[[], *workloads.ALL], metavar="WORKLOAD")
    return parser.parse_args(arguments)


def kept_result(found: dict, about: dict) -> Result:
    """A table of an earlier run, from its results.json."""
    rows = [Row(Trial(r["name"], lambda _: [], r["kind"]), r["wall_s"], r["cpu_s"], r["peak_kib"], r["failure"])
            for r in found["rows"]]
    goals = [Goal(g["text"], g["value"], g["most"], g.get("least")) for g in found["goals"]]
    run = found.get("run") or f"{about['date']}, revision {about['commit']}, {about['form']} form, {about['processor']}"
    return Result(found["name"], found["title"], rows, goals, found["series"], run)


def earlier_results(output: Path) -> list[Result]:
    path = output / "performance" / "results.json"
    if not path.exists():
        return []
    data = json.loads(path.read_text())
    return [kept_result(found, data["about"]) for found in data["results"]]


def with_kept(results: list[Result], kept: list[Result]) -> list[Result]:
    """In the order of the earlier run, each table where it was; new ones at the end."""
    made = {r.name: r for r in results}
    return [made.pop(r.name, r) for r in kept] + list(made.values())


def save(output: Path, about: dict, results: list[Result], scan: list[str]) -> None:
    """Writes what has been measured so far."""
    data = [
        {
            "name": r.name,
            "title": r.title,
            "series": r.series,
            "run": r.run,
            "rows": [row.as_json() for row in r.rows],
            "goals": [
                {"text": g.text, "value": g.value, "most": g.most, "least": g.least, "verdict": g.verdict}
                for g in r.goals
            ],
        }
        for r in results
    ]
    beside = output / "performance"
    beside.mkdir(exist_ok=True)
    for old in beside.glob("*.svg"):
        old.unlink()
    (beside / "results.json").write_text(json.dumps({"about": about, "results": data}, indent=1) + "\n")
    plots = [f"performance/{name}" for name in plot.write_all(data, beside)]
    (output / "performance-results.md").write_text(document(about, results, scan, plots) + "\n")


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers and scratch files go
    output = options.output or options.build / "bench-results"
    output.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="libpop3-bench-", dir=options.deliver_to or options.build))
    try:
        bench = Bench(
            options.build.resolve(),
            scratch.resolve(),
            options.rounds or (5 if options.full else 3),
            not options.full,
            options.timeout or (900 if options.full else 60),
        )
        about = machine(bench)
        scan = scanner(bench)
        print("\n".join(scan))
        results: list[Result] = []
        kept = earlier_results(output) if options.keep else []
        for name in options.workload or workloads.ALL:
            print(f"{name}: {workloads.ALL[name].__doc__}", file=sys.stderr)
            new = workloads.ALL[name](bench)
            for result in new:
                print("\n".join(table(result)), flush=True)
            results += new
            save(output, about, with_kept(results, kept), scan)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    goals = [(r.name, g) for r in results for g in r.goals]
    missed = [f"{n}: {g.text}: {number(g.value)} > {number(g.most)}" for n, g in goals if g.verdict == "missed"]
    met = sum(g.verdict == "met" for _, g in goals)
    print(f"{met} goals met, {len(missed)} missed" + "".join(f"\n  {line}" for line in missed))
    print(f"results, table and plots: {output}")
    return 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main(sys.argv[1:]))
