"""Servers that misbehave as a seed says, beside another client and with mail that comes in between, on a terminal or
not, killed at marked points or not: whatever `pop3 sync` makes of them, what was deleted at its wish is in the target to the last octet, nothing else is
in the target than what was on the server, a message does not come more often than bounds allow, and once the server
behaves, all comes.

MODEL_CASES and MODEL_SEED play others."""

import os
import pty
import random
import shutil
import sqlite3
import subprocess
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import lmtpd
from badpopd import Behaviour, running
from world import COMMAND, CRASH_COMMAND, World, read_mbox

CASES = int(os.environ.get("MODEL_CASES", 100))
SEED = int(os.environ.get("MODEL_SEED", 0))
REMOVALS = [["--delete"], ["--delete"], [], ["--delete-after", "1d"]]
POINTS = ["intents-recorded", "prints-recorded", "delivered-recorded", "doubts-recorded", "again-recorded",
          "leaving-recorded", "before-quit", "quit-answered", "gone-recorded", "dele-answered", "settled"]  # fmt: skip
TARGETS = ["maildir", "maildir", "mbox", "command", "lmtp"]


def run_quietly(words: list[str], env: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run([*words, "--quiet"], env=env, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stderr


def run_on_terminal(words: list[str], env: dict[str, str]) -> tuple[int, str]:
    """Progress shows."""
    master, terminal = pty.openpty()
    shown = b""
    with subprocess.Popen(words, env=env, stderr=terminal, stdout=subprocess.DEVNULL) as process:
        os.close(terminal)
        try:
            while piece := os.read(master, 65536):
                shown += piece
        except OSError:  # the other side is closed
            pass
        os.close(master)
    return process.returncode, shown.decode(errors="replace")


class Case:
    """One server, one account, some runs."""

    def __init__(self, path: Path, seed: int) -> None:
        self.seed = seed
        self.random = random.Random(f"case {seed}")
        self.world = World(path)
        self.target = self.random.choice(TARGETS)
        self.removal = self.random.choice(REMOVALS)
        self.bound = self.random.choice([[], [], ["--max-size", "2K"]])
        self.behaviour = Behaviour.drawn(self.random)
        self.out = path / "out"
        self.out.mkdir()
        self.killed = 0
        self.kills = self.random.choice([0, 0, 0.5])
        self.problems: list[str] = []

    def words(self) -> list[str]:
        where = {"maildir": ["--maildir", self.out / "Maildir"], "mbox": ["--mbox", self.out / "mbox"],
                 "command": ["--command", f"cat > $(mktemp {self.out}/XXXXXX)"]}  # fmt: skip
        if self.target == "lmtp":
            return ["--lmtp", self.lmtpd.where, "--recipient", "me@example.org"]
        return [str(word) for word in where[self.target]]

    def got(self) -> Counter:
        if self.target == "lmtp":
            found = [m.body.replace(b"\r\n", b"\n") for m in self.lmtpd.mails]
        elif self.target == "mbox":
            found = read_mbox(self.out / "mbox") if (self.out / "mbox").exists() else []
        else:
            folder = self.out / "Maildir/new" if self.target == "maildir" else self.out
            found = [f.read_bytes() for f in folder.iterdir()] if folder.exists() else []
        return Counter(found)

    def sync_words(self, port: int, *options: str) -> list[str]:
        return ["sync", f"pop3://user@127.0.0.1:{port}", *self.words(), *options, "--state", str(self.world.state),
                "--password-file", str(self.world.password_file), "--allow-plaintext", "--auth", "USER",
                "--retries", "0", "--timeout", "5s"]  # fmt: skip

    def sync(self, port: int, *options: str) -> int:
        if self.random.random() < self.kills:
            return self.sync_and_kill(port, *options)
        display = self.random.random() < 0.25
        show = run_on_terminal if display else run_quietly
        status, told = show(
            [COMMAND, *self.sync_words(port, *options)],
            self.world.environment(TERM="xterm"))  # fmt: skip
        if status not in (0, 69, 75, 76):
            self.problems.append(f"status {status}: {told[-300:]}")
        return status

    def sync_and_kill(self, port: int, *options: str) -> int:
        """At a marked point, where the run gets there."""
        where = f"{self.random.choice(POINTS)}:{self.random.choice([1, 1, 2])}"
        self.killed += 1
        words = [CRASH_COMMAND, *self.sync_words(port, *options), "--quiet"]
        return subprocess.run(words, env=self.world.environment(POP3_TEST_CRASH_AT=where), capture_output=True, timeout=60).returncode

    def age(self) -> None:
        """Days pass, or the clock jumps."""
        if not self.world.state.exists():
            return
        jump = self.random.random() < 0.3
        with sqlite3.connect(self.world.state) as db:
            db.execute("UPDATE message SET time = time - 2 * 86400")
            if jump:
                db.execute("UPDATE account SET seen = seen - 40 * 86400")
        db.close()

    def check(self, server, when: str) -> None:
        got = self.got()
        known = {m.norm() for m in server.mails}
        # An mbox ends each message with a line end.
        wrong = [m for m in got if m not in known and m + b"\n" not in known]
        lost = [m for m in server.mails if m.deleted and m.norm() not in got]
        if wrong and not self.behaviour.doubles:
            self.problems.append(f"{when}: never on the server: {wrong[0][:200]!r}")
        if lost:
            self.problems.append(f"{when}: deleted and not delivered: {[m.number for m in lost]}")

    def may_pass_for_another(self, server, mail, got) -> bool:
        """It has the unique-id of one that the server was asked in vain to delete, and is left alone: that is as with mail that
        is kept, where the size has to tell, and a server that ends sessions is not asked for it."""
        before = [m for m in server.mails[: mail.number] if m.uid == mail.uid and m.norm() in got]
        return bool(before) and self.behaviour.quits != ["works"] * 3

    def copies(self) -> int:
        """Of a message, where unique-ids and sizes are what they should be: at most two, after a session out of step."""
        most = max(self.got().values(), default=0)
        steady = self.killed == 0 and self.behaviour.ids == "stable" and self.behaviour.sizes in ("right", "none") and not self.behaviour.doubles
        if steady and most > 2:
            self.problems.append(f"{most} copies of a message")
        return most

    def play(self) -> None:
        runs = self.random.randrange(2, 5)
        with running(self.seed, self.behaviour) as server:
            server.arrive(self.random.randrange(1, 9))
            for i in range(runs):
                before, listed = self.got(), len(server.there)
                self.sync(server.port, *self.removal, *self.bound)
                self.check(server, f"run {i}")
                more = sum((self.got() - before).values())
                if more > 2 * listed:
                    self.problems.append(f"run {i}: {more} deliveries of {listed} messages")
                server.leave(self.random.choice([0, 0, 1, 3]))
                server.arrive(self.random.choice([0, 1, 3]))
                self.age()
            server.behaviour = Behaviour.good(self.behaviour.ids)
            self.kills = 0
            for _ in range(2):
                self.sync(server.port)
            missing = [m.number for m in server.there if m.norm() not in self.got()]
            if missing and self.behaviour.ids in ("stable", "none"):
                self.problems.append(f"kept, and not delivered in the end: {missing}")
            for _ in range(3):
                self.sync(server.port, "--delete")
            self.check(server, "when it behaves")
            got = self.got()
            missing = [m.number for m in server.there if m.norm() not in got and not self.may_pass_for_another(server, m, got)]
            if missing:
                self.problems.append(f"there and not delivered in the end: {missing}")

    def told(self) -> str:
        return f"MODEL_SEED={self.seed} ({self.target}, {self.removal + self.bound}, {self.behaviour}): {self.problems}"


def play(seed: int) -> tuple[str, int]:
    folder = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    path = Path(tempfile.mkdtemp(prefix="pop3-model-", dir=folder))
    try:
        case = Case(path, seed)
        with lmtpd.running(path / "lmtp") as case.lmtpd:
            case.play()
            copies = case.copies()
        return (case.told() if case.problems else "", copies)
    finally:
        shutil.rmtree(path)


def test_whatever_a_server_does_nothing_is_lost_and_little_is_doubled():
    with ThreadPoolExecutor(3) as pool:
        results = list(pool.map(play, range(SEED, SEED + CASES)))
    print("copies of the message that came most often: cases", dict(sorted(Counter(c for _, c in results).items())))
    problems = [text for text, _ in results if text]
    assert not problems, "\n".join(problems[:10])
