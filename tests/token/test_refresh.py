"""Tokens that are kept: when they are refreshed and by whom, what survives which failure, and what is said."""

import json
import os
import re
import ssl
import stat
import subprocess
import threading

import pytest

from authorization_server import answer, drop, grant_and_drop, refuse
from command_clock import now
from conftest import preloaded
from relays import connect_proxy
from world import DEADLINE, ROOT

REFRESHES = {"grant_type": "refresh_token"}


def refreshes(server):
    return len(server.asked("/token", **REFRESHES))


# ---- when ----


def test_a_token_is_given_while_it_lasts_and_refreshed_before_it_ends(account, server):
    moment = now()
    old = account.keep(obtained=moment, expires=moment + 3600)
    assert account.token() == old["access_token"] and server.requests == []
    account.keep(obtained=moment - 3500, expires=moment + 100)
    assert account.token() in server.access and refreshes(server) == 1
    assert account.token() == account.kept()["access_token"] and refreshes(server) == 1


def test_a_rotated_refresh_token_is_kept_and_one_that_did_not_come_stays(account, server):
    old = account.keep()
    account.token()
    assert account.kept()["refresh_token"] != old["refresh_token"]
    server.rotates = False
    old = account.keep()
    account.token()
    assert account.kept()["refresh_token"] == old["refresh_token"]
    assert stat.S_IMODE(os.stat(account.token_file).st_mode) == 0o600


def test_the_clock_may_be_put_back_or_ahead(account, server):
    moment = now()
    account.keep(obtained=moment + 86400, expires=moment + 90000)
    assert account.token() == account.kept()["access_token"] and refreshes(server) == 1, "the clock went back"
    assert moment - 5 <= account.kept()["obtained"] <= moment + DEADLINE
    account.keep(obtained=moment, expires=0)
    account.token()
    assert refreshes(server) == 1, "where no time is given it lasts until it is refused"


@pytest.mark.parametrize("lifetime, lasts", [(3600, True), ("3600", True), (None, True), (1e30, True), (-5, True),
                                             ({"a": 1}, True), ("soon", True), (0, True)])  # fmt: skip
def test_lifetimes_of_any_kind_are_taken(account, server, lifetime, lasts):
    server.lifetime = lifetime
    account.keep()
    assert (account.token() == account.token()) is lasts


def test_tokens_of_16_kilobytes_are_kept_and_given(account, server):
    server.token_octets = 16384
    account.keep()
    token = account.token()
    assert len(token) == 16384 and token in server.access


# ---- by whom ----


def test_many_processes_refresh_once(account, server):
    account.keep()
    server.hold = threading.Event()
    running = [account.start("token", "work") for _ in range(20)]
    assert server.arrived.acquire(timeout=DEADLINE)
    server.hold.set()
    said = {p.communicate(timeout=DEADLINE)[0].strip() for p in running}
    assert len(said) == 1 and said.pop() in server.access and refreshes(server) == 1


# ---- what fails ----


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_provider_that_cannot_answer_is_left_alone_for_a_while(account, server, status):
    account.keep()
    server.script = [answer(b"busy", status)]
    text = account.token(status=75)
    assert f"pop3: work: refreshing the token: the provider cannot answer now (HTTP {status}); try again later" in text
    text = account.token(status=75)
    assert "the next one is due at" in text and "pop3 authorize work --check" in text and refreshes(server) == 1
    account.keep(**{**account.kept(), "until": 0})
    account.token()
    assert account.kept()["failures"] == 0


def test_waits_grow_to_an_hour_and_a_server_may_ask_for_more(account, server):
    waits = []
    record = account.keep()
    for i in range(9):
        server.script = [answer(b"", 503, **({"Retry-After": "7200"} if i == 8 else {}))]
        before = now()
        account.token(status=75)
        kept = account.kept()
        waits.append(kept["until"] - before)
        account.keep(**{**kept, "until": 0})
    expected = [30, 60, 120, 240, 480, 960, 1920, 3600, 7200]
    assert all(e <= w <= e + 60 for w, e in zip(waits, expected)), waits
    assert record["refresh_token"] == account.kept()["refresh_token"]


def test_what_has_not_ended_is_better_than_a_provider_that_cannot_answer(account, server):
    moment = now()
    old = account.keep(obtained=moment - 3500, expires=moment + 200)
    server.script = [answer(b"", 503)]
    assert account.token() == old["access_token"]
    assert account.token() == old["access_token"] and refreshes(server) == 1


