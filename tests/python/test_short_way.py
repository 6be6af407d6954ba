"""Where a socket is Python's own, octets go by its descriptor; that shows in nothing but the calls that are saved.

Each behaviour is looked at with poplib too.
"""

from __future__ import annotations

import contextlib
import os
import poplib
import signal
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Callable, Iterator
from unittest import mock

import cpoplib
import pytest

ROOT = Path(__file__).resolve().parents[2]
HELLO = b"+OK hello\r\n"
MESSAGE = b"+OK\r\n" + b"a line of the message\r\n" * 1000 + b".\r\n"

both = pytest.mark.parametrize("module", [poplib, cpoplib], ids=["poplib", "cpoplib"])


@contextlib.contextmanager
def connected(module: Any, replies: bytes, kind: str = "POP3", **options: Any) -> Iterator[tuple[Any, socket.socket]]:
    """A client on one end of a pair of sockets; the other end has sent the replies."""
    server, client = socket.socketpair()
    server.sendall(HELLO + replies)
    with server, mock.patch.object(socket, "create_connection", lambda *_: client):
        pop = getattr(module, kind)("host", **options)
        yield pop, server
        with contextlib.suppress(OSError):
            pop.close()
        client.close()


def python_calls(call: Callable[[], Any]) -> list[str]:
    """The names of the functions written in Python that were called."""
    names: list[str] = []

    def note(frame: Any, event: str, _: Any) -> None:
        if event == "call":
            names.append(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
    return names[1:] if names[:1] == ["<lambda>"] else names


def test_no_function_of_python_is_called_for_a_command_on_a_plain_socket() -> None:
    with connected(cpoplib, b"+OK\r\n" + MESSAGE + b"+OK 1 2\r\n" + MESSAGE) as (pop, _):
        for call in (pop.noop, lambda: pop.retr(1), pop.stat, lambda: pop.retr_bytes(1)):
            assert python_calls(call) == []


# What somebody may have put in the way


class Quiet(socket.socket):
    """A subclass that changes nothing."""


def a_method_of_the_class(stack: contextlib.ExitStack, pop: Any, seen: list[str]) -> None:
    original = socket.socket.recv_into

    def recv_into(self: Any, *arguments: Any) -> int:
        seen.append("recv_into")
        return original(self, *arguments)

    stack.enter_context(mock.patch.object(socket.socket, "recv_into", recv_into))


def the_way_out_of_the_class(stack: contextlib.ExitStack, pop: Any, seen: list[str]) -> None:
    original = socket.socket.sendall

    def sendall(self: Any, *arguments: Any) -> None:
        seen.append("sendall")
        original(self, *arguments)

    stack.enter_context(mock.patch.object(socket.socket, "sendall", sendall))


def the_method_of_the_raw_file(stack: contextlib.ExitStack, pop: Any, seen: list[str]) -> None:
    original = socket.SocketIO.readinto

    def readinto(self: Any, room: Any) -> Any:
        seen.append("readinto")
        return original(self, room)

    stack.enter_context(mock.patch.object(socket.SocketIO, "readinto", readinto))


def a_method_of_one_raw_file(stack: contextlib.ExitStack, pop: Any, seen: list[str]) -> None:
    original = pop.file.raw.readinto
    pop.file.raw.readinto = lambda room: (seen.append("own"), original(room))[1]


def the_socket(stack: contextlib.ExitStack, pop: Any, seen: list[str]) -> None:
    class Socket:
        def __init__(self, sock: socket.socket) -> None:
            self.sock = sock

        def sendall(self, octets: bytes) -> None:
            seen.append("sendall")
            self.sock.sendall(octets)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.sock, name)

    pop.sock = Socket(pop.sock)


def another_socket_of_the_same_kind(stack: contextlib.ExitStack, pop: Any, seen: list[str]) -> None:
    pop.sock = socket.socket(fileno=socket.dup(pop.sock.fileno()))
    stack.callback(pop.sock.close)
    seen.append("sent by another")


