"""Plays a server's half of a session to a client, and records the client's half.

The two ends are a pair of Unix sockets of packets: each packet is one read at the client's end, so that a
scenario says exactly how the server's octets are cut. socket.create_connection() is replaced, as users do.
"""

from __future__ import annotations

import contextlib
import io
import socket
import sys
import threading
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator
from unittest import mock

DEADLINE = 30  # seconds: only ever reached by a hanging client
PACKET = 1000  # octets: fits into the smallest buffer that a client may read with

_listeners: list[list[tuple[str, tuple]]] = []


def _on_audit(event: str, arguments: tuple) -> None:
    if _listeners and event.startswith("poplib."):
        _listeners[-1].append((event, arguments[1:]))


sys.addaudithook(_on_audit)


@dataclass
class Record:
    """What a session showed to the outside."""

    steps: list[Any] = field(default_factory=list)
    sent: bytes = b""
    printed: str = ""
    audited: list[Any] = field(default_factory=list)
    attributes: list[str] = field(default_factory=list)
    connected_to: list[Any] = field(default_factory=list)


def packets(data: bytes, size: int = PACKET) -> list[bytes]:
    """Cuts what a server sends into packets of one size."""
    return [data[i : i + size] for i in range(0, len(data), size)]


def describe(value: Any) -> Any:
    """A value with its types all the way down, so that b'' and bytearray() differ."""
    if isinstance(value, (tuple, list)):
        return (type(value).__name__, [describe(item) for item in value])
    if isinstance(value, dict):
        return ("dict", [(describe(k), describe(v)) for k, v in value.items()])
    return (type(value).__name__, repr(value))


def describe_exception(exception: BaseException | None) -> Any:
    """An exception's type, arguments and context."""
    if exception is None:
        return None
    return (
        type(exception).__name__,
        [base.__name__ for base in type(exception).__mro__[1:]],
        describe(exception.args),
        describe_exception(exception.__context__),
    )


def attempt(call: Callable[[], Any]) -> Any:
    """Calls, and describes what came of it."""
    try:
        return ("returned", describe(call()))
    except Exception as exception:  # the comparison is about all of them
        return ("raised", describe_exception(exception))


def play(end: socket.socket, wire: list[bytes]) -> None:
    """Sends the packets, then ends the stream; a client that has gone ends it too."""
    with contextlib.suppress(OSError):
        for packet in wire:
            end.send(packet)
        end.shutdown(socket.SHUT_WR)


def drain(end: socket.socket) -> bytes:
    """What the client sent, after it has closed."""
    octets = b""
    while True:
        try:
            packet = end.recv(1 << 20)
        except ConnectionResetError:  # it left something unread; what it sent is still there
            continue
        if not packet:
            return octets
        octets += packet


@contextlib.contextmanager
def connection(wire: list[bytes], record: Record) -> Iterator[None]:
    """While this is entered, the next connection made is to a server that sends `wire`."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(DEADLINE)

    def create_connection(address: Any, timeout: Any = None, *rest: Any) -> socket.socket:
        shown = timeout if isinstance(timeout, (int, float, type(None))) else "default"
        record.connected_to.append((address, shown, rest))
        return theirs

    server = threading.Thread(target=play, args=(ours, wire), daemon=True)
    server.start()
    try:
        with mock.patch.object(socket, "create_connection", create_connection):
            yield
    finally:
        with contextlib.suppress(OSError):
            theirs.shutdown(socket.SHUT_RDWR)  # whoever holds on to it
        theirs.close()
        record.sent = drain(ours)
        server.join(DEADLINE)
        ours.close()
        assert not server.is_alive()


def run(module: Any, wire: list[bytes], session: Callable[[Any, Record], Any]) -> Record:
    """Plays one session. `session` makes the client, and gives it back to have it closed."""
    record = Record()
    output = io.StringIO()
    _listeners.append(record.audited)
    try:
        with connection(wire, record), contextlib.redirect_stdout(output):
            client = session(module, record)
            if client is not None:
                record.attributes = sorted(vars(client))
                record.steps.append(("close", attempt(client.close)))
    finally:
        _listeners.pop()
    record.printed = output.getvalue()
    return record
