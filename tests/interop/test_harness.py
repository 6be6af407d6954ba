"""The harness itself: what dovecot.py and awkward.py promise to the tests that build on them.

The client here is as plain as can be, so that what it receives is what the server sent.
"""

from __future__ import annotations

import base64
import contextlib
import email
import email.policy
import hashlib
import hmac
import os
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
from pathlib import Path

import awkward
import dovecot
import kerberos
import mailboxes
import pytest
from processes import processes_of_group

HERE = Path(__file__).resolve().parent
SAMPLE_MAIL = HERE.parents[1] / "examples" / "mail"
COMMAND = [sys.executable, str(HERE / "dovecot.py")]
WAYS = ["plain", "stls", "tls"]

if dovecot.why_unavailable() is not None:
    pytest.skip(dovecot.why_unavailable(), allow_module_level=True)


class RawClient:
    """A POP3 client that hands out the server's octets as they come."""

    def __init__(self, server: dovecot.Dovecot, way: str) -> None:
        context = ssl.create_default_context(cafile=str(server.ca_file))
        port = server.tls_port if way == "tls" else server.port
        self._received = bytearray()
        self._socket = socket.create_connection((server.host, port), 30)
        if way == "tls":
            self._socket = context.wrap_socket(self._socket, server_hostname="localhost")
        self.greeting = self.line()
        if way == "stls":
            self.ask(b"STLS")
            self._socket = context.wrap_socket(self._socket, server_hostname=server.host)

    def close(self) -> None:
        self._socket.close()

    def login(self, user: str, password: str) -> None:
        self.ask(b"USER " + user.encode())
        self.ask(b"PASS " + password.encode())

    def ask(self, command: bytes) -> bytes:
        """Send a command and return the reply's first line; it must begin with +OK."""
        self.send(command)
        line = self.line()
        assert line.startswith(b"+OK"), (command, line)
        return line

    def send(self, line: bytes) -> None:
        self._socket.sendall(line + b"\r\n")

    def line(self) -> bytes:
        return self._until(b"\n")

    def block(self) -> bytes:
        """The rest of a multi-line reply, without its terminator, doubled dots halved.

        A line end is put before the first line, so that all lines begin alike.
        """
        self._received[:0] = b"\r\n"
        stuffed = self._until(b"\r\n.\r\n")[: -len(b".\r\n")]
        return stuffed.replace(b"\r\n..", b"\r\n.")[len(b"\r\n") :]

    def retrieve(self, number: int) -> bytes:
        self.ask(b"RETR %d" % number)
        return self.block()

    def _until(self, end: bytes) -> bytes:
        """Take what has come or comes, up to and with the first `end`."""
        searched = 0
        while True:
            at = self._received.find(end, searched)
            if at >= 0:
                taken = bytes(self._received[: at + len(end)])
                del self._received[: at + len(end)]
                return taken
            searched = max(0, len(self._received) - len(end) + 1)
            more = self._socket.recv(1 << 18)
            assert more, "the server closed the connection"
            self._received += more


@contextlib.contextmanager
def session(server: dovecot.Dovecot, way: str = "plain", user: str = "", password: str = ""):
    """A connection with `user` (the server's first, if not given) logged in."""
    client = RawClient(server, way)
    try:
        client.login(user or server.user, password or server.password)
        yield client
    finally:
        client.close()


@pytest.fixture(scope="module")
def awkward_server(tmp_path_factory):
    """A server with all sixty messages in the mailbox."""
    mail = tmp_path_factory.mktemp("awkward")
    awkward.write_messages(mail)
    with dovecot.Dovecot({"user": mail}) as server:
        yield server


def gone_within(seconds: float, group: int) -> bool:
    """Whether a process group ends in time."""
    deadline = time.monotonic() + seconds
    while processes_of_group(group):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


# --- awkward.py


