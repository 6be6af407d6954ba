"""Sessions of sync with servers and targets that make it choose: what it asks, what it does instead."""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from world import COMMAND, CRASH_COMMAND, DEADLINE, message


def numbers(world):
    return [int(m.split(b"Subject: number ")[1].split()[0]) for m in world.delivered()]


def scripted(world, *texts, options=()):
    """A server that plays a script for each connection, and serves as usual from then on."""
    words = list(options)
    for number, text in enumerate((*texts, "serve\n")):
        path = world.path / f"script{number}"
        path.write_text(text)
        words += ["--script", path]
    return world.server(*words)


# ---- what is said of a session that was lost ----

CUT = 'on "RETR 2" {\n line "+OK"\n send "Subject: x\\r\\n"\n close\n}\nserve\n'
UNPROVEN = 'on "RETR 2" {\n line "+OK 100 octets"\n line "Subject: x"\n line "."\n line "nonsense"\n}\nserve\n'


@pytest.mark.parametrize("script", [CUT, UNPROVEN])
def test_what_a_later_session_of_the_run_mends_is_said_to_the_verbose_alone(world, script):
    world.fill(3)
    with scripted(world, script) as server:
        assert "pop3:" not in world.sync(server.port)
    with scripted(world, script) as server:
        told = world.sync(server.port, "--verbose", "--state", world.path / "other.db")
        assert "message 2: " in told and "RETR 2: " in told
    with scripted(world, script) as server:
        events = world.events(server.port, "--state", world.path / "third.db")
        assert any(e["event"] == "failed" and e["number"] == 2 for e in events)


def test_what_is_not_mended_is_said_once_however_many_sessions_it_took(world):
    world.fill(3)
    with scripted(world, 'on "RETR 2" {\n line "-ERR not now"\n}\non "RETR 3" {\n close\n}\nserve\n',
                  'on "RETR 2" {\n line "-ERR not now"\n}\nserve\n') as server:  # fmt: skip
        told = world.sync(server.port, status=75)
    assert told.count("message 2: ") == 1 and "message 3" not in told, told


def test_what_is_refused_for_one_message_is_said_although_the_run_worked(world):
    world.fill(3)
    with scripted(world, 'on "DELE 2" {\n line "-ERR not that one"\n}\nserve\n') as server:
        assert "message 2: " in world.sync(server.port, "--delete", "--quiet")


def test_where_coming_back_fails_what_was_lost_is_said_too(world, port):
    world.fill(3)
    path = world.path / "script"
    path.write_text(CUT)
    with world.server("--port", port, "--script", path, "--max-sessions", 1):
        told = world.sync(port, status=75)
    assert "RETR 2: the server closed the connection; then, coming back: " in told
    assert told.rstrip().endswith("connecting: Connection refused; check the host and the port, or try again later"), told


# ---- the header command ----

ODD = "n=$(sed -n 's/^Subject: number //p'); test $((n % 2)) = 1 || exit 2"


def test_the_header_command_works_without_top_announced_or_not(world):
    world.fill(4)
    for number, options in enumerate(
        (["--no-capa", "TOP", "--refuse", "TOP"], ["--refuse", "TOP"], ["--refuse", "TOP", "--refuse", "CAPA"])
    ):
        maildir = world.path / f"M{number}"
        with world.server(*options) as server:
            world.sync(server.port, "--filter", ODD, "--maildir", maildir, "--state",
                       world.path / f"{number}.db")  # fmt: skip
            assert len(server.commands("RETR")) == 6, "four headers, two messages"
        assert len(world.delivered(maildir)) == 2


def test_a_message_whose_header_is_refused_is_left_for_the_next_run(world):
    world.fill(4)
    script = "".join(f'on "{word} 3" {{\n line "-ERR not now"\n}}\n' for word in ("TOP", "RETR")) + "serve\n"
    with scripted(world, script) as server:
        told = world.sync(server.port, "--filter", "exit 0", status=75)
        assert "not now" in told
        assert sorted(numbers(world)) == [0, 1, 3]
        world.sync(server.port, "--filter", "exit 0")
    assert sorted(numbers(world)) == [0, 1, 2, 3]


