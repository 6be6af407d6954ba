"""`pop3 sync` with an LMTP server: every message arrives at least once, whatever is refused, cut or killed, and one
that comes again carries the same name."""

import os
import random
import re
import signal
import subprocess
import sys
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lmtpd import Cut, TlsLmtpd, running
from sent import Peaks, bodies, crlf, expected, kill_at, refused, refused_configuration
from world import COMMAND, CRASH_COMMAND, DEADLINE, ROOT, World, message

sys.path.insert(0, str(ROOT / "tests/interop"))
import dovecot as interop  # noqa: E402
from ports import held_port  # noqa: E402

SEED = int(os.environ.get("CRASH_SEED", 20261128))
RANDOM = int(os.environ.get("CRASH_LMTP", 40))


def start(world, port, where, *options, point=None, command=COMMAND):
    env = world.environment()
    if point is not None:
        env["POP3_TEST_CRASH_AT"] = point
    return subprocess.Popen(
        [command, "sync", f"pop3://user@127.0.0.1:{port}", "--lmtp", where, "--recipient", "me@example.org", "--state",
         str(world.state), "--password-file", str(world.password_file), "--allow-plaintext", *options],
        env=env, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip


def sync(world, port, where, *options, status=0, **more):
    process = start(world, port, where, *options, **more)
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == status, errors
    return errors


def at_least_once(lmtpd, wanted):
    """All came; those that came more than once, under the same name."""
    assert set(bodies(lmtpd)) == set(wanted)
    names = {}
    for mail in lmtpd.mails:
        assert names.setdefault(mail.body, mail.delivery) == mail.delivery, "repeated under another name"


def test_messages_go_over_one_connection_pipelined_and_are_deleted(world):
    world.fill(100, lines=5)
    with world.server("--delete") as server, running(world.path / "lmtp") as lmtpd:
        sync(world, server.port, lmtpd.where, "--delete")
        assert bodies(lmtpd) == expected(100)
        assert len({mail.delivery for mail in lmtpd.mails}) == 100
        assert lmtpd.connections == 1
        assert {mail.recipient for mail in lmtpd.mails} == {"me@example.org"}
        both = [read for read in lmtpd.reads if b"\r\n.\r\nMAIL FROM:" in read and read.endswith(b"DATA\r\n")]
        assert len(both) > 80, "a message and the next one's commands do not go out together"
        server.settle()
    assert world.on_server() == []
    assert refused(world) == []


def test_one_that_does_not_pipeline_gets_one_command_at_a_time(world):
    world.fill(5, lines=5)
    with world.server() as server, running(world.path / "lmtp", capabilities=("8BITMIME",)) as lmtpd:
        sync(world, server.port, lmtpd.where)
        assert bodies(lmtpd) == expected(5)
        assert not any(read.count(b"\r\n") > 1 and b"DATA\r\n" in read for read in lmtpd.reads)


@pytest.mark.parametrize("options, sender", [
    ([], "author@example.org"), (["--sender", "keep"], "author@example.org"), (["--sender", "empty"], ""),
    (["--sender", "pop3@example.org"], "pop3@example.org")])  # fmt: skip
def test_the_envelope_sender_is_kept_empty_or_fixed(world, options, sender):
    world.put("1", "Return-Path: <author@example.org>\nFrom: other@example.org\n\ntext\n")
    with world.server() as server, running(world.path / "lmtp") as lmtpd:
        sync(world, server.port, lmtpd.where, *options)
        assert [mail.sender for mail in lmtpd.mails] == [sender]


def test_what_a_message_needs_is_told_beforehand(world):
    world.put("1", "Subject: plain\n\ntext\n")
    world.put("2", "Subject: plain\n\ntéxt\n")
    world.put("3", "Subject: héader\n\ntext\n")
    with world.server() as server, running(world.path / "lmtp") as lmtpd:
        sync(world, server.port, lmtpd.where)
        told = [line.split("> ", 1)[1].split() for line in lmtpd.lines if line.startswith("MAIL")]
        assert [words[1:] for words in told] == [[], ["BODY=8BITMIME"], ["BODY=8BITMIME", "SMTPUTF8"]]
        assert [int(words[0].removeprefix("SIZE=")) for words in told] == [len(mail.text) for mail in lmtpd.mails]


def test_a_mail_cannot_end_itself(world):
    """RFC 5321 §2.3.8: neither LF nor CR goes alone, and a dot at a line's beginning is doubled, whatever a server takes
    for a line end."""
    world.put("1", b"Subject: s\n\n.\n..\n.\r.\n\r.\r\nMAIL FROM:<a@b>\n\rx\n\n.\nend without a line end")
    with world.server() as server, running(world.path / "lmtp") as lmtpd:
        sync(world, server.port, lmtpd.where)
        assert len(lmtpd.mails) == 1
        lines = lmtpd.mails[0].body.split(b"\r\n")
        assert lines[2:4] == [b".", b".."] and b"MAIL FROM:<a@b>" in lines
        assert lmtpd.mails[0].body.endswith(b"end without a line end\r\n")


STEPS = ["mail", "rcpt", "data", "message"]


# Dovecot says that a mailbox is full as it is here, for good by the code alone, unless quota_full_tempfail is set.
FULL = "552 5.2.2 <me@example.org> Quota exceeded (mailbox for user is full)"


@pytest.mark.parametrize("step, reply", [("mail", "452 4.2.2 full"), ("rcpt", FULL), ("data", "452 4.2.2 full"), ("message", FULL)])
def test_what_is_refused_for_now_stays_and_the_others_arrive(world, step, reply):
    world.fill(10, lines=5)
    with world.server("--delete") as server:
        with running(world.path / "lmtp", lambda at, n, _: reply if (at, n) == (step, 3) else None) as lmtpd:
            errors = sync(world, server.port, lmtpd.where, "--delete", status=75)
            assert "message 4: delivering by LMTP: the server refuses" in errors
            assert f"{reply}; delete mail there, or have the quota raised\n" in errors
            assert bodies(lmtpd) == expected(3) + expected(6, 4)
            server.settle()
        assert len(world.on_server()) == 1
        with running(world.path / "lmtp") as lmtpd:
            sync(world, server.port, lmtpd.where, "--delete")
            assert bodies(lmtpd) == expected(1, 3)
        assert refused(world) == []


def test_what_is_accepted_is_accepted_whatever_the_words(world):
    world.fill(2, lines=5)
    with world.server("--delete") as server:
        with running(world.path / "lmtp", lambda at, n, _: "250 5.2.2 ok" if at == "rcpt" else None) as lmtpd:
            sync(world, server.port, lmtpd.where, "--delete")
            assert bodies(lmtpd) == expected(2)


@pytest.mark.parametrize("to", ["usual", "fallback"])
@pytest.mark.parametrize("step", STEPS)
def test_what_is_refused_for_good_is_kept_with_a_note_and_the_others_arrive(world, step, to):
    world.fill(10, lines=5)
    options = ["--fallback", f"maildir:{world.path}/other"] if to == "fallback" else []
    with world.server("--delete") as server:
        answer = lambda at, n, _: "550 5.7.1 no\x1b such mail" if (at, n) == (step, 3) else None  # noqa: E731
        with running(world.path / "lmtp", answer) as lmtpd:
            errors = sync(world, server.port, lmtpd.where, "--delete", *options)
            assert bodies(lmtpd) == expected(3) + expected(6, 4)
            assert lmtpd.connections == 1
            server.settle()
        assert world.on_server() == []
        assert "message 4: delivering by LMTP: the server refuses" in errors and "it is kept in" in errors
        kept = [file.read_bytes() for file in (world.path / "other/new").iterdir()] if options else refused(world)
        assert len(kept) == 1
        note, name, rest = kept[0].split(b"\n", 2)
        assert note.startswith(b"X-POP3-Refused: the server refuses") and note.endswith(b"550 5.7.1 no  such mail")
        assert name.startswith(b"X-POP3-Delivery: ")
        assert crlf(rest.decode()) == expected(1, 3)[0]
        sync(world, server.port, lmtpd.where, "--delete", *options)


def test_a_wrong_recipient_deletes_nothing_and_keeps_nothing_aside(world):
    """It is the same with every message, so that none of them is to blame."""
    world.fill(50, lines=5)
    with world.server("--delete") as server:
        with running(world.path / "lmtp", lambda at, *_: "550 5.1.1 no such user" if at == "rcpt" else None) as lmtpd:
            errors = sync(world, server.port, lmtpd.where, "--delete", status=78)
            assert "delivering by LMTP: the server refuses the recipient me@example.org: 550 5.1.1 no such user; " in errors
            assert "the remaining mail stays on the server: check that this recipient has a mailbox there, or correct recipient" in errors
            assert lmtpd.begun == 2 and lmtpd.mails == [] and refused(world) == []
            server.settle()
        assert len(world.on_server()) == 50
        with running(world.path / "lmtp") as lmtpd:
            sync(world, server.port, lmtpd.where, "--delete")
            assert bodies(lmtpd) == expected(50)
            server.settle()
    assert world.on_server() == []


@pytest.mark.parametrize("sender", ["empty", "list@example.org"])
def test_a_wrong_sender_that_is_set_keeps_nothing_aside_either(world, sender):
    world.fill(5, lines=5)
    with world.server() as server:
        with running(world.path / "lmtp", lambda at, *_: "553 5.7.1 not yours" if at == "mail" else None) as lmtpd:
            errors = sync(world, server.port, lmtpd.where, "--sender", sender, status=78)
            assert "check that this user may send from that address, or correct sender" in errors
            assert lmtpd.begun == 2 and refused(world) == []


def test_a_recipient_beyond_ascii_that_a_server_cannot_take_keeps_nothing_aside(world):
    world.fill(5, lines=5)
    with world.server() as server, running(world.path / "lmtp", capabilities=("PIPELINING",)) as lmtpd:
        errors = sync(world, server.port, lmtpd.where, "--recipient", "jürgen@example.org", status=78)
        assert "it has no SMTPUTF8" in errors and lmtpd.begun == 0 and refused(world) == []


@pytest.mark.parametrize("step", ["mail", "rcpt"])
def test_where_it_cannot_be_asked_without_a_message_what_is_refused_stays(world, step):
    """A server that takes no empty sender, or hangs up."""
    def answer(at, number, _):
        if at == step and number == 3:
            return "550 5.1.0 no"
        if at == "mail" and lmtpd.lines[-1].startswith("MAIL FROM:<>"):
            if step == "rcpt":
                raise Cut
            return "550 5.7.1 no empty sender"
        return None

    world.fill(10, lines=5)
    with world.server("--delete") as server, running(world.path / "lmtp", answer) as lmtpd:
        errors = sync(world, server.port, lmtpd.where, "--delete", status=75)
        assert "message 4: delivering by LMTP: " in errors
        assert ("set sender to an address that the server accepts from you" in errors) == (step == "mail")
        assert bodies(lmtpd) == expected(3) + expected(6, 4) and refused(world) == []
        server.settle()
    assert len(world.on_server()) == 1


@pytest.mark.parametrize("step", ["greeting", "lhlo"])
@pytest.mark.parametrize("reply", ["421 4.3.2 not now", "550 5.3.2 never"])
def test_a_server_that_takes_nobody_loses_nothing(world, step, reply):
    world.fill(3, lines=5)
    with world.server("--delete") as server:
        with running(world.path / "lmtp", lambda at, n, _: reply if at == step else None) as lmtpd:
            errors = sync(world, server.port, lmtpd.where, "--delete", status=75)
            assert reply in errors
            server.settle()
        assert len(world.on_server()) == 3 and refused(world) == []


def test_a_server_that_is_not_there_is_named(world):
    world.fill(2, lines=5)
    with world.server("--delete") as server:
        errors = sync(world, server.port, f"unix:{world.path}/none", "--delete", status=75)
        assert "connecting to the LMTP server at" in errors and "check that it is running" in errors
        server.settle()
    assert len(world.on_server()) == 2


@pytest.mark.parametrize("reply", ["452 4.2.2", FULL])
def test_a_full_server_is_not_offered_everything(world, reply):
    world.fill(200, lines=5)
    with world.server() as server, running(world.path / "lmtp", lambda at, n, _: reply if at == "rcpt" else None) as lmtpd:
        sync(world, server.port, lmtpd.where, status=75)
        assert lmtpd.begun < 30


def test_a_message_that_was_announced_when_the_run_gave_up_is_not_mixed_with_another(world):
    world.fill(400, lines=5)

    def answer(step, number, text):
        if step != "message" or number >= 10:
            return None
        with server.changed:  # until the next batch waits
            assert server.changed.wait_for(lambda: any("C: RETR 400" in line for line in server.lines), DEADLINE)
        return "452 4.2.2 full"

    with world.server("--delete") as server, running(world.path / "lmtp", answer) as lmtpd:
        sync(world, server.port, lmtpd.where, "--delete", status=75)
        server.settle()
        assert set(bodies(lmtpd)) <= set(expected(400))
        sync(world, server.port, lmtpd.where, "--delete")
        server.settle()
        at_least_once(lmtpd, expected(400))
    assert world.on_server() == []


def test_the_run_says_how_many_were_refused(world):
    world.fill(10, lines=5)
    with world.server() as server:
        answer = lambda at, n, _: "550 5.7.1 no" if (at, n) == ("message", 3) else None  # noqa: E731
        with running(world.path / "lmtp", answer) as lmtpd:
            process = start(world, server.port, lmtpd.where)
            output, _ = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0
    assert re.search(r": 10 new messages \(.* KB\) retrieved, 1 refused and kept; 10 on the server\n", output)


def test_one_in_ten_refused_keeps_nothing_back(world):
    world.fill(100, lines=5)
    with world.server("--delete") as server:
        with running(world.path / "lmtp", lambda at, n, _: "550 5.6.0" if at == "message" and n % 10 == 0 else None) as lmtpd:
            sync(world, server.port, lmtpd.where, "--delete")
            assert len(lmtpd.mails) == 90 and len(refused(world)) == 10
            server.settle()
        assert world.on_server() == []


def test_a_connection_that_ended_meanwhile_is_made_again(world):
    def answer(step, number, _):
        if step == "mail" and number in (3, 8):
            return "421 4.4.2 idle"
        if step == "rset":
            raise Cut
        return "550 5.1.1" if step == "rcpt" and number == 5 else None

    world.fill(10, lines=5)
    with world.server() as server, running(world.path / "lmtp", answer) as lmtpd:
        sync(world, server.port, lmtpd.where)
        assert len(lmtpd.mails) == 9 and lmtpd.connections == 5 and len(refused(world)) == 1


def test_a_message_larger_than_the_server_takes_is_not_sent(world):
    world.fill(2, lines=5)
    world.put("9", "Subject: large\n\n" + "x" * 900 + "\n")
    with world.server() as server, running(world.path / "lmtp", capabilities=("PIPELINING", "SIZE 800")) as lmtpd:
        errors = sync(world, server.port, lmtpd.where)
        assert len(lmtpd.mails) == 2 and len(refused(world)) == 1
        assert "the server accepts 800 at most" in errors


def test_a_reply_that_got_lost_is_told_and_the_message_comes_again_under_its_name(world):
    def lost(step, number, text):
        if step == "message" and number == 1:
            lmtpd.mails.append(lmtpd.mails[0]._replace(text=text))
            raise Cut
        return None

    world.fill(3, lines=5)
    with world.server("--delete") as server, running(world.path / "lmtp", lost) as lmtpd:
        errors = sync(world, server.port, lmtpd.where, "--delete", status=75)
        assert "it was sent and may have arrived" in errors
        sync(world, server.port, lmtpd.where, "--delete")
        at_least_once(lmtpd, expected(3))
        assert len(lmtpd.mails) == 4
        server.settle()
    assert world.on_server() == []


OUT_OF_STEP = {
    "data": "354 go on\r\n250 2.0.0 saved before it came",
    "message": "354 more",
    "mail": "354 go on",
    "rcpt": "354 go on",
}


@pytest.mark.parametrize("step", OUT_OF_STEP)
def test_a_reply_out_of_step_takes_no_message(world, step):
    """Whoever says that it has what it has not seen the end of, or asks for more, has not taken it."""

    def answer(at, number, text):
        return OUT_OF_STEP[at] if at == step else "452 4.2.2 full" if at == "message" else None

    world.fill(1, lines=5)
    with world.server("--delete") as server:
        with running(world.path / "lmtp", answer) as lmtpd:
            errors = sync(world, server.port, lmtpd.where, "--delete", status=75)
            assert "does not answer as LMTP requires" in errors and lmtpd.mails == []
        server.settle()
        assert len(world.on_server()) == 1 and refused(world) == []
        with running(world.path / "lmtp") as lmtpd:
            sync(world, server.port, lmtpd.where, "--delete")
            assert bodies(lmtpd) == expected(1)


def test_a_server_that_bids_farewell_instead_of_answering_has_not_taken_the_message(world):
    world.fill(3, lines=5)

    def answer(at, number, text):
        return "221 2.0.0 closing" if (at, number) == ("message", 1) else None

    with world.server("--delete") as server, running(world.path / "lmtp", answer) as lmtpd:
        errors = sync(world, server.port, lmtpd.where, "--delete", status=75)
        assert "message 2: delivering by LMTP: it was sent and may have arrived; it is sent again" in errors
        server.settle()
        assert len(world.on_server()) == 1
        sync(world, server.port, lmtpd.where, "--delete")
        at_least_once(lmtpd, expected(3))


def cut_at(path, port, way, octets):
    """One conversation that is cut there, and a second run."""
    world = World(path / f"{way}{octets}")
    wanted = [crlf(message(0, 1))]
    with running(world.path / "lmtp", **{f"octets_{way}": octets}) as lmtpd:
        process = start(world, port, lmtpd.where, "--no-sandbox")
        process.communicate(timeout=DEADLINE)
        assert process.returncode in (0, 75), octets
        assert process.returncode == 75 or bodies(lmtpd) == wanted, octets
        sync(world, port, lmtpd.where, "--no-sandbox")
        at_least_once(lmtpd, wanted)
        assert len(lmtpd.mails) <= 2
    assert refused(world) == []


@pytest.mark.parametrize("way", ["in", "out"])
def test_a_connection_cut_at_any_octet_loses_nothing(world, way, record_property):
    """The octets of the whole conversation about one message, to the server and from it (each RESET_STEP-th)."""
    world.fill(1, lines=1)
    with world.server() as server:
        with running(world.path / "lmtp") as lmtpd:
            sync(world, server.port, lmtpd.where)
            whole = lmtpd.moved[way]
        assert whole > 150
        points = range(0, whole, int(os.environ.get("RESET_STEP", 1)))
        for octets in points:
            (world.path / f"{way}{octets}").mkdir()
        with ThreadPoolExecutor(6) as pool:
            for _ in pool.map(lambda octets: cut_at(world.path, server.port, way, octets), points):
                pass
    record_property("interrupted", ("LMTP", "cut", len(points)))


POINTS = ["intents-recorded", "lmtp-connected", "lmtp-announced:1", "lmtp-announced:50", "lmtp-content:50", "lmtp-sent:1",
          "lmtp-sent:50", "lmtp-answered:1", "lmtp-answered:100", "refused-kept:1", "tmp-written:2", "rename:3", "renamed:4",
          "folder-synced:5", "refused-kept:9", "delivered-recorded", "dele-answered:50", "leaving-recorded", "before-quit",
          "quit-answered", "gone-recorded"]  # fmt: skip


def hash_of(text):
    """One in ten, the same in every run."""
    return zlib.crc32(text.split(b"\r\n", 1)[1]) % 10 == 0


def check_all(world, server, lmtpd, count):
    sync(world, server.port, lmtpd.where, "--delete", command=CRASH_COMMAND)
    server.settle()
    assert world.on_server() == []
    kept = Counter(crlf(text.split(b"\n", 2)[2].decode()) for text in refused(world))
    assert max(kept.values(), default=0) <= 1, "refused messages are kept once"
    assert set(bodies(lmtpd)) | set(kept) == set(expected(count)), "a message is nowhere"
    at_least_once(lmtpd, set(bodies(lmtpd)))


@pytest.mark.interrupted("LMTP", "killed at marked points")
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_marked_point(fast_world, point):
    world = fast_world
    world.fill(100, lines=5)
    answer = lambda step, n, text: "550 5.6.0" if step == "message" and hash_of(text) else None  # noqa: E731
    with world.server("--delete") as server, running(world.path / "lmtp", answer) as lmtpd:
        process = start(world, server.port, lmtpd.where, "--delete", point=point, command=CRASH_COMMAND)
        process.communicate(timeout=DEADLINE)
        assert process.returncode == -signal.SIGKILL, "the point was not reached"
        server.settle()
        check_all(world, server, lmtpd, 100)


def test_killed_at_random_moments(fast_world, capsys, record_property):
    world = fast_world
    dice = random.Random(SEED)
    kills = repeated = 0
    answer = lambda step, n, text: "550 5.6.0" if step == "message" and hash_of(text) else None  # noqa: E731
    with world.server("--delete") as server, running(world.path / "lmtp", answer) as lmtpd:
        for _ in range(RANDOM):
            world.fill(100, lines=5)
            process = start(world, server.port, lmtpd.where, "--delete", command=CRASH_COMMAND)
            seen = dice.randrange(0, 100)
            kills += kill_at(process, lambda: len(lmtpd.mails), seen)
            server.settle()
            check_all(world, server, lmtpd, 100)
            repeated += len(lmtpd.mails) - len(set(bodies(lmtpd)))
            lmtpd.mails.clear()
            for file in [*world.path.glob("state.db*"), *world.path.glob("state.db.refused/*/new/*")]:
                if file.is_file():
                    file.unlink()
    record_property("interrupted", ("LMTP", "killed at random moments", kills))
    with capsys.disabled():
        print(f"# 100 messages, {kills} kills at random moments: none lost, {repeated} came again under their names", flush=True)


def test_memory_does_not_grow_with_the_message(world):
    """The most that the process had in memory, when the server has read the message."""

    def peak(octets):
        peaks = Peaks()

        def answer(step, number, text):
            if step == "message":
                peaks.take()
            return None

        world.put("1", b"Subject: s\n\n" + (b"x" * 76 + b"\n") * (octets // 77))
        for file in world.path.glob("state.db*"):
            if file.is_file():
                file.unlink()
        with world.server() as server, running(world.path / "lmtp", answer) as lmtpd:
            process = peaks.of(start(world, server.port, lmtpd.where))
            _, errors = process.communicate(timeout=DEADLINE)
            assert process.returncode == 0 and len(lmtpd.mails) == 1, errors
        return peaks.seen[0]

    small, large = peak(500_000), peak(20_000_000)
    assert large < small + 4000, (small, large)


@pytest.mark.parametrize("options", [[], ["--no-sandbox"]])
def test_a_directory_for_temporary_files_that_is_missing_is_named(world, options):
    world.fill(2, lines=5)
    missing = world.path / "missing"
    with world.server("--delete") as server, running(world.path / "lmtp") as lmtpd:
        done = subprocess.run(
            [COMMAND, "sync", f"pop3://user@127.0.0.1:{server.port}", "--lmtp", lmtpd.where, "--recipient", "you@example.org", "--state",
             str(world.state), "--password-file", str(world.password_file), "--allow-plaintext", "--delete", *options],
            env=world.environment(TMPDIR=str(missing)), capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
        assert done.returncode == 73 and lmtpd.mails == []
        assert f"keeping messages for the server in {missing}: No such file or directory; set TMPDIR to a directory" in done.stderr
        server.settle()
    assert len(world.on_server()) == 2


# ---- TLS ----


def secure(certs, way):
    return ["--lmtp-tls", way, "--lmtp-ca-file", str(certs / "ca.pem")]


def tls_server(certs, way, *arguments, **options):
    return running(certs, *arguments, kind=TlsLmtpd, tls=way == "tls", starttls=way == "starttls", **options)


@pytest.mark.parametrize("way", ["tls", "starttls"])
def test_with_tls_messages_go_over_one_connection_pipelined(world, certs, way):
    world.fill(50, lines=5)
    with world.server("--delete") as server, tls_server(certs, way) as lmtpd:
        sync(world, server.port, lmtpd.where, "--delete", *secure(certs, way))
        server.settle()
        assert bodies(lmtpd) == expected(50) and lmtpd.connections == 1 and len(lmtpd.reads) < 250
        assert [line.split(" ")[0] for line in lmtpd.lines[:3]] == {"tls": ["LHLO", "MAIL", "RCPT"], "starttls": ["LHLO", "STARTTLS", "LHLO"]}[way]
    assert world.on_server() == []


def test_servers_that_are_named_by_their_addresses_are_reached_from_inside_of_the_sandbox(world, certs):
    """No name is looked up, no command run and no socket opened outside of it; but the messages are kept there."""
    world.fill(3, lines=5)
    (world.path / "alone").mkdir()
    with world.server() as server, tls_server(certs, "none") as lmtpd:
        sync(world, server.port, f"127.0.0.1:{lmtpd.port}", "--state", str(world.path / "alone/state.db"))
        assert bodies(lmtpd) == expected(3)


@pytest.mark.parametrize("way", ["tls", "starttls"])
@pytest.mark.parametrize("certificate", ["expired", "selfsigned", "wronghost"])
def test_certificates_are_verified(world, certs, way, certificate):
    world.fill(2, lines=5)
    with world.server("--delete") as server, tls_server(certs, way, certificate=certificate) as lmtpd:
        errors = sync(world, server.port, lmtpd.where, "--delete", *secure(certs, way), status=69)
        assert "connecting to the LMTP server localhost" in errors
        assert {"wronghost": "name the server as its certificate does", "expired": "has expired; check this machine's clock",
                "selfsigned": "name its authority with lmtp-ca-file"}[certificate] in errors  # fmt: skip
        server.settle()
        assert len(world.on_server()) == 2 and lmtpd.mails == [] and not any(line.startswith("MAIL") for line in lmtpd.lines)


def test_tls_at_a_port_for_starttls_is_told(world, certs):
    world.fill(2, lines=5)
    with world.server() as server, tls_server(certs, "starttls") as lmtpd:
        errors = sync(world, server.port, lmtpd.where, *secure(certs, "tls"), status=75)
        assert "if its port is one for STARTTLS, use lmtp-tls = starttls" in errors


def test_starttls_is_demanded(world, certs):
    world.fill(2, lines=5)
    with world.server() as server, tls_server(certs, "none") as lmtpd:
        assert "it offers no STARTTLS" in sync(world, server.port, lmtpd.where, *secure(certs, "starttls"), status=69)
        assert [line.split(" ")[0] for line in lmtpd.lines] == ["LHLO"]


@pytest.mark.parametrize("said, words, status", [
    ("454 4.7.0 not now", "it refuses: 454 4.7.0 not now", 75), ("250 what", "it refuses: 250 what", 75),
    ("220 go on\r\n250-injected\r\n250 SIZE 1", "does not answer as LMTP requires", 76)])  # fmt: skip
def test_what_is_said_before_tls_begins_is_no_answer_under_it(world, certs, said, words, status):
    world.fill(2, lines=5)
    with world.server() as server, tls_server(certs, "starttls", lambda step, n, _: said if step == "starttls" else None) as lmtpd:
        errors = sync(world, server.port, lmtpd.where, *secure(certs, "starttls"), status=status)
        assert words in errors and lmtpd.mails == [] and [line.split(" ")[0] for line in lmtpd.lines] == ["LHLO", "STARTTLS"]


def test_what_was_announced_before_tls_is_forgotten(world, certs):
    """Somebody in between could have said that nothing is taken."""
    told = []

    def answer(step, n, _):
        told.append(step)
        return "250-test\r\n250-STARTTLS\r\n250 SIZE 10" if step == "lhlo" and told.count("lhlo") == 1 else None

    world.fill(2, lines=5)
    with world.server() as server, tls_server(certs, "starttls", answer) as lmtpd:
        sync(world, server.port, lmtpd.where, *secure(certs, "starttls"))
        assert bodies(lmtpd) == expected(2) and refused(world) == []


@pytest.mark.parametrize("way", ["in", "out"])
def test_over_tls_a_connection_that_is_cut_loses_nothing(tmp_path, certs, way):
    def deliver(at):
        home = tmp_path / str(at)
        home.mkdir()
        world = World(home)
        world.fill(1, lines=2)
        with world.server("--delete") as server, tls_server(certs, "starttls", **{f"octets_{way}": at}) as lmtpd:
            process = start(world, server.port, lmtpd.where, "--delete", *secure(certs, "starttls"))
            process.communicate(timeout=DEADLINE)
            sync(world, server.port, lmtpd.where, "--delete", *secure(certs, "starttls"))
            at_least_once(lmtpd, [crlf(message(0, 2))])
            server.settle()
            assert world.on_server() == []
            return lmtpd.moved[way]

    for at in range(1, deliver(-1), 53):
        deliver(at)


# ---- mistakes in the configuration ----


@pytest.mark.parametrize("options, said", [
    (["--lmtp", "example.org"], "expected: unix:/PATH, or HOST:PORT"),
    (["--lmtp", "unix:relative"], "expected: unix:/PATH, or HOST:PORT"),
    (["--lmtp", "::1:24"], "expected: unix:/PATH, or HOST:PORT"),
    (["--lmtp", "h:24"], "lmtp needs a recipient"),
    (["--lmtp", "h:24", "--recipient", "a b"], "expected: a mail address"),
    (["--lmtp", "h:24", "--recipient", "a>\nRSET"], "expected: a mail address"),
    (["--lmtp", "h:24", "--sender", "<>"], "expected: a mail address"),
    (["--lmtp", "h:24", "--fallback", "mbox:x"], "expected: maildir:DIR"),
    (["--lmtp", "unix:/l", "--recipient", "a@b", "--lmtp-tls", "starttls"], "lmtp-tls needs lmtp = HOST:PORT"),
    (["--maildir", "M", "--lmtp-tls", "tls"], "lmtp-tls needs lmtp = HOST:PORT"),
    (["--lmtp", "h:24", "--maildir", "M"], "more than one target")])  # fmt: skip
def test_mistakes_are_told(world, options, said):
    errors = refused_configuration(world, *options)
    assert said in errors, errors


# ---- Dovecot ----

@pytest.fixture(scope="module")
def dovecot():
    if interop.why_unavailable() is not None:
        pytest.skip("Dovecot cannot be run here")
    with interop.Dovecot(maildirs={"user": None, "me@example.org": None}, protocols=["lmtp"]) as server:
        yield server


def test_dovecot_gets_every_message_as_it_is(world, dovecot):
    world.fill(50, lines=5)
    world.put("a", "Subject: dots\n\n.\n..\n.text\n")
    world.put("b", "Subject: hé\n\n8 bits: é\n")
    socket = dovecot.lmtp_socket
    with world.server("--delete") as server:
        sync(world, server.port, f"unix:{socket}", "--delete")
        server.settle()
    assert world.on_server() == []
    there = [crlf(file.read_text()) for file in (dovecot.maildir("me@example.org") / "new").iterdir()]
    assert len(there) == 52
    wanted = [*expected(50), crlf("Subject: dots\n\n.\n..\n.text\n"), crlf("Subject: hé\n\n8 bits: é\n")]
    assert sorted(text.split(b"X-POP3-Delivery: ", 1)[1].split(b"\r\n", 1)[1] for text in there) == sorted(wanted)


def test_mail_for_a_recipient_that_dovecot_does_not_know_waits_for_the_right_one(world, dovecot):
    world.fill(3, lines=5)
    there = set((dovecot.maildir("me@example.org") / "new").iterdir())
    with world.server("--delete") as server:
        where = f"unix:{dovecot.lmtp_socket}"
        errors = sync(world, server.port, where, "--delete", "--recipient", "nobody@example.org", status=78)
        assert "550 5.1.1" in errors and refused(world) == []
        server.settle()
        assert len(world.on_server()) == 3
        sync(world, server.port, where, "--delete")
        server.settle()
    assert world.on_server() == []
    assert len(set((dovecot.maildir("me@example.org") / "new").iterdir()) - there) == 3


LISTENERS = """\
service lmtp {{
  inet_listener lmtp {{
    {address} = 127.0.0.1
    port = {plain}
  }}
  inet_listener lmtps {{
    {address} = 127.0.0.1
    port = {tls}
    ssl = yes
  }}
}}
"""


def test_dovecot_is_spoken_to_over_tls(world, port):
    if interop.why_unavailable() is not None:
        pytest.skip("Dovecot cannot be run here")
    address = "address" if interop.server_syntax() is interop.dovecot_config.SYNTAX_2_3 else "listen"
    with held_port() as tls_port, interop.Dovecot(
        maildirs={"user": None, "me@example.org": None}, protocols=["lmtp"],
        extra_config=LISTENERS.format(plain=port, tls=tls_port, address=address)) as server:  # fmt: skip
        for i, (at, way) in enumerate([(port, "starttls"), (tls_port, "tls")]):
            world.fill(10, first=10 * i, lines=5)
            with world.server("--delete") as pop3:
                options = ("--delete", "--lmtp-tls", way, "--lmtp-ca-file", str(server.ca_file), "--continue")
                sync(world, pop3.port, f"localhost:{at}", *options)
                pop3.settle()
            assert world.on_server() == []
        there = [file.read_bytes() for file in (server.maildir("me@example.org") / "new").iterdir()]
    assert len(there) == 20 and all(b"TLS" in text.split(b"X-POP3-Delivery")[0] for text in there)


# What docker-mailserver, Mailu and mailcow write about LMTP into the configuration of their Dovecot, where the ports are
# 24, 2525 and 24; of 2.4, docker-mailserver's alone differs.
LIKE = {
    "docker-mailserver": """
service lmtp {
  inet_listener lmtp {
    port = %d
  }
}
""",
    "mailu": """
recipient_delimiter = +
postmaster_address = admin@example.org
service lmtp {
  inet_listener lmtp {
    port = %d
  }
}
""",
    "mailcow": """
recipient_delimiter = +
service auth {
  unix_listener auth-master {
    mode = 0600
  }
}
service lmtp {
  inet_listener lmtp-inet {
    port = %d
  }
}
protocol lmtp {
  auth_socket_path = {directory}/base/auth-master
}
"""}  # fmt: skip
USERS_2_4 = """
userdb passwd-file {
  auth_username_format = %{user}
}
"""


def is_2_3():
    if interop.why_unavailable() is not None:
        pytest.skip("Dovecot cannot be run here")
    return interop.server_syntax() is interop.dovecot_config.SYNTAX_2_3


def number_of(text):
    return re.search(rb"Subject: number (\d+)", text)[1]


def numbers_in(maildir):
    return sorted(number_of(file.read_bytes()) for file in (maildir / "new").iterdir())


@pytest.mark.parametrize("whose", LIKE)
def test_dovecot_as_containers_of_mail_servers_configure_it(world, port, whose):
    config = LIKE[whose].replace("%d", str(port)) + ("auth_username_format = %Lu\n" if is_2_3() else USERS_2_4)
    recipients = ["me@example.org", *(["me+sales@example.org"] if "+" in config else [])]
    with interop.Dovecot(maildirs={"user": None, "me@example.org": None}, protocols=["lmtp"], extra_config=config) as dovecot:
        for i, recipient in enumerate(recipients):
            world.fill(5, first=5 * i, lines=5)
            with world.server("--delete") as server:
                where = f"localhost:{port}"
                alias = sync(world, server.port, where, "--delete", "--recipient", "alias@example.org", "--continue", status=78)
                assert "the server refuses the recipient alias@example.org: 550 5.1.1" in alias
                sync(world, server.port, where, "--delete", "--recipient", recipient, "--continue")
                server.settle()
            assert world.on_server() == [] and refused(world) == []
        assert len(list((dovecot.maildir("me@example.org") / "new").iterdir())) == 5 * len(recipients)


QUOTA_2_3 = """
mail_plugins = quota
plugin {
  quota = count:User quota
  quota_vsizes = yes
  quota_rule = *:storage=16K
  quota_grace = 0
}
"""
QUOTA_2_4 = """
mail_plugins {
  quota = yes
}
quota user {
  driver = count
  storage_size = 16K
  storage_grace = 0
}
"""


@pytest.mark.parametrize("more, code", [("", "552 5.2.2"), ("lmtp_rcpt_check_quota = yes", "552 5.2.2"), ("quota_full_tempfail = yes", "452 4.2.2")])
def test_a_full_mailbox_of_dovecot_keeps_the_mail_that_it_has_no_room_for(world, more, code):
    config = f"{QUOTA_2_3 if is_2_3() else QUOTA_2_4}\nprotocol lmtp {{\n  {more}\n}}\n"
    world.fill(20, lines=50)
    with interop.Dovecot(maildirs={"user": None, "me@example.org": None}, protocols=["lmtp"], extra_config=config) as dovecot:
        with world.server("--delete") as server:
            for _ in range(2):
                errors = sync(world, server.port, f"unix:{dovecot.lmtp_socket}", "--delete", status=75)
                server.settle()
                there = numbers_in(dovecot.maildir("me@example.org"))
                assert code in errors and 0 < len(there) < 20 and len(set(there)) == len(there), "what it has does not come again"
                on_server = {number_of(text) for text in world.on_server()}
                assert set(there) | on_server == {str(i).encode() for i in range(20)} and refused(world) == []


PROXY_2_3 = """
lmtp_proxy = yes
passdb {
  driver = static
  args = nopassword=y proxy=y host=127.0.0.1 port=%d protocol=lmtp
}
"""
PROXY_2_4 = """
lmtp_proxy = yes
passdb static {
  fields {
    nopassword = yes
    proxy = yes
    host = 127.0.0.1
    port = %d
    protocol = lmtp
  }
}
"""


def test_a_dovecot_that_passes_mail_on_to_another_is_no_different(world, port):
    """As a director or proxy in front of several servers does."""
    ways = ("" if is_2_3() else USERS_2_4) + LIKE["docker-mailserver"].replace("%d", str(port))
    front = (PROXY_2_3 if is_2_3() else PROXY_2_4).replace("%d", str(port))
    world.fill(20, lines=5)
    with interop.Dovecot(maildirs={"user": None, "me@example.org": None}, protocols=["lmtp"], extra_config=ways) as behind:
        with interop.Dovecot(maildirs={"user": None}, protocols=["lmtp"], extra_config=front) as before, world.server("--delete") as server:
            where = f"unix:{before.lmtp_socket}"
            errors = sync(world, server.port, where, "--delete", "--recipient", "nobody@example.org", status=78)
            assert "550 5.1.1" in errors
            sync(world, server.port, where, "--delete", "--continue")
            server.settle()
        assert len(list((behind.maildir("me@example.org") / "new").iterdir())) == 20
    assert world.on_server() == [] and refused(world) == []


SIEVE = """\
protocol lmtp {
  mail_plugins = $mail_plugins sieve
}
plugin {
  sieve = file:{directory}/script.sieve
}
"""


@pytest.mark.parametrize("point", ["lmtp-sent:30", "lmtp-answered:50", "delivered-recorded"])
def test_a_filter_of_dovecot_drops_what_comes_again(world, point):
    """The line of docs/guide/mail-servers.md."""
    if interop.why_unavailable() is not None or interop.server_syntax() is not interop.dovecot_config.SYNTAX_2_3:
        pytest.skip("Dovecot 2.3 cannot be run here")
    if not any(Path("/usr/lib/dovecot").glob("modules/lib90_sieve_plugin.so")):
        pytest.skip("Dovecot has no Sieve here (package dovecot-sieve)")
    guide = (ROOT / "docs/guide/mail-servers.md").read_text()
    script = re.search(r"^    (require \[\"duplicate\"\];\n(?:    .*\n)+)", guide, re.MULTILINE)[1]
    world.fill(100, lines=5)
    with interop.Dovecot(maildirs={"user": None, "me@example.org": None}, protocols=["lmtp"], extra_config=SIEVE) as dovecot:
        file = dovecot.directory / "script.sieve"
        file.write_text(script)
        file.chmod(0o644)  # whatever the umask: the user of the mailbox reads it
        socket = f"unix:{dovecot.lmtp_socket}"
        with world.server("--delete") as server:
            process = start(world, server.port, socket, "--delete", point=point, command=CRASH_COMMAND)
            process.communicate(timeout=DEADLINE)
            assert process.returncode == -signal.SIGKILL, "the point was not reached"
            server.settle()
            sync(world, server.port, socket, "--delete")
            server.settle()
        assert world.on_server() == []
        there = [crlf(file.read_text()) for file in (dovecot.maildir("me@example.org") / "new").iterdir()]
        assert sorted(text.split(b"X-POP3-Delivery: ", 1)[1].split(b"\r\n", 1)[1] for text in there) == expected(100)
        assert refused(world) == []
