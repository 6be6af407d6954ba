"""What doctor finds out about tokens, and errors that tokens would mend."""

import contextlib
import re

import pytest

import gmaild
from authorization_server import answer, refuse
from command_clock import now, utc
from world import ROOT, Server

TOKENS_ONLY = 'line "+OK"\nexpect CAPA\ncapa "SASL XOAUTH2 OAUTHBEARER" UIDL\n'
PASSWORDS = 'line "+OK"\nexpect CAPA\ncapa "SASL PLAIN"\n'
BOTH = 'line "+OK"\nexpect CAPA\ncapa "SASL PLAIN XOAUTH2"\nexpect-prefix "AUTH XOAUTH2"\nline "+OK"\nserve transaction\n'


@pytest.fixture
def scripted(account, server, certs, request):
    """A server that plays a script, and the account at it."""

    @contextlib.contextmanager
    def serve(script):
        (account.path / "script").write_text(script)
        pop3 = Server("--tls", "--mail", ROOT / "examples/mail", "--script", account.path / "script", "--cert",
                      certs / "good.pem", "--key", certs / "good.key")  # fmt: skip
        try:
            account.configure(port=pop3.tls_port)
            account.token_file = account.token_file.with_name(f"user@localhost%3A{pop3.tls_port}")
            yield pop3
        finally:
            pop3.stop()

    return serve


def without_provider(account):
    (account.path / "password").write_text("password\n")
    (account.path / "password").chmod(0o600)
    account.configure(issuer=None, issuer_ca_file=None, client_id=None, client_secret_file=None, scope=None,
                      password_file=account.path / "password")  # fmt: skip


def doctor(account, status=0, *words):
    """Its lines, each with single blanks."""
    done = account.outcome("doctor", *(words or ("work",)))
    assert done.returncode == status, done
    return [re.sub(" +", " ", line) for line in done.stdout.splitlines()]


def test_a_server_that_takes_tokens_alone_is_named_with_the_command(account, scripted):
    without_provider(account)
    with scripted(TOKENS_ONLY + "close\n" + TOKENS_ONLY + "close\n"):
        lines = doctor(account, 77)
        assert "ok OAuth the server accepts tokens, by XOAUTH2 and OAUTHBEARER, and nothing else" in lines
        assert "do OAuth set provider, or issuer, and client-id, then run: pop3 authorize work" in lines
        url = f"pop3s://user@localhost:{account.settings['port']}/"
        lines = doctor(account, 77, url, "--ca-file", account.settings["ca-file"])
        assert f"do OAuth run: pop3 authorize {url} --issuer=URL --client-id=ID" in lines


@pytest.mark.parametrize("name", ["sync", "stat"])
def test_a_login_that_tokens_alone_would_mend_says_so(account, scripted, name):
    without_provider(account)
    with scripted(TOKENS_ONLY + 'expect-prefix USER\nline "-ERR Protocol error"\n'):
        text = account.run(name, "work", status=77)
    assert text.endswith("the server accepts OAuth 2.0 tokens only: set provider, or issuer, and client-id, then run: "
                         "pop3 authorize work\n")  # fmt: skip


def test_a_server_that_takes_passwords_too_gets_no_advice_about_tokens(account, scripted):
    without_provider(account)
    with scripted(PASSWORDS + 'expect-prefix "AUTH PLAIN"\nline "-ERR [AUTH] no"\n'):
        assert "pop3 authorize" not in account.run("stat", "work", status=77)


def test_doctor_tells_what_is_kept_and_that_the_provider_refreshes_it(account, server, scripted):
    with scripted(BOTH):
        account.keep()
        lines = doctor(account)
    kept = account.kept()
    end = utc(kept["expires"])
    assert f"ok token kept in {account.token_file}" in lines and "ok token the provider refreshes it" in lines
    assert f" it lasts until {end}" in lines and "ok login XOAUTH2" in lines
    assert "ok OAuth the server accepts tokens, by XOAUTH2" in lines
    assert f"issuer = {server.issuer}" in lines and "client-id = mail-client" in lines
    assert not any("password" in line or kept["access_token"] in line for line in lines)
    assert len(server.asked("/token")) == 1


def test_doctor_leaves_a_token_alone_while_it_lasts(account, server, scripted):
    moment = now()
    with scripted(BOTH):
        record = account.keep(obtained=moment, expires=moment + 3600)
        lines = doctor(account)
    end = utc(moment + 3600)
    assert "ok token it is still valid; to refresh it now, run: pop3 authorize work --check" in lines
    assert f" it lasts until {end}" in lines
    assert server.requests == [] and account.kept() == record


@pytest.mark.parametrize("refusal, says", [(answer(b"", 503), "the last 1 refreshes failed"),
                                           (refuse("invalid_grant"), "the permission is no longer valid")])  # fmt: skip
def test_doctor_tells_that_a_token_is_refreshed_no_longer_though_it_lasts(account, server, scripted, refusal, says):
    moment = now()
    with scripted(BOTH):
        account.keep(obtained=moment - 3500, expires=moment + 200)
        server.script = [refusal]
        (line,) = [line for line in doctor(account) if line.startswith("note token")]
    assert "it is used until it expires: " in line and says in line


