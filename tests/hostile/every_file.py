#!/usr/bin/env python3
"""Plays hostile files to the command: each thing that may stand where a file is to be, in each place where `pop3` reads
one, to the subcommands that read it, under a bound on memory.

    every_file.py [--only WORD] [--share N] [--jobs N] [--verbose] [--sanitizers]

What must hold is the same for all: no signal, no report of a sanitizer, an end, a documented exit status; where it is not 0, a
reason that names the file; memory within the bound, nothing in what is shown that a terminal obeys; and no message goes from
the POP3 server that is not delivered. Time passes faster for the command (hurry.c), so that what ends by a deadline is seen
to. A new place is a row of PLACES, a new thing one of THINGS; a setting that names a file and is in no place fails the test. POP3_COMMAND is built with the marked points (pop3-crash): it
does not pause before it tries again."""

from __future__ import annotations

import configparser
import contextlib
import itertools
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Callable, Iterable, Iterator, NamedTuple

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "sync")]

from playing import Played, play_all, read_arguments  # noqa: E402
from watched import PEAK, Outcome, judge_end, judge_text, sanitizer_options, watch  # noqa: E402
from world import World, certificates  # noqa: E402

# Of sysexits.h, what a file can bring about. Memory that runs out (71) is not among them.
STATUSES = {0, 64, 65, 66, 69, 73, 74, 75, 77, 78}
FASTER = "60"

CONTROLS = b"\x1b]0;t\x07\x1b[31m\xc2\x9b31m\xe2\x80\xae\xe2\x80\xa8\x9b\xff"
HUGE = b"18446744073709551616"


class Thing(NamedTuple):
    """What stands where a file is to be. `held` is what goes on while the command runs."""

    make: Callable[[Path], None]
    held: Callable[[Path], contextlib.AbstractContextManager] = lambda path: contextlib.nullcontext()


def content(*pieces: bytes, mode: int = 0o600) -> Thing:
    return contents(lambda: pieces, mode)


def contents(pieces: Callable[[], Iterable[bytes]], mode: int = 0o600) -> Thing:
    """Written piece by piece: this process stays small, see `watch`."""

    def make(path: Path) -> None:
        with open(path, "wb") as file:
            file.writelines(pieces())
        path.chmod(mode)

    return Thing(make)


def sparse(size: int) -> Thing:
    def make(path: Path) -> None:
        path.touch(0o600)
        os.truncate(path, size)

    return Thing(make)


def link(target: str) -> Thing:
    return Thing(lambda path: path.symlink_to(target))


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as s, contextlib.ExitStack() as stack:
        folder = os.open(path.parent, os.O_RDONLY)  # a path of a socket is short
        stack.callback(os.close, folder)
        s.bind(f"/proc/self/fd/{folder}/{path.name}")


@contextlib.contextmanager
def written(path: Path, octets: bytes, again: bool) -> Iterator[None]:
    """The other end of a FIFO, which writes as long as somebody reads, and then stays."""
    over = threading.Event()
    fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)

    def write() -> None:
        while not over.is_set():
            try:
                os.write(fd, octets)
            except BlockingIOError:
                over.wait(0.01)
                continue
            if not again:
                break

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()
        os.close(fd)


def fifo(octets: bytes = b"", again: bool = False, writer: bool = True) -> Thing:
    held = (lambda path: written(path, octets, again)) if writer else (lambda path: contextlib.nullcontext())
    return Thing(lambda path: os.mkfifo(path, 0o600), held)


