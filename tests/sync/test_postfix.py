"""`pop3 sync` with a Postfix of its own, which delivers to a Maildir: messages are there as they were, once, and after a
kill at any marked point at least once, under the same name. Postfix needs root, and is not installed for this test, as it
would take the place of another mail server."""

import contextlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

from world import COMMAND, CRASH_COMMAND, DEADLINE, ROOT, message

sys.path.insert(0, str(ROOT / "tests/interop"))
import dovecot as interop  # noqa: E402
from ports import held_port  # noqa: E402

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not os.path.exists("/usr/sbin/postfix") or interop.why_unavailable() is not None
    or interop.server_syntax() is not interop.dovecot_config.SYNTAX_2_3,
    reason="needs root, Postfix, and Dovecot 2.3 for its logins")  # fmt: skip

MAIN = """
compatibility_level = 3.6
queue_directory = {home}/queue
data_directory = {home}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
maillog_file = {home}/log/postfix.log
maillog_file_prefixes = {home}
myhostname = test.example.org
mydestination =
mynetworks =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
local_recipient_maps =
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {home}/auth/socket
smtpd_tls_auth_only = yes
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = {certs}/good.pem
smtpd_tls_key_file = {certs}/good.key
smtpd_tls_loglevel = 0
local_header_rewrite_clients =
message_size_limit = 20000
virtual_mailbox_domains = example.org
virtual_mailbox_base = {home}/mail
virtual_mailbox_maps = static:box/
virtual_minimum_uid = 1
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_transport = virtual
"""

MASTER = """
127.0.0.1:{tls_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:{port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
proxymap unix - - n - - proxymap
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
"""

AUTH = """
service auth {{
  unix_listener {home}/auth/socket {{
    mode = 0666
  }}
}}
"""


class Postfix:
    def __init__(self, home, certs, port, tls_port):
        self.home, self.port, self.tls_port = home, port, tls_port
        for name in ("config", "queue", "data", "log", "mail"):
            (home / name).mkdir()
        account = pwd.getpwnam("postfix")
        uid = account.pw_uid
        os.chown(home / "data", uid, -1)
        shutil.copytree(certs, home / "certs")
        os.chown(home / "mail", uid, -1)
        fields = {"home": home, "certs": home / "certs", "uid": uid, "gid": account.pw_gid, "port": self.port,
                  "tls_port": self.tls_port}  # fmt: skip
        (home / "config/main.cf").write_text(MAIN.format(**fields))
        (home / "config/master.cf").write_text(MASTER.format(**fields))
        self.ca = certs / "ca.pem"
        self.run("start")

    def run(self, what):
        subprocess.run(["/usr/sbin/postfix", "-c", self.home / "config", what], check=True, capture_output=True, timeout=DEADLINE)

    def delivered(self, count):
        """Its messages, once there are as many."""
        until = time.monotonic() + DEADLINE
        box = self.home / "mail/box/new"
        while len(list(box.glob("*"))) < count or any(f.is_file() for f in (self.home / "queue/active").rglob("*")):
            assert time.monotonic() < until, (self.home / "log/postfix.log").read_text()[-3000:]
            time.sleep(0.02)
        return [file.read_bytes() for file in box.iterdir()]


@pytest.fixture(scope="module")
def running(certs):
    home = Path(tempfile.mkdtemp(prefix="pop3-postfix-"))
    home.chmod(0o755)
    (home / "auth").mkdir()
    (home / "auth").chmod(0o777)
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, home)
        stack.enter_context(interop.Dovecot(maildirs={"user": None, "me@example.org": None}, protocols=["lmtp"],
                                            extra_config=AUTH.format(home=home)))  # fmt: skip
        mask = os.umask(0o022)  # its processes are several users
        stack.callback(os.umask, mask)
        server = Postfix(home, certs, *(stack.enter_context(held_port()) for _ in range(2)))
        stack.callback(server.run, "stop")
        yield server


