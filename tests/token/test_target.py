"""Delivering with tokens that are kept: to IMAP and SMTP servers, as to Gmail (tests/sync/test_gmail.py)."""

import base64
import contextlib
import urllib.parse

import pytest

import imapd
import lmtpd
from authorization_server import refuse
from command_clock import now
from dovecot_oauth import dovecot, has_protocol
from test_authorize import PROVIDERS, Browser, address_of, finish
from world import ROOT, Server

USER = "me@example.org"
OWN = ("issuer", "client_id", "client_secret_file", "scope")


class Target:
    """A server that mail is sent to, whose logins are the authorization server's tokens."""

    def __init__(self, kind, server, it):
        self.kind, self.server, self.it = kind, server, it
        self.url = it.url() if kind == "imap" else it.where
        self.take(server.access)

    def take(self, tokens):
        """From now on these tokens log in, or what they become."""
        if self.kind == "imap":
            self.it.tokens = tokens
        else:
            self.it.passwords = Encoded(tokens)

    @property
    def mails(self):
        return self.it.mails

    @property
    def logins(self):
        """The tokens that came, each once: an IMAP target may log in more than once in a run."""
        if self.kind == "imap":
            return list(dict.fromkeys(login[2] for login in self.it.logins))
        return [login.split(b"Bearer ")[1].split(b"\1")[0].decode() for login in self.it.logins]


class Encoded:
    """Tokens as a server gets them."""

    def __init__(self, tokens):
        self.tokens = tokens

    def __contains__(self, token):
        return token.decode() in self.tokens


class Agreed(dict):
    """Whoever is asked to enter a code has done so."""

    def get(self, *_unused):
        return True


@pytest.fixture
def pop3(account):
    account.world.fill(2, lines=5)
    with account.world.server() as it:
        account.configure(host="127.0.0.1", port=it.port, tls="none", allow_plaintext="yes", maildir=None, recipient="you@example.org",
                          password_file=account.world.password_file, **dict.fromkeys(OWN))  # fmt: skip
        yield it


@pytest.fixture(params=["imap", "smtp"])
def target(request, account, server, certs, pop3):
    kind = request.param
    with contextlib.ExitStack() as stack:
        if kind == "imap":
            it = stack.enter_context(imapd.running(certs, capabilities=("IMAP4rev1", "LITERAL+", "AUTH=XOAUTH2", "SASL-IR")))
        else:
            it = stack.enter_context(lmtpd.running(certs, kind=lmtpd.Smtpd, methods="OAUTHBEARER"))
        found = Target(kind, server, it)
        account.configure(**{kind: found.url, f"{kind}_issuer": server.issuer, f"{kind}_client_id": "mail-client",
                             f"{kind}_client_secret_file": account.secret_file, f"{kind}_scope": "send mail",
                             f"{kind}_ca_file": server.ca_file})  # fmt: skip
        account.token_file = account.token_file.with_name(f"{USER}@localhost%3A{it.port}")
        yield found


def fresh(account, **changes):
    moment = now()
    return account.keep(obtained=moment, expires=moment + 3600, **changes)


def test_the_permission_is_obtained_and_used_and_refreshed_before_it_ends(account, server, target):
    assert "there is none yet; run: pop3 authorize --target work" in account.run("sync", "work", status=77)
    assert target.logins == []
    server.devices = Agreed()
    assert "Mail can be delivered: pop3 sync work" in account.run("authorize", "--target", "--device", "work")
    assert [form["scope"] for _, form in server.requests if "scope" in form] == ["send mail"]
    first = account.kept()["access_token"]
    account.run("sync", "work")
    assert target.logins == [first] and len(target.mails) == 2
    assert server.asked("/token", grant_type="refresh_token") == []
    account.keep_old()
    account.world.fill(1, first=2, lines=5)
    account.run("sync", "work")
    assert len(target.mails) == 3 and len(server.asked("/token", grant_type="refresh_token")) == 1
    assert target.logins == [first, account.kept()["access_token"]] and first != account.kept()["access_token"]


