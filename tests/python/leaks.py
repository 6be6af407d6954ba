#!/usr/bin/env python3
"""Ten thousand retrievals of each kind leave references and memory as they were. Prints TAP.

One thread plays both sides: a reply is in the socket before the client asks. With a debug build of Python the
interpreter's count of all references is checked as well as its memory.
"""

from __future__ import annotations

import gc
import io
import socket
import sys
import tracemalloc
from typing import Any, Callable

import cpoplib

ROUNDS = 10_000
WARM_UP = 1_000
LINES = b"a line of some sixty octets, as they are found in messages of mail\r\n" * 40
MESSAGE = b"+OK\r\n" + LINES + b"..stuffed\r\n.\r\n"
WHOLE = LINES + b".stuffed\r\n"

KINDS: dict[str, tuple[bytes, Callable[[Any], Any]]] = {}


def kind(reply: bytes) -> Callable[[Callable[[Any], Any]], None]:
    """Registers a kind of retrieval, with what the server says to it."""

    def register(function: Callable[[Any], Any]) -> None:
        KINDS[function.__name__] = (reply, function)

    return register


@kind(MESSAGE)
def retr(pop: Any) -> None:
    assert len(pop.retr(1)[1]) == 41


@kind(MESSAGE)
def retr_bytes(pop: Any) -> None:
    assert pop.retr_bytes(1) == WHOLE


@kind(MESSAGE)
def retr_into(pop: Any) -> None:
    assert pop.retr_into(1, io.BytesIO()) == len(WHOLE)


@kind(MESSAGE)
def retr_many(pop: Any) -> None:
    assert list(pop.retr_many([1])) == [(1, WHOLE)]


@kind(MESSAGE)
def retr_line_by_line(pop: Any) -> None:
    pop._getline = pop._getline  # as a subclass would: no fast way
    assert len(pop.retr(1)[1]) == 41
    del pop._getline


@kind(b"-ERR no\r\n")
def refusal(pop: Any) -> None:
    for call in (pop.retr, pop.dele):
        try:
            call(1)
        except cpoplib.error_proto:
            return


@kind(b"-ERR no\r\n")
def refusal_by_the_engine(pop: Any) -> None:
    try:
        pop.retr_bytes(1)
    except cpoplib.error_proto:
        pass


@kind(b"+OK\r\nTOP\r\nSASL PLAIN\r\n.\r\n")
def capa(pop: Any) -> None:
    assert pop.capa() == {"TOP": [], "SASL": ["PLAIN"]}


@kind(b"+OK\r\n")
def auth(pop: Any) -> None:
    pop.auth("PLAIN", lambda challenge=None: b"\0a\0b")


@kind(b"")
def errors_before_anything_is_sent(pop: Any) -> None:
    for arguments in ((), (1, 2), ("a\r\n",)):
        try:
            pop.retr(*arguments)
        except (TypeError, ValueError):
            pass
    try:
        pop.auth("\0")
    except ValueError:
        pass


def session(client: socket.socket) -> Any:
    """A client on that socket."""
    before = socket.create_connection
    socket.create_connection = lambda *_: client
    try:
        return cpoplib.POP3("host")
    finally:
        socket.create_connection = before


def repeat(server: socket.socket, pop: Any, reply: bytes, call: Callable[[Any], Any], n: int) -> None:
    for _ in range(n):
        if reply:
            server.sendall(reply)
        call(pop)
    server.setblocking(False)
    try:
        while server.recv(1 << 20):
            pass
    except BlockingIOError:
        pass
    server.setblocking(True)


def resident() -> int:
    """Octets of memory that the process has."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * 4096


def count_references() -> int:
    gc.collect()
    return sys.gettotalrefcount() if hasattr(sys, "gettotalrefcount") else 0


def measure(reply: bytes, call: Callable[[Any], Any]) -> list[str]:
    """What has grown between two times many retrievals; nothing, it is hoped."""
    server, client = socket.socketpair()
    server.sendall(b"+OK\r\n")
    pop = session(client)
    grown = []
    chunk = 100  # commands that fit into the socket's buffer before somebody reads them
    for _ in range(WARM_UP // chunk):
        repeat(server, pop, reply, call, chunk)
    tracemalloc.start()
    repeat(server, pop, reply, call, chunk)
    resident()  # the first call imports a codec, which stays
    gc.collect()
    references, traced, memory = count_references(), tracemalloc.get_traced_memory()[0], resident()
    for _ in range(ROUNDS // chunk):
        repeat(server, pop, reply, call, chunk)
    gc.collect()
    now = tracemalloc.get_traced_memory()[0] - traced
    tracemalloc.stop()
    if now > 20_000:
        grown.append(f"traced memory grew by {now} octets")
    if count_references() - references > ROUNDS // 100:
        grown.append(f"references grew by {count_references() - references}")
    if resident() - memory > 1 << 20:
        grown.append(f"resident memory grew by {resident() - memory} octets")
    pop.close()
    server.close()
    return grown


def connections(n: int) -> None:
    for _ in range(n):
        server, client = socket.socketpair()
        server.sendall(b"+OK\r\n" + MESSAGE + MESSAGE)
        pop = session(client)
        pop.retr(1)
        many = pop.retr_many([1])
        next(many)
        pop.close()
        server.close()


def measure_connections() -> list[str]:
    connections(200)
    references, memory = count_references(), resident()
    connections(2_000)
    grown = []
    if count_references() - references > 100:
        grown.append(f"references grew by {count_references() - references}")
    if resident() - memory > 1 << 20:
        grown.append(f"resident memory grew by {resident() - memory} octets")
    return grown


def main() -> int:
    debug = "debug build, references counted" if hasattr(sys, "gettotalrefcount") else "release build"
    print(f"# Python {sys.version.split()[0]}, {debug}")
    tests = [(f"{ROUNDS} times {name} leave nothing behind", lambda name=name: measure(*KINDS[name]))
             for name in KINDS]
    tests.append(("2000 connections leave nothing behind", measure_connections))
    print(f"1..{len(tests)}")
    failed = False
    for number, (name, test) in enumerate(tests, 1):
        grown = test()
        print(f"{'not ok' if grown else 'ok'} {number} - {name}", flush=True)
        for line in grown:
            print(f"# {line}")
        failed = failed or bool(grown)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
