"""`pop3 sync` with an SMTP server: what LMTP does (test_lmtp.py), behind TLS and a login. Every message arrives at least once,
and one that comes again carries the same name."""

import os
import random
import signal
import subprocess
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from lmtpd import Cut, Smtpd, running
from sent import Peaks, bodies, crlf, expected, kill_at, refused, without_quarantine
from test_lmtp import at_least_once
from world import COMMAND, CRASH_COMMAND, DEADLINE, World, message


SEED = int(os.environ.get("CRASH_SEED", 20261129))
RANDOM = int(os.environ.get("CRASH_SMTP", 5))
EVERY = int(os.environ.get("CUT_SMTP_EVERY", 40))


def start(world, port, smtpd, ca, *options, point=None, command=COMMAND, where=None):
    env = world.environment()
    secret = world.path / "smtp-password"
    secret.write_text("smtp secret\n")
    secret.chmod(0o600)
    if point is not None:
        env["POP3_TEST_CRASH_AT"] = point
    if not any(option.startswith("--smtp-token") for option in options):
        options = ("--smtp-password-file", str(secret), *options)
    return subprocess.Popen(
        [command, "sync", f"pop3://user@127.0.0.1:{port}", "--smtp", where or smtpd.where, "--recipient", "you@example.org",
         "--smtp-ca-file", str(ca), "--state", str(world.state), "--password-file", str(world.password_file),
         "--allow-plaintext", *options],
        env=env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)  # fmt: skip


def sync(world, port, smtpd, ca, *options, status=0, **more):
    process = start(world, port, smtpd, ca, *options, **more)
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == status, errors
    assert "smtp secret" not in errors
    return errors


@pytest.fixture
def ca(certs):
    return certs / "ca.pem"


@pytest.mark.parametrize("way", ["smtps", "starttls", "plain"])
def test_messages_go_over_one_connection_pipelined_and_are_deleted(world, certs, ca, way):
    world.fill(50, lines=5)
    with world.server("--delete") as server, running(certs, kind=Smtpd, tls=way == "smtps", starttls=way == "starttls") as smtpd:
        sync(world, server.port, smtpd, ca, "--delete", *(["--smtp-allow-plaintext"] if way == "plain" else []))
        assert bodies(smtpd) == expected(50) and smtpd.connections == 1
        assert {mail.recipient for mail in smtpd.mails} == {"you@example.org"}
        assert {mail.sender for mail in smtpd.mails} == {"ann@example.org"}
        assert smtpd.logins == [b"\0me@example.org\0smtp secret"]
        assert len(smtpd.reads) < 200  # more than one command in each, and all of a message
        server.settle()
    assert world.on_server() == []


def test_a_message_is_sent_octet_for_octet_and_cannot_end_itself(world, certs, ca):
    world.put("1", b"Subject: s\nTo: \xc3\xa9@example.org\n\n.\n..\n.\r.\n\r.\r\nMAIL FROM:<a@b>\n\xff\n.\nend without a line end")
    with world.server() as server, running(certs, kind=Smtpd) as smtpd:
        sync(world, server.port, smtpd, ca, "--sender", "me@example.org")
        assert len(smtpd.mails) == 1
        lines = smtpd.mails[0].body.split(b"\r\n")
        assert lines[3:5] == [b".", b".."] and b"MAIL FROM:<a@b>" in lines and b"\xff" in lines
        assert smtpd.mails[0].sender == "me@example.org"
        assert any("BODY=8BITMIME SMTPUTF8" in line and "SIZE=" in line for line in smtpd.lines)


@pytest.mark.parametrize("sender, given", [("empty", ""), ("keep", "ann@example.org"), ("x@y.example", "x@y.example")])
def test_the_envelope_sender_is_kept_empty_or_given(world, certs, ca, sender, given):
    world.fill(1, lines=5)
    with world.server() as server, running(certs, kind=Smtpd) as smtpd:
        sync(world, server.port, smtpd, ca, "--sender", sender)
        assert [mail.sender for mail in smtpd.mails] == [given]


def test_a_token_logs_in_and_another_is_asked_for_when_it_is_refused(world, certs, ca):
    world.fill(2, lines=5)
    tokens = world.path / "tokens"
    tokens.write_text("token-0\n")
    with world.server() as server, running(certs, kind=Smtpd, methods="OAUTHBEARER") as smtpd:
        sync(world, server.port, smtpd, ca, "--smtp-token-command", f"cat {tokens}; echo token-1 >{tokens}")
        assert bodies(smtpd) == expected(2)
        assert [b"token-0" in login for login in smtpd.logins] == [True, False]
        assert all(b"auth=Bearer " in login for login in smtpd.logins)


