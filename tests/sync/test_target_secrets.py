"""Passwords and tokens of targets: what a process that holds one gives away, and what it prints and passes on."""

import base64
import contextlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from world import COMMAND, DEADLINE

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "hostile"))

from target_servers import held, running  # noqa: E402

SECRET = "a-secret-of-targets/+?"
REFRESH = "a-refresh-token-of-targets"
OAUTH = "issuer = https://localhost:{port}\nissuer-ca-file = {ca}\nclient-id = c\nclient-secret-file = {secret}\nscope = mail\n"
SETTINGS = {
    "imap": "imap = imaps://me@localhost:{port}/INBOX\nimap-ca-file = {ca}\nimap-password-file = {secret}\n",
    "smtp": "smtp = smtps://me@localhost:{port}\nsmtp-ca-file = {ca}\nsmtp-password-file = {secret}\nrecipient = me@example.org\n",
    "gmail": "gmail = me@gmail.com\ngmail-url = https://localhost:{port}\nissuer-ca-file = {ca}\n"
             "gmail-token-command = cat {secret}\n",
    "token": OAUTH + "maildir = {folder}/Maildir\n",
}  # fmt: skip

# Where a server says nothing more while the command holds what it has logged in with.
HELD_AT = [("imap", "login"), ("imap", "message"), ("smtp", "auth"), ("smtp", "message"), ("gmail", "import"), ("token", "token")]

FORMS = [form for secret in (SECRET, REFRESH) for form in (
    secret.encode(), base64.b64encode(secret.encode()), base64.b64encode(b"\0me\0" + secret.encode()))]  # fmt: skip


def configure(world, kind, port, pop3_port, certs):
    secret = world.path / "target-secret"
    secret.touch(0o600)
    secret.write_text(SECRET + "\n")
    config = world.path / "accounts"
    config.touch(0o600)
    more = SETTINGS[kind].format(port=port, ca=certs / "ca.pem", secret=secret, folder=world.path)
    own = "" if kind == "token" else f"password-file = {world.password_file}\n"
    config.write_text(f"[a]\nurl = pop3://user@127.0.0.1:{pop3_port}\nallow-plaintext = yes\nremove = delivered\n{own}{more}")
    kept = world.path / f".local/state/pop3/tokens/user@127.0.0.1%3A{pop3_port}"
    kept.parent.mkdir(parents=True)
    kept.touch(0o600)
    kept.write_text(json.dumps({"client_id": "c", "token_endpoint": f"https://localhost:{port}/token", "access_token": "old",
                                "refresh_token": REFRESH, "obtained": 1000000000, "expires": 1000000001}))  # fmt: skip
    return config


@contextlib.contextmanager
def at_work(world, certs, kind, step, **env):
    """A run whose target's server is asked something and is silent."""
    world.fill(2)
    with world.server() as pop3, running(kind, certs, step, held) as server:
        config = configure(world, kind, server.port, pop3.port, certs)
        process = subprocess.Popen(
            [COMMAND, "sync", "a", "--config", str(config), "--state", str(world.state)], cwd=world.path,
            env=world.environment(**env), stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)  # fmt: skip
        try:
            assert server.speaks.wait(DEADLINE), "it did not come so far"
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=DEADLINE)


