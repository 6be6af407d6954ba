"""Settings: how they are read, inherited and told to be wrong, and what they make of a session."""

import os
import re
import subprocess
import textwrap
from pathlib import Path

import pytest

from relays import connect_proxy, relay
from subcommands import all_subcommands
from world import COMMAND, DEADLINE

GUIDES = sorted((Path(__file__).resolve().parents[2] / "docs/guide").glob("*.md"))


def configure(world, text, mode=0o600):
    path = world.path / "config/pop3/config"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, errors="surrogateescape")
    path.chmod(mode)
    return path


def run(world, *words, status=0, **env):
    done = subprocess.run([COMMAND, *map(str, words)], env=world.environment(**env), capture_output=True,
                          text=True, timeout=DEADLINE, start_new_session=True)  # fmt: skip
    assert done.returncode == status, done
    return done.stdout + done.stderr


def stat(world, server, *words, **more):
    return run(world, "stat", f"pop3://user@127.0.0.1:{server.port}", "--allow-plaintext",
               "--password-file", world.password_file, *words, **more)  # fmt: skip


# ---- the file ----


def configurations(guide):
    """What a guide shows of configurations: blocks, also those that a command writes, and single lines."""
    text = guide.read_text()
    for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, re.MULTILINE):
        written = re.findall(r"<<'END'\n(.*?)^ *END$", block, re.MULTILINE | re.DOTALL) or [block]
        if re.search(r"^ +[a-z-]+ = ", written[0], re.MULTILINE) and not re.search(r"\{$|^ +\[Service\]", block, re.MULTILINE):
            yield textwrap.dedent(written[0])
    for line in re.findall(r"`([a-z][a-z-]* = [^`]+)`", text.replace("\n", " ")):
        if line not in ("ssl = yes", "imap-provider = NAME"):  # Dovecot's; one of several
            yield line


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_what_the_guides_say_to_write_is_taken(world, guide):
    for text in configurations(guide):
        configure(world, text)
        said = run(world, "stat", "nobody", status=64, CREDENTIALS_DIRECTORY=str(world.path))  # 78: a mistake in the file
        assert "there is no account nobody" in said


def test_settings_may_be_indented(world):
    world.fill(1)
    with world.server() as server:
        configure(world, f"[work]\n  host = 127.0.0.1\n  port = {server.port}\n\tuser = ann\n"
                  "  tls = none\n  allow-plaintext = on\n\n    password = x\n")  # fmt: skip
        assert "1 message" in run(world, "stat", "work")


@pytest.mark.parametrize("length", [150, 190, 191, 192, 193, 198, 199, 200, 1000, 70000])
def test_a_line_may_be_of_any_length(world, length):
    world.fill(1)
    for spaces in ("", "  "):
        command = f"cat >/dev/null; : {'x' * length}; echo delivered >>{world.path}/log"
        with world.server() as server:
            configure(world, f"state = {world.path}/{length}{len(spaces)}.db\n[a]\n"
                      f"url = pop3://u@127.0.0.1:{server.port}\nallow-plaintext = yes\n"
                      f"password-file = {world.password_file}\n"
                      f"{spaces}command{spaces} ={spaces} {command} \t ; a comment; with = signs\nmbox2 = x\n")  # fmt: skip
            assert ":7: there is no setting mbox2" in run(world, "sync", status=78)
            configure(world, (world.path / "config/pop3/config").read_text().replace("mbox2 = x\n", ""))
            run(world, "sync")
    assert (world.path / "log").read_text() == "delivered\n" * 2


def test_a_long_line_that_is_no_setting_is_said(world):
    path = configure(world, f"; {'c = ' * 100}\n[a]\nuser = u\n{'x' * 300}\n{'y' * 100} = {'z' * 200}\n")
    text = run(world, "sync", status=78)
    assert f"{path}:4: this line is neither a [section] nor NAME = VALUE" in text
    assert f"{path}:5: there is no setting yyy" in text and "2 errors" in text


