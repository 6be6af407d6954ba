"""Signals and child processes: how dovecot.py makes sure that nothing survives it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Iterator, Optional

ENDING_SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP came.  Like Ctrl-C, it ends pytest as well, after its fixtures' ends."""

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


@contextlib.contextmanager
def unwinding_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise Terminated meanwhile, so that what is open gets closed.

    A signal for which the program has a handler, or which it ignores, stays as it is.
    """

    def unwind(signum: int, frame: Any) -> None:
        raise Terminated(signum)

    changed = []
    try:
        for signum in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(signum) == signal.SIG_DFL:
                with contextlib.suppress(ValueError):  # only the main thread may
                    signal.signal(signum, unwind)
                    changed.append(signum)
        yield
    finally:
        for signum in changed:
            signal.signal(signum, signal.SIG_DFL)


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Put off the signals that end a program, so that a step and its undoing stay together."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def scratch_directory(prefix: str, parent: Optional[str] = None) -> Iterator[Path]:
    """A temporary directory that is removed in the end, whichever signal comes when."""
    directory = None
    try:
        with signals_held():
            directory = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        yield directory
    finally:
        if directory is not None:
            with signals_held():
                shutil.rmtree(directory, ignore_errors=True)


def ending_with_parent() -> Callable[[], None]:
    """A preexec_fn: the child gets SIGTERM when the thread that starts it ends, however it ends.

    The child also gets back the signals that were held while it was started.
    """
    pr_set_pdeathsig = 1
    libc = ctypes.CDLL(None)
    parent = os.getpid()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ()) - ENDING_SIGNALS

    def prepare() -> None:
        libc.prctl(pr_set_pdeathsig, int(signal.SIGTERM), 0, 0, 0)
        if os.getppid() != parent:  # it ended before the line above
            os._exit(1)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    return prepare


def processes_of_group(group: int) -> list[int]:
    """The living processes of a process group; one that has ended and is not reaped is not."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has gone meanwhile
            # After the name, which is in parentheses: state, parent, group.
            state, _, its_group = (process / "stat").read_text().rpartition(")")[2].split()[:3]
            if int(its_group) == group and state not in "ZX":
                found.append(int(process.name))
    return found


def kill_process_group(process: subprocess.Popen) -> None:
    """Kill a child that leads a process group and the group with it, and wait until all are gone.

    Asking Dovecot to end takes a second, which it sleeps through, and there is nothing of it
    worth keeping.  The child is reaped last: until then nobody else can have the group's id.
    """
    if process.returncode is not None:
        return
    os.killpg(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while processes_of_group(process.pid) and time.monotonic() < deadline:
        time.sleep(0.001)
    process.wait()
