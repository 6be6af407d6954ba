"""`pop3 retry`: what a target refused for good, and its Maildir has kept since, is delivered once more."""

import contextlib
import os
import re
import signal
import subprocess

import pytest

import gmaild
import imapd
import lmtpd
from gmaild import refusal
from sent import bodies, crlf, expected
from world import COMMAND, CRASH_COMMAND, DEADLINE, read_mbox

KINDS = ["lmtp", "gmail", "imap", "smtp"]


class Target:
    """A server that mail is sent to, and an account that delivers there. What it refuses are the messages of a set."""

    def __init__(self, world, certs, kind, stack):
        self.world, self.kind, self.ill = world, kind, set()
        if kind == "lmtp":
            self.server = stack.enter_context(lmtpd.running(world.path / "lmtp", self.answer))
            self.settings = f"lmtp = {self.server.where}\nrecipient = me@example.org\n"
        elif kind == "smtp":
            self.server = stack.enter_context(lmtpd.running(certs, self.answer, kind=lmtpd.Smtpd))
            self.settings = (f"smtp = {self.server.where}\nsmtp-ca-file = {certs}/ca.pem\nrecipient = me@example.org\n"
                             f"smtp-password-command = echo smtp secret\n")  # fmt: skip
        elif kind == "imap":
            self.server = stack.enter_context(imapd.running(certs, self.answer))
            self.settings = (f"imap = {self.server.url()}\nimap-ca-file = {certs}/ca.pem\n"
                             f"imap-password-command = echo imap secret\n")  # fmt: skip
        else:
            self.server = stack.enter_context(gmaild.running(certs, lambda at, n: None))
            self.settings = (f"gmail = me@gmail.com\ngmail-url = {self.server.url}\nissuer-ca-file = {self.server.ca_file}\n"
                             f"gmail-token-command = echo token-1\n")  # fmt: skip
            self.server.judge = self.judge

    def answer(self, at, number, text):
        if at != "message" or not any(f"Subject: number {i}\r\n".encode() in text for i in self.ill):
            return None
        return "NO [CANNOT] no" if self.kind == "imap" else "550 5.7.1 no"

    def judge(self, text):
        return refusal(400, "invalidArgument", "no") if any(f"Subject: number {i}\r\n".encode() in text for i in self.ill) else None

    def run(self, name, port, *options, status=0, point=None, settings=None):
        """`name` is the subcommand. What it says."""
        config = self.world.path / "accounts"
        config.write_text(f"[a]\nurl = pop3://user@127.0.0.1:{port}\npassword-file = {self.world.password_file}\n"
                          f"allow-plaintext = yes\n{settings or self.settings}")  # fmt: skip
        env = self.world.environment(POP3_TEST_PAUSES="skip", **({"POP3_TEST_CRASH_AT": point} if point else {}))
        done = subprocess.run(
            [CRASH_COMMAND, name, "--config", config, "--state", self.world.state, *map(str, options)],
            env=env, capture_output=True, text=True, errors="replace", timeout=DEADLINE)  # fmt: skip
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr


@pytest.fixture
def target(world, certs):
    with contextlib.ExitStack() as stack:
        yield lambda kind: Target(world, certs, kind, stack)


def kept(world, place=None):
    files = [file for folder in ("new", "cur") for file in (place or world.path).glob(
        f"{folder}/*" if place else f"state.db.refused/*/{folder}/*")]  # fmt: skip
    return sorted(files)


