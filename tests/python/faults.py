#!/usr/bin/env python3
"""Whole sessions of cpoplib in which each call that can fail does so in turn. Prints TAP.

After each failure: the exception is the right one; the connection is still in step with the server, or closed;
what was returned before is what an undisturbed session returns; no memory and no descriptor is left behind.
Needs `faulting` preloaded and a cpoplib that was built for it; see meson.build. FAULT_STRIDE=1 fails each
allocation, where `make check` takes one in several.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import io
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Callable, NamedTuple
from unittest import mock

os.environ.pop("LD_PRELOAD", None)  # not for the programs that we start

import cpoplib  # noqa: E402
import faulting  # noqa: E402

PATIENCE = 30  # seconds: a call that waits for longer hangs
TRIES = 4  # a leak is what grows each time
ROOT = Path(__file__).resolve().parents[2]
MAIL = ROOT / "tests/hostile/mail"

Step = tuple[str, Callable[[Any], Any]]


def printed(pop: Any) -> str:
    """A command with debug output of all kinds."""
    output = sys.stdout = io.StringIO()  # session() sets it back, which must not fail
    pop.set_debuglevel(2)
    pop.stat()
    pop.retr_bytes(1)
    pop.set_debuglevel(0)
    return output.getvalue()


def refused(call: Callable[[int], Any]) -> str:
    """A refusal that belongs to the session, as text."""
    try:
        call(9)
    except cpoplib.error_proto as refusal:
        if "no such message" not in str(refusal):
            raise
        return str(refusal)
    raise AssertionError("that should have been refused")


def written(pop: Any) -> bytes:
    file = io.BytesIO()
    assert pop.retr_into(2, file) == len(file.getvalue())
    return file.getvalue()


def many(pop: Any) -> Any:
    """All messages; an error in between may end the iteration, but not repeat a message or go on for ever."""
    found: list[Any] = []
    error = None
    messages = pop.retr_many([1, 2, 3])
    for _ in range(6):
        try:
            found.append(next(messages))
        except StopIteration:
            break
        except Exception as exception:
            error = error or exception
    else:
        raise AssertionError("the iteration has no end")
    if sorted({number for number, _ in found}) != [number for number, _ in found]:
        raise AssertionError("a message came twice, or out of turn")
    if error is not None:
        raise error
    return found


def log_in(pop: Any) -> Any:
    return pop.user("joe"), pop.pass_("secret")


def answer_plain(challenge: Any = None) -> Any:
    return b"\0joe\0secret" if challenge is not None else None


def log_in_with_sasl(pop: Any) -> Any:
    # The function is made beforehand: Python 3.13 crashes where memory for one lacks.
    return pop.auth("PLAIN", answer_plain)


def subclass_lines(pop: Any) -> Any:
    """The slow road: _getline is not the type's own."""
    pop._getline = pop._getline
    try:
        return pop.retr(1)
    finally:
        del pop._getline


STEPS: list[Step] = [
    ("getwelcome", lambda pop: len(pop.getwelcome()) > 3),
    ("capa", lambda pop: pop.capa()),
    ("log in", log_in),
    ("stat", lambda pop: pop.stat()),
    ("list", lambda pop: pop.list()),
    ("list of one", lambda pop: pop.list(2)),
    ("uidl", lambda pop: pop.uidl()),
    ("top", lambda pop: pop.top(2, 3)),
    ("retr", lambda pop: pop.retr(2)),
    ("retr line by line", subclass_lines),
    ("capabilities", lambda pop: pop.capabilities),
    ("retr_bytes", lambda pop: pop.retr_bytes(3)),
    ("retr_into", written),
    ("retr_many", many),
    ("retr_many, left early", lambda pop: next(pop.retr_many([1, 2]))),
    ("a message that is not there", lambda pop: refused(pop.retr)),
    ("the same, by the engine", lambda pop: refused(pop.retr_bytes)),
    ("debug output", printed),
    ("rset", lambda pop: pop.rset()),
    ("dele", lambda pop: pop.dele(1)),
    ("noop", lambda pop: pop.noop()),
    ("quit", lambda pop: pop.quit()),
]


