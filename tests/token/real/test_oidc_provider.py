"""`pop3 authorize` with a real authorization server (oidc-provider), a real browser (Chromium) and a real POP3 server that
asks that server about tokens (Dovecot). tools/interop-oauth.sh runs it."""

import base64
import json
import os
import select
import shutil
import ssl
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from browser import browser as chromium  # noqa: E402
from browser import driver as chromedriver  # noqa: E402
from browser import missing  # noqa: E402
from conftest import Account  # noqa: E402
from dovecot_oauth import dovecot  # noqa: E402
from world import DEADLINE, ROOT  # noqa: E402

MODULES = Path(os.environ.get("POP3_NODE_MODULES", ROOT / "build/oidc-provider/node_modules"))
MAIL = ROOT / "examples/mail"


class Provider:
    """It runs, and can be asked about tokens as a mail server would."""

    def __init__(self, certs: Path) -> None:
        self.ca_file = certs / "ca.pem"
        self.process = subprocess.Popen(
            ["node", HERE / "provider.mjs", certs / "good.pem", certs / "good.key", MODULES / "oidc-provider/lib/index.js"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # fmt: skip
        assert select.select([self.process.stdout], [], [], DEADLINE)[0], "it does not get ready"
        self.issuer = self.process.stdout.readline().strip()
        assert self.issuer.startswith("https://"), "it ends"
        self.introspection = f"https://mail-server:mail-server-secret-value-0123456789@{self.issuer[8:]}/token/introspection"

    def introspect(self, token: str) -> dict:
        request = urllib.request.Request(self.issuer + "/token/introspection", urllib.parse.urlencode({"token": token}).encode())
        request.add_header("Authorization", "Basic " + base64.b64encode(b"mail-server:mail-server-secret-value-0123456789").decode())
        with urllib.request.urlopen(request, timeout=DEADLINE,
                                    context=ssl.create_default_context(cafile=str(self.ca_file))) as answer:  # fmt: skip
            return json.load(answer)

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait(DEADLINE)
        self.process.stdout.close()


def lacking_node():
    """The version of Node that is missing: oidc-provider needs what Debian 12 has not."""
    least = (20, 19)
    if shutil.which("node") is not None:
        said = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
        if tuple(map(int, said.lstrip("v").split(".")[:2])) >= least:
            return None
    return "node of version " + ".".join(map(str, least))


@pytest.fixture(scope="module")
def provider(certs):
    lack = missing() or lacking_node() or (None if (MODULES / "oidc-provider").exists() else f"oidc-provider in {MODULES}")
    if lack is not None:
        pytest.skip(f"no {lack}")
    it = Provider(certs)
    yield it
    it.stop()


@pytest.fixture(scope="module")
def driver(provider):
    with chromedriver() as port:
        yield port


@pytest.fixture
def window(driver, tmp_path):
    with chromium(driver, tmp_path / "browser") as it:
        yield it


@pytest.fixture
def account(tmp_path, provider):
    it = Account(tmp_path, provider)
    it.configure(client_id="native-client", client_secret_file=None, scope="openid offline_access")
    yield it
    for watch in it.watches:
        watch.cancel()


def lines_until(process, begins):
    """What is said up to a line that begins so."""
    said = []
    while not said or not said[-1].startswith(begins):
        said.append(process.stdout.readline())
        assert said[-1], (said, process.stderr.read())
    return said[-1].strip()


def begin(account, *options):
    process = account.start("authorize", "work", *options)
    return process, lines_until(process, account.server.issuer + "/auth?")


def finish(process, status=0, typed=None):
    out, err = process.communicate(typed, timeout=DEADLINE)
    assert process.returncode == status, (process.returncode, out, err)
    return out if status == 0 else err


def sign_in(window, agrees=True, is_known=False):
    """As a person does: a name, a password, and consent. One who is known is only asked for the latter."""
    if not is_known:
        window.type("input[name=password]", "any")
        window.click("button[type=submit]")
    window.wait_for("input[name=prompt][value=consent]")
    window.click("button[type=submit]" if agrees else "a[href*=abort]")


def authorize(account, window, is_known=False):
    process, url = begin(account)
    window.open(url)
    sign_in(window, is_known=is_known)
    window.wait_for("p")
    assert "You can close this window" in window.text() and window.address().startswith("http://127.0.0.1:")
    finish(process)


def test_code_and_pkce_by_a_loopback_redirect(account, provider, window):
    authorize(account, window)
    kept = account.kept()
    told = provider.introspect(kept["access_token"])
    assert told["active"] and told["sub"] == "user" and told["client_id"] == "native-client"
    assert kept["refresh_token"] and kept["token_endpoint"].startswith(provider.issuer)
    assert account.token() == kept["access_token"]


def test_a_refresh_token_is_rotated_and_one_that_is_used_twice_ends_the_permission(account, provider, window):
    authorize(account, window)
    first = account.kept()
    account.keep_old()
    token = account.token()
    second = account.kept()
    assert token != first["access_token"] and second["refresh_token"] != first["refresh_token"]
    assert provider.introspect(token)["active"]
    account.write({**first, "obtained": 0, "expires": 1})
    text = account.token(status=77)
    assert "the permission is no longer valid" in text and text.endswith("run: pop3 authorize work")
    assert not provider.introspect(second["refresh_token"])["active"]


def test_a_code_is_entered_on_another_device(account, provider, window):
    process = account.start("authorize", "work", "--device")
    at = lines_until(process, "Open ").removeprefix("Open ")
    code = lines_until(process, "and enter the code ").removeprefix("and enter the code ")
    window.open(at)
    window.type("input[name=user_code]", code)
    window.click("button[type=submit]")
    window.click("button[type=submit][autofocus]")  # the code is that of this device
    window.type("input[name=login]", "user")
    sign_in(window)
    finish(process)
    assert provider.introspect(account.token())["sub"] == "user"


def test_the_address_that_the_browser_ends_at_is_pasted(account, provider, window):
    process, url = begin(account, "--paste")
    window.open(url)
    try:
        sign_in(window)
    except urllib.error.HTTPError as error:  # nobody listens there
        error.close()
    finish(process, typed=window.wait_for_address("http://127.0.0.1:1/") + "\n")
    assert provider.introspect(account.token())["active"]


def test_a_permission_that_is_declined_is_told(account, window):
    process, url = begin(account)
    window.open(url)
    sign_in(window, agrees=False)
    text = finish(process, status=77)
    assert "the permission was declined, by you or an administrator (access_denied: End-User aborted interaction)" in text
    assert not account.token_file.exists()


def test_a_permission_is_withdrawn(account, provider, window):
    authorize(account, window)
    kept = account.kept()
    assert "withdrawn" in account.run("authorize", "work", "--revoke")
    assert not account.token_file.exists()
    for name in ("access_token", "refresh_token"):
        assert not provider.introspect(kept[name])["active"], name


def test_a_client_registers_itself(account, provider, window):
    account.configure(client_id=None)
    authorize(account, window)
    kept = account.kept()
    assert kept["client_id"] != "native-client" and provider.introspect(account.token())["client_id"] == kept["client_id"]
    authorize(account, window, is_known=True)
    assert account.kept()["client_id"] == kept["client_id"]


def test_a_client_asks_in_its_own_name(account, provider):
    secret = account.path / "tenant-secret"
    secret.write_text("tenant-secret-value-0123456789abcdef\n")
    secret.chmod(0o600)
    account.configure(grant="client", client_id="tenant-client", client_secret_file=secret, scope=None)
    told = provider.introspect(account.token())
    assert told["active"] and told["client_id"] == "tenant-client"
    secret.write_text("another\n")
    account.token_file.unlink()
    assert "check client-id and client-secret-file" in account.token(status=77)


def test_authorize_then_sync(account, provider, window):
    with dovecot(provider, MAIL, provider.introspection, "sub") as mailbox:
        account.configure(port=mailbox.tls_port, ca_file=mailbox.ca_file)
        account.token_file = account.token_file.with_name(f"user@localhost%3A{mailbox.tls_port}")
        assert "there is none yet; run: pop3 authorize work" in account.run("sync", "work", status=77)
        authorize(account, window)
        assert "12 new messages" in account.run("sync", "work")
        first = account.kept()
        account.keep_old()
        assert "0 new messages" in account.run("sync", "work")
        assert account.kept()["refresh_token"] != first["refresh_token"]
        account.run("authorize", "work", "--revoke")
        assert "run: pop3 authorize work" in account.run("sync", "work", status=77)