def test_a_line_that_is_no_setting_is_said_with_the_other_mistakes(world):
    path = configure(world, "[a]\nuser = u\nnonsense\ncolour = red\n")
    text = run(world, "sync", status=78)
    assert f"{path}:3: this line is neither a [section] nor NAME = VALUE" in text
    assert f"{path}:4: there is no setting colour" in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("inherit = b\n[a]\nuser = u\n", ":1: only accounts inherit"),
        ("[a]\nuser = u\n[b]\nuser = u\n[a]\nhost = h\n", ":6: a second section of the same name: a"),
        ("[a]\ninherit = nobody\nuser = u\n", "[a] inherits from nobody, which does not exist"),
        ("[a]\ninherit = b\n[b]\ninherit = a\n", "inherits from itself"),
        ("[a]\nreceived = perhaps\n", '"perhaps" cannot be used; expected: yes or no'),
        ("[a]\nport = many\n", '"many" cannot be used; expected: a number'),
        ("[a]\ntimeout = soon\n", '"soon" cannot be used; expected: a time such as 30s, 5m or 14d'),
        ("[a]\nremove = soon\n", '"soon" cannot be used; expected: never, delivered, or a time with its unit, such as 14d'),
        ("[a]\nremove = 14\n", '"14" cannot be used; expected: never, delivered, or a time with its unit'),
        ("[a]\nremove = 0\n", '"0" cannot be used; expected: never, delivered, or a time with its unit'),
        ("jobs = x\n[a]\nuser = u\n", ':1: jobs: "x" cannot be used; expected: a number from 1 to 10000'),
        ("every = often\n[a]\nuser = u\n", ':1: every: "often" cannot be used; expected: a time such as'),
        ("[a]\nuser = u\njobs = 3\n", "this belongs at the top, before the first account: jobs"),
        ("[a]\nport = 65536\n", 'port: "65536" cannot be used; expected: a number from 1 to 65535'),
        ("[a]\nproxy = ftp://h\n", "proxy: expected: socks5://HOST"),
        ("[a]\nuser = u\nclient-id = caf\udce9\n", "client-id: \"caf"),
        ("[a]\nuser = u\nimap-scope = caf\u00e9\n", "cannot be used; expected: printable characters of ASCII"),
        ("[a]\nurl = mail.example.org\n", "url: reading the URL: it is not of the form"),
        ("[a]\nmbox = m\nmaildir = d\n", "more than one target: choose one of mbox and maildir"),
        ("[" + "a" * 50 + "]\nuser = u\n", ":1: the name of an account has at most 49 octets"),
        ("", "has no account"),
        ("# nothing\n", "has no account"),
        ("[a]\nurl = pop3s://u:secret@h/\n", "others can read it; run: chmod 600"),
    ],
)
def test_what_is_wrong_in_the_file_is_explained(world, text, told):
    path = configure(world, text, 0o644)
    shown = run(world, "sync", status=78)
    assert told.replace(":1:", f"{path}:1:").replace(":6:", f"{path}:6:") in shown
    assert "secret@" not in shown


def test_a_configuration_that_cannot_be_read_is_said(world):
    text = run(world, "sync", "--config", world.path, status=74)
    assert f"reading {world.path}" in text
    assert "there is no configuration file" in run(world, "sync", "--config", "/nonexistent", status=78)


@pytest.mark.parametrize("text, told", [
    (b"[a]\nhost = 127.0.0.1\0evil.example\n", ":2: there is an octet NUL: this is no text file"),
    (b"[a]\nhost = " + b"a" * (2 << 20), ":2: this line is too long"),
], ids=["NUL", "2 MiB in a line"])  # fmt: skip
def test_what_is_no_text_is_no_configuration(world, text, told):
    path = world.path / "config"
    path.write_bytes(text)
    assert f"{path}{told}" in run(world, "sync", "--config", path, status=78)


def test_a_configuration_without_end_fills_no_memory(world):
    shown = run(world, "sync", "--config", "/dev/zero", status=78)
    assert "reading /dev/zero: it is too large for such a file" in shown


@pytest.mark.parametrize("secret", [b"se\0cret\n", b"\0", b"secret\0\n"])
def test_a_password_that_would_be_cut_at_a_nul_is_refused(world, secret):
    world.password_file.write_bytes(secret)
    with world.server() as server:
        assert "contains a NUL" in stat(world, server, status=78)
        assert server.commands("PASS") == [] and server.commands("AUTH") == []