def test_the_header_command_sees_lf_line_ends_and_every_line(world):
    world.put("1", b"A: 1\r\nB: a\rb\r\n folded\r\n\r\nbody\r\n")
    with world.server() as server:
        world.sync(server.port, "--filter", f"cat >{world.path}/seen")
    assert (world.path / "seen").read_bytes() == b"A: 1\nB: a\rb\n folded\n\n"


def test_what_the_header_command_deletes_is_deleted_and_in_a_dry_run_only_said(world):
    world.fill(3)
    with world.server("--delete") as server:
        told = world.sync(server.port, "--dry-run", "--filter", "exit 1")
        assert told.count("would delete") == 3 and len(world.on_server()) == 3
        world.sync(server.port, "--filter", "exit 1")
        assert server.commands("RETR") == []
    assert world.on_server() == []


def test_a_connection_that_ends_while_headers_come_is_made_again(world):
    world.fill(3)
    with scripted(world, 'on "TOP 2" {\n close\n}\nserve\n') as server:
        world.sync(server.port, "--filter", "exit 0")
    assert sorted(numbers(world)) == [0, 1, 2]


# ---- refusals ----


def test_a_message_that_is_refused_while_headers_are_compared_is_left(world):
    world.fill(3)
    script = "".join(f'on "{word} 4" {{\n line "-ERR not that one"\n}}\n' for word in ("TOP", "RETR")) + "serve\n"
    with scripted(world, "serve\n", script, options=["--refuse", "UIDL"]) as server:
        world.sync(server.port)
        (world.drop / "000003").write_text(message(3))
        world.fill(1, first=4)
        told = world.sync(server.port, status=75)
    assert "not that one" in told
    assert sorted(numbers(world)) == [0, 1, 2, 4]


def test_a_deletion_that_is_refused_is_said_and_the_others_are_done(world):
    world.fill(3)
    script = 'on "DELE 2" {\n line "-ERR it is locked"\n}\nserve\n'
    with scripted(world, script, options=["--delete"]) as server:
        told = world.sync(server.port, "--delete")
        assert "it is locked" in told
        assert len(world.on_server()) == 1
        assert len(world.delivered()) == 3
        world.sync(server.port, "--delete")
    assert world.on_server() == [] and len(world.delivered()) == 3


@pytest.mark.parametrize("command", ["UIDL", "LIST"])
def test_a_listing_that_breaks_off_is_asked_for_again(world, command):
    world.fill(3)
    with scripted(world, f'on {command} {{\n line "+OK"\n line "1 1"\n close\n}}\nserve\n') as server:
        world.sync(server.port, "--max-size", "1M")
    assert sorted(numbers(world)) == [0, 1, 2]


def test_a_server_that_refuses_both_listings_is_given_up_on(world):
    world.fill(1)
    with world.server("--refuse", "UIDL", "--refuse", "LIST") as server:
        assert "LIST" in world.sync(server.port, status=69)
        assert server.commands("RETR") == []


@pytest.mark.parametrize(
    ("options", "status", "told"),
    [
        (["--error", "PASS [SYS/PERM] closed", "--no-capa", "SASL"], 69, "closed"),
        (["--error", "PASS [SYS/TEMP] later", "--no-capa", "SASL"], 75, "later"),
        (["--error", "PASS [LOGIN-DELAY] wait", "--no-capa", "SASL"], 75, "wait"),
        (["--error", "PASS [AUTH] no", "--no-capa", "SASL"], 77, "check the user name and the password"),
        (["--greeting", "* OK IMAP4rev1"], 75, ""),
    ],
)
def test_why_a_server_cannot_be_used_is_in_the_exit_status(world, options, status, told):
    if options[0] == "--greeting":
        server = scripted(world, 'line "* OK IMAP4rev1 ready"\nexpect-eof\n')
        status = 76
    else:
        server = world.server(*options)
    with server as at:
        assert told in world.sync(at.port, "--retries", 0, status=status)


