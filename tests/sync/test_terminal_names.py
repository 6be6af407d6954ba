"""What is in names cannot command the terminal, nor pass for a line of the command's own: of files, accounts and hosts, in
settings and on the command line, in netrc and passwords, in files of the Maildir, and in certificates."""

import re
import shutil
import subprocess

import pytest

from imapd import running as imap_running
from test_terminal import ERASE, HOSTILE, assert_harmless, terminal
from test_terminal_targets import FORGED, SAID
from world import COMMAND, DEADLINE

# What neither ends a line of a file, a name of a file, nor is too long for one.
SHORT = f"\x1b[31m\x9b31m\u202e\u2028\u061c {FORGED}"
LATIN = b"\x1b]0;t\x07\x9b31m\xff " + FORGED.encode()
LINE = re.compile(rf"^{FORGED}", re.M)


def shows(world, words, typed=b""):
    # It runs where a name that is relative does no harm.
    shown, _ = terminal([COMMAND, *words], world.environment(LANG="C.UTF-8", TERM="xterm"), typed, world.path)
    assert shown
    assert_harmless(shown, [ERASE])
    assert not LINE.search(shown.decode()), shown.decode()
    return shown


SETTINGS = ["host", "user", "url", "auth", "proxy", "security", "timeout", "remove", "maildir", "mbox", "lmtp", "imap", "smtp",
            "gmail", "labels", "flags", "recipient", "map-recipients", "recipients-from", "deliver", "password-file", "netrc",
            "ca-file", "pin", "server-name", "inherit", "no-such-setting", "max-size", "provider", "issuer", "state"]  # fmt: skip


@pytest.mark.parametrize("name", SETTINGS)
def test_settings(world, name):
    config = world.path / "accounts"
    for value in (SAID.replace("\n", ""), SHORT, f"imaps://{SHORT}@{SHORT}/{SHORT}", f"{world.path}/{SHORT}"):
        config.write_text(f"[a]\nhost = 127.0.0.1\nport = 1\nuser = u\npassword-file = {world.password_file}\n"
                          f"maildir = {world.maildir}\n{name} = {value}\n")  # fmt: skip
        config.chmod(0o600)
        shows(world, ["sync", "--config", str(config), "--state", str(world.state), "--retries", "0"])
        shows(world, ["doctor", "a", "--config", str(config)])
        shows(world, ["stat", "a", "--config", str(config), f"--{name}", value])


@pytest.mark.parametrize("text", [SAID, SHORT], ids=["all", "short"])
def test_words_of_the_command_line(world, text):
    for name in ("stat", "list", "cat", "sync", "retry", "authorize", "token", "setup", "doctor", "help", "shell"):
        shows(world, [name, text])
        shows(world, [name, f"--{text}"])
    shows(world, [text])
    shows(world, ["cat", "pop3://u@127.0.0.1:1", text])
    shows(world, ["stat", f"pop3://{text}@{text}:1"])


@pytest.mark.parametrize("option", ["--config", "--password-file", "--state", "--maildir", "--mbox", "--ca-file", "--netrc",
                                    "--lmtp", "--token-key-file"])  # fmt: skip
def test_names_of_files(world, option):
    folder = world.path / SHORT
    folder.mkdir()
    folder.chmod(0o777)
    with world.server() as server:
        world.fill(1)
        for path in (folder, folder / "none" / "there", folder / "file"):
            (folder / "file").write_text("x")
            where = f"unix:{path}" if option == "--lmtp" else str(path)
            words = ["sync", f"pop3://user@127.0.0.1:{server.port}", "--allow-plaintext", "--retries", "0", option, where]
            if option != "--password-file":
                words += ["--password-file", str(world.password_file)]
            if option not in ("--maildir", "--mbox", "--lmtp"):
                words += ["--maildir", str(world.maildir)]
            shows(world, words + ["--state", str(world.state)] * (option != "--state"), b"secret\n")


def test_a_section_of_the_configuration(world):
    config = world.path / "accounts"
    config.write_text(f"[{SHORT}]\nhost = 127.0.0.1\nport = 1\nuser = u\npassword-file = {world.password_file}\n"
                      f"maildir = {world.maildir}\n[{SAID}\n[b]\ninherit = {SHORT}\n")  # fmt: skip
    config.chmod(0o600)
    shows(world, ["sync", "--config", str(config), "--state", str(world.state)])


def test_what_is_in_the_folders_of_what_was_refused(world):
    for folder in ("new", "cur", "tmp"):
        (world.path / "state.db.refused/user@127.0.0.1:1" / folder).mkdir(parents=True)
    kept = world.path / "state.db.refused/user@127.0.0.1:1/new"
    (kept / SHORT).write_bytes(b"X-POP3-Refused: " + HOSTILE + b"\nX-POP3-Recipient: " + HOSTILE + b"\nSubject: " + HOSTILE + b"\n\nx\n")
    words = ["pop3://user@127.0.0.1:1", "--state", str(world.state), "--lmtp", f"unix:{world.path}/none", "--recipient", "me@in",
             "--allow-plaintext", "--password-file", str(world.password_file)]  # fmt: skip
    for more in (["--dry-run"], []):
        shows(world, ["retry", *words, *more])


@pytest.fixture(scope="module")
def hostile_certs(tmp_path_factory):
    """A certificate of which every name is hostile, by itself and of an authority with such a name."""
    folder = tmp_path_factory.mktemp("hostile")
    text = SHORT.replace("\u2028", "\u2029")
    quoted = text.replace("\\", "\\\\").replace(",", "\\,")
    (folder / "cnf").write_text(
        f"[req]\nprompt = no\nstring_mask = utf8only\nutf8 = yes\ndistinguished_name = n\nx509_extensions = x\n[n]\nO = \"{quoted}\"\n"
        f"CN = \"{quoted}\"\n[x]\nsubjectAltName = @a\n[a]\nDNS.1 = \"other.invalid\\x1b[31m {FORGED}\"\n"
        f"DNS.2 = other\x1b[31m.invalid\nDNS.3 = \x9b31m\n")  # fmt: skip
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                    "-config", str(folder / "cnf"), "-keyout", str(folder / "good.key"), "-out", str(folder / "good.pem")],
                   check=True, capture_output=True, timeout=DEADLINE)  # fmt: skip
    shutil.copy(folder / "good.pem", folder / "ca.pem")
    return folder


@pytest.mark.parametrize("trusted", [False, True])
def test_certificates(world, hostile_certs, trusted):
    """Those of POP3 servers and of targets."""
    world.fill(1)
    authority = ["--ca-file", str(hostile_certs / "ca.pem")] if trusted else []
    options = ["--tls", "--cert", hostile_certs / "good.pem", "--key", hostile_certs / "good.key"]
    with world.server(*options) as server:
        for name in ("stat", "doctor", "sync", "shell"):
            more = ["--maildir", str(world.maildir), "--state", str(world.state), "--retries", "0"] if name == "sync" else []
            shown = shows(world, [name, f"pop3s://user@localhost:{server.tls_port}", "--password-file", str(world.password_file),
                                  *authority, *more])  # fmt: skip
            assert FORGED.encode() in shown or name != "stat", "the certificate's names are told"
    authority = ["--imap-ca-file", str(hostile_certs / "ca.pem")] if trusted else []
    with world.server() as server, imap_running(hostile_certs) as imap:
        shows(world, ["sync", f"pop3://user@127.0.0.1:{server.port}", "--allow-plaintext", "--password-file",
                      str(world.password_file), "--state", str(world.state), "--retries", "0", "--imap", imap.url(),
                      "--imap-password-file", str(world.password_file), *authority])  # fmt: skip
