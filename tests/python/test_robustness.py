"""What callers do to the module, on purpose or not: it neither reads memory that has gone, nor waits for ever."""

from __future__ import annotations

import contextlib
import copy
import inspect
import pickle
import poplib
import socket
import subprocess
import sys
from typing import Any, Callable
from unittest import mock

import cpoplib
import pytest

HELLO = b"+OK hello\r\n"
MESSAGE = b"+OK\r\n" + b"a line of the message\r\n" * 200 + b".\r\n"
LINES = [b"a line of the message"] * 200


# Memory that a socket is shown


def keep(kept: list[Any], view: memoryview) -> None:
    kept.append(view)


def release(kept: list[Any], view: memoryview) -> None:
    view.release()


def shrink(kept: list[Any], view: memoryview) -> None:
    """Makes what the view is of smaller, in every way that such an object may have."""
    owner = view.obj
    view.release()
    for change in (lambda: owner.clear(), lambda: owner.__delitem__(slice(None)), lambda: owner.release()):
        try:
            change()
        except (AttributeError, TypeError, BufferError):
            pass
    kept.append([bytes([n]) * len(HELLO + MESSAGE) for n in range(20)])  # takes what was freed


def overwrite_later(kept: list[Any], view: memoryview) -> None:
    for earlier in kept:
        earlier[:5] = b"-EVIL"
    kept.append(view)


