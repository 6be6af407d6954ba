"""Programs on libpop3-collect: one of 60 lines, and one with a target of its own, killed at every marked point of the
order of effects and run again: each message is there exactly once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "tests/sync"))

from conftest import fast_world, world  # noqa: E402, F401 (fixtures)
from world import DEADLINE, certificates, message  # noqa: E402

MAIL_PROGRAM = os.environ.get("POP3_MAIL_PROGRAM", str(ROOT / "build/examples/mail_program"))
COLLECT_FILES = os.environ.get("POP3_COLLECT_FILES", str(ROOT / "build/examples/collect_files"))
COLLECT_LOOP = os.environ.get("POP3_COLLECT_LOOP", str(ROOT / "build/examples/collect_loop"))
COLLECT_CRASH = os.environ.get("POP3_COLLECT_CRASH", str(ROOT / "build/tests/collect/collect-files-crash"))
MESSAGES = 70

# Every marked point that a target with callbacks comes to, and at which of its passings to die.
POINTS = [
    ("intents-recorded", 1),
    ("target-begin", 1),
    ("target-begin", MESSAGES // 2),
    ("target-write", 2),
    ("target-finished", 1),
    ("target-finished", MESSAGES),
    ("before-commit", 1),
    ("before-commit", 2),
    ("committed", 1),
    ("committed", 2),
    ("delivered-recorded", 1),
    ("dele-answered", 1),
    ("dele-answered", MESSAGES),
    ("leaving-recorded", 1),
    ("before-quit", 1),
    ("quit-answered", 1),
    ("gone-recorded", 1),
]


def collect(world, port, *options, point=None):
    """Runs the program; returns its exit status and what it said."""
    env = world.environment()
    if point is not None:
        env["POP3_TEST_CRASH_AT"] = f"{point[0]}:{point[1]}"
    program = COLLECT_CRASH if point is not None else COLLECT_FILES
    done = subprocess.run([program, *options, "127.0.0.1", str(port), "user", str(world.path / "files")], env=env,
                          input="secret\n", capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
    return done.returncode, done.stderr


def kept(world):
    """The messages that the target has, sorted."""
    return sorted(f.read_bytes() for f in (world.path / "files").iterdir() if not f.name.startswith("."))


def expected():
    return sorted(message(i, 5).encode() for i in range(MESSAGES))


# Those at which it matters whether the target can be asked.
BLIND_POINTS = [("target-finished", 1), ("before-commit", 1), ("committed", 1), ("committed", 2), ("delivered-recorded", 1)]


@pytest.mark.parametrize(
    "options, point", [([], p) for p in POINTS] + [(["--blind"], p) for p in BLIND_POINTS],
    ids=lambda v: f"{v[0]}-{v[1]}" if isinstance(v, tuple) else "blind" if v else "asked")  # fmt: skip
def test_a_target_of_the_programs_own_killed_at_a_marked_point(fast_world, options, point):
    world = fast_world
    world.fill(MESSAGES, lines=5)
    with world.server("--delete") as server:
        status, _ = collect(world, server.port, *options, "--delete", point=point)
        assert status == -signal.SIGKILL, "the point was not reached"
        server.settle()
        there = set(kept(world)) | set(world.on_server())
        assert there == set(expected()), "a message is on neither side"
        status, errors = collect(world, server.port, *options, "--delete")
        assert status == 0, errors
        server.settle()
        assert world.on_server() == []
    assert kept(world) == expected()
    # Whoever can be asked gets nothing twice; others do, under the same name.
    again = errors.count("is delivered again")
    assert again == 0 or (options == ["--blind"] and point[0] == "committed"), errors
    if options == ["--blind"] and point == ("committed", 1):
        assert again > 0
    left = {f.name for f in (world.path / "files").iterdir() if f.name.startswith(".")}
    assert left <= {".seen", ".seen-wal", ".seen-shm"}, "what was begun is replaced when it comes again"


@pytest.mark.parametrize("options", [[], ["--blind"]], ids=["asked", "blind"])
def test_a_message_that_took_the_place_of_one_that_was_delivered_is_delivered_before_it_is_deleted(fast_world, options):
    """Under its unique-id, with its header and its size."""
    world = fast_world
    mails = [f"Subject: ALARM\n\nsensor {n}\n" for n in range(4)]
    for n in range(3):
        world.put(f"{n}", mails[n])
    with world.server("--delete") as server:
        status, _ = collect(world, server.port, *options, "--delete", point=("committed", 1))
        assert status == -signal.SIGKILL
        server.settle()
        world.put("1", mails[3])
        for _ in range(2):
            _, errors = collect(world, server.port, *options, "--delete")
        server.settle()
        assert world.on_server() == [], errors
    assert kept(world) == sorted(mail.encode() for mail in mails)


def test_the_mail_program_shows_what_is_new_once(world, tmp_path):
    certs = certificates(tmp_path / "certs")
    for file in (ROOT / "examples/mail").iterdir():
        world.put(file.name, file.read_bytes())
    count = len(list(world.drop.iterdir()))
    with world.server("--tls", "--cert", certs / "good.pem", "--key", certs / "good.key") as server:
        command = [MAIL_PROGRAM, "localhost", str(server.tls_port), "me", str(world.maildir), str(certs / "ca.pem")]
        for _ in range(2):
            done = subprocess.run(command, env=world.environment(), input="secret\n", capture_output=True, text=True,
                                  encoding="utf-8", timeout=DEADLINE)  # fmt: skip
            assert done.returncode == 0, done.stderr
            assert done.stdout.count("From: ") == count
            assert "Subject: Café d'hiver : le goûter des voisins déménage\n" in done.stdout
            assert "From: 田中 由美 <yumi@example.com>\n" in done.stdout
        assert len(server.commands("RETR")) == count
        bad = subprocess.run([*command[:5], str(certs / "other-ca.pem")], env=world.environment(), input="secret\n",
                             capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
        assert bad.returncode == 1 and bad.stderr
    assert len(world.delivered()) == count


def test_the_mail_program_has_60_lines():
    lines = (ROOT / "examples/mail_program.c").read_text().splitlines()
    assert len(lines) <= 60


def test_the_program_with_a_loop_collects_the_mail_of_a_hundred_users_over_tls(world, tmp_path):
    certs = certificates(tmp_path / "certs")
    users = [f"user{i}" for i in range(100)]
    world.fill(3)
    files = world.path / "files"
    files.mkdir()
    with world.server("--tls", "--cert", certs / "good.pem", "--key", certs / "good.key") as server:
        command = [COLLECT_LOOP, "localhost", str(server.tls_port), str(certs / "ca.pem"), str(files), *users]
        for found in (3, 0):
            done = subprocess.run(command, env=world.environment(), input="secret\n", capture_output=True, text=True,
                                  timeout=DEADLINE, check=False)  # fmt: skip
            assert (done.returncode, done.stderr) == (0, "")
            assert sorted(done.stdout.splitlines()) == sorted(f"{user}: {found} new messages" for user in users)
    for user in users:
        assert len(list((files / user / "new").iterdir())) == 3