def test_no_user_is_no_login(world, certs, ca):
    world.fill(1, lines=5)
    with world.server() as server, running(certs, kind=Smtpd, methods="") as smtpd:
        sync(world, server.port, smtpd, ca, where=f"smtps://localhost:{smtpd.port}/")
        assert bodies(smtpd) == expected(1) and smtpd.logins == []


def test_a_refused_login_or_certificate_is_told_and_loses_nothing(world, certs, ca):
    world.fill(20, lines=5)
    with world.server("--delete") as server, running(certs, kind=Smtpd) as smtpd:
        errors = sync(world, server.port, smtpd, certs / "leaf.pem", "--delete", status=69)
        assert "smtp-ca-file" in errors and smtpd.logins == []
        smtpd.passwords = {b"another"}
        errors = sync(world, server.port, smtpd, ca, "--delete", status=77)
        assert "logging in to the SMTP server localhost as me@example.org: it refuses the login: 535 5.7.8 no" in errors
        assert "smtp-password-file" in errors and len(smtpd.logins) == 1
        server.settle()
    assert len(world.on_server()) == 20 and refused(world) == [] and smtpd.mails == []


def test_starttls_is_demanded(world, certs, ca):
    world.fill(2, lines=5)
    with world.server() as server, running(certs, kind=Smtpd, tls=False) as smtpd:
        errors = sync(world, server.port, smtpd, ca, status=69)
        assert "it offers no STARTTLS; try smtps://" in errors and smtpd.logins == smtpd.mails == []


@pytest.mark.parametrize("reply", ["421 4.3.2 not now", "554 5.3.2 never"])
def test_a_server_that_takes_nobody_loses_nothing(world, certs, ca, reply):
    world.fill(20, lines=5)
    with world.server("--delete") as server, running(certs, lambda at, *_: reply if at == "greeting" else None, kind=Smtpd) as smtpd:
        errors = sync(world, server.port, smtpd, ca, "--delete", status=75)
        assert "connecting to the SMTP server localhost" in errors and reply in errors
        server.settle()
    assert len(world.on_server()) == 20 and refused(world) == [] and smtpd.mails == []