@pytest.mark.parametrize("place", [None, "other"], ids=["usual", "fallback"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_refused_is_delivered_as_it_was_when_the_target_takes_it(world, target, kind, place):
    world.fill(6, lines=5)
    to = target(kind)
    to.ill = {2, 4}
    folder = world.path / place if place else None
    if folder:
        to.settings += f"fallback = maildir:{folder}\n"
    with world.server("--delete") as server:
        to.run("sync", server.port, "--delete")
        server.settle()
        assert world.on_server() == [] and len(kept(world, folder)) == 2
        told = to.run("retry", server.port, "--dry-run")
        assert told.count("a: would deliver ") == 2 and " no)" in told
        to.run("retry", server.port, status=69)
        assert len(kept(world, folder)) == 2 and len(bodies(to.server)) == 4
        names = {file.name for file in kept(world, folder)}
        to.ill = {4}
        read = kept(world, folder)[0]
        read.rename(read.parent.parent / "cur" / (read.name + ":2,S"))  # by a reader
        told = to.run("retry", server.port, status=69)
        assert "a: 1 message delivered that had been refused; 1 left in" in told
        assert bodies(to.server) == sorted(expected(4) + expected(1, 5))
        to.ill = set()
        assert "a: 1 message delivered that had been refused\n" in to.run("retry", server.port)
        assert "a: 0 messages" in to.run("retry", server.port)
        assert kept(world, folder) == []
        assert len(server.commands("QUIT")) == 1  # the mailbox is not asked
    assert bodies(to.server) == expected(6)
    assert not any(b"X-POP3-Refused" in mail.text for mail in to.server.mails)
    if kind != "gmail":
        assert names <= {mail.delivery for mail in to.server.mails}
        assert all(mail.text.count(b"X-POP3-Delivery:") == 1 for mail in to.server.mails)


@pytest.mark.interrupted("pop3 retry", "killed at marked points")
@pytest.mark.parametrize("kind, point", [
    *((kind, point) for kind in KINDS for point in ("retry-delivered", "retry-removed")),
    ("lmtp", "lmtp-sent"), ("lmtp", "lmtp-answered"), ("imap", "imap-sent"), ("imap", "imap-answered"),
    ("gmail", "gmail-answered"), ("gmail", "upload-whole")])  # fmt: skip
def test_a_retry_that_is_killed_loses_nothing_and_repeats_nothing_where_that_can_be_told(world, target, kind, point):
    world.fill(4, lines=5)
    to = target(kind)
    to.ill = {1, 2}
    with world.server("--delete") as server:
        to.run("sync", server.port, "--delete")
        server.settle()
        to.ill = set()
        to.run("retry", server.port, status=-signal.SIGKILL, point=point)
        more = 250 if point == "imap-answered" else 2  # the folder is read in pieces
        world.fill(more, first=4, lines=5)  # others come behind them
        to.run("sync", server.port, "--delete")
        to.run("retry", server.port)
    assert kept(world) == []
    if kind in ("lmtp", "smtp"):
        assert set(bodies(to.server)) == set(expected(4 + more))
        names = {}
        assert all(names.setdefault(mail.body, mail.delivery) == mail.delivery for mail in to.server.mails)
    else:
        assert bodies(to.server) == expected(4 + more)


@pytest.mark.parametrize("kind", KINDS)
def test_a_target_that_fails_leaves_all_where_it_is(world, target, kind):
    world.fill(3, lines=5)
    to = target(kind)
    to.ill = {0, 1, 2}
    with world.server("--delete") as server:
        to.run("sync", server.port, "--delete")
        server.settle()
        to.ill = set()
        to.server.stop()
        to.run("retry", server.port, status=75)
        to.server.stop = lambda: None
    assert len(kept(world)) == 3


def test_a_fallback_that_others_use_keeps_what_is_theirs(world, target):
    world.fill(3, lines=5)
    to = target("lmtp")
    folder = world.path / "shared"
    to.settings += f"fallback = maildir:{folder}\n"
    to.ill = {1}
    with world.server("--delete") as server, world.server() as another:
        to.run("sync", server.port, "--delete")
        to.run("sync", another.port)
        (folder / "new" / "letter").write_text("Subject: mine\n\nX-POP3-Refused: no\n")
        (folder / "new" / "forged").write_text("X-POP3-Refused: by whom?\nSubject: mine\n\ntext\n")
        os.mkfifo(folder / "new" / "fifo")
        left = len(kept(world, folder))
        to.ill = set()
        assert "1 message delivered" in to.run("retry", server.port)
    assert left == len(kept(world, folder)) + 1
    assert (folder / "new" / "letter").exists() and (folder / "new" / "forged").exists()


def test_it_moves_with_the_state(world, target):
    world.fill(2, lines=5)
    to = target("lmtp")
    to.ill = {0}
    with world.server() as server:
        to.run("sync", server.port)
        to.ill = set()
        moved = world.path / "moved.db"
        world.state.rename(moved)
        (world.path / "state.db.refused").rename(world.path / "moved.db.refused")
        world.state = moved
        assert "1 message delivered" in to.run("retry", server.port)
    assert bodies(to.server) == expected(2)


@pytest.mark.parametrize("setting", ["maildir", "mbox", "command"])
def test_it_goes_to_the_target_that_the_account_has_now(world, target, setting):
    world.fill(3, lines=5)
    to = target("lmtp")
    to.ill = {1, 2}
    place = world.path / "new-target"
    value = f"cat >$(mktemp {place}.XXXXXX)" if setting == "command" else place
    with world.server("--delete") as server:
        to.run("sync", server.port, "--delete")
        server.settle()
        to.run("retry", server.port, settings=f"{setting} = {value}\n")
    assert kept(world) == []
    found = (world.delivered(place) if setting == "maildir" else read_mbox(place) if setting == "mbox"
             else [file.read_bytes() for file in world.path.glob("new-target.*")])  # fmt: skip
    assert sorted(crlf(text.decode()) for text in found) == expected(2, 1)


@pytest.mark.parametrize("first", ["one", "list"])
def test_what_was_refused_before_targets_became_a_list_or_one_is_told(world, target, first):
    world.fill(3, lines=5)
    to = target("lmtp")
    to.ill = {1}
    forms = {"one": to.settings, "list": f"deliver = maildir, lmtp\nmaildir = {world.path}/Maildir\n{to.settings}"}
    then = forms.pop(first)
    (now,) = forms.values()
    with world.server("--delete") as server:
        to.run("sync", server.port, "--delete", settings=then)
        server.settle()
        to.ill = set()
        told = to.run("retry", server.port, settings=now, status=78)
        (file,) = [*world.path.glob("state.db.refused/*/new/*"), *world.path.glob("state.db.refused/*/.lmtp/new/*")]
        assert f"1 message in {file.parent.parent}, refused when the account had other targets, is not retried" in told
        where = re.search(r"move the files into new/ in (.*)", told)[1]
        os.makedirs(f"{where}/new", exist_ok=True)
        os.makedirs(f"{where}/cur", exist_ok=True)
        file.rename(f"{where}/new/{file.name}")
        assert "1 message delivered" in to.run("retry", server.port, settings=now)
    assert bodies(to.server) == expected(3)


def test_nothing_is_made_where_nothing_was_refused_and_a_locked_account_is_left_alone(world, target):
    to = target("lmtp")
    assert "a: 0 messages delivered" in to.run("retry", 1)
    assert not world.state.exists() and list(world.path.glob("*.refused")) == []
    world.fill(1, lines=5)
    to.ill = {0}
    with world.server() as server:
        to.run("sync", server.port)
        hold = world.path / "hold"
        os.mkfifo(hold)
        world.fill(1, first=1, lines=5)
        words = f"{to.settings}filter = cat {hold}\n"
        (world.path / "busy").write_text(f"[a]\nurl = pop3://user@127.0.0.1:{server.port}\npassword-file = "
                                         f"{world.password_file}\nallow-plaintext = yes\n{words}")  # fmt: skip
        busy = subprocess.Popen([COMMAND, "sync", "--config", world.path / "busy", "--state", world.state, "--quiet"],
                                env=world.environment())  # fmt: skip
        with open(hold, "w"):  # the filter has begun
            told = to.run("retry", server.port, status=75)
        assert "another run is working on it" in told
        assert busy.wait(DEADLINE) == 0
    assert len(kept(world)) == 1


def test_a_wrong_recipient_leaves_all_where_it_is_and_is_told(world, target):
    to = target("lmtp")
    world.fill(4, lines=5)
    to.ill = {1, 2}
    with world.server("--delete") as server:
        to.run("sync", server.port, "--delete")
        server.settle()
        to.ill = set()
        to.server.of_recipient = lambda at, whom: "550 5.1.1 no" if at == "rcpt" else None
        said = to.run("retry", server.port, status=78)
        assert "the remaining mail stays on the server" in said and len(kept(world)) == 2
        to.server.of_recipient = lambda at, whom: None
        to.run("retry", server.port)
        assert len(to.server.mails) == 4 and kept(world) == []


def test_what_a_killed_sync_delivered_is_found_below_many_that_a_retry_put_on_top(world, target):
    """More than are read of a folder at a time."""
    world.fill(210, lines=2)
    to = target("imap")
    to.ill = set(range(210))
    with world.server("--delete") as server:
        to.run("sync", server.port, "--delete")
        server.settle()
        world.fill(3, first=210, lines=2)
        to.run("sync", server.port, "--delete", status=-signal.SIGKILL, point="imap-answered:2")
        to.server.finish_others()
        to.ill = set()
        to.run("retry", server.port)
        to.run("sync", server.port, "--delete")
        server.settle()
    assert kept(world) == [] and world.on_server() == []
    assert len(to.server.mails) == 213


@pytest.mark.parametrize("point", ["mbox-append", "mbox-appended", "mbox-trailer"])
def test_what_a_killed_sync_left_beside_an_mbox_is_not_a_retrys_to_remove(world, target, point):
    world.fill(3, lines=5)
    to = target("lmtp")
    to.ill = {1}
    place = world.path / "box"
    with world.server("--delete") as server:
        to.run("sync", server.port, "--delete")
        server.settle()
        world.fill(3, first=3, lines=5)
        to.run("sync", server.port, "--delete", settings=f"mbox = {place}\n", status=-signal.SIGKILL, point=point)
        to.run("retry", server.port, settings=f"mbox = {place}\n")
        to.run("sync", server.port, "--delete", settings=f"mbox = {place}\n")
        server.settle()
    assert kept(world) == [] and world.on_server() == []
    assert sorted(crlf(text.decode()) for text in read_mbox(place)) == sorted(expected(1, 1) + expected(3, 3))
    assert [file.name for file in world.path.glob("box*")] == ["box"]