def test_an_unreachable_provider_is_told_and_costs_nothing(account, server):
    old = account.keep(token_endpoint="https://localhost:1/token")
    text = account.token(status=75)
    assert text.startswith("pop3: work: refreshing the token: ") and text.endswith("; try again later")
    assert account.kept()["refresh_token"] == old["refresh_token"] and account.kept()["asked"] == 0


def test_a_proxy_of_the_environment_leads_to_the_provider(account, server):
    account.keep()
    with connect_proxy() as proxy:
        assert account.token(https_proxy=f"http://127.0.0.1:{proxy.port}") in server.access
    assert proxy.asked() == [f"CONNECT {server.issuer.removeprefix('https://')} HTTP/1.1"]


def test_a_proxy_that_lets_nobody_through_costs_no_refresh_token(account, server):
    old = account.keep()
    with connect_proxy("407 Proxy Authentication Required") as proxy:
        text = account.token(status=75, https_proxy=f"http://127.0.0.1:{proxy.port}")
    assert "CONNECT tunnel failed, response 407; try again later" in text and len(proxy.heads) == 1
    assert account.kept()["refresh_token"] == old["refresh_token"] and account.kept()["asked"] == 0


def test_a_lost_answer_is_asked_for_again_with_the_same_refresh_token(account, server):
    old = account.keep()
    server.grace = 1
    server.script = [grant_and_drop]
    token = account.token()
    assert token in server.access
    assert [f["refresh_token"] for f in server.asked("/token")] == [old["refresh_token"]] * 2
    assert account.kept()["asked"] == 0


def test_a_lost_answer_that_ends_the_permission_is_named_as_the_cause(account, server):
    account.keep()
    server.script = [grant_and_drop, drop]
    assert "try again later" in account.token(status=75)
    assert account.kept()["asked"] != 0
    account.keep(**{**account.kept(), "until": 0})
    text = account.token(status=77)
    assert "invalid_grant" in text and "the answer to a refresh at 20" in text and "was lost" in text


@pytest.mark.parametrize("point", ["token granted", "token written:2"])
def test_a_process_that_dies_while_it_refreshes_leaves_what_a_later_one_can_use(account, server, crash_command, point):
    account.keep()
    server.grace = 1
    account.run("token", "work", status=-9, command=crash_command, POP3_TEST_CRASH_AT=point)
    assert account.kept()["asked"] != 0
    assert account.token() in server.access
    assert account.kept()["asked"] == 0


def test_a_permission_that_ended_is_told_with_its_causes_and_what_mends_it(account, server):
    account.keep()
    server.refresh.clear()
    text = account.token(status=77)
    assert text == ("pop3: work: refreshing the token: the permission is no longer valid: the password was changed, the "
                    "consent withdrawn, or it was not used for long (invalid_grant: Token has been expired or revoked.); "
                    "run: pop3 authorize work")  # fmt: skip
    assert account.token(status=77) == text and refreshes(server) == 1, "nobody is asked again soon"


ERRORS = {
    "invalid_request": (76, "check provider, issuer and scope"),
    "invalid_client": (77, "check client-id and client-secret-file"),
    "invalid_grant": (77, "run: pop3 authorize work"),
    "unauthorized_client": (77, "allow it where the client is registered"),
    "unsupported_grant_type": (69, "pop3 authorize work"),
    "invalid_scope": (78, "check scope"),
    "access_denied": (77, "run: pop3 authorize work"),
    "unsupported_response_type": (69, "`pop3 authorize work` with --device"),
    "server_error": (75, "try again later"),
    "temporarily_unavailable": (75, "try again later"),
    "expired_token": (77, "run: pop3 authorize work"),
    "authorization_pending": (75, "enter the code"),
    "slow_down": (75, "try again later"),
    "insufficient_scope": (77, "run: pop3 authorize work"),
    "unsupported_token_type": (69, "withdraw the permission at the provider"),
    "invalid_redirect_uri": (78, "register http://127.0.0.1 for the client"),
    "redirect_uri_mismatch": (78, "register http://127.0.0.1 for the client"),
    "invalid_client_metadata": (69, "register one by hand, and set client-id"),
    "interaction_required": (77, "run: pop3 authorize work"),
    "login_required": (77, "run: pop3 authorize work"),
    "consent_required": (77, "run: pop3 authorize work"),
    "deleted_client": (77, "register another, and set client-id and client-secret-file"),
    "disabled_client": (77, "see what the provider wrote to you"),
    "admin_policy_enforced": (77, "ask the administrator"),
    "org_internal": (77, "register a client that is open to this user"),
    "a_new_error": (69, "see what the provider says about it"),
}