def test_without_home_it_is_said_what_is_missing(world):
    done = subprocess.run([COMMAND, "sync"], env={}, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 78 and "HOME is not set" in done.stderr
    done = subprocess.run(
        [COMMAND, "sync", "pop3s://u@h/", "--maildir", "m"], env={}, capture_output=True, text=True,
        timeout=DEADLINE)  # fmt: skip
    assert done.returncode == 78 and "say where the state is with --state" in done.stderr


def test_the_usual_folders_are_in_home_when_no_variable_names_them(world):
    path = world.path / ".config/pop3/config"
    path.parent.mkdir(parents=True)
    world.fill(1)
    with world.server() as server:
        path.write_text(f"state = {world.path}/here.db\n[a]\nhost = 127.0.0.1\nport = {server.port}\n"
                        "user = u\ntls = none\nallow-plaintext = 1\npassword-file = ~/password\n"
                        "maildir = ~/Mail\n")  # fmt: skip
        env = world.environment()
        del env["XDG_CONFIG_HOME"]
        done = subprocess.run([COMMAND, "sync"], env=env, capture_output=True, text=True, timeout=DEADLINE)
        assert done.returncode == 0, done
    assert len(world.delivered(world.path / "Mail")) == 1
    assert (world.path / "here.db").exists()


def test_a_state_and_a_maildir_may_begin_in_one_empty_directory(world):
    folder = world.path / "new"
    folder.mkdir()
    world.fill(1)
    with world.server() as server:
        text = run(world, "sync", f"pop3://user@127.0.0.1:{server.port}", "--allow-plaintext", "--verbose",
                   "--password-file", world.password_file, "--maildir", folder / "Maildir",
                   "--state", folder / "state")  # fmt: skip
    assert "sandbox: restricted" in text
    assert len(world.delivered(folder / "Maildir")) == 1


def test_general_settings_are_read_and_checked(world):
    path = configure(world, "jobs = none\n[a]\nurl = pop3s://u@h/\nmaildir = m\n")
    assert f'{path}:1: jobs: "none" cannot be used; expected: a number from 1' in run(world, "sync", status=78)
    path = configure(world, "every = often\n[a]\nurl = pop3s://u@h/\nmaildir = m\n")
    assert f'{path}:1: every: "often" cannot be used; expected: a time such as' in run(world, "sync", status=78)


# ---- words of the command line ----


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["stat", "pop3s://u:secret@h/"], 64, "would show the password"),
        (["stat", "x", "--url", "pop3s://u:secret@h/"], 78, "no configuration file"),
        (["stat", "pop3s://u@h/\nx"], 64, "it is not of the form"),
        (["stat", "pop3s://u@h/", "--port"], 64, "--port needs a value"),
        (["stat", "pop3s://u@h/", "--port=0"], 64, '--port: "0" cannot be used; expected: a number from 1 to 65535'),
        (["stat", "pop3s://u@h/", "--port", "70000"], 64, '--port: "70000" cannot be used; expected: a number from 1 to 65535'),
        (["stat", "pop3s://u@h/", "--" + "x" * 80], 64, "unknown option"),
        (["stat", "pop3s://u@h/", "--zebra-stripes"], 64, "unknown option --zebra-stripes; `pop3 help options`"),
        (["stat", "pop3s://u@h/", "--keep=1"], 64, "unknown option --keep"),
        (["stat", "pop3s://u@h/", "--ca-file", "/nonexistent"], 78, "preparing TLS: "),
        (["sync", "pop3s://u@h/", "--maildir", "m", "--retries", "31"], 64, '--retries: "31" cannot be used; expected: a number from 0 to 30'),
        (["sync", "pop3s://u@h/", "--maildir", "m", "--retry-wait", "x"], 64, '--retry-wait: "x" cannot be used; expected: a time such as'),
        (["sync", "pop3s://u@h/", "--maildir", "m", "--per-host", "0"], 64, "a number from 1 to 10000"),
        (["top", "pop3s://u@h/", "1", "--lines", "x"], 64, '--lines: "x" cannot be used; expected: a number'),
        (["top", "pop3s://u@h/"], 64, "which messages?"),
        (["cat", "pop3s://u@h/"], 64, "which messages?"),
        (["rm", "pop3s://u@h/"], 64, "which messages?"),
        (["stat", "pop3s://u@h/", "--proxy", "ftp://h"], 64, "proxy: expected: socks5://"),
        (["stat", "pop3s://u@h/", "--proxy", "http://u:p@h"], 64, "its user is proxy-user"),
        (["stat", "pop3s://u@h/", "--proxy", "http://h:0"], 64, "proxy: expected"),
        (["stat", "pop3s://u@h/", "--proxy", "socks5://"], 64, "proxy: expected"),
        (["setup"], 64, "a mail address is expected"),
        (["setup", "@example.org"], 64, "a mail address is expected"),
        (["setup", "ann@"], 64, "a mail address is expected"),
        (["setup", "a[b]@example.org"], 64, "a mail address is expected"),
    ],
)
def test_a_word_that_cannot_be_used_is_explained(world, words, status, told):
    shown = run(world, *words, status=status)
    assert told in shown
    assert "secret@" not in shown


