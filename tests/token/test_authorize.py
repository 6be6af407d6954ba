"""Obtaining a permission: in a browser here, in one elsewhere, by a code; and withdrawing it."""

import ctypes
import ctypes.util
import os
import pty
import re
import select
import socket
import ssl
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from authorization_server import answer, drop, refuse
from command_clock import now
from conftest import preloaded
from dovecot_oauth import dovecot
from world import COMMAND, DEADLINE, ROOT


class Browser:
    """Opens an address as a person's browser would, without following what is not https."""

    def __init__(self, server):
        self.context = ssl.create_default_context(cafile=str(server.ca_file))

    def sign_in(self, url):
        """Where the provider sends the browser in the end."""
        class Stay(urllib.request.HTTPRedirectHandler):
            def redirect_request(self, *_unused):
                return None

        opener = urllib.request.build_opener(Stay, urllib.request.HTTPSHandler(context=self.context))
        with pytest.raises(urllib.error.HTTPError) as sent:
            opener.open(url, timeout=DEADLINE)
        sent.value.close()
        assert sent.value.code == 302
        return sent.value.headers["Location"]

    def go_back(self, url):
        """What the page there says."""
        with urllib.request.urlopen(url, timeout=DEADLINE) as page:
            return page.read().decode()


@pytest.fixture
def browser(server):
    return Browser(server)


def address_of(process, begins):
    """The address that the command shows."""
    while True:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        if line.startswith(begins):
            return line.strip()


def begin(account, server, *options):
    process = account.start("authorize", "work", *options)
    return process, address_of(process, server.issuer + "/authorize?")


def finish(process, status=0, typed=None):
    out, err = process.communicate(typed, timeout=DEADLINE)
    assert process.returncode == status, (process.returncode, out, err)
    return out if status == 0 else err


# ---- by a browser here ----


def test_a_browser_here_brings_the_permission_back(account, server, browser):
    process, url = begin(account, server)
    asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
    assert asked["code_challenge_method"] == "S256" and len(asked["code_challenge"]) == 43
    assert asked["scope"] == "mail" and asked["login_hint"] == "user" and len(asked["state"]) == 43
    back = browser.sign_in(url)
    assert re.match(r"http://127\.0\.0\.1:\d+/?\?", back)
    assert "You can close this window" in browser.go_back(back)
    assert "pop3 sync work" in finish(process)
    kept = account.kept()
    assert kept["access_token"] in server.access and kept["refresh_token"] in server.refresh
    assert account.token() == kept["access_token"]
    port = urllib.parse.urlsplit(back).port
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=DEADLINE).close()


def test_a_permission_that_outlasts_the_session_is_consented_to(account, server, browser):
    account.configure(scope="openid offline_access")
    process, url = begin(account, server)
    browser.go_back(browser.sign_in(url))
    finish(process)
    assert account.kept()["refresh_token"] in server.refresh


def test_only_one_request_counts_and_others_get_nothing(account, server, browser):
    process, url = begin(account, server)
    back = browser.sign_in(url)
    port = urllib.parse.urlsplit(back).port
    for other in ("/", "/favicon.ico", "/callback", "/x?code=1"):
        with pytest.raises(urllib.error.HTTPError) as told:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{other}", timeout=DEADLINE)
        told.value.close()
        assert told.value.code == 404
    with pytest.raises(ConnectionRefusedError):  # it listens on no other address, of this machine either
        socket.create_connection(("127.0.0.2", port), timeout=DEADLINE).close()
    for octets in (b"\r\n\r\n", b"POST /?code=1 HTTP/1.1\r\n\r\n", b"GET /?x\r\n\r\n", b"\0" * 20000):
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as connection:
            try:
                connection.sendall(octets)
                connection.shutdown(socket.SHUT_WR)
                assert b"200 OK" not in connection.recv(1000)
            except OSError:
                pass
    browser.go_back(back)
    finish(process)


def test_connections_that_say_nothing_do_not_keep_the_browser_out(account, server, browser):
    """Browsers open some ahead of their use, and another user of this machine may do so on purpose."""
    process, url = begin(account, server)
    back = browser.sign_in(url)
    at = ("127.0.0.1", urllib.parse.urlsplit(back).port)
    silent = [socket.create_connection(at, timeout=DEADLINE) for _ in range(30)]
    silent[-1].sendall(b"GET /?code")
    assert "You can close this window" in browser.go_back(back)
    finish(process)
    for connection in silent:
        connection.close()