@pytest.mark.parametrize("mischief", [keep, release, shrink, overwrite_later])
@pytest.mark.parametrize("octets", [7, 1000, 100_000])
def test_a_socket_does_what_it_likes_with_the_buffer_it_is_shown(
        mischief: Callable[[list[Any], memoryview], None], octets: int, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[Any] = []

    class Socket(socket.socket):
        def recv_into(self, view: Any, *rest: Any) -> int:  # type: ignore[override]
            data = self.recv(min(octets, len(view)))
            view[: len(data)] = data
            mischief(kept, view)
            return len(data)

    server, plain = socket.socketpair()
    client = Socket(plain.family, plain.type, plain.proto, plain.detach())
    monkeypatch.setattr(socket, "create_connection", lambda *_: client)
    server.sendall(HELLO + MESSAGE + b"+OK 1 2\r\n")
    with server:
        if mischief is overwrite_later:  # its own octets: anything but a crash may come of it
            with contextlib.suppress(cpoplib.error_proto, ValueError):
                cpoplib.POP3("host").retr(1)
            return
        pop = cpoplib.POP3("host")
        assert pop.welcome == HELLO.strip()
        assert pop.retr(1) == (b"+OK", LINES, len(MESSAGE) - 8)
        assert pop.stat() == (1, 2)
        pop.close()


# Chains of exceptions


def chain(exception: BaseException | None) -> list[Any]:
    """The exceptions from one on along __context__, as types and arguments; an end that is none is named."""
    found: list[Any] = []
    seen = set()
    while exception is not None:
        if id(exception) in seen:
            return [*found, "again"]
        seen.add(id(exception))
        found.append((type(exception).__name__, exception.args))
        exception = exception.__context__
    return found


def raised(call: Callable[[], Any]) -> list[Any]:
    try:
        call()
    except Exception as exception:
        return chain(exception)
    raise AssertionError("nothing was raised")


def refusing(module: Any) -> Any:
    """A client whose every reply is a refusal, without a server."""

    class Client(module.POP3):
        def __init__(self) -> None:
            self._debugging = 0
            self.file = self.sock = None

        def _putline(self, line: bytes) -> None: ...

        def _getline(self) -> tuple[bytes, int]:
            return b"-ERR no", 9

    return Client()


def ring() -> BaseException:
    """An exception in a ring of three."""
    first, second, third = KeyError(1), KeyError(2), KeyError(3)
    first.__context__, second.__context__, third.__context__ = second, third, first
    return first


@pytest.mark.parametrize("call", ["capa", "stls", "stat", "quit"])
def test_what_is_raised_while_an_exception_is_handled_has_the_context_that_poplib_gives_it(call: str) -> None:
    def attempt(module: Any) -> list[Any]:
        client = refusing(module)
        try:
            raise LookupError("outer")
        except LookupError:
            first, second = raised(getattr(client, call)), raised(getattr(client, call))
        return [first, second]

    assert attempt(cpoplib) == attempt(poplib)


HANG = """
import sys
sys.path[:0] = {path!r}
import cpoplib
from test_robustness import refusing, ring

class Client(type(refusing(cpoplib))):
    def _longcmd(self, line):
        error = cpoplib.error_proto("in a ring")
        error.__context__ = ring()
        raise error

try:
    Client.capa(Client())
except cpoplib.error_proto as error:
    assert error.args == ("-ERR CAPA not supported by server",)
try:
    raise ring()
except KeyError as error:
    error.__context__ = ring()
    try:
        refusing(cpoplib).capa()
    except cpoplib.error_proto:
        print("done")
"""


def test_a_ring_of_contexts_is_not_followed_for_ever() -> None:
    done = subprocess.run([sys.executable, "-c", HANG.format(path=sys.path)], timeout=60, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr


# Methods as tools see them

METHODS = sorted(n for n in vars(poplib.POP3) if inspect.isfunction(vars(poplib.POP3)[n]))
CALLS: list[tuple[tuple, dict]] = [
    ((), {}), ((1,), {}), ((1, 2), {}), ((1, 2, 3), {}), ((1, 2, 3, 4), {}), ((), {"which": 1}), ((1,), {"which": 1}),
    ((), {"host": "h"}), (("h",), {"timeout": 5}), (("h",), {"ssl": 1}), ((1,), {"context": None}),
    ((), {"context": None}),
]


def verdict(call: Callable[..., Any], args: tuple, keywords: dict) -> bool:
    try:
        call(*args, **keywords)
    except TypeError:
        return False
    return True


@pytest.mark.parametrize("kind", ["POP3", "POP3_SSL"])
def test_a_mock_with_the_specification_of_a_class_takes_and_refuses_what_one_of_poplib_does(kind: str) -> None:
    theirs, ours = (mock.create_autospec(getattr(module, kind)) for module in (poplib, cpoplib))
    for args, keywords in CALLS:
        assert verdict(ours, args, keywords) == verdict(theirs, args, keywords), (args, keywords)
    their_client, our_client = theirs("host"), ours("host")
    for name in METHODS:
        if name == "__init__":
            continue
        for args, keywords in CALLS:
            expected = verdict(getattr(their_client, name), args, keywords)
            assert verdict(getattr(our_client, name), args, keywords) == expected, (name, args, keywords)


@pytest.mark.parametrize("name", METHODS)
def test_a_mock_of_a_method_and_of_a_connection_refuses_wrong_calls_too(name: str) -> None:
    for args, keywords in CALLS:
        theirs = mock.create_autospec(getattr(poplib.POP3, name))
        ours = mock.create_autospec(getattr(cpoplib.POP3, name))
        assert verdict(ours, args, keywords) == verdict(theirs, args, keywords)
    if name != "__init__":
        client = mock.create_autospec(refusing(cpoplib))
        other = mock.create_autospec(refusing(poplib))
        for args, keywords in CALLS:
            assert verdict(getattr(client, name), args, keywords) == verdict(getattr(other, name), args, keywords)


@pytest.mark.parametrize("kind", ["POP3", "POP3_SSL"])
def test_classes_have_the_signature_of_poplib_with_its_defaults(kind: str) -> None:
    assert inspect.signature(getattr(cpoplib, kind)) == inspect.signature(getattr(poplib, kind))
    timeout = inspect.signature(getattr(cpoplib, kind)).parameters["timeout"]
    assert timeout.default is socket._GLOBAL_DEFAULT_TIMEOUT  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_to_tools_the_function_that_poplib_has(name: str) -> None:
    ours, theirs = getattr(cpoplib.POP3, name), getattr(poplib.POP3, name)
    assert inspect.isfunction(ours) and inspect.isroutine(ours)
    assert inspect.signature(ours) == inspect.signature(theirs)
    assert (ours.__name__, ours.__qualname__, ours.__module__) == (name, theirs.__qualname__, "cpoplib")
    assert ours.__defaults__ == theirs.__defaults__
    assert copy.deepcopy(ours) is ours
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(ours, protocol)) is ours
    bound = getattr(refusing(cpoplib), name)
    assert inspect.ismethod(bound)
    with pytest.raises(TypeError):
        ours(3)
    with pytest.raises(TypeError):
        ours()


def test_a_method_that_was_replaced_on_the_class_is_used_and_can_be_put_back() -> None:
    with mock.patch.object(cpoplib.POP3, "__init__", lambda self, host: setattr(self, "host", host.upper())):
        assert cpoplib.POP3("host").host == "HOST"
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'host'"):
        cpoplib.POP3()
    with mock.patch.object(cpoplib.POP3, "_getresp", return_value=b"+OK 7 8"):
        client = refusing(cpoplib)
        assert client.stat() == (7, 8)
    with pytest.raises(cpoplib.error_proto):
        client.stat()