class Way(NamedTuple):
    """How a session is connected and logged in."""

    name: str
    connect: Callable[[Any], Any]
    changes: dict[str, Callable[[Any], Any]]  # of steps


class Trial(NamedTuple):
    """What fails, and the exceptions that may come of it: none when the session must succeed."""

    name: str
    call: int
    extent: int
    effect: int
    error: int
    allowed: tuple[type[BaseException], ...]
    each: int = 1  # to save time, each so-manieth call


NETWORK = (OSError, cpoplib.error_proto)
TRIALS = [
    Trial("an allocation of Python's fails",
          faulting.PYTHON, faulting.ONCE, faulting.FAIL, errno.ENOMEM, (MemoryError,), 3),
    Trial("an allocation of the core's fails",
          faulting.CORE, faulting.ONCE, faulting.FAIL, errno.ENOMEM, (MemoryError,)),
    Trial("all allocations of the core's fail from one on",
          faulting.CORE, faulting.FROM_THERE, faulting.FAIL, errno.ENOMEM, (MemoryError,)),
    Trial("input fails with ECONNRESET",
          faulting.INPUT, faulting.FROM_THERE, faulting.FAIL, errno.ECONNRESET, NETWORK),
    Trial("input fails with EIO",
          faulting.INPUT, faulting.FROM_THERE, faulting.FAIL, errno.EIO, NETWORK),
    Trial("input ends", faulting.INPUT, faulting.FROM_THERE, faulting.END, 0, NETWORK),
    Trial("input is interrupted", faulting.INPUT, faulting.ONCE, faulting.FAIL, errno.EINTR, ()),
    Trial("input finds nothing", faulting.INPUT, faulting.ONCE, faulting.FAIL, errno.EAGAIN, ()),
    Trial("every other input finds nothing",
          faulting.INPUT, faulting.EVERY_OTHER, faulting.FAIL, errno.EAGAIN, ()),
    Trial("input brings one octet at a time",
          faulting.INPUT, faulting.FROM_THERE, faulting.ONE_OCTET, 0, (), 100_000),
    Trial("output fails with EPIPE",
          faulting.OUTPUT, faulting.FROM_THERE, faulting.FAIL, errno.EPIPE, NETWORK),
    Trial("output is interrupted", faulting.OUTPUT, faulting.ONCE, faulting.FAIL, errno.EINTR, ()),
    Trial("output finds no room", faulting.OUTPUT, faulting.ONCE, faulting.FAIL, errno.EAGAIN, ()),
    Trial("every other output finds no room",
          faulting.OUTPUT, faulting.EVERY_OTHER, faulting.FAIL, errno.EAGAIN, ()),
    Trial("output takes one octet at a time",
          faulting.OUTPUT, faulting.FROM_THERE, faulting.ONE_OCTET, 0, (), 100_000),
    Trial("poll fails with ENOMEM",
          faulting.POLL, faulting.FROM_THERE, faulting.FAIL, errno.ENOMEM, NETWORK),
    Trial("poll is interrupted", faulting.POLL, faulting.ONCE, faulting.FAIL, errno.EINTR, ()),
    Trial("connect is refused",
          faulting.CONNECT, faulting.ONCE, faulting.FAIL, errno.ECONNREFUSED, (OSError,)),
    Trial("there are no more sockets",
          faulting.SOCKET, faulting.ONCE, faulting.FAIL, errno.EMFILE, (OSError,)),
]  # fmt: skip


# How CPython's own code tells of an allocation that failed, where it does not say MemoryError.
ODD = {"RuntimeError: can't allocate read lock"}


class Wrong(Exception):
    """What must not happen did."""


def without_faults(call: Callable[[Any], Any], pop: Any) -> Any:
    """The result of a step, with faults in it and in nothing else."""
    try:
        faulting.go()
        return call(pop)
    finally:
        faulting.pause()
        sys.stdout = sys.__stdout__


