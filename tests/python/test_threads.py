"""One connection and several threads, with the GIL or without it; several interpreters; and that the module leaves
the GIL off where Python has none."""

from __future__ import annotations

import importlib
import inspect
import itertools
import socket
import subprocess
import sys
import sysconfig
import threading
from typing import Any, Callable

import cpoplib
import pytest
from wire import DEADLINE

COUNT = 7  # messages on the server
THREADS = 4
ROUNDS = 60


def octets(number: int) -> bytes:
    return b"Subject: %d\r\n\r\n..and a dot\r\n" % number * number


def answer(command: bytes) -> bytes:
    """What the server says to one command."""
    word, *rest = command.split()
    if word == b"RETR":
        return b"+OK\r\n" + octets(int(rest[0])).replace(b"\n..", b"\n...") + b".\r\n"
    if word == b"CAPA":
        return b"+OK\r\nPIPELINING\r\nUIDL\r\n.\r\n"
    if word == b"UIDL":
        return b"+OK\r\n" + b"".join(b"%d id-%d\r\n" % (n, n) for n in range(1, COUNT + 1)) + b".\r\n"
    return b"+OK %d 1234\r\n" % COUNT


def serve(listener: socket.socket) -> None:
    """Serves one connection after the other, until the listener is closed."""
    while True:
        try:
            connected, _ = listener.accept()
        except OSError:
            return
        try:
            with connected, connected.makefile("rb") as commands:
                connected.sendall(b"+OK hello\r\n")
                for command in commands:
                    connected.sendall(answer(command))
        except OSError:
            pass


@pytest.fixture
def port() -> Any:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(DEADLINE)
    assert not thread.is_alive()


def drop_a_window(pop: Any) -> bool:
    return next(pop.retr_many(itertools.count(2), window=3)) == (2, octets(2))


# What may be done with a connection, and whether that gave what it should.
USES: list[Callable[[Any], bool]] = [
    lambda pop: pop.stat() == (COUNT, 1234),
    lambda pop: pop.retr(3)[1] == octets(3).splitlines(),
    lambda pop: pop.retr_bytes(4) == octets(4),
    lambda pop: len(pop.uidl()[1]) == COUNT,
    lambda pop: "PIPELINING" in pop.capabilities.names,
    lambda pop: list(pop.retr_many([1, 2, 5])) == [(n, octets(n)) for n in (1, 2, 5)],
    drop_a_window,
    lambda pop: pop.file.fileno() >= 0 and "sock" in vars(pop),
    lambda pop: list(inspect.signature(pop.top).parameters) == ["which", "howmuch"],
]


