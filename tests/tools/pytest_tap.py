#!/usr/bin/env python3
"""Runs pytest and prints each test's result as a line of TAP, so that Meson counts it. Behind a failure comes what was
asserted and where, then the rest: whoever cuts the output keeps its beginning.

    pytest_tap.py [PYTEST-ARGUMENT]...
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest


class Tap:
    """A pytest plugin: one line for each test, what failed and its traceback as comments."""

    def __init__(self) -> None:
        self.count = 0
        self.interrupted: Counter[str] = Counter()  # deliveries: "TARGET: HOW"

    def line(self, result: str, name: str, note: str = "") -> None:
        self.count += 1
        plain = name.replace("#", "_").encode("ascii", "backslashreplace").decode()
        print(f"{result} {self.count} - {plain}{note}", flush=True)

    def pytest_addoption(self, parser: pytest.Parser) -> None:
        # Assertion messages ask for it; it is the terminal plugin's, which would print over ours.
        parser.addoption("--verbose", type=int, default=0)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = report.nodeid.split("/")[-1]
        if report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
            self.line("ok", name, f" # SKIP {reason}")
        elif report.failed:
            self.line("not ok", name, "" if report.when == "call" else f" ({report.when})")
            crash = getattr(report.longrepr, "reprcrash", None)
            if crash is not None:
                for text in f"{Path(crash.path).name}:{crash.lineno}: {crash.message}".splitlines():
                    print(f"# {text}")
            for text in report.longreprtext.splitlines():
                print(f"# {text}")
            for title, captured in report.sections:
                print(f"# {title}:")
                for text in captured.splitlines()[-40:]:
                    print(f"#   {text}")
        elif report.when == "call":
            self.line("ok", name)
            for what, value in report.user_properties:
                if what == "interrupted":
                    target, how, times = value
                    self.interrupted[f"{target}: {how}"] += times

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:  # a whole file
            self.line("ok", report.nodeid.split("/")[-1], f" # SKIP {report.longrepr[2]}")
        elif report.failed:
            self.line("not ok", f"collecting {report.nodeid}")
            for text in str(report.longrepr).splitlines():
                print(f"# {text}")

    def pytest_sessionfinish(self) -> None:
        for what, times in self.interrupted.items():
            print(f"# interrupted: {what}: {times}")
        print(f"1..{self.count}", flush=True)


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    options = ["-p", "no:terminal", "-p", "no:cacheprovider", "--capture=fd"]
    tap = Tap()
    status = pytest.main([*options, *sys.argv[1:]], plugins=[tap])
    all_skipped = status == pytest.ExitCode.NO_TESTS_COLLECTED and tap.count > 0
    sys.exit(0 if all_skipped else status)
