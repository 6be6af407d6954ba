#!/usr/bin/env python3
"""Plays the catalogue of hostile servers to every subcommand of `pop3` in every form, to the shell and to each
example, under a bound on memory.

    every_command.py [--only WORD] [--form WORD] [--stages] [--jobs N] [--sanitizers]

    --stages       a script is played to those forms alone that come to where it misbehaves; where that is before
                   the login is over or at its end, or much is sent, to one form of each subcommand or of some
    --sanitizers   the programs were built with them: they reserve address space, so that what is bounded
                   is the size of one allocation

The catalogue says what `pop3 sync` makes of each server (catalogue.py). What must hold for the others is the
same for all scripts: no signal, no report of a sanitizer, a documented exit status, an end, memory within the
bound; one line of printable text for each complaint; nothing that could command a terminal in what is shown;
and what `rm` deletes is what it was asked to. POP3_TESTSERVER, POP3_MAKE_CERTS, POP3_COMMAND and
POP3_EXAMPLES name the programs.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, Optional
from zlib import crc32

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from catalogue import Behaviour, catalogue, server_command  # noqa: E402
from command_client import KNOWN, SCHEME, SECURITY  # noqa: E402
from watched import ALLOCATION, PEAK, Outcome, judge_end, judge_text, sanitizer_options, watch  # noqa: E402

# Of sysexits.h, those that a server can bring about. Memory that runs out (71) is not among them.
STATUSES = {0, 65, 69, 74, 75, 76, 77}
EXAMPLE_STATUSES = {0, 1}

TYPED = "capa\nstat\nlist\nlist 2\nuidl\nuidl 2\nnoop\ntop 2 0\nretr 2\ndele 3\nrset\nlist\nquit\n"

# Where a script begins to misbehave, by the beginning of its name; the others do so before the login is over.
STAGES = ("stat", "list", "uidl", "retr", "top", "dele", "quit")


class Form(NamedTuple):
    """One way to start a program."""

    words: str
    stages: str  # what it asks for once it is logged in; "quit" where something of its own hangs on that
    raw: bool = False  # what it prints is the message itself
    program: str = "pop3"

    @property
    def name(self) -> str:
        return self.words.split()[0] if self.program == "pop3" else self.program


FORMS = [
    Form("capa", "capa"),
    Form("capa --json", "capa"),
    Form("cat 1", "stat retr", raw=True),
    Form("cat 3 1 1-2", "stat retr", raw=True),
    Form("cat 1-", "list retr", raw=True),
    Form("doctor", "capa uidl stat top"),
    Form("doctor --verbose", "capa uidl stat top"),
    Form("headers", "list top"),
    Form("headers --verbose", "list top"),
    Form("headers --json 2-", "list top"),
    Form("list", "list top"),
    Form("list 3 1-2", "list top"),
    Form("list 2-", "list top"),
    Form("list --json", "list top"),
    Form("list --trace", "list top"),
    Form("rm --dry-run 1-", "list"),
    Form("shell", "capa stat list uidl retr top dele quit"),
    Form("stat", "stat"),
    Form("stat --json", "stat"),
    Form("sync --dry-run --maildir {0}/Maildir --state {0}/state", "uidl"),
    Form("sync --maildir {0}/Maildir --state {0}/state --max-size 100K", "uidl list retr quit"),
    Form("sync --from-now-on --maildir {0}/Maildir --state {0}/state", "uidl list"),
    Form("sync --command cat>/dev/null --state {0}/state", "uidl retr"),
    Form("sync --json --maildir {0}/Maildir --state {0}/state", "uidl retr"),
    Form("top 2", "stat top", raw=True),
    Form("top 1-", "list top", raw=True),
    Form("top --lines 5 1-", "list top", raw=True),
    Form("uidl", "uidl"),
    Form("uidl 2", "uidl"),
    Form("uidl 1-", "uidl"),
    Form("uidl --json", "uidl"),
    Form("uidl --json 2-3", "uidl"),
    Form("", "list retr", raw=True, program="print_mailbox"),
    Form("", "list stat retr", raw=True, program="session_tour"),
    Form("--connections 3", "list retr", program="event_loop"),
    # These delete: the server shows what they deleted to nobody any more.
    Form("rm 2", "stat dele quit"),
    Form("rm 3- 1", "list dele quit"),
    Form("sync --mbox {0}/mbox --state {0}/state --delete", "uidl retr dele quit"),
]


# Subcommands that ask no POP3 server for anything.
ELSEWHERE = {"authorize", "help", "retry", "setup", "token"}

# What concerns all subcommands, each in its first form. A count is what any of them may take for a size, whether it
# asks for it now or not.
ANYBODYS = ("login", "quit", "stat")

# Those that log in each in a way of its own. The others do as these do: each of them meets one script of TURNS before
# the login is over; under sanitizers, which are slow, none.
LOGINS = ("capa", "stat", "doctor", "shell", "sync", "event_loop")
TURNS = 3

# Those that keep what comes, each in a way of its own: under sanitizers, these alone meet what is large.
COLLECTORS = ("list", "uidl", "sync", "event_loop")

# Scripts that send much: the first form that meets them stands for all of a subcommand.
LARGE = re.compile("million|MB|without-end|beyond-memory|100000")

# Those that ask for each message that is listed, which takes minutes for a million of them: they meet fewer.
ASKERS = ("headers", "list")
MILLION, FEWER = "list-of-a-million", "list-of-100000"


def stage_of(script: str) -> str:
    word = script.split("-")[0]
    return word if word in STAGES else "login"


def has_turn(form: Form, b: Behaviour, sanitizers: bool) -> bool:
    """Whether a form that logs in as others do meets this script of a login."""
    return form.name in LOGINS or (not sanitizers and crc32(f"{form.name} {b.name}".encode()) % TURNS == 0)


def comes_to(form: Form, b: Behaviour, seen: set[str], sanitizers: bool) -> bool:
    """Whether a form is to meet a script that may have met those of the subcommands in `seen`. Where all forms of a
    subcommand do the same the first stands for them. Sanitizers are slow: there it does so for what messages are like, too."""
    stage = stage_of(b.name)
    own = stage in form.stages.split()
    if (stage == "login" or (sanitizers and stage == "quit" and not own)) and not has_turn(form, b, sanitizers):
        return False
    if b.name == (MILLION if form.name in ASKERS else FEWER):
        return False
    if sanitizers and LARGE.search(b.name) and form.name not in COLLECTORS:
        return False
    once = not own or LARGE.search(b.name) or (sanitizers and stage in ("retr", "top", "dele"))
    anybodys = ANYBODYS[: 2 if sanitizers else 3]
    return (own or stage in anybodys) and not (once and form.name in seen)


def forms_for(b: Behaviour, arguments: argparse.Namespace) -> list[Form]:
    chosen: list[Form] = []
    for form in FORMS:
        if arguments.form not in f"{form.program} {form.words}":
            continue
        if not arguments.stages or comes_to(form, b, {each.name for each in chosen}, arguments.sanitizers):
            chosen.append(form)
    return chosen


class Session(NamedTuple):
    """One form against one script."""

    behaviour: Behaviour
    form: Form
    port: str
    folder: Path
    certificates: Path
    sanitizers: bool


def command_line(s: Session) -> list[str]:
    b, form = s.behaviour, s.form
    how = "tls" if b.over == "tls-raw" else b.over
    if form.program != "pop3":
        tls = [] if how == "plain" else [f"--{how}", "--ca-file", str(s.certificates / "ca.pem")]
        patience = "1" if b.says("options") else "20"
        return [f"{os.environ['POP3_EXAMPLES']}/{form.program}", *form.words.split(), *tls, "--auth", "USER",
                "--timeout", patience, "localhost", s.port, "joe"]  # fmt: skip
    limits = ["--timeout", "20s", "--connect-timeout", "20s"]
    for option in b.says("options").split():
        name, _, value = option.partition("=")
        if name in KNOWN:
            limits += [KNOWN[name], f"{value}ms"]
        elif name == "message-octets":
            limits += ["--message-limit", value]
    name, *rest = form.words.format(s.folder).split()
    return [
        os.environ["POP3_COMMAND"], name, f"{SCHEME[how]}://joe@localhost:{s.port}/", *rest, *SECURITY[how],
        "--ca-file", str(s.certificates / "ca.pem"), "--auth", "USER", "--local-address", "127.0.0.1",
        "--password-file", str(s.folder / "password"), *limits,
        *(["--retries", "0"] if name == "sync" else []),
    ]  # fmt: skip


def environment(s: Session) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k.startswith(("POP3_", "LSAN_", "PATH"))}
    # What a listing of `sync` may have, its catalogue says.
    most = 512 if s.form.name == "sync" else ALLOCATION
    return {**kept, "HOME": str(s.folder), **sanitizer_options(most)}


def peak_of(s: Session) -> Optional[int]:
    """The header of a script says what `sync` may take."""
    if s.sanitizers:
        return None
    return int(s.behaviour.says("memory", str(PEAK))) if s.form.name == "sync" else PEAK


def judge(s: Session, outcome: Outcome) -> list[str]:
    status, out, errors, _ = outcome
    is_command = s.form.program == "pop3"
    no_such = status == 64 and b" is not a message number: there are " in errors
    wrong = judge_end(outcome, (STATUSES if is_command else EXAMPLE_STATUSES) | ({64} if no_such else set()), peak_of(s))
    if not s.form.raw:
        wrong += judge_text("standard output", out)
    wrong += judge_text("standard error", errors)
    told = errors + (out if s.form.name == "doctor" or "--json" in s.form.words else b"")
    if status != 0 and is_command and not re.search(rb"^(pop3:|BAD ) *\S+ +\S|\"error\":\"", told, re.MULTILINE):
        wrong.append("it does not say why")
    if s.behaviour.name == "well-behaved" and status != 0 and not no_such:
        wrong.append(f"a good server: status {status}")
    return wrong + ([errors[-2000:].decode(errors="backslashreplace")] if wrong else [])


def run(s: Session) -> list[str]:
    """Runs one session; what is wrong with it."""
    shutil.rmtree(s.folder, ignore_errors=True)
    s.folder.mkdir()
    secret = s.folder / "password"
    secret.touch(mode=0o600)
    secret.write_text("secret\n")
    (s.folder / "typed").write_text(TYPED if s.form.name == "shell" else "secret\n")
    with open(s.folder / "typed") as typing:
        return judge(s, watch(command_line(s), s.folder, environment(s), peak_of(s), typing))


def play(b: Behaviour, forms: list[Form], folder: Path, certificates: Path, sanitizers: bool) -> list[tuple[Form, list[str]]]:
    """Plays one script to all forms, one after the other."""
    log = folder / f"{b.name}.log"
    with subprocess.Popen(
        server_command(b, certificates, log), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        try:
            assert server.stdout is not None
            match = re.match(r"ready port=(\d+) tls-port=(\d+)", server.stdout.readline())
            if match is None:
                return [(form, ["the server did not start"]) for form in forms]
            port = match[2] if b.over == "tls" else match[1]
            return [
                (form, run(Session(b, form, port, folder / b.name, certificates, sanitizers))) for form in forms
            ]
        finally:
            server.terminate()


ON_RETR_N = re.compile(r'^on "RETR (\d+)"', re.MULTILINE)


def variants(folder: Path, found: list[Behaviour]) -> list[Behaviour]:
    """What is done to RETR is done to TOP as well: copies of those scripts; and one of the million with fewer."""
    more = []
    for b in found:
        text = b.path.read_text()
        if b.name == MILLION:
            path = folder / f"{FEWER}.pop3"
            path.write_text(text.replace("1000000", "100000"))
            more.append(b._replace(name=path.stem, path=path))
        if b.name.startswith("retr-") and re.search(r'^on "?RETR', text, re.MULTILINE):
            path = folder / f"top-{b.name.removeprefix('retr-')}.pop3"
            path.write_text(re.sub(r"^on RETR\b", "on TOP", ON_RETR_N.sub(r'on "TOP \1 0"', text), flags=re.MULTILINE))
            more.append(b._replace(name=path.stem, path=path))
    return more


def left_out() -> list[str]:
    """Subcommands that the catalogue would not be played to."""
    told = subprocess.run([os.environ["POP3_COMMAND"], "help"], check=True, capture_output=True, text=True).stdout
    named = set(re.findall(r"^    pop3 ([a-z]+) ", told, re.MULTILINE))
    return sorted(named ^ ELSEWHERE ^ {form.name for form in FORMS if form.program == "pop3"})


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--form", default="")
    parser.add_argument("--stages", action="store_true")
    parser.add_argument("--sanitizers", action="store_true")
    parser.add_argument("--jobs", type=int, default=6)
    arguments = parser.parse_args()
    if os.environ.get("HOSTILE_ALL"):
        arguments.stages = False
    sessions: Counter[str] = Counter()
    failed = 0
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(arguments.jobs) as pool:
        folder = Path(name)
        certificates = folder / "certificates"
        subprocess.run([os.environ["POP3_MAKE_CERTS"], str(certificates)], check=True)
        found = catalogue("", "command", 1)
        found = [b for b in found + variants(folder, found) if arguments.only in b.name]
        work = [(b, forms_for(b, arguments)) for b in found]
        work = [(b, forms) for b, forms in work if forms]
        print(f"1..{len(work) + 1}", flush=True)
        forgotten = left_out()
        failed += bool(forgotten)
        print(f"{'not ok' if forgotten else 'ok'} 1 - every subcommand has its forms", *forgotten, flush=True)

        def play_one(job: tuple[Behaviour, list[Form]]) -> list[tuple[Form, list[str]]]:
            return play(job[0], job[1], folder, certificates, arguments.sanitizers)

        for i, ((b, forms), results) in enumerate(zip(work, pool.map(play_one, work)), 2):
            bad = [(form, wrong) for form, wrong in results if wrong]
            failed += bool(bad)
            for form in forms:
                sessions[form.name] += 1
            print(f"{'not ok' if bad else 'ok'} {i} - {b.name}, {len(forms)} forms: the server {b.says('does')}")
            for form, wrong in bad:
                print(f"# {form.program} {form.words}:", *"\n".join(wrong).splitlines(), sep="\n#   ", flush=True)
    for name, count in sorted(sessions.items()):
        print(f"# {name}: {len([f for f in FORMS if f.name == name])} forms, {count} sessions")
    print(f"# {len(work)} behaviours, {sum(sessions.values())} sessions, {failed} failed")
    return 1 if failed or not work else 0


if __name__ == "__main__":
    sys.exit(main())