def test_a_token_that_the_server_refuses_is_refreshed_once_and_tried_again_once(account, server, target):
    record = fresh(account)
    del server.access[record["access_token"]]
    account.run("sync", "work")
    assert len(target.mails) == 2 and len(server.asked("/token")) == 1
    assert target.logins == [record["access_token"], account.kept()["access_token"]]


def test_a_new_token_that_is_refused_too_is_told_with_the_command_that_mends_it(account, server, target):
    fresh(account)
    target.take(set())
    said = account.run("sync", "work", status=77)
    assert f"get a new one, for this user and for {target.kind.upper()}; run: pop3 authorize --target work" in said
    assert len(target.logins) == 2 and len(server.asked("/token")) == 1
    assert target.mails == []


def test_a_permission_that_ended_is_told(account, server, target):
    account.keep()
    server.script = [refuse("invalid_grant", description="gone")]
    said = account.run("sync", "work", status=77)
    assert "the permission is no longer valid" in said and "run: pop3 authorize --target work" in said
    assert target.logins == []


def test_each_server_gets_the_tokens_that_are_for_it(account, server, certs, target):
    """The POP3 server's are for another user, and are never sent to the target, nor the other way round."""
    target_file = account.token_file
    fresh(account)
    theirs = account.kept()["access_token"]
    script = account.path / "script"
    script.write_text('line "+OK"\nexpect CAPA\ncapa "SASL XOAUTH2" UIDL\nexpect-prefix "AUTH XOAUTH2"\nline "+OK"\nserve transaction\n')
    other = Server("--tls", "--mail", ROOT / "examples/mail", "--script", script, "--cert", certs / "good.pem", "--key", certs / "good.key")
    try:
        account.configure(host="localhost", port=other.tls_port, tls=None, allow_plaintext=None, password_file=None,
                          issuer=server.issuer, client_id="mail-client", client_secret_file=account.secret_file)  # fmt: skip
        account.token_file = account.token_file.with_name(f"user@localhost%3A{other.tls_port}")
        ours = fresh(account)["access_token"]
        account.run("sync", "work")
        other.wait_for("C: QUIT")
        sent = [line.split(" ")[-1] for line in other.lines if "AUTH XOAUTH2" in line]
        assert [ours in base64.b64decode(word).decode() for word in sent] == [True]
    finally:
        other.stop()
    assert len(target.mails) == 12 and set(target.logins) == {theirs} and target_file.exists()


@pytest.mark.parametrize("sandbox", [[], ["--no-sandbox"]])
def test_no_token_shows_in_a_trace_or_beside_the_mail(account, server, target, sandbox):
    record = account.keep()
    done = account.outcome("sync", "--trace", "--verbose", "--json", *sandbox, "work")
    assert done.returncode == 0 and len(target.mails) == 2, done
    state = (account.path / ".local/state/pop3/state.db").read_bytes().decode(errors="replace")
    for secret in (record["refresh_token"], record["access_token"], account.kept()["access_token"], "client-secret-value"):
        assert secret not in done.stdout + done.stderr + state


def test_doctor_tells_of_the_targets_token_and_other_programs_get_it(account, server, target):
    what = f"{target.kind.upper()} target"
    assert f"BAD  {what}" in account.outcome("doctor", "work").stdout
    assert "there is no token yet; run: pop3 authorize --target work" in account.outcome("doctor", "work").stdout
    fresh(account)
    shown = account.run("doctor", "work")
    assert "it is still valid; to refresh it now, run: pop3 authorize --target work --check" in shown
    for name, value in (("issuer", server.issuer), ("client-id", "mail-client"), ("scope", "send mail")):
        assert f"\n{target.kind}-{name} = {value}\n" in shown
    assert account.run("token", "--target", "work").strip() == account.kept()["access_token"]


