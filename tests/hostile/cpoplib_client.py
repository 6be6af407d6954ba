#!/usr/bin/env python3
"""cpoplib as a client of the catalogue: retrieves and deletes all there is, and reports what it believes
happened. What every client of the catalogue must do is in README.md.

    cpoplib_client.py plain|tls|stls PORT CA-FILE [OPTION=VALUE]...
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import os
import socket
import ssl
import sys
from typing import Callable, Iterable, Iterator

import cpoplib

sys.dont_write_bytecode = True

from many import serve  # noqa: E402

MESSAGES = 5  # most messages that are asked for: the maildrop has three, whatever the server says


class Limit(Exception):
    """A message is larger than we take."""


class Counter:
    """A file that keeps a digest, and refuses octets beyond a limit."""

    def __init__(self, most: int) -> None:
        self.left = most
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.left -= len(data)
        if self.left < 0:
            raise Limit
        self.digest.update(data)
        return len(data)


def peak() -> int:
    """The most memory this process has had, in KiB."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def status_of(error: BaseException) -> str:
    """The class of a failure, as the library would name it."""
    if isinstance(error, Limit):
        return "limit"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate"
    if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return "closed"
    if isinstance(error, ssl.SSLError):
        return "tls"
    if isinstance(error, OSError):
        return "closed"
    if not isinstance(error, cpoplib.error_proto):
        return "value"
    said = error.args[0]
    if said in (b"-ERR EOF", b"EOF", "EOF") or str(said).startswith("-ERR EOF"):
        return "closed"
    if said == "line too long" or "limit" in str(said):
        return "limit"
    if "not supported by server" in str(said):
        return "not-offered"
    return "refused" if isinstance(said, bytes) and said.startswith((b"-", b"+ERR")) else "protocol"


def unless_refused(call: Callable) -> Iterable[bytes] | None:
    """A listing's lines; None when the server refuses it."""
    try:
        return call()[1]
    except cpoplib.error_proto as error:
        if status_of(error) != "refused":
            raise
        return None


def numbers_in(lines: Iterable[bytes] | None, count: int) -> list[int]:
    """The messages to ask for: those listed, or as many as STAT says when there is no listing."""
    if lines is None:
        return list(range(1, min(count, MESSAGES) + 1))
    found: list[int] = []
    for line in lines:
        number = int(line.split()[0])
        if number not in found and len(found) < MESSAGES:
            found.append(number)
    return found


class Session:
    """One session, and what it believes."""

    def __init__(self, how: str, port: int, ca_file: str, options: dict[str, int]) -> None:
        self.how, self.port = how, port
        self.trust = ssl.create_default_context(cafile=ca_file)
        self.options = options
        self.whole: list[tuple[int, str]] = []
        self.marked: list[int] = []
        self.deleted: list[int] = []

    def patience(self) -> float:
        """Seconds to wait for an octet."""
        return min(self.options.get("timeout", 20000), self.options.get("connect-timeout", 20000)) / 1000

    def connect(self) -> cpoplib.POP3:
        if self.how == "tls":
            return cpoplib.POP3_SSL("localhost", self.port, timeout=self.patience(), context=self.trust)
        return cpoplib.POP3("localhost", self.port, timeout=self.patience())

    def messages(self, pop: cpoplib.POP3, numbers: list[int]) -> Iterator[tuple[int, str]]:
        """Each message that comes whole, with its hash."""
        if "message-octets" in self.options:
            for number in numbers:
                counter = Counter(self.options["message-octets"])
                pop.retr_into(number, counter)
                yield number, counter.digest.hexdigest()[:16]
            return
        coming = pop.retr_many(numbers)
        while True:
            try:
                number, message = next(coming)
            except StopIteration:
                return
            except cpoplib.error_proto as error:
                if status_of(error) != "refused":
                    raise
                continue
            yield number, hashlib.sha256(message).hexdigest()[:16]

    def play(self, pop: cpoplib.POP3) -> None:
        if self.how == "stls":
            pop.stls(context=self.trust)
        pop.user("joe")
        pop.pass_("secret")
        try:
            count = pop.stat()[0]
        except cpoplib.error_proto as error:
            if status_of(error) != "refused":
                raise
            count = 0
        numbers = numbers_in(unless_refused(pop.list), count)
        for line in unless_refused(pop.uidl) or []:
            number, _, uid = line.partition(b" ")
            if int(number) < 1 or not uid:
                raise ValueError("a unique-id that is none")
        for number, digest in self.messages(pop, numbers):
            self.whole.append((number, digest))
        for number, _ in self.whole:
            try:
                pop.dele(number)
                self.marked.append(number)
            except cpoplib.error_proto as error:
                if status_of(error) != "refused":
                    raise
        pop.quit()
        self.deleted = self.marked

    def run(self) -> BaseException | None:
        """Plays the session; returns what ended it."""
        pop = None
        try:
            pop = self.connect()
            self.play(pop)
        except (OSError, cpoplib.error_proto, Limit, ValueError, IndexError) as error:
            return error
        finally:
            if pop is not None:
                with contextlib.suppress(OSError):  # a handshake that failed has closed it
                    pop.close()
        return None


def read_options(words: list[str]) -> dict[str, int]:
    options = {}
    for option in words:
        name, _, value = option.partition("=")
        options[name] = int(value[:-1]) << 20 if value.endswith("M") else int(value)
    return options


def print_result(session: Session, ended: BaseException | None, memory: int) -> None:
    print(f"memory {memory}")
    print(f"session {'ok' if ended is None else status_of(ended)}")
    for number, digest in session.whole:
        print(f"delivered {number} {digest}")
    for number in session.deleted:
        print(f"deleted {number}")
    if ended is not None:
        print(f"says {type(ended).__name__} {ended!r}"[:300])


def connect_once() -> None:
    """To a server that says nothing: what a first connection loads is not to be counted."""
    with socket.create_server(("127.0.0.1", 0)) as silent, contextlib.suppress(OSError, cpoplib.error_proto):
        cpoplib.POP3("localhost", silent.getsockname()[1], timeout=0.001)


def main() -> int:
    connect_once()
    session = Session(sys.argv[1], int(sys.argv[2]), sys.argv[3], read_options(sys.argv[4:]))
    descriptors = len(os.listdir("/proc/self/fd"))
    before = peak()
    ended = session.run()
    print_result(session, ended, peak() - before)
    # Where the reset comes before the handshake, Python's ssl leaves its socket to the frames of the exception.
    ended = None
    gc.collect()
    if len(os.listdir("/proc/self/fd")) != descriptors:
        print("broken: a descriptor was left open")
    return 0


if __name__ == "__main__":
    sys.exit(serve(main))
