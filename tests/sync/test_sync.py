"""`pop3 sync` to a Maildir: what is retrieved, deleted, remembered; awkward servers; failures."""

import contextlib
import json
import os
import re
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading

import pytest

from world import COMMAND, DEADLINE, Server, World, message


def numbers(world):
    """Which of message(i) are in the Maildir, in order of i."""
    subjects = [re.search(rb"Subject: number (\d+)", m)[1] for m in world.delivered()]
    return sorted(int(s) for s in subjects)


# ---- the usual ----


def test_the_command_line_of_the_manual_works_over_tls(world, certs):
    world.fill(3)
    with world.server("--tls", "--cert", certs / "good.pem", "--key", certs / "good.key",
                      "--user", "user", "--password", "secret") as server:  # fmt: skip
        command = [COMMAND, "sync", f"pop3s://user@localhost:{server.tls_port}", "--maildir",
                   str(world.maildir), "--state", str(world.state), "--password-file",
                   str(world.password_file), "--quiet", "--ca-file", str(certs / "ca.pem")]  # fmt: skip
        done = subprocess.run(command, env=world.environment(), capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert world.delivered() == world.on_server()


def test_mail_is_kept_on_the_server_and_delivered_once(world):
    world.fill(5)
    with world.server("--delete") as server:
        assert "5 new messages" in world.sync(server.port)
        assert "0 new messages" in world.sync(server.port)
        world.fill(2, first=5)
        assert "2 new messages" in world.sync(server.port)
        assert server.commands("DELE") == []
    assert world.delivered() == world.on_server()
    assert len(world.on_server()) == 7


def test_mail_is_deleted_on_the_server_once_it_is_delivered(world):
    world.fill(5)
    with world.server("--delete") as server:
        assert "5 deleted on the server" in world.sync(server.port, "--delete")
    assert world.on_server() == []
    assert numbers(world) == [0, 1, 2, 3, 4]


def test_mail_that_was_kept_is_deleted_later_without_being_delivered_again(world):
    world.fill(5)
    with world.server("--delete") as server:
        world.sync(server.port)
        world.sync(server.port, "--delete")
        assert len(server.commands("RETR")) == 5
    assert world.on_server() == []
    assert len(world.delivered()) == 5


def test_mail_is_deleted_so_many_days_after_its_delivery(world):
    world.fill(3)
    with world.server("--delete") as server:
        world.sync(server.port, "--delete-after", "14d")
        assert len(world.on_server()) == 3
        with sqlite3.connect(world.state) as db:
            db.execute("UPDATE message SET time = time - 15 * 86400 WHERE id = 2")
        db.close()
        world.sync(server.port, "--delete-after", "14d")
        assert len(server.commands("DELE")) == 1
    assert len(world.on_server()) == 2


def test_a_clock_that_was_set_back_deletes_nothing_early_and_loses_nothing(world):
    world.fill(3)
    with world.server("--delete") as server:
        world.sync(server.port)
        with sqlite3.connect(world.state) as db:
            db.execute("UPDATE message SET time = time + 400 * 86400")
        db.close()
        world.fill(1, first=3)
        world.sync(server.port, "--delete-after", "1d")
        assert server.commands("DELE") == []
    assert numbers(world) == [0, 1, 2, 3]


def test_a_dry_run_changes_nothing(world):
    world.fill(3)
    with world.server("--delete") as server:
        told = world.sync(server.port, "--dry-run", "--delete")
        assert told.count("would retrieve") == 3
        assert server.commands("RETR") == server.commands("DELE") == []
        world.sync(server.port)
        assert world.sync(server.port, "--dry-run", "--delete").count("would delete") == 3
    assert not (world.path / "Maildir/new/x").exists()
    assert len(world.on_server()) == 3


def test_a_dry_run_leaves_no_file_behind(world):
    world.fill(2)
    with world.server() as server:
        command = world.sync_command(server.port, "--dry-run")
        i = command.index("--state")
        del command[i:i + 2]
        before = sorted(os.listdir(world.path))
        done = subprocess.run(command, env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)
        assert done.returncode == 0 and (done.stdout + done.stderr).count("would retrieve") == 2
        assert sorted(os.listdir(world.path)) == before


def test_a_limit_takes_the_first_messages_and_the_rest_in_later_runs(world):
    world.fill(5)
    with world.server() as server:
        world.sync(server.port, "--limit", 2)
        assert numbers(world) == [0, 1]
        world.sync(server.port, "--limit", 2)
        assert numbers(world) == [0, 1, 2, 3]


def test_large_messages_are_left_alone_or_deleted_unread(world):
    world.put("1", message(1))
    world.put("2", message(2, 5000))
    with world.server("--delete") as server:
        assert "1 left alone" in world.sync(server.port, "--max-size", "50K")
        assert numbers(world) == [1]
        world.sync(server.port, "--kill-size", "50K")
        assert numbers(world) == [1]
        assert len(world.on_server()) == 1
        assert len(server.commands("RETR")) == 1


def test_the_header_command_takes_deletes_and_leaves(world):
    world.fill(4)
    command = "n=$(sed -n 's/^Subject: number //p'); case $n in 1) exit 1;; 2) exit 2;; 3) exit 9;; esac"
    with world.server("--delete") as server:
        told = world.sync(server.port, "--filter", command, status=75)
        assert "ended with status 9" in told
        assert len(server.commands("RETR")) == 1
    assert numbers(world) == [0]
    assert len(world.on_server()) == 3


def test_an_empty_message_and_an_empty_mailbox_are_no_trouble(world):
    with world.server() as server:
        world.sync(server.port)
        world.put("1", b"")
        world.sync(server.port)
    assert world.delivered() == [b""]


def test_events_come_as_json_lines(world):
    world.fill(2)
    with world.server("--delete") as server:
        events = world.events(server.port, "--delete")
    assert [e["event"] for e in events] == [
        "begun", "listed", "message", "message", "delivered", "over"]  # fmt: skip
    assert events[2]["number"] == 1 and events[2]["uid"] == "000000"
    assert events[-1]["deleted"] == 2 and events[-1]["status"] == 0


def test_nothing_new_costs_few_round_trips(world):
    world.fill(200)
    with world.server() as server:
        world.sync(server.port)
        server.settle()
        server.forget()
        world.sync(server.port, "--quiet")
        server.settle()
        commands = [line for line in server.lines if " C: " in line]
    assert len(commands) <= 7, commands


def test_names_never_collide_and_say_where_they_come_from(world):
    world.fill(50)
    with world.server() as server:
        world.sync(server.port)
    names = os.listdir(world.maildir / "new")
    assert len(names) == 50
    assert all(re.fullmatch(r"\d+\.R[0-9a-f]{16}O[0-9a-f]{16}Q\d+\.[^/:]+", n) for n in names)


# ---- awkward servers ----


def test_without_uidl_messages_are_told_apart_by_their_headers(world):
    world.fill(4)
    with world.server("--delete", "--refuse", "UIDL", "--no-capa", "UIDL") as server:
        world.sync(server.port)
        world.sync(server.port)
        world.fill(2, first=4)
        (world.drop / "000001").unlink()
        world.sync(server.port)
        assert numbers(world) == [0, 1, 2, 3, 4, 5]
        world.sync(server.port, "--delete")
    assert numbers(world) == [0, 1, 2, 3, 4, 5]
    assert world.on_server() == []


def test_without_uidl_and_top_it_works_too(world):
    world.fill(3)
    with world.server("--refuse", "UIDL", "--refuse", "TOP", "--no-capa", "TOP") as server:
        world.sync(server.port)
        world.fill(1, first=3)
        world.sync(server.port)
    assert numbers(world) == [0, 1, 2, 3]


def session(uids, messages, tops=(), retrs=(), deles=(), quit_line='line "+OK"'):
    """A scripted session without CAPA: messages by number, with these unique-ids."""

    def octets(number, whole):
        header = f"Subject: {messages[number - 1]}\r\nMessage-ID: <{messages[number - 1]}>\r\n\r\n"
        return header + ("body\r\n" if whole else "\r\n")

    def text(number, whole):
        sent = octets(number, whole)
        sent = f"+OK {len(sent)} octets\r\n{sent}.\r\n".replace("\r\n", "\\r\\n")
        return f'send "{sent}"'

    out = ['line "+OK ready"', "expect CAPA", 'line "-ERR"', 'expect-prefix "USER"', 'line "+OK"',
           'expect-prefix "PASS"', 'line "+OK"', "expect UIDL", 'line "+OK"']  # fmt: skip
    out += [f'line "{i + 1} {uid}"' for i, uid in enumerate(uids)] + ['line "."', "expect LIST", 'line "+OK"']
    out += [f'line "{i + 1} {len(octets(i + 1, True))}"' for i, _ in enumerate(uids)] + ['line "."']

    asked_caps = False
    for word, numbers in (("TOP", tops), ("RETR", retrs), ("DELE", deles)):
        for i, n in enumerate(numbers):
            # The first TOP goes alone; what is asked for together makes the client ask CAPA.
            together = len(numbers) - (word == "TOP") > 1 and i >= (word == "TOP")
            if together and not asked_caps:
                out += ["expect CAPA", 'line "-ERR"']
                asked_caps = True
            out.append(f'expect "{word} {n}{" 0" if word == "TOP" else ""}"')
            out.append('line "+OK"' if word == "DELE" else text(n, word == "RETR"))
    return out + ["expect QUIT", quit_line]


@contextlib.contextmanager
def scripted(world, *sessions):
    """A server that plays these sessions, statements each, one after the other."""
    scripts = []
    for i, statements in enumerate(sessions):
        path = world.path / f"script{i}"
        path.write_text("\n".join(statements) + "\n")
        scripts += ["--script", path]
    server = Server(*scripts, "--max-sessions", len(sessions))
    try:
        yield server
    finally:
        server.stop()


def play_sessions(world, *sessions):
    """Plays sessions one after the other with one account: (statements, options) each."""
    with scripted(world, *(statements for statements, _ in sessions)) as server:
        for _, options in sessions:
            world.sync(server.port, *options)
        assert server.process.wait(DEADLINE) == 0, server.lines


def subjects(world):
    return sorted(re.search(rb"Subject: (.*)", m)[1].decode() for m in world.delivered())


def test_a_unique_id_that_is_used_again_after_deletion_is_another_message(world):
    play_sessions(
        world,
        (session(["A"], ["one"], retrs=[1], deles=[1]), ["--delete"]),
        (session(["A"], ["two"], tops=[1], retrs=[1], deles=[1]), ["--delete"]),
    )
    assert subjects(world) == ["one", "two"]


def test_a_message_that_comes_back_is_recognized(world):
    play_sessions(
        world,
        (session(["A", "B"], ["one", "two"], retrs=[1, 2]), []),
        (session(["B"], ["two"]), []),
        (session(["A", "B"], ["one", "two"], tops=[1]), []),
    )
    assert subjects(world) == ["one", "two"]


def test_equal_unique_ids_in_one_listing_are_told_apart(world):
    play_sessions(
        world,
        (session(["A", "A"], ["one", "two"], retrs=[1, 2]), []),
        (session(["A", "A", "A"], ["one", "two", "three"], tops=[1, 2, 3], retrs=[3]), []),
    )
    assert subjects(world) == ["one", "three", "two"]


def test_a_server_that_renumbers_does_not_deliver_everything_again(world):
    play_sessions(
        world,
        (session(["A", "B"], ["one", "two"], retrs=[1, 2]), []),
        (session(["X", "Y", "Z"], ["one", "two", "three"], tops=[1, 2, 3], retrs=[3]), []),
        (session(["X", "Y", "Z"], ["one", "two", "three"]), []),
    )
    assert subjects(world) == ["one", "three", "two"]


@pytest.mark.parametrize("refusal", ["-ERR what is UIDL", "-ERR [SYS/TEMP] not now"])
def test_unique_ids_that_are_refused_for_a_while_do_not_bring_everything_again(world, refusal):
    world.fill(3)
    scripts = []
    for i, text in enumerate(["serve", f'on "UIDL" {{ line "{refusal}" }}\nserve', "serve", "serve"]):
        path = world.path / f"script{i}"
        path.write_text(text + "\n")
        scripts += ["--script", path]
    with world.server(*scripts) as server:
        world.sync(server.port)
        world.fill(1, first=3)
        world.sync(server.port)
        world.sync(server.port)
        server.wait_for("C: QUIT", 3)
        looked_at = [line for line in server.lines if "C: TOP" in line]
        assert (looked_at == []) == ("[SYS/TEMP]" in refusal)  # then it is asked again at once
    assert numbers(world) == [0, 1, 2, 3]


def test_a_quit_without_an_answer_does_not_count_as_deletion(world):
    lost = session(["A"], ["one"], retrs=[1], deles=[1], quit_line="close")
    again = session(["A"], ["one"], tops=[1], deles=[1])
    path = [world.path / "a", world.path / "b"]
    path[0].write_text("\n".join(lost) + "\n")
    path[1].write_text("\n".join(again) + "\n")
    server = Server("--script", path[0], "--script", path[1], "--max-sessions", 2)
    try:
        world.sync(server.port, "--delete")  # comes back at once to see what was deleted
        assert server.process.wait(DEADLINE) == 0, server.lines
    finally:
        server.stop()
    assert subjects(world) == ["one"]


def test_a_refused_message_does_not_keep_the_others_and_is_tried_again(world, port):
    world.fill(3)
    with world.server("--port", port, "--refuse", "RETR 2"):
        told = world.sync(port, status=75)
        assert "message 2" in told and "could not be retrieved or delivered: 1" in told
        assert numbers(world) == [0, 2]
    with world.server("--port", port):
        world.sync(port)
    assert numbers(world) == [0, 1, 2]


def test_a_server_that_throws_pipelined_commands_away_is_asked_one_at_a_time(world):
    world.fill(5)
    with world.server("--discard-pipelined") as server:
        world.sync(server.port, "--timeout", "2s")
        assert numbers(world) == [0, 1, 2, 3, 4]
        world.fill(3, first=5)
        server.settle()
        server.forget()
        world.sync(server.port, "--timeout", "2s")
        assert server.count("discarded") == 0, "it is remembered"
        world.fill(3, first=8)
        server.settle()
        world.sync(server.port, "--timeout", "2s", "--pipelining", "on")
        assert server.count("discarded") > 0, "but not against the user's word"
    assert len(world.delivered()) == 11


def test_a_server_that_throws_pass_away_is_asked_one_at_a_time(world):
    world.fill(2)
    with world.server("--discard-pipelined", "--no-capa", "SASL") as server:
        world.sync(server.port, "--timeout", "2s")
        assert server.count("discarded") == 1, "PASS, behind USER"
        server.settle()
        server.forget()
        world.sync(server.port, "--timeout", "2s")
        assert server.count("discarded") == 0, "it is remembered"
    assert numbers(world) == [0, 1]


def pipelines(world) -> bool:
    """Whether the state says that the account may be sent commands together."""
    with contextlib.closing(sqlite3.connect(world.state)) as db:
        return db.execute("SELECT 1 FROM trait WHERE name='one-at-a-time'").fetchone() is None


def test_a_server_that_closes_at_an_early_pass_is_asked_one_at_a_time(world):
    early = ['line "+OK ready"', "expect CAPA", 'capa "USER" "PIPELINING"', 'expect-prefix "USER"', 'line "+OK"',
             'expect-prefix "PASS"', "close"]  # fmt: skip
    with scripted(world, early, session(["A"], ["one"], retrs=[1])) as server:
        world.sync(server.port)
    assert subjects(world) == ["one"]
    assert not pipelines(world)


def test_a_server_that_is_slow_at_the_login_is_asked_apart_once_and_not_blamed(world):
    world.fill(1)
    script = world.path / "slow"
    script.write_text("on PASS { expect-eof }\nserve\n")
    with world.server("--no-capa", "SASL", "--script", script) as server:
        world.sync(server.port, "--timeout", "2s", "--retry-wait", "1ms", "--retries", "0", status=75)
        assert server.count("PASS") == 2, "once behind USER, once alone"
        assert pipelines(world)


def test_a_doubt_that_cannot_be_recorded_comes_to_an_end(world, port):
    world.fill(1)
    with world.server("--no-capa", "SASL", "--port", port):
        world.sync(port)
    with contextlib.closing(sqlite3.connect(world.state)) as db:
        db.execute("CREATE TRIGGER t BEFORE INSERT ON trait BEGIN SELECT raise(FAIL, 'no'); END")
        db.commit()
    with world.server("--no-capa", "SASL", "--discard-pipelined", "--port", port) as server:
        world.sync(port, "--timeout", "2s", status=74)
        assert server.count("open") == 2


def test_a_dry_run_comes_to_an_end_with_a_server_that_throws_commands_away(world):
    world.fill(2)
    with world.server("--discard-pipelined", "--no-capa", "SASL") as server:
        world.sync(server.port, "--timeout", "2s", "--dry-run")
        assert server.count("PASS") == 1 and server.count("discarded") == 1
        assert server.count("open") == 2, "once together, once one at a time"
    assert not world.maildir.exists()


def test_in_use_is_waited_for(world):
    busy = ['line "+OK ready"', "expect CAPA", 'line "-ERR"', 'expect-prefix "USER"', 'line "+OK"',
            'expect-prefix "PASS"', 'line "-ERR [IN-USE] somebody is reading"', "expect-eof"]  # fmt: skip
    with scripted(world, busy, busy, session(["A"], ["one"], retrs=[1])) as server:
        told = world.sync(server.port, "--retry-wait", "1ms")
        assert told.count("again in") == 2
    assert subjects(world) == ["one"]


def test_in_use_is_not_waited_for_for_ever(world):
    with world.server("--error", "PASS [IN-USE] busy", "--no-capa", "SASL") as server:
        told = world.sync(server.port, "--retry-wait", "1ms", "--retries", 2, status=75)
        assert told.count("again in") == 2
        assert len(server.commands("PASS")) == 3


def test_a_wrong_password_is_not_tried_again(world):
    with world.server("--user", "user", "--password", "other") as server:
        told = world.sync(server.port, status=77)
        assert "check the user name and the password" in told
        assert len(server.commands("AUTH") + server.commands("PASS")) == 1


# ---- what can go wrong on our side ----


def test_a_connection_reset_at_any_octet_of_a_window_loses_and_doubles_nothing(fast_world, port):
    """The server resets after N octets, for every N from the first RETR on; the next run goes on where
    that one was cut."""
    world = fast_world
    for i in range(3):
        world.put(f"{i}", f"Subject: number {i}\n\nx\n.\n")
    with world.server("--delete") as server:
        world.sync(server.port)
        server.settle()
        lines = server.lines
        sent = [len(line.split(" S: ", 1)[1]) + 2 for line in lines if " S: " in line]
        asked = next(i for i, line in enumerate(lines) if "C: RETR" in line)
        before = sum(" S: " in line for line in lines[:asked])
        total = sum(sent) + sum(f.stat().st_size for f in world.drop.iterdir())
        window = range(sum(sent[:before]) - 5, total + 10, int(os.environ.get("RESET_STEP", 1)))
    reference = world.delivered()
    shutil.rmtree(world.maildir)
    for file in world.path.glob("state.db*"):
        file.unlink()
    cut = 0
    for after in window:
        world.maildir.mkdir(exist_ok=True)
        with world.server("--port", port, "--reset-after", after) as server:
            command = world.sync_command(port, "--quiet", "--delete")
            done = subprocess.run(command, env=world.environment(), capture_output=True, text=True,
                                  timeout=DEADLINE)  # fmt: skip
            server.settle()
            cut += server.count(" close reset") > 0
            assert done.returncode in (0, 69, 75, 76, 77), (after, done)
        with world.server("--port", port):
            world.sync(port, "--quiet")
        assert world.delivered() == reference, after
        assert world.unfinished() == []
        shutil.rmtree(world.maildir)
        for file in world.path.glob("state.db*"):
            file.unlink()
    assert cut > len(window) // 4  # the others got what was missing by connecting again


def run_limited(world, port, limit, *options):
    def set_limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(world.sync_command(port, *options), env=world.environment(),
                          preexec_fn=set_limit, capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip


def test_a_message_that_may_not_be_so_large_stays_and_the_others_come(world):
    world.put("1", message(1))
    world.put("2", message(2, 200000))
    world.put("3", message(3))
    with world.server("--delete") as server:
        done = run_limited(world, server.port, 1000000, "--delete")
        assert done.returncode == 75
        assert "File too large" in done.stderr
        assert numbers(world) == [1, 3]
        assert len(world.on_server()) == 1
        assert world.unfinished() == []
        world.sync(server.port, "--delete")
    assert numbers(world) == [1, 2, 3]


def test_a_full_disk_stops_the_run_and_nothing_is_deleted_that_was_not_delivered(world):
    world.fill(40, lines=400)
    everything = world.on_server()
    small = world.path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(small)],
                             capture_output=True)  # fmt: skip
    if mounted.returncode != 0:
        pytest.skip("no tmpfs can be mounted here")
    try:
        world.maildir = small / "Maildir"
        with world.server("--delete") as server:
            told = world.sync(server.port, "--delete", status=75)
            assert "No space left on device" in told
            assert len(world.on_server()) + len(world.delivered()) >= 40
            assert sorted(set(world.on_server() + world.delivered())) == everything
            subprocess.run(["mount", "-o", "remount,size=16m", str(small)], check=True)
            world.sync(server.port, "--delete")
        assert world.delivered() == everything
        assert world.on_server() == []
        assert world.unfinished() == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_full_disk_on_which_the_maildir_cannot_be_made_is_said_to_be_full(world):
    world.fill(1)
    small = world.path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k,nr_inodes=4", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("no tmpfs can be mounted here")
    try:
        for name in "abc":
            (small / name).mkdir()
        world.maildir = small / "Maildir"
        with world.server() as server:
            assert "No space left on device" in world.sync(server.port, status=75)
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_maildir_that_cannot_be_made_says_why_and_not_that_the_sandbox_forbids_it(world):
    world.fill(1)
    parent = world.path / "parent"
    parent.mkdir()
    world.maildir = parent / "deep" / "Maildir"
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(parent)], capture_output=True)
    parent.chmod(0o555) if mounted.returncode != 0 else None
    try:
        with world.server() as server:
            told = world.sync(server.port, status=73)
        assert ("Read-only file system" if mounted.returncode == 0 else "Permission denied") in told
    finally:
        if mounted.returncode == 0:
            subprocess.run(["umount", str(parent)], check=True)


