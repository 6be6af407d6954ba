"""LMTP and SMTP servers for tests (RFC 2033, RFC 5321), which keep strictly to the line ends and can be told where to
misbehave."""

from __future__ import annotations

import contextlib
import base64
import re
import socket
import ssl
from pathlib import Path
from typing import Callable, Iterator, NamedTuple, Optional

from listening import Listening

DEADLINE = 60
CAPABILITIES = ("PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "SIZE 50000000")


class Mail(NamedTuple):
    """A message that was accepted."""

    sender: str
    recipient: str
    text: bytes

    @property
    def delivery(self) -> str:
        """What tells a message that was sent once from one that was sent again."""
        return re.match(rb"X-POP3-Delivery: (\S+)\r\n", self.text)[1].decode()

    @property
    def body(self) -> bytes:
        """The message without that line."""
        return self.text.split(b"\r\n", 1)[1]


class Cut(Exception):
    """The connection ends here."""


class Lmtpd:
    """Listens on a Unix-domain socket. `answer` is asked about each step of each message: the step, how many messages
    were begun before, and the text with "message". It returns a reply, or None for the usual one; it may raise Cut.
    `of_recipient` is asked before, where it is about one recipient: the step, and whom.
    After `octets_in` octets from the client, or `octets_out` to it, the first connection ends."""

    hello = "LHLO"
    answers_each = True  # recipient of a message

    def __init__(self, path: Path, answer: Optional[Callable[[str, int, bytes], Optional[str]]] = None,
                 capabilities: tuple[str, ...] = CAPABILITIES, octets_in: int = -1, octets_out: int = -1) -> None:  # fmt: skip
        self.where = f"unix:{path}"
        self.answer = answer or (lambda step, number, text: None)
        self.of_recipient: Callable[[str, str], Optional[str]] = lambda step, recipient: None
        self.capabilities = capabilities
        self.octets = {"in": octets_in, "out": octets_out}
        self.moved = {"in": 0, "out": 0}
        self.mails: list[Mail] = []
        self.lines: list[str] = []
        self.reads: list[bytes] = []
        self.connections = 0
        self.begun = 0
        listener = self._listen(path)
        listener.listen(16)
        self.listening = Listening(listener, self._serve, at_once=False)

    def _listen(self, path: Path) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX)
        path.unlink(missing_ok=True)
        listener.bind(str(path))
        return listener

    def _begin(self, connection: socket.socket) -> socket.socket:
        """A connection is there: what is spoken over."""
        return connection

    def _other(self, connection: socket.socket, line: str) -> socket.socket:
        """Any other command."""
        self._say(connection, "221 bye" if line.upper() == "QUIT" else "500 5.5.2 what?")
        return connection

    def stop(self) -> None:
        self.listening.stop()

    def _serve(self, connection: socket.socket) -> None:
        self.connections += 1
        connection.settimeout(DEADLINE)
        self.buffer = b""
        with contextlib.suppress(Cut, OSError):
            self._session(self._begin(connection))

    def _may(self, way: str, count: int) -> int:
        """How many of these octets may pass in the first connection."""
        if self.connections > 1 or self.octets[way] < 0:
            return count
        return max(0, min(count, self.octets[way] - self.moved[way]))

    def _read(self, connection: socket.socket) -> None:
        most = self._may("in", 65536)
        data = connection.recv(most) if most > 0 else b""
        if not data:
            raise Cut
        self.moved["in"] += len(data)
        self.reads.append(data)
        self.buffer += data

    def _until(self, connection: socket.socket, end: bytes) -> bytes:
        while end not in self.buffer:
            self._read(connection)
        found, self.buffer = self.buffer.split(end, 1)
        return found

    def _say(self, connection: socket.socket, reply: str) -> None:
        data = (reply + "\r\n").encode()
        part = data[: self._may("out", len(data))]
        connection.sendall(part)
        self.moved["out"] += len(part)
        if len(part) < len(data):
            raise Cut

    def _session(self, connection: socket.socket) -> None:
        sender, recipients = None, []
        self._say(connection, self.answer("greeting", self.begun, b"") or "220 test LMTP")
        while True:
            line = self._until(connection, b"\r\n").decode()
            self.lines.append(line)
            word = line.split(" ")[0].upper()
            if word == self.hello:
                usual = "\r\n".join(f"250-{c}" for c in ("test", *self.capabilities)) + "\r\n250 HELP"
                self._say(connection, self.answer("lhlo", self.begun, b"") or usual)
            elif word == "MAIL":
                reply = self.answer("mail", self.begun, b"") or "250 2.1.0 ok"
                self.begun += 1
                if sender is not None:
                    reply = "503 5.5.1 nested MAIL"
                elif reply.startswith("2"):
                    sender = re.match(r"MAIL FROM:<([^>]*)>", line)[1]
                self._say(connection, reply)
            elif word == "RCPT":
                recipient = re.fullmatch(r"RCPT TO:<([^>]*)>", line)[1]
                reply = self.of_recipient("rcpt", recipient) or self.answer("rcpt", self.begun - 1, b"") or "250 2.1.5 ok"
                reply = reply if sender is not None else "503 5.5.1 no sender"
                if reply.startswith("2"):
                    recipients.append(recipient)
                self._say(connection, reply)
            elif word == "DATA":
                reply = self.answer("data", self.begun - 1, b"") or "354 go on"
                reply = reply if recipients else "503 5.5.1 no recipient"
                self._say(connection, reply)
                if not reply.startswith("354"):
                    continue
                self._message(connection, sender, recipients)
                sender, recipients = None, []
            elif word == "RSET":
                sender, recipients = None, []
                self._say(connection, self.answer("rset", self.begun, b"") or "250 2.0.0 ok")
            else:
                connection = self._other(connection, line)

    def _message(self, connection: socket.socket, sender: str, recipients: list[str]) -> None:
        lines = []
        while (line := self._until(connection, b"\r\n")) != b".":
            assert b"\r" not in line and b"\n" not in line, line
            lines.append(line[1:] if line.startswith(b".") else line)
        text = b"".join(line + b"\r\n" for line in lines)
        for several in [[one] for one in recipients] if self.answers_each else [recipients]:
            reply = (self.of_recipient("message", several[0]) or self.answer("message", self.begun - 1, text) or
                     "250 2.0.0 saved")  # fmt: skip
            if reply.startswith("2"):
                self.mails += [Mail(sender, recipient, text) for recipient in several]
            self._say(connection, reply)


