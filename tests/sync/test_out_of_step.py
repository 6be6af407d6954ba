"""`pop3 sync` with servers whose replies are not those of its questions: no message passes for another, and
none is deleted on the strength of it."""

import contextlib
import signal
import sqlite3
import subprocess

import pytest

from test_targets import sync_to
from world import CRASH_COMMAND, DEADLINE, message, read_mbox


def play(world, scripts):
    """A server that plays a script for each connection, and serves the mail after the last."""
    files = []
    for i, script in enumerate([*scripts, "serve"]):
        path = world.path / f"script{i}"
        path.write_text(script + "\n")
        files += ["--script", path]
    return world.server(*files, "--delete")


def standings(world):
    with sqlite3.connect(world.state) as db:
        found = dict(db.execute("SELECT standing, count(*) FROM message GROUP BY standing").fetchall())
    db.close()
    return found


TWO_MESSAGES = 'on "RETR %d" { send "+OK\\r\\nSubject: a\\r\\n\\r\\na\\r\\n.\\r\\n+OK\\r\\nb\\r\\n.\\r\\n" }\nserve'
EARLY_END = 'on "RETR %d" { send "+OK\\r\\nSubject: a\\r\\n\\r\\na\\r\\n.\\r\\nthe rest\\r\\n.\\r\\n" }\nserve'
ONE_LINE = 'on "RETR %d" { line "+OK" }\nserve'


@pytest.mark.parametrize("script", [TWO_MESSAGES, EARLY_END, ONE_LINE], ids=["two", "early-end", "one-line"])
@pytest.mark.parametrize("which", [1, 2, 3])
def test_what_came_out_of_step_is_thrown_away_and_comes_again(world, script, which):
    world.fill(3)
    with play(world, [script % which]) as server:
        world.sync(server.port, "--delete", *(["--timeout", "2s"] if script == ONE_LINE else []))  # nothing more comes
    right = sorted(message(i).encode() for i in range(3))
    if script == TWO_MESSAGES and which == 1:  # the last one had the octets it announced: nothing was odd yet
        assert set(right) <= set(world.delivered())
    else:
        assert world.delivered() == right
    assert world.unfinished() == []
    assert world.on_server() == []


@pytest.mark.parametrize("target", ["mbox", "command"])
@pytest.mark.parametrize("script", [TWO_MESSAGES, EARLY_END], ids=["two", "early-end"])
def test_it_is_so_with_other_targets(world, target, script):
    world.fill(3)
    out = world.path / "out"
    out.mkdir()
    how = {"mbox": ["--mbox", out / "mbox"], "command": ["--command", f"cat > $(mktemp {out}/XXXXXX)"]}
    with play(world, [script % 2]) as server:
        sync_to(world, server.port, *how[target], "--delete")
    got = read_mbox(out / "mbox") if target == "mbox" else [f.read_bytes() for f in out.iterdir()]
    right = {message(i).encode() for i in range(3)}
    if target == "mbox" or script == EARLY_END:
        assert set(got) == right and len(got) == 3
    else:  # a command gets each message once a reply came behind it
        assert right < set(got)
    assert world.on_server() == []
    assert target == "command" or [f.name for f in out.iterdir()] == ["mbox"]


def test_delivered_messages_of_a_session_that_fell_out_of_step_are_compared_with_the_server(world):
    """Batches had been delivered when it showed: each message behind the odd one is another."""
    world.fill(400)
    with play(world, [TWO_MESSAGES % 100]) as server:
        world.sync(server.port, "--delete")
        assert server.commands("TOP")
    right = {message(i).encode() for i in range(400)}
    got = world.delivered()
    assert right <= set(got)
    assert world.on_server() == []
    assert len(got) - len(set(got)) <= 300, "what came right is not delivered again"
    assert got.count(message(5).encode()) == 1


def test_mail_that_is_kept_is_compared_in_the_next_run(world):
    world.fill(400)
    with play(world, [TWO_MESSAGES % 100] + ["close"]) as server:
        world.sync(server.port, status=75)
        assert standings(world)[5] > 0
        world.sync(server.port)
        world.sync(server.port)
    assert {message(i).encode() for i in range(400)} <= set(world.delivered())
    assert standings(world) == {2: 400}


def test_what_is_in_doubt_and_could_not_be_looked_at_is_not_forgotten(world):
    refusal = 'on "TOP 5 0" { line "-ERR" }\non "RETR 5" { line "-ERR" }\nserve'
    world.fill(400)
    with play(world, [TWO_MESSAGES % 100, "close", refusal]) as server:
        world.sync(server.port, status=75)
        assert "could not be compared" in world.sync(server.port, status=75)
        world.sync(server.port)
    got = world.delivered()
    assert {message(i).encode() for i in range(400)} <= set(got)
    assert got.count(message(4).encode()) == 1