def check_after(trial: Trial, pop: Any, logged_in: bool, undisturbed: list[Any]) -> None:
    """The connection is closed, or answers what it is asked."""
    pop.set_debuglevel(0)
    if pop.sock is None:
        if pop.file is not None:
            raise Wrong("the socket is closed, its file is not")
        return
    if trial.allowed != (MemoryError,):
        return  # the network is gone; whoever asks again is told again
    # A deletion may have been marked, so message 1 is of no use here.
    if "UIDL" not in pop.capa():
        raise Wrong("the answer to CAPA is another")
    if logged_in and pop.retr_bytes(3) != undisturbed[[name for name, _ in STEPS].index("retr_bytes")]:
        raise Wrong("a message is another")


def describe(exception: BaseException) -> str:
    return f"{type(exception).__name__}: {exception}"


def session(way: Way, trial: Trial, undisturbed: list[Any]) -> list[Any]:
    """One session, up to its end or the first exception. Returns the results."""
    results: list[Any] = []
    pop = None
    step = "connecting"
    try:
        pop = without_faults(way.connect, None)
        for step, call in STEPS:
            results.append(without_faults(way.changes.get(step, call), pop))
    except Exception as exception:
        odd = MemoryError in trial.allowed and describe(exception) in ODD
        if not odd and not isinstance(exception, trial.allowed):
            raise Wrong(f"{step}: {describe(exception)}") from exception
        if pop is not None and step != "quit" and not odd:
            try:
                check_after(trial, pop, len(results) > 2, undisturbed)
            except Exception as later:
                raise Wrong(f"after {step} had failed: {describe(later)}") from exception
    finally:
        if pop is not None:
            with contextlib.suppress(OSError):
                pop.close()
    if undisturbed and results != undisturbed[: len(results)]:
        at = next(i for i, result in enumerate(results) if result != undisturbed[i])
        raise Wrong(f"{STEPS[at][0]}: another result: {str(results[at])[:300]}")
    return results


def in_use() -> tuple[int, int]:
    """Blocks of memory, and descriptors."""
    sys._clear_type_cache()  # which holds names that attributes were looked up by
    gc.collect()
    return faulting.blocks(), len(os.listdir("/proc/self/fd"))


def attempt(way: Way, trial: Trial, n: int, undisturbed: list[Any]) -> bool:
    """Sessions with the n-th call failing: again, when there is more memory in use than before. Returns
    whether a call failed."""
    grown = []
    for _ in range(TRIES):
        blocks, descriptors = in_use()
        faulting.plan(trial.call, n, trial.extent, trial.effect, trial.error)
        signal.alarm(PATIENCE)
        session(way, trial, undisturbed)
        signal.alarm(0)
        hit = faulting.hit()
        more, now_open = in_use()
        if now_open > descriptors:
            raise Wrong("a descriptor stayed open")
        if more <= blocks:
            return hit
        grown.append(more - blocks)
    raise Wrong(f"more blocks of memory are in use after each session: {grown}")


def explain(exception: BaseException) -> list[str]:
    import traceback

    return "".join(traceback.format_exception(exception)).splitlines()


def run(way: Way, trial: Trial, undisturbed: list[Any], stride: int) -> tuple[int, list[str]]:
    """One trial over one way: how many sessions a call failed in, and what is wrong."""
    n, hits = 1, 0
    each = max(stride if trial.each > 1 and trial.each < 1000 and stride else trial.each, 1)
    while True:
        try:
            hit = attempt(way, trial, n, undisturbed)
        except Exception as exception:
            return hits, [f"with call {n} failing:", *explain(exception)]
        hits += hit
        if not hit or trial.extent == faulting.EVERY_OTHER:
            return hits, [] if hits or trial.name.startswith("poll") else ["no call failed"]
        n += each