def test_the_page_in_the_browser_tells_nobody_the_code(account, server, browser):
    process, url = begin(account, server)
    with urllib.request.urlopen(browser.sign_in(url), timeout=DEADLINE) as page:
        headers = dict(page.headers)
    finish(process)
    assert headers["Referrer-Policy"] == "no-referrer" and headers["Cache-Control"] == "no-store"
    assert headers["Content-Security-Policy"] == "default-src 'none'"


@pytest.mark.parametrize("change, says", [
    ({"iss": "https://evil.example.org"}, "(RFC 9207)"), ({"iss": None}, "(RFC 9207)"),
    ({"code": None}, "contains no code"), ({"code": "made-up"}, "invalid_grant"),
    ({"error": "access_denied"}, "declined"), ({"error": "server_error"}, "try again later"),
])  # fmt: skip
def test_an_answer_that_is_not_to_this_request_is_not_used(account, server, browser, change, says):
    process, url = begin(account, server)
    where, query = browser.sign_in(url).split("?")
    form = {k: v for k, v in {**dict(urllib.parse.parse_qsl(query)), **change}.items() if v is not None}
    browser.go_back(where + "?" + urllib.parse.urlencode(form))
    process.wait(DEADLINE)
    assert says in finish(process, status=process.returncode) and process.returncode in (75, 76, 77)
    assert not account.token_file.exists()
    assert len(server.asked("/token")) == (1 if change.get("code") else 0)


@pytest.mark.parametrize("change", [
    lambda query: re.sub("state=[^&]*", "state=another", query), lambda query: re.sub("&?state=[^&]*", "", query),
    lambda query: query + "&state=another", lambda query: "error=access_denied",
], ids=["another", "none", "twice", "an error"])  # fmt: skip
def test_an_answer_with_another_state_ends_nothing(account, server, browser, change):
    """Any page in the browser, and any program here, can send one."""
    process, url = begin(account, server)
    back = browser.sign_in(url)
    where, query = back.split("?")
    with pytest.raises(urllib.error.HTTPError) as told:
        browser.go_back(where + "?" + change(query))
    assert told.value.code == 403 and "its state differs" in told.value.read().decode()
    told.value.close()
    assert "You can close this window" in browser.go_back(back)
    finish(process)
    assert account.kept()["access_token"] in server.access


def test_where_there_is_a_desktop_the_browser_is_opened_without_a_shell(account, server, browser, tmp_path):
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    heard = tmp_path / "heard"
    os.mkfifo(heard)
    (bin_folder / "xdg-open").write_text(f'#!/bin/sh\n(printf "%s\\n" "$#" "$1"; env) >{heard}\n')
    (bin_folder / "xdg-open").chmod(0o755)
    account.configure(scope="mail $(touch /tmp/pwned) 'x' \"y\" ;")
    process = account.start("authorize", "work", DISPLAY=":99", PATH=f"{bin_folder}:{os.environ['PATH']}")
    with open(os.open(heard, os.O_RDONLY | os.O_NONBLOCK)) as reading:
        assert select.select([reading], [], [], DEADLINE)[0]
        os.set_blocking(reading.fileno(), True)
        count, url, *environment = reading.read().splitlines()
    assert count == "1" and "%24%28touch" in url
    browser.go_back(browser.sign_in(url))
    assert "in the browser that opens now" in finish(process)
    kept, (form,) = account.kept(), server.asked("/token")
    for secret in (form["code_verifier"], form["code"], kept["access_token"], kept["refresh_token"], "client-secret-value"):
        assert secret not in url and not any(secret in line for line in environment)


# ---- the providers of the table ----

