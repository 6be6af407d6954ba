"""A POP3 server that misbehaves as a seed says: each case draws what its unique-ids, sizes, replies and its QUIT are
worth, and draws again in each session what may change. It keeps what it was asked to delete, so that a test can ask what
became of it."""

from __future__ import annotations

import contextlib
import hashlib
import random
import socket
from dataclasses import dataclass, field
from typing import Iterator, Optional

from listening import Listening

IDS = ["stable", "stable", "slots", "restarting", "numbers", "renumbered", "header", "equal", "none"]
SIZES = ["right", "right", "right", "small", "large", "same", "mixed", "none"]
ANNOUNCED = ["octets", "octets", "nothing", "listed"]
ORDERS = ["up", "up", "down", "shuffled"]
TOPS = ["works", "works", "works", "refused", "made-up"]
QUITS = ["works", "works", "works", "lost", "crash", "lie"]
SMUGGLED = b"+OK 18 octets\r\nSubject: smug\r\n\r\n"


@dataclass
class Message:
    number: int  # that no other has
    text: bytes
    uid: str = ""
    deleted: bool = False  # at the client's wish

    def norm(self) -> bytes:
        return self.text.replace(b"\r\n", b"\n")


@dataclass
class Behaviour:
    """What is drawn once for a case."""

    ids: str
    sizes: str
    announced: str
    order: str
    top: str
    quits: list[str]
    pipelining: bool
    stuffs_bare: bool  # a dot behind a bare LF
    cuts: float  # the chance that a session ends within a message,
    refuses: float  # that a message is refused,
    doubles: float  # and that a message is answered twice

    @classmethod
    def drawn(cls, r: random.Random) -> "Behaviour":
        return cls(r.choice(IDS), r.choice(SIZES), r.choice(ANNOUNCED), r.choice(ORDERS), r.choice(TOPS),
                   [r.choice(QUITS) for _ in range(3)], r.random() < 0.7, r.random() < 0.6,
                   r.choice([0, 0, 0.05]), r.choice([0, 0, 0.05]), r.choice([0, 0, 0, 0.03, 0.3]))  # fmt: skip

    @classmethod
    def good(cls, ids: str) -> "Behaviour":
        return cls(ids, "right", "octets", "up", "works", ["works"], True, True, 0, 0, 0)


def drawn_message(r: random.Random, number: int) -> bytes:
    """Some have a header of their own, some that of a device, some are of one size, some smuggle."""
    kind = r.choice(["own", "own", "device", "device", "size", "smuggling", "header-only"])
    tail = f"number {number:05}\r\n".encode()
    if kind == "device":
        return b"From: device@example.org\r\nSubject: ALARM\r\n\r\n" + tail
    if kind == "header-only":
        return f"Subject: {number:05}\r\n".encode()
    head = f"Received: from a by b; id {number:05}\r\nMessage-ID: <{number:05}@x>\r\n\r\n".encode()
    if kind == "smuggling":
        end = r.choice([b"\n.\r\n", b"\n.\n", b"\r\n\n.\r\n"])
        return head + tail + b"half" + end + r.choice([SMUGGLED, b"+OK\r\n", b"-ERR\r\n", b"more\r\n"]) * r.choice([1, 2, 5]) + b"end\r\n"
    more = 0 if kind == "size" else r.randrange(4000)
    return head + tail + (b"x" * 70 + b"\r\n") * (more // 72) + b".dots\r\n..and\r\n"


@dataclass
class BadPopd:
    seed: int
    behaviour: Behaviour
    mails: list[Message] = field(default_factory=list)  # all that were ever there
    there: list[Message] = field(default_factory=list)
    sessions: int = 0
    next_slot: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.listening = Listening(self.listener, self._serve, at_once=False)

    # ---- what happens beside the client ----

    def arrive(self, count: int) -> None:
        for _ in range(count):
            mail = Message(len(self.mails), drawn_message(self.random, len(self.mails)))
            self.mails.append(mail)
            self.there.append(mail)
            self._name(mail)

    def leave(self, count: int) -> list[Message]:
        """Another client deletes."""
        gone = self.random.sample(self.there, min(count, len(self.there)))
        self.there = [m for m in self.there if m not in gone]
        return gone

    def _name(self, mail: Message) -> None:
        kind = self.behaviour.ids
        taken = {m.uid for m in self.there if m is not mail}
        if kind == "slots":  # the first that is free
            mail.uid = next(f"slot{i}" for i in range(len(taken) + 1) if f"slot{i}" not in taken)
        elif kind == "restarting":  # from one again when the mailbox is empty
            self.next_slot = 1 if not taken else self.next_slot + 1
            mail.uid = f"{self.next_slot:04}"
        elif kind == "header":
            mail.uid = hashlib.md5(mail.text.split(b"\r\n\r\n")[0]).hexdigest()
        elif kind == "equal":
            mail.uid = "same"
        else:
            mail.uid = f"u{self.seed}-{mail.number}"

    def _renumber(self) -> None:
        for mail in self.there:
            mail.uid = f"s{self.sessions}-{mail.number}"

    # ---- sessions ----

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, EOFError):
            connection.settimeout(30)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sessions += 1
            Session(self, connection).run()

    def stop(self) -> None:
        self.listening.stop()


