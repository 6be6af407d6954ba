"""A program that is watched until it ends: what it said, how it ended, and what it had in memory at its peak; and what of
that holds for every program that meets something hostile."""

from __future__ import annotations

import os
import re
import resource
import select
import subprocess
from pathlib import Path
from typing import Mapping, NamedTuple, Optional, Sequence

DEADLINE = 300  # seconds until a program counts as hanging
ADDRESSES = 160 << 10  # KiB of address space that a program may have besides; a quiet session has 60,000
PEAK = 96 << 10  # KiB that may be in memory at once; a quiet session has 13,000
ALLOCATION = 64  # MiB that one allocation may have, under sanitizers

# What a terminal obeys: control characters but for the ends of lines, those of C1 too.
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f]")


class Outcome(NamedTuple):
    status: Optional[int]  # None: it had to be killed
    out: bytes
    errors: bytes
    peak: int  # KiB; 0 where that is no more than this process has had itself


def sanitizer_options(allocation: int = ALLOCATION) -> dict[str, str]:
    """The environment of programs that were built with them. Leaks are looked for in the tests of the command."""
    asan = (f"max_allocation_size_mb={allocation}:allocator_may_return_null=0:exitcode=86:detect_leaks=0:handle_sigill=1:"
            "verify_asan_link_order=0")  # fmt: skip
    return {"ASAN_OPTIONS": asan, "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1:exitcode=86"}


def read_end(file) -> bytes:
    """The last MiB of what was written."""
    file.seek(max(0, file.seek(0, os.SEEK_END) - (1 << 20)))
    return file.read()


def watch(line: Sequence[str], folder: Path, env: Mapping[str, str], most: Optional[int] = PEAK, stdin=subprocess.DEVNULL,
          **options: object) -> Outcome:  # fmt: skip
    """Runs a program; `folder` has what it says. `most`: the KiB that it may have in memory, from which follows what it may
    have of address space; None under sanitizers, which reserve more."""
    if most is not None:
        line = ["sh", "-c", f'ulimit -v {most + ADDRESSES}; exec "$0" "$@"', *line]
    with open(folder / "out", "wb+") as out, open(folder / "errors", "wb+") as errors:
        process = subprocess.Popen(line, stdin=stdin, stdout=out, stderr=errors, env=env, **options)
        # Linux counts in a child's peak what its parent had had when it began it: no more than this.
        inherited = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert most is None or inherited <= most, "this process is too large to measure others"
        descriptor = os.pidfd_open(process.pid)
        ended, _, _ = select.select([descriptor], [], [], DEADLINE)
        os.close(descriptor)
        if not ended:
            process.kill()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        peak = usage.ru_maxrss if usage.ru_maxrss > inherited else 0
        return Outcome(process.returncode if ended else None, read_end(out), read_end(errors), peak)


def judge_text(what: str, octets: bytes) -> list[str]:
    """That it is text which no terminal obeys."""
    try:
        text = octets.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as e:
        return [f"{what} is no UTF-8: {octets[max(0, e.start - 20):e.end + 20]!r}"]
    match = UNSAFE.search(text)
    return [f"{what} has {text[max(0, match.start() - 20):match.end() + 20]!r}"] if match else []


def judge_end(outcome: Outcome, statuses: set[int], most: Optional[int] = PEAK) -> list[str]:
    """That it ended, as it may, and within its memory."""
    wrong = []
    if outcome.status is None:
        wrong.append("it hangs")
    elif outcome.status not in statuses:
        wrong.append(f"it ended with status {outcome.status}")
    if most is not None and outcome.peak > most:
        wrong.append(f"{outcome.peak} KiB were in memory, more than {most}")
    return wrong