# As their documentation has it: where the browser goes, and what is asked for.
PROVIDERS = {
    "google": ("https://accounts.google.com/o/oauth2/v2/auth", "http://127.0.0.1",
               {"scope": "https://mail.google.com/", "access_type": "offline", "prompt": "consent"}),
    "microsoft": ("https://login.microsoftonline.com/common/oauth2/v2.0/authorize", "http://localhost",
                  {"scope": "https://outlook.office.com/POP.AccessAsUser.All offline_access"}),
    "fastmail": ("https://api.fastmail.com/oauth/authorize", "http://localhost",
                 {"scope": "https://www.fastmail.com/dev/protocol-pop"}),
    "yahoo": ("https://api.login.yahoo.com/oauth2/request_auth", "oob", {"scope": "mail-r"}),
}  # fmt: skip


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_of_the_table_is_asked_as_it_wants_it(account, name):
    where, redirect, fields = PROVIDERS[name]
    account.configure(provider=name, issuer=None, scope=None, user="recent:me@example.org")
    process = account.start("authorize", "work", *(["--paste"] if redirect == "oob" else []))
    url, _, query = address_of(process, "https://").partition("?")
    process.kill()
    process.communicate()
    asked = dict(urllib.parse.parse_qsl(query, strict_parsing=True))
    assert url == where and re.fullmatch(redirect + (r":\d+" if redirect != "oob" else ""), asked.pop("redirect_uri"))
    secrets = {"state", "code_challenge", "code_challenge_method"}
    assert secrets <= set(asked) and {k: v for k, v in asked.items() if k not in secrets} == {
        "response_type": "code", "client_id": "mail-client", "login_hint": "me@example.org", **fields}  # fmt: skip


def test_a_tenant_of_microsofts_is_asked_itself(account):
    account.configure(provider="microsoft", issuer=None, tenant="example.com")
    process = account.start("authorize", "work")
    assert address_of(process, "https://").startswith("https://login.microsoftonline.com/example.com/oauth2/v2.0/authorize?")
    process.kill()
    process.communicate()
    account.configure(tenant="example.com/../common")
    assert "tenant" in account.run("authorize", "work", status=78)


@pytest.mark.parametrize("name, why", [("google", "Google grants access to mail to no device"), ("yahoo", "Yahoo has no device grant"),
                                       ("fastmail", "Fastmail has no device grant")])  # fmt: skip
def test_a_provider_without_the_device_grant_says_what_to_do(account, name, why):
    account.configure(provider=name, issuer=None, scope=None)
    assert f"{why}; run: pop3 authorize work --paste" in account.run("authorize", "work", "--device", status=69)


def test_a_provider_that_sends_no_browser_back_is_pasted_from(account):
    account.configure(provider="yahoo", issuer=None, scope=None)
    assert "run: pop3 authorize work --paste" in account.run("authorize", "work", status=78)


def test_gmails_permission_is_asked_for_by_its_own_scopes(account):
    account.configure(gmail="me@gmail.com", gmail_client_id="gmail-client", maildir=None)
    process = account.start("authorize", "--target", "work")
    url, _, query = address_of(process, "https://").partition("?")
    process.kill()
    process.communicate()
    asked = dict(urllib.parse.parse_qsl(query))
    assert url == PROVIDERS["google"][0] and asked["client_id"] == "gmail-client" and asked["login_hint"] == "me@gmail.com"
    assert asked["scope"].split() == [f"https://www.googleapis.com/auth/gmail.{name}" for name in ("insert", "readonly", "labels")]


# ---- by a browser elsewhere ----


def test_the_address_that_the_browser_ends_at_can_be_pasted(account, server, browser):
    process, url = begin(account, server, "--paste")
    assert "pop3 sync work" in finish(process, typed=f"  {browser.sign_in(url)}#fragment \n")
    assert account.kept()["access_token"] in server.access


@pytest.mark.parametrize("typed, status, says", [("", 66, "nothing was pasted"), ("hello\n", 64, "not the address"),
                                                 ("http://x/?code=1\n", 77, "its state differs")])  # fmt: skip
def test_what_is_pasted_and_no_answer_is_told(account, server, typed, status, says):
    process, _ = begin(account, server, "--paste")
    assert says in finish(process, status=status, typed=typed)


# ---- by a code ----


def enter(server):
    with server.lock:
        server.devices = dict.fromkeys(server.devices, True)


def test_a_code_is_shown_and_its_entry_waited_for(account, server):
    process = account.start("authorize", "work", "--device")
    assert address_of(process, "Open ") == f"Open {server.issuer}/enter"
    assert address_of(process, "and enter the code") == "and enter the code WDJB-MJHT"
    assert server.arrived.acquire(timeout=DEADLINE), "it asks though nothing has been entered"
    enter(server)
    assert "pop3 sync work" in finish(process)
    assert account.kept()["access_token"] in server.access
    forms = server.asked("/token")
    assert len(forms) >= 2 and all(f["device_code"].startswith("device-") for f in forms)


