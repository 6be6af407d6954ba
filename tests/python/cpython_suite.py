#!/usr/bin/env python3
"""Runs CPython's own test_poplib, unchanged, on cpoplib, and prints each test's result as a line of TAP.

A test that was skipped is shown as skipped; when the suite is not installed nothing has passed.
"""

from __future__ import annotations

import sys
import unittest
import warnings

import cpoplib

sys.modules["poplib"] = cpoplib
warnings.simplefilter("ignore", DeprecationWarning)  # asyncore, which the suite's server is made of


class TapResult(unittest.TestResult):
    """One line for each test."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def line(self, result: str, test: unittest.TestCase, note: str = "") -> None:
        self.count += 1
        print(f"{result} {self.count} - {test.id()}{note}", flush=True)

    def addSuccess(self, test: unittest.TestCase) -> None:
        self.line("ok", test)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        self.line("ok", test, f" # SKIP {reason}")

    def failed(self, test: unittest.TestCase, text: str) -> None:
        self.line("not ok", test)
        for line in text.splitlines():
            print(f"# {line}")

    def addFailure(self, test: unittest.TestCase, err: tuple) -> None:
        super().addFailure(test, err)
        self.failed(test, self.failures[-1][1])

    def addError(self, test: unittest.TestCase, err: tuple) -> None:
        super().addError(test, err)
        self.failed(test, self.errors[-1][1])


def main() -> int:
    try:
        from test import test_poplib
    except ImportError as error:
        print(f"1..0 # SKIP CPython's test suite is not installed: {error}")
        return 0
    assert test_poplib.poplib is cpoplib
    result = TapResult()
    unittest.defaultTestLoader.loadTestsFromModule(test_poplib).run(result)
    print(f"1..{result.count}")
    return 0 if result.wasSuccessful() and result.count > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