@pytest.fixture
def postfix(running):
    shutil.rmtree(running.home / "mail/box", ignore_errors=True)
    return running


def start(world, port, postfix, *options, tls=True, point=None):
    password = world.path / "smtp-password"
    password.write_text(interop.DEFAULT_PASSWORD + "\n")
    password.chmod(0o600)
    where = f"smtps://me%40example.org@localhost:{postfix.tls_port}" if tls else f"smtp://me%40example.org@localhost:{postfix.port}"
    return subprocess.Popen(
        [CRASH_COMMAND if point else COMMAND, "sync", f"pop3://user@127.0.0.1:{port}", "--smtp", where, "--smtp-ca-file",
         postfix.ca, "--smtp-password-file", password, "--recipient", "you@example.org", "--state", world.state,
         "--password-file", world.password_file, "--allow-plaintext", *options],
        env=world.environment(**({"POP3_TEST_CRASH_AT": point} if point else {})), stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL, text=True)  # fmt: skip


def sync(world, port, postfix, *options, status=0, **more):
    process = start(world, port, postfix, *options, **more)
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == status, (errors, (postfix.home / "log/postfix.log").read_text()[-2000:])
    return errors


def name_of(text):
    return re.search(rb"^X-POP3-Delivery: (\S+)$", text, re.MULTILINE)[1]


def after_name(text):
    """The message as it was; but for line ends, Postfix changes none of it."""
    return text.split(b"\nX-POP3-Delivery: ", 1)[1].split(b"\n", 1)[1]


@pytest.mark.parametrize("tls", [True, False], ids=["smtps", "starttls"])
def test_messages_are_there_once_and_as_they_were(world, postfix, tls):
    world.fill(20, lines=5)
    world.put("8", b"Subject: dots\nMessage-ID: <8@b>\n\n.\n..\n.x\n\xc3\xa9\n")
    with world.server("--delete") as server:
        sync(world, server.port, postfix, "--delete", tls=tls)
        sync(world, server.port, postfix, "--delete", tls=tls)
        server.settle()
        assert world.on_server() == []
    found = Counter(after_name(text) for text in postfix.delivered(21))
    assert found == Counter([message(i, 5).encode() for i in range(20)] + [b"Subject: dots\nMessage-ID: <8@b>\n\n.\n..\n.x\n\xc3\xa9\n"])


def test_what_it_refuses_for_good_is_kept_and_the_others_arrive(world, postfix):
    world.fill(5, lines=5)
    world.put("000002x", "Subject: large\nMessage-ID: <large@b>\n\n" + "x" * 70 * 400 + "\n")
    with world.server("--delete") as server:
        errors = sync(world, server.port, postfix, "--delete")
        assert "the message has" in errors and "accepts 20000 at most" in errors
        server.settle()
        assert world.on_server() == []
    assert len(postfix.delivered(5)) == 5
    assert len(list(world.path.glob("state.db.refused/*/new/*"))) == 1


@pytest.mark.interrupted("SMTP", "killed at marked points")
@pytest.mark.parametrize("point", ["smtp-connected", "lmtp-announced", "lmtp-content", "lmtp-sent", "lmtp-answered",
                                   "delivered-recorded"])  # fmt: skip
def test_a_run_that_is_killed_loses_nothing(world, postfix, point):
    world.fill(8, lines=5)
    with world.server("--delete") as server:
        killed = start(world, server.port, postfix, "--delete", point=point)
        killed.communicate(timeout=DEADLINE)
        assert killed.returncode == -signal.SIGKILL
        server.settle()
        sync(world, server.port, postfix, "--delete")
        server.settle()
        assert world.on_server() == []
    names = {}
    found = postfix.delivered(8)
    assert {after_name(text) for text in found} == {message(i, 5).encode() for i in range(8)}
    assert all(names.setdefault(after_name(text), name_of(text)) == name_of(text) for text in found)
