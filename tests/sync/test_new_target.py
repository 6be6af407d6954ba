"""`--from-now-on`, for first runs and for a target that has changed; `--from-the-start` and `--continue`: what is known of an
account is of the target that has the mail."""

import json
import signal
import sqlite3
import subprocess

import pytest

from lmtpd import running
from sent import bodies, expected
from test_uid_reuse import NO_UIDL, play_each, uidl
from test_out_of_step import ODD, TWICE, WRONG, script_file
from world import COMMAND, CRASH_COMMAND, DEADLINE, World

PASSED_OVER, UNPROVEN = 6, 7  # as the state has it


def numbers(world, path=None):
    return sorted(int(text.split(b"Subject: number ")[1].split()[0]) for text in world.delivered(path))


def standings(world):
    db = sqlite3.connect(world.state)
    found = [row[0] for row in db.execute("SELECT standing FROM message ORDER BY id")]
    db.close()
    return found


def target_of(world):
    db = sqlite3.connect(world.state)
    (found,) = db.execute("SELECT target FROM account").fetchone()
    db.close()
    return found


def rename_account(world, port):
    """The account is at another port now."""
    db = sqlite3.connect(world.state)
    with db:
        db.execute("UPDATE account SET key = ?", (f"user@127.0.0.1:{port}",))
    db.close()


def elsewhere(world):
    """The same account, with another target."""
    other = World(world.path)
    other.servers, other.maildir = world.servers, world.path / "another"
    return other


# ---- from now on ----


@pytest.mark.parametrize("options", [(), ("--delete",), ("--kill-size", "1"), ("--max-size", "1"), ("--filter", "exit 1"),
                                     ("--limit", "1")])  # fmt: skip
def test_what_is_on_the_server_counts_as_seen_and_is_neither_retrieved_nor_deleted(world, options):
    world.fill(5)
    with world.server("--delete") as server:
        told = world.sync(server.port, "--from-now-on", *options)
        assert "5 count as seen" in told
        assert server.commands("RETR") == server.commands("DELE") == server.commands("TOP") == []
        assert standings(world) == [PASSED_OVER] * 5
        world.fill(1, first=5)
        world.sync(server.port, "--delete")
        assert len(server.commands("DELE")) == 1
    assert numbers(world) == [5]
    assert len(world.on_server()) == 5


def test_what_counts_as_seen_is_not_deleted_by_its_age_either(world):
    world.fill(2)
    with world.server("--delete") as server:
        world.sync(server.port, "--from-now-on")
        db = sqlite3.connect(world.state)
        with db:
            db.execute("UPDATE message SET time = time - 99 * 86400")
        db.close()
        world.sync(server.port, "--delete-after", "1d")
        assert server.commands("DELE") == []


def test_what_an_interrupted_run_has_not_delivered_counts_as_seen_and_what_it_has_delivered_as_delivered(world):
    world.fill(4)
    with world.server("--delete") as server:
        world.sync(server.port, "--limit", "2")
        assert "2 count as seen" in world.sync(server.port, "--from-now-on", "--delete")
        assert server.commands("DELE") == []  # that is another run's
        world.sync(server.port, "--delete")
    assert numbers(world) == [0, 1]
    assert len(world.on_server()) == 2


def test_an_empty_mailbox_has_its_target_from_now_on_too(world):
    with world.server() as server:
        assert "0 new messages" in world.sync(server.port, "--from-now-on")
    assert target_of(world) == f"maildir:{world.maildir}"


@pytest.mark.parametrize("uids", ["none", "numbers", "twice"])
def test_messages_without_unique_ids_of_their_own_are_told_apart_by_their_headers(world, uids):
    """Then it costs a TOP for each."""
    world.fill(4)
    asked = {"none": 4, "numbers": 4, "twice": 2}[uids]
    ids = {"none": [], "numbers": [1, 2, 3, 4, 5], "twice": ["a", "b", "a", "c", "d"]}[uids]

    def server(count):
        script = "" if uids == "none" else uidl(*enumerate(ids[:count], 1))
        return play_each(world, [script], "--delete", *(NO_UIDL if uids == "none" else []))

    with server(4) as first:
        world.sync(first.port, "--from-now-on")
        assert len(first.commands("TOP")) == asked and first.commands("RETR") == []
    world.fill(1, first=4)
    with server(5) as second:
        rename_account(world, second.port)
        world.sync(second.port, "--delete")
        assert len(second.commands("DELE")) == 1 and len(second.commands("RETR")) == 1
    assert len(world.on_server()) == 4
    assert numbers(world) == [4]