def test_help_is_there_for_the_command_and_for_its_parts(world):
    assert "pop3 doctor URL" in run(world, "help")
    assert run(world, "--help") == run(world, "-h") == run(world, "help") == run(world, "help", "--help")
    assert "--delete-after TIME" in run(world, "help", "sync")
    assert "unknown command snyc" in run(world, "help", "snyc", status=64)


@pytest.mark.parametrize("name", sorted(all_subcommands() - {"help"}))
def test_help_of_a_command_may_be_asked_for_behind_it(world, name):
    told = run(world, name, "--help")
    assert told.startswith(f"pop3 {name} ")
    assert told == run(world, "help", name) == run(world, name, "-h", "pop3s://user@host.invalid/")
    assert not re.search(" $", told, re.MULTILINE)


def test_version_is_told(world):
    assert run(world, "--version").startswith("pop3 ")


def test_a_number_behind_two_dashes_is_not_an_option(world):
    world.fill(1)
    with world.server() as server:
        words = ["cat", "--allow-plaintext", "--password-file", world.password_file, "--",
                 f"pop3://user@127.0.0.1:{server.port}"]  # fmt: skip
        assert "Subject: number 0" in run(world, *words, "1")
        assert "-1 is not a message number" in run(world, *words, "-1", status=64)


@pytest.mark.parametrize("number", ["0", "x", "2-1", "9", "1-9", "3-x", "-", "1" * 40])
def test_numbers_that_name_no_message_are_refused_before_anything_is_done(world, number):
    world.fill(3)
    with world.server("--delete") as server:
        for command in ("uidl", "rm"):
            assert "is not a message number" in run(
                world, command, f"pop3://user@127.0.0.1:{server.port}", "--allow-plaintext",
                "--password-file", world.password_file, "1", number, status=64)  # fmt: skip
    assert len(world.on_server()) == 3


def test_a_range_without_an_end_goes_to_the_last_message(world):
    world.fill(4)
    with world.server() as server:
        shown = run(world, "uidl", f"pop3://user@127.0.0.1:{server.port}", "--allow-plaintext",
                    "--password-file", world.password_file, "3-")  # fmt: skip
    assert shown == "3 000002\n4 000003\n"


# ---- what settings make of a session ----


def test_a_trace_shows_the_session_without_the_secret(world):
    with world.server() as server:
        shown = stat(world, server, "--trace")
    account = f"user@127.0.0.1:{server.port}"
    assert f"{account} S: +OK" in shown
    assert f"{account} C: STAT" in shown
    assert "secret" not in shown


def test_pipelining_can_be_switched_off_and_on(world):
    world.fill(5)
    with world.server("--log-reads") as server:
        world.sync(server.port, "--pipelining", "off")
        world.sync(server.port, "--pipelining", "on", "--state", world.path / "other.db",
                   "--maildir", world.path / "Other")  # fmt: skip
    assert len(world.delivered()) == len(world.delivered(world.path / "Other")) == 5


def test_tls_can_be_asked_for_by_name_and_a_least_version_given(world, certs):
    with world.server("--tls", "--cert", certs / "good.pem", "--key", certs / "good.key",
                      "--tls-max", "1.2") as server:  # fmt: skip
        words = ["--host", "localhost", "--user", "u", "--ca-file", certs / "ca.pem",
                 "--password-file", world.password_file]  # fmt: skip
        configure(world, "[a]\nserver-name = localhost\n")
        run(world, "stat", "a", *words, "--tls", "stls", "--port", server.port)
        run(world, "stat", "a", *words, "--tls", "tls", "--port", server.tls_port)
        run(world, "stat", "a", *words, "--tls", "tls", "--port", server.tls_port, "--tls-min", "1.3",
            status=69)  # fmt: skip


