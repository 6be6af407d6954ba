#!/usr/bin/env python3
"""Plays every script of the catalogue of hostile servers against a client, and judges its report.

    catalogue.py [--only WORD] [--first-way] [--no-memory] [--jobs N] [--dialect NAME] [--many] -- CLIENT [ARGUMENT]...

With --many the client is begun once for many sessions (many.py). The results are TAP, a line for each script and each way to connect. README.md says what a script's
header means, and what a client is given and must report. POP3_TESTSERVER and POP3_MAKE_CERTS name the
test server and the script that makes certificates.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Callable, NamedTuple, Sequence

sys.dont_write_bytecode = True

from many import Many  # noqa: E402

HERE = Path(__file__).resolve().parent
SCRIPTS = HERE.parent / "server" / "scripts"
MAIL = HERE / "mail"

PATIENCE = 300  # seconds until a client counts as hanging
MEMORY = {"plain": 1536, "tls": 2560, "command": 24576, "collect": 24576}  # KiB that a client may grow by, when the header does not say
KEYS = {"does", "session", "delivered", "deleted", "over", "memory", "options", "server", "certificate"}


# What a status of the library is to those that have statuses of their own.
STATUSES = {
    "library": {},
    "cpoplib": {"protocol": "protocol|value"},  # what poplib, too, raises where a number is none
    "command": {
        "ok": "0", "closed": "75", "timeout": "75", "connect": "75", "protocol": "76", "limit": "76",
        "refused": "69|75|77", "tls": "69", "certificate": "69", "not-offered": "69",
    },
}  # fmt: skip

# libpop3-collect is to come to what the command comes to, said in its own statuses.
# cpoplib.aio to what cpoplib comes to, but where cpoplib is like poplib and it is like the library.
SAME_AS = {"collect": "command", "aio": "cpoplib"}
COLLECT = {"0": "ok", "75": "temporary", "69": "server", "76": "server", "77": "credentials"}


def expected_statuses(session: str, dialect: str) -> list[str]:
    """The statuses of a header, as a client of this kind has them."""
    table = STATUSES[SAME_AS.get(dialect, dialect)]
    found = "|".join(table.get(word, word) for word in session.split("|")).split("|")
    return [COLLECT[word] for word in found] if dialect == "collect" else found


class Behaviour(NamedTuple):
    """One script, one way to connect."""

    name: str
    path: Path
    header: dict[str, str]
    dialect: str
    over: str  # plain, tls, stls, or tls-raw: TLS with a server that was promised none

    def says(self, key: str, default: str = "") -> str:
        return self.header.get(key, default)


class Report(NamedTuple):
    """What a client reported."""

    session: str
    delivered: list[tuple[str, str]]  # message number, hash
    deleted: list[str]
    memory: int
    words: list[str]  # what it said besides
    broken: list[str]


def digest_of(octets: bytes) -> str:
    """As the clients report it: the first eight octets of SHA-256."""
    return hashlib.sha256(octets).hexdigest()[:16]


def on_the_wire(path: Path) -> bytes:
    return path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


# A line of the server's transcript that asks for a message's deletion.
DELE = re.compile(rb"^\d+ C: DELE (\d+)$", re.MULTILINE | re.IGNORECASE)

HASHES = {path.stem: digest_of(on_the_wire(path)) for path in MAIL.glob("*.eml")}


def read_header(path: Path, dialect: str) -> dict[str, str]:
    """The lines `#: key value`; `key.DIALECT` takes the place of `key` for one kind of client."""
    header: dict[str, str] = {}
    own: dict[str, str] = {}
    same: dict[str, str] = {}
    for line in path.read_text().splitlines():
        if not line.startswith("#:"):
            break
        key, _, value = line[2:].strip().partition(" ")
        key, _, only = key.partition(".")
        if key not in KEYS:
            raise SystemExit(f"{path}: what is '{key}'?")
        if only in ("", dialect, SAME_AS.get(dialect)):
            (header if not only else own if only == dialect else same)[key] = value.strip()
    missing = {"does", "session", "delivered", "deleted"} - header.keys()
    if missing:
        raise SystemExit(f"{path}: the header lacks {missing}")
    return {**header, **same, **own}


def catalogue(only: str, dialect: str, ways: int) -> list[Behaviour]:
    found = []
    for path in sorted(SCRIPTS.glob("*.pop3")):
        header = read_header(path, dialect)
        if only not in path.stem or header["session"] == "-":  # not for this kind of client
            continue
        for over in header.get("over", "plain tls").split()[:ways]:
            found.append(Behaviour(path.stem, path, header, dialect, over))
    return found


def parse_report(text: str) -> Report:
    report = Report("", [], [], -1, [], [])
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        if word == "session":
            report = report._replace(session=rest)
        elif word == "delivered":
            number, _, digest = rest.partition(" ")
            report.delivered.append((number, digest))
        elif word == "deleted":
            report.deleted.append(rest)
        elif word == "memory":
            report = report._replace(memory=int(rest))
        elif word == "says":
            report.words.append(rest)
        else:
            report.broken.append(line)
    return report


def judge_messages(expected: str, delivered: list[tuple[str, str]]) -> list[str]:
    """What is wrong with the messages that came, by number (or `?`) and hash."""
    if expected == "*":
        return []
    wanted = []
    for word in expected.split() if expected != "none" else []:
        number, _, digest = word.partition("=")
        wanted.append((number, digest or HASHES[number]))
    if any(number == "?" for number, _ in delivered):
        wanted = [("?", digest) for _, digest in wanted]
    unwanted = Counter(delivered) - Counter(wanted)
    lacking = Counter(wanted) - Counter(delivered)
    return [f"message {number} ({digest}) was delivered" for number, digest in unwanted] + [
        f"message {number} ({digest}) was not delivered" for number, digest in lacking
    ]


def judge_transcript(b: Behaviour, report: Report, transcript: bytes) -> list[str]:
    """What is wrong with the deletions that the server was asked for, whatever it said to them."""
    asked = [number.decode() for number in DELE.findall(transcript)]
    wrong = []
    if len(report.deleted) > len(asked):
        wrong.append(f"{len(report.deleted)} are taken for deleted, {len(asked)} deletions were asked for")
    if b.says("delivered") != "*":
        whole = {word.partition("=")[0] for word in b.says("delivered").split()}
        wrong += [f"message {n} was to be deleted, and did not come whole" for n in sorted({*asked} - whole)]
    return wrong


def judge(b: Behaviour, report: Report, check_memory: bool) -> list[str]:
    """What is wrong with a report, one complaint each."""
    wrong = list(report.broken)
    statuses = expected_statuses(b.says("session"), b.dialect)
    if report.session not in statuses:
        wrong.append(f"the session ended as '{report.session}', not as '{'|'.join(statuses)}'")
    wrong += judge_messages(b.says("delivered"), report.delivered)
    expected = b.says("deleted")
    deletions = sorted(expected.split()) if expected != "none" else []
    if "?" in report.deleted:
        deletions = ["?"] * len(deletions)
    if expected != "*" and sorted(report.deleted) != deletions:
        wrong.append(f"deleted: {' '.join(report.deleted) or 'none'}, not {expected}")
    kind = b.dialect if b.dialect in MEMORY else "plain" if b.over == "plain" else "tls"
    bound = int(b.says("memory", str(MEMORY[kind])))
    if check_memory and report.memory > bound:
        wrong.append(f"memory grew by {report.memory} KiB, which is more than {bound}")
    if report.memory < 0:
        wrong.append("no report of memory")
    return wrong


def server_command(b: Behaviour, certificates: Path, log: Path) -> list[str]:
    name = b.says("certificate", "good")
    key = "chain" if name == "leaf" else name
    return [
        os.environ["POP3_TESTSERVER"],
        "--script", str(b.path),
        "--mail", str(MAIL),
        "--log", str(log),
        "--cert", str(certificates / f"{name}.pem"),
        "--key", str(certificates / f"{key}.key"),
        *(["--tls"] if b.over == "tls" else []),
        *shlex.split(b.says("server")),
    ]  # fmt: skip


# A client's session, of these words: its exit status, and what it wrote to standard output and standard error.
Client = Callable[[Sequence[str]], tuple[int, str, str]]


def begun_each_time(command: list[str]) -> Client:
    def session(words: Sequence[str]) -> tuple[int, str, str]:
        done = subprocess.run([*command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                              timeout=PATIENCE, check=False)  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    return session


def begun_once(command: list[str], stack: ExitStack) -> Client:
    """For each thread, until the stack is unwound."""
    own = threading.local()

    def session(words: Sequence[str]) -> tuple[int, str, str]:
        if not hasattr(own, "many"):
            own.many = Many(command)
            stack.callback(own.many.stop)
        return own.many.play(words, PATIENCE)

    return session


def play(b: Behaviour, client: Client, certificates: Path, check_memory: bool) -> list[str]:
    """Plays one behaviour; returns what is wrong."""
    log = certificates.parent / f"{b.name}-{b.over}.log"
    with subprocess.Popen(
        server_command(b, certificates, log), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stdout is not None
            match = re.match(r"ready port=(\d+) tls-port=(\d+)", server.stdout.readline())
            if match is None:
                return ["the server did not start"]
            port = match[2] if b.over == "tls" else match[1]
            how = "tls" if b.over == "tls-raw" else b.over
            status, out, errors = client([how, port, str(certificates / "ca.pem"), *b.says("options").split()])
        except subprocess.TimeoutExpired:
            return ["the client hangs"]
        finally:
            server.terminate()
    if status != 0:
        return [f"the client ended with status {status}", *errors.splitlines()]
    report = parse_report(out)
    wrong = judge(b, report, check_memory) + judge_transcript(b, report, log.read_bytes())
    log.unlink()
    return [*wrong, *(f"it said: {word}" for word in report.words)] if wrong else []


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--first-way", action="store_true")
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--dialect", default="library")
    parser.add_argument("--many", action="store_true")
    parser.add_argument("client", nargs="+")
    arguments = parser.parse_args()
    behaviours = catalogue(arguments.only, arguments.dialect, 1 if arguments.first_way else 9)
    print(f"1..{len(behaviours)}", flush=True)
    failed = 0
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack, ThreadPoolExecutor(arguments.jobs) as pool:
        certificates = Path(folder) / "certificates"
        subprocess.run([os.environ["POP3_MAKE_CERTS"], str(certificates)], check=True)
        client = begun_once(arguments.client, stack) if arguments.many else begun_each_time(arguments.client)

        def play_one(b: Behaviour) -> list[str]:
            return play(b, client, certificates, not arguments.no_memory)

        for i, (b, wrong) in enumerate(zip(behaviours, pool.map(play_one, behaviours)), 1):
            failed += bool(wrong)
            print(f"{'not ok' if wrong else 'ok'} {i} - {b.name} over {b.over}: the server {b.says('does')}")
            for line in wrong:
                print(f"# {line}", flush=True)
    names = len({b.name for b in behaviours})
    print(f"# {arguments.dialect}: {names} behaviours, {len(behaviours)} sessions, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
