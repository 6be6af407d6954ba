#!/usr/bin/env python3
"""cpoplib against poplib: time and peak memory of whole sessions, in turn, with their ratios.

    bench/python_retr.py [--build DIR] [--rounds N] [--scale F] [WORKLOAD]...

Each session is a process of its own that logs in, asks STAT, retrieves every message and quits; only that is
timed, the start of Python is not. Workloads: W1, W2, W2t (over TLS), lists; all by default.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Iterator, NamedTuple

ROOT = Path(__file__).resolve().parent.parent

CLIENT = """
import importlib, json, resource, sys, time
name, port, what = sys.argv[1], int(sys.argv[2]), sys.argv[3]
module = importlib.import_module(name)
module._MAXLINE = 1 << 20
kind = module.POP3_SSL if what.startswith("tls-") else module.POP3
began = time.perf_counter()
pop = kind("127.0.0.1", port)
pop.user("user")
pop.pass_("pass")
count, total = pop.stat()[0], 0
what = what.split("-")[-1]
if what == "lists":
    total = len(pop.uidl()[1]) + len(pop.list()[1])
elif what == "retr":
    for n in range(1, count + 1):
        total += pop.retr(n)[2]
elif what == "retr_bytes":
    for n in range(1, count + 1):
        total += len(pop.retr_bytes(n))
else:
    for n, message in pop.retr_many(range(1, count + 1)):
        total += len(message)
pop.quit()
seconds = time.perf_counter() - began
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, total]))
"""


class Workload(NamedTuple):
    """What the server has, and what the client does with it."""

    title: str
    messages: int
    octets: int
    what: str
    extras: tuple[str, ...] = ("retr_bytes", "retr_many")


WORKLOADS = {
    "W1": Workload("10,000 x 4 KB", 10_000, 4096, "retr"),
    "W2": Workload("200 x 5 MB", 200, 5_000_000, "retr"),
    "W2t": Workload("200 x 5 MB over TLS", 200, 5_000_000, "tls-retr", ("tls-retr_bytes", "tls-retr_many")),
    "lists": Workload("UIDL and LIST of 100,000", 100_000, 100, "lists", ()),
}


@contextlib.contextmanager
def server(build: Path, certificates: Path, workload: Workload, scale: float) -> Iterator[tuple[int, int]]:
    """Runs the server; gives its ports."""
    messages = max(1, round(workload.messages * scale))
    command = [build / "bench" / "bench-server", "--messages", messages, "--size", workload.octets,
               "--cert", certificates / "good.pem", "--key", certificates / "good.key"]
    process = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        ready = process.stdout.readline().split()
        yield int(ready[1]), int(ready[2])
    finally:
        process.terminate()
        process.wait()


def session(build: Path, module: str, port: int, what: str) -> list[float]:
    """One session: seconds, seconds of the processor, MB at most, what it counted."""
    environment = {**os.environ, "PYTHONPATH": str(build / "python")}
    done = subprocess.run([sys.executable, "-c", CLIENT, module, str(port), what], env=environment,
                          stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def measure(build: Path, certificates: Path, workload: Workload, rounds: int, scale: float) -> None:
    """Prints a table for one workload."""
    kinds = [("poplib", workload.what), ("cpoplib", workload.what)]
    kinds += [("cpoplib", what) for what in workload.extras]
    results: dict[tuple[str, str], list[list[float]]] = {kind: [] for kind in kinds}
    with server(build, certificates, workload, scale) as (plain, tls):
        for _ in range(rounds):
            for module, what in kinds:
                port = tls if what.startswith("tls-") else plain
                results[module, what].append(session(build, module, port, what))
    medians = {kind: [statistics.median(column) for column in zip(*rows)] for kind, rows in results.items()}
    base = medians[kinds[0]]
    print(f"\n{workload.title}, medians of {rounds}" + (f", scaled by {scale:g}" if scale != 1 else ""))
    print(f"  {'':24}{'seconds':>9}{'CPU':>9}{'MB':>8}   poplib's time and CPU are so many times more")
    for (module, what), (seconds, cpu, memory, _count) in medians.items():
        print(f"  {module + ' ' + what:24}{seconds:9.3f}{cpu:9.3f}{memory:8.1f}"
              f"{base[0] / seconds:12.1f}x{base[1] / cpu:8.1f}x", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of messages")
    parser.add_argument("workloads", nargs="*", choices=[[], *WORKLOADS], metavar="WORKLOAD")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([ROOT / "tests" / "server" / "make-certs.sh", directory], check=True)
        for name in options.workloads or WORKLOADS:
            measure(options.build.resolve(), Path(directory), WORKLOADS[name], options.rounds, options.scale)
    return 0


if __name__ == "__main__":
    sys.exit(main())