def test_the_type_of_channel_binding_can_be_chosen(world, certs):
    with world.server("--tls", "--cert", certs / "good.pem", "--key", certs / "good.key", "--capa",
                      "SASL SCRAM-SHA-256-PLUS") as server:  # fmt: skip
        configure(world, f"[a]\nhost = localhost\nport = {server.tls_port}\nuser = u\nca-file = {certs}/ca.pem\n"
                  f"password-file = {world.password_file}\nchannel-binding = tls-server-end-point\n")  # fmt: skip
        run(world, "stat", "a", status=69)
        run(world, "stat", "a", "--channel-binding", "tls-exporter", status=69)
        assert "tls-exporter" in run(world, "stat", "a", "--channel-binding", "none", status=64)
        first, _, second, _ = server.commands("AUTH")  # each once more without its response
    assert first.startswith("AUTH SCRAM-SHA-256-PLUS cD10bHMtc2VydmVyLWVuZC1wb2ludCws")
    assert second.startswith("AUTH SCRAM-SHA-256-PLUS cD10bHMtZXhwb3J0ZXIsL")


def test_an_account_needs_a_host_and_a_user(world):
    configure(world, "[a]\nuser = u\n[b]\nhost = h\n")
    assert "no server is given: set host, or url" in run(world, "stat", "a", status=78)
    assert "no user is given" in run(world, "stat", "b", status=78)


def test_a_unix_socket_is_connected_to_and_told_by_doctor(world):
    path = world.path / "socket"
    with world.server() as server, relay(str(path), server.port):
        configure(world, f"[a]\nsocket = {path}\nuser = u\ntls = none\nallow-plaintext = true\n"
                  f"password-file = {world.password_file}\nmaildir = {world.path}/M\n")  # fmt: skip
        world.fill(2)
        run(world, "sync")
        shown = run(world, "doctor", "a")
    assert len(world.delivered(world.path / "M")) == 2
    assert f"socket = {path}\nuser = u\n" in shown and "(null)" not in shown


def test_the_state_knows_a_host_whatever_its_case(world):
    world.fill(2)
    with world.server() as server:
        for host in ("localhost", "LocalHost"):
            run(world, "sync", f"pop3://user@{host}:{server.port}", "--allow-plaintext", "--password-file",
                world.password_file, "--maildir", world.maildir, "--state", world.state)  # fmt: skip
    assert len(world.delivered()) == 2


def test_a_proxy_is_asked_to_connect_to_the_server_by_name(world):
    with world.server() as server, connect_proxy() as proxy:
        shown = run(world, "stat", f"pop3://user@localhost:{server.port}", "--allow-plaintext",
                    "--password-file", world.password_file, "--proxy", f"http://127.0.0.1:{proxy.port}",
                    "--proxy-user", "ann")  # fmt: skip
        assert "0 messages" in shown
        assert proxy.asked() == [f"CONNECT localhost:{server.port} HTTP/1.1"]


# ---- secrets ----

NETRC = """# a comment: machine 127.0.0.1 password wrong
machine other.example login user password wrong
macdef init
  machine 127.0.0.1 login user password wrong

machine 127.0.0.1
  # another
  login somebody password wrong
machine 127.0.0.1 account mail login "us\\er" password "#a \\"b\\\\"
default login user password default
"""


def test_netrc_is_read_with_comments_macros_accounts_and_quotes(world):
    netrc = world.path / ".netrc"  # the usual place needs no option
    netrc.write_text(NETRC)
    netrc.chmod(0o600)
    with world.server("--password", '#a "b\\') as server:
        run(world, "stat", f"pop3://user@127.0.0.1:{server.port}", "--allow-plaintext")
    with world.server("--password", "default") as server:
        run(world, "stat", f"pop3://user@localhost:{server.port}", "--allow-plaintext")


def test_a_netrc_password_may_begin_like_a_comment(world):
    netrc = world.path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login user password #s3cret\nmachine other password x\n")
    netrc.chmod(0o600)
    with world.server("--password", "#s3cret") as server:
        run(world, "stat", f"pop3://user@127.0.0.1:{server.port}", "--allow-plaintext")