def test_of_several_targets_the_one_that_is_named_gets_the_permission(account, server, certs, pop3):
    with imapd.running(certs) as imap, lmtpd.running(certs, kind=lmtpd.Smtpd) as smtp:
        account.configure(deliver="imap, smtp", imap=imap.url(), smtp=smtp.where, imap_ca_file=server.ca_file, smtp_ca_file=server.ca_file,
                          **{f"{kind}_{name}": value for kind in ("imap", "smtp") for name, value in [
                              ("issuer", server.issuer), ("client_id", "mail-client"), ("scope", f"{kind} mail"),
                              ("client_secret_file", account.secret_file)]})  # fmt: skip
        server.devices = Agreed()
        told = account.run("authorize", "--target", "--device", "work", status=64)
        assert "the account has tokens for several targets; name one: --target " in told and server.requests == []
        told = account.run("sync", "work", status=77)
        assert "run: pop3 authorize --target imap work" in told and "run: pop3 authorize --target smtp work" in told
        for kind in ("imap", "smtp"):
            account.run("authorize", "--target", "--device", kind, "work")
            assert [form["scope"] for _, form in server.requests if "scope" in form][-1] == f"{kind} mail"
        tokens = {account.run("token", "--target", kind, "work").strip() for kind in ("imap", "smtp")}
        assert len(tokens) == 2
        assert "no provider of tokens for its target gmail" in account.run("token", "--target", "gmail", "work", status=78)


def test_what_is_wrong_with_the_settings_is_told_by_their_names(account, server, target):
    account.configure(**{f"{target.kind}_issuer": "http://localhost"})
    said = account.run("authorize", "--target", "--device", "work", status=78)
    assert f"the settings are {target.kind}-client-id and its like" in said
    account.configure(**{f"{target.kind}_issuer": None, f"{target.kind}_provider": "microsoft", f"{target.kind}_client_id": None})
    said = account.run("authorize", "--target", "work", status=78)
    assert "set client-id" in said and f"the settings are {target.kind}-client-id and its like" in said


@pytest.mark.parametrize("provider, scopes", [
    ("google", {"imap": "https://mail.google.com/", "smtp": "https://mail.google.com/"}),
    ("microsoft", {"imap": "https://outlook.office.com/IMAP.AccessAsUser.All offline_access",
                   "smtp": "https://outlook.office.com/SMTP.Send offline_access"}),
    ("yahoo", {"imap": "mail-w", "smtp": "mail-w"}),
    ("fastmail", {"imap": "https://www.fastmail.com/dev/protocol-imap", "smtp": "https://www.fastmail.com/dev/protocol-smtp"}),
])  # fmt: skip
def test_providers_are_asked_for_what_the_target_needs(account, target, provider, scopes):
    account.configure(**{f"{target.kind}_{name}": None for name in ("issuer", "scope")}, **{f"{target.kind}_provider": provider})
    process = account.start("authorize", "--target", "work", *(["--paste"] if provider == "yahoo" else []))
    url, _, query = address_of(process, "https://").partition("?")
    process.kill()
    process.communicate()
    asked = dict(urllib.parse.parse_qsl(query))
    assert url == PROVIDERS[provider][0] and asked["login_hint"] == USER
    assert asked["scope"] == scopes[target.kind]


def test_authorize_then_sync_puts_mail_into_a_dovecot_that_asks_the_provider_about_tokens(account, server, pop3):
    if not has_protocol("imap"):
        pytest.skip("this Dovecot has no IMAP")
    with dovecot(server, None, protocols=("imap",)) as it:
        account.configure(imap=f"imaps://user@localhost:{it.imaps_port}/INBOX", imap_issuer=server.issuer, imap_scope="mail",
                          imap_client_id="mail-client", imap_client_secret_file=account.secret_file, imap_ca_file=it.ca_file)  # fmt: skip
        account.token_file = account.token_file.with_name(f"user@localhost%3A{it.imaps_port}")
        process = account.start("authorize", "--target", "work")
        browser = Browser(server)
        browser.go_back(browser.sign_in(address_of(process, server.issuer + "/authorize?")))
        assert "Mail can be delivered" in finish(process)
        account.run("sync", "work")
        assert len(list(it.maildir("user").glob("new/*"))) == 2
        record = account.kept()
        del server.access[record["access_token"]]
        account.world.fill(1, first=2, lines=5)
        account.run("sync", "work")
        assert len(list(it.maildir("user").glob("new/*"))) == 3
        assert account.kept()["access_token"] != record["access_token"]
        assert len(server.asked("/token", grant_type="refresh_token")) == 1