THINGS: dict[str, Thing] = {
    "nothing in it": content(b""),
    "an empty line": content(b"\n"),
    "NULs": content(bytes(4096)),
    "a NUL in the text": content(b"[a]\nhost = lo\0calhost\nmachine 127.0.0.1 login u\0ser password s\0ecret\n"),
    "all octets": content(bytes(range(256)) * 16),
    "what is no UTF-8": content(b"[\xff]\n\xc0\x80 = \xed\xa0\x80\n\xf5\xff -> \x80\n"),
    "what a terminal obeys": content(b"[a" + CONTROLS + b"]\n" + CONTROLS + b" = " + CONTROLS + b"\n*@" + CONTROLS + b" -> " +
                                     CONTROLS + b"\n"),
    "UTF-16": content("[a]\nhost = localhost\n".encode("utf-16")),
    "CR without LF": content(b"[a]\rhost = localhost\ra -> b\rmachine x password y\r" * 100),
    "a line of 2 MiB": contents(lambda: itertools.repeat(b"x" * 1024, 2048)),
    "a value of 2 MiB": contents(lambda: itertools.chain([b"host = "], itertools.repeat(b"x" * 1024, 2048), [b"\n"])),
    "a million lines": contents(lambda: itertools.repeat(b"x = y\n", 1000000)),
    "a million sections": contents(lambda: (b"[%d]\n" % i for i in range(1000000))),
    "huge numbers": content(b"".join(b"%b = %b\n" % (name, HUGE) for name in (
        b"port", b"retries", b"timeout", b"limit", b"max-size", b"every", b"parallel", b"message-limit"))),
    "brackets without end": contents(lambda: itertools.repeat(b"[{", 1000000)),
    "half a quoted word": content(b'machine 127.0.0.1 login "user\\'),
    "a certificate that is none": content(b"-----BEGIN CERTIFICATE-----\n" + b"A" * 100000 + b"\n-----END CERTIFICATE-----\n"),
    "a certificate without end": content(b"-----BEGIN CERTIFICATE-----\n" + b"QUFB\n" * 400000),
    "4 GiB of NULs": sparse(4 << 30),
    "8 TiB of NULs": sparse((1 << 43) - 4096),
    "a directory": Thing(lambda path: path.mkdir()),
    "a FIFO that nobody writes": fifo(writer=False),
    "a FIFO whose writer says nothing": fifo(),
    "a FIFO with half a line": fifo(b"x = "),
    "a FIFO without end": fifo(b"x" * 4096, again=True),
    "a FIFO of lines without end": fifo(b"x = y\n" * 500, again=True),
    "a socket": Thing(listening),
    "a link to itself": Thing(lambda path: path.symlink_to(path.name)),
    "a link to nowhere": link("/nowhere/at/all"),
    "a link to /dev/zero": link("/dev/zero"),
    "a link to /dev/null": link("/dev/null"),
    "a link to /dev/full": link("/dev/full"),
    "a link to /dev/tty": link("/dev/tty"),
    "a file that others can write": content(b"secret\n", mode=0o666),
    "a file that nobody can read": content(b"secret\n", mode=0),
}


class Place(NamedTuple):
    """A file that the command reads: where it is in a World, what names it in the configuration, and which subcommands read
    it. `{}` in a line stands for the path."""

    path: str
    lines: str
    subcommands: str
    more: tuple[str, ...] = ()  # words of the command line
    tls: bool = False


SUBCOMMANDS = "capa stat list uidl top cat headers rm shell sync doctor retry token authorize"  # all but help and setup
ARGUMENTS = {"top": ["1"], "cat": ["1"], "rm": ["--dry-run", "1"], "sync": ["--retries", "0"]}
OAUTH = "issuer = https://localhost:1\nclient-id = c\nscope = mail\n"
TO_IMAP = "imap = imaps://me@localhost:1/INBOX\n"
TO_SMTP = "smtp = smtps://me@localhost:1\nrecipient = me@example.org\n"
TO_LMTP = "lmtp = localhost:1\nrecipient = me@example.org\n"
MAILDIR = "maildir = {folder}/Maildir\n"
MULTIDROP = TO_LMTP + "recipients-from = Delivered-To\npostmaster = me\n"
TARGET_OAUTH = "{0}-issuer = https://localhost:1\n{0}-client-id = c\n{0}-scope = mail\n{0}-client-secret-file = {{}}\n"
TOKENS = ".local/state/pop3/tokens/user@127.0.0.1%3A{port}"