def test_a_netrc_that_cannot_be_used_is_said(world):
    netrc = world.path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password x\n")
    netrc.chmod(0o644)
    with world.server() as server:
        words = ["stat", f"pop3://user@127.0.0.1:{server.port}", "--allow-plaintext"]
        assert f"chmod 600 {netrc}" in run(world, *words, "--netrc", netrc, status=78)
        assert "reading /nonexistent" in run(world, *words, "--netrc", "/nonexistent", status=78)
        assert f"reading {world.path}" in run(world, *words, "--netrc", world.path, status=74)


def test_a_password_may_stand_in_the_configurations_url_or_be_its_own_setting(world):
    with world.server("--password", "p:w") as server:
        configure(world, f"[a]\nurl = pop3://u:p%3Aw@127.0.0.1:{server.port}/\nallow-plaintext = yes\n")
        run(world, "stat", "a")
        configure(world, f"[a]\nurl = pop3://u@127.0.0.1:{server.port}/\nallow-plaintext = yes\n"
                  "password = first\npassword = p:w\n")  # fmt: skip
        run(world, "stat", "a")


def test_a_password_that_systemd_loaded_is_found_among_the_credentials(world):
    credentials = world.path / "credentials"
    credentials.mkdir()
    (credentials / "old").write_text("secret\n")
    (credentials / "old").chmod(0o440)  # as systemd's access control lists show
    world.fill(1)
    with world.server("--password", "secret") as server:
        configure(world, f"state = {world.path}/s.db\n[a]\nurl = pop3://u@127.0.0.1:{server.port}\n"
                  "allow-plaintext = yes\npassword-file = $CREDENTIALS_DIRECTORY/old\n"
                  f"maildir = {world.path}/M\n")  # fmt: skip
        run(world, "sync", CREDENTIALS_DIRECTORY=str(credentials))
    assert len(world.delivered(world.path / "M")) == 1


def test_credentials_outside_of_a_unit_are_a_mistake_with_file_and_line(world):
    path = configure(world, "[a]\nurl = pop3s://u@h/\npassword-file = $CREDENTIALS_DIRECTORY/old\n")
    text = run(world, "sync", status=78)
    assert f"{path}:3: password-file: $CREDENTIALS_DIRECTORY is not set" in text


def test_a_secret_file_that_everybody_reads_is_accepted_where_nobody_else_can_write(world):
    secrets = world.path / "secrets"
    secrets.mkdir()
    secret = secrets / "mail"
    secret.write_text("secret\n")
    secret.chmod(0o444)
    with world.server("--password", "secret") as server:
        words = ["stat", f"pop3://user@127.0.0.1:{server.port}", "--allow-plaintext",
                 "--password-file", secret]  # fmt: skip
        run(world, *words)
        secrets.chmod(0o1777)
        assert f"could replace it in {secrets}/" in run(world, *words, status=78)


def test_a_password_command_that_is_not_there_is_to_be_installed(world):
    with world.server("--password", "secret") as server:
        told = run(world, "stat", f"pop3://user@127.0.0.1:{server.port}", "--allow-plaintext",
                   "--password-command", "no-such-program show mail", status=78)  # fmt: skip
        assert "the password-command ended with status 127; install the program" in told


def test_a_password_file_with_line_ends_of_any_kind_is_read_and_an_empty_one_refused(world):
    with world.server("--password", "secret") as server:
        for text in ("secret", "secret\n", "secret\r\n", "secret\nmore\n"):
            world.password_file.write_text(text)
            stat(world, server)
        world.password_file.write_text("\n")
        assert "the first line is empty" in stat(world, server, status=78)
        world.password_file.unlink()
        assert "reading the password file" in stat(world, server, status=78)


def test_quotes_in_a_user_name_do_not_leave_the_keyrings_command(world):
    tools = world.path / "bin"
    tools.mkdir()
    tool = tools / "secret-tool"
    tool.write_text(f'#!/bin/sh\nprintf "%s|" "$@" >{world.path}/asked\necho secret\n')
    tool.chmod(0o755)
    with world.server() as server:
        run(world, "stat", f"pop3://a'b;c@127.0.0.1:{server.port}", "--allow-plaintext", "--keyring",
            PATH=f"{tools}:{os.environ['PATH']}")  # fmt: skip
    assert (world.path / "asked").read_text() == "lookup|service|pop3|host|127.0.0.1|user|a'b;c|"
