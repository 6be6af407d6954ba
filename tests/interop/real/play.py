#!/usr/bin/env python3
"""Plays the command, the library and cpoplib to real servers, and compares what they retrieve with poplib.

    play.py [--build DIR] [--table FILE] [SERVER]...

Run it as root in a system that may be thrown away (tools/interop.sh): it installs servers and adds a user. Writes
TAP; with --table, a table in Markdown of what each server announces and needs.
"""

from __future__ import annotations

import argparse
import collections
import os
import poplib
import re
import signal
import ssl
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Callable

import servers

ROOT = Path(__file__).resolve().parents[3]

# What is in the mailbox: mail as it is, and what servers stumble over.
MESSAGES = [
    b"From: a@example.org\nMessage-ID: <1@example.org>\nSubject: plain\n\nHello.\n",
    b"From: a@example.org\nMessage-ID: <2@example.org>\nSubject: dots\n\n.\n..\n...\n.hidden\nend\n",
    b"From: a@example.org\nMessage-ID: <3@example.org>\nSubject: no body\n\n",
    b"From: a@example.org\nMessage-ID: <4@example.org>\nSubject: long line\n\n" + b"x" * 5000 + b"\nend\n",
    b"From: a@example.org\nMessage-ID: <5@example.org>\nSubject: octets\n\n" + bytes(range(161, 256)) + b"\n",
    b"From: a@example.org\nMessage-ID: <6@example.org>\nSubject: f\xc3\xbcr Gr\xc3\xbc\xc3\x9fe\n\nUTF-8 in the header\n",
    b"From: a@example.org\nMessage-ID: <7@example.org>\nSubject: empty lines\n\n\n\n\nend\n\n\n",
    b"From: a@example.org\nMessage-ID: <8@example.org>\nSubject: a large one\n\n" + b"line after line\n" * 20000,
    b"From: a@example.org\nSubject: no Message-ID\n\nHello.\n",
    b"From: a@example.org\nSubject: no Message-ID\n\nThe same header, another body.\n",
]
LATER = b"From: a@example.org\nMessage-ID: <99@example.org>\nSubject: later\n\nNew mail.\n"

# Fields that a server adds to what it hands out, or changes from session to session.
ADDED = (b"x-uidl:", b"status:", b"x-uid:", b"x-imapbase:")


def comparable(message: bytes) -> bytes:
    """A message without the line ends' kind, and the fields that servers add."""
    head, _, body = re.sub(rb"\r+\n", b"\n", message).partition(b"\n\n")  # tcllib ends lines with CR CR LF
    kept = [line for line in head.split(b"\n") if not line.lower().startswith(ADDED)]
    return b"\n".join(kept) + b"\n\n" + body.rstrip(b"\n")


def bag(messages) -> collections.Counter:
    return collections.Counter(comparable(m) for m in messages)