PLACES: dict[str, Place] = {
    "--config": Place("given", "", SUBCOMMANDS),
    "the usual configuration": Place("config/pop3/config", "", "stat sync"),
    "password-file": Place("given", MAILDIR + "password-file = {}\n", "stat list doctor sync"),
    "netrc": Place("given", MAILDIR + "netrc = {}\n", "stat doctor sync"),
    "~/.netrc": Place(".netrc", MAILDIR, "stat doctor sync"),
    "a credential": Place("credentials/pop3", MAILDIR + "password-file = $CREDENTIALS_DIRECTORY/pop3\n", "stat sync"),
    "token-key-file": Place("given", MAILDIR + OAUTH + "token-key-file = {}\n", "stat token authorize sync"),
    "client-secret-file": Place("given", MAILDIR + OAUTH + "client-secret-file = {}\n", "token authorize sync"),
    "kept tokens": Place(TOKENS, MAILDIR + OAUTH, "stat token authorize sync doctor"),
    "the lock of kept tokens": Place(TOKENS + ".lock", MAILDIR + OAUTH, "token authorize"),
    "issuer-ca-file": Place("given", MAILDIR + OAUTH + "issuer-ca-file = {}\n", "authorize"),
    "ca-file": Place("given", MAILDIR + "ca-file = {}\npassword-file = {password}\n", "stat doctor sync", tls=True),
    "crl-file": Place("given", MAILDIR + "ca-file = {ca}\ncrl-file = {}\npassword-file = {password}\n", "stat sync", tls=True),
    "certificate": Place("given", MAILDIR + "ca-file = {ca}\ncertificate = {}\npassword-file = {password}\n", "stat sync", tls=True),
    "key": Place("given", MAILDIR + "ca-file = {ca}\ncertificate = {good}\nkey = {}\npassword-file = {password}\n", "stat sync", tls=True),
    "imap-password-file": Place("given", TO_IMAP + "imap-password-file = {}\npassword-file = {password}\n", "sync doctor retry"),
    "imap-ca-file": Place("given", TO_IMAP + "imap-password = x\nimap-ca-file = {}\npassword-file = {password}\n", "sync doctor"),
    "imap-client-secret-file": Place("given", TO_IMAP + TARGET_OAUTH.format("imap"), "authorize", ("--target",)),
    "smtp-client-secret-file": Place("given", TO_SMTP + TARGET_OAUTH.format("smtp"), "authorize", ("--target",)),
    "smtp-ca-file": Place("given", TO_SMTP + "smtp-password = x\nsmtp-ca-file = {}\npassword-file = {password}\n", "sync doctor"),
    "ca-dir": Place("given", MAILDIR + "ca-dir = {}\npassword-file = {password}\n", "stat sync", tls=True),
    "smtp-password-file": Place("given", TO_SMTP + "smtp-password-file = {}\npassword-file = {password}\n", "sync doctor retry"),
    "lmtp-ca-file": Place("given", TO_LMTP + "lmtp-tls = always\nlmtp-ca-file = {}\npassword-file = {password}\n", "sync doctor"),
    "gmail-client-secret-file": Place(
        "given", "gmail = me@gmail.com\ngmail-url = https://localhost:1\ngmail-client-id = c\ngmail-client-secret-file = {}\npassword-file = {password}\n",
        "sync doctor authorize"),
    "map-recipients": Place("given", MULTIDROP + "map-recipients = {}\npassword-file = {password}\n", "sync doctor"),
    "the state": Place("given", MAILDIR + "password-file = {password}\n", "sync stat doctor retry", ("--state", "{}")),
    "the state's log": Place("state.db-wal", MAILDIR + "password-file = {password}\n", "sync retry", ("--state", "{folder}/state.db")),
    "the state's journal": Place("state.db-journal", MAILDIR + "password-file = {password}\n", "sync", ("--state", "{folder}/state.db")),
    "an mbox": Place("given", "mbox = {}\npassword-file = {password}\n", "sync doctor"),
    "a Maildir": Place("given", "maildir = {}\npassword-file = {password}\n", "sync doctor"),
    "new of a Maildir": Place("Maildir/new", MAILDIR + "password-file = {password}\n", "sync"),
    "what was refused": Place("state.db.refused/a/new/1.2.3", TO_LMTP + "password-file = {password}\n", "retry sync"),
    "where it is kept": Place("given", TO_LMTP + "fallback = maildir:{}\npassword-file = {password}\n", "retry sync"),
    "socket": Place("given", "socket = {}\npassword-file = {password}\n" + MAILDIR, "stat sync"),
}  # fmt: skip


