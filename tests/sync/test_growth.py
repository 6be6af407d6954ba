"""Work grows with its input and no faster: listings, headers and configurations at 10, 100 and 1,000 times their usual
size. Instructions are counted (valgrind's cachegrind), not time."""

import re
import shutil
import socket
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from lmtpd import running as lmtp_running
from subcommands import Mailbox
from world import COMMAND, DEADLINE, World

pytestmark = pytest.mark.skipif(shutil.which("valgrind") is None, reason="no valgrind here, which counts instructions")

USUAL = 3  # messages, fields, accounts or lines
SIZES = [10 * USUAL, 100 * USUAL, 1000 * USUAL]

# From the second size to the third instructions grow ten times as much as from the first to the second. Sorting costs
# a logarithm more (11.4 times, at most, as it is); what is quadratic, a hundred times as much.
MOST = 16

# Instructions for each item that need not be looked at: how many reads a listing takes depends on how it arrives. A pass
# over all items for each one takes more by itself, two instructions for each pair.
LITTLE = 2000

LINE = b"Subject: x\r\nFrom: a\r\nDate: Mon, 2 Nov 2026 10:00:00 +0000\r\n"


class Input(NamedTuple):
    """A command, and what makes the server that it talks to: `n` is the size."""

    words: str
    script: str = "serve"
    files: dict = {}
    typed: str = ""
    before: str = ""  # a script of the server against which the same command was run before
    status: tuple = (0,)
    refused: bool = False  # before, `sync` delivered to a server that refused all of it


def on(command, *actions):
    return f"on {command} {{ {' ; '.join(actions)} }}\n"


def lines(count, text, first=1):
    """A listing; the text has %d for the number."""
    return ['line "+OK"', f'numbers "{text}" {first} {count}', 'line "."']


def backwards(n, text):
    """The same in the other order, in a form that the server's words have: a line for each."""
    return ['line "+OK"', *(f'line "{text % ((i,) * text.count("%d"))}"' for i in range(n, 0, -1)), 'line "."']


def message(octets):
    quoted = "".join(f"\\x{c:02x}" if c < 32 or c > 126 or chr(c) in '"\\' else chr(c) for c in octets)
    return f'send "+OK\\r\\n{quoted}\\r\\nbody\\r\\n.\\r\\n"'


def listed(n, header=LINE):
    return on("LIST", *lines(n, "%d 100")) + on("TOP", message(header)) + on("RETR", message(header))


def one(header):
    return on("LIST", 'line "+OK"', 'line "1 100"', 'line "."') + on("TOP", message(header)) + "serve"


REFUSED = on("UIDL", 'line "-ERR no"')
SYNC = "sync --maildir {path}/Maildir --state {path}/state --retries 0"

# Recipients are in the header, and a table says who they are behind an LMTP server.
LMTP = "--lmtp unix:{path}/lmtp --recipient me@in --state {path}/state"


def addresses(n, end=""):
    return ", ".join(f"a{i}@example.org{end.format(i)}" for i in range(n))


def shared(n, table, to):
    """An account of which the table is in the configuration."""
    return Input(
        "shared", listed(1, b"To: " + to.encode() + b"\r\n" + LINE) + on("UIDL", *lines(1, "%d u%d")) + "serve",
        files={"config": f"[a]\nurl = pop3://user@127.0.0.1:{{port}}\nallow-plaintext = yes\nauth = USER\n"
                         f"password-file = {{path}}/password\nlmtp = unix:{{path}}/lmtp\nrecipients-from = To\n"
                         f"postmaster = post@in\nmap-recipients = {addresses(table, ' -> r{}@in')}\n"})  # fmt: skip