def a_method_of_the_client(stack: contextlib.ExitStack, pop: Any, seen: list[str]) -> None:
    original = pop._putcmd
    pop._putcmd = lambda line: (seen.append(line), original(line))[1]


def a_method_of_the_client_class(stack: contextlib.ExitStack, pop: Any, seen: list[str]) -> None:
    kind = type(pop)
    original = kind._putline
    stack.enter_context(mock.patch.object(
        kind, "_putline", lambda self, line: (seen.append("putline"), original(self, line))[1]))


CHANGES = [a_method_of_the_class, the_way_out_of_the_class, the_method_of_the_raw_file, a_method_of_one_raw_file,
           the_socket, another_socket_of_the_same_kind, a_method_of_the_client, a_method_of_the_client_class]


@both
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_what_was_replaced_is_used(change: Callable[..., None], module: Any) -> None:
    seen: list[str] = []
    with connected(module, b"") as (pop, server), contextlib.ExitStack() as stack:
        change(stack, pop, seen)
        server.sendall(b"+OK 1 2\r\n")
        assert pop.stat() == (1, 2)
        server.sendall(MESSAGE)
        assert pop.retr(1) == (b"+OK", [b"a line of the message"] * 1000, 23000)
        assert server.recv(1000) == b"STAT\r\nRETR 1\r\n"
    assert seen
    with connected(module, b"+OK 1 2\r\n") as (pop, _):  # all is as it was
        assert pop.stat() == (1, 2)


@both
def test_a_subclass_of_a_socket_is_used(module: Any) -> None:
    server, plain = socket.socketpair()
    client = Quiet(plain.family, plain.type, plain.proto, plain.detach())
    server.sendall(HELLO + b"+OK 1 2\r\n")
    with server, client, mock.patch.object(socket, "create_connection", lambda *_: client):
        assert module.POP3("host").stat() == (1, 2)


# Time


@both
def test_a_timeout_ends_the_file_as_the_one_of_a_socket_does(module: Any) -> None:
    with connected(module, b"") as (pop, server):
        pop.sock.settimeout(0.02)
        with pytest.raises(socket.timeout, match="timed out"):
            pop.noop()
        server.sendall(b"+OK late\r\n")
        with pytest.raises(OSError, match="cannot read from timed out object"):
            pop.noop()
        assert server.recv(100) == b"NOOP\r\nNOOP\r\n"


@both
def test_a_timeout_while_a_command_goes_out_is_one(module: Any) -> None:
    with connected(module, b"") as (pop, _):
        pop.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        pop.sock.settimeout(0.05)
        with pytest.raises(socket.timeout, match="timed out"):
            pop._shortcmd("NOOP " + "x" * 1_000_000)


@contextlib.contextmanager
def alarms(handle: Callable[..., Any]) -> Iterator[None]:
    """SIGALRM again and again: one that comes just before a system call does not interrupt it."""
    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@both
def test_a_signal_that_is_handled_does_not_end_a_command(module: Any) -> None:
    with connected(module, b"") as (pop, server):
        calls = []

        def handle(*_: Any) -> None:
            calls.append(1)
            if len(calls) >= 3:  # another may have come within this one
                server.sendall(b"+OK 5 6\r\n")

        with alarms(handle):
            assert pop.stat() == (5, 6)
        assert len(calls) >= 3


