#!/usr/bin/env python3
"""Runs a test in an environment of its own: Meson starts every test through this.

    run_test.py BUILD CONDITIONS [WRAPPER...] PROGRAM [ARGUMENT]...
    run_test.py BUILD CONDITIONS --possible
    run_test.py --names

Of the caller's variables only PATH is kept and those that say how much to test, beside what Meson's test()
sets. HOME is a fresh, empty
directory, and another one is where it runs, in which nothing may be left; signals have their default dispositions, and none is blocked; standard input is /dev/null.
CONDITIONS names a row of the table below: the umask, the locale, the time zone and what the machine lacks.
Where a condition cannot be had, the test counts as skipped, with the reason; --possible only asks. --names
prints the names in the table.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

sys.dont_write_bytecode = True

import machine  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
EAST, WEST = "<+14>-14", "<-12>12"  # as far as it gets, and known without a table of zones
MISSING_LOCALE = "xx_XX.UTF-8"
# How much a test is to do: the only variables of the caller's that reach it.
AMOUNTS = ("FUZZ_SECONDS", "FAULT_STRIDE", "CRASH_MESSAGES", "CRASH_RANDOM", "CRASH_SEED", "RESET_STEP", "HOSTILE_ALL",
           "POWER_STATES", "POWER_SEED", "POWER_SHOW", "MODEL_CASES", "MODEL_SEED")
SKIPPED = 77  # Meson's exit status for it


@dataclass(frozen=True)
class Conditions:
    """What a test meets. Whatever is not named here is as the machine has it."""

    umask: int = 0o022
    locale: Optional[str] = None  # None: no variable says
    zone: Optional[str] = None
    home: bool = True  # whether HOME is set
    closed_input: bool = False  # standard input is closed, not /dev/null
    user: Optional[int] = None  # the test's user when root runs it; see also machine.Lacks
    clock: bool = False  # it is 2040
    lacks: machine.Lacks = machine.Lacks()


NOBODY = 65534  # an ordinary user that every machine has
STRANGER = 61234  # one that no passwd(5) file has

TABLE = {
    "plain": Conditions(),
    # Each pass of `make check` has its own combination, so that together they have seen all of them.
    "sanitizers": Conditions(),
    "valgrind": Conditions(locale="C"),
    "user": Conditions(
        umask=0o077, locale=MISSING_LOCALE, zone=EAST, closed_input=True, user=NOBODY
    ),
    "bare": Conditions(
        locale="C.UTF-8",
        zone=WEST,
        home=False,
        user=STRANGER,
        clock=True,
        lacks=machine.Lacks(
            passwd=True, ipv6=True, shared_memory=True, tmp=True, host_name=True
        ),
    ),
    # One at a time, to find out which of them a failure is due to.
    "umask_077": Conditions(umask=0o077),
    "locale_c_utf8": Conditions(locale="C.UTF-8"),
    "locale_missing": Conditions(locale=MISSING_LOCALE),
    "closed_input": Conditions(closed_input=True),
    "no_home": Conditions(home=False),
    "no_passwd": Conditions(user=STRANGER, lacks=machine.Lacks(passwd=True)),
    "no_ipv6": Conditions(lacks=machine.Lacks(ipv6=True)),
    "no_ipv6_address": Conditions(lacks=machine.Lacks(ipv6_address=True)),
    "no_shm": Conditions(lacks=machine.Lacks(shared_memory=True)),
    "other_tmp": Conditions(lacks=machine.Lacks(tmp=True)),
    "no_host_name": Conditions(lacks=machine.Lacks(host_name=True)),
    "east_2040": Conditions(zone=EAST, clock=True),
    "west_2040": Conditions(zone=WEST, clock=True),
}

CLOCK = "tests/tools/libclock-2040.so"

# For builds with sanitizers; a test's own settings come first.
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:handle_sigill=1",
    "TSAN_OPTIONS": f"halt_on_error=1:suppressions={ROOT}/tests/threads/thread-sanitizer.supp",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}


def why_impossible(conditions: Conditions, build: Path) -> Optional[str]:
    """Why a test cannot have these conditions here, or None."""
    if conditions.clock and not (build / CLOCK).exists():
        return "this C library has no clock that can be put ahead"
    return machine.why_impossible(conditions.lacks, ROOT, conditions.user)


def known_test(build: Path, command: list[str]) -> dict:
    """What Meson knows of the test that a command line ends with."""
    tests = json.loads((build / "meson-info" / "intro-tests.json").read_text())
    same = [test for test in tests if command[-len(test["cmd"]) :] == test["cmd"]]
    if not same or any(test["env"] != same[0]["env"] for test in same):
        sys.exit(f"run_test.py: {len(same)} tests are run by {command}")
    return same[0]


def from_anywhere(build: Path, command: list[str]) -> list[str]:
    """The command line for another directory: Meson names programs that it built relative to the build folder."""
    return [str(build / word) if "/" in word and (build / word).is_file() else word for word in command]


def environment(conditions: Conditions, test: dict, build: Path, home: str) -> dict[str, str]:
    """The whole environment of a test."""
    kept = ("PATH", "MALLOC_PERTURB_", *AMOUNTS)
    variables = {name: os.environ[name] for name in kept if name in os.environ}
    variables.update(SANITIZERS)
    if conditions.home:
        variables["HOME"] = home
    if conditions.locale is not None:
        variables["LC_ALL"] = conditions.locale
    if conditions.zone is not None:
        variables["TZ"] = conditions.zone
    variables.update(test["env"])
    if conditions.clock:
        preloaded = [str(build / CLOCK), variables.get("LD_PRELOAD")]
        variables["LD_PRELOAD"] = ":".join(filter(None, preloaded))
    return variables


def become_test(conditions: Conditions, command: list[str], variables: dict[str, str], folder: Path) -> None:
    """In the child: takes on the conditions, and becomes the test, which runs in this folder."""
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    machine.enter(conditions.lacks, [ROOT, Path(os.getcwd())], conditions.user)
    os.chdir(folder)
    os.umask(conditions.umask)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    if conditions.closed_input:
        os.close(0)
    os.execvpe(command[0], command, variables)


def pass_on_results(descriptor: int) -> None:
    """Copies a test's output. Cmocka 1.1.5 has "not ok" before what was skipped, which newer ones do not."""
    with os.fdopen(descriptor, "rb") as output:
        for line in output:
            sys.stdout.buffer.write(re.sub(rb"^not (ok \d+ # SKIP)", rb"\1", line))
            sys.stdout.buffer.flush()


