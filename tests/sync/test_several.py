"""`pop3 sync` with several targets: every message is in each of them, once where the target can be asked (Maildir, mbox, IMAP,
Gmail), at least once elsewhere, whichever of them refuses, fails, or is not there."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from typing import Callable

import pytest

import gmaild
import imapd as imap_server
import lmtpd as lmtp_server
from lmtpd import Smtpd
from sent import Peaks, bodies, crlf, expected, kill_at, refused_configuration, without_quarantine
from test_new_target import rename_account
from test_uid_reuse import NO_UIDL, play_each, uidl
from world import COMMAND, CRASH_COMMAND, DEADLINE, ROOT, World, message, read_mbox

sys.path.insert(0, str(ROOT / "tests/interop"))
import dovecot as interop  # noqa: E402

SEED = int(os.environ.get("CRASH_SEED", 20261129))
RANDOM = int(os.environ.get("CRASH_SEVERAL", 6))


class Setting:
    """An account that delivers to some of a Maildir, an mbox, and servers for IMAP, LMTP and SMTP; the servers refuse what
    `says` has an answer for: their names and what `answer` gets in imapd.py and lmtpd.py."""

    def __init__(self, world, certs):
        self.world, self.certs = world, certs
        self.says = lambda name, step, number, text: None
        self.stack = []
        self.imap = self.lmtp = self.smtp = self.gmail = None
        self.real: dict[str, tuple[list, Callable[[], list]]] = {}  # servers that are not ours: options, and what is there

    def server(self, name, **options):
        def answer(step, number, text):
            return self.says(name, step, number, text)

        if name == "imap":
            context = imap_server.running(self.certs, answer, **options)
        elif name == "gmail":
            context = gmaild.running(self.certs, lambda step, number: self.says(name, step, number, b""))
        elif name == "smtp":
            context = lmtp_server.running(self.certs, answer, kind=Smtpd, **options)
        else:
            context = lmtp_server.running(self.world.path / "lmtp", answer, **options)
        server = context.__enter__()
        self.stack.append(context)
        setattr(self, name, server)
        return server

    def stop(self):
        for context in self.stack:
            context.__exit__(None, None, None)
        self.stack = []

    def options(self, names):
        path = self.world.path
        for name in ("imap", "smtp"):
            secret = path / f"{name}-password"
            secret.touch(mode=0o600)
            secret.write_text(f"{name} secret\n")
        known = {
            "maildir": lambda: ["--maildir", self.world.maildir],
            "mbox": lambda: ["--mbox", path / "mbox"],
            "command": lambda: ["--command", f"cat >>{path}/piped"],
            "imap": lambda: ["--imap", self.imap.url(), "--imap-ca-file", self.certs / "ca.pem",
                             "--imap-password-file", path / "imap-password"],
            "smtp": lambda: ["--smtp", self.smtp.where, "--smtp-ca-file", self.certs / "ca.pem",
                             "--smtp-password-file", path / "smtp-password"],
            "lmtp": lambda: ["--lmtp", self.lmtp.where if self.lmtp else f"unix:{path}/lmtp"],
            "gmail": lambda: ["--gmail", "me@gmail.com", "--gmail-url", self.gmail.url, "--issuer-ca-file", self.gmail.ca_file,
                              "--gmail-token-command", "echo token-1"],
            **{name: lambda options=options: options for name, (options, _) in self.real.items()},
        }  # fmt: skip
        out = [] if len(names) == 1 else ["--deliver", ", ".join(names)]
        if "lmtp" in names or "smtp" in names:
            out += ["--recipient", "me@example.org"]
        for name in names:
            if name == "imap" or name == "smtp":
                assert name in self.real or getattr(self, name) is not None
            out += known[name]()
        return [str(option) for option in out]

    def start(self, port, names, *options, point=None, command=CRASH_COMMAND):
        env = self.world.environment(POP3_TEST_PAUSES="skip")
        if point is not None:
            env["POP3_TEST_CRASH_AT"] = point
        return subprocess.Popen(
            [command, "sync", f"pop3://user@127.0.0.1:{port}", "--state", str(self.world.state), "--password-file",
             str(self.world.password_file), "--allow-plaintext", "--retries", "0", *self.options(names), *options],
            env=env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True)  # fmt: skip

    def sync(self, port, names, *options, status=0, **more):
        process = self.start(port, names, *options, **more)
        _, errors = process.communicate(timeout=DEADLINE)
        assert process.returncode == status, errors
        for server in self.world.servers:
            server.settle()
        return errors

    def settle(self, server):
        """Waits until the servers are done with what a run sent that was killed."""
        server.settle()
        for one in filter(None, (self.imap, self.gmail)):  # the others take one connection after the other
            one.finish_others()

    def down(self, name):
        """A server that is there and takes nobody."""
        self.says = lambda who, step, *_: "BYE not now" if who == name == "imap" and step == "login" else (
            "421 4.3.2 not now" if who == name and step == "greeting" else None)  # fmt: skip

    def up(self):
        self.says = lambda *_: None

    def got(self, name):
        """What a target has, as it came."""
        if name in self.real:
            return sorted(self.real[name][1]())
        if name == "maildir":
            return sorted(crlf(text.decode()) for text in self.world.delivered())
        if name == "mbox":
            return sorted(crlf(text.decode()) for text in read_mbox(self.world.path / "mbox"))
        return bodies(getattr(self, name))

    def check(self, names, wanted):
        """Each target has all of it: once, or at least once and under one name."""
        for name in names:
            if name in ("maildir", "mbox", "imap", "gmail"):
                assert self.got(name) == wanted, (name, Counter(self.got(name)) - Counter(wanted))
                continue
            assert set(self.got(name)) == set(wanted), name
            if name in self.real:
                continue
            seen = {}
            for mail in getattr(self, name).mails:
                assert seen.setdefault(mail.body, mail.delivery) == mail.delivery, "repeated under another name"


@pytest.fixture
def setting(world, certs):
    made = Setting(world, certs)
    yield made
    made.stop()


@pytest.fixture
def fast_setting(fast_world, certs):
    made = Setting(fast_world, certs)
    yield made
    made.stop()


def members(world):
    db = sqlite3.connect(world.state)
    found = [row[0] for row in db.execute("SELECT members FROM message WHERE standing = 1 ORDER BY id")]
    db.close()
    return found


PAIRS = [("maildir", "imap"), ("imap", "smtp"), ("lmtp", "maildir"), ("maildir", "mbox"), ("imap", "lmtp", "mbox", "maildir")]


@pytest.mark.parametrize("names", PAIRS, ids=lambda names: "+".join(names))
def test_each_message_goes_to_all_targets_and_is_retrieved_once(setting, names):
    setting.world.fill(50, lines=5)
    for name in names:
        if name in ("imap", "lmtp", "smtp"):
            setting.server(name)
    with setting.world.server("--delete") as server:
        setting.sync(server.port, names, "--delete")
        assert len(server.commands("RETR")) == 50
        for name in names:
            assert setting.got(name) == expected(50)
            if name in ("imap", "lmtp", "smtp"):
                assert getattr(setting, name).connections == 1
        setting.sync(server.port, names, "--delete")
        assert len(server.commands("RETR")) == 50
    assert setting.world.on_server() == []


@pytest.mark.parametrize("down", ["imap", "lmtp"])
def test_what_a_target_lacks_that_was_out_of_reach_comes_later_to_it_alone(setting, down):
    names = ("imap", "lmtp", "maildir")
    setting.server("imap")
    setting.server("lmtp")
    others = [name for name in names if name != down]
    setting.world.fill(20, lines=5)
    with setting.world.server("--delete") as server:
        setting.down(down)
        for run in range(3):  # new mail goes to the others in each
            errors = setting.sync(server.port, names, "--delete", status=75)
            assert f"delivering by {down.upper()}: " in errors
            for name in others:
                assert setting.got(name) == expected(20 + run), (name, run)
            assert server.commands("DELE") == [] and setting.got(down) == []
            setting.world.fill(1, first=20 + run, lines=5)
        setting.up()
        setting.sync(server.port, names, "--delete")
        setting.check(names, expected(23))
        for name in others:
            assert setting.got(name) == expected(23)
    assert setting.world.on_server() == []


def test_what_a_reader_took_away_meanwhile_does_not_come_again(setting):
    """The state has it, and not the Maildir alone."""
    setting.server("imap")
    setting.world.fill(3, lines=5)
    with setting.world.server() as server:
        setting.down("imap")
        setting.sync(server.port, ("maildir", "imap"), status=75)
        shutil.rmtree(setting.world.maildir)
        setting.up()
        setting.sync(server.port, ("maildir", "imap"))
        assert setting.got("maildir") == [] and setting.got("imap") == expected(3)
        assert members(setting.world) == []


@pytest.mark.parametrize("names", [("maildir", "imap"), ("lmtp", "imap"), ("imap", "smtp")], ids=lambda names: "+".join(names))
def test_what_one_refuses_for_good_is_kept_with_a_note_and_the_others_have_it(setting, names):
    """One in ten; where both refuse a message, it is kept for each, and each gets it again by itself."""

    def says(name, step, number, text):
        if step != "message" or int(text.split(b"Subject: number ")[1].split()[0]) % 10 != 4 or name == "maildir":
            return None
        return "NO [TOOBIG] never" if name == "imap" else "550 5.7.1 never"

    servers = [name for name in names if name != "maildir"]
    for name in servers:
        setting.server(name)
    setting.says = says
    setting.world.fill(30, lines=5)
    some = [body for i in range(30) if i % 10 != 4 for body in expected(1, i)]
    with setting.world.server("--delete") as server:
        errors = setting.sync(server.port, names, "--delete")
        assert errors.count("never") >= 3 * len(servers)
        assert setting.world.on_server() == []
        for name in names:
            assert setting.got(name) == (expected(30) if name == "maildir" else sorted(some))
        kept = {name: list(setting.world.path.glob(f"state.db.refused/*/.{name}/new/*")) for name in names}
        assert [len(kept[name]) for name in names] == [3 * (name != "maildir") for name in names]
        setting.up()
        done = subprocess.run(
            [COMMAND, "retry", f"pop3://user@127.0.0.1:{server.port}", "--state", str(setting.world.state),
             *setting.options(names)],
            env=setting.world.environment(), capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
        assert done.returncode == 0, done.stderr
        for name in servers:
            assert f"{name}: 3 messages delivered that had been refused" in done.stdout
            assert not any(setting.world.path.glob(f"state.db.refused/*/.{name}/new/*"))
        for name in names:
            assert setting.got(name) == expected(30)


def test_recipients_by_a_header_are_for_the_targets_that_have_any(setting):
    setting.server("lmtp")
    for i, who in enumerate(["ann", "bob", "nobody"]):
        setting.world.put(str(i), f"Delivered-To: {who}@example.org\n" + message(i, 5))
    with setting.world.server("--delete") as server:
        setting.sync(server.port, ("maildir", "lmtp"), "--delete", "--recipients-from", "Delivered-To", "--map-recipients",
                     "ann@example.org -> ann, bob@example.org -> bob", "--postmaster", "post")  # fmt: skip
        assert len(setting.got("maildir")) == 3
        assert sorted(mail.recipient for mail in setting.lmtp.mails) == ["ann", "bob", "post"]
    assert setting.world.on_server() == []


def test_a_fallback_has_a_folder_for_each(setting):
    setting.server("imap")
    setting.says = lambda name, step, *_: "NO [TOOBIG] never" if step == "message" else None
    setting.world.fill(2, lines=5)
    with setting.world.server() as server:
        setting.sync(server.port, ("maildir", "imap"), "--fallback", f"maildir:{setting.world.path}/kept")
    assert len(list((setting.world.path / "kept/.imap/new").iterdir())) == 2 and setting.got("maildir") == expected(2)


def test_what_one_refuses_for_now_stays_for_it_alone(setting):
    setting.server("imap")
    setting.server("lmtp")
    setting.says = lambda name, step, number, _: "452 4.2.2 full" if (name, step, number) == ("lmtp", "message", 3) else None
    setting.world.fill(10, lines=5)
    names = ("imap", "lmtp", "maildir")
    with setting.world.server("--delete") as server:
        errors = setting.sync(server.port, names, "--delete", status=75)
        assert "message 4: delivering by LMTP: " in errors
        assert setting.world.on_server() == sorted([message(3, 5).encode()])
        assert len(members(setting.world)) == 1
        assert setting.got("maildir") == setting.got("imap") == expected(10) and len(setting.lmtp.mails) == 9
        setting.up()
        setting.sync(server.port, names, "--delete")
        setting.check(names, expected(10))
        assert len(setting.lmtp.mails) == 10
    assert setting.world.on_server() == []


def test_a_maildir_that_cannot_be_written_holds_nobody_back(setting):
    setting.server("imap")
    setting.world.maildir.write_text("no folder")
    setting.world.fill(3, lines=5)
    with setting.world.server("--delete") as server:
        errors = setting.sync(server.port, ("maildir", "imap"), "--delete", status=73)
        assert "Maildir" in errors and "Not a directory" in errors
        assert setting.got("imap") == expected(3)
        assert server.commands("DELE") == []
        setting.world.maildir.unlink()
        setting.sync(server.port, ("maildir", "imap"), "--delete")
        setting.check(("maildir", "imap"), expected(3))
    assert setting.world.on_server() == []


def test_another_message_under_the_unique_id_of_one_that_some_have_goes_to_all(setting):
    """The state says that the Maildir has it: by its header it is another."""
    names = ("maildir", "imap")
    setting.server("imap")
    setting.world.put("1", message(1, 5))
    with play_each(setting.world, [uidl((1, "a"))], "--delete") as server:
        setting.down("imap")
        setting.sync(server.port, names, "--delete", status=75)
        setting.up()
    setting.world.put("1", message(2, 5))
    with play_each(setting.world, [uidl((1, "a"))] * 2, "--delete") as server:
        rename_account(setting.world, server.port)
        setting.sync(server.port, names, "--delete")  # in a second visit, as at first it comes under the name of the other
        assert setting.got("maildir") == expected(2, 1) and setting.got("imap") == expected(1, 2)
    assert setting.world.on_server() == []


@pytest.mark.parametrize("uids", ["none", "numbers", "twice"])
def test_without_unique_ids_of_their_own_headers_tell_what_is_delivered_in_part(setting, uids):
    names = ("maildir", "imap")
    setting.server("imap")
    setting.world.fill(4, lines=5)
    ids = {"none": [], "numbers": [1, 2, 3, 4], "twice": ["a", "b", "a", "b"]}[uids]
    script = "" if uids == "none" else uidl(*enumerate(ids, 1))
    with play_each(setting.world, [script] * 4, "--delete", *(NO_UIDL if uids == "none" else [])) as server:
        setting.down("imap")
        for _ in range(2):
            setting.sync(server.port, names, "--delete", status=75)
            assert setting.got("maildir") == expected(4)
        setting.up()
        setting.sync(server.port, names, "--delete")
        setting.check(names, expected(4))
    assert setting.world.on_server() == []


def test_headers_that_are_alike_do_not_make_one_message_of_two(setting):
    """No unique-ids, no Message-ID: the body tells, when it comes."""
    names = ("maildir", "imap")
    setting.server("imap")
    for i in range(3):
        setting.world.put(f"{i}", f"Subject: number 1\n\nreading {i}\n")
    wanted = sorted(f"Subject: number 1\r\n\r\nreading {i}\r\n".encode() for i in range(3))
    with play_each(setting.world, [""] * 6, "--delete", *NO_UIDL) as server:
        setting.down("imap")
        setting.sync(server.port, names, "--delete", status=75)
        (setting.world.drop / "0").rename(setting.world.path / "late")
        setting.world.put("9", "Subject: number 1\n\nreading 9\n")
        setting.sync(server.port, names, "--delete", status=75)
        setting.up()
        for _ in range(3):
            setting.start(server.port, names, "--delete").communicate(timeout=DEADLINE)
    last = [b"Subject: number 1\r\n\r\nreading 9\r\n"]
    assert set(setting.got("maildir")) == set(wanted + last) and set(setting.got("imap")) == set(wanted[1:] + last)
    assert setting.world.on_server() == []


# ---- what is known is of each target ----


def test_a_target_that_is_added_is_told_and_the_user_chooses(setting):
    setting.server("imap")
    setting.world.fill(3, lines=5)
    with setting.world.server("--delete") as server:
        setting.sync(server.port, ("maildir",))
        errors = setting.sync(server.port, ("imap", "maildir"), status=78)
        assert "earlier mail of this account was delivered to maildir:" in errors and "--from-the-start" in errors
        setting.world.fill(1, first=3, lines=5)
        setting.sync(server.port, ("imap", "maildir"), "--continue")
        assert setting.got("imap") == expected(1, 3) and setting.got("maildir") == expected(4)


def test_from_the_start_is_for_the_target_that_is_new(setting):
    setting.server("imap")
    setting.world.fill(3, lines=5)
    with setting.world.server("--delete") as server:
        setting.sync(server.port, ("maildir",))
        setting.world.fill(1, first=3, lines=5)
        setting.sync(server.port, ("imap", "maildir"), "--from-the-start", "--delete")
        setting.check(("imap", "maildir"), expected(4))
    assert setting.world.on_server() == []


def test_from_now_on_passes_over_what_is_there(setting):
    setting.server("imap")
    setting.world.fill(3, lines=5)
    with setting.world.server("--delete") as server:
        setting.sync(server.port, ("maildir",))
        setting.sync(server.port, ("imap", "maildir"), "--from-now-on", "--delete")
        setting.world.fill(1, first=3, lines=5)
        setting.sync(server.port, ("imap", "maildir"), "--delete")
        assert setting.got("imap") == expected(1, 3) and setting.got("maildir") == expected(4)
    assert len(setting.world.on_server()) == 3


def test_a_target_that_goes_is_no_question_and_what_it_lacked_is_delivered(setting):
    setting.server("imap")
    setting.world.fill(3, lines=5)
    with setting.world.server("--delete") as server:
        setting.down("imap")
        setting.sync(server.port, ("maildir", "imap"), "--delete", status=75)
        setting.sync(server.port, ("maildir",), "--delete")
        assert setting.got("maildir") == expected(3) and setting.got("imap") == []
    assert setting.world.on_server() == []


def test_the_order_of_the_list_means_nothing(setting):
    setting.server("imap")
    setting.world.fill(2, lines=5)
    with setting.world.server("--delete") as server:
        setting.down("imap")
        setting.sync(server.port, ("maildir", "imap"), "--delete", status=75)
        setting.up()
        setting.sync(server.port, ("imap", "maildir"), "--delete")
        setting.check(("imap", "maildir"), expected(2))
    assert setting.world.on_server() == []


def test_a_server_that_is_another_now_gets_what_the_old_one_had_in_part(setting):
    """--continue: what was delivered to all counts as delivered; what was not, comes to the new server."""
    setting.server("imap")
    setting.world.fill(2, lines=5)
    names = ("maildir", "imap")
    with setting.world.server("--delete") as server:
        setting.world.maildir.write_text("no folder")
        setting.sync(server.port, names, status=73)
        old = setting.imap
        setting.world.maildir.unlink()
        setting.server("imap")
        assert "nothing is done until" in setting.sync(server.port, names, "--delete", status=78)
        setting.sync(server.port, names, "--delete", "--continue")
        assert bodies(old) == expected(2)
        setting.check(names, expected(2))
    assert setting.world.on_server() == []


# ---- killed, cut ----


POINTS = {
    ("maildir", "imap"): ["intents-recorded", "tmp-written", "before-sync", "renamed", "folder-synced", "share-delivered",
                          "imap-connected", "imap-announced", "imap-content", "imap-sent", "imap-answered",
                          "delivered-recorded", "quit-answered"],
    ("lmtp", "maildir"): ["intents-recorded", "tmp-write", "rename", "share-delivered", "lmtp-connected", "lmtp-announced",
                          "lmtp-content", "lmtp-sent", "lmtp-answered", "delivered-recorded", "leaving-recorded"],
    ("imap", "smtp"): ["imap-content", "imap-answered", "share-delivered", "smtp-connected", "lmtp-content", "lmtp-sent",
                       "lmtp-answered", "delivered-recorded"],
    ("gmail", "maildir"): ["intents-recorded", "upload-content", "upload-whole", "gmail-answered", "share-delivered", "renamed",
                           "delivered-recorded"],
    ("imap", "gmail"): ["imap-answered", "share-delivered", "upload-whole", "gmail-answered", "delivered-recorded"],
    ("maildir", "mbox", "lmtp"): ["mbox-trailer", "mbox-append", "mbox-appended", "renamed", "share-delivered", "lmtp-sent"],
}  # fmt: skip


@pytest.mark.parametrize("names, point", [(names, f"{point}{at}") for names, points in POINTS.items() for point in points
                                          for at in ("", ":3")],
                         ids=lambda value: "+".join(value) if isinstance(value, tuple) else value)  # fmt: skip
def test_a_run_that_is_killed_at_a_marked_point_loses_nothing_and_repeats_nothing(fast_setting, names, point, record_property):
    setting = fast_setting
    for name in names:
        if name in ("imap", "lmtp", "smtp", "gmail"):
            setting.server(name)
    setting.world.fill(10, lines=5)
    with setting.world.server("--delete") as server:
        killed = setting.start(server.port, names, "--delete", point=point)
        killed.communicate(timeout=DEADLINE)
        assert killed.returncode == -signal.SIGKILL or ":3" in point, killed.returncode
        setting.settle(server)
        setting.sync(server.port, names, "--delete")
        setting.check(names, expected(10))
    assert setting.world.on_server() == []
    record_property("interrupted", ("several targets", "killed at marked points", int(killed.returncode != 0)))


@pytest.mark.parametrize("names", list(POINTS), ids="+".join)
def test_killed_at_random_moments(fast_setting, names, capsys, record_property):
    setting = fast_setting
    dice = random.Random(SEED)
    kills = 0
    servers = [setting.server(name) for name in names if name in ("imap", "lmtp", "smtp", "gmail")]
    with setting.world.server("--delete") as server:
        for round in range(RANDOM):
            setting.world.fill(60, first=60 * round, lines=5)
            for _ in range(2):
                process = setting.start(server.port, names, "--delete")
                arrived = lambda: sum(len(one.mails) for one in servers)  # noqa: E731
                kills += kill_at(process, arrived, arrived() + dice.randrange(0, 60))
                setting.settle(server)
            setting.sync(server.port, names, "--delete")
            setting.check(names, expected(60 * (round + 1)))
            assert setting.world.on_server() == []
    record_property("interrupted", ("several targets", "killed at random moments", kills))
    with capsys.disabled():
        print(f"# {'+'.join(names)}: {60 * RANDOM} messages, {kills} kills at random moments", flush=True)


@pytest.mark.parametrize("way", ["in", "out"])
@pytest.mark.parametrize("names", [("maildir", "imap"), ("lmtp", "maildir"), ("imap", "smtp")], ids="+".join)
def test_the_connection_of_one_that_is_cut_repeats_nothing_to_the_others(tmp_path, certs, names, way, record_property):
    points = range(1, 2600, 370)
    for at in points:
        home = tmp_path / str(at)
        home.mkdir()
        setting = Setting(World(home), certs)
        cut = "imap" if "imap" in names else "lmtp"
        try:
            for name in names:
                if name in ("imap", "lmtp", "smtp"):
                    setting.server(name, **({f"octets_{way}": at} if name == cut else {}))
            setting.world.fill(3, lines=2)
            wanted = sorted(crlf(message(i, 2)) for i in range(3))
            with setting.world.server("--delete") as server:
                for _ in range(3):
                    process = setting.start(server.port, names, "--delete")
                    process.communicate(timeout=DEADLINE)
                    if process.returncode == 0:
                        break
                assert process.returncode == 0, at
                setting.check(names, wanted)
                if "smtp" in names:
                    assert setting.got("smtp") == wanted  # it was never cut
                server.settle()
            assert setting.world.on_server() == []
        finally:
            setting.stop()
    record_property("interrupted", ("several targets", "cut", len(points)))


def test_memory_does_not_grow_with_the_message(setting, monkeypatch):
    """The most that the process had in memory, when the second server has read the message."""
    without_quarantine(monkeypatch)
    names = ("maildir", "imap", "lmtp")
    setting.server("imap")
    setting.server("lmtp")
    peaks = Peaks()

    def says(name, step, number, text):
        if name == "lmtp" and step == "message":
            peaks.take()
        return None

    setting.says = says
    for i, octets in enumerate((200_000, 5_000_000)):
        setting.world.put("1", f"Subject: {i}\n\n".encode() + (b"x" * 76 + b"\n") * (octets // 77))
        with setting.world.server("--delete") as server:
            process = peaks.of(setting.start(server.port, names, "--delete"))
            _, errors = process.communicate(timeout=DEADLINE)
            assert process.returncode == 0, errors
            server.settle()
    assert peaks.seen[1] < peaks.seen[0] + 2000, peaks.seen


# ---- settings ----


@pytest.mark.parametrize("options, told", [
    (["--deliver", "imap, maildir", "--maildir", "M"], "deliver: imap is not set"),
    (["--deliver", "imap, mailbox", "--maildir", "M"], "names of targets that are set"),
    (["--maildir", "M", "--mbox", "m"], "more than one target: choose one of"),
    (["--deliver", "maildir, lmtp", "--maildir", "M", "--lmtp", "h:24"], "lmtp needs a recipient")])  # fmt: skip
def test_a_mistake_in_what_is_delivered_to_is_told(world, options, told):
    assert told in refused_configuration(world, *options)


def test_a_mistake_in_the_file_is_told_with_its_line(world):
    path = world.path / "config/pop3/config"
    path.parent.mkdir(parents=True)
    path.touch(mode=0o600)
    path.write_text("maildir = a\n[one]\nhost = h\nuser = u\n\n deliver = maildir, imap\n[two]\nhost = h\nuser = u\n"
                    "mbox = b\nmaildir = c\n[three]\nmbox = b\nmaildir = c\ndeliver = mbox\nhost = h\nuser = u\n")  # fmt: skip
    done = subprocess.run([COMMAND, "sync"], env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 78
    assert f"{path}:11: maildir: more than one target: choose one of mbox and maildir" in done.stderr
    path.write_text(path.read_text().replace("mbox = b\nmaildir = c\n[three]", "mbox = b\n[three]"))
    done = subprocess.run([COMMAND, "sync"], env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 78
    assert f"{path}:6: deliver: imap is not set in [one]" in done.stderr and "[three]" not in done.stderr


# ---- servers that are not ours ----


@pytest.fixture(scope="module")
def dovecot():
    if interop.why_unavailable() is not None:
        pytest.skip("Dovecot cannot be run here")
    if not interop.has_protocol("imap") or not interop.has_protocol("lmtp"):
        pytest.skip("Dovecot has no IMAP or no LMTP here (packages dovecot-imapd, dovecot-lmtpd)")
    with interop.Dovecot(maildirs={"user": None, "me@example.org": None}, protocols=["imap", "lmtp"]) as server:
        yield server


def use_dovecot(setting, dovecot, folder):
    """Its LMTP for one user, its IMAP for another."""
    inbox = dovecot.maildir("me@example.org")
    before = set(inbox.glob("new/*"))
    setting.real = {
        "imap": (["--imap", f"imaps://{dovecot.user}@localhost:{dovecot.imaps_port}/{folder}", "--imap-ca-file", dovecot.ca_file,
                  "--imap-password-command", f"echo '{dovecot.password}'"],
                 lambda: [crlf(f.read_text()).split(b"\r\n", 1)[1] for f in (dovecot.maildir("user") / f".{folder}").glob("[nc]*/*")
                          if f.parent.name in ("new", "cur")]),
        "lmtp": (["--lmtp", f"unix:{dovecot.lmtp_socket}"],
                 lambda: [crlf(f.read_text()).split(b"X-POP3-Delivery: ", 1)[1].split(b"\r\n", 1)[1]
                          for f in set(inbox.glob("new/*")) - before]),
    }  # fmt: skip


@pytest.mark.interrupted("several targets", "killed at marked points")
@pytest.mark.parametrize("point", [None, "imap-answered:30", "share-delivered", "lmtp-sent:30", "lmtp-answered:50", "renamed",
                                   "delivered-recorded"])  # fmt: skip
def test_dovecot_gets_everything_by_both_of_its_ways_and_a_maildir_has_it_too(setting, dovecot, point):
    names = ("lmtp", "maildir", "imap")
    use_dovecot(setting, dovecot, (point or "plain").replace(":", "-"))
    setting.world.fill(100, lines=5)
    with setting.world.server("--delete") as server:
        if point is not None:
            killed = setting.start(server.port, names, "--delete", point=point)
            killed.communicate(timeout=DEADLINE)
            assert killed.returncode == -signal.SIGKILL, "the point was not reached"
            server.settle()
        setting.sync(server.port, names, "--delete")
        setting.check(names, expected(100))
        if point is None:
            assert setting.got("lmtp") == expected(100)
    assert setting.world.on_server() == []


def test_what_dovecots_lmtp_has_no_recipient_for_holds_nobody_else_back(setting, dovecot):
    use_dovecot(setting, dovecot, "wrong")
    setting.world.fill(10, lines=5)
    with setting.world.server("--delete") as server:
        told = setting.sync(server.port, ("lmtp", "maildir", "imap"), "--delete", "--recipient", "nobody@example.org", status=78)
        assert "550 5.1.1" in told and "the remaining mail stays on the server" in told
        setting.check(("maildir", "imap"), expected(10))
        assert setting.got("lmtp") == [] and len(setting.world.on_server()) == 10
        setting.sync(server.port, ("lmtp", "maildir", "imap"), "--delete", "--continue")
        setting.check(("maildir", "imap"), expected(10))
        assert setting.got("lmtp") == expected(10)
    assert setting.world.on_server() == [] and not list(setting.world.path.glob("state.db.refused/*/*/new/*"))
