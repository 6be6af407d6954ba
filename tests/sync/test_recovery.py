"""What a run that was killed had delivered counts, whatever a mail reader did to it since."""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess

import pytest

from world import COMMAND, CRASH_COMMAND, DEADLINE, message


def killed(world, port, *options, point="folder-synced"):
    """A run that dies when its messages are delivered, and not recorded."""
    command = world.sync_command(port, *options, command=CRASH_COMMAND)
    done = subprocess.run(command, env=world.environment(POP3_TEST_CRASH_AT=point), timeout=DEADLINE, check=False)
    assert done.returncode == -signal.SIGKILL


def read(world, behind):
    """A reader moves what is new to cur/ and puts something behind its names."""
    for file in list((world.maildir / "new").iterdir()):
        file.rename(world.maildir / "cur" / (file.name + behind))


SERVERS = {
    "no UIDL": ["--refuse", "UIDL"],
    "equal unique-ids": ["--script"],
    "unique-ids": [],
}

EQUAL = 'on UIDL {\n line "+OK"\n line "1 same"\n line "2 same"\n line "3 same"\n line "."\n}\nserve\n'


def served(world, kind):
    if kind != "equal unique-ids":
        return world.server(*SERVERS[kind])
    (world.path / "equal").write_text(EQUAL)
    return world.server("--script", world.path / "equal")


@pytest.mark.parametrize("behind", [":2,S", "", ",U=1:2,S", ",S=123:2,", ";2,S", "!2,RS"], ids=repr)
@pytest.mark.parametrize("kind", SERVERS)
def test_a_message_that_a_reader_has_moved_is_not_delivered_again(world, kind, behind):
    world.fill(3)
    with served(world, kind) as server:
        killed(world, server.port)
        read(world, behind)
        world.sync(server.port)
        world.sync(server.port)
    assert world.delivered() == sorted(message(i).encode() for i in range(3))


@pytest.mark.parametrize("added", [["--received"], ["--delivered-to", "me"], ["--received", "--delivered-to", "me"]], ids=" ".join)
def test_lines_that_were_added_do_not_make_it_another_message(world, added):
    world.fill(3)
    with world.server("--refuse", "UIDL") as server:
        killed(world, server.port, *added)
        world.sync(server.port, *added)
    assert len(world.delivered()) == 3


def test_a_header_longer_than_what_is_kept_of_it_is_known_again(world):
    fields = "".join(f"X-Field-{i}: {'x' * 60}\n" for i in range(1200))
    assert len(fields) > 64 * 1024
    world.put("1", fields + "Subject: end\n\nbody\n")
    with world.server("--refuse", "UIDL") as server:
        killed(world, server.port)
        world.sync(server.port)
    assert len(world.delivered()) == 1


def test_a_second_name_in_tmp_is_removed(world):
    """btrfs may keep both names of a file that was renamed before the power went."""
    world.fill(2)
    with world.server() as server:
        killed(world, server.port)
        for file in (world.maildir / "new").iterdir():
            (world.maildir / "tmp" / file.name).hardlink_to(file)
        world.sync(server.port)
    assert len(world.delivered()) == 2
    assert list((world.maildir / "tmp").iterdir()) == []


def lie(world, target, name):
    """Writes into the state what somebody could who had taken over a run: an intent somewhere else, under a name."""
    with contextlib.closing(sqlite3.connect(world.state)) as state, state:
        state.execute("UPDATE account SET target=?", (target,))
        state.execute("UPDATE message SET standing=1, name=?", (name,))


def names_below(path):
    return sorted(str(p.relative_to(path)) for p in path.rglob("*"))


@pytest.mark.parametrize("kind", ["mbox", "maildir"])
def test_a_target_that_only_the_state_knows_of_is_not_believed(world, kind):
    """A run that was taken over could write it there, to have the next one reach further."""
    world.fill(1)
    other = world.path / "other"
    for name in ("new", "cur", "tmp"):
        (other / name).mkdir(parents=True)
    (other / "tmp" / "precious").write_text("somebody's")
    (other / "precious").write_text("From here on\n\nit is no mbox\n")
    stale = other / "precious.lock"  # a run that delivers to the mbox takes it away
    stale.write_text(f"1\npop3 00000000-0000-4000-8000-000000000000 {socket.gethostname()}\n")
    os.utime(stale, (1, 1))
    before = names_below(other)
    with world.server() as server:
        world.sync(server.port)
        lie(world, f"mbox:{other}/precious" if kind == "mbox" else f"maildir:{other}", "precious")
        world.sync(server.port)
    assert names_below(other) == before
    assert len(world.delivered()) == 2, "what may not have been delivered is retrieved again"


