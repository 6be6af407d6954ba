"""Where mail is delivered besides Maildir: mbox and command; line ends; added lines."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from world import COMMAND, CRASH_COMMAND, DEADLINE, message, needs_same_clock, read_mbox


def sync_to(world, port, *target, status=0, command=COMMAND, crash=None):
    """Runs sync to a target other than the Maildir."""
    words = [command, "sync", f"pop3://user@127.0.0.1:{port}", *map(str, target),
             "--state", str(world.state), "--password-file", str(world.password_file),
             "--allow-plaintext", "--quiet"]  # fmt: skip
    env = world.environment()
    if crash is not None:
        env["POP3_TEST_CRASH_AT"] = crash
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == status, (done.returncode, done.stderr)
    return done.stderr


def test_an_mbox_gets_every_message_quoted_so_that_it_can_be_read_back(world):
    world.put("1", "From: a@example.org\n\nFrom here on\n>From there\n>>From far\nFro\n>\n")
    world.put("2", "Return-Path: <bounce@example.org>\nFrom: a@b\n\nno line end")
    world.put("3", message(3))
    mbox = world.path / "mbox"
    with world.server() as server:
        sync_to(world, server.port, "--mbox", mbox)
        sync_to(world, server.port, "--mbox", mbox)
    text = mbox.read_text()
    assert text.startswith("From a@example.org ")
    assert "\nFrom bounce@example.org " in text
    assert "\n>From here on\n>>From there\n>>>From far\nFro\n>\n" in text
    delivered = read_mbox(mbox)
    assert len(delivered) == 3
    assert delivered[0] == (world.drop / "1").read_bytes()
    assert delivered[1] == (world.drop / "2").read_bytes() + b"\n"
    assert delivered[2] == (world.drop / "3").read_bytes()
    assert sorted(os.listdir(world.path)) == [
        "drop", "mbox", "password", "state.db"]  # fmt: skip


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_of_a_maildir_is_named_by_its_path_and_made_when_it_is_missing(world, there):
    world.fill(3)
    maildir = world.path / "Mail"
    if there:
        for name in ("cur", "new", "tmp"):
            (maildir / name).mkdir(parents=True)
    with world.server() as server:
        sync_to(world, server.port, "--maildir", maildir / ".Old.Shop")
    assert sorted(world.delivered(maildir / ".Old.Shop")) == sorted(world.on_server())
    assert not there or world.delivered(maildir) == []


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "\r\n\r\n", "\r\n"], ids=repr)
def test_what_another_program_did_not_end_in_an_mbox_is_ended(world, end):
    world.fill(2)
    mbox = world.path / "mbox"
    before = b"From somebody Thu Jan  1 00:00:00 1970\nSubject: was here before\n\ncut off" + end.encode()
    mbox.write_bytes(before)
    with world.server() as server:
        sync_to(world, server.port, "--mbox", mbox)
    missing = {"": b"\n\n", "\n": b"\n", "\r\n": b"\n"}.get(end, b"")
    assert mbox.read_bytes().startswith(before + missing + b"From ann@")
    assert sorted(read_mbox(mbox)[1:]) == [message(i).encode() for i in range(2)]


def test_an_mbox_that_another_program_has_locked_is_waited_for(world):
    world.fill(2)
    mbox = world.path / "mbox"
    lock = world.path / "mbox.lock"
    holder = subprocess.Popen(["sleep", "600"])
    lock.write_text(f"{holder.pid}\n")
    try:
        with world.server() as server:
            process = subprocess.Popen(
                [COMMAND, "sync", f"pop3://user@127.0.0.1:{server.port}", "--mbox", str(mbox),
                 "--state", str(world.state), "--password-file", str(world.password_file),
                 "--allow-plaintext"], env=world.environment())  # fmt: skip
            server.wait_for(r"S: <body", 2)
            assert not mbox.exists()
            lock.unlink()
            assert process.wait(DEADLINE) == 0
    finally:
        holder.kill()
        holder.wait()
    assert len(read_mbox(mbox)) == 2


def test_the_lock_of_a_program_that_has_died_is_taken_away(world):
    world.fill(1)
    dead = subprocess.Popen(["true"])
    dead.wait()
    (world.path / "mbox.lock").write_text(f"{dead.pid}\n")
    os.utime(world.path / "mbox.lock", (time.time() - 400,) * 2)
    with world.server() as server:
        sync_to(world, server.port, "--mbox", world.path / "mbox")
    assert len(read_mbox(world.path / "mbox")) == 1
    assert not (world.path / "mbox.lock").exists()


def boot_time() -> float:
    return time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)


def namespace() -> int:
    return os.stat("/proc/self/ns/pid").st_ino


@pytest.mark.parametrize("content", ["", "no number\n", "1\n"], ids=repr)
def test_a_lock_from_before_the_boot_is_taken_away(world, content):
    world.fill(1)
    lock = world.path / "mbox.lock"
    lock.write_text(content)
    os.utime(lock, (boot_time() - 3600,) * 2)
    with world.server() as server:
        sync_to(world, server.port, "--mbox", world.path / "mbox")
    assert len(read_mbox(world.path / "mbox")) == 1
    assert not lock.exists()


@needs_same_clock
def test_a_lock_of_another_host_or_namespace_is_waited_for_however_dead_its_number(world):
    dead = subprocess.Popen(["true"])
    dead.wait()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    host = socket.gethostname()
    lock = world.path / "mbox.lock"
    elsewhere = (f"\npop3 {boot} {namespace()} elsewhere.example\n", f"\npop3 {boot} {namespace() + 1} {host}\n",
                 ":elsewhere.example", "\n")  # as Dovecot writes them, and others, which do not tell where they run
    for number, where in enumerate(elsewhere):
        world.fill(1, first=number)
        lock.write_text(f"{dead.pid}{where}")
        os.utime(lock, (time.time(),) * 2)  # by the clock that the test is given
        with world.server() as server:
            words = ["sync", f"pop3://user@127.0.0.1:{server.port}", "--mbox", world.path / "mbox", "--state",
                     world.path / f"{number}.db", "--password-file", world.password_file,
                     "--allow-plaintext", "--quiet"]  # fmt: skip
            with subprocess.Popen([COMMAND, *map(str, words)], env=world.environment()) as run:
                deadline = time.monotonic() + DEADLINE
                while not list(world.path.glob("mbox.pop3-lock-*")) and time.monotonic() < deadline:
                    time.sleep(0.01)  # a poll for a file
                assert lock.exists()
                lock.unlink()
                assert run.wait(DEADLINE) == 0
    assert len(read_mbox(world.path / "mbox")) == sum(range(1, len(elsewhere) + 1))


@pytest.mark.interrupted("mbox", "killed at marked points")
@pytest.mark.parametrize(
    "point", ["intents-recorded", "mbox-trailer", "mbox-append", "mbox-append:2", "mbox-appended",
              "delivered-recorded", "leaving-recorded", "quit-answered"])  # fmt: skip
def test_an_mbox_gets_each_message_once_whenever_sync_is_killed(world, point):
    for i in range(40):
        world.put(f"{i:03}", message(i, 400))
    mbox = world.path / "mbox"
    mbox.write_text("From somebody Thu Jan  1 00:00:00 1970\nSubject: was here before\n\nold\n\n")
    with world.server("--delete") as server:
        sync_to(world, server.port, "--mbox", mbox, "--delete", status=-signal.SIGKILL,
                command=CRASH_COMMAND, crash=point)  # fmt: skip
        server.settle()
        sync_to(world, server.port, "--mbox", mbox, "--delete")
    delivered = read_mbox(mbox)
    assert delivered[0].startswith(b"Subject: was here before")
    assert sorted(delivered[1:]) == sorted(message(i, 400).encode() for i in range(40))
    assert world.on_server() == []


def test_a_command_is_given_each_message_and_the_sender(world):
    world.fill(3)
    out = world.path / "out"
    with world.server() as server:
        sync_to(world, server.port, "--command", f'echo "$SENDER" >>{out}; cat >>{out}')
    expected = b"".join(b"ann@example.org\n" + message(i).encode() for i in range(3))
    assert out.read_bytes() == expected


def test_a_command_that_says_later_gets_the_message_in_the_next_run(world):
    world.fill(3)
    out = world.path / "out"
    flag = world.path / "flag"
    command = f"if grep -q 'number 1$' && ! test -e {flag}; then exit 75; fi; echo took >>{out}"
    with world.server("--delete") as server:
        told = sync_to(world, server.port, "--delete", "--command", command, status=75)
        assert "it asks to try again later" in told
        assert out.read_text() == "took\n" * 2
        assert len(world.on_server()) == 1
        flag.touch()
        sync_to(world, server.port, "--delete", "--command", command)
    assert out.read_text() == "took\n" * 3
    assert world.on_server() == []


def test_a_command_that_fails_for_one_message_gets_the_others(world):
    world.fill(4)
    out = world.path / "out"
    command = f"if grep -q 'number 2$'; then exit 3; fi; echo took >>{out}"
    with world.server() as server:
        told = sync_to(world, server.port, "--command", command, status=75)
    assert "ended with status 3" in told
    assert out.read_text() == "took\n" * 3


@pytest.mark.parametrize("answer", [3, 75])
def test_a_message_that_a_command_does_not_take_comes_after_the_others(world, answer):
    world.fill(3)
    out = world.path / "out"
    command = f"if grep -q 'number 0$'; then exit {answer}; fi; echo took >>{out}"
    with world.server() as server:
        sync_to(world, server.port, "--limit", "1", "--command", command, status=75)
        sync_to(world, server.port, "--limit", "1", "--command", command)
        sync_to(world, server.port, "--limit", "1", "--command", command)
        sync_to(world, server.port, "--limit", "1", "--command", command, status=75)
    assert out.read_text() == "took\n" * 2



def test_a_signal_ends_the_run_after_the_command_in_hand(world):
    """And not after those for all that has been retrieved. The signal may be noticed when another has begun."""
    world.fill(12)
    begun, go, out = (world.path / name for name in ("begun", "go", "out"))
    os.mkfifo(begun)
    os.mkfifo(go)
    with world.server("--delete") as server:
        words = world.sync_command(server.port, "--delete", "--command",
                                   f"cat >>{out}; [ ! -p {begun} ] || echo >{begun}; read line <{go}")  # fmt: skip
        i = words.index("--maildir")
        del words[i:i + 2]
        process = subprocess.Popen(words, env=world.environment(), stderr=subprocess.PIPE, text=True)
        try:
            begun.read_text()
            begun.unlink()
            server.wait_for("C: RETR 12")
            process.terminate()
            deadline = time.monotonic() + DEADLINE
            while process.poll() is None:
                assert time.monotonic() < deadline
                with contextlib.suppress(OSError), open(os.open(go, os.O_WRONLY | os.O_NONBLOCK), "wb") as file:
                    file.write(b"\n")  # unless no command waits
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.1)
        finally:
            process.kill()
        assert "stopped by a signal" in process.stderr.read() and process.returncode == 75
        assert out.read_bytes().count(b"Message-ID:") < 12
        sync_to(world, server.port, "--continue", "--delete", "--command", f"cat >>{out}")
    assert out.read_bytes() == b"".join(message(i).encode() for i in range(12))


def test_a_second_signal_ends_a_run_whose_command_does_not_end(world):
    world.fill(2)
    begun, go = world.path / "begun", world.path / "go"
    os.mkfifo(begun)
    os.mkfifo(go)
    out = world.path / "out"
    command = f"echo >{begun}; read line <{go}; cat >>{out}"
    with world.server("--delete") as server:
        words = world.sync_command(server.port, "--delete", "--command", command)
        i = words.index("--maildir")
        del words[i:i + 2]
        process = subprocess.Popen(words, env=world.environment())
        try:
            begun.read_text()
            process.terminate()
            assert process.poll() is None
            deadline = time.monotonic() + DEADLINE
            while process.poll() is None:  # what comes together with the first counts as the first
                assert time.monotonic() < deadline
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.1)
            assert process.returncode == -signal.SIGTERM
        finally:
            process.kill()
            process.wait(DEADLINE)
            go.write_text("\n")  # what it ran ends too
        assert server.commands("DELE") == []
        sync_to(world, server.port, "--delete", "--command", f"cat >>{world.path}/again")
    assert (world.path / "again").read_bytes() == b"".join(message(i).encode() for i in range(2))
    assert world.on_server() == []


@pytest.mark.parametrize("how", [[], ["--delete"]])
def test_quit_comes_after_the_last_delivery_whether_or_not_it_deletes(world, how):
    """A server may delete what was retrieved when it is told QUIT (RFC 1939 section 8): each command leaves a mark in the
    server's transcript, and reads the answer to it."""
    world.fill(3)
    with world.server(*how) as server:
        mark = (f"import socket; f = socket.create_connection(('127.0.0.1', {server.port})).makefile('rwb'); "
                "f.readline(); f.write(b'XMARK delivered\\r\\n'); f.flush(); f.readline()")  # fmt: skip
        sync_to(world, server.port, *how, "--command", f"cat >/dev/null; {sys.executable} -c \"{mark}\"")
        assert server.commands("(XMARK delivered|QUIT)") == ["XMARK delivered"] * 3 + ["QUIT"]


def test_line_ends_are_lf_unless_crlf_is_asked_for(world):
    world.put("1", b"Subject: mixed\r\n\r\ncrlf\r\nbare lf\ncr\rinside\r\nlast\r\n")
    with world.server() as server:
        world.sync(server.port)
        world.sync(server.port, "--line-ends", "crlf", "--maildir", world.path / "Crlf",
                   "--state", world.path / "other.db")  # fmt: skip
    assert world.delivered() == [b"Subject: mixed\n\ncrlf\nbare lf\ncr\rinside\nlast\n"]
    crlf = world.delivered(world.path / "Crlf")
    assert crlf == [b"Subject: mixed\r\n\r\ncrlf\r\nbare lf\r\ncr\rinside\r\nlast\r\n"]


def test_lines_are_added_only_when_asked_for(world):
    world.fill(1)
    with world.server() as server:
        world.sync(server.port, "--received", "--delivered-to", "me@example.org")
    (got,) = world.delivered()
    lines = got.split(b"\n")
    assert lines[0] == b"Delivered-To: me@example.org"
    assert lines[1].startswith(b"Received: from 127.0.0.1 by ")
    assert lines[2].startswith(b" with POP3 (pop3 ")
    assert got.endswith(message(0).encode())