INPUTS = {
    "unique-ids": lambda n: Input("uidl", on("UIDL", *lines(n, "%d u%d")) + "serve"),
    "unique-ids, chosen": lambda n: Input("uidl 1-", on("UIDL", *lines(n, "%d u%d")) + "serve"),
    "unique-ids, backwards": lambda n: Input("uidl --json 1-", on("UIDL", *backwards(n, "%d u%d")) + "serve"),
    "unique-ids, each named": lambda n: Input(
        "uidl " + " ".join(map(str, range(n, 0, -1))), on("UIDL", *lines(n, "%d u%d")) + "serve"),
    "one unique-id, many times": lambda n: Input("uidl 1-", on("UIDL", *backwards(n, "1 u%d")) + "serve"),
    "doctor, equal unique-ids": lambda n: Input(
        "doctor", on("STAT", f'line "+OK {n} 1"') + on("UIDL", *lines(n, "%d u")) + "serve"),
    "sizes": lambda n: Input("list", listed(n) + "serve"),
    "sizes, backwards": lambda n: Input(
        "list", on("LIST", *backwards(n, "%d 100")) + on("TOP", message(LINE)) + "serve"),
    "every field": lambda n: Input("headers --verbose 1-", listed(n) + "serve"),
    "ranges": lambda n: Input("rm --dry-run " + " ".join(f"{i}-" for i in range(1, n + 1, 2)), listed(n) + "serve"),
    "bodies": lambda n: Input("cat 1-", listed(n) + "serve"),
    "sync, known": lambda n: Input(SYNC, listed(n) + on("UIDL", *lines(n, "%d u%d")) + "serve", before="the same"),
    "sync, backwards, sizes": lambda n: Input(
        SYNC + " --max-size 10K", listed(n) + on("UIDL", *backwards(n, "%d u%d")) + "serve"),
    "sync, no unique-ids": lambda n: Input(SYNC, listed(n) + REFUSED + "serve"),
    "sync, no unique-ids, equal headers known": lambda n: Input(
        SYNC, listed(n) + REFUSED + "serve", before="the same"),
    "sync, equal unique-ids and headers known": lambda n: Input(
        SYNC, listed(n) + on("UIDL", *lines(n, "%d u")) + "serve", before="the same"),
    "sync, renumbered": lambda n: Input(
        SYNC, listed(n) + on("UIDL", *lines(n, "%d v%d")) + "serve",
        before=listed(n) + on("UIDL", *lines(n, "%d u%d")) + "serve"),
    "sync, deletes": lambda n: Input(
        SYNC + " --delete", listed(n) + on("UIDL", *lines(n, "%d u%d")) + on("DELE", 'line "+OK"') + "serve"),
    "a table of recipients": lambda n: shared(n, n, "a1@example.org"),
    "recipients in a header": lambda n: shared(n, 10, addresses(n)),
    "recipients in a header, and a table": lambda n: shared(n, n, addresses(n)),
    "sync to several targets": lambda n: Input(
        SYNC + " --mbox {path}/mbox --deliver maildir,mbox", listed(n) + on("UIDL", *lines(n, "%d u%d")) + "serve"),
    "sync, all refused": lambda n: Input(
        "sync --retries 0 " + LMTP, listed(n) + on("UIDL", *lines(n, "%d u%d")) + "serve", refused=True),
    "retry": lambda n: Input(
        "retry " + LMTP, listed(n) + on("UIDL", *lines(n, "%d u%d")) + "serve", before="the same", refused=True),
    "fields": lambda n: Input("headers --verbose", one(b"X-Field: value\r\n" * n + LINE)),
    "folded lines": lambda n: Input("list", one(b"Subject: a\r\n" + b" b\r\n" * n)),
    "an endless line": lambda n: Input("headers --json", one(b"Subject: " + b"a b " * n + b"\r\n")),
    "encoded words": lambda n: Input("list", one(b"Subject:" + b" =?utf-8?q?=C3=A9?=" * n + b"\r\n")),
    "character sets": lambda n: Input(
        "list", one(b"Subject:" + b" =?iso-8859-1?q?=E9?= =?utf-8?q?a?=" * (n // 2) + b"\r\n")),
    "beginnings of encoded words": lambda n: Input("list", one(b"Subject: " + b"=?a?q?" * n + b"?=\r\n")),
    "marks of encoded words": lambda n: Input("list", one(b"Subject: " + b"=?" * n + b"?=\r\n")),
    "octets that are no text": lambda n: Input("list", one(b"Subject: " + b"\xe2\x80" * n + b"\r\n")),
    "controls": lambda n: Input("list", one(b"Subject: " + b"\xc2\x9b\x1b " * n + b"\r\n")),
    "angles": lambda n: Input("list", one(b"From: " + b"a <" * n + b"\r\n")),
    "accounts": lambda n: Input("sync nobody", files={"config": "".join(
        f"[a{i}]\nhost = h\nuser = u{i}\nmaildir = m\n" for i in range(n))}, status=(64, 78)),
    "accounts that inherit from one": lambda n: Input("sync nobody", files={
        "config": "[a]\nhost = h\nuser = u\nmaildir = m\n" + "".join(f"[a{i}]\ninherit = a\n" for i in range(n))},
        status=(64, 78)),
    "a chain of accounts that inherit": lambda n: Input("sync nobody", files={
        "config": "[a0]\nhost = h\nuser = u\nmaildir = m\n" + "".join(
            f"[a{i}]\ninherit = a{i - 1}\n" for i in range(1, n))}, status=(64, 78)),
    "accounts, each named": lambda n: Input("nobody " + " ".join(f"a{i}" for i in range(n)), files={
        "config": "".join(f"[a{i}]\nhost = h\nuser = u{i}\n" for i in range(n))}, status=(78,)),
    "settings of one account": lambda n: Input("sync nobody", files={
        "config": "[a]\n" + "host = h\n" * n}, status=(64, 78)),
    "mistakes": lambda n: Input("sync nobody", files={"config": "[a]\n" + "hosst = h\n" * n}, status=(78,)),
    "comments": lambda n: Input("sync nobody", files={"config": "# x\n" * n + "[a]\nhost = h\n"}, status=(64, 78)),
    "a long setting": lambda n: Input("sync nobody", files={"config": "[a]\nhost = " + "h" * n}, status=(64, 78)),
    "netrc": lambda n: Input("stat --netrc {path}/netrc", files={
        "netrc": "".join(f"machine m{i} login joe password x\n" for i in range(n)) + "machine 127.0.0.1 login user password x\n"}),
    "lines to the shell": lambda n: Input("shell", typed="noop\n" * n),
    "a long line to the shell": lambda n: Input("shell", typed="x " * n + "\nnoop\n"),
    "listings in the shell": lambda n: Input(
        "shell", listed(n) + on("UIDL", *lines(n, "%d u%d")) + "serve", typed="list\nuidl\nretr 1\n"),
}  # fmt: skip


def prepare(world, server, given):
    for name, text in given.files.items():
        path = world.path / ("config/pop3/config" if name == "config" else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text.replace("{path}", str(world.path)).replace("{port}", str(server.port)))


def command_line(world, server, given):
    name, *rest = given.words.format(path=world.path).split()
    if rest[:1] == ["nobody"]:
        return [COMMAND, name, *rest]
    if name == "nobody":
        return [COMMAND, "sync", *rest]
    if name == "shared":
        return [COMMAND, "sync", "a", "--state", world.state, "--no-sandbox", "--retries", "0"]
    words = Mailbox(world, server).words(name, *rest, "--auth", "USER", "--no-sandbox")
    if "--netrc" in rest:
        at = words.index("--password-file")
        del words[at : at + 2]
    return words


def run(words, world, typed, wrapper=()):
    """Runs a command; output that nobody reads goes into files."""
    with open(world.path / "typed", "w+") as stdin, open(world.path / "out", "w+") as out:
        stdin.write(typed)
        stdin.seek(0)
        done = subprocess.run([*wrapper, *words], env=world.environment(), stdin=stdin, stdout=out,
                              stderr=subprocess.PIPE, text=True, errors="replace", timeout=DEADLINE)  # fmt: skip
    return done


def counting(world):
    """What counts the instructions of a command: the cheapest of valgrind's tools."""
    return ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null",
            f"--log-file={world.path}/counts.log"]  # fmt: skip


def counted(world):
    return int(re.search(r"I +refs: +([\d,]+)", (world.path / "counts.log").read_text())[1].replace(",", ""))


def instructions(world, n, given):
    """How many instructions the command takes."""
    scripts = [given.script]
    if given.before:
        scripts.insert(0, given.script if given.before == "the same" else given.before)
    options = []
    for i, script in enumerate(scripts):
        (world.path / f"script{i}").write_text(script + "\n")
        options += ["--script", world.path / f"script{i}"]
    refuses = given.refused
    answer = lambda step, number, text: "550 no" if step == "message" and refuses else None  # noqa: E731
    with (world.server(*options) as server,  # the same for both runs: its port is a part of the account
          lmtp_running(world.path / "lmtp", answer)):  # fmt: skip
        prepare(world, server, given)
        words = command_line(world, server, given)
        for wrapper in [[], counting(world)][-len(scripts):]:
            first = [COMMAND, "sync", *words[2:]] if not wrapper and given.refused else words
            done = run(first, world, given.typed, wrapper)
            assert done.returncode in given.status, (n, done.returncode, done.stderr[-500:])
            refuses = False
    return counted(world)


@pytest.mark.parametrize("name", INPUTS)
def test_work_grows_with_the_input(fast_world, name):
    counts = []
    for n in SIZES:
        path = fast_world.path / str(n)
        path.mkdir()
        counts.append(instructions(World(path), n, INPUTS[name](n)))
    small, large = counts[1] - counts[0], counts[2] - counts[1]
    assert large < MOST * max(small, SIZES[1] * LITTLE), f"{name}: {counts}, grown by {small} and {large}"
    print(f"{name}: {large / (SIZES[2] - SIZES[1]):.0f} instructions for each, {large / max(small, 1):.1f} times as many")


# ---- accounts that wait ----


def waiting(world, port, n):
    """A configuration of one account that is worked on, and of n that wait for their turn and cannot be used."""
    path = world.path / "config/pop3/config"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(f"state = {world.state}\njobs = 1\npipelining = off\nmaildir = {world.maildir}\n"
                    f"[first]\nurl = pop3://u@127.0.0.1:{port}\nallow-plaintext = yes\nauth = USER\n"
                    f"password-file = {world.password_file}\n" + "".join(f"[a{i}]\nhost = h\n" for i in range(n)))  # fmt: skip


def test_accounts_that_wait_cost_nothing_while_another_is_worked_on(fast_world):
    """What a hundred more messages of one account take does not depend on how many accounts wait meanwhile."""
    more = {}
    for n in (10, 6000):
        counts = []
        for messages in (10, 110):
            path = fast_world.path / f"{n}-{messages}"
            path.mkdir()
            world = World(path)
            (world.path / "script").write_text(
                listed(messages) + on("UIDL", *lines(messages, "%d u%d")) + on("RETR", message(LINE)) + "serve\n")
            with world.server("--script", world.path / "script") as server:
                waiting(world, server.port, n)
                done = run([COMMAND, "sync", "--no-sandbox", "--quiet"], world, "", counting(world))
            assert done.returncode == 78, done
            assert len(world.delivered()) == messages
            counts.append(counted(world))
        more[n] = counts[1] - counts[0]
    # Four passes over 6,000 accounts for each message would be millions.
    assert more[6000] < 1.2 * more[10], more


def test_an_account_that_waits_takes_little_memory(fast_world):
    taken = []
    for n in (100, 10100):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            waiting(fast_world, silent.getsockname()[1], 0)
            with open(fast_world.path / "config/pop3/config", "a") as file:
                file.write("".join(f"[b{i}]\nhost = mail.example.org\nuser = user{i}@example.org\n" for i in range(n)))
            with subprocess.Popen([COMMAND, "sync", "--no-sandbox"], env=fast_world.environment(),
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as command:  # fmt: skip
                silent.settimeout(DEADLINE)
                silent.accept()[0].close()  # the first account has its turn: the others wait
                status = (Path("/proc") / str(command.pid) / "status").read_text()
                command.kill()
        taken.append(int(re.search(r"RssAnon:\s+(\d+) kB", status)[1]) * 1024)
    assert (taken[1] - taken[0]) / 10000 < 1024 + len(str(fast_world.maildir)), taken  # each has the path
