"""Logging in by the command: what it learns about servers and keeps, what it says and with which exit
status when a server refuses something, and how long it waits."""

import contextlib
import json
import signal
import sqlite3
import subprocess

import pytest

from world import COMMAND, DEADLINE


def scripted(world, text, *options):
    path = world.path / "script"
    path.write_text(text)
    return world.server("--script", path, *options)


def remembered(world):
    with contextlib.closing(sqlite3.connect(world.state)) as db:
        return {name for (name,) in db.execute("SELECT name FROM trait")}


# ---- what is learned ----


def test_a_server_that_closes_on_capa_is_asked_once_a_week(world):
    world.fill(2)
    with scripted(world, "on CAPA { close }\nserve\n") as server:
        world.sync(server.port)
        assert server.count("C: CAPA") == 1 and server.count("open") == 2
        assert remembered(world) == {"no-capa"}
        server.settle()
        server.forget()
        world.sync(server.port)
        assert server.count("C: CAPA") == 0 and server.count("open") == 1, "it is remembered"
        with contextlib.closing(sqlite3.connect(world.state)) as db:
            db.execute("UPDATE trait SET learned = learned - 604801")
            db.commit()
        server.settle()
        server.forget()
        world.sync(server.port)
        assert server.count("C: CAPA") == 1, "servers get mended"
    assert len(world.delivered()) == 2


@pytest.mark.parametrize("how", ["refuse", "close"])
@pytest.mark.parametrize("options", [[], ["--no-pipelining"]])
def test_a_server_that_closes_on_capa_after_the_login_is_asked_before_alone(world, how, options):
    world.fill(3)
    with world.server("--late-capa", how, *options) as server:
        world.sync(server.port, "--dry-run")
        server.wait_for("C: QUIT")
        assert server.count("open") <= 2
        server.settle()
        server.forget()
        world.sync(server.port)
        server.wait_for("C: QUIT")
        assert server.count("open") == 2
        assert remembered(world) == {"no-late-capa"}
        server.settle()
        server.forget()
        world.fill(3, first=3)
        world.sync(server.port)
        server.wait_for("C: QUIT")
        assert server.count("open") == 1, "it is remembered"
        assert server.count("C: CAPA") == 1
    assert len(world.delivered()) == 6


@pytest.mark.parametrize(("end", "learned"), [("reset", set()), ("close", {"no-late-capa"})])
def test_a_reset_at_capa_after_the_login_may_be_the_networks_and_teaches_nothing(world, end, learned):
    world.fill(2)
    first = world.path / "first"
    first.write_text('line "+OK"\nexpect CAPA\ncapa USER UIDL TOP PIPELINING\nexpect-prefix USER\nexpect-prefix PASS\n'
                     f'line "+OK"\nline "+OK"\nexpect CAPA\nexpect UIDL\nexpect LIST\n{end}\n')  # fmt: skip
    second = world.path / "second"
    second.write_text("serve\n")
    with world.server("--script", first, "--script", second) as server:
        world.sync(server.port)
    assert remembered(world) == learned and len(world.delivered()) == 2


def test_what_is_to_be_forgotten_still_counts_in_the_run_that_learns_it(world):
    world.fill(3)
    with world.server("--late-capa", "close") as server:
        world.sync(server.port)
        server.wait_for("C: QUIT")
        server.settle()
        server.forget()
        world.fill(1, first=3)
        world.sync(server.port, "--traits", "none")
        server.wait_for("C: QUIT")
        assert server.count("open") == 2
    assert len(world.delivered()) == 4


def test_a_trait_that_is_set_by_hand_counts_and_none_forgets(world):
    world.fill(1)
    with scripted(world, "on CAPA { close }\nserve\n") as server:
        world.sync(server.port, "--traits", "no-capa")
        assert server.count("C: CAPA") == 0
        assert remembered(world) == set(), "it was told, not learned"
        world.sync(server.port)
        assert remembered(world) == {"no-capa"}
        server.settle()
        server.forget()
        world.sync(server.port, "--traits", "none")
        assert server.count("C: CAPA") == 1
        assert "expected: none, no-capa" in world.sync(server.port, "--traits", "nonsense", status=64)


def test_a_dry_run_remembers_nothing(world):
    world.fill(1)
    with scripted(world, "on CAPA { close }\nserve\n") as server:
        world.sync(server.port, "--dry-run")
    assert not world.state.exists()


def test_a_refused_initial_response_is_remembered_and_can_be_forbidden(world):
    world.fill(1)
    script = """line "+OK"
expect CAPA
capa "SASL PLAIN" UIDL TOP
expect-prefix "AUTH PLAIN"
line "%s"
expect-prefix "A"
"""
    refused = script % "-ERR" + 'line "+ "\nexpect-any\nline "+OK"\nserve transaction\n'
    asked = script % "+ " + 'line "+OK"\nserve transaction\n'
    first, second = world.path / "first", world.path / "second"
    first.write_text(refused)
    second.write_text(asked)
    with world.server("--script", first, "--script", second) as server:
        world.sync(server.port)
        assert remembered(world) == {"no-initial-response"}
        server.settle()
        server.forget()
        world.sync(server.port)
        assert server.commands("AUTH") == ["AUTH PLAIN"]
        server.settle()
        server.forget()
        world.sync(server.port, "--state", world.path / "other.db", "--initial-response", "never")
        assert server.commands("AUTH") == ["AUTH PLAIN"]


# ---- what is said, and with which status ----