def play(pop: Any, rounds: int, allowed: tuple) -> tuple[list[bool], list[BaseException]]:
    """Threads that all use the connection, each with an order of its own: what came, and what was raised that is
    not allowed."""
    came: list[bool] = []
    surprises: list[BaseException] = []
    together = threading.Barrier(THREADS)

    def use(first: int) -> None:
        together.wait(DEADLINE)
        for i in range(rounds):
            try:
                came.append(USES[(first * 2 + i) % len(USES)](pop))
            except allowed:
                pass
            except BaseException as exception:
                surprises.append(exception)

    threads = [threading.Thread(target=use, args=(n,), daemon=True) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
        assert not thread.is_alive()
    return came, surprises


def test_threads_that_share_a_connection_get_their_own_replies_or_an_error(port: int) -> None:
    pop = cpoplib.POP3("127.0.0.1", port, timeout=DEADLINE)
    came, surprises = play(pop, ROUNDS, (RuntimeError,))
    assert surprises == [] and came and all(came)
    assert all(use(pop) for use in USES)  # nobody's reply is left over
    pop.quit()


def test_a_connection_may_be_closed_whatever_other_threads_do_with_it(port: int) -> None:
    for delay in range(6):
        pop = cpoplib.POP3("127.0.0.1", port, timeout=DEADLINE)

        def closes_when_it_is_used(pop: Any = pop, delay: int = delay) -> None:
            for _ in range(delay):
                try:
                    pop.stat()
                except (RuntimeError, OSError, AttributeError, cpoplib.error_proto):
                    pass
            pop.close()

        closing = threading.Thread(target=closes_when_it_is_used, daemon=True)
        closing.start()
        # Once it is closed, `file` and `sock` are None, as poplib's are.
        allowed = (RuntimeError, OSError, ValueError, AttributeError, TypeError, cpoplib.error_proto)
        came, surprises = play(pop, 10, allowed)
        closing.join(DEADLINE)
        assert not closing.is_alive()
        assert surprises == [] and all(came)
        assert pop.sock is None and pop.file is None


def test_threads_that_share_a_window_share_its_messages(port: int) -> None:
    pop = cpoplib.POP3("127.0.0.1", port, timeout=DEADLINE)
    window = pop.retr_many([1 + n % COUNT for n in range(60)], window=8)
    came: list[Any] = []

    def take() -> None:
        over = False
        while not over:
            try:
                came.append(next(window))
            except StopIteration:
                over = True
            except (ValueError, RuntimeError):  # another one is at it
                pass

    threads = [threading.Thread(target=take, daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
        assert not thread.is_alive()
    assert sorted(came) == sorted((1 + n % COUNT, octets(1 + n % COUNT)) for n in range(60))
    assert pop.stat() == (COUNT, 1234)
    pop.quit()


def test_the_engine_refuses_a_second_thread_or_serves_it() -> None:
    engine = cpoplib._Engine()
    engine.feed(b"+OK hello\r\n")
    together = threading.Barrier(THREADS)
    surprises: list[BaseException] = []

    def use() -> None:
        together.wait(DEADLINE)
        for _ in range(200):
            try:
                engine.submit("NOOP")
                engine.output()
                assert engine.wants_tls is False and engine.timestamp == b""
                engine.feed(b"+OK\r\n")
            except (RuntimeError, ValueError, cpoplib.error_proto):
                pass
            except BaseException as exception:
                surprises.append(exception)

    threads = [threading.Thread(target=use, daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)
        assert not thread.is_alive()
    assert surprises == []


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python has a GIL")
def test_the_import_leaves_the_gil_off() -> None:
    code = "import sys, cpoplib, cpoplib.aio; print(sys._is_gil_enabled())"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


SCRIPT = """
import cpoplib, gc
pop = cpoplib.POP3("127.0.0.1", {port}, timeout=30)
for n in (1, 3, {count}):
    assert pop.retr_bytes(n) == b"Subject: %d\\r\\n\\r\\n..and a dot\\r\\n" % n * n
assert [n for n, _ in pop.retr_many([1, 2], window=2)] == [1, 2]
assert "PIPELINING" in pop.capabilities.names
pop.quit()
try:
    cpoplib.POP3("127.0.0.1", 1, timeout=0)
except ValueError:
    pass
cpoplib.mark = {mark}
gc.collect()
"""


def interpreters() -> Any:
    """The module that makes interpreters, by its name in this version of Python."""
    for name in ("_interpreters", "_xxsubinterpreters"):
        try:
            return importlib.import_module(name)
        except ImportError:
            pass
    return pytest.skip("this Python has no module for subinterpreters")


def test_each_interpreter_has_a_module_of_its_own(port: int) -> None:
    module = interpreters()
    failed: list[Any] = []

    def run(mark: int) -> None:
        for _ in range(3):
            interpreter = module.create()
            try:
                failure = module.run_string(interpreter, SCRIPT.format(port=port, count=COUNT, mark=mark))
                if failure is not None:  # newer versions return it
                    failed.append(failure)
            except BaseException as exception:
                failed.append(exception)
            finally:
                module.destroy(interpreter)

    # Those of 3.12 and later have a GIL each, and run at the same time; one server serves them in turn.
    threads = [threading.Thread(target=run, args=(n,), daemon=True) for n in range(2)]
    for thread in threads:
        thread.start()
        if sys.version_info < (3, 12):
            thread.join(DEADLINE)
    for thread in threads:
        thread.join(DEADLINE)
        assert not thread.is_alive()
    assert failed == []
    assert not hasattr(cpoplib, "mark")
