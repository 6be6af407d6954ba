"""How a catalogue is played: its options, many plays at once, and a line of TAP for each."""

from __future__ import annotations

import argparse
import gc
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, NamedTuple, Sequence


class Played(NamedTuple):
    wrong: list[str]
    notes: Sequence[str] = ()  # to be shown whether it went well or not


def read_arguments(jobs: int) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--share", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=jobs)
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--sanitizers", action="store_true")
    arguments = parser.parse_args()
    if os.environ.get("HOSTILE_ALL"):
        arguments.share = 1
    return arguments


def play_all(work: Sequence, jobs: int, play_one: Callable[[int, object], Played], kind: Callable[[object], str]) -> tuple[int, Counter[str]]:
    """How many failed, and how many there were of each kind. A play has a title."""
    failed = 0
    counts: Counter[str] = Counter()
    print(f"1..{len(work)}", flush=True)
    with ThreadPoolExecutor(jobs) as pool:
        for i, (play, played) in enumerate(zip(work, pool.map(play_one, range(len(work)), work)), 1):
            failed += bool(played.wrong)
            counts[kind(play)] += 1
            if i % 10 == 0:
                gc.collect()  # this process stays small: see `watch`
            print(f"{'not ok' if played.wrong else 'ok'} {i} - {play.title}")
            for line in "\n".join([*played.notes, *played.wrong]).splitlines():
                print(f"#   {line}", flush=True)
    return failed, counts