@pytest.mark.parametrize(
    ("script", "words", "status", "told"),
    [
        ('on PASS { line "-ERR maildrop already locked" }', [], 75, "try again later"),
        ('on PASS { line "-ERR too many connections" }', [], 75, "try again later"),
        ('on PASS { line "-ERR wrong" }', [], 77, "check the user name and the password, or choose another mechanism with --auth"),
        ('on APOP { line "-ERR unknown command" }', ["--auth", "APOP"], 77, "auth = USER"),
        ('on AUTH { line "-ERR unknown mechanism" }', ["--auth", "PLAIN"], 69, "choose another mechanism with --auth"),
        ('on QUIT { line "-ERR some were not removed" }', ["--delete"], 75, "some were not removed"),
    ],
)  # fmt: skip
def test_advice_and_status_fit_what_was_refused(world, script, words, status, told):
    world.fill(1)
    with scripted(world, script + "\nserve\n", "--apop") as server:
        words = words if "--auth" in words else [*words, "--auth", "USER"]
        said = world.sync(server.port, "--retries", 0, *words, status=status)
        assert told in said
        assert status == 77 or "password" not in said


def test_a_refused_stls_is_no_refused_login(world):
    with scripted(world, 'on CAPA { capa STLS USER }\non STLS { line "-ERR not today" }\nserve\n') as server:
        done = subprocess.run(
            [COMMAND, "stat", f"pop3://user@127.0.0.1:{server.port}", "--password-file", world.password_file],
            env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
    assert done.returncode == 69
    assert "not today" in done.stderr and "pop3s://" in done.stderr and "password" not in done.stderr


def test_a_refused_token_asks_for_another_token(world):
    script = """line "+OK"
expect CAPA
capa "SASL XOAUTH2"
expect-prefix "AUTH XOAUTH2 "
line "+ eyJzdGF0dXMiOiI0MDAifQ=="
expect ""
close
"""
    with scripted(world, script) as server:
        done = subprocess.run(
            [COMMAND, "stat", f"pop3://user@127.0.0.1:{server.port}", "--tls", "none", "--allow-plaintext",
             "--token-command", "echo t0ken"],
            env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
    assert done.returncode == 77
    assert "400" in done.stderr and "get a new token" in done.stderr and "password" not in done.stderr


# ---- how long it takes ----


def test_two_signals_at_once_are_one(world):
    """As timeout(1) sends them: to the process, then to its group."""
    world.fill(1)
    with scripted(world, "on UIDL { expect-eof }\nserve\n") as server:
        process = subprocess.Popen(world.sync_command(server.port), env=world.environment(),
                                   stderr=subprocess.PIPE, text=True)  # fmt: skip
        server.wait_for("C: UIDL", 1)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 75 and "stopped by a signal" in errors


def test_a_signal_does_not_wait_for_a_message_of_which_nothing_more_comes(world):
    world.fill(1)
    with scripted(world, 'on RETR { line "+OK" ; send "Subject: x\\r\\n" ; expect-eof }\nserve\n') as server:
        process = subprocess.Popen(world.sync_command(server.port, "--timeout", "1h"), env=world.environment(),
                                   stderr=subprocess.PIPE, text=True)  # fmt: skip
        server.wait_for("C: RETR", 1)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 75 and "stopped by a signal" in errors


def test_a_bound_on_the_session_bounds_the_run(world):
    world.fill(1)
    with scripted(world, "on UIDL { line \"+OK\" ; loop { send \"x\" ; delay 20 } }\nserve\n") as server:
        said = world.sync(server.port, "--session-timeout", "2s", status=75)
        assert server.count("open") == 1
    assert "the session was not over within 2000 ms" in said


def test_what_a_server_announces_is_waited_for_once_and_said(world):
    with world.server("--capa", "LOGIN-DELAY 1", "--error", "PASS [LOGIN-DELAY] too soon", "--no-capa",
                      "SASL") as server:  # fmt: skip
        said = world.sync(server.port, "--retry-wait", "1ms", status=75)
        assert server.count("PASS") == 2
    assert "again in 1 s" in said


def test_a_wait_of_minutes_is_said_to_the_quiet_too(world):
    with world.server("--capa", "LOGIN-DELAY 600", "--error", "PASS [LOGIN-DELAY] too soon", "--no-capa",
                      "SASL") as server:  # fmt: skip
        process = subprocess.Popen(world.sync_command(server.port, "--quiet"), env=world.environment(),
                                   stderr=subprocess.PIPE, text=True)  # fmt: skip
        line = process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 75
        process.stderr.close()
    assert "too soon" in line and "again in 10" in line


@pytest.mark.parametrize("method", ["EXTERNAL", "GSSAPI"])
@pytest.mark.parametrize("url", ["pop3://user;AUTH={}@127.0.0.1:{}", "pop3://127.0.0.1:{1} --auth {0}"])
def test_a_method_that_needs_no_secret_asks_for_none(world, method, url):
    with scripted(world, 'line "+OK"\nloop { expect-any ; line "-ERR no" }\n') as server:
        done = subprocess.run([COMMAND, "stat", *url.format(method, server.port).split(), "--allow-plaintext"],
                              env=world.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=DEADLINE, start_new_session=True)  # fmt: skip
    assert "finding the password" not in done.stderr and "no user" not in done.stderr, done.stderr
    asked = server.commands("AUTH")
    if method == "EXTERNAL":
        assert [a.split()[:2] for a in asked] == [["AUTH", "EXTERNAL"]] * 2, "with an initial response, and without"
        assert done.returncode == 77 and "check the client certificate" in done.stderr, done.stderr
    else:
        assert not asked, "there is no ticket"