@both
def test_a_signal_whose_handler_raises_ends_a_command_and_no_octet_is_lost(module: Any) -> None:
    with connected(module, b"") as (pop, server):

        def handle(*_: Any) -> None:
            try:
                server.recv(100, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            raise ZeroDivisionError("the command has gone out")

        with alarms(handle), pytest.raises(ZeroDivisionError):
            pop.noop()
        server.sendall(b"+OK the answer\r\n")
        assert pop._getresp() == b"+OK the answer"


@both
def test_a_handler_may_close_the_connection(module: Any) -> None:
    with connected(module, b"") as (pop, server):
        with alarms(lambda *_: pop.sock.close() or pop.sock.detach()), pytest.raises(OSError):
            pop.noop()


@both
def test_an_audit_hook_may_close_the_connection(module: Any) -> None:
    closing: list[Any] = []
    sys.addaudithook(lambda event, arguments: closing.pop().close() if event == "poplib.putline" and closing else None)
    with connected(module, b"+OK\r\n") as (pop, _):
        closing.append(pop.sock)
        closing[0] = mock.Mock(close=pop.sock.detach)
        with pytest.raises(OSError):
            pop.noop()


@both
def test_a_socket_that_does_not_block_is_left_to_python(module: Any) -> None:
    with connected(module, b"+OK 1 2\r\n") as (pop, _):
        pop.sock.setblocking(False)
        assert pop.stat() == (1, 2)


# Two threads


def test_a_second_thread_is_refused_while_the_first_waits_for_a_reply() -> None:
    with connected(cpoplib, b"") as (pop, server):
        first: list[Any] = []
        thread = threading.Thread(target=lambda: first.append(pop.stat()))
        thread.start()
        assert server.recv(100) == b"STAT\r\n"
        for call in (pop.noop, lambda: pop.retr(1), lambda: pop.retr_bytes(1), lambda: pop.capabilities,
                     lambda: next(pop.retr_many([1])), pop.quit, lambda: pop._putcmd("NOOP"), pop._getresp):
            with pytest.raises(RuntimeError, match="in use already"):
                call()
        server.sendall(b"+OK 3 4\r\n+OK\r\n")
        thread.join(30)
        assert first == [(3, 4)]
        assert pop.noop() == b"+OK"
        assert server.recv(100) == b"NOOP\r\n"


def test_another_thread_may_close_a_connection_that_waits() -> None:
    with connected(cpoplib, b"") as (pop, server):
        failed: list[BaseException] = []

        def wait() -> None:
            try:
                pop.stat()
            except Exception as exception:
                failed.append(exception)

        thread = threading.Thread(target=wait)
        thread.start()
        assert server.recv(100) == b"STAT\r\n"
        pop.close()
        thread.join(30)
        assert not thread.is_alive() and len(failed) == 1


def is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def test_the_number_of_a_descriptor_is_not_free_while_another_thread_uses_it() -> None:
    with connected(cpoplib, b"") as (pop, server):

        def wait() -> None:
            with contextlib.suppress(OSError, AttributeError, TypeError, ValueError, cpoplib.error_proto):
                pop.stat()

        thread = threading.Thread(target=wait)
        thread.start()
        assert server.recv(100) == b"STAT\r\n"
        number = pop.sock.fileno()
        with mock.patch.object(socket.socket, "shutdown", lambda *_: None):  # it would wake the other thread
            pop.close()
        open_after_close = is_open(number)
        server.sendall(b"+OK 1 2\r\n")
        thread.join(30)
        assert not thread.is_alive() and open_after_close and not is_open(number)


# TLS


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certificates")
    subprocess.run([ROOT / "tests/server/make-certs.sh", directory], check=True, capture_output=True)
    return directory


@contextlib.contextmanager
def secured(module: Any, certificates: Path, serve: Callable[[ssl.SSLSocket], None],
            heed: bool = False) -> Iterator[Any]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "good.pem", certificates / "good.key")
    server, client = socket.socketpair()

    def run() -> None:
        with contextlib.suppress(OSError), context.wrap_socket(server, server_side=True) as secure:
            serve(secure)

    thread = threading.Thread(target=run)
    thread.start()
    with mock.patch.object(socket, "create_connection", lambda *_: client):
        ours = ssl._create_unverified_context()
        if heed:
            ours.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        pop = module.POP3_SSL("host", context=ours)
    try:
        yield pop
    finally:
        with contextlib.suppress(OSError):
            pop.close()
        thread.join(30)
        server.close()