STEPS = ["mail", "rcpt", "data", "message"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("reply", ["452 4.2.2 full", "550 5.7.1 no\x1b such mail", "530 5.7.0 log in first"])
def test_what_is_refused_stays_or_is_kept_and_the_others_arrive(world, certs, ca, step, reply):
    world.fill(10, lines=5)
    for_good = reply.startswith("550")
    with world.server("--delete") as server:
        answer = lambda at, n, _: reply if (at, n) == (step, 3) else None  # noqa: E731
        with running(certs, answer, kind=Smtpd) as smtpd:
            errors = sync(world, server.port, smtpd, ca, "--delete", status=0 if for_good else 75)
            assert "message 4: delivering by SMTP: the server refuses" in errors and reply[:9] in errors
            advice = {"452": "; delete mail there, or have the quota raised\n", "530": "; it demands TLS or a login: write smtp = smtps://"}
            assert advice.get(reply[:3], "it is kept in") in errors
            assert bodies(smtpd) == expected(3) + expected(6, 4) and smtpd.connections == 1
            server.settle()
    assert len(world.on_server()) == (not for_good) and len(refused(world)) == for_good
    if for_good:
        assert crlf(refused(world)[0].split(b"\n", 2)[2].decode()) == expected(1, 3)[0]


def cut_at(home, certs, ca, way, at):
    """One delivery that is cut there, and a second run."""
    home.mkdir()
    world = World(home)
    world.fill(1, lines=1)
    wanted = [crlf(message(0, 1))]
    with world.server("--delete") as server, running(certs, kind=Smtpd, **{f"octets_{way}": at}) as smtpd:
        process = start(world, server.port, smtpd, ca, "--delete")
        process.communicate(timeout=DEADLINE)
        assert process.returncode in (0, 75), at
        assert process.returncode == 75 or bodies(smtpd) == wanted, at
        sync(world, server.port, smtpd, ca, "--delete")
        at_least_once(smtpd, wanted)
        assert len(smtpd.mails) <= 2, at
        server.settle()
    assert world.on_server() == []


@pytest.mark.parametrize("way", ["in", "out"])
def test_a_connection_cut_at_any_octet_loses_nothing(world, tmp_path, certs, ca, way, record_property):
    """The octets under TLS of the whole conversation about one message: each CUT_SMTP_EVERY-th; all of them in
    command-smtp-long."""
    world.fill(1, lines=1)
    with world.server() as server, running(certs, kind=Smtpd) as smtpd:
        sync(world, server.port, smtpd, ca)
        whole = smtpd.moved[way]
    assert whole > 150
    points = range(0, whole, EVERY)
    with ThreadPoolExecutor(6) as pool:
        for _ in pool.map(lambda at: cut_at(tmp_path / str(at), certs, ca, way, at), points):
            pass
    record_property("interrupted", ("SMTP", "cut", len(points)))


@pytest.mark.interrupted("SMTP", "killed at marked points")
@pytest.mark.parametrize("point", ["smtp-connected", "lmtp-announced", "lmtp-content", "lmtp-sent", "lmtp-answered",
                                   "intents-recorded", "delivered-recorded", "quit-answered"])  # fmt: skip
def test_a_run_that_is_killed_at_a_marked_point_loses_nothing(world, certs, ca, point):
    world.fill(10, lines=5)
    with world.server("--delete") as server, running(certs, kind=Smtpd) as smtpd:
        killed = start(world, server.port, smtpd, ca, "--delete", point=point, command=CRASH_COMMAND)
        killed.communicate(timeout=DEADLINE)
        assert killed.returncode == -signal.SIGKILL
        server.settle()
        sync(world, server.port, smtpd, ca, "--delete")
        at_least_once(smtpd, expected(10))
        server.settle()
    assert world.on_server() == []


def test_killed_at_random_moments(fast_world, certs, ca, record_property):
    """With a server that refuses one in ten: each message is behind it, under one name, or in the quarantine."""
    world = fast_world
    dice = random.Random(SEED)
    kills = 0
    answer = lambda step, n, text: "550 5.6.0" if step == "message" and zlib.crc32(text.split(b"\r\n", 1)[1]) % 10 == 0 else None  # noqa: E731
    with world.server("--delete") as server, running(certs, answer, kind=Smtpd) as smtpd:
        for first in range(0, 60 * RANDOM, 60):
            world.fill(60, first=first, lines=5)
            before = len(smtpd.mails)
            process = start(world, server.port, smtpd, ca, "--delete", command=CRASH_COMMAND)
            kills += kill_at(process, lambda: len(smtpd.mails), before + dice.randrange(0, 55))
            server.settle()
            sync(world, server.port, smtpd, ca, "--delete")
            server.settle()
            assert world.on_server() == []
    kept = [crlf(text.split(b"\n", 2)[2].decode()) for text in refused(world)]
    assert kept and len(kept) == len(set(kept)), "refused messages are kept once"
    assert set(bodies(smtpd)) | set(kept) == set(expected(60 * RANDOM)), "a message is nowhere"
    at_least_once(smtpd, set(bodies(smtpd)))
    assert kills > 0
    record_property("interrupted", ("SMTP", "killed at random moments", kills))


def test_the_servers_word_that_is_lost_brings_the_message_again_under_its_name(world, certs, ca):
    world.fill(3, lines=5)

    def lost(step, number, text):
        if step == "message" and number == 1 and not smtpd.lost:
            smtpd.lost = True
            smtpd.mails.append(smtpd.mails[0]._replace(text=text))
            raise Cut

    with world.server("--delete") as server, running(certs, lost, kind=Smtpd) as smtpd:
        smtpd.lost = False
        errors = sync(world, server.port, smtpd, ca, "--delete", status=75)
        assert "it was sent and may have arrived; it is sent again" in errors
        sync(world, server.port, smtpd, ca, "--delete")
        at_least_once(smtpd, expected(3))
        assert len(smtpd.mails) == 4
        server.settle()
    assert world.on_server() == []


def test_memory_does_not_grow_with_the_message(world, certs, ca, monkeypatch):
    """The most that the process had in memory, when the server has read the message."""
    without_quarantine(monkeypatch)
    peaks = Peaks()

    def answer(step, number, text):
        if step == "message":
            peaks.take()
        return None

    for octets in (200_000, 5_000_000):
        world.put("1", b"Subject: s\n\n" + (b"x" * 76 + b"\n") * (octets // 77))
        with world.server("--delete") as server, running(certs, answer, kind=Smtpd) as smtpd:
            process = peaks.of(start(world, server.port, smtpd, ca, "--delete"))
            _, errors = process.communicate(timeout=DEADLINE)
            assert process.returncode == 0 and len(smtpd.mails) == 1, errors
            server.settle()
    small, large = peaks.seen
    assert large < small + 2000, peaks.seen


@pytest.mark.parametrize("options, words", [
    (["--smtp", "smtps://me@h"], "smtp needs a recipient"),
    (["--smtp", "smtps://me:secret@h", "--recipient", "a@b"], "smtp-password-file"),
    (["--smtp", "smtps://me@h/INBOX", "--recipient", "a@b"], "expected: smtps://USER@HOST"),
    (["--smtp", "h:25", "--recipient", "a@b"], "expected: smtps://USER@HOST")])  # fmt: skip
def test_what_cannot_be_meant_is_refused(world, options, words):
    done = subprocess.run([COMMAND, "sync", "pop3s://u@h/", *options], env=world.environment(), capture_output=True, text=True,
                          timeout=DEADLINE)  # fmt: skip
    assert done.returncode in (64, 78) and words in done.stderr and "secret@" not in done.stderr, done.stderr