@pytest.mark.parametrize("code", ERRORS)
def test_each_error_is_told_with_what_to_do(account, server, code):
    status, says = ERRORS[code]
    account.keep()
    server.script = [refuse(code, description="told in words")]
    text = account.token(status=status)
    assert f"({code}: told in words); " in text and says in text.partition("; ")[2]


def test_no_error_that_is_known_is_left_out_here():
    known = re.findall(r'^    \{"(\w+)", EX_', (ROOT / "src/token/request.c").read_text(), re.MULTILINE)
    assert set(known) == set(ERRORS) - {"a_new_error"}


def test_google_ends_the_permission_of_a_project_in_testing(account, server):
    account.configure(provider="google", issuer=None)
    account.keep()
    server.refresh.clear()
    text = account.token(status=77)
    assert "; or a Google project whose publishing status is Testing loses its refresh tokens after 7 days (invalid_grant" in text


def test_microsofts_administrators_ask_for_another_sign_in(account, server):
    account.configure(provider="microsoft", issuer=None)
    account.keep()
    server.refresh.clear()
    assert "; or an administrator's policy requires another sign-in (invalid_grant" in account.token(status=77)


def test_what_the_provider_says_is_cut_and_cannot_command_a_terminal_nor_show_a_secret(account, server):
    record = account.keep()
    server.script = [refuse("invalid_scope", description="\x1b[2J" + "x" * 5000)]
    assert "\x1b" not in account.token(status=78)
    account.keep(refresh_token=record["refresh_token"], until=0)
    server.script = [refuse("invalid_scope", description=f"no scope for {record['refresh_token']}")]
    assert record["refresh_token"] not in account.token(status=78)


def test_a_refusal_is_remembered_however_its_words_are_cut(account, server):
    """The cut falls within a letter of two octets, for one of the two."""
    for words in ("\u00e9" * 200, "x" + "\u00e9" * 200):
        account.keep()
        server.script = [refuse("invalid_grant", description=words)]
        told = account.token(status=77)
        before = refreshes(server)
        assert account.token(status=77) == told and refreshes(server) == before, "nobody is asked again"
        assert account.kept()["asked"] == 0, "the answer came"


def parts(secret, least=8):
    """What a provider may repeat of a secret, that cuts what it says."""
    return [secret[:least], secret[3 : 3 + least], secret[-least:], secret]


@pytest.mark.parametrize("field", ["error", "error_description"])
@pytest.mark.parametrize("basic", [False, True])
def test_no_part_of_a_secret_that_the_provider_repeats_is_said(account, server, field, basic):
    server.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_basic" if basic else "client_secret_post"]
    for part in parts("refresh-" + "qwertzuiop" * 3) + parts("client-secret-value"):
        account.keep(refresh_token="refresh-" + "qwertzuiop" * 3, basic=basic)
        server.script = [answer({"error": "odd", "error_description": "no", field: f"it is {part}"}, 400)]
        done = account.outcome("token", "work")
        assert done.returncode != 0 and "the provider refuses" in done.stderr
        assert part not in done.stdout + done.stderr and part not in (account.kept().get("refusal") or "")


@pytest.mark.parametrize("field", ["error", "error_description"])
def test_no_part_of_a_token_that_is_revoked_is_said(account, server, field):
    record = account.keep(revocation_endpoint=server.issuer + "/token")
    for secret in (record["refresh_token"], "client-secret-value"):
        for part in parts(secret):
            server.script = [answer({"error": "odd", "error_description": "no", field: f"it is {part}"}, 400)]
            text = account.run("authorize", "work", "--revoke", status=69)
            assert part not in text and "the provider refuses" in text


NO_ANSWERS = [
    b"", b"hello", b"[]", b"null", b"{", b"[" * 100000, b'{"a":' * 50000, b"{}", b'{"access_token": 7}',
    b'{"access_token": ""}', b'{"access_token": null}', b'{"access_token": ["x"]}', b'{"access_token": "a b"}',
    b'{"access_token": "a\\u0000b"}', b'{"access_token": "\xc3\xa9"}', b'{"access_token": "x", "access_token": "y"}',
    b'{"access_token": "x", "token_type": "DPoP"}', b'{"access_token": "' + b"x" * 40000 + b'"}',
    b'{"access_token": "x", "refresh_token": "' + b"y" * 40000 + b'"}', b'"' + b"z" * 300000, b'{"error": 5}',
    b'{"access_token": "x\\n"}', b"\xff\xfe",
]  # fmt: skip


