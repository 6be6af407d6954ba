"""Logging in with tokens that are kept: by sync inside of its sandbox, and by the other subcommands."""

import base64
import json
import subprocess

import pytest

from authorization_server import refuse
from command_clock import now
from dovecot_oauth import dovecot
from world import DEADLINE, ROOT, Server

MAIL = ROOT / "examples/mail"


@pytest.fixture
def mailbox(account, server):
    with dovecot(server, MAIL) as it:
        account.configure(host="localhost", port=it.tls_port, ca_file=it.ca_file)
        account.token_file = account.token_file.with_name(f"user@localhost%3A{it.tls_port}")
        yield it


def fresh(account, **changes):
    moment = now()
    return account.keep(obtained=moment, expires=moment + 3600, **changes)


@pytest.mark.parametrize("auth", [None, "XOAUTH2", "OAUTHBEARER"])
def test_sync_refreshes_the_token_outside_of_its_sandbox(account, server, mailbox, auth):
    account.configure(auth=auth)
    account.keep()
    said = account.run("sync", "--verbose", "work")
    assert "12 new messages" in said
    assert len(server.asked("/token")) == 1
    assert account.kept()["access_token"] in server.access
    account.run("sync", "work")
    assert len(server.asked("/token")) == 1


def test_a_token_that_the_server_refuses_is_refreshed_once_and_tried_again_once(account, server, mailbox):
    record = fresh(account)
    del server.access[record["access_token"]]
    assert "12 new messages" in account.run("sync", "work")
    assert len(server.asked("/token")) == 1
    record = fresh(account)
    del server.access[record["access_token"]]
    assert account.run("stat", "work").startswith("12 messages")
    assert len(server.asked("/token")) == 2


@pytest.mark.parametrize("name", ["sync", "stat"])
def test_a_new_token_that_is_refused_too_is_told(account, server, mailbox, name):
    server.user = "somebody-else"
    account.keep()
    text = account.run(name, "work", status=77)
    assert "get a new token, for this user and for POP3" in text
    assert len(server.asked("/token")) == 2, "one to begin with, one in its place"


def test_accounts_get_their_tokens_side_by_side(account, server, mailbox):
    config = account.path / "config/pop3/config"
    text = config.read_text()
    config.write_text(text + text.replace("[work]", "[home]").replace("host = localhost", "host = 127.0.0.1")
                      .replace("Maildir", "Maildir2"))  # fmt: skip
    account.keep()
    account.token_file = account.token_file.with_name(account.token_file.name.replace("localhost", "127.0.0.1"))
    account.keep()
    assert account.run("sync").count("12 new messages") == 2
    assert len(server.asked("/token")) == 2


def test_without_the_sandbox_it_is_the_same(account, server, mailbox):
    account.keep()
    assert "12 new messages" in account.run("sync", "--no-sandbox", "work")
    assert len(server.asked("/token")) == 1


@pytest.mark.parametrize("name", ["sync", "stat"])
def test_a_permission_that_ended_is_told_by_every_subcommand(account, server, mailbox, name):
    account.keep()
    server.script = [refuse("invalid_grant", description="gone")]
    text = account.run(name, "work", status=77)
    assert "pop3: work: refreshing the token: the permission is no longer valid" in text
    assert "run: pop3 authorize work" in text


def test_no_secret_shows_in_a_trace_or_the_state(account, server, mailbox):
    record = account.keep()
    said = subprocess.run(account.command("sync", "--trace", "--verbose", "--json", "work"), env=account.environment(),
                          capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
    assert said.returncode == 0, said
    state = (account.path / ".local/state/pop3/state.db").read_bytes()
    kept = account.kept()
    for secret in (record["refresh_token"], record["access_token"], kept["access_token"], kept["refresh_token"],
                   "client-secret-value"):  # fmt: skip
        encoded = base64.b64encode(secret.encode()).decode().rstrip("=")[4:-4]
        for text in (said.stdout, said.stderr, state.decode(errors="replace")):
            assert secret not in text and encoded not in text


# ---- long tokens, and what servers say ----

TWO_STEPS = """\
line "+OK"
expect CAPA
capa "SASL {name}"
expect "AUTH {name}"
line "+ "
expect-prefix "{begins}"
line "+OK"
serve transaction
"""


@pytest.mark.parametrize("octets, words", [(4096, "stat"), (12288, "stat"), (16384, "stat"), (16384, "sync")])
@pytest.mark.parametrize("name, begins", [("XOAUTH2", b"user=user\1"), ("OAUTHBEARER", b"n,a=user,\1host=localhost\1port=")],
                         ids=["xoauth2", "oauthbearer"])  # fmt: skip
def test_a_long_token_goes_in_a_second_step(account, server, certs, octets, words, name, begins):
    script = account.path / "script"
    script.write_text(TWO_STEPS.format(name=name, begins=base64.b64encode(begins[:9]).decode()))
    server.token_octets = octets
    pop3 = Server("--tls", "--mail", MAIL, "--script", script, "--cert", certs / "good.pem", "--key", certs / "good.key")
    try:
        account.configure(port=pop3.tls_port, ca_file=server.ca_file)
        account.token_file = account.token_file.with_name(f"user@localhost%3A{pop3.tls_port}")
        token = fresh(account)["access_token"]
        assert "12 " in account.run(words, "work")
        pop3.wait_for("C: QUIT")
        lines = [line.split(" C: ", 1)[1] for line in pop3.lines if " C: " in line]
        sent = base64.b64decode(max(lines, key=len))
        assert len(token) == octets
        assert sent.startswith(begins) and sent.endswith(f"\1auth=Bearer {token}\1\1".encode())
    finally:
        pop3.stop()


REPORT = """\
line "+OK"
expect CAPA
capa "SASL {name}"
expect-prefix "AUTH {name} "
line "+ {report}"
expect "{answer}"
line "-ERR no"
close
"""


@pytest.mark.parametrize("words", ["stat", "sync"])
@pytest.mark.parametrize("name, answer, report, says", [
    ("XOAUTH2", "", {"status": "401", "schemes": "bearer", "scope": "mail"}, "status 401, scope mail, schemes bearer"),
    # RFC 7628 §3.2.2 and §3.2.3
    ("OAUTHBEARER", "AQ==", {"status": "invalid_token", "scope": "mail", "openid-configuration": "https://x"},
     "status invalid_token, scope mail"),
    ("OAUTHBEARER", "AQ==", {"status": "insufficient_scope", "scope": ["mail"], "schemes": 7}, "status insufficient_scope"),
], ids=["xoauth2", "oauthbearer", "oauthbearer-types"])  # fmt: skip
def test_the_servers_report_is_decoded_into_the_message(account, server, certs, words, name, answer, report, says):
    report = base64.b64encode(json.dumps(report).encode()).decode()
    script = account.path / "script"
    script.write_text(REPORT.format(name=name, report=report, answer=answer) * 2)
    pop3 = Server("--tls", "--mail", MAIL, "--script", script, "--cert", certs / "good.pem", "--key", certs / "good.key")
    try:
        account.configure(port=pop3.tls_port, ca_file=server.ca_file)
        account.token_file = account.token_file.with_name(f"user@localhost%3A{pop3.tls_port}")
        fresh(account)
        text = account.run(words, "work", status=77)
        assert says in text and text.endswith("; get a new token, for this user and for POP3; run: pop3 authorize work\n")
        assert len(server.asked("/token")) == 1, "refreshed once, and tried again once"
    finally:
        pop3.stop()
