"""A reply that comes in pieces is acknowledged at once.

A server that writes a reply in two pieces with Nagle's algorithm on holds the second back until the first has
been acknowledged, which Linux delays by 40 ms. The kernel counts delays that ran out, for each network
namespace, so the session is held in one of its own; where none can be made the test is skipped.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import sys
import threading
from typing import Any, Callable

import cpoplib
import pytest

MESSAGES = 100
BODY = b"".join(b"line %d of a message\r\n" % i for i in range(100))

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1


def serve(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as lines:
        connection.sendall(b"+OK ready\r\n")
        for line in lines:
            if line.upper().startswith(b"RETR"):
                connection.sendall(b"+OK\r\n")
                connection.sendall(BODY + b".\r\n")
            elif line.upper().startswith(b"STAT"):
                connection.sendall(b"+OK 1")
                connection.sendall(b" 2\r\n")
            else:
                connection.sendall(b"+OK\r\n")


def delayed_acknowledgements() -> int:
    with open("/proc/self/net/netstat", encoding="ascii") as file:
        rows = [line.split() for line in file]
    for names, values in zip(rows[::2], rows[1::2]):
        if "DelayedACKs" in names:
            return int(values[names.index("DelayedACKs")])
    raise LookupError("this kernel does not count delayed acknowledgements")


def bring_loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        name, flags = struct.unpack("16sh14x", fcntl.ioctl(s, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0)))
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", name, flags | IFF_UP))


def alone(work: Callable[[], int]) -> int:
    """What work() returns in a process that has a network of its own; 255 when that cannot be had."""
    child = os.fork()
    if child == 0:
        status = 254
        try:
            unshare = ctypes.CDLL(None, use_errno=True).unshare
            if unshare(CLONE_NEWNET) != 0 and unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0:
                status = 255
            else:
                bring_loopback_up()
                status = min(work(), 253)
        finally:
            sys.stdout.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def delays_of(command: Callable[[Any], Any]) -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        pop = cpoplib.POP3("127.0.0.1", listener.getsockname()[1], timeout=60)
        before = delayed_acknowledgements()
        for _ in range(MESSAGES):
            command(pop)
        delays = delayed_acknowledgements() - before
        pop.quit()
    return delays


COMMANDS: dict[str, Callable[[Any], Any]] = {
    "retr": lambda pop: pop.retr(1),
    "retr_bytes": lambda pop: pop.retr_bytes(1),
    "retr_many": lambda pop: list(pop.retr_many([1])),
    "stat": lambda pop: pop.stat(),
}


@pytest.mark.skipif(not hasattr(socket, "TCP_QUICKACK"), reason="this system cannot be told to acknowledge")
@pytest.mark.parametrize("name", COMMANDS)
def test_a_reply_in_two_pieces_is_acknowledged_at_once(name: str) -> None:
    delays = alone(lambda: delays_of(COMMANDS[name]))
    if delays == 255:
        pytest.skip("no network namespace can be made here")
    assert delays <= MESSAGES // 10
