"""An IMAP server for tests (RFC 9051), with TLS, which keeps strictly to the protocol and can be told where to misbehave."""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import ssl
import threading
from pathlib import Path
from typing import Callable, Iterator, NamedTuple, Optional

from listening import Listening

DEADLINE = 60
CAPABILITIES = ("IMAP4rev1", "LITERAL+", "UIDPLUS", "AUTH=PLAIN", "SASL-IR")
FIELD = re.compile(rb"^X-POP3-Delivery: (\S+)(?: again)?\r\n", re.MULTILINE)


class Mail(NamedTuple):
    """A message in a folder."""

    text: bytes
    flags: str
    date: str

    @property
    def delivery(self) -> str:
        return FIELD.match(self.text)[1].decode()

    @property
    def body(self) -> bytes:
        """The message without the line that was put in front of it."""
        return self.text.split(b"\r\n", 1)[1] if FIELD.match(self.text) else self.text


class Cut(Exception):
    """The connection ends here."""


class Imapd:
    """Listens on a free port of the loopback, for TLS from the start or with STARTTLS. `answer` is asked about each step:
    its name, how many messages were offered before, and the text with "message". It returns what is said instead of
    the usual answer (the tag goes in front unless it begins with a star), or None; it may raise Cut. After `octets_in`
    octets of what the client says once it is logged in, or `octets_out` to it, the first connection ends."""

    def __init__(self, certificates: Path, answer: Optional[Callable[[str, int, bytes], Optional[str]]] = None,
                 capabilities: tuple[str, ...] = CAPABILITIES, tls: bool = True, starttls: bool = True,
                 folders: tuple[str, ...] = ("INBOX",), certificate: str = "good", searches: bool = True,
                 octets_in: int = -1, octets_out: int = -1, address: str = "127.0.0.1") -> None:  # fmt: skip
        self.answer = answer or (lambda step, number, text: None)
        self.capabilities, self.tls, self.starttls, self.searches = capabilities, tls, starttls, searches
        self.octets = {"in": octets_in, "out": octets_out}
        self.moved = {"in": 0, "out": 0}
        self.folders: dict[str, list[Mail]] = {name: [] for name in folders}
        self.subscribed: list[str] = []
        self.labels: dict[int, set[str]] = {}  # by unique number, of the one folder that has any
        self.says_uids, self.uid_last = True, False
        self.lines: list[str] = []
        self.logins: list[tuple[str, str, str]] = []
        self.tokens: Optional[set[str]] = None
        self.connections = 0
        self.begun = 0
        self.most_unread = 0  # commands that had come before the one in hand was answered
        self.lock = threading.Lock()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificates / f"{certificate}.pem", certificates / f"{certificate}.key")
        self.listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        self.listener.bind((address, 0))
        self.listener.listen(16)
        self.port = self.listener.getsockname()[1]
        self.errors: list[Exception] = []
        self.listening = Listening(self.listener, self._connection)

    @property
    def mails(self) -> list[Mail]:
        return self.folders["INBOX"]

    def url(self, folder: str = "INBOX", host: str = "localhost") -> str:
        return f"{'imaps' if self.tls else 'imap'}://me%40example.org@{host}:{self.port}/{folder}"

    def stop(self) -> None:
        self.listening.stop()
        assert self.errors == []

    def finish_others(self) -> None:
        """Waits until the other connections, whose clients have gone, are over: what they had sent is in the folders."""
        self.listening.join()

    def _connection(self, connection: socket.socket) -> None:
        with self.lock:
            self.connections += 1
            is_first = self.connections == 1
        session = Session(self, connection, is_first)
        try:
            session.run()
        except (Cut, OSError):
            pass
        except Exception as error:  # noqa: BLE001 what is wrong with what the client said
            self.errors.append(error)
        with contextlib.suppress(OSError):
            session.socket.close()