def test_a_folder_that_cannot_be_written_is_said_and_nothing_is_lost(world):
    world.fill(3)
    world.maildir.write_text("a file is in the way")
    with world.server("--delete") as server:
        told = world.sync(server.port, "--delete", status=73)
        assert "of the Maildir" in told
        assert server.commands("DELE") == []
        world.maildir.unlink()
        world.sync(server.port, "--delete")
    assert numbers(world) == [0, 1, 2]


@pytest.mark.parametrize("damage", ["garbage", "cut", "another program's"])
def test_a_damaged_state_file_stops_the_run_before_anything_happens(world, damage):
    world.fill(200)
    with world.server("--delete") as server:
        world.sync(server.port)
        if damage == "garbage":
            world.state.write_bytes(b"this is no database" * 500)
        elif damage == "cut":
            with open(world.state, "r+b") as file:
                file.truncate(6000)
        else:
            world.state.unlink()
            with sqlite3.connect(world.state) as db:
                db.execute("CREATE TABLE theirs(x)")
            db.close()
        told = world.sync(server.port, "--delete", status=65)
        assert str(world.state) in told
        assert server.commands("DELE") == []
    assert len(world.on_server()) == 200


def test_two_runs_do_not_work_on_one_account_at_a_time(world):
    world.fill(2)
    slow = world.path / "slow"
    slow.write_text("\n".join(session(["A"], ["one"], retrs=[1])).replace(
        'expect "RETR 1"', 'expect "RETR 1"\ndelay 1000'))  # fmt: skip
    server = Server("--script", slow, "--script", slow)
    try:
        first = subprocess.Popen(world.sync_command(server.port), env=world.environment())
        server.wait_for("C: RETR 1")
        told = world.sync(server.port, status=75)
        assert "another run is working on it" in told
        assert first.wait(DEADLINE) == 0
    finally:
        server.stop()


