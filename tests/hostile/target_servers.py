"""Servers that mail goes to, and those that give tokens, which are polite up to one step, and there say what they are told
to: LMTP, SMTP, IMAP, and HTTPS for the Gmail API and OAuth 2.0. They are less strict than those of tests/sync, as what they
are for is what they say."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import re
import select
import socket
import ssl
import struct
import threading
from pathlib import Path
from typing import Callable, ContextManager, Iterable, Iterator, Optional

from listening import PATIENCE, Listening

# What is said at a step: pieces, until there are no more or nobody takes them; then the connection ends.
Speech = Callable[[], Iterable[bytes]]


class Gone(Exception):
    """The connection is over."""


def held() -> Iterator[bytes]:
    """Nothing, while the other end is there: at each empty piece a speaker looks for a moment whether it is."""
    while True:
        yield b""


def dripping(octets: bytes) -> Iterator[bytes]:
    """One octet after the other, again and again, each after a moment."""
    while True:
        for i in range(len(octets)):
            yield octets[i : i + 1]
            yield b""


class Connection:
    """One connection: a dialogue that is polite but at the step that it is about."""

    def __init__(self, server: HostileTarget, raw: socket.socket, number: int) -> None:
        self.server, self.socket, self.number = server, raw, number
        self.buffer = b""
        raw.settimeout(PATIENCE)

    def read(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise Gone
        self.buffer += data

    def until(self, end: bytes) -> bytes:
        while end not in self.buffer:
            self.read()
        found, self.buffer = self.buffer.split(end, 1)
        return found

    def octets(self, count: int) -> bytes:
        while len(self.buffer) < count:
            self.read()
        found, self.buffer = self.buffer[:count], self.buffer[count:]
        return found

    def speak(self, speech: Speech) -> None:
        """Says it all, and ends."""
        self.server.spoken += 1
        self.server.speaks.set()
        with self.server.speaking():
            for piece in speech():
                if piece:
                    self.socket.sendall(piece)
                    continue
                while select.select([self.socket], [], [], 0.05)[0]:
                    if not self.socket.recv(65536):
                        raise Gone
        raise Gone

    def say(self, step: str, usual: str | bytes) -> None:
        """At each step: what is usual, or what this server is for."""
        s = self.server
        if step == s.step and self.number > s.polite:
            self.speak(s.speech)
        if step == s.refused_at and self.number <= s.polite:
            usual = s.refusal
        if usual == b"":
            raise Gone
        self.socket.sendall(usual.encode() if isinstance(usual, str) else usual)

    def secure(self) -> None:
        """Begins TLS, or says something else instead."""
        s = self.server
        if s.step == "tls" and self.number > s.polite:
            self.socket.recv(4096)
            self.speak(s.speech)
        self.socket = s.context.wrap_socket(self.socket, server_side=True)
        self.socket.settimeout(PATIENCE)


def lmtp(c: Connection, hello: str = "LHLO") -> None:
    c.say("greeting", "220 polite\r\n")
    while True:
        line = c.until(b"\r\n").decode(errors="replace")
        word = line.split(" ")[0].upper()
        if word == hello:
            login = "250-AUTH PLAIN\r\n" if hello == "EHLO" else ""
            c.say("hello", f"250-polite\r\n250-PIPELINING\r\n250-8BITMIME\r\n{login}250 SIZE 100000000\r\n")
        elif word == "AUTH":
            if line.count(" ") == 1:
                c.say("method", "334 \r\n")
                c.until(b"\r\n")
            c.say("auth", "235 2.7.0 welcome\r\n")
        elif word == "DATA":
            c.say("data", "354 go on\r\n")
            c.until(b"\r\n.\r\n")
            c.say("message", "250 2.0.0 saved\r\n")
        elif word in ("MAIL", "RCPT", "RSET"):
            if word == "RCPT":
                c.server.recipients.add(line.partition("<")[2].partition(">")[0])
            c.say(word.lower(), "250 2.0.0 ok\r\n")
        else:
            c.say("quit", "221 bye\r\n")


def smtp(c: Connection) -> None:
    c.secure()
    lmtp(c, "EHLO")


def imap(c: Connection) -> None:
    c.secure()
    c.say("greeting", "* OK polite\r\n")
    asked = 0
    while True:
        line = c.until(b"\r\n").decode(errors="replace")
        tag, _, rest = line.partition(" ")
        word = rest.split(" ")[0].upper()
        ok = f"{tag} OK done\r\n"
        c.server.tag = tag.encode()
        if word == "CAPABILITY":
            asked += 1
            c.say("capability" if asked == 1 else "capability-in",
                  f"* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR UIDPLUS {c.server.more}\r\n{ok}")  # fmt: skip
        elif word == "AUTHENTICATE":
            c.say("login", ok)
        elif word == "APPEND":
            size, at_once = re.search(r"\{(\d+)(\+?)\}$", line).groups()
            if not at_once:
                c.say("append", "+ go on\r\n")
            c.octets(int(size) + 2)
            c.say("message", f"{tag} OK [APPENDUID 1 1] done\r\n")
        elif word == "EXAMINE":
            c.say("examine", f"* 3 EXISTS\r\n* OK [UIDVALIDITY 1] x\r\n* OK [UIDNEXT 4] x\r\n{tag} OK [READ-ONLY] done\r\n")
        else:
            c.say(word.lower(), ok)


def https(c: Connection) -> None:
    """Any of the requests that pop3 makes: the step is what its path says."""
    c.secure()
    while True:
        head = c.until(b"\r\n\r\n").decode(errors="replace")
        size = re.search(r"^content-length: (\d+)", head, re.I | re.M)
        c.octets(int(size[1]) if size else 0)
        path = head.split(" ")[1].split("?")[0]
        step = path.rsplit("/", 1)[1] if "/messages/" in path or "/messages" not in path else "list"
        body = json.dumps(c.server.pages.get(step, {}))
        c.say(step, f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}")


PROTOCOLS = {"lmtp": lmtp, "several": lmtp, "multidrop": lmtp, "smtp": smtp, "imap": imap, "gmail": https, "token": https}


@functools.lru_cache
def server_context(certs: Path) -> ssl.SSLContext:
    """One for all servers."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs / "good.pem", certs / "good.key")
    return context


