"""Servers that are slow, or mean to be: no run is held for ever, and none that gets on is given up. The octets come
at once; the clock is moved by each of them (slow_line.c)."""

import os
import socket
import subprocess

import pytest

from imapd import running as imap_running
from lmtpd import running as lmtp_running
from test_sessions import scripted
from world import BUILD, COMMAND, DEADLINE, message

LIBRARY = os.environ.get("POP3_SLOW_LINE_LIBRARY", str(BUILD / "tests/sync/libslow-line.so"))
GIVEN_UP = "the server is slow, or holds it on purpose"


def slowly(seconds):
    """The environment of a run in which each octet takes so long. Who else has a hand on the clock is left out."""
    before = [word for word in os.environ.get("LD_PRELOAD", "").replace(":", " ").split() if "libclock" not in word]
    sanitizers = ":".join([word for word in [os.environ.get("ASAN_OPTIONS")] if word] + ["verify_asan_link_order=0"])
    return {"LD_PRELOAD": " ".join([*before, LIBRARY]), "POP3_SLOW_LINE": str(int(seconds * 1e6)),
            "ASAN_OPTIONS": sanitizers}  # fmt: skip


OPEN = r"^\d+ open\b"


@pytest.mark.parametrize("where, mails, lines, seconds", [
    ("the login", 1, 5, 0.5),
    ("the listing", 200, 5, 0.5),
    ("a message", 1, 60000, 0.003),
])  # fmt: skip
def test_a_server_that_drips_is_given_up(world, where, mails, lines, seconds):
    world.fill(mails, lines=lines)
    welcome = f'on "PASS" {{\n line "+OK {"welcome " * 400}"\n}}\nserve\n'
    with scripted(world, *([welcome] if where == "the login" else []), options=["--delete"]) as server:
        said = world.sync(server.port, "--delete", "--auth", "USER", status=75, **slowly(seconds))
        server.settle()
        assert GIVEN_UP in said and "session-timeout" in said
        assert server.count(OPEN) == 1, "the run came back"
        assert bool(server.count(" C: UIDL")) == (where != "the login")
        assert bool(server.count(" C: RETR")) == (where == "a message")
    assert not world.delivered() and not world.unfinished()
    assert len(world.on_server()) == mails


def test_mail_that_takes_an_hour_and_comes_is_waited_for(world):
    world.put("large", message(1, 100000))
    octets = (world.drop / "large").stat().st_size
    assert octets > 2_000_000
    with world.server("--delete") as server:
        world.sync(server.port, "--delete", **slowly(0.00095))
    assert len(world.delivered()) == 1 and not world.on_server()


def test_a_server_that_ends_each_session_after_a_message_holds_no_run_either(world):
    world.fill(12)
    cut = [f'on "RETR {i}" {{\n close\n}}\nserve\n' for i in range(2, 12)]
    with scripted(world, *cut) as server:
        said = world.sync(server.port, status=75, **slowly(0.3))
        sessions = server.count(OPEN)
        assert GIVEN_UP in said
        assert 1 < sessions < 5 and 0 < len(world.delivered()) < 5
        world.sync(server.port)
        assert len(world.delivered()) == 12, "the next run goes on"


