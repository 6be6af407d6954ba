"""The sanitizers that this build has find what they are for: a build without them would pass every test."""

import os
import subprocess

import pytest

FAULTY = os.environ["FAULTY"]
UNDEFINED = ["overflow", "shift", "index", "unaligned"]


def run(fault):
    return subprocess.run([FAULTY, fault], capture_output=True, text=True, timeout=60, check=False)


def test_a_program_without_a_fault_ends_well():
    done = run("none")
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


@pytest.mark.parametrize("fault", UNDEFINED)
def test_undefined_behaviour_ends_the_program_and_is_reported(fault):
    done = run(fault)
    assert done.returncode != 0 and "done" not in done.stdout
    assert "runtime error" in done.stderr or "AddressSanitizer: ILL" in done.stderr
    assert "faulty.c:" in done.stderr  # where


@pytest.mark.parametrize("fault", ["heap", "freed"])
def test_use_of_memory_that_is_not_there_ends_the_program_and_is_reported(fault):
    done = run(fault)
    assert done.returncode != 0 and "done" not in done.stdout
    assert "AddressSanitizer: heap-" in done.stderr and "faulty.c:" in done.stderr


def test_a_leak_is_reported():
    done = run("leak")
    assert done.returncode != 0 and "LeakSanitizer" in done.stderr
