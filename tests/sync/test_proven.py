"""What a killed run has delivered, and not recorded, is proven to the last octet before it is deleted on the server: it
may be another message by then, under the same unique-id, with the same header and the same size."""

import contextlib
import os
import signal
import subprocess
from collections import Counter

import pytest

from gmaild import running as gmail_running
from imapd import running as imap_running
from lmtpd import running as lmtp_running
from sent import refused
from world import COMMAND, CRASH_COMMAND, DEADLINE, read_mbox

LARGE = 1_500_000  # more than of which a body's fingerprint is kept


class Target:
    """Where mail goes, how a run is killed between the delivery and the record, and what is there."""

    def __init__(self, world, options, point, there, env=None):
        self.world, self.options, self.point, self.there, self.env = world, options, point, there, env or {}

    def run(self, port, *options, killed=False):
        command = [CRASH_COMMAND, "sync", f"pop3://user@127.0.0.1:{port}", "--state", str(self.world.state),
                   "--password-file", str(self.world.password_file), "--allow-plaintext", *self.options, *options]  # fmt: skip
        env = self.world.environment(POP3_TEST_PAUSES="skip", **self.env)
        if killed:
            env["POP3_TEST_CRASH_AT"] = self.point
        done = subprocess.run(command, env=env, timeout=DEADLINE, check=False, capture_output=True, text=True)
        assert done.returncode == (-signal.SIGKILL if killed else 0), done.stderr

    def bodies(self):
        """How often each message is there, by its last line."""
        return Counter(text.replace(b"\r\n", b"\n").rstrip(b"\n").rsplit(b"\n", 1)[-1].decode() for text in self.there())


@contextlib.contextmanager
def maildir(world, certs):
    yield Target(world, ["--maildir", str(world.maildir)], "folder-synced", world.delivered)


@contextlib.contextmanager
def mbox(world, certs):
    path = world.path / "mbox"
    yield Target(world, ["--mbox", str(path)], "mbox-appended", lambda: read_mbox(path))


@contextlib.contextmanager
def imap(world, certs):
    secret = world.path / "imap-password"
    secret.write_text("imap secret\n")
    secret.chmod(0o600)
    with imap_running(certs) as server:
        options = ["--imap", server.url(), "--imap-ca-file", str(certs / "ca.pem"), "--imap-password-file", str(secret)]
        yield Target(world, options, "imap-answered:3", lambda: [mail.body for mail in server.mails])


@contextlib.contextmanager
def gmail(world, certs):
    with gmail_running(certs) as server:
        options = ["--gmail", "me@gmail.com", "--gmail-url", server.url, "--issuer-ca-file", str(server.ca_file),
                   "--gmail-token-command", "echo token-1"]  # fmt: skip
        yield Target(world, options, "gmail-answered:3", lambda: [mail.body for mail in server.mails])


@contextlib.contextmanager
def quarantine(world, certs):
    refuses = lambda step, number, text: "550 5.7.1 no" if step == "message" else None  # noqa: E731
    with lmtp_running(world.path / "lmtp", refuses) as server:
        options = ["--lmtp", server.where, "--recipient", "me@example.org"]
        yield Target(world, options, "refused-kept:3", lambda: refused(world))


TARGETS = {f.__name__: f for f in (maildir, mbox, imap, gmail, quarantine)}

HEADERS = {"common": "From: device@example.org\nSubject: ALARM\n", "message-id": "Message-ID: <1@example.org>\n",
           "none": ""}  # fmt: skip


def mail(header, last, more=0):
    return f"{HEADERS[header]}\nsensor\n{'x' * 70 * (more > 0)}\n{'y' * more}\n{last}\n"


@pytest.fixture(params=TARGETS)
def target(request, fast_world, certs):
    with TARGETS[request.param](fast_world, certs) as made:
        yield made


@pytest.mark.parametrize("removal", ["--delete", "--keep"])
@pytest.mark.parametrize("header", ["common", "message-id", "common, large", "message-id, large"])
def test_another_message_under_the_same_unique_id_is_delivered_before_it_is_deleted(target, fast_world, header, removal):
    world, more = fast_world, LARGE if "large" in header else 0
    header = header.split(",")[0]
    for n in range(3):
        world.put(f"{n}", mail(header, f"old{n}", more))
    with world.server("--delete") as server:
        target.run(server.port, removal, killed=True)
        server.settle()
        world.put("1", mail(header, "new1", more))
        target.run(server.port, removal)
        server.settle()
    wanted = Counter({"old0": 1, "old1": 1, "new1": 1, "old2": 1})
    if removal == "--keep" and header == "message-id":
        wanted["new1"] = target.bodies()["new1"]  # its header says that it is known; it stays where it is
    assert target.bodies() == wanted
    assert len(world.on_server()) == (0 if removal == "--delete" else 3)


@pytest.mark.parametrize("options", [[], ["--refuse", "UIDL", "--no-capa", "UIDL"]], ids=["unique-ids", "no UIDL"])
@pytest.mark.parametrize("header", ["common", "message-id", "none", "common, large", "message-id, large"])
def test_the_same_message_counts_as_delivered_and_is_deleted(target, fast_world, header, options):
    world, more = fast_world, LARGE if "large" in header else 0
    header = header.split(",")[0]
    for n in range(3):
        world.put(f"{n}", mail(header, f"old{n}", more))
    with world.server("--delete", *options) as server:
        target.run(server.port, "--delete", killed=True)
        server.settle()
        target.run(server.port, "--delete")
        server.settle()
    assert target.bodies() == Counter({"old0": 1, "old1": 1, "old2": 1})
    assert world.on_server() == []


@pytest.mark.parametrize("added", [[], ["--received"], ["--delivered-to", "me"]], ids=lambda v: v[0] if v else "as it came")
@pytest.mark.parametrize("ends", [[], ["--line-ends", "crlf"]], ids=lambda v: v[-1] if v else "lf")
def test_line_ends_and_lines_that_were_added_make_it_no_other_message(fast_world, certs, ends, added):
    """A Maildir says no more what the lines ended in."""
    world = fast_world
    lines = ["", "a", "b\\r", "c\\r\\r", "\\r", "last"]
    text = "\\n".join(lines[:3]) + "\\r\\n" + "\\r\\n".join(lines[3:])
    script = f'on RETR {{\n line "+OK"\n send "Subject: s\\nX: y\\r\\n\\r\\n{text}\\r\\n.\\r\\n"\n}}\nserve\n'
    (world.path / "bare").write_text(script)
    world.put("1", "Subject: s\nX: y\n\nwhat it is does not matter\n")
    with maildir(world, certs) as target, world.server("--delete", "--script", world.path / "bare") as server:
        target.run(server.port, "--delete", *ends, *added, killed=True)
        server.settle()
        target.run(server.port, "--delete", *ends, *added)
        server.settle()
        assert len(world.delivered()) == 1
        assert world.on_server() == []


def test_what_a_reader_moved_away_meanwhile_is_retrieved_again(fast_world, certs):
    """There is nothing to compare it with."""
    world = fast_world
    world.put("1", mail("common", "old"))
    with maildir(world, certs) as target, world.server("--delete") as server:
        target.run(server.port, "--delete", killed=True)
        (file,) = (world.maildir / "new").iterdir()
        file.rename(world.path / "elsewhere")
        target.run(server.port, "--delete")
        server.settle()
        assert target.bodies() == Counter({"old": 1}) and world.on_server() == []