# Types of settings whose value may be that of a file or a directory, and other settings in whose value one may be named.
OF_FILES = {"path", "table", "target", "fallback"}
NAMES_FILES = {"config"}

# What is none of these places, and why.
PLACED_OTHERWISE = {
    "maildir": "a Maildir, and new of it",
    "mbox": "an mbox",
    "fallback": "where it is kept",
    "config": "--config",
    "state": "the state, its log and its journal",
    "command": "no file: a command line of the user's",
    "lmtp": "a server; its socket is connected to as that of the setting socket is",
    "imap": "a server",
    "smtp": "a server",
    "gmail": "an address",
}


def unplaced() -> set[str]:
    """The settings that name files and that are nowhere in this test."""
    settings = configparser.RawConfigParser(delimiters=("=",))
    settings.read(HERE.parents[1] / "src/settings/settings.ini")
    named = {name for name in settings.sections() if settings[name].get("type") in OF_FILES} | NAMES_FILES
    return named - set(PLACES) - set(PLACED_OTHERWISE)


# Files of which the command needs all, and things of which it never gets that.
SECRETS = {"password-file", "a credential", "netrc", "~/.netrc", "token-key-file", "client-secret-file"}
UNFINISHED = {"a FIFO with half a line", "a FIFO without end", "a FIFO whose writer says nothing", "a line of 2 MiB",
              "a value of 2 MiB", "a link to /dev/zero", "4 GiB of NULs"}


class Play(NamedTuple):
    place: str
    thing: str
    subcommand: str

    @property
    def title(self) -> str:
        return f"{self.place}, {self.subcommand}: {self.thing}"


def plays(only: str, share: int) -> list[Play]:
    """All, or those of a share: the first subcommand of a place meets each thing, the others each Nth."""
    found = []
    for place, row in PLACES.items():
        for i, word in enumerate(row.subcommands.split()):
            things = THINGS if i == 0 else list(THINGS)[i % share :: share]
            found += [Play(place, thing, word) for thing in things]
    return [play for play in found if only in play.title]


class Stage(NamedTuple):
    """What all share: a POP3 server for those that come so far, and certificates."""

    port: int
    tls_port: int
    certs: Path
    sanitizers: bool


def fill(text: str, path: Path, world: World, stage: Stage) -> str:
    values = {"": str(path), "folder": str(world.path), "password": str(world.password_file), "port": str(stage.port),
              "ca": str(stage.certs / "ca.pem"), "good": str(stage.certs / "good.pem")}  # fmt: skip
    return re.sub(r"\{(\w*)\}", lambda match: values[match[1]], text)


