"""Tokens in the desktop's keyring, and in a file where it does not answer."""

import json
import os
import pwd

import pytest

from secret_service import SecretService, bus
from test_authorize import browser  # noqa: F401  a fixture
from world import COMMAND, DEADLINE

IN_KEYRING = "P3KEYRING1\n"


@pytest.fixture(scope="module")
def address():
    with open(COMMAND, "rb") as file:
        if b"libsecret-1.so" not in file.read():
            pytest.skip("this build has no libsecret")
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        pytest.skip("dbus-daemon lets nobody in who has no entry in passwd")
    with bus() as it:
        yield it


@pytest.fixture
def desktop(account, address):
    account.more["DBUS_SESSION_BUS_ADDRESS"] = address
    return account


@pytest.fixture
def keyring(address):
    with SecretService(address) as it:
        yield it


def authorize(account, browser):  # noqa: F811
    process = account.start("authorize", "work")
    while not (line := process.stdout.readline()).startswith("https://"):
        assert line, process.stderr.read()
    browser.go_back(browser.sign_in(line.strip()))
    out, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, (out, err)


def secret(keyring):
    (item,) = keyring.items.values()
    assert item["attributes"]["account"] == "user@localhost%3A995" and item["label"].startswith("pop3: ")
    return json.loads(item["secret"])


def age(keyring):
    """Makes the token old, so that the next use refreshes it."""
    (item,) = keyring.items.values()
    record = json.loads(item["secret"])
    item["secret"] = json.dumps({**record, "obtained": record["obtained"] - 7200, "expires": 1}).encode()


def test_tokens_are_kept_in_the_keyring_that_answers_and_nowhere_else(desktop, server, browser, keyring):  # noqa: F811
    server.token_octets = 16384
    authorize(desktop, browser)
    assert desktop.token_file.read_text() == IN_KEYRING
    kept = secret(keyring)
    assert len(kept["access_token"]) == 16384 and desktop.token() == kept["access_token"]
    age(keyring)
    new = desktop.token()
    assert new != kept["access_token"] and secret(keyring)["access_token"] == new and len(server.asked("/token")) == 2
    assert desktop.token_file.read_text() == IN_KEYRING
    assert "the desktop's keyring" in desktop.run("authorize", "work", "--show")
    for path in desktop.path.rglob("*"):
        assert not path.is_file() or new[:40].encode() not in path.read_bytes(), path
    desktop.run("authorize", "work", "--revoke")
    assert keyring.items == {} and not desktop.token_file.exists() and new not in server.access


@pytest.mark.parametrize("why", ["none", "full", "file", "key"])
def test_tokens_are_kept_in_the_file_where_the_keyring_does_not_keep_them(desktop, browser, address, why, tmp_path):  # noqa: F811
    if why == "none":  # a bus without a keyring
        authorize(desktop, browser)
    else:
        if why == "key":
            (tmp_path / "key").write_bytes(b"k" * 32)
            (tmp_path / "key").chmod(0o600)
        desktop.configure(token_store="file" if why == "file" else None,
                          token_key_file=tmp_path / "key" if why == "key" else None)  # fmt: skip
        with SecretService(address) as keyring:
            keyring.full = why == "full"
            authorize(desktop, browser)
            assert keyring.items == {}
    assert desktop.token_file.stat().st_mode & 0o777 == 0o600
    assert desktop.token_file.read_bytes()[:1] == (b"P" if why == "key" else b"{")
    assert desktop.token() != ""


def test_a_keyring_that_is_to_keep_them_and_does_not_is_an_error(desktop, browser):  # noqa: F811
    desktop.configure(token_store="keyring")
    process = desktop.start("authorize", "work")
    while not (line := process.stdout.readline()).startswith("https://"):
        assert line
    browser.go_back(browser.sign_in(line.strip()))
    _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 75 and "keeping the token in the keyring: " in err
    assert not desktop.token_file.exists()


def test_a_keyring_that_is_locked_or_gone_is_told_and_nobody_is_prompted(desktop, browser, address):  # noqa: F811
    with SecretService(address) as keyring:
        authorize(desktop, browser)
        keyring.locked = True
        text = desktop.token(status=75)
        assert "finding the token in the keyring: it is locked; unlock it; or set token-store = file" in text
        assert keyring.prompted == 0
        keyring.locked = False
        keyring.items.clear()
        assert "it no longer exists" in desktop.token(status=77)
    assert "finding the token in the keyring: " in desktop.token(status=75)
    text = desktop.token(status=75, DBUS_SESSION_BUS_ADDRESS="")
    assert "there is no desktop session" in text


def test_a_keyring_that_fails_while_the_token_is_refreshed_loses_no_token(desktop, server, browser, keyring):  # noqa: F811
    authorize(desktop, browser)
    age(keyring)
    keyring.full = True
    token = desktop.token()
    assert token in server.access and desktop.kept()["access_token"] == token
    assert desktop.kept()["refresh_token"] in server.refresh


def test_sync_reads_the_keyring_outside_of_its_sandbox(desktop, browser, keyring):  # noqa: F811
    desktop.configure(port=1)
    authorize(desktop, browser)
    assert len(keyring.items) == 1
    done = desktop.outcome("sync", "work")
    assert "localhost:1: " in done.stderr and "token" not in done.stderr, done