def test_the_sixty_messages_are_the_same_in_every_run(tmp_path):
    script = str(HERE / "awkward.py")
    for arguments in ([script, "a"], [script, "b"], [script, "--wire", "wire"]):
        subprocess.run([sys.executable, *arguments], cwd=tmp_path, check=True)
    names = [path.name for path in mailboxes.mail_files(tmp_path / "a")]
    assert len(names) == 60
    for name in names:
        stored = (tmp_path / "a" / name).read_bytes()
        assert stored == (tmp_path / "b" / name).read_bytes()
        assert awkward.expected_wire(stored) == (tmp_path / "wire" / name).read_bytes()


@pytest.mark.parametrize("way", WAYS)
def test_every_awkward_message_comes_back_octet_for_octet(awkward_server, way):
    messages = awkward.messages()
    with session(awkward_server, way) as client:
        assert client.ask(b"STAT").startswith(b"+OK 60 ")
        for number, (name, stored) in enumerate(messages.items(), start=1):
            # No plain == in the assertion: pytest would try to show 20 MB of difference.
            same = client.retrieve(number) == awkward.expected_wire(stored)
            assert same, name


def test_sizes_do_not_count_an_added_line_end(awkward_server):
    with session(awkward_server) as client:
        client.ask(b"LIST")
        listed = [int(line.split()[1]) for line in client.block().splitlines()]
    expected = []
    for stored in awkward.messages().values():
        size = len(awkward.expected_wire(stored))
        size -= 0 if stored.endswith(b"\n") else 2
        expected.append(size)
    assert listed == expected


# --- The server as a module


def test_a_login_works_on_both_ports_of_both_families(awkward_server):
    addresses = dovecot.loopback_addresses()
    for address in addresses:
        for port in (awkward_server.port, awkward_server.tls_port):
            socket.create_connection((address, port), 10).close()


def test_a_session_leaves_no_marks(tmp_path):
    (tmp_path / "1.eml").write_bytes(b"Subject: one\n\nText.\n")
    with dovecot.Dovecot({"user": tmp_path}) as server:
        seen = []
        for _ in range(2):
            with session(server) as client:
                client.ask(b"UIDL")
                seen.append((client.block(), client.retrieve(1)))
                client.ask(b"QUIT")
        assert seen[0] == seen[1]
        assert [path.name[-3:] for path in (server.maildir("user") / "cur").iterdir()] == [":2,"]


def test_each_account_has_its_own_password_and_mail_and_quit_deletes(tmp_path):
    (tmp_path / "1.eml").write_bytes(b"Subject: one\n\nText.\n")
    (tmp_path / "2.eml").write_bytes(b"Subject: two\n\nText.\n")
    users = {
        "Ädä Example@example.org": {"password": "pass word:ß", "mail": tmp_path},
        "ben": {"mail": [tmp_path, tmp_path]},
    }
    with dovecot.Dovecot({"empty": None}, users) as server:
        assert (server.user, server.password) == ("empty", dovecot.DEFAULT_PASSWORD)
        with session(server) as client:
            assert client.ask(b"STAT") == b"+OK 0 0\r\n"
        ada = ("Ädä Example@example.org", "pass word:ß")
        with session(server, "plain", *ada) as client:
            client.ask(b"DELE 1")
            client.ask(b"QUIT")
        with session(server, "plain", *ada) as client:
            assert client.ask(b"STAT").startswith(b"+OK 1 ")
            assert client.retrieve(1).startswith(b"Subject: two")
        with session(server, user="ben") as client:
            assert client.ask(b"STAT").startswith(b"+OK 4 ")
        assert len(list((server.maildir("ben") / "cur").iterdir())) == 4
    assert len(list(tmp_path.iterdir())) == 2


def test_all_password_mechanisms_are_offered(awkward_server):
    client = RawClient(awkward_server, "plain")
    client.ask(b"CAPA")
    sasl = [line for line in client.block().splitlines() if line.startswith(b"SASL")]
    client.close()
    offered = set(sasl[0].split()[1:])
    assert offered == {
        b"PLAIN",
        b"LOGIN",
        b"CRAM-MD5",
        b"DIGEST-MD5",
        b"SCRAM-SHA-1",
        b"SCRAM-SHA-256",
    }