def test_a_refused_comparison_does_not_remove_the_doubt(world):
    """Alarms with one header and one size: the second got the first one's place when replies were out of step."""
    alarms = [f"From: device\nSubject: ALARM\n\nnumber {i}\n" for i in (1, 2)]
    for i, text in enumerate(alarms, 1):
        world.put(str(i), text)
    with play(world, ["serve", 'on "RETR 2" { line "-ERR" }\nserve']) as server:
        world.sync(server.port)
        with sqlite3.connect(world.state) as db:
            db.execute("UPDATE message SET standing = 5, body = (SELECT body FROM message WHERE id = 1) WHERE id = 2")
        db.close()
        next(f for f in (world.maildir / "new").iterdir() if f.read_text() == alarms[1]).unlink()
        assert "could not be compared" in world.sync(server.port, status=75)
        assert standings(world) == {2: 1, 5: 1}
        world.sync(server.port)
    assert world.delivered() == [alarm.encode() for alarm in alarms]


def test_a_message_that_always_falls_out_of_step_does_not_keep_the_others(world):
    world.fill(5)
    with world.server("--delete", "--script", script_file(world, EARLY_END % 2)) as server:
        told = world.sync(server.port, status=75)
        assert "it is not certain that it is whole" in told
        assert "could not be retrieved or delivered: 1" in told
        assert "could not be retrieved or delivered: 1" in world.sync(server.port, status=75)
        world.sync(server.port, "--delete", status=75)
    assert world.delivered() == sorted(message(i).encode() for i in (0, 2, 3, 4))
    assert world.on_server() == [message(1).encode()]


def script_file(world, text):
    path = world.path / "script"
    path.write_text(text + "\n")
    return path


def test_a_message_that_looks_like_a_reply_is_delivered(world):
    world.put("1", "+OK 5 octets\n\nhello\n")
    world.fill(2, first=1)
    with world.server("--delete") as server:
        world.sync(server.port, "--delete")
    assert len(world.delivered()) == 3
    assert world.on_server() == []


def test_a_server_that_announces_sizes_is_not_asked_for_proof(world):
    world.fill(3)
    with world.server() as server:
        world.sync(server.port)
        assert server.commands("NOOP") == []


def test_a_server_that_does_not_is_asked_once(world):
    world.fill(3)
    silent = "".join(f'on "RETR {n}" {{ line "+OK" ; body drop/{n - 1:06} crlf }}\n' for n in (1, 2, 3))
    with world.server("--script", script_file(world, silent + "serve")) as server:
        world.sync(server.port)
        server.wait_for("C: QUIT")
        assert server.count("C: NOOP") == 1
    assert world.delivered() == sorted(message(i).encode() for i in range(3))


def test_a_lost_connection_keeps_what_came_whole(world):
    for i in range(3):  # each with a size of its own, which says that it is the one that was asked for
        world.put(f"{i:06}", message(i, 20 + i))
    cut = 'on "RETR 3" { line "+OK 9000 octets" ; line "Subject: cut" ; close }\nserve'
    with play(world, [cut]) as server:
        world.sync(server.port, "--delete")
        server.wait_for("C: QUIT")
        assert server.count("C: RETR 1") == 1
        assert server.count("C: TOP") == 0
    assert world.delivered() == sorted(message(i, 20 + i).encode() for i in range(3))
    assert world.on_server() == []


@pytest.mark.parametrize("removal", [["--delete"], []], ids=["delete", "keep"])
def test_a_signal_does_not_make_right_what_came_out_of_step(world, removal):
    """One message got no body, and each behind it is another; the last never comes."""
    world.fill(4)
    with play(world, [ONE_LINE % 2]) as server:
        process = subprocess.Popen(world.sync_command(server.port, "--quiet", *removal),
                                   env=world.environment(), stderr=subprocess.DEVNULL)  # fmt: skip
        server.wait_for("S: <body", 3)
        server.wait_for("C: RETR 4")
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 75
        world.sync(server.port, *removal)
    assert world.delivered() == sorted(message(i).encode() for i in range(4))
    assert len(world.on_server()) == (0 if removal else 4)