@pytest.mark.parametrize("body", NO_ANSWERS, ids=range(len(NO_ANSWERS)))
def test_an_answer_that_is_none_is_told_and_changes_nothing(account, server, body):
    old = account.keep()
    server.script = [answer(body), answer(body)]
    done = subprocess.run(account.command("token", "work"), env=account.environment(), capture_output=True, text=True,
                          timeout=DEADLINE)  # fmt: skip
    assert done.returncode in (75, 76, 77) and done.stdout == "", done
    assert done.stderr.startswith("pop3: work: refreshing the token: ") and done.stderr.count("\n") == 1
    kept = account.kept()
    assert kept["refresh_token"] == old["refresh_token"] and kept["access_token"] == old["access_token"]


def drip(handler, _form):
    """An answer without end, until nobody listens."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    while True:
        handler.wfile.write(b"1000\r\n" + b" " * 4096 + b"\r\n")


def test_an_answer_that_does_not_come_is_waited_for_a_minute(account, server):
    account.keep()
    server.hold = threading.Event()
    try:
        text = account.token(status=75, **preloaded("hurry"))
    finally:
        server.hold.set()
    waited = int(re.search(r"timed out after ([0-9]+) milliseconds", text)[1])
    assert waited >= 59999, "as libcurl counts: it drops parts of a millisecond"
    assert text.endswith("; try again later")
    assert refreshes(server) == 2, "it may have been lost"


def test_an_answer_without_end_is_cut(account, server):
    old = account.keep()
    server.script = [drip, drip]
    assert "the answer is longer than 262144 octets" in account.token(status=76)
    assert account.kept()["refresh_token"] == old["refresh_token"]


@pytest.mark.parametrize("reply", [{"access_token": "a b"}, {"access_token": "x", "token_type": "DPoP"}])
def test_an_answer_that_cannot_be_used_is_named_where_the_permission_then_ends(account, server, reply):
    account.keep()
    server.script = [answer({**reply, "refresh_token": "rotated"})]
    account.token(status=76)
    account.keep(**{**account.kept(), "until": 0})
    server.refresh.clear()
    assert "the answer to a refresh at 20" in account.token(status=77)


def test_a_redirect_at_the_token_endpoint_is_refused(account, server):
    old = account.keep()
    server.script = [answer(b"", 307, Location=server.issuer + "/elsewhere")]
    assert "a redirect, which is not followed (HTTP 307)" in account.token(status=76)
    assert server.asked("/elsewhere") == [] and account.kept()["refresh_token"] == old["refresh_token"]


def test_a_certificate_that_nobody_vouches_for_gets_no_secret(account, server, certs):
    account.keep()
    account.configure(issuer_ca_file=certs / "ed25519.pem")  # a machine may have no authorities of its own
    text = account.token(status=69)
    assert "certificate" in text and "issuer-ca-file" in text and server.requests == []


def test_tls_of_before_1_2_is_not_spoken_whatever_the_systems_configuration(account, server, tmp_path):
    account.keep()
    (tmp_path / "openssl.cnf").write_text(
        "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nMinProtocol = TLSv1\nCipherString = ALL:@SECLEVEL=0\n")
    context = server.httpd.socket.context
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    text = account.token(status=75, OPENSSL_CONF=str(tmp_path / "openssl.cnf"))
    assert "alert protocol version" in text or "unsupported protocol" in text
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    account.keep()
    assert account.token() in server.access


def test_only_https_is_spoken(account, server):
    account.keep(token_endpoint=server.issuer.replace("https", "http") + "/token")
    assert "https" in account.token(status=78)


# ---- the file ----


def test_a_file_that_others_can_read_is_not_trusted(account):
    account.keep()
    account.token_file.chmod(0o640)
    assert "others can read it" in account.token(status=78)


def test_a_link_in_the_place_of_the_file_is_not_followed(account, server, tmp_path):
    account.keep()
    elsewhere = tmp_path / "elsewhere"
    account.token_file.rename(elsewhere)
    account.token_file.symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    assert "reading the token file" in account.token(status=74)
    assert elsewhere.read_bytes() == before and server.requests == []


def test_a_damaged_file_is_told_with_what_mends_it(account):
    account.keep()
    account.token_file.write_text('{"access_token": "cut')
    assert "it is damaged" in account.token(status=65) and "pop3 authorize" in account.token(status=65)


def test_there_may_be_no_token_yet_and_another_client(account):
    assert "there is none yet; run: pop3 authorize work" in account.token(status=77)
    account.keep(client_id="another")
    assert "another client-id" in account.token(status=77)


def test_with_a_key_the_file_is_encrypted_and_bound_to_its_account(account, server, tmp_path):
    key = tmp_path / "key"
    key.write_bytes(os.urandom(32))
    key.chmod(0o600)
    account.configure(token_key_file=key)
    account.keep()
    token = account.token()
    sealed = account.token_file.read_bytes()
    assert sealed.startswith(b"P3TOKEN1") and token.encode() not in sealed and b"refresh" not in sealed
    assert account.token() == token and refreshes(server) == 1
    account.token_file.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    assert "not the key that it was encrypted with, or it is damaged" in account.token(status=78)
    account.token_file.write_bytes(sealed)
    account.configure(user="other")
    other = account.token_file.with_name("other@localhost%3A995")
    account.token_file.rename(other)
    assert "not the key" in account.token(status=78), "one account's file is no good for another"
    other.rename(account.token_file)
    account.configure(user="user", token_key_file=None)
    assert "it is encrypted; set token-key-file" in account.token(status=78)
    key.write_bytes(b"short")
    account.configure(token_key_file=key)
    assert "at least 32 are needed" in account.token(status=78)


def test_the_key_can_be_a_credential_of_systemd(account, tmp_path):
    folder = tmp_path / "credentials"
    folder.mkdir(mode=0o700)
    (folder / "pop3-key").write_bytes(os.urandom(48))
    (folder / "pop3-key").chmod(0o400)
    account.configure(token_key_file="$CREDENTIALS_DIRECTORY/pop3-key")
    account.keep()
    account.token(CREDENTIALS_DIRECTORY=str(folder))
    assert account.token_file.read_bytes().startswith(b"P3TOKEN1")


def test_a_full_disk_is_found_before_the_refresh_token_is_spent(account, server):
    account.keep()
    account.token_file.with_name(account.token_file.name + ".new").mkdir()  # it stops root, too
    assert "writing the token file" in account.token(status=74)
    assert server.requests == []


# ---- client credentials ----


@pytest.mark.parametrize("basic", [False, True])
def test_a_client_may_ask_in_its_own_name(account, server, basic):
    if basic:
        server.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_basic"]
    account.configure(grant="client", scope="https://mail.example.org/.default")
    assert account.token() in server.access and account.token() in server.access
    (form,) = server.asked("/token")
    assert form["grant_type"] == "client_credentials" and form["scope"] == "https://mail.example.org/.default"
    assert ("basic" in form) is basic
    account.configure(client_secret_file=None)
    account.token_file.unlink()
    assert "client-secret-file" in account.token(status=78)


def test_an_issuer_that_calls_itself_otherwise_is_not_believed(account, server):
    account.configure(grant="client")
    server.metadata["issuer"] = "https://evil.example.org"
    assert "its name is https://evil.example.org" in account.token(status=76)
    server.metadata = {"token_endpoint": "http://localhost/token"}
    assert "no token endpoint with https" in account.token(status=76)


# ---- secrets ----


def test_no_secret_is_in_an_argument_or_the_environment_or_said(account, server):
    record = account.keep()
    server.hold = threading.Event()
    process = account.start("token", "work", "--verbose")
    assert server.arrived.acquire(timeout=DEADLINE)
    shown = b""
    for name in ("cmdline", "environ"):
        try:
            with open(f"/proc/{process.pid}/{name}", "rb") as file:
                shown += file.read()
        except PermissionError:  # the process cannot be looked into, not even by its own user
            assert name == "environ" and os.geteuid() != 0
    with open(f"/proc/{process.pid}/limits") as file:
        assert any(line.split()[:6] == ["Max", "core", "file", "size", "0", "unlimited"] or
                   line.startswith("Max core file size        0 ") for line in file)  # fmt: skip
    server.hold.set()
    out, err = process.communicate(timeout=DEADLINE)
    for secret in (record["refresh_token"], "client-secret-value", account.kept()["refresh_token"]):
        assert secret.encode() not in shown and secret not in out and secret not in err
    assert json.loads(account.token_file.read_text())["access_token"] == out.strip()