def test_it_is_for_one_run_and_for_accounts_that_are_named(world):
    config = world.path / "config"
    config.write_text("maildir = Maildir\n[a]\nurl = pop3://a@127.0.0.1:1\n[b]\nurl = pop3://b@127.0.0.1:1\n")
    for words in (["--every", "1h", "a"], [], ["--continue", "a"], ["--from-the-start", "a"]):
        done = subprocess.run([COMMAND, "sync", "--config", config, "--state", world.state, "--from-now-on", *words],
                              env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
        assert done.returncode == 64 and "--from-now-on" in done.stderr, done.stderr
    assert not world.state.exists()


def test_a_dry_run_says_what_would_be_passed_over_and_records_nothing(world):
    world.fill(3)
    with world.server() as server:
        assert world.sync(server.port, "--from-now-on", "--dry-run").count("would pass over message") == 3
        world.sync(server.port)
    assert numbers(world) == [0, 1, 2]


# ---- a target that has changed ----


def test_a_changed_target_is_told_and_nothing_is_delivered_or_deleted_until_the_user_chooses(world):
    world.fill(2)
    with world.server("--delete") as server:
        world.sync(server.port)
        other = elsewhere(world)
        world.fill(1, first=2)
        for options in ((), ("--dry-run",), ("--delete",)):
            told = other.sync(server.port, *options, status=78)
            assert f"maildir:{world.maildir};" in told and f"maildir:{other.maildir}:" in told
            assert all(word in told for word in ("--from-now-on", "--from-the-start", "--continue"))
        assert server.commands("DELE") == [] and len(server.commands("RETR")) == 2
        world.sync(server.port)  # the old one is as good as before
    assert numbers(world) == [0, 1, 2]
    assert not other.maildir.exists() or numbers(other) == []


@pytest.mark.parametrize("choice, there", [("--from-now-on", [3]), ("--from-the-start", [0, 1, 2, 3]),
                                           ("--continue", [2, 3])])  # fmt: skip
def test_the_user_chooses_once(world, choice, there):
    world.fill(2)
    with world.server("--delete") as server:
        world.sync(server.port)
        other = elsewhere(world)
        world.fill(1, first=2)
        other.sync(server.port, choice)
        assert target_of(world) == f"maildir:{other.maildir}"
        world.fill(1, first=3)
        other.sync(server.port)
        if choice != "--from-now-on":
            other.sync(server.port, choice)  # again, it changes nothing
        other.sync(server.port, "--delete")
    assert numbers(world) == [0, 1]
    assert numbers(other) == there
    assert len(world.on_server()) == (3 if choice == "--from-now-on" else 0)


def test_another_recipient_of_one_lmtp_server_is_another_target(world):
    world.fill(2, lines=5)

    def sync(port, where, recipient, *options):
        return subprocess.run(
            [COMMAND, "sync", f"pop3://user@127.0.0.1:{port}", "--lmtp", where, "--recipient", recipient, "--state",
             world.state, "--password-file", world.password_file, "--allow-plaintext", *options],
            env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip

    with world.server() as server, running(world.path / "lmtp") as lmtpd:
        assert sync(server.port, lmtpd.where, "ann@example.org").returncode == 0
        assert sync(server.port, lmtpd.where, "ann@example.org").returncode == 0
        told = sync(server.port, lmtpd.where, "bob@example.org")
        assert told.returncode == 78
        assert f"lmtp:{lmtpd.where} ann@example.org;" in told.stderr, told.stderr
        assert f"lmtp:{lmtpd.where} bob@example.org:" in told.stderr
        assert sync(server.port, lmtpd.where, "bob@example.org", "--from-the-start").returncode == 0
        assert bodies(lmtpd) == sorted(expected(2) * 2)


def test_one_directory_by_two_names_is_one_target(world):
    world.fill(1)
    with world.server() as server:
        world.sync(server.port)
        other = elsewhere(world)
        other.maildir = world.path / "drop" / ".." / "Maildir"
        other.sync(server.port)
        other.maildir = world.path / "link"
        other.maildir.symlink_to(world.maildir)
        other.sync(server.port)
    assert numbers(world) == [0]


@pytest.mark.parametrize("target", ["NULL", "'lmtp:host:24'"])
def test_a_state_of_an_earlier_version_is_of_the_present_target(world, target):
    """It did not note recipients; nor, before it had delivered, any target."""
    world.fill(2)
    with world.server() as server, running(world.path / "lmtp") as lmtpd:
        world.sync(server.port, "--from-now-on")
        db = sqlite3.connect(world.state)
        with db:
            db.execute(f"UPDATE account SET target = {target}".replace("host:24", lmtpd.where))
            db.execute("ALTER TABLE message DROP COLUMN broke")
            db.execute("ALTER TABLE message DROP COLUMN members")
            db.execute("PRAGMA user_version=4")
        db.close()
        words = world.sync_command(server.port)
        at = words.index("--maildir")
        words[at:at + 2] = ["--lmtp", lmtpd.where, "--recipient", "me@example.org"]
        subprocess.run(words, env=world.environment(), check=True, timeout=DEADLINE)
        assert lmtpd.mails == []


def test_the_other_accounts_go_on(world):
    world.fill(1)
    config = world.path / "accounts"
    with world.server() as server:
        def sync(place, status):
            one = f"url = pop3://{{0}}@127.0.0.1:{server.port}\npassword-file = {world.password_file}\nallow-plaintext = yes\n"
            config.write_text(f"[a]\n{one.format('a')}maildir = {world.path}/{place}\n"
                              f"[b]\n{one.format('b')}maildir = {world.path}/b\n")  # fmt: skip
            words = [COMMAND, "sync", "--config", config, "--state", world.state, "--json"]
            done = subprocess.run(words, env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)
            assert done.returncode == status, done.stderr
            return [json.loads(line) for line in done.stdout.splitlines()]

        sync("a", 0)
        world.fill(1, first=1)
        over = {e["account"]: e for e in sync("elsewhere", 78) if e["event"] == "over"}
    assert over["a"]["status"] == 78 and over["a"]["delivered"] == 0
    assert over["b"]["status"] == 0 and over["b"]["delivered"] == 1


# ---- crashes ----


BEFORE = ["intents-recorded", "folder-synced", "quit-answered"]


@pytest.mark.parametrize("again", [True, False], ids=["chosen again", "chosen once"])
@pytest.mark.parametrize("choice, there, points", [
    ("--from-now-on", [], ["before-quit", "passed-over"]),
    ("--from-the-start", [0, 1, 2], ["taken-over", *BEFORE]),
    ("--continue", [2], ["taken-over", *BEFORE])])  # fmt: skip
def test_a_choice_is_made_as_a_whole_or_not_at_all(world, choice, there, points, again):
    """Killed at each point at which something is recorded; then the user chooses the same again, or has chosen."""
    world.fill(3)
    for point in points:
        home = world.path / point
        home.mkdir()
        one = World(home)
        one.drop = world.drop
        with one.server() as server:
            one.sync(server.port, "--limit", "2")
            other = elsewhere(one)
            killed = subprocess.run(
                other.sync_command(server.port, choice, command=CRASH_COMMAND),
                env=other.environment(POP3_TEST_CRASH_AT=point), capture_output=True, timeout=DEADLINE)  # fmt: skip
            assert killed.returncode == -signal.SIGKILL, (point, killed.stderr)
            server.settle()
            assert target_of(one) == f"maildir:{other.maildir}"
            other.sync(server.port, *([choice] if again else []))
        assert (numbers(other) if other.maildir.exists() else []) == there, point


def test_what_was_delivered_in_doubt_is_known_of_its_target_too(world):
    """Else it would count as delivered to the other one when it comes again as it was."""
    world.fill(1)
    with world.server("--delete", "--script", script_file(world, TWICE)) as server:
        world.sync(server.port, "--delete", status=75)
    assert standings(world) == [UNPROVEN] and world.delivered() == [WRONG]
    other = elsewhere(world)
    with world.server("--delete", "--script", script_file(world, f"{ODD}serve")) as server:
        rename_account(world, server.port)
        assert "--from-the-start" in other.sync(server.port, "--delete", status=78)
        assert len(world.on_server()) == 1
        other.sync(server.port, "--delete", "--from-the-start")
    assert other.delivered() == [WRONG] and world.on_server() == []