def to_a_server(world, port, *options, status, seconds=1):
    """A run that delivers to a server. An octet takes a second: the few that come from the POP3 server are waited for."""
    command = [COMMAND, "sync", f"pop3://user@127.0.0.1:{port}", "--state", str(world.state), "--password-file",
               str(world.password_file), "--allow-plaintext", "--auth", "USER", "--delete", "--session-timeout", "1h", *options]  # fmt: skip
    done = subprocess.run(command, env=world.environment(**slowly(seconds)), timeout=DEADLINE, check=False,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == status, done.stderr
    return done.stderr


STEPS = {"greeting": "220", "lhlo": "250", "mail": "250", "rcpt": "250", "data": "354", "message": "250"}


@pytest.mark.parametrize("drips", ["a line", "lines"])
@pytest.mark.parametrize("step", STEPS)
def test_an_lmtp_server_that_drips_is_given_up(world, step, drips):
    """After the five minutes of RFC 5321 section 4.5.3.2 for a reply, and ten for that to the message."""
    world.put("1", "Subject: s\n\ntext\n")
    minutes = 10 if step == "message" else 5
    code = STEPS[step]
    length = 60 * minutes + 20  # octets, in a reply that is whole in the end
    line = f"{code}-{'x' * 15}"
    long = "\r\n".join([*[line] * (length // len(line)), f"{code} ok"]) if drips == "lines" else f"{code} {'x' * length}"
    with world.server("--delete") as server:
        with lmtp_running(world.path / "lmtp", lambda at, n, _: long if at == step else None) as lmtpd:
            said = to_a_server(world, server.port, "--lmtp", lmtpd.where, "--recipient", "me@example.org", status=75)
            assert "timed out" in said, said
            server.settle()
        assert len(world.on_server()) == 1
        short = long[: -100] if drips == "a line" else "\r\n".join([*[line] * 5, f"{code} ok"])
        with lmtp_running(world.path / "lmtp", lambda at, n, _: short if at == step else None) as lmtpd:
            to_a_server(world, server.port, "--lmtp", lmtpd.where, "--recipient", "me@example.org", status=0)
            server.settle()
        assert world.on_server() == [] and len(lmtpd.mails) == 1


@pytest.mark.parametrize("step", ["append", "message"])
def test_an_imap_server_that_drips_is_given_up(world, certs, step):
    """After ten minutes for an answer, whatever else it has to say meanwhile."""
    world.put("1", "Subject: s\n\ntext\n")
    secret = world.path / "imap-password"
    secret.write_text("imap secret\n")
    secret.chmod(0o600)
    remarks = "\r\n".join(["* OK still here"] * 220) + "\r\n*"
    asked = ("IMAP4rev1", "AUTH=PLAIN")  # no LITERAL+: whether a message may come is a question

    def answer(at, n, _):
        return remarks if at == step else None

    how = {"capabilities": asked} if step == "append" else {}
    with world.server("--delete") as server, imap_running(certs, answer, tls=False, starttls=False, **how) as imap:
        options = ["--imap", imap.url(), "--imap-allow-plaintext", "--imap-password-file", str(secret)]
        # A fifth of a second for an octet, as logging in is to end within a minute.
        said = to_a_server(world, server.port, *options, status=75, seconds=0.2)
        assert "timed out" in said and imap.begun > 0, said
        server.settle()
    assert len(world.on_server()) == 1


@pytest.mark.parametrize("target, advice", [("imaps", ""), ("imap", "; if it is one for TLS, use imaps://"),
                                            ("smtps", ""), ("smtp", "; if it is one for TLS, use smtps://")])  # fmt: skip
def test_a_port_that_says_nothing_is_given_up_as_one_that_cannot_be_reached_is(world, target, advice):
    """After half a minute; here, a second for each moment in which nothing comes."""
    world.put("1", "Subject: s\n\ntext\n")
    kind = target[:4]
    options = ["--recipient", "a@b"] if kind == "smtp" else []
    with world.server("--delete") as server, socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        url = f"{target}://me@127.0.0.1:{port}{'/INBOX' if kind == 'imap' else ''}"
        done = subprocess.run(
            [COMMAND, "sync", f"pop3://user@127.0.0.1:{server.port}", "--state", str(world.state), "--password-file",
             str(world.password_file), "--allow-plaintext", "--auth", "USER", "--delete", f"--{kind}", url,
             f"--{kind}-password-command", "echo secret", *options],
            env=world.environment(**slowly(0), POP3_SILENT_LINE="yes"), timeout=DEADLINE, capture_output=True, text=True)  # fmt: skip
        server.settle()
    assert done.returncode == 75, done.stderr
    said = f"connecting to the {kind.upper()} server 127.0.0.1: no answer for 30 seconds; check that port {port} is right{advice}\n"
    assert said in done.stderr
    assert len(world.on_server()) == 1