def family(pid):
    """A process, and all that it began."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += family(int(child))
    return found


@pytest.mark.parametrize("kind, step", HELD_AT)
def test_no_process_that_holds_a_targets_secret_leaves_a_core_or_shows_it(world, certs, kind, step):
    with at_work(world, certs, kind, step) as process:
        others = family(process.pid)
        for pid in others:
            assert resource.prlimit(pid, resource.RLIMIT_CORE)[0] == 0
            # Of a process that may not be dumped all is root's, and only root can look into its memory.
            assert os.stat(f"/proc/{pid}/mem").st_uid == 0
            if os.geteuid() != 0:
                with pytest.raises(PermissionError):
                    open(f"/proc/{pid}/mem", "rb")
            else:
                shown = b"".join(Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ"))
                assert not any(form in shown for form in FORMS)
        hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
        for pid in others:
            resource.prlimit(pid, resource.RLIMIT_CORE, (hard, hard))
        for pid in reversed(others):
            os.kill(pid, signal.SIGABRT)
        _, status = os.waitpid(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert not os.WCOREDUMP(status)
    assert not list(world.path.glob("core*"))


@pytest.mark.parametrize("kind", ["imap", "smtp", "gmail", "token"])
@pytest.mark.parametrize("words", [["--trace"], ["--verbose", "--json"]], ids=["trace", "json"])
def test_nothing_that_is_printed_has_a_targets_secret(world, certs, kind, words):
    world.fill(2)
    with world.server() as pop3, running(kind, certs, "nowhere", held) as server:
        config = configure(world, kind, server.port, pop3.port, certs)
        done = subprocess.run([COMMAND, "sync", "a", "--config", str(config), "--state", str(world.state), *words],
                              env=world.environment(), capture_output=True, timeout=DEADLINE, check=False)  # fmt: skip
    assert done.returncode == 0 or kind == "token", done
    assert len(done.stdout + done.stderr) > 100
    told = done.stdout + done.stderr
    # The last: the token that the provider gave.
    assert not [form for form in [*FORMS, b"a-token"] if form in told]


def spoil(path, way):
    """Makes a file of no use for a secret."""
    if way == "missing" or way == "a directory":
        path.unlink()
    if way == "a directory":
        path.mkdir()
    if way == "empty":
        path.write_text("\n")
    if way == "readable by others":
        path.chmod(0o644)


WAYS = {"missing": "No such file", "readable by others": "others can read it; run: chmod 600", "empty": "the first line is empty",
        "a directory": "Is a directory"}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["imap", "smtp"])
def test_a_password_file_that_is_of_no_use_is_told_before_mail_is_retrieved_in_vain(world, certs, kind, way):
    world.fill(2)
    with world.server() as pop3, running(kind, certs, "nowhere", held) as server:
        config = configure(world, kind, server.port, pop3.port, certs)
        spoil(world.path / "target-secret", way)
        words = [COMMAND, "sync", "a", "--config", str(config), "--state", str(world.state)]
        done = subprocess.run(words, env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)
        assert done.returncode in (74, 78), done
        assert f"pop3: a: {kind}-password-file: reading the password file {world.path}/target-secret: {WAYS[way]}" in done.stderr
        assert pop3.commands("USER") == pop3.commands("PASS") == []
        # The other target of a list does not wait for it.
        config.write_text(f"{config.read_text()}deliver = {kind}, maildir\nmaildir = {world.path}/Maildir\n")
        done = subprocess.run(words, env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)
        assert done.returncode in (74, 75, 78) and WAYS[way] in done.stderr, done
        assert len(list((world.path / "Maildir/new").iterdir())) == 2
    assert len(world.on_server()) == 2


def test_a_command_that_mail_goes_to_gets_no_secret(world, certs):
    """In its environment, its words, or a descriptor that it inherits."""
    world.fill(1)
    seen = world.path / "seen"
    look = f"cat >/dev/null; {{ env; cat /proc/$$/cmdline; ls -l /proc/$$/fd; }} >> {seen}"
    with world.server() as pop3, running("smtp", certs, "nowhere", held) as server:
        config = configure(world, "smtp", server.port, pop3.port, certs)
        config.write_text(f"{config.read_text()}deliver = smtp, command\ncommand = {look}\n")
        subprocess.run([COMMAND, "sync", "a", "--config", str(config), "--state", str(world.state)],
                       env=world.environment(), check=True, timeout=DEADLINE)  # fmt: skip
    shown = seen.read_bytes()
    assert not any(form in shown for form in FORMS)
    assert not re.search(rb"socket:|target-secret|state\.db", shown), shown