@pytest.mark.parametrize("code, says", [("access_denied", "declined"), ("expired_token", "not entered in time"),
                                        ("invalid_grant", "invalid_grant")])  # fmt: skip
def test_a_code_that_comes_to_nothing_is_told(account, server, tmp_path, code, says):
    server.script = [refuse("authorization_pending"), refuse(code)]
    text = account.run("authorize", "work", "--device", status=77, **without_pauses(tmp_path / "pauses"))
    assert says in text and len(server.asked("/token")) == 2


def without_pauses(noted):
    """The environment of a run in which nobody waits; the seconds of each pause are noted in a file."""
    return {**preloaded("pauses"), "POP3_PAUSES": str(noted)}


def test_slow_down_and_lost_answers_make_the_questions_rarer(account, server, tmp_path):
    server.script = [refuse("authorization_pending"), refuse("slow_down"), drop, answer(b"", 503),
                     answer({"access_token": "granted", "refresh_token": "r", "expires_in": 60})]  # fmt: skip
    pauses = tmp_path / "pauses"
    account.run("authorize", "work", "--device", **without_pauses(pauses))
    # RFC 8628 §3.5: five seconds more from each slow_down on, and from each answer that does not come
    assert pauses.read_text().split() == ["1", "1", "6", "11", "16"]


def test_a_provider_may_want_to_be_asked_less_often_than_each_minute_and_is_asked_each_minute(account, server, tmp_path):
    server.metadata["device_authorization_endpoint"] = server.issuer + "/token"
    device = {"device_code": "d", "user_code": "u", "verification_uri": "https://localhost/", "interval": 600,
              "expires_in": 10**9}  # fmt: skip
    server.script = [answer(device), refuse("authorization_pending"),
                     answer({"access_token": "granted", "refresh_token": "r", "expires_in": 60})]  # fmt: skip
    account.run("authorize", "work", "--device", **without_pauses(tmp_path / "pauses"))
    assert (tmp_path / "pauses").read_text().split() == ["60", "60"]


def test_the_code_that_a_terminal_shows_is_the_address(account, server):
    qrencode = ctypes.util.find_library("qrencode")
    with open(COMMAND, "rb") as file:
        if qrencode is None or b"libqrencode" not in file.read():
            pytest.skip("no libqrencode")
    ours, theirs = pty.openpty()
    with subprocess.Popen(account.command("authorize", "work", "--device"), env=account.environment(LC_ALL="C.UTF-8"),
                          stdin=theirs, stdout=theirs, stderr=subprocess.PIPE) as process:  # fmt: skip
        os.close(theirs)
        shown = b""
        while b"Waiting until" not in shown:
            assert select.select([ours], [], [], DEADLINE)[0], shown
            shown += os.read(ours, 65536)
        process.kill()
    os.close(ours)
    rows = [line for line in shown.decode().replace("\r", "").split("\n") if line and set(line) <= set(" ▄▀█")]
    lights = [[c in light for c in row] for row in rows for light in ("▀█", "▄█")]
    assert [row[2:-2] for row in lights[2 : len(lights[0]) - 2]] == modules(qrencode, f"{server.issuer}/enter")


def modules(library, text):
    """Which modules of the code are light, by libqrencode itself."""
    class Code(ctypes.Structure):
        _fields_ = [("version", ctypes.c_int), ("width", ctypes.c_int), ("data", ctypes.POINTER(ctypes.c_ubyte))]

    encode = ctypes.CDLL(library).QRcode_encodeString
    encode.restype = ctypes.POINTER(Code)
    code = encode(text.encode(), 0, 0, 2, 1).contents
    return [[code.data[y * code.width + x] & 1 == 0 for x in range(code.width)] for y in range(code.width)]


def test_device_answers_that_are_none_are_told(account, server):
    server.metadata["device_authorization_endpoint"] = server.issuer + "/revoke"
    assert "is not JSON" in account.run("authorize", "work", "--device", status=76)
    server.metadata["device_authorization_endpoint"] = None
    assert "no device grant; run: pop3 authorize work --paste" in account.run("authorize", "work", "--device", status=69)


