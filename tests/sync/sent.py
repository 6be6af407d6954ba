"""What a server that mail is sent to should have got, and has; and how a run is killed while it gets it."""

import os
import queue
import re
import signal
import subprocess
from pathlib import Path

from world import COMMAND, DEADLINE, message


def refused(world):
    """What is in the Maildir of messages that were refused for good."""
    return [file.read_bytes() for file in sorted(world.path.glob("state.db.refused/*/new/*"))]


def crlf(text):
    return text.encode().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def expected(count, first=0):
    return sorted(crlf(message(i, 5)) for i in range(first, first + count))


def bodies(server):
    return sorted(mail.body for mail in server.mails)


def kill_at(process, arrived, seen):
    """Kills a run once so many messages have arrived. Whether it was still at work."""
    while process.poll() is None and arrived() < seen:
        try:
            process.wait(0.001)
        except subprocess.TimeoutExpired:
            continue
    process.kill()
    process.communicate(timeout=DEADLINE)
    return process.returncode == -signal.SIGKILL


def without_quarantine(monkeypatch):
    """OpenSSL frees a buffer with each record: AddressSanitizer is not to keep them, where memory is measured."""
    monkeypatch.setenv("ASAN_OPTIONS", os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1:thread_local_quarantine_size_kb=64")


class Peaks:
    """The most memory that a process has had, in KiB, at moments which a server of ours knows. It may know them before the
    thread that started the process can tell which it is."""

    def __init__(self):
        self.seen = []
        self.processes = queue.Queue()

    def of(self, process):
        """A process of which one peak is taken."""
        self.processes.put(process)
        return process

    def take(self):
        pid = self.processes.get(timeout=DEADLINE).pid
        self.seen.append(int(re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]))


def refused_configuration(world, *options):
    """What the command says of a mistake in how a target is set, without a connection to anybody."""
    done = subprocess.run([COMMAND, "sync", "pop3://user@127.0.0.1:1", "--state", str(world.state), *options],
                          env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
    assert done.returncode in (64, 78), (done.returncode, done.stderr)
    return done.stderr