def test_many_runs_may_begin_at_once_on_a_state_that_is_not_there_yet(world):
    world.fill(1)
    with world.server() as server:
        command = world.sync_command(server.port, "--quiet")
        runs = []
        for i in range(16):
            command[2] = f"pop3://user{i}@127.0.0.1:{server.port}"
            runs.append(subprocess.Popen(command, env=world.environment(), stderr=subprocess.PIPE, text=True))
        told = [run.communicate(timeout=DEADLINE)[1] for run in runs]
        assert [run.returncode for run in runs] == [0] * 16, told
    assert numbers(world) == [0] * 16


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_after_the_message_in_hand_with_the_state_right(world, port, number):
    for i in range(30):
        world.put(f"{i:02}", message(i, 2000))
    with world.server("--port", port, "--split", 997, "--delay", 30) as server:
        process = subprocess.Popen(world.sync_command(port, "--delete", "--quiet"),
                                   env=world.environment(), stderr=subprocess.PIPE, text=True)  # fmt: skip
        server.wait_for(r"S: <body", 3)
        process.send_signal(number)
        errors = process.communicate(timeout=DEADLINE)[1]
        assert process.returncode == 75 and "stopped by a signal" in errors
        some = len(world.delivered())
        assert 0 < some < 30
        assert world.unfinished() == []
        with sqlite3.connect(world.state) as db:
            (recorded,) = db.execute("SELECT count(*) FROM message WHERE standing IN (2, 5)").fetchone()
        db.close()
        assert recorded == some
    with world.server("--port", port, "--delete") as server:
        world.sync(port, "--delete")
        assert len(server.commands("RETR")) == 30 - some
    assert numbers(world) == list(range(30))