# ---- clients ----


def test_a_client_registers_itself_where_the_issuer_takes_some_and_does_so_once(account, server, browser):
    account.configure(client_id=None, client_secret_file=None)
    for _ in range(2):
        process, url = begin(account, server)
        browser.go_back(browser.sign_in(url))
        finish(process)
    (metadata,) = server.asked("/register")
    assert metadata["token_endpoint_auth_method"] == "none" and metadata["redirect_uris"] == ["http://127.0.0.1"]
    assert account.kept()["client_id"].startswith("registered-")
    server.clients.clear()
    text = account.run("authorize", "work", "--check", status=77)
    assert text.endswith("run: pop3 authorize work --revoke; then authorize it again\n")
    account.run("authorize", "work", "--revoke")
    process, url = begin(account, server)
    browser.go_back(browser.sign_in(url))
    finish(process)
    assert len(server.asked("/register")) == 2
    account.keep(**{**account.kept(), "obtained": 0, "expires": 1})
    assert account.token() in server.access
    server.metadata["registration_endpoint"] = None
    account.token_file.unlink()
    assert "set client-id" in account.run("authorize", "work", status=78)


def test_a_client_registers_for_no_grant_that_the_issuer_lacks(account, server, browser):
    account.configure(client_id=None, client_secret_file=None)
    server.metadata["device_authorization_endpoint"] = None
    process, url = begin(account, server)
    browser.go_back(browser.sign_in(url))
    finish(process)
    assert server.asked("/register")[0]["grant_types"] == ["authorization_code", "refresh_token"]


# ---- looking after it ----


def test_show_check_and_revoke(account, server):
    assert "none are kept; run: pop3 authorize work" in account.run("authorize", "work", "--show", status=66)
    record = account.keep(revocation_endpoint=server.issuer + "/revoke", scope="mail", until=now() + 600)
    text = account.run("authorize", "work", "--show")
    assert record["refresh_token"] not in text and record["access_token"] not in text
    assert "refresh token  kept" in text and "encryption     none" in text and str(account.token_file) in text
    assert "refreshed" in account.run("authorize", "work", "--check"), "though it was to wait"
    kept = account.kept()
    assert "withdrawn" in account.run("authorize", "work", "--revoke")
    assert not account.token_file.exists()
    assert kept["refresh_token"] not in server.refresh and kept["access_token"] not in server.access
    assert "exclude each other" in account.run("authorize", "work", "--show", "--check", status=64)


def test_where_nothing_can_be_revoked_the_tokens_are_forgotten_and_the_page_named(account, server):
    account.keep()
    assert "does not withdraw permissions on request" in account.run("authorize", "work", "--revoke")
    assert not account.token_file.exists()
    account.keep(revocation_endpoint="https://localhost:1/revoke")
    account.run("authorize", "work", "--revoke", status=75)
    assert account.token_file.exists(), "it could not be withdrawn: it is not forgotten"


# ---- the whole ----


@pytest.mark.parametrize("seal", [False, True])
def test_authorize_then_sync(account, server, browser, tmp_path, seal):
    if seal:
        (tmp_path / "key").write_bytes(os.urandom(32))
        (tmp_path / "key").chmod(0o600)
        account.configure(token_key_file=tmp_path / "key")
    with dovecot(server, ROOT / "examples/mail") as mailbox:
        account.configure(port=mailbox.tls_port, ca_file=mailbox.ca_file)
        text = account.run("sync", "work", status=77)
        assert "there is none yet; run: pop3 authorize work" in text
        process, url = begin(account, server)
        browser.go_back(browser.sign_in(url))
        finish(process)
        assert "12 new messages" in account.run("sync", "work")
        with server.lock:
            server.access.clear()  # as if they had ended
        assert "0 new messages" in account.run("sync", "work")
        assert len(server.asked("/token", grant_type="refresh_token")) == 1
        account.run("authorize", "work", "--revoke")
        assert "run: pop3 authorize work" in account.run("sync", "work", status=77)
    expected = sorted(p.read_bytes().replace(b"\r\n", b"\n") for p in Path(ROOT / "examples/mail").iterdir())
    assert account.world.delivered() == expected