class Play:
    def __init__(self, server: servers.Server, port: int, build: Path, scratch: Path):
        self.server, self.port, self.build = server, port, build
        self.home = scratch / "home"
        self.home.mkdir()
        self.secret = self.home / "password"
        self.secret.write_text(servers.PASSWORD + "\n")
        self.secret.chmod(0o600)
        self.environment = {"HOME": str(self.home), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}

    def connected(self, module):
        """A session of poplib or cpoplib, before the login."""
        module._MAXLINE = 1 << 20  # lines longer than 2,048 octets are mail, too
        return connected(module, self.server, self.port)

    def retrieve(self, module) -> list[bytes]:
        pop = self.connected(module)
        try:
            pop.user(servers.USER)
            pop.pass_(servers.PASSWORD)
            self.ask_for_utf8(pop)
            return [b"\r\n".join(pop.retr(n + 1)[1]) + b"\r\n" for n in range(len(pop.list()[1]))]
        finally:
            try:
                pop.quit()
            except poplib.error_proto:
                pop.close()

    @staticmethod
    def ask_for_utf8(pop) -> None:
        """As `pop3` does: without it Courier hands out a note in place of a message with UTF-8 in its header."""
        try:
            if "UTF8" in pop.capa():
                pop.utf8()
        except Exception as refused:
            if type(refused).__name__ != "error_proto":
                raise

    def pop3(
        self, subcommand: str, *arguments: str, status: int = 0, program: str = "src/cli/pop3", **environment: str
    ) -> bytes:
        scheme, trust = ("pop3s", ["--ca-file", str(self.server.ca_file)]) if self.server.ca_file else ("pop3", [])
        url = f"{scheme}://{servers.USER}@127.0.0.1:{self.port}"
        command = [str(self.build / program), subcommand, url, *arguments, "--allow-plaintext", *trust]
        command += ["--password-file", str(self.secret), *self.server.options]
        env = {**self.environment, **environment}
        done = subprocess.run(command, env=env, capture_output=True, timeout=300, stdin=subprocess.DEVNULL)
        said = done.stderr.decode("utf-8", "replace")
        assert done.returncode == status, f"pop3 {subcommand}: {done.returncode}: {said}"
        return done.stdout + (done.stderr if "--trace" in arguments else b"")

    def delivered(self) -> list[bytes]:
        box = self.home / "Maildir"
        return [path.read_bytes() for folder in ("new", "cur") for path in sorted((box / folder).glob("*"))]

    def sync(self, *arguments: str) -> None:
        self.pop3("sync", "--maildir", str(self.home / "Maildir"), *arguments)

    # The steps, in this order. Each goes on from what the one before left.

    def poplib_is_the_judge(self) -> None:
        self.reference = self.retrieve(poplib)
        assert len(self.reference) == len(MESSAGES), len(self.reference)

    def cpoplib_retrieves_what_poplib_does(self) -> None:
        import cpoplib

        assert bag(self.retrieve(cpoplib)) == bag(self.reference)

    def retr_many_retrieves_what_poplib_does(self) -> None:
        import cpoplib

        pop = self.connected(cpoplib)
        pop.user(servers.USER)
        pop.pass_(servers.PASSWORD)
        self.ask_for_utf8(pop)
        came = [bytes(m) for _, m in pop.retr_many(range(1, len(MESSAGES) + 1))]
        pop.quit()
        assert bag(came) == bag(self.reference)

    def the_library_retrieves_what_poplib_does(self) -> None:
        program = self.build / "examples/print_mailbox"
        trust = ["--tls", "--ca-file", str(self.server.ca_file)] if self.server.ca_file else []
        done = subprocess.run(
            [str(program), *trust, *self.server.options, "127.0.0.1", str(self.port), servers.USER],
            env=self.environment,
            input=servers.PASSWORD.encode() + b"\n",
            capture_output=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        came = re.sub(rb"\r+\n", b"\n", done.stdout)
        missing = [m for m in self.reference if comparable(m).partition(b"\n\n")[2] not in came]
        assert not missing, missing

    def stat_and_uidl_and_list_work(self) -> None:
        assert str(len(MESSAGES)).encode() in self.pop3("stat")
        if self.server.has_uidl:
            assert len(self.pop3("uidl").splitlines()) >= len(MESSAGES)
        else:
            self.pop3("uidl", status=69)
        assert b"dots" in self.pop3("list")

    def headers_and_top_and_cat_work(self) -> None:
        which = next(n for n, message in enumerate(self.reference) if b"Subject: dots" in message)
        number = str(which + 1)
        assert b"dots" in self.pop3("headers", number)
        assert b"dots" in self.pop3("top", number)
        assert comparable(self.pop3("cat", number)) == comparable(self.reference[which])

    def doctor_finds_nothing_wrong(self) -> None:
        said = self.pop3("doctor").decode("utf-8", "replace")
        assert self.server.login in said, said
        if self.server.login:
            traced = self.pop3("stat", "--trace").decode("utf-8", "replace")
            print("# " + "\n# ".join(line for line in said.splitlines() + traced.splitlines() if "SCRAM" in line or "-ERR" in line))

    def sync_retrieves_what_poplib_does(self) -> None:
        self.sync()
        assert bag(self.delivered()) == bag(self.reference)

    def sync_again_retrieves_nothing(self) -> None:
        self.sync()
        assert bag(self.delivered()) == bag(self.reference)

    def imap_folder(self, name: str) -> str:
        """One of this play alone: another one may have had the mailbox before."""
        return f"{self.server.imap_prefix}{type(self.server).__name__}-{name}"

    def to_imap(self, folder: str, program: str = "src/cli/pop3", point: str = "", status: int = 0) -> None:
        trust = ["--imap-ca-file", str(self.server.ca_file)] if self.server.ca_file else ["--imap-allow-plaintext"]
        where = f"imap://{servers.USER}@127.0.0.1:{self.server.imap_port}/{self.imap_folder(folder)}"
        arguments = ["--imap", where, "--imap-password-file", str(self.secret), *trust]
        arguments += ["--state", str(self.home / folder)]
        self.pop3("sync", *arguments, status=status, program=program, POP3_TEST_CRASH_AT=point)

    def in_imap(self, folder: str) -> collections.Counter:
        """The messages of a folder, without the line that is put in front of them."""
        owner = self.server.imap(servers.USER)
        assert owner.select(self.imap_folder(folder), readonly=True)[0] == "OK"
        answers = owner.fetch("1:*", "(RFC822)")[1]
        owner.logout()
        texts = [answer[1] for answer in answers if isinstance(answer, tuple)]
        assert all(text.startswith(b"X-POP3-Delivery: ") for text in texts), texts
        return bag(text.split(b"\r\n", 1)[1] for text in texts)

    def imap_gets_what_poplib_retrieves(self) -> None:
        self.to_imap("plain")
        self.to_imap("plain")
        assert self.in_imap("plain") == bag(self.reference)

    def imap_has_each_message_once_after_a_kill(self) -> None:
        for point in ("imap-content:5", "imap-sent:3", "imap-answered:4", "delivered-recorded"):
            folder = point.replace(":", "-")
            self.to_imap(folder, "tests/sync/pop3-crash", point, status=-signal.SIGKILL)
            self.to_imap(folder)
            assert self.in_imap(folder) == bag(self.reference), point

    def new_mail_comes_once_and_all_is_deleted(self) -> None:
        self.server.add(LATER)
        expected = bag(self.retrieve(poplib))
        assert sum(expected.values()) == len(MESSAGES) + 1
        self.sync("--delete")
        assert bag(self.delivered()) == expected, bag(self.delivered()) - expected
        self.sync("--delete")
        assert bag(self.delivered()) == expected, bag(self.delivered()) - expected
        assert self.retrieve(poplib) == []


STEPS: list[Callable[[Play], None]] = [
    Play.poplib_is_the_judge,
    Play.cpoplib_retrieves_what_poplib_does,
    Play.retr_many_retrieves_what_poplib_does,
    Play.the_library_retrieves_what_poplib_does,
    Play.stat_and_uidl_and_list_work,
    Play.headers_and_top_and_cat_work,
    Play.doctor_finds_nothing_wrong,
    Play.sync_retrieves_what_poplib_does,
    Play.sync_again_retrieves_nothing,
    Play.new_mail_comes_once_and_all_is_deleted,
]


# Of a server that has IMAP as well, before its mailbox is emptied.
IMAP_STEPS: list[Callable[[Play], None]] = [
    Play.imap_gets_what_poplib_retrieves,
    Play.imap_has_each_message_once_after_a_kill,
]


def connected(module, server: servers.Server, port: int):
    """A session of poplib or cpoplib, before the login."""
    if server.ca_file is None:
        return module.POP3("127.0.0.1", port, timeout=60)
    trust = ssl.create_default_context(cafile=str(server.ca_file))
    return module.POP3_SSL("127.0.0.1", port, timeout=60, context=trust)


def announced(server: servers.Server, port: int) -> str:
    """What CAPA says before login, in one line."""
    pop = connected(poplib, server, port)
    try:
        words = [" ".join([name, *arguments]) for name, arguments in pop.capa().items()]
        return ", ".join(w for w in words if not w.startswith("IMPLEMENTATION"))
    except poplib.error_proto:
        return "no CAPA"
    finally:
        pop.close()


def played(kind: type[servers.Server], build: Path, report: Callable[..., None]) -> str:
    """Plays everything to one server; returns its row of the table."""
    with tempfile.TemporaryDirectory(prefix="interop-") as name:
        scratch = Path(name)
        scratch.chmod(0o755)
        server = kind(scratch)
        try:
            server.prepare()
        except servers.Unavailable as why:
            report("ok", f"{kind.name}: all", f"SKIP not in this release: {why}")
            return f"| {kind.name} | not in this release | | |"
        passed = 0
        with server.started() as port:
            server.fill(MESSAGES)
            play = Play(server, port, build, scratch)
            steps = [*STEPS[:-1], *(IMAP_STEPS if server.imap_port else []), STEPS[-1]]
            for step in steps:
                label = f"{kind.name}: {step.__name__.replace('_', ' ')}"
                try:
                    step(play)
                    passed += 1
                    report("ok", label)
                except Exception as failure:
                    report("not ok", label)
                    where = traceback.extract_tb(failure.__traceback__)[-1]
                    why = f"{type(failure).__name__}: {failure}"[:2000].replace("\n", "\n# ")
                    print(f"# {where.name}, line {where.lineno}: {why}", flush=True)
            needs = " ".join(server.options) or "nothing"
            offer = announced(server, port)
        return f"| {kind.name} {servers.version(kind.package)} | {offer} | `{needs}` | {passed} of {len(steps)} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--table", type=Path)
    parser.add_argument("servers", nargs="*")
    options = parser.parse_args()
    sys.path.insert(0, str(options.build / "python"))
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    count, failed, rows = 0, 0, []

    def report(verdict: str, label: str, note: str = "") -> None:
        nonlocal count, failed
        count += 1
        failed += verdict != "ok"
        print(f"{verdict} {count} - {label}" + (f" # {note}" if note else ""), flush=True)

    for kind in servers.ALL:
        if options.servers and kind.__name__.lower() not in options.servers:
            continue
        rows.append(played(kind, options.build, report))
    print(f"1..{count}")
    if options.table:
        head = "| server | announces before login | needs | passed |\n|---|---|---|---|\n"
        options.table.write_text(head + "\n".join(rows) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