def test_it_stays_and_comes_again_until_a_signal_ends_it(world):
    world.fill(1)
    with world.server() as server:
        process = subprocess.Popen(world.sync_command(server.port, "--quiet", "--every", "1ms"),
                                   env=world.environment())  # fmt: skip
        server.wait_for("C: QUIT", 3)
        process.terminate()
        assert process.wait(DEADLINE) == 0
    assert numbers(world) == [0]


# ---- many accounts ----


def many(world, count, lines):
    config = world.path / "config/pop3"
    config.mkdir(parents=True)
    (config / "config").write_text(
        f"state = {world.state}\npassword-file = {world.password_file}\nallow-plaintext = yes\n"
        f"host = 127.0.0.1\ntls = none\nconnect-timeout = 60s\n{lines}\n")  # fmt: skip
    (config / "config").chmod(0o600)
    with open(config / "config", "a") as file:
        for i in range(count):
            file.write(f"[a{i}]\nuser = user{i}\nmaildir = {world.path}/M/{i}\n")
    return config / "config"


def test_two_hundred_accounts_in_one_run_and_three_bad_ones_among_them(world, certs, port):
    """One server hangs, one refuses, one has a bad certificate: the others get their mail."""
    world.fill(3)
    hanging = socket.create_server(("127.0.0.1", 0))
    bad = world.server("--tls", "--cert", certs / "expired.pem", "--key", certs / "expired.key")
    with hanging, world.server() as server, bad as tls:
        config = many(world, 200, f"port = {server.port}")
        text = config.read_text()
        text = text.replace("[a50]\n", f"[a50]\nport = {hanging.getsockname()[1]}\n"
                            "connect-timeout = 2s\n")  # fmt: skip
        text = text.replace("[a60]\n", f"[a60]\nport = {port}\n")
        text = text.replace("[a70]\n", f"[a70]\nport = {tls.tls_port}\ntls = tls\n"
                            f"ca-file = {certs}/ca.pem\n")  # fmt: skip
        config.write_text(text)
        done = subprocess.run([COMMAND, "sync", "--json", "--per-host", "16"],
                              env=world.environment(), capture_output=True, text=True,
                              timeout=DEADLINE)  # fmt: skip
    over = {e["account"]: e for e in map(json.loads, done.stdout.splitlines())
            if e["event"] == "over"}  # fmt: skip
    failed = {name: e for name, e in over.items() if e["status"] != 0}
    assert set(failed) == {"a50", "a60", "a70"}, (failed, done.stderr)
    assert len(over) == 200, done.stderr
    assert "did not answer" in failed["a50"]["error"]
    assert "Connection refused" in failed["a60"]["error"]
    assert "expired" in failed["a70"]["error"]
    assert done.returncode == 69
    for i in set(range(200)) - {50, 60, 70}:
        assert world.delivered(world.path / f"M/{i}") == world.on_server(), i


def test_one_mailbox_that_is_named_twice_is_worked_on_once_at_a_time(world):
    world.fill(5)
    with world.server("--delay", 5) as server:
        command = world.sync_command(server.port)
        url = command[2]
        subprocess.run([*command[:3], url, url, *command[3:]], env=world.environment(), check=True,
                       timeout=DEADLINE)  # fmt: skip
        assert len(server.commands("RETR")) == 5
    assert numbers(world) == list(range(5))


def test_no_more_accounts_are_at_work_on_one_host_than_allowed(world):
    world.fill(1)
    with world.server("--delay", 20) as server:
        many(world, 8, f"port = {server.port}\njobs = 8\nper-host = 2")
        subprocess.run([COMMAND, "sync", "--quiet"], env=world.environment(), check=True,
                       timeout=DEADLINE)  # fmt: skip
        most = now = 0
        for line in server.lines:
            now += " open" in line
            now -= bool(re.match(r"\d+ close", line))
            most = max(most, now)
    assert most <= 3, most  # a session's end is noted a moment later
