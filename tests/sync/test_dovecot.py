"""The command against Dovecot."""

import subprocess
import sys
from pathlib import Path

import pytest

from world import COMMAND, DEADLINE, ROOT

sys.path.insert(0, str(ROOT / "tests/interop"))

from dovecot import Dovecot  # noqa: E402


@pytest.fixture
def server():
    available = subprocess.run([ROOT / "tests/interop/dovecot.py", "available"])
    if available.returncode != 0:
        pytest.skip("Dovecot cannot be run here")
    with Dovecot(maildirs={"user": str(ROOT / "examples/mail")}) as dovecot:
        yield dovecot


def run(world, server, name, *args, scheme="pop3s"):
    world.password_file.write_text(server.password + "\n")
    port = server.tls_port if scheme == "pop3s" else server.port
    done = subprocess.run(
        [COMMAND, name, f"{scheme}://{server.user}@localhost:{port}", *map(str, args), "--ca-file",
         server.ca_file, "--password-file", str(world.password_file)],
        env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done.stdout


@pytest.mark.parametrize("scheme", ["pop3s", "pop3"])
def test_each_subcommand_looks_at_the_mailbox(world, server, scheme):
    assert run(world, server, "stat", scheme=scheme).startswith("12 messages")
    assert "UIDL\n" in run(world, server, "capa", scheme=scheme)
    assert len(run(world, server, "uidl", scheme=scheme).splitlines()) == 12
    assert "田中 由美" in run(world, server, "list", scheme=scheme)
    assert "Zoé Lefèvre" in run(world, server, "headers", 7, scheme=scheme)
    assert "Subject: " in run(world, server, "top", 1, scheme=scheme)
    assert "Hi both," in run(world, server, "cat", 1, scheme=scheme)
    text = run(world, server, "doctor", scheme=scheme)
    assert "SCRAM-SHA-256" in text and "valid, and for this host" in text and "\nBAD " not in text


def test_sync_brings_everything_once_and_deletes_it(world, server):
    expected = sorted(p.read_bytes().replace(b"\r\n", b"\n") for p in Path(ROOT / "examples/mail").iterdir())
    target = ["--maildir", world.maildir, "--state", world.state]
    assert "12 new messages" in run(world, server, "sync", *target)
    assert "0 new messages" in run(world, server, "sync", *target)
    assert world.delivered() == expected
    assert "12 deleted on the server; 0 on the server" in run(world, server, "sync", *target, "--delete")
    assert run(world, server, "stat").startswith("0 messages")
    assert world.delivered() == expected


def test_rm_deletes(world, server):
    run(world, server, "rm", "1-3")
    assert run(world, server, "stat").startswith("9 messages")
