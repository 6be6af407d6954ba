#!/usr/bin/env python3
"""Plays hostile servers that mail goes to, and hostile providers of tokens, to the command: each speech at each step of
each protocol, under a bound on memory.

    every_target.py [--only WORD] [--share N] [--jobs N] [--sanitizers]

What must hold is the same for all: no signal, no report of a sanitizer, an end, a documented exit status and a reason,
memory within the bound, nothing in what is shown that a terminal obeys; and no message goes from the POP3 server that no
target has taken. While a server waits, time passes faster for the command (hurry.c), so that what ends after half an hour
is seen to. With --share N a step hears each Nth speech, the next step those beside them; with HOSTILE_ALL=1 each hears
all. POP3_COMMAND is built with the marked points (pop3-crash): it does not pause before it tries again."""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Callable, Iterable, NamedTuple, Optional

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "sync")]

from hurry import Clock  # noqa: E402
from playing import Played, play_all, read_arguments  # noqa: E402
from target_servers import Speech, dripping, held, resets, running  # noqa: E402
from watched import PEAK, Outcome, judge_end, judge_text, sanitizer_options, watch  # noqa: E402
from world import World, certificates  # noqa: E402

# Of sysexits.h, what a server can bring about: memory that runs out (71) is not among them.
STATUSES = {0, 65, 69, 74, 75, 76, 77, 78}

# Speeches that are ended by the clock, and how much faster it goes there.
BY_THE_CLOCK = re.compile("silent|drips|SIZE|APPENDLIMIT|numbers of|half a record|anew|records|warnings|requests to go on")
FASTER = 150

SECRET = "the-secret-of-all-targets"
MUCH = b"x" * 65536
CONTROLS = "\x1b]0;t\x07\x1b[31m\x9b31m\u202e\u2028\u061c".encode() + b"\x9b\xff"


def once(*pieces: bytes) -> Speech:
    return lambda: pieces


def endless(piece: bytes, first: bytes = b"") -> Speech:
    return lambda: itertools.chain([first], itertools.repeat(piece))