@pytest.mark.parametrize("removal", [["--delete"], []], ids=["delete", "keep"])
@pytest.mark.parametrize("more", [1, 0], ids=["sizes-differ", "sizes-equal"])
@pytest.mark.parametrize("end", ["lost", "killed"])
def test_a_reply_too_many_is_found_in_the_next_session_where_this_one_ends_early(world, end, more, removal):
    """The first message is answered twice, and the others are each the one before: more than a batch."""
    mails = [message(10 + n, 20 + more * n) for n in range(70)]
    for n, mail in enumerate(mails):
        world.put(f"{n:06}", mail)
    bodies = [f'line "+OK" ; body drop/{n:06} crlf' for n in range(69)]
    script = f'on "RETR 1" {{ {bodies[0]} ; {bodies[0]} }}\n'
    script += "".join(f'on "RETR {n + 1}" {{ {body} }}\n' for n, body in enumerate(bodies) if n > 0)
    with play(world, [script + ('on "RETR 70" { close }\n' if end == "lost" else "") + "serve"]) as server:
        if end == "killed":
            subprocess.run(world.sync_command(server.port, *removal, command=CRASH_COMMAND), timeout=DEADLINE,
                           env=world.environment(POP3_TEST_CRASH_AT="delivered-recorded:1"))  # fmt: skip
        world.sync(server.port, *removal)
    got = world.delivered()
    assert set(got) == {mail.encode() for mail in mails} and len(got) <= 2 * len(mails)
    assert len(world.on_server()) == (0 if removal else len(mails))


# ---- what was delivered in doubt comes again ----

WRONG = b"Message-ID: <a@b>\n\na\n"

ODD = 'on "RETR 1" { send "+OK\\r\\nMessage-ID: <a@b>\\r\\n\\r\\na\\r\\n.\\r\\n" }\n'

# One answer too many, once it is asked whether the message has ended: that proves it, and then nothing does.
TWICE = ODD + 'on NOOP { send "+OK\\r\\nb\\r\\n.\\r\\n" }\nserve'


def collected(world, target):
    """How a target is named, and what it has got."""
    out = world.path / "out"
    out.mkdir()
    ways = {"maildir": ["--maildir", out / "Maildir"], "mbox": ["--mbox", out / "mbox"],
            "command": ["--command", f"cat > $(mktemp {out}/XXXXXX)"]}  # fmt: skip
    if target == "mbox":
        return ways[target], lambda: read_mbox(out / "mbox")
    folder = out / "Maildir/new" if target == "maildir" else out
    return ways[target], lambda: [f.read_bytes() for f in folder.iterdir()]


@pytest.mark.parametrize("removal", [["--delete"], []], ids=["delete", "keep"])
@pytest.mark.parametrize("target", ["maildir", "mbox", "command"])
def test_what_was_delivered_in_doubt_and_comes_again_as_it_was_is_not_delivered_again(world, target, removal):
    """Where mail is kept that takes two copies: of the first one the body is not remembered."""
    world.fill(1)
    words, got = collected(world, target)
    with world.server("--delete", "--script", script_file(world, TWICE)) as server:
        for _ in range(4):
            sync_to(world, server.port, *words, *removal, status=75)
        assert server.commands("DELE") == []
    assert set(got()) == {WRONG} and len(got()) == (1 if removal else 2)
    with world.server("--delete") as server:
        sync_to(world, server.port, *words, "--delete")
    assert got().count(message(0).encode()) == 1 and len(got()) == (2 if removal else 3)
    assert world.on_server() == []


@pytest.mark.parametrize("removal", [["--delete"], []], ids=["delete", "keep"])
@pytest.mark.parametrize("size", [17, 18], ids=["right-for-the-odd-one", "wrong-for-all"])
def test_mail_whose_size_is_told_wrong_is_not_doubled_when_another_message_falls_out_of_step(world, size, removal):
    """The sizes say of each message that came that it may be another: it comes again, and is the same."""
    world.fill(60)
    sizes = "".join(f'line "{n} {size}" ; ' for n in range(1, 61))
    plain = "".join(f'on "RETR {n}" {{ line "+OK" ; body drop/{n - 1:06} crlf }}\n' for n in range(1, 60))
    script = f'on LIST {{ line "+OK" ; {sizes}line "." }}\n{plain}{TWO_MESSAGES % 60}'
    with world.server("--delete", "--no-pipelining", "--script", script_file(world, script)) as server:
        world.sync(server.port, *removal, status=75)
        if not removal:
            world.sync(server.port, status=75)
    got = [m for m in world.delivered() if m != b"Subject: a\n\na\n"]
    assert set(got) == {message(i).encode() for i in range(59)}
    assert len(got) == 59 if removal else len(got) <= 2 * 59
    assert len(world.delivered()) - len(got) <= (size == 17), "nothing speaks against it, where that is its size"
    assert len(world.on_server()) == (1 if removal else 60)


