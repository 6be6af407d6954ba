"""What the tests of the command share: a scratch folder with a mailbox, a server and an account."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sysconfig
import threading
from pathlib import Path
from typing import Iterator, Optional

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build"
COMMAND = os.environ.get("POP3_COMMAND", str(BUILD / "src/cli/pop3"))
CRASH_COMMAND = os.environ.get("POP3_CRASH_COMMAND", str(BUILD / "tests/sync/pop3-crash"))
SERVER = os.environ.get("POP3_TESTSERVER", str(BUILD / "tests/server/pop3-testserver"))
CERTS = ROOT / "tests/server/make-certs.sh"
DEADLINE = 60  # seconds until a test gives up waiting

needs_same_clock = pytest.mark.skipif(
    "clock-2040" in os.environ.get("LD_PRELOAD", "") and sysconfig.get_config_var("SIZEOF_TIME_T") < 8,
    reason="this Python has times of 32 bits, which cannot be put ahead as the command's are",
)


class Server:
    """A running pop3-testserver, and its transcript as it grows."""

    def __init__(self, *options: object) -> None:
        reading, writing = os.pipe()
        command = [SERVER, *map(str, options), "--log", f"/dev/fd/{writing}"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, pass_fds=[writing])  # fmt: skip
        os.close(writing)
        self.marks = 0
        self.lines: list[str] = []
        self.at_work: set[str] = set()  # sessions that are not over
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, args=(reading,), daemon=True)
        self.reader.start()
        readable, _, _ = select.select([self.process.stdout], [], [], DEADLINE)
        assert readable, "the server does not get ready"
        ready = self.process.stdout.readline()
        match = re.fullmatch(r"ready port=(\d+) tls-port=(\d+) pid=(\d+)\n", ready)
        assert match, ready
        self.port, self.tls_port = int(match[1]), int(match[2])

    def _read(self, fd: int) -> None:
        with os.fdopen(fd, encoding="utf-8", errors="surrogateescape", newline="\n") as stream:
            for line in stream:
                number, what = line.split()[:2]
                with self.changed:
                    if number == "0":
                        self.marks += 1
                        self.changed.notify_all()
                        continue
                    self.lines.append(line.rstrip("\n"))
                    if what == "open":
                        self.at_work.add(number)
                    elif what == "close":
                        self.at_work.discard(number)
                    self.changed.notify_all()

    def count(self, pattern: str) -> int:
        return sum(re.search(pattern, line) is not None for line in self.lines)

    def wait_for(self, pattern: str, times: int = 1) -> None:
        """Waits until the transcript has a line, or as many."""
        with self.changed:
            there = self.changed.wait_for(lambda: self.count(pattern) >= times, DEADLINE)
        assert there, (pattern, self.lines[-20:])

    def settle(self) -> None:
        """Waits until all that clients have done until now is in the transcript, which a thread reads, and they are gone:
        the server leaves a mark behind it when it is asked to."""
        if self.process.poll() is not None:
            self.reader.join(DEADLINE)
            return
        with self.changed:
            due = self.marks + 1
            self.process.send_signal(signal.SIGUSR2)
            there = self.changed.wait_for(lambda: self.marks >= due, DEADLINE)
            assert there, "the server leaves no mark"
            over = self.changed.wait_for(lambda: not self.at_work, DEADLINE)
        assert over, self.lines[-20:]

    def forget(self) -> None:
        """Empties the transcript."""
        with self.changed:
            self.lines.clear()

    def commands(self, word: str) -> list[str]:
        """The lines from clients that begin with a word."""
        self.settle()
        with self.changed:
            found = [re.match(rf"\d+ C: ({word}\b.*)$", line) for line in self.lines]
        return [match[1] for match in found if match]

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(DEADLINE)
        self.process.stdout.close()
        self.reader.join(DEADLINE)


class World:
    """A scratch folder: mail on the server in `drop`, delivered mail in `Maildir`, state, password."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.drop = path / "drop"
        self.maildir = path / "Maildir"
        self.state = path / "state.db"
        self.password_file = path / "password"
        self.servers: list[Server] = []  # that run
        self.drop.mkdir(exist_ok=True)
        self.password_file.write_text("secret\n")
        self.password_file.chmod(0o600)

    def put(self, name: str, text: str | bytes) -> None:
        """Puts a message on the server."""
        data = text.encode() if isinstance(text, str) else text
        (self.drop / name).write_bytes(data)

    def fill(self, count: int, first: int = 0, lines: int = 20) -> None:
        """Puts messages on the server that can be told apart."""
        for i in range(first, first + count):
            self.put(f"{i:06}", message(i, lines))

    @contextlib.contextmanager
    def server(self, *options: object) -> Iterator[Server]:
        server = Server("--mail", self.drop, *options)
        self.servers.append(server)
        try:
            yield server
        finally:
            self.servers.remove(server)
            server.stop()

    def environment(self, **more: str) -> dict[str, str]:
        env = {k: v for k, v in os.environ.items() if not k.startswith("POP3_TEST_CRASH")}
        env.update(HOME=str(self.path), XDG_CONFIG_HOME=str(self.path / "config"), **more)
        env.pop("XDG_STATE_HOME", None)
        return env

    def sync_command(self, port: int, *options: object, command: str = COMMAND) -> list[str]:
        return [command, "sync", f"pop3://user@127.0.0.1:{port}", "--maildir", str(self.maildir),
                "--state", str(self.state), "--password-file", str(self.password_file),
                "--allow-plaintext", *map(str, options)]  # fmt: skip

    def sync(self, port: int, *options: object, status: Optional[int] = 0, **env: str) -> str:
        """Runs `pop3 sync`, checks its exit status (None: any of its own), and returns what it said."""
        done = subprocess.run(
            self.sync_command(port, *options), env=self.environment(**env),
            capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
        for server in self.servers:
            server.settle()
        assert done.returncode == status or (status is None and done.returncode >= 0), (done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def events(self, port: int, *options: object, status: int = 0) -> list[dict]:
        """The same with --json: its events."""
        text = self.sync(port, "--json", *options, status=status)
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def delivered(self, path: Optional[Path] = None) -> list[bytes]:
        """The messages in the Maildir, sorted."""
        found = []
        for folder in ("new", "cur"):
            for file in ((path or self.maildir) / folder).iterdir():
                found.append(file.read_bytes())
        return sorted(found)

    def unfinished(self) -> list[str]:
        """What is left in tmp/."""
        return sorted(os.listdir(self.maildir / "tmp"))

    def on_server(self) -> list[bytes]:
        """The messages on the server, with the line ends of a Maildir, sorted."""
        return sorted(f.read_bytes().replace(b"\r\n", b"\n") for f in self.drop.iterdir())


def message(i: int, lines: int = 20) -> str:
    """A message that no other number gives."""
    body = "\n".join(f"line {k} of message {i}" for k in range(lines))
    return (f"Received: from a by b; id {i}\nFrom: Ann <ann@example.org>\nTo: bob@example.org\n"
            f"Subject: number {i}\nMessage-ID: <{i}@example.org>\n\n{body}\n.a dot\n")  # fmt: skip


def read_mbox(path):
    """The messages of an mbox in mboxrd form, unquoted."""
    messages = []
    for line in path.read_bytes().splitlines(keepends=True):
        if line.startswith(b"From "):
            messages.append(b"")
        elif line.startswith(b">") and line.lstrip(b">").startswith(b"From "):
            messages[-1] += line[1:]
        else:
            messages[-1] += line
    assert all(m.endswith(b"\n") for m in messages)
    return [m[:-1] for m in messages]


def certificates(path: Path) -> Path:
    """Makes the certificates of the test server."""
    subprocess.run([str(CERTS), str(path)], check=True, capture_output=True)
    return path