class Session:
    def __init__(self, server: BadPopd, connection: socket.socket) -> None:
        self.server, self.random, self.how = server, server.random, server.behaviour
        self.connection = connection
        self.input = connection.makefile("rb")
        self.mails = list(server.there)
        self.marked: list[Message] = []
        if self.how.ids == "renumbered" and self.random.random() < 0.5:
            server._renumber()
        self.sizes = {id(m): self._size(m) for m in self.mails}

    def _size(self, mail: Message) -> int:
        right = len(mail.text)
        factor = self.random.choice([2, 5, 30, 1000])
        return {"small": max(right // factor, 1), "large": right * factor, "same": 100,
                "mixed": self.random.choice([right, right * factor, 7])}.get(self.how.sizes, right)  # fmt: skip

    def _say(self, data: bytes) -> None:
        self.connection.sendall(data)

    def run(self) -> None:
        self._say(b"+OK ready\r\n")
        while True:
            line = self.input.readline()
            if not line:
                return
            words = line.decode("latin-1").split()
            command = getattr(self, "_" + words[0].lower(), None) if words else None
            if command is None:
                self._say(b"-ERR what\r\n")
            elif command(words) is False:
                return

    def _mail(self, words: list[str]) -> Optional[Message]:
        n = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
        mail = self.mails[n - 1] if 1 <= n <= len(self.mails) else None
        return None if mail is None or mail in self.marked else mail

    def _ok(self, words: list[str]) -> None:
        self._say(b"+OK\r\n")

    _user = _pass = _noop = _ok

    def _capa(self, words: list[str]) -> None:
        lines = ["USER", "UIDL"] + ["PIPELINING"] * self.how.pipelining + ["TOP"] * (self.how.top != "refused")
        self._say(b"+OK\r\n" + "".join(f"{line}\r\n" for line in lines).encode() + b".\r\n")

    def _list_of(self, what) -> None:
        rows = [(n, mail) for n, mail in enumerate(self.mails, 1) if mail not in self.marked]
        if self.how.order == "down":
            rows.reverse()
        elif self.how.order == "shuffled":
            self.random.shuffle(rows)
        self._say(b"+OK\r\n" + "".join(f"{n} {what(n, mail)}\r\n" for n, mail in rows).encode() + b".\r\n")

    def _uidl(self, words: list[str]) -> None:
        if self.how.ids == "none":
            self._say(b"-ERR no\r\n")
        else:
            self._list_of(lambda n, mail: n if self.how.ids == "numbers" else mail.uid)

    def _list(self, words: list[str]) -> None:
        if self.how.sizes == "none":
            self._say(b"-ERR no\r\n")
        else:
            self._list_of(lambda n, mail: self.sizes[id(mail)])

    def _stuffed(self, text: bytes) -> bytes:
        out = b""
        for line in text.split(b"\r\n")[:-1] if text.endswith(b"\r\n") else text.split(b"\r\n"):
            stuffed = b"." + line if line.startswith(b".") else line
            out += (stuffed.replace(b"\n.", b"\n..") if self.how.stuffs_bare else stuffed) + b"\r\n"
        return out + b".\r\n"

    def _retr(self, words: list[str]) -> Optional[bool]:
        mail = self._mail(words)
        if mail is None or self.random.random() < self.how.refuses:
            self._say(b"-ERR no such message\r\n")
            return None
        words_of = {"octets": f"+OK {len(mail.text)} octets", "nothing": "+OK",
                    "listed": f"+OK {self.sizes[id(mail)]} octets"}  # fmt: skip
        reply = words_of[self.how.announced].encode() + b"\r\n" + self._stuffed(mail.text)
        if self.random.random() < self.how.cuts:
            self._say(reply[: self.random.randrange(len(reply))])
            return False
        self._say(reply * (2 if self.random.random() < self.how.doubles else 1))
        return None

    def _top(self, words: list[str]) -> None:
        mail = self._mail(words)
        if mail is None or self.how.top == "refused":
            self._say(b"-ERR no\r\n")
            return
        header = mail.text.split(b"\r\n\r\n")[0].rstrip(b"\r\n") + b"\r\n\r\n"
        made_up = b"X-Made-Up: yes\r\n" if self.how.top == "made-up" else b""
        self._say(b"+OK\r\n" + made_up + self._stuffed(header))

    def _dele(self, words: list[str]) -> None:
        mail = self._mail(words)
        if mail is None:
            self._say(b"-ERR no\r\n")
            return
        self.marked.append(mail)
        self._say(b"+OK\r\n")

    def _quit(self, words: list[str]) -> bool:
        how = self.random.choice(self.how.quits)
        if how in ("works", "lost"):
            for mail in self.marked:
                mail.deleted = True
            self.server.there = [m for m in self.server.there if m not in self.marked]
        if how == "crash" and self.how.ids == "renumbered":
            self.server._renumber()
        if how in ("works", "lie"):
            self._say(b"+OK bye\r\n")
        return False


@contextlib.contextmanager
def running(seed: int, behaviour: Behaviour) -> Iterator[BadPopd]:
    server = BadPopd(seed, behaviour)
    try:
        yield server
    finally:
        server.stop()