def test_what_came_again_is_looked_at_before_it_is_deleted_where_another_run_delivered_it(world):
    """Twice another message came for the one that is there, in two runs."""
    world.fill(1)
    with play(world, [TWICE] * 9) as server:
        world.sync(server.port, "--delete", status=75)
        assert world.delivered() == [WRONG]
    world.fill(1, first=1)
    with play(world, [ODD + "on DELE { close }\nserve"]) as server:
        with sqlite3.connect(world.state) as db:
            db.execute("UPDATE account SET key = ?", (f"user@127.0.0.1:{server.port}",))
        db.close()
        world.sync(server.port, "--delete")
    assert sorted(world.delivered()) == sorted([WRONG, message(0).encode(), message(1).encode()])
    assert world.on_server() == []


def test_a_header_does_not_say_that_a_message_is_whole_at_which_a_session_fell_out_of_step(world, port):
    """Nobody says how long it is."""
    world.put("1", "Message-ID: <a@b>\n\na\nand more\n")
    with world.server("--delete", "--port", port, "--refuse", "LIST", "--script", script_file(world, TWICE)):
        world.sync(port, "--delete", status=75)
    assert world.delivered() == [WRONG]
    with world.server("--delete", "--port", port):
        world.sync(port, "--delete")
    assert b"Message-ID: <a@b>\n\na\nand more\n" in world.delivered() and world.on_server() == []


def unstuffed(world, smuggled):
    """A server that does not stuff dots: what is in the first of 70 messages looks like replies, more than a batch."""
    world.fill(69, first=1)
    world.put("000000", f"Message-ID: <0@b>\n\na\n{smuggled * 70}.\nthe rest\n")
    text = (world.drop / "000000").read_text().replace("\n", "\\r\\n")
    plain = "".join(f'on "RETR {n}" {{ line "+OK" ; body drop/{n - 1:06} crlf }}\n' for n in range(2, 71))
    return f'on "RETR 1" {{ send "+OK\\r\\n{text}.\\r\\n" }}\n{plain}serve'


@pytest.mark.parametrize("removal", [["--delete"], []], ids=["delete", "keep"])
@pytest.mark.parametrize("point", ["doubts-recorded:1", "again-recorded:1", None])
def test_what_is_taken_for_other_messages_again_is_in_doubt_again(world, removal, point):
    """The same octets pass for the same messages in the next run, whose commands go together again. The others are
    not to blame for it."""
    script = script_file(world, unstuffed(world, ".\n+OK\nSubject: b\n\nb\n"))
    with world.server("--delete", "--script", script) as server:
        for kill in ("doubts-recorded:1", point):
            subprocess.run(world.sync_command(server.port, *removal, command=CRASH_COMMAND), timeout=DEADLINE,
                           env=world.environment(**({"POP3_TEST_CRASH_AT": kill} if kill else {})))  # fmt: skip
        world.sync(server.port, *removal, status=75)
        assert len(world.on_server()) == (1 if removal else 70)
    got = world.delivered()
    assert {got.count(message(i).encode()) for i in range(1, 70)} == {1}
    assert len(got) <= 2 * 70


def test_a_message_without_a_body_is_known_again(world):
    """Its header ends with the message, and may be that of many."""
    world.put("1", "Subject: a\n")
    with world.server("--delete", "--no-capa", "UIDL", "--refuse", "UIDL") as server:
        world.sync(server.port, "--delete-after", "30d")
        with sqlite3.connect(world.state) as db:
            db.execute("UPDATE message SET time = time - 31 * 86400")
        db.close()
        world.sync(server.port, "--delete-after", "30d")
    assert world.delivered() == [b"Subject: a\n"] and world.on_server() == []


@pytest.mark.parametrize("standing", [5, 7], ids=["doubted", "unproven"])
def test_what_was_in_doubt_and_missed_in_a_listing_is_retrieved_before_it_is_deleted(world, standing):
    """With what it was, the doubt is forgotten: the message is a new one."""
    world.put("1", message(1))
    world.put("2", message(2))
    with world.server("--delete") as server:
        world.sync(server.port)
        (half,) = (f for f in (world.maildir / "new").iterdir() if f.read_bytes() == message(1).encode())
        half.write_text(message(1)[:300])
        with contextlib.closing(sqlite3.connect(world.state)) as state, state:
            state.execute("UPDATE message SET standing=?, name='x' WHERE id=1", [standing])
        (world.drop / "1").rename(world.path / "elsewhere")
        world.sync(server.port, "--delete")
        (world.path / "elsewhere").rename(world.drop / "1")
        world.sync(server.port, "--delete")
    assert message(1).encode() in world.delivered() and len(world.delivered()) == 3 and world.on_server() == []