class Session:
    def __init__(self, server: Imapd, connection: socket.socket, is_first: bool) -> None:
        self.server, self.socket, self.is_first = server, connection, is_first
        connection.settimeout(DEADLINE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.selected: Optional[str] = None
        self.may_change = False
        self.logged_in = False

    def _may(self, way: str, count: int) -> int:
        """How many of these octets may pass."""
        s = self.server
        if not self.is_first or not self.logged_in or s.octets[way] < 0:
            return count
        return max(0, min(count, s.octets[way] - s.moved[way]))

    def _read(self) -> None:
        most = self._may("in", 65536)
        data = self.socket.recv(most) if most > 0 else b""
        if not data:
            raise Cut
        if self.logged_in and self.is_first:
            self.server.moved["in"] += len(data)
        self.buffer += data

    def _line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            self._read()
        if self.buffer.startswith(b"\x16"):  # a handshake of TLS, which may have CR LF in it
            raise Cut
        line, self.buffer = self.buffer.split(b"\r\n", 1)
        return line

    def _octets(self, count: int) -> bytes:
        while len(self.buffer) < count:
            self._read()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def say(self, text: str | bytes) -> None:
        data = (text.encode() if isinstance(text, str) else text) + b"\r\n"
        part = data[: self._may("out", len(data))]
        self.socket.sendall(part)
        if self.logged_in and self.is_first:
            self.server.moved["out"] += len(part)
        if len(part) < len(data):
            raise Cut

    def reply(self, tag: str, step: str, usual: str, text: bytes = b"") -> bool:
        """Answers a command. Whether that was the usual answer."""
        said = self.server.answer(step, self.server.begun - (step in ("append", "message")), text)
        if said is None:
            self.say(f"{tag} {usual}")
        elif said.startswith("*"):
            self.say(said)
            if not said.endswith("\r\n*"):
                raise Cut
        else:
            self.say(f"{tag} {said}")
        return said is None

    def run(self) -> None:
        s = self.server
        if s.tls:
            self.socket = s.context.wrap_socket(self.socket, server_side=True)
        greeting = s.answer("greeting", s.begun, b"")
        self.say(greeting or "* OK test IMAP")
        if greeting is not None:
            raise Cut
        while True:
            line = self._line().decode()
            s.lines.append(line)
            tag, _, rest = line.partition(" ")
            word, _, rest = rest.partition(" ")
            method = getattr(self, "do_" + word.lower(), None)
            if method is None:
                self.say(f"{tag} BAD what?")
            else:
                method(tag, rest)

    def do_capability(self, tag: str, rest: str) -> None:
        s = self.server
        offers = [c for c in s.capabilities if not c.startswith("AUTH=") or self.secure or not s.starttls]
        if not self.secure and s.starttls:
            offers += ["STARTTLS", "LOGINDISABLED"]
        said = s.answer("capability-in" if self.logged_in else "capability", s.begun, b"")
        self.say(said or f"* CAPABILITY {' '.join(offers)}")
        self.say(f"{tag} OK done")

    @property
    def secure(self) -> bool:
        return isinstance(self.socket, ssl.SSLSocket)

    def do_starttls(self, tag: str, rest: str) -> None:
        assert self.server.starttls and not self.secure
        self.say(f"{tag} OK go on")
        self.socket = self.server.context.wrap_socket(self.socket, server_side=True)

    def do_authenticate(self, tag: str, rest: str) -> None:
        method, _, first = rest.partition(" ")
        if not first:
            self.say("+ ")
            first = self._line().decode()
        data = base64.b64decode(first).decode()
        if method == "PLAIN":
            _, user, password = data.split("\0")
            self._log_in(tag, method, user, password)
        else:
            token = re.search(r"auth=Bearer ([^\x01]*)", data)[1]
            self._log_in(tag, method, re.search(r"user=([^\x01]*)|a=([^,]*)", data)[0], token)

    def do_login(self, tag: str, rest: str) -> None:
        user, password = (a or b for a, b in re.findall(r'"([^"]*)"|([^" ]+)', rest))
        self._log_in(tag, "LOGIN", user, password)

    def _log_in(self, tag: str, method: str, user: str, secret: str) -> None:
        self.server.logins.append((method, user, secret))
        if self.server.tokens is not None and secret not in self.server.tokens:
            self.say(f"{tag} NO [AUTHENTICATIONFAILED] no")
        elif self.reply(tag, "login", "OK logged in"):
            self.logged_in = True

    def _folder(self, rest: str) -> str:
        name = re.match(r'"((?:[^"\\]|\\.)*)"', rest)[1].replace("\\", "")
        return "INBOX" if name.upper() == "INBOX" else name

    def do_examine(self, tag: str, rest: str, done: str = "OK [READ-ONLY] done") -> None:
        name = self._folder(rest)
        if name not in self.server.folders:
            self.say(f"{tag} NO no such folder")
            return
        self.selected = name
        self.may_change = "READ-WRITE" in done
        if not self.may_change:
            self.server.finish_others()
        said = self.server.answer("opened", self.server.begun, b"")
        assert said is None
        self.say(f"* {len(self.server.folders[name])} EXISTS")
        self.say(f"* OK [UIDNEXT {len(self.server.folders[name]) + 1}] next")
        self.say("* OK [UIDVALIDITY 1] stays")
        self.reply(tag, "examine", done)

    def do_select(self, tag: str, rest: str) -> None:
        self.do_examine(tag, rest, "OK [READ-WRITE] done")

    def do_uid(self, tag: str, rest: str) -> None:
        """What Google's reference has of labels: STORE adds those of a list; a name is an atom that begins with a backslash, or
        a string of modified UTF-7."""
        s = self.server
        match = re.fullmatch(r'STORE ([\d,]+) \+X-GM-LABELS \(((?:(?:\\[A-Za-z]+|"(?:[^"\\]|\\.)*") ?)+)\)', rest)
        assert match and "X-GM-EXT-1" in s.capabilities and self.may_change, rest
        labels = {a or b for a, b in re.findall(r'"((?:[^"\\]|\\.)*)"|(\\[A-Za-z]+)', match[2])}
        said = s.answer("label", s.begun, b"")
        for uid in map(int, match[1].split(",")) if said is None else ():
            assert 0 < uid <= len(s.folders[self.selected])
            s.labels.setdefault(uid, set()).update(labels)
            self.say(f"* {uid} FETCH (X-GM-LABELS ({match[2]}) UID {uid})")
        self.reply(tag, "labelled" if said is None else "label", "OK Success")

    def do_list(self, tag: str, rest: str) -> None:
        name = self._folder(rest.split(" ", 1)[1])
        if name in self.server.folders:
            self.say(f'* LIST () "/" "{name}"')
        self.reply(tag, "list", "OK done")

    def do_create(self, tag: str, rest: str) -> None:
        if self.reply(tag, "create", "OK made"):
            self.server.folders[self._folder(rest)] = []

    def do_subscribe(self, tag: str, rest: str) -> None:
        self.server.subscribed.append(self._folder(rest))
        self.say(f"{tag} OK done")

    def do_close(self, tag: str, rest: str) -> None:
        assert not self.may_change, "what others have marked as deleted is removed"
        self.selected = None
        self.say(f"{tag} OK closed")

    def do_logout(self, tag: str, rest: str) -> None:
        self.say("* BYE bye")
        self.say(f"{tag} OK bye")
        raise Cut

    def _numbers(self, text: str) -> list[int]:
        out: list[int] = []
        for part in text.split(","):
            low, _, high = part.partition(":")
            out += range(int(low), int(high or low) + 1)
        return out

    def do_fetch(self, tag: str, rest: str) -> None:
        numbers, what = rest.split(" ", 1)
        assert what == "(UID BODY.PEEK[HEADER.FIELDS (X-POP3-Delivery)])"
        mails = self.server.folders[self.selected]
        for n in self._numbers(numbers):
            header = mails[n - 1].text.split(b"\r\n\r\n")[0] + b"\r\n"
            field = b"".join(found[0] for found in FIELD.finditer(header)) + b"\r\n"
            literal = b"BODY[HEADER.FIELDS (X-POP3-DELIVERY)] {%d}\r\n%s" % (len(field), field)
            parts = [literal, b"UID %d" % n] if self.server.uid_last else [b"UID %d" % n, literal]
            self.say(b"* %d FETCH (%s)" % (n, b" ".join(parts)))
        self.reply(tag, "fetch", "OK done")

    def do_search(self, tag: str, rest: str) -> None:
        numbers, _, field, text = rest.split(" ")
        assert field == "X-POP3-Delivery"
        mails = self.server.folders[self.selected]
        found = [n for n in self._numbers(numbers) if FIELD.search(mails[n - 1].text) and text in mails[n - 1].delivery]
        if not self.server.searches:
            self.say(f"{tag} BAD no search for that")
            return
        self.say(" ".join(["* SEARCH", *map(str, found)]))
        self.reply(tag, "search", "OK done")

    def do_append(self, tag: str, rest: str) -> None:
        s = self.server
        match = re.fullmatch(r'("(?:[^"\\]|\\.)*")(?: \(([^)]*)\))?(?: "([^"]*)")? \{(\d+)(\+?)\}', rest)
        assert match, rest
        name, flags, date, size, at_once = match.groups()
        s.begun += 1
        if not at_once:
            if (said := s.answer("append", s.begun - 1, b"")) is not None:
                if said.startswith("*"):
                    self.say(said)
                    raise Cut
                self.say(f"{tag} {said}")
                return
            self.say("+ go on")
        else:
            assert "LITERAL+" in s.capabilities or ("LITERAL-" in s.capabilities and int(size) <= 4096)
        text = self._octets(int(size))
        assert self._line() == b"", "the literal is longer than it said"
        assert b"\0" not in text and not re.search(rb"(?<!\r)\n", text)
        s.most_unread = max(s.most_unread, self.buffer.count(b" APPEND "))
        folder = self._folder(name)
        if folder not in s.folders:
            self.say(f"{tag} NO [TRYCREATE] no such folder")
            return
        said = s.answer("message", s.begun - 1, text)
        if said is None or said.startswith("OK"):
            with s.lock:
                s.folders[folder].append(Mail(text, flags or "", date or ""))
        if said is not None and said.startswith("*"):
            self.say(said)
            raise Cut
        usual = f"OK [APPENDUID 1 {len(s.folders[folder])}] done" if s.says_uids else "OK done"
        self.say(f"{tag} {said or usual}")


@contextlib.contextmanager
def running(*arguments, **options) -> Iterator[Imapd]:
    server = Imapd(*arguments, **options)
    try:
        yield server
    finally:
        server.stop()