def test_no_password_goes_over_a_line_that_others_can_read_unless_it_is_allowed(world):
    with world.server() as server:
        done = subprocess.run(
            [COMMAND, "sync", f"pop3://user@127.0.0.1:{server.port}", "--tls", "none", "--maildir",
             world.maildir, "--state", world.state, "--password-file", world.password_file],
            env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
        assert done.returncode == 77
        assert "use pop3s://, or allow it with --allow-plaintext" in done.stderr
        assert server.commands("PASS") == server.commands("AUTH") == []


# ---- what is told ----


def test_waiting_is_an_event_and_a_signal_ends_it_at_once(world):
    with world.server("--error", "PASS [IN-USE] busy", "--no-capa", "SASL") as server:
        process = subprocess.Popen(
            world.sync_command(server.port, "--json", "--retry-wait", "1h"), env=world.environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
        events = []
        for line in process.stdout:
            events.append(json.loads(line))
            if events[-1]["event"] == "waiting":
                process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=DEADLINE)
    assert [e["event"] for e in events] == ["begun", "waiting", "over"]
    assert 0 < events[1]["seconds"] <= 7200
    assert process.returncode == 75 and events[-1]["status"] == 75


def test_verbose_and_json_say_what_is_left_alone_and_quiet_nothing(world):
    world.put("1", message(1))
    world.put("2", message(2, 5000))
    with world.server() as server:
        words = ["--max-size", "50K", "--dry-run"]
        told = world.sync(server.port, "--verbose", *words)
        assert "message 2: it is larger than the size limit" in told
        skipped = [e for e in world.events(server.port, *words) if e["event"] == "skipped"]
        assert skipped[0]["number"] == 2 and skipped[0]["text"] == "it is larger than the size limit"
        assert world.sync(server.port, "--quiet", "--max-size", "50K") == ""


def test_a_dry_run_writes_nothing_and_sees_the_same_with_a_limit(world):
    world.fill(5)
    with world.server() as server:
        told = world.sync(server.port, "--dry-run", "--limit", 2)
        assert told.count("would retrieve") == 2
    assert not world.maildir.exists()


# ---- targets ----


def test_two_accounts_may_share_a_maildir(world):
    world.fill(3)
    with world.server() as server:
        config = world.path / "config/pop3/config"
        config.parent.mkdir(parents=True)
        config.write_text("".join(
            f"[{name}]\nurl = pop3://{name}@127.0.0.1:{server.port}/\nallow-plaintext = yes\n"
            f"password-file = {world.password_file}\nmaildir = {world.maildir}\n" for name in "abcd"))  # fmt: skip
        subprocess.run([COMMAND, "sync", "--state", world.state], env=world.environment(), check=True,
                       capture_output=True, timeout=DEADLINE)  # fmt: skip
    assert len(world.delivered()) == 12


@pytest.mark.parametrize("target", ["--mbox", "--command"])
def test_a_message_that_breaks_off_is_delivered_whole_in_the_next_session(world, target):
    world.put("1", message(1))
    world.put("2", message(2, 3000))
    out = world.path / "out"
    script = 'on "RETR 2" {\n line "+OK"\n fill 60000 "half\\r\\n"\n close\n}\nserve\n'
    words = [COMMAND, "sync", target, out if target == "--mbox" else f"cat >>{out}", "--state", world.state,
             "--password-file", world.password_file, "--allow-plaintext", "--quiet"]  # fmt: skip
    with scripted(world, script) as server:
        done = subprocess.run([*words, f"pop3://user@127.0.0.1:{server.port}"], env=world.environment(),
                              capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
        assert done.returncode == 0, done
    text = out.read_text()
    assert "half" not in text
    assert text.count("Subject: number 1\n") == text.count("Subject: number 2\n") == 1


def test_an_mbox_that_is_locked_with_fcntl_is_waited_for(world):
    world.fill(1)
    mbox = world.path / "mbox"
    mbox.touch()
    holder = subprocess.Popen(
        [sys.executable, "-c", "import fcntl, sys\nf = open(sys.argv[1], 'r+')\nfcntl.lockf(f, fcntl.LOCK_EX)\n"
         "print('locked', flush=True)\nsys.stdin.read()", mbox],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip
    try:
        assert holder.stdout.readline() == "locked\n"
        with world.server() as server:
            process = subprocess.Popen(
                [COMMAND, "sync", f"pop3://user@127.0.0.1:{server.port}", "--mbox", mbox, "--state", world.state,
                 "--password-file", world.password_file, "--allow-plaintext", "--quiet"],
                env=world.environment())  # fmt: skip
            server.wait_for(r"S: <body", 1)
            while not (world.path / "mbox.lock").exists():
                assert process.poll() is None
                os.sched_yield()
            assert mbox.stat().st_size == 0
            holder.stdin.close()
            assert process.wait(DEADLINE) == 0
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    assert mbox.read_text().count("Subject: number 0") == 1


def kill_at(world, port, point, *options):
    env = world.environment(POP3_TEST_CRASH_AT=point)
    done = subprocess.run(world.sync_command(port, *options, command=CRASH_COMMAND), env=env,
                          capture_output=True, timeout=DEADLINE)  # fmt: skip
    assert done.returncode == -signal.SIGKILL


def test_without_uidl_what_a_crash_left_is_known_again_by_its_header(world):
    world.fill(5)
    with world.server("--refuse", "UIDL") as server:
        kill_at(world, server.port, "folder-synced")
        server.settle()
        assert len(world.delivered()) == 5
        world.sync(server.port)
        world.sync(server.port)
    assert len(world.delivered()) == 5


def test_what_a_crash_left_is_looked_for_where_it_was_to_be_delivered(world):
    world.fill(5)
    other = world.path / "Other"
    with world.server() as server:
        kill_at(world, server.port, "folder-synced")
        server.settle()
        world.sync(server.port, "--maildir", other)
    assert len(world.delivered()) == 5
    assert not any(path.is_file() for path in other.rglob("*"))


def test_a_place_that_cannot_be_looked_into_after_a_crash_stops_the_run(world):
    world.fill(2)
    with world.server() as server:
        kill_at(world, server.port, "folder-synced")
        server.settle()
        world.maildir.rename(world.path / "moved")
        world.maildir.write_text("a file in its place")
        told = world.sync(server.port, "--maildir", world.path / "Other", status=73)
        assert "of the Maildir" in told
        world.maildir.unlink()
        (world.path / "moved").rename(world.maildir)
        world.sync(server.port, "--maildir", world.path / "Other")
    assert len(world.delivered()) == 2
    assert not any(path.is_file() for path in (world.path / "Other").rglob("*"))




# ---- a state that cannot be written any more ----


def meddle(world, sql):
    with contextlib.closing(sqlite3.connect(world.state)) as database:
        database.execute(sql)
        database.commit()


@pytest.mark.parametrize(
    ("refusal", "delivered"),
    [
        ("INSERT ON message WHEN NEW.standing = 1", 0),  # intents: nothing is retrieved
        ("UPDATE OF target ON account", 0),
        ("INSERT ON message WHEN NEW.standing = 2", 3),  # what has come is there, and known the next time
        ("INSERT ON message WHEN NEW.standing = 3", 3),  # what is to be deleted
    ],
)
@pytest.mark.parametrize("target", ["maildir", "mbox"])
def test_what_cannot_be_recorded_is_not_deleted_and_not_delivered_twice(world, target, refusal, delivered):
    world.fill(3)
    mbox = world.path / "mbox"
    with world.server("--delete") as server:
        words = ["sync", f"pop3://user@127.0.0.1:{server.port}", f"--{target}",
                 world.maildir if target == "maildir" else mbox, "--state", world.state, "--password-file",
                 world.password_file, "--allow-plaintext", "--delete"]  # fmt: skip

        def run(status):
            done = subprocess.run([COMMAND, *map(str, words)], env=world.environment(), capture_output=True,
                                  text=True, timeout=DEADLINE)  # fmt: skip
            assert done.returncode == status, done
            return done.stderr

        def there():
            if target == "mbox":
                return mbox.read_text().count("\nSubject: number ") if mbox.exists() else 0
            return len(world.delivered()) if world.maildir.exists() else 0

        for file in world.drop.iterdir():
            file.rename(world.path / file.name)
        run(0)  # makes the state
        for number in range(3):
            (world.path / f"00000{number}").rename(world.drop / f"00000{number}")
        meddle(world, f"CREATE TRIGGER refuse BEFORE {refusal} BEGIN SELECT RAISE(ABORT, 'refused'); END")
        assert "writing to the state file" in run(74)
        assert len(world.on_server()) == 3
        assert there() == delivered
        meddle(world, "DROP TRIGGER refuse")
        run(0)
    assert world.on_server() == []
    assert there() == 3


def test_an_mbox_that_is_a_folder_stops_the_run_and_nothing_is_deleted(world):
    world.fill(2)
    with world.server("--delete") as server:
        done = subprocess.run(
            [COMMAND, "sync", f"pop3://user@127.0.0.1:{server.port}", "--mbox", world.drop, "--state", world.state,
             "--password-file", world.password_file, "--allow-plaintext", "--delete"],
            env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
    assert done.returncode == 74 and "opening" in done.stderr
    assert len(world.on_server()) == 2


# ---- odds and ends of messages ----


def test_copies_without_unique_ids_are_as_many_messages(world):
    for name in "abc":
        world.put(name, message(1))
    world.put("d", message(2))
    with world.server("--delete", "--refuse", "UIDL") as server:
        for _ in range(2):
            world.sync(server.port)
            assert len(world.delivered()) == 4
        (world.drop / "b").unlink()
        world.put("e", message(3))
        world.sync(server.port)
    assert len(world.delivered()) == 5


@pytest.mark.parametrize(
    ("header", "sender"),
    [
        ("Return-Path: <bounce@example.org>\nFrom: a@b\n", "bounce@example.org"),
        ("Return-Path: <>\nFrom: Ann <ann@example.org>\n", ""),
        ("From: Ann <ann@example.org>\n", "ann@example.org"),
        ("From: ann@example.org\n", "ann@example.org"),
        ("Return-Path: <a b@example.org>\n", ""),
        ("Return-Path: <" + "x" * 400 + "@example.org>\n", ""),
        ("Return-Path: <a;b@example.org>\n", ""),
        ("Subject: nobody\n", ""),
    ],
)
def test_a_command_is_told_a_sender_that_can_be_one(world, header, sender):
    world.put("1", header + "\ntext\n")
    out = world.path / "out"
    with world.server() as server:
        done = subprocess.run(
            [COMMAND, "sync", f"pop3://user@127.0.0.1:{server.port}", "--command", f'printf %s "$SENDER" >{out}',
             "--state", world.state, "--password-file", world.password_file, "--allow-plaintext"],
            env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
        assert done.returncode == 0, done
    assert out.read_text() == sender


def test_added_lines_have_the_line_ends_that_are_asked_for(world):
    world.put("1", b"Subject: x\r\n\r\n.dot\r\nlast")
    with world.server() as server:
        world.sync(server.port, "--received", "--delivered-to", "me@example.org", "--line-ends", "crlf")
    (got,) = world.delivered()
    assert got.startswith(b"Delivered-To: me@example.org\r\nReceived: from 127.0.0.1 by ")
    assert got.replace(b"\r\n", b"").count(b"\n") == 0
    assert got.endswith(b"\r\nSubject: x\r\n\r\n.dot\r\nlast\r\n")


def test_a_login_delay_that_the_server_announces_is_kept_to(world):
    with world.server("--capa", "LOGIN-DELAY 60", "--error", "PASS [LOGIN-DELAY] too soon", "--no-capa",
                      "SASL") as server:  # fmt: skip
        process = subprocess.Popen(
            world.sync_command(server.port, "--json", "--retry-wait", "1ms"), env=world.environment(),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # fmt: skip
        seconds = None
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "waiting":
                seconds = event["seconds"]
                process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE) == 75
    assert seconds >= 60


def test_a_user_name_that_cannot_be_sent_is_a_mistake(world):
    with world.server() as server:
        world.sync(server.port, "--user", "a\x01b", status=78)
        assert server.commands("USER") == []