def words(play: Play, world: World, path: Path, stage: Stage) -> list[str]:
    """The command line; a configuration that names the file, unless that is the file."""
    place = PLACES[play.place]
    arguments = ARGUMENTS.get(play.subcommand, [])
    line = [play.subcommand, "a", *arguments, *(fill(word, path, world, stage) for word in place.more)]
    if play.place == "--config":
        return [*line, "--config", str(path)]
    if play.place == "the usual configuration":
        return line
    config = world.path / "accounts"
    config.touch(0o600)
    is_tls = place.tls or (OAUTH in place.lines and play.subcommand == "stat")
    url = f"pop3s://user@localhost:{stage.tls_port}" if is_tls else f"pop3://user@127.0.0.1:{stage.port}"
    server = "user = user\n" if play.place == "socket" else f"url = {url}\n"
    config.write_text(f"[a]\n{server}allow-plaintext = yes\n{fill(place.lines, path, world, stage)}")
    return [*line, "--config", str(config)]


def environment(world: World) -> dict[str, str]:
    return {**world.environment(), "LD_PRELOAD": os.environ["POP3_HURRY_LIBRARY"], "POP3_HURRY": FASTER,
            "POP3_TEST_PAUSES": "skip", "CREDENTIALS_DIRECTORY": str(world.path / "credentials"),
            **sanitizer_options()}  # fmt: skip


def judge(play: Play, path: Path, outcome: Outcome, most: int | None) -> list[str]:
    wrong = judge_end(outcome, STATUSES, most)
    told = outcome.out + outcome.errors
    wrong += judge_text("standard output", outcome.out) + judge_text("standard error", outcome.errors)
    if outcome.status not in (0, None) and not re.search(rb"^pop3: *\S+ +\S|^BAD ", told, re.MULTILINE):
        wrong.append("it does not say why")
    named = (os.fsencode(path), b"/accounts", play.place.encode(), b"finding the password", b"the state file", b"asking for the permission")
    if outcome.status in (65, 66, 74, 78) and not any(name in told for name in named):
        wrong.append("it does not name the file")
    if outcome.status == 0 and play.place in SECRETS and play.thing in UNFINISHED:
        wrong.append("a part of a secret was taken for the whole")
    if len(told) > 8192:
        wrong.append(f"it says {len(told)} octets")
    return wrong + ([told[-700:].decode(errors="backslashreplace")] if wrong else [])


def run(play: Play, folder: Path, stage: Stage) -> tuple[list[str], Outcome]:
    folder.mkdir()
    world = World(folder)
    path = folder / fill(PLACES[play.place].path, folder, world, stage)
    path.parent.mkdir(parents=True, exist_ok=True)
    thing = THINGS[play.thing]
    thing.make(path)
    most = None if stage.sanitizers else PEAK
    line = [os.environ["POP3_COMMAND"], *words(play, world, path, stage)]
    with thing.held(path):
        outcome = watch(line, folder, environment(world), most, start_new_session=True)
    return judge(play, path, outcome, most), outcome


def main() -> int:
    arguments = read_arguments(jobs=6)
    if unplaced():
        print(f"# these settings name files, and are no places of {Path(__file__).name}: {', '.join(sorted(unplaced()))}")
        return 1
    work = plays(arguments.only, arguments.share)
    with tempfile.TemporaryDirectory() as name:
        certs = certificates(Path(name) / "certificates")
        world = World(Path(name))
        world.fill(2)
        options = ("--tls", "--cert", certs / "good.pem", "--key", certs / "good.key")
        with world.server(*options) as server:
            stage = Stage(server.port, server.tls_port, certs, arguments.sanitizers)

            def play_one(number: int, play: Play) -> Played:
                wrong, outcome = run(play, Path(name) / str(number), stage)
                said = f"{outcome.status}: {(outcome.errors or outcome.out)[-300:]!r}"
                return Played(wrong, [said] if arguments.verbose else [])

            failed, counts = play_all(work, arguments.jobs, play_one, lambda play: play.place)
    for place, count in counts.items():
        print(f"# {place}: {count} runs")
    print(f"# {len(work)} runs, {failed} failed")
    return 1 if failed or not work else 0


if __name__ == "__main__":
    sys.exit(main())