class Smtpd(Lmtpd):
    """Listens on TCP. Whoever has a user must log in with the password "smtp secret", or the token "token-1". What moves
    is counted without the octets of TLS."""

    hello = "EHLO"
    answers_each = False

    def __init__(self, certs: Path, *arguments, tls: bool = True, starttls: bool = False, methods: str = "PLAIN",
                 **options) -> None:  # fmt: skip
        self.tls, self.starttls = tls, starttls
        self.logins: list[bytes] = []
        self.passwords = {b"smtp secret", b"token-1"}
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certs / "good.pem", certs / "good.key")
        more = ("STARTTLS",) if starttls else ()
        super().__init__(certs, *arguments, capabilities=(*CAPABILITIES, *more, *((f"AUTH {methods}",) if methods else ())), **options)

    def _listen(self, path: Path) -> socket.socket:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self.where = f"{'smtps' if self.tls else 'smtp'}://me%40example.org@localhost:{self.port}"
        return listener

    def _wrap(self, connection: socket.socket) -> socket.socket:
        wrapped = self.context.wrap_socket(connection, server_side=True)
        wrapped.settimeout(DEADLINE)
        return wrapped

    def _begin(self, connection: socket.socket) -> socket.socket:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._wrap(connection) if self.tls else connection

    def _other(self, connection: socket.socket, line: str) -> socket.socket:
        if line == "STARTTLS" and self.starttls:
            said = self.answer("starttls", self.begun, b"")
            self._say(connection, said or "220 2.0.0 go on")
            return self._wrap(connection) if said is None or said.startswith("220") else connection
        if not line.startswith("AUTH "):
            return super()._other(connection, line)
        words = line.split(" ")
        if len(words) < 3:
            self._say(connection, "334 ")
            words.append(self._until(connection, b"\r\n").decode())
        secret = base64.b64decode(words[2])
        self.logins.append(secret)
        user, password = (secret.split(b"\0")[1:] if words[1] == "PLAIN" else
                          (re.search(rb"a=([^,]*)", secret)[1], re.search(rb"Bearer ([^\x01]*)", secret)[1]))  # fmt: skip
        if user == b"me@example.org" and password in self.passwords:
            self._say(connection, "235 2.7.0 welcome")
        elif words[1] == "PLAIN":
            self._say(connection, "535 5.7.8 no")
        else:
            self._say(connection, "334 " + base64.b64encode(b'{"status":"invalid_token"}').decode())
            self._until(connection, b"\r\n")
            self._say(connection, "535 5.7.8 no")
        return connection


class TlsLmtpd(Smtpd):
    """An LMTP server on TCP, with TLS; without logins."""

    hello = "LHLO"
    answers_each = True

    def __init__(self, certs: Path, *arguments, certificate: str = "good", **options) -> None:
        self.certificate = certificate
        super().__init__(certs, *arguments, methods="", **options)

    def _listen(self, path: Path) -> socket.socket:
        listener = super()._listen(path)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(path / f"{self.certificate}.pem", path / f"{self.certificate}.key")
        self.where = f"localhost:{self.port}"
        return listener


@contextlib.contextmanager
def running(*arguments, kind: type = Lmtpd, **options) -> Iterator[Lmtpd]:
    server = kind(*arguments, **options)
    try:
        yield server
    finally:
        server.stop()
