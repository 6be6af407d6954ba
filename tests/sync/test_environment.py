"""The command needs nothing of its caller's environment: not the variables, not the signal dispositions, not
the descriptors."""

import re
import signal
import subprocess

import pytest

from subcommands import ELSEWHERE, all_subcommands
from world import COMMAND, DEADLINE, ROOT

SUBCOMMANDS = ["sync", "stat", "list", "headers", "uidl", "cat", "top", "rm", "capa", "doctor"]


def variables():
    """Those that the command reads, as its source says, and those that OpenSSL and the C library read for it."""
    found = {"SSL_CERT_FILE", "OPENSSL_CONF", "LANG", "LC_ALL", "TZ", "PATH", "RES_OPTIONS", "LOCALDOMAIN"}
    for file in (ROOT / "src").glob("*/*.c"):
        text = file.read_text()
        found.update(re.findall(r'getenv\("(\w+)"\)', text))
        found.update(re.findall(r'p3_home_path\("(\w+)"', text))
    return sorted(found - {"POP3_TEST_CRASH_AT"})


def words(world, mailbox, name):
    """A subcommand that succeeds with the sample mailbox; every path in it is given."""
    number = ["1"] if name in ("cat", "top", "rm") else []
    if name == "sync":
        return world.sync_command(mailbox.server.port)
    return mailbox.words(name, *number)


def run(command, env, **how):
    return subprocess.run(command, env=env, capture_output=True, timeout=DEADLINE, text=True, **how)


def test_the_list_of_subcommands_is_whole():
    assert all_subcommands() - set(SUBCOMMANDS) == {*ELSEWHERE, "shell"}


def test_the_list_of_variables_is_not_empty():
    assert {"HOME", "TMPDIR", "SSL_CERT_DIR", "XDG_CONFIG_HOME"} <= set(variables())


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_a_subcommand_works_without_any_variable(world, mailbox, name):
    done = run(words(world, mailbox, name), {})
    assert done.returncode == 0, (done.returncode, done.stderr)


def test_the_shell_works_without_any_variable(mailbox):
    done = run(mailbox.words("shell"), {}, input="stat\nquit\n")
    assert done.returncode == 0 and "+OK" in done.stdout, (done.stdout, done.stderr)


@pytest.mark.parametrize("name", ["setup", "help", "authorize", "token"])
def test_what_needs_no_mailbox_works_without_any_variable(world, name):
    more = {"setup": ["ann@example.org", "--offline", "--print"], "help": []}.get(name, ["work"])
    done = run([COMMAND, name, *more], {}, stdin=subprocess.DEVNULL)
    assert done.returncode in (0, 64, 78) and done.stdout + done.stderr, done


# What a variable may hold that is meant for something else, was not finished, or is hostile. One that names no
# file, no directory or no locale must not matter where the command does not need it.
ODD_VALUES = {
    "empty": "",
    "a colon": ":",
    "a list": "/nonexistent:/usr/share:relative::",
    "a directory that is missing": "/nonexistent/pop3",
    "a file in place of a directory": "/dev/null",
    "a relative path": "relative/path",
    "10,000 octets": "x" * 10000,
    "not UTF-8": b"\xff\xfe/\x01",
}
# Which of them the user is told about: these files must be there, as the variable says.
NEEDED = {"OPENSSL_CONF"}


@pytest.mark.parametrize("odd", ODD_VALUES)
@pytest.mark.parametrize("name", variables())
def test_an_odd_variable_does_no_harm(world, mailbox, name, odd):
    done = run(words(world, mailbox, "stat"), {name: ODD_VALUES[odd]})
    assert done.returncode >= 0, (signal.Signals(-done.returncode).name, done.stderr)
    if name not in NEEDED:
        assert done.returncode == 0, (done.returncode, done.stderr)


@pytest.mark.parametrize("descriptors", [[0], [1], [2], [0, 1, 2]])
@pytest.mark.parametrize("name", ["stat", "sync"])
def test_closed_standard_descriptors_do_not_get_mail_written_to_them(world, mailbox, name, descriptors):
    closing = " ".join(f"{fd}>&-" for fd in descriptors)
    command = ["/bin/sh", "-c", f'exec "$@" {closing}', "sh", *words(world, mailbox, name)]
    done = run(command, {})
    assert done.returncode >= 0
    if name == "sync":
        assert done.returncode == 0 and len(world.delivered()) == len(world.on_server())


def ignore_and_block_signals():
    """As under nohup(1), or started by a program that blocks what it waits for, and lets the kernel reap."""
    for number in (signal.SIGHUP, signal.SIGCHLD, signal.SIGALRM, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


@pytest.mark.parametrize("sandbox", [[], ["--no-sandbox"]])
def test_commands_of_the_user_end_where_signals_are_ignored_and_blocked(world, mailbox, sandbox):
    out = world.path / "out"
    command = [COMMAND, "sync", mailbox.url, "--allow-plaintext", "--state", str(world.state), *sandbox,
               "--password-command", "echo secret", "--command", f"cat >>{out}"]  # fmt: skip
    done = run(command, {}, preexec_fn=ignore_and_block_signals)
    assert done.returncode == 0, (done.returncode, done.stderr)
    assert out.stat().st_size == sum(map(len, world.on_server()))