def test_channel_binding_is_offered_over_tls_by_a_server_that_has_it(awkward_server):
    client = RawClient(awkward_server, "tls")
    client.ask(b"CAPA")
    sasl = [line for line in client.block().splitlines() if line.startswith(b"SASL")]
    client.close()
    bound = {word.lower().decode() for word in sasl[0].split() if word.endswith(b"-PLUS")}
    assert bound == set(dovecot.server_syntax().bound_mechanisms)


def test_apop_and_challenges_work_with_the_stored_password(awkward_server):
    user, password = awkward_server.user.encode(), awkward_server.password.encode()

    client = RawClient(awkward_server, "plain")
    timestamp = re.search(rb"<.*>", client.greeting).group()
    digest = hashlib.md5(timestamp + password).hexdigest()
    client.ask(b"APOP " + user + b" " + digest.encode())
    client.close()

    client = RawClient(awkward_server, "plain")
    client.send(b"AUTH CRAM-MD5")
    challenge = base64.b64decode(client.line()[len(b"+ ") :])
    answer = user + b" " + hmac.new(password, challenge, "md5").hexdigest().encode()
    client.ask(base64.b64encode(answer))
    client.close()



def test_a_failed_start_shows_the_log_and_leaves_nothing():
    server = dovecot.Dovecot(extra_config="no_such_setting = yes")
    with pytest.raises(dovecot.DovecotError, match="no_such_setting"):
        server.__enter__()
    assert not server.directory.exists()
    assert not processes_of_group(server.pid)


@pytest.mark.parametrize("name", ["imap", "lmtp"])
def test_it_takes_mail_by_the_protocols_that_are_named(name):
    if not dovecot.has_protocol(name):
        pytest.skip(f"Dovecot has no {name} here")
    with dovecot.Dovecot(protocols=[name]) as server:
        if name == "lmtp":
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(server.lmtp_socket))
                assert connection.makefile("rb").readline().startswith(b"220 ")
        else:
            context = ssl.create_default_context(cafile=str(server.ca_file))
            with socket.create_connection((server.host, server.imaps_port)) as plain:
                with context.wrap_socket(plain, server_hostname=server.host) as connection:
                    assert connection.makefile("rb").readline().startswith(b"* OK ")
        assert server.lmtp_socket.exists() == (name == "lmtp")


def test_the_end_of_the_block_leaves_nothing_even_after_an_exception():
    handler = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ZeroDivisionError):
        with dovecot.Dovecot() as server:
            assert processes_of_group(server.pid)
            raise ZeroDivisionError
    assert not server.directory.exists()
    assert not processes_of_group(server.pid)
    assert signal.getsignal(signal.SIGTERM) == handler


# --- The command


def test_the_kerberos_realm_ends_with_the_server():
    with dovecot.Dovecot(all_auth=True) as server:
        centre = int((server.directory / "kerberos" / "kdc.pid").read_text())
        assert processes_of_group(centre)
        assert (server.directory / "kerberos" / "ticket").exists()
    assert not processes_of_group(centre)
    assert not server.directory.exists()


def test_a_taken_port_of_kerberos_is_given_up_for_another(monkeypatch):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        real = kerberos._free_port
        answers = [taken.getsockname()[1]]
        monkeypatch.setattr(kerberos, "_free_port", lambda: answers.pop() if answers else real())
        with dovecot.Dovecot(all_auth=True) as server:
            assert (server.directory / "kerberos" / "ticket").exists()
            assert not answers