def answering(replies: list[bytes]) -> Callable[[ssl.SSLSocket], None]:
    def serve(secure: ssl.SSLSocket) -> None:
        secure.sendall(HELLO)
        for reply in replies:
            secure.recv(1000)
            secure.sendall(reply)
        secure.recv(1000)

    return serve


def test_no_function_of_python_is_called_for_a_command_over_tls(certificates: Path) -> None:
    with secured(cpoplib, certificates, answering([b"+OK\r\n", MESSAGE, b"+OK 1 2\r\n"])) as pop:
        for call in (pop.noop, lambda: pop.retr(1), pop.stat):
            assert python_calls(call) == []


@pytest.mark.skipif(os.sysconf("SC_NPROCESSORS_ONLN") == 1, reason="the server needs the processor")
def test_an_answer_over_tls_is_looked_for_before_sleeping(certificates: Path) -> None:
    looks = []
    with secured(cpoplib, certificates, answering([b"+OK\r\n", MESSAGE])) as pop:
        fileno = pop.sock.fileno
        pop.sock.fileno = lambda: looks.append(1) or fileno()
        pop.noop()
        assert looks == [1]
        assert len(pop.retr(1)[1]) == 1000


@pytest.mark.parametrize("fileno", [lambda: -1, lambda: "x", lambda: 1 / 0, lambda: 1 << 40])
def test_a_tls_socket_whose_descriptor_is_hidden_works(certificates: Path, fileno: Callable[[], Any]) -> None:
    with secured(cpoplib, certificates, answering([b"+OK\r\n", MESSAGE])) as pop:
        pop.sock.fileno = fileno
        assert pop.noop() == b"+OK"
        assert len(pop.retr(1)[1]) == 1000


@both
@pytest.mark.parametrize("name", ["recv_into", "read", "send", "sendall"])
@pytest.mark.parametrize("where", ["class", "instance"])
def test_a_method_of_a_tls_socket_that_was_replaced_is_used(
        certificates: Path, module: Any, name: str, where: str) -> None:
    with secured(module, certificates, answering([b"+OK 1 2\r\n", MESSAGE])) as pop:
        original = getattr(ssl.SSLSocket, name)
        seen = []

        def replaced(*arguments: Any) -> Any:
            if where == "instance":
                arguments = (pop.sock, *arguments)
            if arguments[0] is pop.sock:  # and not the server's
                seen.append(name)
            return original(*arguments)

        target = pop.sock if where == "instance" else ssl.SSLSocket
        with mock.patch.object(target, name, replaced):
            assert pop.stat() == (1, 2)
            assert len(pop.retr(1)[1]) == 1000
        assert seen


@pytest.mark.parametrize("suppress", [True, False])
@pytest.mark.parametrize("heed", [True, False])
def test_tls_that_ends_without_a_goodbye_ends_as_it_does_with_poplib(
        certificates: Path, suppress: bool, heed: bool) -> None:
    def serve(secure: ssl.SSLSocket) -> None:
        secure.sendall(HELLO)
        secure.recv(1000)
        socket.socket.shutdown(secure, socket.SHUT_WR)
        while socket.socket.recv(secure, 1000):  # a close with octets unread would be a reset
            pass

    outcomes = []
    for module in (poplib, cpoplib):
        with secured(module, certificates, serve, heed) as pop:
            pop.sock.suppress_ragged_eofs = suppress
            with pytest.raises((module.error_proto, ssl.SSLError)) as caught:
                pop.noop()
            outcomes.append((caught.type.__name__, str(caught.value).split("(_ssl")[0]))
    assert outcomes[0] == outcomes[1]


@both
def test_a_timeout_over_tls_ends_the_file(certificates: Path, module: Any) -> None:
    def serve(secure: ssl.SSLSocket) -> None:
        secure.sendall(HELLO)
        secure.recv(1000)
        secure.recv(1000)

    with secured(module, certificates, serve) as pop:
        pop.sock.settimeout(0.02)
        with pytest.raises(socket.timeout):
            pop.noop()
        with pytest.raises(OSError, match="cannot read from timed out object"):
            pop.noop()