def test_doctor_tells_that_there_is_no_token_or_that_it_is_no_longer_refreshed(account, server, scripted):
    with scripted(BOTH + BOTH):
        assert "BAD token there is no token yet; run: pop3 authorize work" in doctor(account, 77)
        account.keep()
        server.script = [refuse("invalid_grant", description="gone")]
        (bad,) = [line for line in doctor(account, 77) if line.startswith("BAD")]
    assert "the permission is no longer valid" in bad and bad.endswith("(invalid_grant: gone); run: pop3 authorize work")


def test_doctor_notes_a_server_that_announces_no_mechanism_for_tokens(account, scripted):
    with scripted(PASSWORDS):
        account.keep()
        lines = doctor(account, 69)
    assert "note OAuth the server announces neither XOAUTH2 nor OAUTHBEARER" in lines


# ---- delivery to Gmail ----


@pytest.fixture
def gmail(account, server, certs):
    """The target of the account: its tokens are the server's."""
    with gmaild.running(certs) as it:
        account.configure(gmail=gmaild.USER, gmail_url=it.url, gmail_issuer=server.issuer, gmail_client_id="mail-client",
                          gmail_client_secret_file=account.secret_file, maildir=None)  # fmt: skip
        it.tokens = server.access
        yield it


@contextlib.contextmanager
def tokens_of_target(account, gmail):
    """Within, what is kept is what is for the target."""
    own, account.token_file = account.token_file, account.token_file.with_name(
        f"{gmaild.USER}@localhost%3A{gmail.url.rpartition(':')[2]}")  # fmt: skip
    yield
    account.token_file = own


def test_doctor_tells_what_google_says_to_the_targets_token(account, server, gmail, scripted):
    with scripted(BOTH * 2):
        account.keep()
        assert "BAD Gmail target there is no token yet; run: pop3 authorize --target work" in doctor(account, 77)
        with tokens_of_target(account, gmail):
            account.keep()
        lines = doctor(account)
    assert f"ok Gmail target Google answers for {gmaild.USER}" in lines and gmail.requests == ["GET labels"]
    assert "gmail-client-id = mail-client" in lines and "maildir = ~/Maildir" not in lines
    assert len(server.asked("/token")) == 2, "each was refreshed once"


@pytest.mark.parametrize("refusal, status, says", [
    (gmaild.refusal(403, "accessNotConfigured"), 78, "enable the Gmail API"),
    (gmaild.refusal(403, "insufficientPermissions"), 77, "grant all permissions that are asked for; run: pop3 authorize --target work"),
    (gmaild.refusal(403, "forbidden", "Delegation denied"), 77, "the main address of the mailbox; run: pop3 authorize --target work"),
])  # fmt: skip
def test_doctor_tells_why_google_refuses(account, gmail, scripted, refusal, status, says):
    gmail.answer = lambda *_: refusal
    with scripted(BOTH):
        account.keep()
        with tokens_of_target(account, gmail):
            account.keep()
        (line,) = [line for line in doctor(account, status) if line.startswith("BAD")]
    assert line.startswith("BAD Gmail target ") and says in line


def test_the_token_of_the_target_is_printed_for_other_programs(account, server, gmail):
    assert "there is none yet; run: pop3 authorize --target work" in account.run("token", "--target", "work", status=77)
    with tokens_of_target(account, gmail):
        record = account.keep()
        token = account.run("token", "--target", "work").strip()
        assert token in server.access and token == account.kept()["access_token"] != record["access_token"]
    account.configure(gmail=None, maildir=account.path / "Maildir")
    text = account.run("token", "--target", "work", status=78)
    assert text.endswith("the account has no provider of tokens for its target; set gmail and gmail-client-id, or imap-provider, or smtp-provider\n")


# ---- advice ----


def test_tokens_that_are_refused_name_the_command(account, server, scripted):
    refused = 'line "+OK"\nexpect CAPA\ncapa "SASL XOAUTH2"\nexpect-prefix "AUTH XOAUTH2"\nline "-ERR [AUTH] no"\n'
    with scripted(refused * 2):
        account.keep()
        text = account.run("stat", "work", status=77)
    assert text.endswith("get a new token, for this user and for POP3; run: pop3 authorize work\n")


def test_an_account_without_a_name_is_named_by_its_url(account):
    text = account.run("token", "pop3s://me%40example.org@localhost/", "--issuer", account.server.issuer, status=77)
    assert text.endswith("run: pop3 authorize pop3s://me%40example.org@localhost/\n")


def test_the_accounts_of_the_guide_are_understood(account):
    text = (ROOT / "docs/guide/oauth.md").read_text()
    lines = [line.strip() for line in text.splitlines() if line.startswith("    ")]
    config = "\n".join(line for line in lines if line.startswith("[") or " = " in line)
    (account.path / "config/pop3/config").write_text(config + "\n")
    for path in re.findall(r"client-secret-file = ~/(\S+)", config):
        (account.path / path).parent.mkdir(parents=True, exist_ok=True)
        (account.path / path).write_text("secret\n")
        (account.path / path).chmod(0o600)
    names = re.findall(r"^\[(\w+)\]$", config, re.MULTILINE)
    assert len(names) >= 5
    for name in names:
        words = [*(["--target"] if name == "moving" else []), name]
        text = account.run("authorize", *words, "--show", status=66)
        assert text.endswith(f"none are kept; run: pop3 authorize {' '.join(words)}\n")