@pytest.mark.parametrize("name", ["../cur/precious", "/{}/precious", "..", "."])
def test_an_intent_whose_name_is_none_removes_nothing(world, name):
    world.fill(1)
    precious = [world.maildir / "cur" / "precious", world.path / "precious"]
    with world.server() as server:
        world.sync(server.port)
        for file in precious:
            file.write_text("somebody's")
        lie(world, f"maildir:{world.maildir}", name.format(world.path))
        world.sync(server.port)
    assert all(file.exists() for file in precious)


def test_an_account_that_delivers_elsewhere_now_is_asked_at_its_old_target_first(world):
    world.fill(3)
    with world.server() as server:
        killed(world, server.port)
        old, world.maildir = world.maildir, world.path / "another"
        world.sync(server.port)
    assert len(world.delivered(old)) == 3 and not world.delivered()


@pytest.mark.parametrize("place", ["new", "cur"])
@pytest.mark.parametrize("kind", ["FIFO", "directory", "link", "link to nowhere"])
def test_what_is_no_file_under_a_messages_name_is_no_message(world, kind, place):
    """It holds nothing up, and nothing is read through it; the mail comes once more."""
    world.fill(1)
    with world.server("--refuse", "UIDL") as server:
        killed(world, server.port)
        (file,) = (world.maildir / "new").iterdir()
        put = world.maildir / place / (file.name + (":2,S" if place == "cur" else ""))
        file.unlink()
        if kind == "FIFO":
            os.mkfifo(put)
        elif kind == "directory":
            put.mkdir()
        else:
            put.symlink_to(world.drop / "000000" if kind == "link" else world.path / "nowhere")
        world.sync(server.port)
        files = [f for f in (world.maildir / "new").iterdir() if f.is_file() and not f.is_symlink()]
        assert len(files) == 1
        assert os.path.lexists(put)


def test_a_spool_waits_for_its_account_however_long_that_is_not_configured(world):
    world.fill(2)
    mbox = world.path / "mbox"

    def command(server, program=COMMAND):
        line = world.sync_command(server.port, "--delete", command=program)
        line[line.index("--maildir") : line.index("--maildir") + 2] = ["--mbox", str(mbox)]
        return line

    def run(server, **more):
        return subprocess.run(command(server, **more), env=world.environment(POP3_TEST_CRASH_AT="mbox-appended"),
                              timeout=DEADLINE, check=False, capture_output=True, text=True)  # fmt: skip

    def spools():
        return [path.name for path in world.path.glob("mbox.pop3-*")]

    with world.server() as first, world.server("--refuse", "RETR") as another:
        assert run(first, program=CRASH_COMMAND).returncode == -signal.SIGKILL
        left, before = spools(), mbox.read_bytes()
        assert len(left) == 1 and before.count(b"\nFrom ") == 1
        run(another)
        assert spools() == left and mbox.read_bytes() == before
        assert run(first).returncode == 0
    assert spools() == [] and mbox.read_bytes() == before


@pytest.mark.parametrize("options", [[], ["--no-pipelining"]])
def test_a_message_that_has_the_unique_id_of_one_that_a_killed_run_delivered_is_not_deleted_unread(world, options):
    """Another client deleted that one meanwhile, and the server gave its unique-id again."""
    world.fill(2)
    with world.server("--delete", *options) as server:
        killed(world, server.port, "--delete")
        world.put("000000", message(7, lines=3))
        world.sync(server.port, "--delete")
    assert world.delivered() == sorted(message(i, lines).encode() for i, lines in ((0, 20), (1, 20), (7, 3)))
    assert world.on_server() == []


def test_what_an_intent_without_a_name_left_in_tmp_is_removed(world):
    """So is what a list or another message has: its intent has no name until the next one."""
    world.fill(3)
    with world.server() as server:
        killed(world, server.port, point="before-sync")
        assert world.unfinished() != []
        with sqlite3.connect(world.state) as db:
            db.execute("UPDATE message SET name = ''")
        db.close()
        world.drop.joinpath("000000").unlink()  # nothing is asked for that would be written under the same name
        world.sync(server.port)
    assert world.unfinished() == []
    assert len(world.delivered()) == 2