def run(conditions: Conditions, command: list[str], variables: dict[str, str], folder: Path, is_tap: bool) -> int:
    """Runs the test and returns what waitpid(2) tells of its end."""
    sys.stdout.flush()
    reading, writing = os.pipe() if is_tap else (-1, -1)
    child = os.fork()
    if child == 0:
        try:
            if is_tap:
                os.dup2(writing, 1)
            become_test(conditions, command, variables, folder)
        except OSError as error:
            print(f"run_test.py: {command[0]}: {error}", file=sys.stderr, flush=True)
        finally:
            os._exit(127)
    # Meson's signals reach the test as well, which is in our process group; ours is to clean up then.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    if is_tap:
        os.close(writing)
        pass_on_results(reading)
    return os.waitpid(child, 0)[1]


def end_like(status: int) -> int:
    """Ends as the test did: by the same signal, or returns its exit status."""
    if os.WIFSIGNALED(status):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        number = os.WTERMSIG(status)
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    return os.waitstatus_to_exitcode(status)


def main(arguments: list[str]) -> int:
    if arguments == ["--names"]:
        print(*TABLE, sep="\n")
        return 0
    build, conditions, command = Path(arguments[0]).resolve(), TABLE[arguments[1]], arguments[2:]
    reason = why_impossible(conditions, build)
    if command == ["--possible"]:
        print(reason or "", end="")
        return 0 if reason is None else SKIPPED
    test = known_test(build, command)
    is_tap = test["protocol"] == "tap"
    if reason is not None:
        print(f"1..0 # SKIP {reason}")
        return 0 if is_tap else SKIPPED
    # /var/tmp: it stays visible when /tmp is on another file system.
    scratch = Path(tempfile.mkdtemp(prefix="pop3-test-", dir="/var/tmp" if conditions.lacks.tmp else "/tmp"))
    home, folder = scratch / "home", scratch / "here"
    try:
        home.mkdir()
        folder.mkdir()
        if conditions.user is not None and os.geteuid() == 0:
            for path in (scratch, home, folder):
                os.chown(path, conditions.user, conditions.user)
        status = run(conditions, from_anywhere(build, command), environment(conditions, test, build, str(home)), folder, is_tap)
        left = [name for name in os.listdir(folder) if not name.startswith("core")]  # those are the kernel's
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if left:
        print(f"run_test.py: left behind in the directory where it ran: {left}", file=sys.stderr)
        return 1
    # Meson takes this exit status from programs without TAP alone.
    skipped = os.WIFEXITED(status) and os.WEXITSTATUS(status) == SKIPPED and is_tap
    return 0 if skipped else end_like(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