def many(piece: bytes) -> bytes:
    """A short piece as often as a large one needs."""
    return piece * (65536 // len(piece) + 1)


def then_held(*pieces: bytes) -> Speech:
    return lambda: itertools.chain(pieces, held())


# What makes no sense in any protocol.
ANYWHERE: dict[str, Speech] = {
    "closes": once(),
    "resets": resets,
    "is silent": held,
    "drips": functools.partial(dripping, b"2"),
    "an endless line": endless(MUCH),
    "endless NULs": endless(bytes(65536)),
    "endless empty lines": endless(many(b"\r\n")),
    "what is no text": once(bytes(range(256)), b"\r\n"),
    "half a line": once(b"2"),
}

REPLIES: dict[str, Speech] = {
    "an endless line of a reply": endless(MUCH, b"250-"),
    "a reply without end": endless(many(b"250-on\r\n")),
    "drips a reply": functools.partial(dripping, b"250-on\r\n"),
    "replies to nothing": endless(many(b"250 2.0.0 ok\r\n")),
    "a huge code": once(b"25018446744073709551616 ok\r\n"),
    "a negative code": once(b"-250 ok\r\n"),
    "a code of NULs": once(b"2\0" b"0 ok\r\n"),
    "controls": once(b"550 5.7.1 " + CONTROLS + b"\r\n"),
    "controls, for a while": once(b"450 4.7.1 " + CONTROLS + b"\r\n"),
    "a refusal of several lines": once(b"550-5.7.1 a\r\n550-" + CONTROLS + b"\r\n550 5.7.1 b\r\n"),
    "a refusal with NULs": once(b"550 no\0pop3: all is well\r\n"),
    "bare LF": once(b"550-a\n550 b\n"),
    "bids farewell": once(b"421 4.3.2 " + CONTROLS + b"\r\n"),
}
REPEATED: dict[str, Speech] = {
    "the secret": once(b"550 it is " + SECRET.encode() + b"\r\n"),
    "the secret, in what is no refusal": once(b"299 it is " + SECRET.encode() + b"\r\n"),
    "the secret, and asks for more": once(b"399 it is " + SECRET.encode() + b"\r\n"),
}
HELLO: dict[str, Speech] = {
    f"SIZE {size}": then_held(b"250-x\r\n250-SIZE " + size + b"\r\n250 HELP\r\n")
    for size in (b"18446744073709551616", b"18446744073709551615", b"-1", b"0x10", b"")
} | {"endless capabilities": endless(many(b"250-X-CAPABILITY\r\n"))}

RESPONSES: dict[str, Speech] = {
    "an endless untagged response": endless(MUCH, b"* OK "),
    "untagged responses without end": endless(many(b"* OK still there\r\n")),
    "messages without end": endless(many(b"* 4294967295 EXISTS\r\n")),
    "drips untagged responses": functools.partial(dripping, b"* OK on\r\n"),
    "a literal of 2^32-1": endless(MUCH, b"* 1 FETCH (BODY[] {4294967295}\r\n"),
    "a literal of 2^64": endless(MUCH, b"* 1 FETCH (BODY[] {18446744073709551616}\r\n"),
    "a negative literal": endless(MUCH, b"* 1 FETCH (BODY[] {-1}\r\n"),
    "a literal that ends": once(b"* 1 FETCH (BODY[] {100}\r\nhalf"),
    "literals without end": endless(many(b"* 1 FETCH (BODY[] {1}\r\nx)\r\n")),
    "a literal in a literal": endless(many(b"{1}\r\nx"), b"* OK "),
    "requests to go on without end": endless(many(b"+ go on\r\n")),
    "a tag of 2^64": once(b"p18446744073709551616 OK done\r\n"),
    "answers to nothing": endless(many(b"p4294967295 OK done\r\n")),
    "controls": once(b"* BYE " + CONTROLS + b"\r\n"),
    "NULs": once(b"* BYE no\0pop3: all is well\r\n"),
    "the secret": once(b"* BYE it is " + SECRET.encode() + b"\r\n"),
}
NUMBERS = (b"18446744073709551616", b"4294967296", b"4294967295", b"-1", b"")
FOLDER: dict[str, Speech] = {
    f"numbers of {n.decode() or 'none'}": then_held(
        b"* %b EXISTS\r\n* OK [UIDNEXT %b] x\r\n* OK [UIDVALIDITY %b] x\r\n" % (n, n, n))
    for n in NUMBERS
}  # fmt: skip
FOUND: dict[str, Speech] = {
    "numbers without end": endless(many(b" 4294967295"), b"* SEARCH"),
    "searches without end": endless(many(b"* SEARCH 4294967295 1 0 -1\r\n")),
    "names without end": endless(many(b"* 1 FETCH (BODY[X] {30}\r\nX-POP3-Delivery: pop3-1-1-1-1\r\n UID 0)\r\n")),
}

OK = b"HTTP/1.1 200 OK\r\n"
PAGES: dict[str, Speech] = {
    "an endless status line": endless(MUCH, b"HTTP/1.1 200 "),
    "an endless field": endless(MUCH, OK + b"X: "),
    "fields without end": endless(many(b"X: y\r\n"), OK),
    "a body without end": endless(MUCH, OK + b"\r\n"),
    "a length of 2^64": endless(MUCH, OK + b"Content-Length: 18446744073709551616\r\n\r\n"),
    "a length of 2^63 - 1": endless(MUCH, OK + b"Content-Length: 9223372036854775807\r\n\r\n"),
    "a negative length": endless(MUCH, OK + b"Content-Length: -1\r\n\r\n"),
    "two lengths": once(OK + b"Content-Length: 2\r\nContent-Length: 3000000\r\n\r\n{}"),
    "a chunk of 2^64": endless(MUCH, OK + b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n"),
    "a chunk that is no number": once(OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n{}"),
    "chunks without end": endless(many(b"1\r\nx\r\n"), OK + b"Transfer-Encoding: chunked\r\n\r\n"),
    "trailers without end": endless(many(b"X: y\r\n"), OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"),
    "goes on without end": endless(many(b"HTTP/1.1 100 Continue\r\n\r\n")),
    "drips fields": functools.partial(dripping, OK + b"X: y\r\n" * 1000),
    "redirects to a file": once(b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"),
    "redirects to itself": once(b"HTTP/1.1 307 Again\r\nLocation: https://localhost/\r\nContent-Length: 0\r\n\r\n"),
    "lists without end": once(OK + b"Content-Length: 200000\r\n\r\n" + b"[" * 200000),
    "objects without end": once(OK + b"Content-Length: 200000\r\n\r\n" + b'{"a":' * 40000),
    "a number beyond all": once(OK + b'Content-Length: 21\r\n\r\n{"expires_in": 1e999}'),
    "no HTTP": once(b'{"access_token": "x"}'),
    "HTTP/2 unasked": once(b"\0\0\0\4\0\0\0\0\0" * 100),
    "asks who is there": once(b"HTTP/1.1 401 Who\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n"
                              b"WWW-Authenticate: Basic realm=\"" + CONTROLS + b"\"\r\nContent-Length: 0\r\n\r\n"),
    "waits for 2^64": once(b"HTTP/1.1 429 Later\r\nRetry-After: 18446744073709551616\r\nContent-Length: 0\r\n\r\n"),
    "controls": once(b"HTTP/1.1 400 No\r\nContent-Length: 130\r\n\r\n" + (
        b'{"error": "\\u001b]0;t\\u0007\\u009b31m", "error_description": "\\u202e\\u001b[31m\\u2028x", "a": "'
        .ljust(128, b"x") + b'"}')),
    "the secret": once(b'HTTP/1.1 400 No\r\nContent-Length: 80\r\n\r\n' + (
        b'{"error": "bad", "error_description": "%b", "a": "' % SECRET.encode()).ljust(78, b"x") + b'"}'),
}  # fmt: skip

RECORD = b"\x16\x03\x03"
HANDSHAKE: dict[str, Speech] = {
    "no TLS": once(b"220 hello\r\n* OK hello\r\n"),
    "requests to begin anew without end": endless(many(RECORD + b"\x00\x04\0\0\0\0")),
    "records without end": endless(RECORD + b"\x40\x00" + bytes(16384)),
    "a record of 64 KiB": endless(MUCH, RECORD + b"\xff\xff"),
    "a handshake of 16 MiB": endless(RECORD + b"\x40\x00" + MUCH[:16384], RECORD + b"\x00\x04\x02\xff\xff\xff"),
    "warnings without end": endless(many(b"\x15\x03\x03\x00\x02\x01\x00")),
    "half a record": then_held(RECORD + b"\x01\x00\x02"),
}


# What an outsider may write where the recipients of a message are looked for: whatever it is, they are those of the table.
ADDRESSED = b"".join(b"Envelope-To: " + value + b"\r\n" for value in (
    b", ".join(b"a%d@example.org" % i for i in range(5000)) + b", anna@example.org", b"x>\rRCPT TO:<evil@example.com",
    b"a" * 1000000 + b"@example.org", b"\"a\0b\"@example.org", b"\xff\xc0\x80@" + CONTROLS, "j\u00f6rg@ex\u00e4mple.org".encode(),
    b"(" * 100000, b"<" * 100000, b"\"" * 99999, b"@example.org,,,;:" * 1000, b"anna@example.org\r\n RCPT TO:<evil@example.com>"))
RECIPIENTS = {"me", "you", "anna", "all"}


class Scene(NamedTuple):
    """A step of a protocol: what is said there, and what brings the command to it."""

    step: str
    speeches: dict[str, Speech]
    polite: int = 0  # connections before that one
    refused_at: str = ""  # in those
    refusal: bytes = b""  # empty: the connection ends
    more: str = ""  # capabilities
    then: str = ""  # a second command, which meets the speech
    status: tuple = ()  # that the polite one has


# A connection that is lost while an answer is due leaves messages that are looked for on the next.
LEFT_OVER = dict(polite=1, refused_at="message")

SCENES: dict[str, list[Scene]] = {
    "lmtp": [
        *[Scene(step, ANYWHERE | REPLIES) for step in ("greeting", "hello", "mail", "rcpt", "data", "message")],
        Scene("hello", HELLO),
        Scene("message", REPLIES, polite=1, refused_at="message", refusal=b"550 5.7.1 no\r\n", then="retry",
              status=(0, 69, 75)),
    ],
    # The same server beside a Maildir, and as that of many recipients, whom a hostile header names.
    "several": [
        *[Scene(step, ANYWHERE | REPLIES) for step in ("greeting", "rcpt", "message")],
        Scene("message", REPLIES, polite=1, refused_at="message", refusal=b"550 5.7.1 no\r\n", then="retry",
              status=(0, 69, 75)),
    ],
    "multidrop": [Scene(step, ANYWHERE | REPLIES) for step in ("mail", "rcpt", "data", "message")],
    "smtp": [
        Scene("tls", ANYWHERE | HANDSHAKE),
        *[Scene(step, ANYWHERE | REPLIES | REPEATED) for step in ("greeting", "hello", "auth", "mail", "message")],
        Scene("hello", HELLO),
    ],
    "imap": [
        Scene("tls", HANDSHAKE),
        *[Scene(step, ANYWHERE | RESPONSES) for step in ("greeting", "capability", "login", "capability-in", "append",
                                                         "message")],
        Scene("message", RESPONSES, more="LITERAL+"),
        Scene("capability-in", {f"APPENDLIMIT of {n.decode() or 'none'}": then_held(
            b"* CAPABILITY IMAP4rev1 APPENDLIMIT=%b\r\n" % n) for n in NUMBERS}),
        *[Scene(step, ANYWHERE | RESPONSES | FOLDER, **LEFT_OVER) for step in ("examine",)],
        *[Scene(step, RESPONSES | FOUND, **LEFT_OVER) for step in ("fetch", "close")],
    ],
    "gmail": [
        Scene("tls", HANDSHAKE),
        *[Scene(step, ANYWHERE | PAGES) for step in ("import", "labels")],
        Scene("list", PAGES, **LEFT_OVER | {"refused_at": "import"}),
    ],
    "token": [
        Scene("tls", HANDSHAKE),
        Scene("token", ANYWHERE | PAGES),
        Scene("oauth-authorization-server", ANYWHERE | PAGES, then="authorize"),
        Scene("device", PAGES, then="authorize"),
        Scene("token", PAGES, then="authorize"),
    ],
}  # fmt: skip


class Play(NamedTuple):
    protocol: str
    scene: Scene
    name: str
    speech: Speech

    @property
    def title(self) -> str:
        then = f", {self.scene.then}" if self.scene.then else ""
        return f"{self.protocol}, {self.scene.step}{then}{', ' + self.scene.more if self.scene.more else ''}: {self.name}"


def plays(only: str, share: int) -> list[Play]:
    """All, or those of a share: a protocol hears each speech once at least, and each step each Nth."""
    found, heard = [], set()
    for protocol, scenes in SCENES.items():
        for i, scene in enumerate(scenes):
            for k, (name, speech) in enumerate(scene.speeches.items()):
                if (i + k) % share == 0 or (protocol, name) not in heard:
                    found.append(Play(protocol, scene, name, speech))
                    heard.add((protocol, name))
    return [play for play in found if only in play.title]


def settings(protocol: str, port: int, certs: Path, secret: Path) -> str:
    """What an account says of its target, or of where its tokens come from."""
    ca, at = certs / "ca.pem", f"localhost:{port}"
    oauth = f"issuer = https://{at}\nissuer-ca-file = {ca}\nclient-id = c\nclient-secret-file = {secret}\nscope = mail\n"
    return {
        "lmtp": f"lmtp = {at}\nrecipient = me@example.org\n",
        "several": f"lmtp = {at}\nrecipient = me@example.org\nmaildir = ~/Maildir\ndeliver = lmtp, maildir\n",
        "multidrop": f"lmtp = {at}\nrecipients-from = Envelope-To\npostmaster = me\n"
                     f"map-recipients = @example.org -> you, anna@example.org -> anna, * -> all\n",
        "smtp": f"smtp = smtps://me@{at}\nsmtp-ca-file = {ca}\nsmtp-password-file = {secret}\nrecipient = me@example.org\n",
        "imap": f"imap = imaps://me@{at}/INBOX\nimap-ca-file = {ca}\nimap-password-file = {secret}\n",
        "gmail": f"gmail = me@gmail.com\ngmail-url = https://{at}\nissuer-ca-file = {ca}\nlabels = Work\n"
                 f"gmail-token-command = echo {SECRET}\n",
        "token": oauth + "maildir = /nowhere\n",
    }[protocol]  # fmt: skip


def words(play: Play, name: str, config: Path, state: Path) -> list[str]:
    if play.protocol == "token":
        more = ["--device"] if name == "authorize" else []
        return ["authorize" if name == "authorize" else "token", "a", "--config", str(config), *more]
    return [name, "a", "--config", str(config), "--state", str(state), *(["--retries", "0"] if name == "sync" else [])]


def command(line: list[str], world: World, sanitizers: bool, clock: Optional[Clock] = None) -> Outcome:
    env = {**world.environment(), "POP3_TEST_PAUSES": "skip", **sanitizer_options()}
    if clock is not None:
        env |= {"LD_PRELOAD": os.environ["POP3_HURRY_LIBRARY"], "POP3_HURRY_FILE": str(clock.path)}
    return watch([os.environ["POP3_COMMAND"], *line], world.path, env, None if sanitizers else PEAK)


def judge(play: Play, outcome: Outcome, world: World, sanitizers: bool) -> list[str]:
    wrong = judge_end(outcome, STATUSES, None if sanitizers else PEAK)
    wrong += judge_text("standard output", outcome.out) + judge_text("standard error", outcome.errors)
    told = outcome.out + outcome.errors
    if outcome.status != 0 and not re.search(rb"^pop3: *\S+ +\S", told, re.MULTILINE):
        wrong.append("it does not say why")
    if re.search(rb"^pop3: all is well", told, re.MULTILINE):
        wrong.append("a line is the server's")
    if SECRET.encode() in told:
        wrong.append("it tells the secret")
    if play.protocol != "token" and len(list(world.drop.iterdir())) != 2 and outcome.status != 0:
        wrong.append("a message was deleted that no target has")
    kept = b"".join(file.read_bytes() for file in world.path.glob("state.db.refused/**/new/*"))
    if SECRET.encode() in kept:
        wrong.append("the secret is kept")
    return wrong + ([told[-1500:].decode(errors="backslashreplace")] if wrong else [])


def keep_token(world: World, port: int, issuer_port: int) -> None:
    """What `pop3 authorize` would have kept, so old that it is refreshed."""
    kept = world.path / f".local/state/pop3/tokens/user@127.0.0.1%3A{port}"
    kept.parent.mkdir(parents=True)
    kept.touch(mode=0o600)
    kept.write_text(json.dumps({
        "client_id": "c", "token_endpoint": f"https://localhost:{issuer_port}/token", "access_token": "old",
        "refresh_token": SECRET, "obtained": 1000000000, "expires": 1000000001}))  # fmt: skip


def run(play: Play, folder: Path, certs: Path, sanitizers: bool) -> list[str]:
    """Plays one; what is wrong with it."""
    scene = play.scene
    folder.mkdir()
    world = World(folder)
    world.fill(2)
    if play.protocol == "multidrop":
        fields = ADDRESSED.split(b"Envelope-To: ")[1:]
        world.put("000000", b"Envelope-To: " + fields[len(play.title) % len(fields)] + b"\r\ntext\r\n")
    (folder / "secret").touch(mode=0o600)
    (folder / "secret").write_text(SECRET + "\n")
    clock = Clock(folder / "clock") if BY_THE_CLOCK.search(play.name) else None
    speaking = contextlib.nullcontext if clock is None else lambda: clock.passing_at(FASTER)
    with world.server() as pop3, running(play.protocol, certs, scene.step, play.speech, scene.polite, scene.refused_at,
                                         scene.refusal, scene.more, speaking) as server:  # fmt: skip
        config = folder / "accounts"
        config.touch(mode=0o600)
        config.write_text(f"[a]\nurl = pop3://user@127.0.0.1:{pop3.port}\nallow-plaintext = yes\ntimeout = 20h\n"
                          f"connect-timeout = 1h\nremove = delivered\npassword-file = {world.password_file}\n"
                          f"{settings(play.protocol, server.port, certs, folder / 'secret')}")  # fmt: skip
        wrong = []
        if play.protocol == "token":
            keep_token(world, pop3.port, server.port)
        if scene.then == "retry":
            first = command(words(play, "sync", config, world.state), world, sanitizers)
            if first.status not in scene.status:
                return [f"the polite run ended with {first.status}", first.errors.decode(errors="backslashreplace")]
        outcome = command(words(play, scene.then or "sync", config, world.state), world, sanitizers, clock)
        if play.protocol == "multidrop" and not server.recipients <= RECIPIENTS:
            wrong.append(f"it named {sorted(server.recipients - RECIPIENTS)[:3]}")
        if server.spoken == 0:
            wrong.append("the server was not asked to speak there")
        return wrong + judge(play, outcome, world, sanitizers) + ([outcome.errors[-500:].decode(errors="backslashreplace")] if wrong else [])


def main() -> int:
    arguments = read_arguments(jobs=10)
    work = plays(arguments.only, arguments.share)
    with tempfile.TemporaryDirectory() as name:
        certs = certificates(Path(name) / "certificates")

        def play_one(number: int, play: Play) -> Played:
            return Played(run(play, Path(name) / str(number), certs, arguments.sanitizers))

        failed, counts = play_all(work, arguments.jobs, play_one, lambda play: play.protocol)
    for protocol, count in counts.items():
        print(f"# {protocol}: {len(SCENES[protocol])} scenes, {count} sessions")
    print(f"# {len(work)} sessions, {failed} failed")
    return 1 if failed or not work else 0


if __name__ == "__main__":
    sys.exit(main())