def test_the_command_passes_streams_and_status_through():
    done = subprocess.run(
        [*COMMAND, "run", "--", "sh", "-c", "cat; echo error >&2; exit 7"],
        input=b"through",
        capture_output=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (7, b"through", b"error\n")
    assert subprocess.run([*COMMAND, "available"]).returncode == 0


SHOW_MAIL = """
import os, poplib, sys
from pathlib import Path
files = sorted(Path(os.environ["POP3_TEST_MAIL_DIR"]).iterdir())
for user in [os.environ["POP3_TEST_USER"], *os.environ["POP3_TEST_USERS"].split()]:
    pop = poplib.POP3(os.environ["POP3_TEST_HOST"], int(os.environ["POP3_TEST_PORT"]))
    pop.user(user)
    pop.pass_(os.environ["POP3_TEST_PASSWORD"])
    assert pop.stat()[0] == len(files)
    for number, path in enumerate(files, start=1):
        assert b"".join(line + b"\\r\\n" for line in pop.retr(number)[1]) == path.read_bytes()
    pop.quit()
    print(user, len(files))
"""


def test_the_command_serves_a_copy_of_the_mail_to_every_user(tmp_path):
    for name in ("b", "a"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.eml").write_bytes(b"Subject: %s\n\nText.\n" % name.encode())
    # fmt: off
    done = subprocess.run(
        [*COMMAND, "run", "--mail", "b", "--mail", "a", "--mail", str(SAMPLE_MAIL),
         "--user", "ada", "--password", "pass word", "--users", "2",
         "--", sys.executable, "-c", SHOW_MAIL],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )
    # fmt: on
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout == "ada 14\nuser1 14\nuser2 14\n"


def heed_signals() -> None:
    """What started the tests may ignore signals (nohup, a shell's "&"), and that is inherited."""
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, signal.SIG_DFL)


def start_command_that_waits() -> tuple[subprocess.Popen, list[Path], int]:
    """The command with a COMMAND that waits; its process, its two directories, the server's id."""
    show_and_wait = 'echo "$POP3_TEST_DOVECOT_LOG"; echo "$POP3_TEST_MAIL_DIR"; exec sleep 60'
    running = subprocess.Popen(
        [*COMMAND, "run", "--", "sh", "-c", show_and_wait],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=heed_signals,
    )
    directories = [Path(running.stdout.readline().strip()).parent for _ in range(2)]
    group = int((directories[0] / "base" / "master.pid").read_text())
    assert processes_of_group(group)
    return running, directories, group


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_command_and_leaves_nothing(signum):
    running, directories, group = start_command_that_waits()
    # Ctrl-C and a terminal's end reach COMMAND as well.
    if signum == signal.SIGTERM:
        running.send_signal(signum)
    else:
        os.killpg(running.pid, signum)
    assert running.wait(10) == 128 + signum
    assert not [directory for directory in directories if directory.exists()]
    assert not processes_of_group(group)
    assert not processes_of_group(running.pid)


def test_no_process_survives_when_the_command_is_killed():
    running, directories, group = start_command_that_waits()
    running.kill()
    running.wait()
    assert gone_within(10, group)
    assert gone_within(10, running.pid)
    # The files stay then, as the top of dovecot.py says: nobody was left to remove them.
    for directory in directories:
        shutil.rmtree(directory)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_root_runs_the_server_without_privileges():
    with dovecot.Dovecot() as server:
        for process in processes_of_group(server.pid):
            assert os.stat(f"/proc/{process}").st_uid == dovecot.server_identity().uid
        assert stat.S_IMODE(server.directory.stat().st_mode) == 0o700


# --- The sample mailbox in examples/mail


@pytest.mark.parametrize("path", mailboxes.mail_files(SAMPLE_MAIL), ids=lambda path: path.name)
def test_the_sample_mail_is_valid(path):
    data = path.read_bytes()
    message = email.message_from_bytes(data, policy=email.policy.default)
    for header in ("From", "To", "Date", "Message-ID", "Subject"):
        assert message[header] is not None and not message[header].defects, header
    for part in message.walk():
        assert not part.defects
        if part["Content-Type"] is not None and part.get_content_maintype() == "text":
            assert part.get_content()
    assert data.isascii() and b"\r" not in data and data.endswith(b"\n")
    assert max(len(line) for line in data.splitlines()) <= 78
    assert message["Date"].datetime.strftime("%Y-%m") == "2026-11"
    assert path.name.startswith(message["Date"].datetime.strftime("%Y-%m-%d-"))
