"""What is said of failures, and what to do about them: each text that once misled somebody, in the situation that it
was seen in."""

import contextlib
import os
import re
import socket
import ssl
import subprocess
import threading

import pytest

from world import COMMAND, DEADLINE, message


def scripted(world, *texts, options=()):
    """A server that plays a script for each connection, and the last for all that follow."""
    words = list(options)
    for number, text in enumerate(texts):
        path = world.path / f"script{number}"
        path.write_text(text)
        words += ["--script", path]
    return world.server(*words)


def said(world, name, url, *words, status):
    done = subprocess.run(
        [COMMAND, name, url, *map(str, words), "--password-file", str(world.password_file)],
        env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
    assert done.returncode == status, done
    return done.stderr


@contextlib.contextmanager
def tls_server(certs, act):
    """Accepts one connection under TLS and does with it what a test wants: act(connection)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs / "good.pem", certs / "good.key")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(DEADLINE)

        def serve():
            connection, _ = listener.accept()
            connection.settimeout(DEADLINE)
            with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as wrapped:
                act(wrapped)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"pop3s://user@localhost:{listener.getsockname()[1]}"
        finally:
            thread.join(DEADLINE)


def answer(connection, *replies):
    for reply in replies:
        connection.sendall(reply)
        connection.recv(1000)


# ---- TLS ----


@pytest.mark.parametrize(
    ("options", "words", "told"),
    [
        (["--tls-max", "1.2", "--client-ca", "ca.pem"], [], "alert handshake failure; lower --tls-min, or set "
         "--certificate and --key if the server asks for a certificate"),
        (["--client-ca", "ca.pem"], [], "; the server may ask for a client certificate: set --certificate and --key"),
        (["--tls-max", "1.2"], ["--tls-min", "1.3"], "alert protocol version; lower --tls-min"),
    ],
)  # fmt: skip
def test_an_alert_is_said_to_be_one_with_what_may_be_behind_it(world, certs, options, words, told):
    options = [certs / o if o.endswith(".pem") else o for o in options]
    with world.server("--tls", "--cert", certs / "good.pem", "--key", certs / "good.key", *options) as server:
        url = f"pop3s://user@localhost:{server.tls_port}"
        text = said(world, "stat", url, "--ca-file", certs / "ca.pem", *words, status=69)
    assert "the server ended TLS with the alert " in text and told in text
    assert "sslv3" not in text and "ssl/tls" not in text


def test_clear_text_inside_of_tls_is_said_to_be_that(world, certs):
    def act(connection):
        answer(connection, b"+OK\r\n", b"-ERR\r\n", b"+OK\r\n", b"+OK\r\n")
        os.write(connection.fileno(), b"+OK 5 octets\r\nhello\r\n.\r\n")

    with tls_server(certs, act) as url:
        text = said(world, "cat", url, 3, "--ca-file", certs / "ca.pem", status=69)
    assert "RETR 3: data arrived that is not TLS" in text
    assert re.search(r"continued in the clear \((wrong version number|bad record type)\);", text)
    assert text.rstrip().endswith("; tell the server's administrator")


def test_a_server_that_speaks_no_tls_is_said_to_and_stls_advised(world):
    with world.server() as server:
        text = said(world, "stat", f"pop3s://user@localhost:{server.port}", status=69)
    assert "the answer is not TLS (" in text and "try pop3:// (port 110)" in text


def test_a_certificate_for_another_host_asks_for_no_authority(world, certs):
    with world.server("--tls", "--cert", certs / "wronghost.pem", "--key", certs / "wronghost.key") as server:
        url = f"pop3s://user@localhost:{server.tls_port}"
        text = said(world, "stat", url, "--ca-file", certs / "ca.pem", status=69)
    assert "--server-name" in text and "--ca-file" not in text


# ---- logging in ----


def test_a_token_that_was_refused_is_told_with_the_reason_although_the_connection_was_cut_off(world, certs):
    def act(connection):
        capa = b"+OK\r\nSASL XOAUTH2\r\n.\r\n"
        answer(connection, b"+OK\r\n", capa, b"+ eyJzdGF0dXMiOiI0MDAifQ==\r\n")
        os.close(connection.detach())  # without close_notify

    with tls_server(certs, act) as url:
        done = subprocess.run(
            [COMMAND, "stat", url, "--ca-file", str(certs / "ca.pem"), "--token-command", "echo t0ken"],
            env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
    assert done.returncode == 77
    assert "400" in done.stderr and "get a new token" in done.stderr
    assert "close_notify" not in done.stderr and "password" not in done.stderr


@pytest.mark.parametrize(
    ("refusal", "words", "status", "told"),
    [
        ('on APOP { line "-ERR unknown command" }', ["--auth", "APOP"], 77, "auth = USER"),
        ('on PASS { line "-ERR maildrop already locked" }', ["--auth", "USER"], 75, "try again later"),
    ],
)
def test_a_password_is_not_blamed_for_what_it_has_nothing_to_do_with(world, refusal, words, status, told):
    with scripted(world, refusal + "\nserve\n", options=["--apop"]) as server:
        url = f"pop3://user@127.0.0.1:{server.port}"
        text = said(world, "stat", url, "--allow-plaintext", *words, status=status)
    assert told in text and "password" not in text


# ---- messages ----

NO_REPLY_BEHIND = 'on "RETR 2" { line "+OK" ; line "Subject: x" ; line "" ; line "." ; line "stray" }\nserve\n'


def test_what_may_not_be_whole_is_told_with_server_and_number(world):
    world.fill(3)
    with scripted(world, NO_REPLY_BEHIND) as server:
        told = world.sync(server.port, status=75)
        host = f"127.0.0.1:{server.port}"
        assert f"message 2: it is not certain that it is whole: {host}: RETR 2: " in told
        for line in told.splitlines():
            assert "whole" not in line or f"{host}: RETR 2: " in line
        url = f"pop3://user@{host}"
        assert f"{host}: RETR 2: " in said(world, "cat", url, 2, "--allow-plaintext", status=76)


def test_a_quit_that_was_refused_is_told_with_the_servers_words(world):
    world.fill(2)
    with scripted(world, 'on QUIT { line "-ERR 1 message not removed" }\nserve\n') as server:
        told = world.sync(server.port, "--delete", status=75)
        assert "QUIT: " in told and "1 message not removed" in told
        assert "the deletion of 2 messages was not confirmed" in told
    with scripted(world, 'on QUIT { line "-ERR 1 message not removed" }\nserve\n') as server:
        told = said(world, "rm", f"pop3://user@127.0.0.1:{server.port}", 1, "--allow-plaintext", status=75)
        assert "1 message not removed; messages that were to be deleted may still be there" in told


def test_what_was_delivered_runs_ago_is_not_said_to_have_failed_to_be(world):
    world.fill(2)
    refused = 'on "TOP 2" { line "-ERR no" }\non "RETR 2" { line "-ERR no" }\nserve\n'
    with scripted(world, "serve\n", refused, options=["--refuse", "UIDL"]) as server:
        world.sync(server.port)
        told = world.sync(server.port, status=75)
    assert "could not be compared with the mail that was delivered before: 1" in told
    assert "retrieved or delivered" not in told
    assert world.delivered() == sorted(message(i).encode() for i in range(2))