def ways(port: int, tls_port: int, context: ssl.SSLContext) -> list[Way]:
    def plain(_: Any) -> Any:
        return cpoplib.POP3("localhost", port, PATIENCE)

    def tls(_: Any) -> Any:
        return cpoplib.POP3_SSL("localhost", tls_port, timeout=PATIENCE, context=context)

    return [
        Way("plain TCP", plain, {}),
        Way("TLS", tls, {"log in": log_in_with_sasl}),
        Way("STLS", plain, {"log in": lambda pop: (pop.stls(context), pop.apop("joe", "secret"))[:1]}),
    ]


def answer_after_a_signal() -> None:
    """A signal that comes while an answer is looked for, before the process sleeps, is handled before it sleeps."""
    server, client = socket.socketpair()
    server.sendall(b"+OK\r\n")
    with server, mock.patch.object(socket, "create_connection", lambda *_: client):
        pop = cpoplib.POP3("host")
        before = signal.signal(signal.SIGUSR1, lambda *_: server.sendall(b"+OK at last\r\n"))
        signal.alarm(PATIENCE)
        faulting.plan(faulting.INPUT, 1, faulting.ONCE, faulting.SIGNAL, errno.EAGAIN)
        reply = without_faults(lambda _: pop.noop(), None)
        signal.alarm(0)
        signal.signal(signal.SIGUSR1, before)
        pop.close()
        if reply != b"+OK at last" or not faulting.hit():
            raise Wrong(f"the reply is {reply!r}")


def report_signal(number: int) -> int:
    """One line of TAP. Returns how many failures there are."""
    name = f"{number} - a signal before the process sleeps"
    if os.sysconf("SC_NPROCESSORS_ONLN") < 2:
        print(f"ok {name} # SKIP with one processor nothing is looked for")
        return 0
    try:
        answer_after_a_signal()
    except Exception as exception:
        print(f"not ok {name}", *(f"# {line}" for line in explain(exception)), sep="\n")
        return 1
    print(f"ok {name}")
    return 0


def report(ways_there_are: list[Way], stride: int) -> int:
    number = failures = 0
    nothing = Trial("nothing fails", faulting.PYTHON, faulting.ONCE, faulting.FAIL, 0, ())
    for way in ways_there_are:
        faulting.plan(faulting.PYTHON, 0, faulting.ONCE, faulting.FAIL, 0)
        undisturbed: list[Any] = []
        for _ in range(3):  # what is imported or cached at first use is not a leak
            undisturbed = session(way, nothing, [])
        gc.collect()
        gc.freeze()
        for trial in TRIALS:
            if way.name != "plain TCP" and trial.call in (faulting.CONNECT, faulting.SOCKET):
                continue
            hits, wrong = run(way, trial, undisturbed, stride)
            number += 1
            failures += bool(wrong)
            print(f"{'not ok' if wrong else 'ok'} {number} - {trial.name}, over {way.name}: {hits} sessions")
            for line in wrong:
                print(f"# {line}")
            sys.stdout.flush()
    failures += report_signal(number + 1)
    print(f"1..{number + 1}")
    return 1 if failures else 0


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        certs = Path(folder)
        subprocess.run([os.environ["POP3_MAKE_CERTS"], folder], check=True, capture_output=True)
        script = certs / "script"  # nothing is deleted, for the next session
        script.write_text('on DELE {\n line "+OK"\n}\nserve\n')
        command = [os.environ["POP3_TESTSERVER"], "--mail", str(MAIL), "--tls", "--apop",
                   "--script", str(script), "--cert", str(certs / "good.pem"), "--key", str(certs / "good.key")]  # fmt: skip
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            try:
                words = dict(word.split("=") for word in server.stdout.readline().split()[1:])
                context = ssl.create_default_context(cafile=str(certs / "ca.pem"))
                stride = int(os.environ.get("FAULT_STRIDE", "0"))
                return report(ways(int(words["port"]), int(words["tls-port"]), context), stride)
            finally:
                server.terminate()


if __name__ == "__main__":
    sys.exit(main())