class HostileTarget:
    """Listens on a free port of the loopback. The first `polite` connections are what is usual, but for what they are
    refused at; a later one speaks at `step`, within the context `speaking`."""

    def __init__(self, protocol: str, certs: Path, step: str, speech: Speech, polite: int = 0, refused_at: str = "",
                 refusal: bytes = b"", more: str = "", speaking: Callable[[], ContextManager] = contextlib.nullcontext) -> None:  # fmt: skip
        self.step, self.speech, self.polite, self.refused_at, self.refusal = step, speech, polite, refused_at, refusal
        self.more = more  # capabilities
        self.speaking = speaking
        self.spoken = 0
        self.speaks = threading.Event()
        self.tag = b""
        self.recipients: set[str] = set()  # that were named
        self.dialogue = PROTOCOLS[protocol]
        self.context = server_context(certs)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        at = f"https://localhost:{self.port}"
        self.pages: dict[str, dict] = {
            "oauth-authorization-server": {
                "issuer": at, "token_endpoint": at + "/token", "revocation_endpoint": at + "/revoke",
                "authorization_endpoint": at + "/authorize", "device_authorization_endpoint": at + "/device"},
            "token": {"access_token": "a-token", "token_type": "Bearer", "expires_in": 3600},
            "device": {"device_code": "d", "user_code": "ABCD", "verification_uri": at, "interval": 1, "expires_in": 60},
            "list": {"messages": []}, "labels": {"labels": [{"id": "Label_1", "name": "Work"}]},
            "import": {"id": "1", "threadId": "1"},
        }  # fmt: skip
        self.accepted = itertools.count(1)
        self.listening = Listening(self.listener, self._connection)

    def _connection(self, raw: socket.socket) -> None:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(self, raw, next(self.accepted))
        try:
            self.dialogue(connection)
        except (Gone, OSError, ValueError):
            pass
        if self.speech is resets and connection.socket.fileno() >= 0:
            connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        with contextlib.suppress(OSError):
            connection.socket.close()

    def stop(self) -> None:
        self.listening.stop()


def resets() -> Iterator[bytes]:
    """The connection ends as that of a process that crashed."""
    return iter(())


@contextlib.contextmanager
def running(*arguments: object, **options: object) -> Iterator[HostileTarget]:
    server: Optional[HostileTarget] = HostileTarget(*arguments, **options)  # type: ignore[arg-type]
    try:
        yield server
    finally:
        server.stop()
