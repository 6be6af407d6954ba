"""Which certificate authorities are trusted when no setting names them: those of the environment, for every server alike."""

import contextlib
import shutil
import subprocess

import pytest

import gmaild
import imapd
from lmtpd import Smtpd, TlsLmtpd, running
from world import COMMAND, DEADLINE


@contextlib.contextmanager
def target(kind, certs, secret):
    """A server that mail goes to, and the options that name it; without one, a Maildir."""
    with contextlib.ExitStack() as stack:
        if kind == "smtp":
            server = stack.enter_context(running(certs, kind=Smtpd))
            yield ["--smtp", server.where, "--recipient", "you@example.org", "--smtp-password-file", str(secret)]
        elif kind == "lmtp":
            server = stack.enter_context(running(certs, kind=TlsLmtpd))
            yield ["--lmtp", server.where, "--recipient", "you@example.org", "--lmtp-tls", "tls"]
        elif kind == "imap":
            server = stack.enter_context(imapd.running(certs))
            yield ["--imap", server.url(), "--imap-password-file", str(secret)]
        elif kind == "gmail":
            server = stack.enter_context(gmaild.running(certs))
            yield ["--gmail", "me@gmail.com", "--gmail-url", server.url, "--gmail-token-command", "echo token-1"]
        else:
            yield ["--maildir", str(secret.parent / "Maildir")]


def sync(world, pop3, options, **variables):
    done = subprocess.run(
        [COMMAND, "sync", f"pop3s://user@localhost:{pop3.tls_port}", "--password-file", str(world.password_file), "--state",
         str(world.state), *options], env=world.environment(**variables), capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.parametrize("sandbox", [[], ["--no-sandbox"]], ids=["sandbox", "no-sandbox"])
@pytest.mark.parametrize("kind", ["maildir", "lmtp", "smtp", "imap", "gmail"])
@pytest.mark.parametrize("way", ["file", "directories"])
def test_the_authorities_that_the_environment_names_are_trusted_for_pop3_and_for_each_target(world, certs, kind, way, sandbox):
    world.fill(2)
    secret = world.path / "secret"
    secret.touch(0o600)
    secret.write_text("smtp secret\n")
    folder = world.path / "authorities"
    folder.mkdir()
    shutil.copy(certs / "ca.pem", folder)
    subprocess.run(["openssl", "rehash", str(folder)], check=True, timeout=DEADLINE)
    known = {"file": {"SSL_CERT_FILE": str(certs / "ca.pem")}, "directories": {"SSL_CERT_DIR": f"/nonexistent:{folder}"}}[way]
    tls = ("--tls", "--cert", certs / "good.pem", "--key", certs / "good.key")
    with world.server(*tls) as pop3, target(kind, certs, secret) as options:
        status, errors = sync(world, pop3, [*options, *sandbox])
        assert status == 69 and "certificate" in errors, errors
        status, errors = sync(world, pop3, [*options, *sandbox, "--ca-file", str(certs / "ca.pem")], SSL_CERT_FILE="/nonexistent")
        assert status == (0 if kind == "maildir" else 69), errors
        world.state.unlink(missing_ok=True)
        status, errors = sync(world, pop3, [*options, *sandbox], **known)
        assert status == 0, errors
