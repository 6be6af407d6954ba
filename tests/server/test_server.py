"""Tests of the scripted POP3 server itself: both modes, every statement and option.

They wait for events, with deadlines; none sleeps or looks at the clock. The server is the one of
POP3_TESTSERVER, or of ../../build.
"""

import base64
import contextlib
import errno
import hashlib
import os
import poplib
import re
import select
import signal
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tools"))

from ports import held_port  # noqa: E402

SERVER = os.environ.get(
    "POP3_TESTSERVER", str(HERE / "../../build/tests/server/pop3-testserver")
)
DEADLINE = 30  # seconds until a test gives up waiting


# ---- the server as a process ----


class Lines:
    """Collects the lines of a pipe in a thread, so that tests can wait for one."""

    def __init__(self, fd):
        self.lines = []
        self.over = False
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._read, args=(fd,), daemon=True)
        self.thread.start()

    def _read(self, fd):
        with os.fdopen(fd, encoding="utf-8", errors="surrogateescape", newline="\n") as stream:
            for line in stream:
                with self.changed:
                    self.lines.append(line.rstrip("\n"))
                    self.changed.notify_all()
        with self.changed:
            self.over = True
            self.changed.notify_all()

    def wait(self, pattern, count=1):
        """The line that matches for the count-th time."""
        found = []

        def there():
            found[:] = [line for line in self.lines if re.search(pattern, line)]
            return len(found) >= count or self.over

        with self.changed:
            assert self.changed.wait_for(there, DEADLINE), (pattern, self.lines)
        assert len(found) >= count, (pattern, self.lines)
        return found[count - 1]

    def all(self):
        """Everything, once the writer has gone."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.over, DEADLINE)
        return self.lines


class Server:
    """A running server. Leaving it stops it and checks how it ended."""

    def __init__(self, *args, status=0, stdin=None, complaints=""):
        self.args = [str(arg) for arg in args]
        self.status = status
        self.stdin = stdin
        self.complaints = complaints
        self.clients = []

    def __enter__(self):
        read_log, write_log = os.pipe()
        read_errors, write_errors = os.pipe()
        command = [SERVER, *self.args, "--log", f"/dev/fd/{write_log}", "--log-reads"]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE if self.stdin is not None else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=write_errors,
            pass_fds=[write_log],
        )
        os.close(write_log)
        os.close(write_errors)
        self.log = Lines(read_log)
        self.errors = Lines(read_errors)
        if self.stdin is not None:
            self.process.stdin.write(self.stdin)
            self.process.stdin.close()
        readable, _, _ = select.select([self.process.stdout], [], [], DEADLINE)
        assert readable, "the server does not get ready"
        self.ready = self.process.stdout.readline().decode()
        match = re.fullmatch(r"ready port=(\d+) tls-port=(\d+) pid=(\d+)\n", self.ready)
        if match is None:
            self.process.wait(DEADLINE)
            raise AssertionError((self.ready, self.errors.all()))
        self.port, self.tls_port, self.pid = map(int, match.groups())
        return self

    def __exit__(self, kind, value, trace):
        try:
            if self.status == 0 and self.process.poll() is None and not self.ends_itself():
                self.process.terminate()
                self.process.wait(DEADLINE)
            for client in self.clients:
                client.close()
            self.process.wait(DEADLINE if kind is None else 1)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process.stdout.close()
        if kind is None:
            complaints = "\n".join(self.errors.all())
            assert self.process.returncode == self.status, (complaints, self.log.all())
            assert re.search(self.complaints, complaints), complaints
            if self.complaints == "":
                assert complaints == ""

    def ends_itself(self):
        return "--once" in self.args or "--max-sessions" in self.args

    def connect(self, tls=None, name="localhost"):
        client = Client(self.tls_port if tls else self.port, tls, name)
        self.clients.append(client)
        return client

    def poplib(self):
        client = poplib.POP3("127.0.0.1", self.port, timeout=DEADLINE)
        self.clients.append(client)
        return client

    def login(self):
        client = self.connect()
        assert client.line().startswith(b"+OK")
        assert client.ask("USER u").startswith(b"+OK")
        assert client.ask("PASS p").startswith(b"+OK")
        return client


class Client:
    """A raw connection."""

    def __init__(self, port, tls=None, name="localhost"):
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE)
        if tls:
            self.start_tls(tls, name)
        else:
            self.stream = self.socket.makefile("rb")

    def start_tls(self, context, name="localhost"):
        self.socket = context.wrap_socket(self.socket, server_hostname=name)
        self.stream = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)

    def line(self):
        return self.stream.readline()

    def ask(self, command):
        data = command if isinstance(command, bytes) else command.encode()
        self.send(data + b"\r\n")
        return self.line()

    def rest(self):
        """What follows the first line of a reply, as it came, up to the dot."""
        lines = []
        while (line := self.stream.readline()) != b".\r\n":
            assert line, lines
            lines.append(line)
        return b"".join(lines)

    def everything(self):
        """All until the server closes; then so does the client."""
        data = self.stream.read()
        self.close()
        return data

    def close(self):
        # A socket lives as long as a file made of it.
        with contextlib.suppress(OSError):
            self.stream.close()
        self.socket.close()


def refuses(*args, stdin=None):
    """Runs a server that must not start: what it says on standard error."""
    done = subprocess.run(
        [SERVER, *map(str, args)],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        timeout=DEADLINE,
    )
    assert done.returncode == 2, done
    assert done.stdout == b""
    return done.stderr.decode()


@contextlib.contextmanager
def playing(tmp_path, text, *args, status=0, complaints="", once=True):
    """A server that plays a script once, and its one client."""
    path = tmp_path / "the.script"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    options = ["--once"] if once else []
    with Server(
        "--script", path, *options, *args, status=status, complaints=complaints
    ) as server:
        yield server


@pytest.fixture
def mail(tmp_path):
    folder = tmp_path / "mail"
    folder.mkdir()
    (folder / "a").write_bytes(b"Subject: one\n\nfirst\n.dot\n..\n")
    (folder / "b").write_bytes(b"Subject: two\r\n\r\nsecond\r\n")
    (folder / "c").write_bytes(b"Subject: three\n\n1\n2\n3")
    return folder


@pytest.fixture(scope="session")
def certs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certs")
    subprocess.run([HERE / "make-certs.sh", folder], check=True, timeout=120)
    return folder


@pytest.fixture
def good(certs):
    return ["--cert", certs / "good.pem", "--key", certs / "good.key"]


@pytest.fixture
def trust(certs):
    return ssl.create_default_context(cafile=str(certs / "ca.pem"))


def short(value):
    """An id for a parameter."""
    return re.sub(r"[^!-~]", "_", str(value))[:40]


def anyone():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


# ---- start and end ----


def test_the_ready_line_tells_ports_and_process(mail):
    with Server("--mail", mail) as server:
        assert server.pid == server.process.pid
        assert server.port > 0
        assert server.tls_port == 0


def test_a_given_port_is_used_also_one_that_is_held_for_it(mail):
    def refused(port):
        with contextlib.closing(socket.socket()) as client:
            return client.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED

    with held_port() as port:
        assert refused(port)
        for _ in range(2):
            with Server("--mail", mail, "--port", port) as server:
                assert server.port == port and not refused(port)
            assert refused(port)
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))


def test_ipv6(mail):
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 here")
    with Server("--mail", mail, "--bind", "::1") as server:
        with socket.create_connection(("::1", server.port), DEADLINE) as client:
            assert client.recv(3) == b"+OK"


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "10.0.0.1", "localhost", ""])
def test_only_loopback_addresses_are_bound(mail, address):
    assert "loopback" in refuses("--mail", mail, "--bind", address)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_it_in_the_middle_of_sessions(mail, number):
    with Server("--mail", mail) as server:
        clients = [server.connect() for _ in range(5)]
        for client in clients:
            client.line()
        server.process.send_signal(number)
        assert server.process.wait(DEADLINE) == 0
        assert server.log.all().count("1 close") == 1


def test_it_dies_with_its_parent(mail):
    program = (
        "import subprocess, sys\n"
        "p = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE)\n"
        "print(p.stdout.readline().decode(), flush=True)\n"
        "sys.stdin.read()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, SERVER, "--mail", mail],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    pid = int(re.search(rb"pid=(\d+)", parent.stdout.readline())[1])
    pidfd = os.pidfd_open(pid)
    try:
        parent.kill()
        readable, _, _ = select.select([pidfd], [], [], DEADLINE)
        assert readable, "the server outlives its parent"
    finally:
        os.close(pidfd)
        parent.stdin.close()
        parent.stdout.close()
        parent.wait()


def test_it_outlives_the_thread_that_started_it(mail):
    server = Server("--mail", mail)
    starter = threading.Thread(target=server.__enter__)
    starter.start()
    starter.join()
    with contextlib.ExitStack() as stack:
        stack.push(server.__exit__)
        for _ in range(3):
            client = server.login()
            assert client.ask("QUIT").startswith(b"+OK")


def test_once_ends_after_one_session(mail):
    with Server("--mail", mail, "--once") as server:
        client = server.login()
        client.ask("QUIT")
        client.close()
        assert server.process.wait(DEADLINE) == 0


def test_max_sessions_counts_sessions_that_are_over(mail):
    with Server("--mail", mail, "--max-sessions", 3) as server:
        clients = [server.connect() for _ in range(3)]
        for client in clients:
            client.line()
        with pytest.raises(OSError):  # three were accepted: nobody listens any more
            server.log.wait("3 open")
            for _ in range(100):
                server.connect().line()
        for client in clients:
            assert client.ask("QUIT") == b"+OK bye\r\n"


def test_help_names_every_option():
    done = subprocess.run([SERVER, "--help"], capture_output=True, timeout=DEADLINE, check=True)
    text = done.stdout.decode()
    source = (HERE / "options.c").read_text()
    options = re.findall(r'\{"([a-z-]+)", (?:no|required)_argument', source)
    assert len(options) > 30
    manual = (HERE / "README.md").read_text()
    for option in set(options) - {"help"}:
        assert f"--{option} " in text, option
        assert f"`--{option}" in manual, option
    for name in re.findall(r'\{"([a-z-]+)", DO_', (HERE / "script_args.c").read_text()):
        assert re.search(rf"\b{name}\b", text), name
        assert f"`{name}" in manual, name
    assert max(len(line) for line in text.splitlines()) <= 100


@pytest.mark.parametrize(
    "args, says",
    [
        ([], "--mail"),
        (["--mail", "/nonexistent"], "/nonexistent"),
        (["--mail", "/", "--tls"], "--cert"),
        (["--mail", "/", "--key", "x"], "--cert"),
        (["--mail", "/", "--cert", "/dev/null"], "/dev/null"),
        (["--mail", "/", "--tls-min", "1.4"], "1.4"),
        (["--mail", "/", "--tls-min", "1.3", "--tls-max", "1.2"], "--tls-min"),
        (["--mail", "/", "--split", "0"], "range"),
        (["--mail", "/", "--split", "x"], "range"),
        (["--mail", "/", "--port", "65536"], "range"),
        (["--mail", "/", "--max-sessions", "0"], "range"),
        (["--mail", "/", "--close-after", "99999999999999999999"], "range"),
        (["--mail", "/", "--log-reads"], "--log"),
        (["--mail", "/", "--log", "/nonexistent/log"], "/nonexistent/log"),
        (["--mail", "/", "--unknown"], "unknown"),
        (["--mail", "/", "word"], "word"),
        (["--script", "/nonexistent"], "/nonexistent"),
        (["--script", "-", "--script", "-"], "once"),
    ],
    ids=short,
)
def test_bad_options_are_refused(args, says):
    assert says in refuses(*args)


# ---- sessions ----


def test_poplib_has_a_session(mail):
    with Server("--mail", mail) as server:
        pop = server.poplib()
        assert pop.getwelcome() == b"+OK pop3-testserver ready"
        pop.user("u")
        pop.pass_("p w")
        assert pop.stat() == (3, 33 + 24 + 27)
        assert pop.list()[1] == [b"1 33", b"2 24", b"3 27"]
        assert pop.list(2) == b"+OK 2 24"
        assert pop.uidl()[1] == [b"1 a", b"2 b", b"3 c"]
        assert pop.uidl(3) == b"+OK 3 c"
        assert pop.retr(1)[1] == [b"Subject: one", b"", b"first", b".dot", b".."]
        assert pop.top(3, 2)[1] == [b"Subject: three", b"", b"1", b"2"]
        assert pop.top(3, 0)[1] == [b"Subject: three", b""]
        assert pop.top(3, 99)[1] == [b"Subject: three", b"", b"1", b"2", b"3"]
        assert pop.noop() == b"+OK nothing done"
        pop.dele(2)
        assert pop.stat() == (2, 33 + 27)
        assert pop.list()[1] == [b"1 33", b"3 27"]
        assert pop.uidl()[1] == [b"1 a", b"3 c"]
        with pytest.raises(poplib.error_proto, match="deleted"):
            pop.retr(2)
        pop.rset()
        assert pop.stat() == (3, 84)
        assert pop.quit() == b"+OK bye"


def test_poplib_over_tls(mail, good, trust):
    with Server("--mail", mail, "--tls", *good) as server:
        pop = poplib.POP3_SSL("localhost", server.tls_port, context=trust, timeout=DEADLINE)
        assert "STLS" not in pop.capa()
        pop.user("u")
        pop.pass_("p")
        assert pop.retr(2)[2] == 24
        pop.quit()
        server.log.wait(r"^1 tls TLSv1.3 sni=localhost alpn=-$")


def test_poplib_stls(mail, good, trust):
    with Server("--mail", mail, *good) as server:
        pop = poplib.POP3("localhost", server.port, timeout=DEADLINE)
        assert "STLS" in pop.capa()
        pop.stls(trust)
        assert "STLS" not in pop.capa()
        with pytest.raises(poplib.error_proto, match="already"):
            pop._shortcmd("STLS")
        pop.user("u")
        pop.pass_("p")
        assert pop.retr(2)[2] == 24
        pop.quit()


AWKWARD = {
    b"": b"",
    b"\n": b"\r\n",
    b"a": b"a\r\n",
    b"a\r": b"a\r\r\n",
    b"a\nb\r\nc": b"a\r\nb\r\nc\r\n",
    b"a\r\r\nb": b"a\r\r\nb\r\n",
    b"a\rb\n": b"a\rb\r\n",
    b"\0\xff\n\xc3\xa4\n": b"\0\xff\r\n\xc3\xa4\r\n",
    b".": b".\r\n",
    b".\n": b".\r\n",
    b".\r\n..\n.x\n": b".\r\n..\r\n.x\r\n",
    b"a\r.b\n": b"a\r.b\r\n",
    b"x" * 200000 + b"\n." + b"y" * 200000: b"x" * 200000 + b"\r\n." + b"y" * 200000 + b"\r\n",
    b"x" * 65535 + b"\r\n.": b"x" * 65535 + b"\r\n.\r\n",
    b"x" * 65536 + b"\n.": b"x" * 65536 + b"\r\n.\r\n",
    b"x\n" * 100000: b"x\r\n" * 100000,
}


def test_messages_are_sent_as_the_standard_wants(mail):
    for file in mail.iterdir():
        file.unlink()
    for i, data in enumerate(AWKWARD):
        (mail / f"{i:04}").write_bytes(data)
    with Server("--mail", mail) as server:
        client = server.login()
        for i, wanted in enumerate(AWKWARD.values(), 1):
            stuffed = re.sub(rb"(^|\r\n)\.", rb"\1..", wanted)
            assert client.ask(f"LIST {i}") == b"+OK %d %d\r\n" % (i, len(wanted))
            assert client.ask(f"RETR {i}") == b"+OK %d octets\r\n" % len(wanted)
            assert client.rest() == stuffed
            server.log.wait(rf"^1 S: <body {len(wanted)} octets>$")


@pytest.mark.parametrize(
    "data, lines, wanted",
    [
        (b"a: b\r\n\r\nx\r\ny\r\n", 0, b"a: b\r\n\r\n"),
        (b"a: b\r\n\r\nx\r\ny\r\n", 1, b"a: b\r\n\r\nx\r\n"),
        (b"a: b\n\n\n\n", 1, b"a: b\r\n\r\n\r\n"),
        (b"a: b\nno body", 5, b"a: b\r\nno body\r\n"),
        (b"\nbody\nmore\n", 1, b"\r\nbody\r\n"),
        (b"a: b\n\r\r\n\nx\n", 0, b"a: b\r\n\r\r\n\r\n"),
        (b"a: b\n" + b"h" * 65530 + b"\r\n\r\nx\r\n", 0, b"a: b\r\n" + b"h" * 65530 + b"\r\n\r\n"),
        (b"a: b\n" + b"h" * 65528 + b"\r\n\r\nx\r\n", 0, b"a: b\r\n" + b"h" * 65528 + b"\r\n\r\n"),
        (b"", 3, b""),
    ],
    ids=range(9),
)
def test_top(mail, data, lines, wanted):
    (mail / "0").write_bytes(data)
    with Server("--mail", mail) as server:
        client = server.login()
        assert client.ask(f"TOP 1 {lines}").startswith(b"+OK")
        assert client.rest() == wanted


def test_a_maildir_is_served_from_cur_and_new(tmp_path):
    for name in ("cur/2:2,S", "cur/.hidden", "new/1", "new/3", "tmp/4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x\n")
    with Server("--mail", tmp_path) as server:
        client = server.login()
        client.ask("UIDL")
        assert client.rest() == b"1 1\r\n2 2:2,S\r\n3 3\r\n"


def test_only_regular_files_are_messages(mail):
    (mail / "folder").mkdir()
    os.mkfifo(mail / "fifo")
    (mail / "link").symlink_to(mail / "b")
    (mail / "dangling").symlink_to(mail / "nothing")
    (mail / ".hidden").write_text("x")
    with Server("--mail", mail) as server:
        client = server.login()
        client.ask("UIDL")
        assert client.rest() == b"1 a\r\n2 b\r\n3 c\r\n4 link\r\n"


def test_each_session_reads_the_folder_anew(mail):
    with Server("--mail", mail) as server:
        first = server.login()
        assert first.ask("STAT") == b"+OK 3 84\r\n"
        (mail / "d").write_text("x\n")
        (mail / "a").write_text("longer now\n" * 10)
        assert first.ask("STAT") == b"+OK 3 84\r\n"
        assert server.login().ask("STAT") == b"+OK 4 174\r\n"


def test_unique_ids_of_awkward_names_are_hashes(mail):
    for file in mail.iterdir():
        file.unlink()
    names = ["a b", "x" * 70, "y" * 71, "z\N{LATIN SMALL LETTER E WITH ACUTE}"]
    for name in names:
        (mail / name).write_text("x\n")
    digests = [hashlib.sha256(name.encode()).hexdigest() for name in names]
    with Server("--mail", mail) as server:
        client = server.login()
        client.ask("UIDL")
        assert client.rest().decode().split("\r\n")[:-1] == [
            f"1 {digests[0]}",
            f"2 {names[1]}",
            f"3 {digests[2]}",
            f"4 {digests[3]}",
        ]


def test_deleted_messages_are_hidden_from_later_sessions(mail):
    with Server("--mail", mail) as server:
        client = server.login()
        assert client.ask("DELE 2").startswith(b"+OK")
        assert client.ask("QUIT").startswith(b"+OK")
        client = server.login()
        client.ask("UIDL")
        assert client.rest() == b"1 a\r\n2 c\r\n"
        assert (mail / "b").exists()
        (mail / "b").unlink()
        (mail / "b").write_text("another message\n")
        assert server.login().ask("STAT").startswith(b"+OK 3 ")


def test_delete_unlinks_at_quit_only(mail):
    with Server("--mail", mail, "--delete") as server:
        client = server.login()
        client.ask("DELE 1")
        client.close()
        server.log.wait("^1 close$")
        assert (mail / "a").exists()
        client = server.login()
        client.ask("DELE 1")
        client.ask("DELE 3")
        assert (mail / "a").exists()
        assert client.ask("QUIT") == b"+OK bye\r\n"
        assert sorted(file.name for file in mail.iterdir()) == ["b"]


def test_a_failed_removal_is_told_at_quit(mail):
    with Server("--mail", mail, "--delete") as server:
        client = server.login()
        client.ask("DELE 1")
        (mail / "a").unlink()
        (mail / "a").mkdir()
        assert client.ask("QUIT").startswith(b"-ERR [SYS/TEMP]")


def test_a_message_that_went_away_is_an_error(mail):
    with Server("--mail", mail) as server:
        client = server.login()
        (mail / "a").unlink()
        assert client.ask("RETR 1").startswith(b"-ERR [SYS/TEMP]")
        assert client.ask("NOOP").startswith(b"+OK")


def test_a_large_message_is_not_held_in_memory(mail):
    size = 256 << 20
    with open(mail / "0", "wb") as file:
        file.truncate(size)
    with Server("--mail", mail) as server:
        client = server.login()
        assert client.ask("RETR 1") == b"+OK %d octets\r\n" % (size + 2)
        left = size + 2 + 3
        end = b""
        while left > 0:
            data = client.stream.read(min(left, 1 << 20))
            assert data
            left -= len(data)
            end = (end + data)[-6:]
        assert end == b"\0\r\n.\r\n"
        status = Path(f"/proc/{server.pid}/status").read_text()
        assert int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) < size // 2048


def test_without_a_password_everybody_is_let_in(mail):
    with Server("--mail", mail) as server:
        server.login()


def test_name_and_password_must_match(mail):
    with Server("--mail", mail, "--user", "joe", "--password", "a b") as server:
        client = server.connect()
        client.line()
        for user, password in [("joe", "x"), ("jo", "a b"), ("joe", ""), ("JOE", "a b")]:
            assert client.ask(f"USER {user}").startswith(b"+OK")
            assert client.ask(f"PASS {password}") == b"-ERR [AUTH] invalid login\r\n"
            assert client.ask("STAT") == b"-ERR not in this state\r\n"
        assert client.ask("PASS a b") == b"-ERR USER first\r\n"
        client.ask("USER joe")
        assert client.ask("PASS a b") == b"+OK logged in, 3 messages\r\n"


def test_apop_checks_the_digest(mail):
    with Server("--mail", mail, "--apop", "--user", "joe", "--password", "pw") as server:
        pop = server.poplib()
        with pytest.raises(poplib.error_proto, match="AUTH"):
            pop.apop("joe", "wrong")
        with pytest.raises(poplib.error_proto, match="AUTH"):
            pop.apop("jim", "pw")
        pop.apop("joe", "pw")
        assert pop.stat()[0] == 3
        other = server.poplib()
        assert other.getwelcome() != pop.getwelcome()
        with pytest.raises(poplib.error_proto):
            other._shortcmd("APOP joe short")


def test_apop_takes_the_timestamp_of_the_greeting(mail):
    stamp = "<1896.697170952@dbc.mtview.ca.us>"
    with Server(
        "--mail", mail, "--apop", "--password", "tanstaaf", "--greeting", f"hi {stamp}"
    ) as server:
        client = server.connect()
        assert client.line() == f"+OK hi {stamp}\r\n".encode()
        # The example of RFC 1939 §7.
        assert client.ask("APOP mrose c4c9334bac560ecc979e58001b3e22fb").startswith(b"+OK")


def test_apop_without_a_timestamp_is_refused(mail):
    with Server("--mail", mail) as server:
        client = server.connect()
        assert b"<" not in client.line()
        assert client.ask("APOP a " + 32 * "0").startswith(b"-ERR")


def test_rpop(mail):
    with Server("--mail", mail, "--rpop", "--user", "joe") as server:
        client = server.connect()
        client.line()
        assert client.ask("RPOP jim").startswith(b"-ERR")
        assert client.ask("RPOP joe").startswith(b"+OK")
        assert client.ask("STAT").startswith(b"+OK 3")
    with Server("--mail", mail) as server:
        client = server.connect()
        client.line()
        assert client.ask("RPOP joe").startswith(b"-ERR")


def encoded(data):
    return base64.b64encode(data).decode()


def test_auth_plain(mail):
    with Server("--mail", mail, "--user", "joe", "--password", "pw") as server:
        client = server.connect()
        client.line()
        assert client.ask("AUTH PLAIN " + encoded(b"\0joe\0no")) == b"-ERR [AUTH] invalid login\r\n"
        assert client.ask("AUTH PLAIN " + encoded(b"joe\0pw")).startswith(b"-ERR a malformed")
        assert client.ask("AUTH PLAIN " + encoded(b"\0joe\0p\0w")).startswith(b"-ERR a malformed")
        assert client.ask("AUTH PLAIN =").startswith(b"-ERR a malformed")
        for bad in ("A", "AAA=A", "A===", "====", "!!!!", "AAAA AAAA", "AA=A"):
            assert client.ask("AUTH PLAIN " + bad) == b"-ERR no base64\r\n", bad
        assert client.ask("auth plain") == b"+ \r\n"
        assert client.ask("*") == b"-ERR cancelled\r\n"
        assert client.ask("AUTH PLAIN").startswith(b"+")
        assert client.ask(encoded(b"x\0joe\0pw")).startswith(b"+OK")
        assert client.ask("STAT").startswith(b"+OK")


def test_auth_login(mail):
    with Server("--mail", mail, "--user", "joe", "--password", "pw") as server:
        client = server.connect()
        client.line()
        assert client.ask("AUTH LOGIN") == b"+ VXNlcm5hbWU6\r\n"
        assert client.ask(encoded(b"joe")) == b"+ UGFzc3dvcmQ6\r\n"
        assert client.ask(encoded(b"wrong")).startswith(b"-ERR [AUTH]")
        assert client.ask("AUTH LOGIN " + encoded(b"joe")) == b"+ UGFzc3dvcmQ6\r\n"
        assert client.ask("*") == b"-ERR cancelled\r\n"
        client.ask("AUTH LOGIN " + encoded(b"joe"))
        assert client.ask(encoded(b"pw")).startswith(b"+OK")


def test_auth_lists_mechanisms_and_refuses_others(mail):
    with Server("--mail", mail) as server:
        client = server.connect()
        client.line()
        assert client.ask("AUTH").startswith(b"+OK")
        assert client.rest() == b"PLAIN\r\nLOGIN\r\n"
        assert client.ask("AUTH XOAUTH2 abcd").startswith(b"-ERR")


def test_capabilities_can_be_added_and_left_out(mail, good):
    args = ["--capa", "X-ONE a b", "--capa", "X-TWO", "--no-capa", "uidl", "--no-capa", "SASL"]
    with Server("--mail", mail, *good, *args) as server:
        pop = server.poplib()
        capa = pop.capa()
        assert capa["X-ONE"] == ["a", "b"]
        assert capa["X-TWO"] == []
        assert not {"UIDL", "SASL"} & set(capa)
        wanted = {"TOP", "USER", "RESP-CODES", "PIPELINING", "STLS", "UTF8", "LANG", "EXPIRE"}
        assert wanted <= set(capa)
        pop.user("u")
        pop.pass_("p")
        assert "STLS" not in pop.capa()
        assert pop.uidl()[1]  # it works without being announced


def test_stls_is_offered_with_a_certificate_only(mail, good):
    with Server("--mail", mail) as server:
        client = server.connect()
        client.line()
        assert client.ask("STLS").startswith(b"-ERR")
        assert "STLS" not in server.poplib().capa()
    with Server("--mail", mail, *good, "--no-capa", "STLS") as server:
        assert "STLS" not in server.poplib().capa()


def test_commands_can_be_refused(mail):
    args = ["--refuse", "UIDL", "--refuse", "RETR 2", "--error", "RETR 3", "--error"]
    args += ["TOP [SYS/TEMP] Download exceed", "--error", "NOOP"]
    with Server("--mail", mail, *args[:4], *args[6:]) as server:
        client = server.login()
        assert client.ask("uidl") == b"-ERR refused\r\n"
        assert client.ask("UIDL 1") == b"-ERR refused\r\n"
        assert client.ask("RETR 2") == b"-ERR refused\r\n"
        assert client.ask("RETR 1").startswith(b"+OK")
        client.rest()
        assert client.ask("TOP 1 1") == b"-ERR [SYS/TEMP] Download exceed\r\n"
        assert client.ask("NOOP") == b"-ERR\r\n"
        assert client.ask("STAT").startswith(b"+OK")


def test_an_error_text_of_any_length(mail):
    text = "x" * 20000
    with Server("--mail", mail, "--error", f"STAT {text}") as server:
        assert server.login().ask("STAT") == f"-ERR {text}\r\n".encode()


def test_languages(mail):
    with Server("--mail", mail) as server:
        client = server.connect()
        client.line()
        assert client.ask("LANG").startswith(b"+OK")
        assert client.rest().decode() == "en English\r\nfr Français\r\n"
        assert client.ask("LANG fr").startswith(b"+OK fr ")
        assert client.ask("LANG de").startswith(b"-ERR")
        client.ask("USER u")
        client.ask("PASS p")
        assert client.ask("NOOP").decode() == "+OK rien à faire\r\n"
        assert client.ask("LANG *").startswith(b"+OK en ")
        assert client.ask("NOOP") == b"+OK nothing done\r\n"


def test_utf8_comes_before_login_and_forbids_stls(mail, good):
    with Server("--mail", mail, *good) as server:
        client = server.connect()
        client.line()
        assert client.ask("UTF8").startswith(b"+OK")
        assert client.ask("STLS").startswith(b"-ERR")
        assert client.ask("USER é").startswith(b"+OK")
        assert client.ask("PASS ü").startswith(b"+OK")
        assert client.ask("UTF8") == b"-ERR not in this state\r\n"


def test_commands_have_their_states(mail, good):
    with Server("--mail", mail, *good) as server:
        client = server.connect()
        client.line()
        for command in ("STAT", "LIST", "UIDL", "RETR 1", "TOP 1 1", "DELE 1", "RSET", "NOOP"):
            assert client.ask(command) == b"-ERR not in this state\r\n"
        client.ask("USER u")
        client.ask("PASS p")
        for command in ("USER u", "PASS p", "APOP u x", "RPOP u", "AUTH PLAIN", "STLS", "UTF8"):
            assert client.ask(command) == b"-ERR not in this state\r\n"


@pytest.mark.parametrize(
    "command",
    ["", " ", "X", "STATS", "STAT 1", "RETR", "RETR 0", "RETR 4", "RETR x", "RETR -1", "RETR 1 2",
     "RETR 99999999999999999999999", "TOP 1", "TOP", "TOP 1 x", "TOP 1 -1", "DELE", "LIST x",
     "LIST 9", "UIDL 9", "\0", "STAT\0", "RETR 1\0", "\xff\xfe", "NOOP x", "QUIT now"],
)  # fmt: skip
def test_bad_commands_are_refused_and_the_session_goes_on(mail, command):
    with Server("--mail", mail) as server:
        client = server.login()
        assert client.ask(command.encode("latin-1")).startswith(b"-ERR")
        assert client.ask("STAT") == b"+OK 3 84\r\n"


def test_a_user_name_is_wanted(mail):
    with Server("--mail", mail) as server:
        client = server.connect()
        client.line()
        assert client.ask("USER").startswith(b"-ERR")
        assert client.ask("PASS x").startswith(b"-ERR")


@pytest.mark.parametrize("size", [65537, 70000, 1 << 20])
def test_a_line_too_long_ends_the_session(mail, size):
    with Server("--mail", mail) as server:
        client = server.connect()
        client.line()
        with contextlib.suppress(OSError):  # the server may close before it has all
            client.send(b"x" * size)
        assert client.line() == b"-ERR line too long\r\n"
        assert client.everything() == b""
        assert server.connect().line().startswith(b"+OK")


def test_a_line_just_not_too_long_is_read(mail):
    with Server("--mail", mail) as server:
        client = server.connect()
        client.line()
        assert client.ask(b"x" * 65535).startswith(b"-ERR unknown")
        assert client.ask("CAPA").startswith(b"+OK")


def test_garbage_harms_nobody(mail):
    garbage = bytes(i * 7919 % 251 for i in range(50000)) * 4
    with Server("--mail", mail) as server:
        for _ in range(3):
            client = server.connect()
            client.line()
            with contextlib.suppress(OSError):
                client.send(garbage)
                client.socket.shutdown(socket.SHUT_WR)
                client.everything()
        server.login()


def test_garbage_instead_of_tls_harms_nobody(mail, good, trust):
    with Server("--mail", mail, "--tls", *good) as server:
        with socket.create_connection(("127.0.0.1", server.tls_port), DEADLINE) as client:
            client.sendall(b"USER x\r\n" * 1000)
            client.shutdown(socket.SHUT_WR)
            while client.recv(4096):
                pass
        server.log.wait("^1 tls failed: ")
        server.log.wait("^1 close$")
        assert server.connect(trust).line().startswith(b"+OK")


def test_a_client_may_leave_at_any_time(mail):
    with Server("--mail", mail) as server:
        for data in (b"", b"US", b"USER u\r\n", b"AUTH PLAIN\r\n", b"USER u\r\nPASS p\r\nRETR 1"):
            client = server.connect()
            client.line()
            client.send(data)
            client.close()
            server.log.wait(rf"^{len(server.clients)} close$")


def test_many_sessions_at_once(mail):
    with Server("--mail", mail) as server:
        clients = [server.login() for _ in range(50)]
        for client in clients:
            client.send(b"RETR 1\r\nRETR 2\r\nQUIT\r\n")
        assert len({client.everything() for client in clients}) == 1


# ---- pipelining, pieces, endings ----

WINDOW = b"USER u\r\nPASS p\r\nSTAT\r\nRETR 1\r\nQUIT\r\n"


def test_pipelined_commands_are_all_answered(mail):
    with Server("--mail", mail) as server:
        client = server.connect()
        client.line()
        client.send(WINDOW)
        replies = client.everything()
        assert replies.count(b"+OK") == 5
        server.log.wait("^1 close$")
        reads = [line for line in server.log.lines if " read " in line]
        assert reads == [f"1 read {len(WINDOW)}"]


@pytest.mark.parametrize("option", ["--no-pipelining", "--discard-pipelined"])
def test_pipelined_commands_can_be_thrown_away(mail, option):
    with Server("--mail", mail, option) as server:
        client = server.connect()
        client.line()
        client.send(WINDOW)
        assert client.line() == b"+OK password, please\r\n"
        server.log.wait(f"^1 discarded {len(WINDOW) - 8}$")
        client.ask("PASS p")
        assert client.ask("STAT") == b"+OK 3 84\r\n"
        client.send(b"CAPA\r\n")
        announced = b"PIPELINING\r\n" in client.line() + client.rest()
        assert announced == (option == "--discard-pipelined")


def test_commands_may_come_octet_by_octet(mail):
    with Server("--mail", mail) as server:
        client = server.connect()
        client.line()
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in WINDOW:
            client.send(bytes([octet]))
        assert client.everything().count(b"+OK") == 5


def test_lines_may_end_in_lf_alone(mail):
    with Server("--mail", mail) as server:
        client = server.connect()
        client.line()
        client.send(b"CAPA\n")
        assert client.line().startswith(b"+OK")
        server.log.wait(r"^1 C: CAPA\\n$")


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("hello", b"+OK hello\r\n"),
        ("+ok", b"+ok\r\n"),
        ("+OK", b"+OK\r\n"),
        ("-ERR [SYS/TEMP] busy", b"-ERR [SYS/TEMP] busy\r\n"),
        ("", b"+OK \r\n"),
        ("é" * 3000, b"+OK " + "é".encode() * 3000 + b"\r\n"),
    ],
    ids=short,
)
def test_greetings(mail, text, wanted):
    with Server("--mail", mail, "--greeting", text) as server:
        client = server.connect()
        assert client.line() == wanted
        if wanted.startswith(b"-"):
            assert client.everything() == b""


@pytest.mark.parametrize("size", [1, 2, 7, 65536])
@pytest.mark.parametrize("tls", [False, True])
def test_split_changes_nothing_but_the_pieces(mail, good, trust, size, tls):
    (mail / "d").write_bytes(b"." + b"x" * 70000 + b"\n")
    with Server("--mail", mail, "--split", size, "--tls", *good) as server:
        client = server.connect(trust if tls else None)
        client.line()
        client.send(WINDOW.replace(b"QUIT", b"RETR 4\r\nQUIT"))
        replies = client.everything()
        assert b"\r\n.." + b"x" * 70000 + b"\r\n.\r\n+OK bye\r\n" in replies


def tls_records(data):
    """The lengths of the application data records in a stream of TLS 1.2."""
    lengths = []
    while data:
        if data[0] == 23:
            lengths.append(int.from_bytes(data[3:5], "big"))
        data = data[5 + int.from_bytes(data[3:5], "big") :]
    return lengths


def handshake_over_memory(client, context):
    """TLS whose records can be looked at: the object, what comes in, and what goes out."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    while True:
        try:
            tls.do_handshake()
            client.send(outgoing.read())
            return tls, incoming, outgoing
        except ssl.SSLWantReadError:
            client.send(outgoing.read())
            incoming.write(client.socket.recv(65536))


def test_pieces_are_records_under_tls(tmp_path, good, trust):
    # TLS records can be counted, where TCP may put pieces together again.
    text = "expect STLS\nline +OK\ntls\nsplit 3\nline 12345678\nsplit 0\nsplit-at 1,4\nline 12345678\n"
    with playing(tmp_path, text, *good, "--tls-max", "1.2") as server:
        client = server.connect()
        assert client.ask("STLS") == b"+OK\r\n"
        tls, incoming, outgoing = handshake_over_memory(client, trust)
        lengths = tls_records(incoming.read() + client.everything())
        # 24 octets of nonce and tag in AES-GCM, 16 in ChaCha20-Poly1305
        extra = 16 if "CHACHA" in tls.cipher()[0] else 24
        assert [length - extra for length in lengths] == [3, 3, 3, 1, 1, 3, 6]


def test_a_delay_changes_nothing_but_the_time(mail):
    with Server("--mail", mail, "--delay", 1) as server:
        client = server.connect()
        client.line()
        client.send(WINDOW)
        assert client.everything().count(b"+OK") == 5


def test_a_stop_ends_a_delay(mail):
    with Server("--mail", mail, "--delay", 3600000) as server:
        server.connect()
        server.log.wait("1 open")


@pytest.mark.parametrize("count", [0, 1, 27, 28, 60, 100])
@pytest.mark.parametrize("tls", [False, True])
def test_close_after_sends_exactly_so_much(mail, good, trust, count, tls):
    with Server("--mail", mail) as server:
        client = server.connect()
        client.send(WINDOW)
        whole = client.everything()
    assert len(whole) > 100
    with Server("--mail", mail, "--close-after", count, "--tls", *good) as server:
        client = server.connect(trust if tls else None)
        client.send(WINDOW)
        data = b""
        with contextlib.suppress(ssl.SSLError):
            while octet := client.stream.read(1):
                data += octet
        assert data == whole[:count]
        server.log.wait("^1 close$")


def test_close_after_counts_over_splits(mail):
    with Server("--mail", mail, "--close-after", 5, "--split", 3) as server:
        assert server.connect().everything() == b"+OK p"


def test_reset_after_resets(mail):
    with Server("--mail", mail, "--reset-after", 5) as server:
        with pytest.raises(ConnectionResetError):  # perhaps as early as in connecting
            client = server.connect()
            while client.socket.recv(100):
                pass


# ---- TLS ----


@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")
@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3"])
def test_tls_versions(mail, good, version):
    names = {
        "1.0": ssl.TLSVersion.TLSv1,
        "1.1": ssl.TLSVersion.TLSv1_1,
        "1.2": ssl.TLSVersion.TLSv1_2,
        "1.3": ssl.TLSVersion.TLSv1_3,
    }
    args = ["--tls-min", version, "--tls-max", version]
    with Server("--mail", mail, "--tls", *good, *args) as server:
        context = anyone()
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = names[version]
        client = server.connect(context)
        assert client.line().startswith(b"+OK")
        wanted = "TLSv1" if version == "1.0" else f"TLSv{version}"
        assert client.socket.version() == wanted
        server.log.wait(rf"^1 tls {re.escape(wanted)} ")
        other = anyone()
        other.set_ciphers("DEFAULT:@SECLEVEL=0")
        other.minimum_version = other.maximum_version = names["1.2" if version != "1.2" else "1.3"]
        with pytest.raises(ssl.SSLError):
            server.connect(other)
        server.log.wait("^2 tls failed: ")


@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")
def test_an_old_maximum_lowers_the_minimum(mail, good):
    with Server("--mail", mail, "--tls", *good, "--tls-max", "1.1") as server:
        context = anyone()
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = ssl.TLSVersion.TLSv1
        assert server.connect(context).socket.version() == "TLSv1.1"


def test_a_client_certificate_is_required(mail, good, certs, trust):
    args = ["--client-ca", certs / "ca.pem", "--tls-max", "1.2"]
    with Server("--mail", mail, "--tls", *good, *args) as server:
        with pytest.raises(OSError):
            server.connect(trust)
        server.log.wait("^1 tls failed: ")
        trust.load_cert_chain(certs / "client.pem", certs / "client-enc.key", "phrase")
        assert server.connect(trust).line().startswith(b"+OK")


def test_alpn_is_chosen_when_asked_to(mail, good, trust):
    trust.set_alpn_protocols(["imap", "pop3"])
    with Server("--mail", mail, "--tls", *good, "--alpn") as server:
        assert server.connect(trust).socket.selected_alpn_protocol() == "pop3"
        server.log.wait(" alpn=pop3$")
        trust.set_alpn_protocols(["imap"])
        with pytest.raises(ssl.SSLError):
            server.connect(trust)
    with Server("--mail", mail, "--tls", *good) as server:
        assert server.connect(trust).socket.selected_alpn_protocol() is None


@pytest.mark.parametrize("option", [[], ["--no-close-notify"]])
def test_close_notify_is_sent_or_not(mail, good, trust, option):
    trust.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    with Server("--mail", mail, "--tls", *good, *option) as server:
        client = server.connect(trust)
        client.line()
        client.ask("QUIT")
        client.socket.suppress_ragged_eofs = False
        if option:
            with pytest.raises(ssl.SSLError):
                client.socket.recv(1)
        else:
            assert client.socket.recv(1) == b""


def test_the_transcript_tells_how_the_client_closed(mail, good, trust):
    with Server("--mail", mail, "--tls", *good) as server:
        client = server.connect(trust)
        client.line()
        with contextlib.suppress(OSError):
            client.socket.unwrap()
        server.log.wait("^1 eof close-notify$")
        client = server.connect(trust)
        client.line()
        client.close()
        server.log.wait("^2 eof$")


def test_commands_before_the_handshake_are_forgotten(mail, good, trust):
    with Server("--mail", mail, *good) as server:
        client = server.connect()
        client.line()
        client.send(b"USER u\r\nSTLS\r\nNOOP\r\n")
        assert client.line().startswith(b"+OK")
        assert client.line() == b"+OK begin TLS\r\n"
        client.start_tls(trust)
        assert client.ask("PASS p") == b"-ERR USER first\r\n"
        assert client.ask("CAPA").startswith(b"+OK")
        assert "1 C: NOOP" not in server.log.lines


def verify_fails(server, context, code, name="localhost"):
    with pytest.raises(ssl.SSLCertVerificationError) as caught:
        server.connect(context, name)
    assert caught.value.verify_code == code


@pytest.mark.parametrize(
    "name, code",
    [("expired", 10), ("notyet", 9), ("wronghost", 62), ("selfsigned", 18), ("leaf", 20)],
)
def test_certificates_that_must_be_refused(mail, certs, trust, name, code):
    args = ["--cert", certs / f"{name}.pem", "--key", certs / f"{name}.key"]
    with Server("--mail", mail, "--tls", *args) as server:
        verify_fails(server, trust, code)


def test_certificates_that_must_be_taken(mail, certs, trust):
    for name in ("good", "chain"):
        args = ["--cert", certs / f"{name}.pem", "--key", certs / f"{name}.key"]
        with Server("--mail", mail, "--tls", *args) as server:
            for host in ("localhost", "127.0.0.1", "::1"):
                assert server.connect(trust, host).line().startswith(b"+OK")


def test_the_revoked_certificate_is_in_the_list(mail, certs, trust):
    trust.load_verify_locations(certs / "crl.pem")
    trust.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
    for name in ("good", "revoked"):
        args = ["--cert", certs / f"{name}.pem", "--key", certs / f"{name}.key"]
        with Server("--mail", mail, "--tls", *args) as server:
            if name == "revoked":
                verify_fails(server, trust, 23)
            else:
                server.connect(trust)


def test_certificates_are_made_once_and_silently(certs):
    before = {file.name: file.read_bytes() for file in certs.iterdir()}
    done = subprocess.run([HERE / "make-certs.sh", certs], capture_output=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert before == {file.name: file.read_bytes() for file in certs.iterdir()}


def test_a_key_may_be_in_the_file_of_the_certificate(mail, certs, trust, tmp_path):
    both = tmp_path / "both.pem"
    both.write_bytes((certs / "good.pem").read_bytes() + (certs / "good.key").read_bytes())
    with Server("--mail", mail, "--tls", "--cert", both) as server:
        assert server.connect(trust).line().startswith(b"+OK")


# ---- scripts: sending ----


def received(tmp_path, text, *args):
    """What a silent client gets from a script."""
    with playing(tmp_path, text, *args) as server:
        return server.connect().everything()


def test_strings_have_escapes(tmp_path):
    text = r'send "a\r\n\t\0\\\"\x00\xfF" b "c d"e"f" # comment' + "\n"
    assert received(tmp_path, text) == b'a\r\n\t\0\\"\0\xffbc def'


def test_comments_blanks_and_crlf_in_scripts(tmp_path):
    text = b'# first\r\n\r\n\tline "a # b"\r\n  line c#d # e\n; line "x" ; line y\nline ";"'
    assert received(tmp_path, text) == b"a # b\r\nc#d\r\nx\r\ny\r\n;\r\n"


def test_eight_bit_scripts(tmp_path):
    assert received(tmp_path, b"line \xff\xc3\xa4\0z\n") == b"\xff\xc3\xa4\0z\r\n"


def test_capa(tmp_path):
    wanted = b"+OK capability list follows\r\nTOP\r\nSASL PLAIN\r\n.\r\n"
    assert received(tmp_path, 'capa TOP "SASL PLAIN"\n') == wanted
    assert received(tmp_path, "capa\n") == b"+OK capability list follows\r\n.\r\n"


def test_body_stuffs_dots_and_keeps_octets(tmp_path):
    (tmp_path / "m").write_bytes(b".a\r\n.\r\nb\n.c\r\rd\0")
    assert received(tmp_path, "body m\n") == b"..a\r\n..\r\nb\n.c\r\rd\0\r\n.\r\n"
    assert received(tmp_path, "body m crlf\n") == b"..a\r\n..\r\nb\r\n..c\r\rd\0\r\n.\r\n"
    (tmp_path / "m").write_bytes(b"")
    assert received(tmp_path, "body m\n") == b".\r\n"
    (tmp_path / "m").write_bytes(b"a\n")
    assert received(tmp_path, "body m\n") == b"a\n\r\n.\r\n"


def test_raw_sends_a_file_as_it_is(tmp_path):
    data = b".a\n\0\xff\r" * 30000
    (tmp_path / "m").write_bytes(data)
    assert received(tmp_path, f'raw "{tmp_path}/m"\n') == data


@pytest.mark.parametrize(
    "statement, wanted",
    [
        ("fill 3 ab", b"ababab"),
        ("fill 0 ab", b""),
        ('fill 9 ""', b""),
        ("fill 2K x", b"x" * 2048),
        ("fill 1M ab", b"ab" * (1 << 20)),
        ('fill 100001 "x\\r\\n"', b"x\r\n" * 100001),
        (f"fill 5 {'y' * 9000}", b"y" * 45000),
    ],
    ids=short,
)
def test_fill(tmp_path, statement, wanted):
    assert received(tmp_path, statement) == wanted


def xorshift64(count, seed):
    state, octets = seed or 1, bytearray()
    while len(octets) < count:
        state ^= state << 13 & (1 << 64) - 1
        state ^= state >> 7
        state ^= state << 17 & (1 << 64) - 1
        octets += state.to_bytes(8, "little")
    return bytes(octets[:count])


@pytest.mark.parametrize("count, seed", [(0, 1), (1, 1), (20, 0), (100003, 12345)])
def test_random(tmp_path, count, seed):
    assert received(tmp_path, f"random {count} {seed}") == xorshift64(count, seed)


@pytest.mark.parametrize(
    "statement, wanted",
    [
        ('numbers "%d 100" 9 11', b"9 100\r\n10 100\r\n11 100\r\n"),
        ('numbers "%d u%d%%x" 1 1', b"1 u1%x\r\n"),
        ("numbers %d 2 1", b""),
        ("numbers %d 0 0", b"0\r\n"),
        ("numbers %d 1 30000", b"".join(b"%d\r\n" % i for i in range(1, 30001))),
    ],
    ids=short,
)
def test_numbers(tmp_path, statement, wanted):
    assert received(tmp_path, statement) == wanted


@pytest.mark.parametrize(
    "how",
    ["split 1", "split 3", "split 65536", "split-at 1", "split-at 1,2,70000", "split-at 5,6 9",
     "delay-each 1\nsplit-at 10,20", "split 30000\ndelay-each 1", "split-at 99999999"],
)  # fmt: skip
def test_pieces_change_nothing_else(tmp_path, how):
    text = f"{how}\nfill 70001 x\nline end\nsplit 0\nline more\n"
    assert received(tmp_path, text) == b"x" * 70001 + b"end\r\nmore\r\n"


def test_a_delay_goes_by(tmp_path):
    assert received(tmp_path, "line a\ndelay 1\nline b\ndelay 0\n") == b"a\r\nb\r\n"


def test_what_was_said_arrives_before_a_delay(tmp_path):
    with playing(tmp_path, "line a\ndelay 3600000\n", status=3) as server:
        assert server.connect().line() == b"a\r\n"
        server.process.terminate()
        server.process.wait(DEADLINE)


@pytest.mark.parametrize(
    "text, wanted",
    [
        ("repeat 3 { line x }", b"x\r\n" * 3),
        ("repeat 3 {\nline x\nline y\n}\nline z", b"x\r\ny\r\n" * 3 + b"z\r\n"),
        ("repeat 2\nline x\nend\nline z", b"x\r\n" * 2 + b"z\r\n"),
        ("repeat 0 { line x }", b""),
        ("repeat 2 { repeat 2 { line x } ; line y }", b"x\r\nx\r\ny\r\n" * 2),
        ("repeat 2 { }", b""),
    ],
    ids=short,
)
def test_repeat(tmp_path, text, wanted):
    assert received(tmp_path, text) == wanted


def test_a_script_from_standard_input():
    with Server("--script", "-", "--once", stdin=b"line hello\n") as server:
        assert server.connect().everything() == b"hello\r\n"


def test_connections_play_their_own_scripts(tmp_path):
    for name in "ab":
        (tmp_path / name).write_text(f"line {name}\n")
    args = ["--script", tmp_path / "a", "--script", tmp_path / "b"]
    with Server(*args, "--max-sessions", 4) as server:
        lines = [server.connect().everything() for _ in range(4)]
        assert lines == [b"a\r\n", b"b\r\n", b"b\r\n", b"b\r\n"]


def test_gigabytes_are_not_built_in_memory(tmp_path):
    with playing(tmp_path, "fill 256M x\nexpect-eof\n") as server:
        client = server.connect()
        left = 256 << 20
        while left > 0:
            left -= len(client.stream.read(min(left, 1 << 20)))
        status = Path(f"/proc/{server.pid}/status").read_text()
        assert int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) < 128 << 10


# ---- scripts: expecting ----


def play(tmp_path, text, data, status=0, complaints="", args=()):
    """Plays a script to a client that says all at once and closes its side."""
    with playing(tmp_path, text, *args, status=status, complaints=complaints) as server:
        client = server.connect()
        client.send(data)
        client.socket.shutdown(socket.SHUT_WR)
        return client.everything()


@pytest.mark.parametrize(
    "text, data",
    [
        ("expect STAT", b"STAT\r\n"),
        ('expect "USER joe"', b"USER joe\r\n"),
        ('expect ""', b"\r\n"),
        (r'expect "\x00\xff\\"', b"\0\xff\\\r\n"),
        ("expect-prefix AUTH", b"AUTH PLAIN x\r\n"),
        ("expect-prefix AUTH", b"AUTH\r\n"),
        ("expect-any", b"\r\n"),
        ("expect-any", b"x\n"),
        ("expect-any\nexpect-eof", b"x\r\n"),
        ("expect-eof", b""),
        ("expect-any", b"x\r\nmore\r\nand more"),
        ("expect-silence 1", b""),
        ("expect-any\nexpect-silence 1", b"x\r\n"),
        ("", b""),
        ("", b"x"),
        ("expect a\nexpect b", b"a\r\nb\r\n"),
        ("repeat 2 { expect a }", b"a\r\na\r\n"),
        ("loop { expect a }", b""),
        ("loop { expect a }", b"a\r\n" * 3),
        ("loop\nexpect a\nend\nexpect-eof", b"a\r\n"),
        ("loop { loop { expect a } }", b"a\r\na\r\n"),
        ("loop { expect-silence 1 }", b""),
        ("loop { expect-eof }", b""),
    ],
    ids=short,
)
def test_expectations_that_are_met(tmp_path, text, data):
    play(tmp_path, text, data)


@pytest.mark.parametrize(
    "text, data, complaint",
    [
        ("expect STAT", b"stat\r\n", r':1: expected "STAT", got "stat"$'),
        ("expect STAT", b"STAT \r\n", r'expected "STAT", got "STAT "$'),
        ("expect STAT", b"STAT\n", r'expected "STAT", got "STAT\\n"$'),
        ("expect STAT", b"STAT\r\r\n", r'expected "STAT", got "STAT\\r"$'),
        ("expect STAT", b"STA", r'expected "STAT", got "STA"$'),
        ("expect STAT", b"", r'expected "STAT", got the end of the connection$'),
        ('# x\n\nexpect "\\xff\\""', b"\0\r\n", r':3: expected "\\xFF\\"", got "\\x00"$'),
        ("expect-prefix AUTH", b"AUT\r\n", r'a line that begins "AUTH", got "AUT"$'),
        ("expect-any", b"", r"expected any line, got the end of the connection$"),
        ("expect-eof", b"x", r'the end of the connection, got "x"$'),
        ("expect-any\nexpect-eof", b"x\r\ny\r\n", r':2: .*, got "y\\r\\n"$'),
        ("expect-silence 60000", b"x", r'silence, got "x"$'),
        ("expect-any", b"x" * 70000, r"a line too long"),
        ("repeat 2 { expect a }", b"a\r\n", r"got the end of the connection$"),
        ("loop { expect a }", b"b\r\n", r'expected "a", got "b"$'),
        ("loop { expect a ; expect b }", b"a\r\n", r'expected "b", got the end'),
        ('loop { send "" }', b"", r"an iteration of the loop did nothing$"),
    ],
    ids=short,
)
def test_expectations_that_are_not_met(tmp_path, text, data, complaint):
    play(tmp_path, text, data, status=3, complaints=f"(?m){complaint}")


def test_a_complaint_is_one_line_with_file_and_line(tmp_path):
    path = re.escape(str(tmp_path / "the.script"))
    complaint = rf'\Ascript {path}:2: expected "b", got "c"\Z'
    play(tmp_path, "expect a\nexpect b\n", b"a\r\nc\r\n", status=3, complaints=complaint)


def test_without_once_the_server_goes_on(tmp_path):
    complaints = 'expected "a", got "b"'
    with playing(tmp_path, "expect a\nline ok\n", once=False, complaints=complaints) as server:
        assert server.connect().ask("a") == b"ok\r\n"
        assert server.connect().ask("b") == b""
        assert server.connect().ask("a") == b"ok\r\n"


def test_one_failure_of_many_sessions_is_told(tmp_path):
    args = ["--max-sessions", "2"]
    with playing(
        tmp_path, "expect a\n", *args, once=False, status=3, complaints='got "b"'
    ) as server:
        server.connect().ask("b")
        server.connect().ask("a")


def test_a_stop_in_the_middle_of_a_script_is_no_success(tmp_path):
    with playing(tmp_path, "line x\nexpect y\n", status=3) as server:
        server.connect().line()
        server.process.terminate()
        server.process.wait(DEADLINE)


def test_a_stop_without_once_is_a_success(tmp_path):
    with playing(tmp_path, "line x\nexpect y\n", once=False) as server:
        server.connect().line()


def test_writing_to_a_client_that_has_gone_is_no_error(tmp_path):
    with playing(tmp_path, "expect go\nfill 100M x\nline end\n") as server:
        client = server.connect()
        client.send(b"go\r\n")
        assert client.stream.read(1) == b"x"
        client.close()


def test_an_expectation_of_a_client_that_has_gone_is_one(tmp_path):
    with playing(
        tmp_path, "expect go\nfill 100M x\nexpect more\n", status=3, complaints="the end"
    ) as server:
        client = server.connect()
        client.send(b"go\r\n")
        assert client.stream.read(1) == b"x"
        client.close()


def test_a_loop_that_only_sends_ends_with_the_client(tmp_path):
    with playing(tmp_path, "loop { fill 64K x }\n") as server:
        client = server.connect()
        assert client.stream.read(1) == b"x"
        client.close()


# ---- scripts: closing ----


def test_close_ends_the_script(tmp_path):
    assert received(tmp_path, "line a\nclose\nline b\nexpect c\n") == b"a\r\n"


def test_close_after_unread_octets_is_no_reset(tmp_path):
    assert play(tmp_path, "line a\nclose\n", b"x\r\n" * 1000) == b"a\r\n"


def test_reset(tmp_path):
    with playing(tmp_path, "expect go\nreset\n") as server:
        client = server.connect()
        client.send(b"go\r\n")
        with pytest.raises(ConnectionResetError):
            client.socket.recv(1)


def test_shutdown_closes_one_side(tmp_path):
    with playing(tmp_path, "line a\nshutdown\nexpect b\nline lost\nexpect-eof\n") as server:
        client = server.connect()
        assert client.stream.read() == b"a\r\n"
        client.send(b"b\r\n")


@pytest.mark.parametrize(
    "ending, clean",
    [("close-notify\nclose", True), ("close", False), ("", True), ("shutdown\nexpect-eof", False),
     ("close-notify\nexpect-eof", True), ("reset", None)],
)  # fmt: skip
def test_endings_under_tls(tmp_path, good, trust, ending, clean):
    text = f"line go\ntls\nexpect a\n{ending}\n"
    trust.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    with playing(tmp_path, text, *good) as server:
        client = server.connect()
        assert client.line() == b"go\r\n"
        client.start_tls(trust)
        client.socket.suppress_ragged_eofs = False
        client.send(b"a\r\n")
        if clean:
            assert client.socket.recv(1) == b""
        else:
            with pytest.raises(ssl.SSLError if clean is False else OSError):
                client.socket.recv(1)


# ---- scripts: TLS and serve ----


def test_tls_with_settings_of_its_own(tmp_path, certs):
    text = (
        f"line go\ntls cert={certs}/chain.pem key={certs}/chain.key min=1.2 max=1.2"
        f' client-ca="{certs}/ca.pem"\nexpect a\nline b\n'
    )
    with playing(tmp_path, text) as server:
        context = ssl.create_default_context(cafile=str(certs / "ca.pem"))
        context.load_cert_chain(certs / "client.pem", certs / "client.key")
        client = server.connect()
        client.line()
        client.start_tls(context)
        assert client.socket.version() == "TLSv1.2"
        assert client.ask("a") == b"b\r\n"


@pytest.mark.parametrize(
    "statement, status, complaint",
    [("tls", 3, ":2: the TLS handshake failed$"), ("tls-may-fail", 0, "")],
)
def test_a_failed_handshake_ends_the_script(tmp_path, good, statement, status, complaint):
    text = f"line go\n{statement}\nexpect x\n"
    with playing(tmp_path, text, *good, status=status, complaints=complaint) as server:
        client = server.connect()
        client.line()
        with pytest.raises(ssl.SSLCertVerificationError):
            client.start_tls(ssl.create_default_context())
        server.log.wait("^1 tls failed: ")


def test_tls_may_fail_goes_on_when_it_does_not(tmp_path, good, trust):
    with playing(tmp_path, "line go\ntls-may-fail\nexpect a\nline b\n", *good) as server:
        client = server.connect()
        client.line()
        client.start_tls(trust)
        assert client.ask("a") == b"b\r\n"


def test_a_script_behind_implicit_tls(tmp_path, good, trust):
    with playing(tmp_path, "line hi\nexpect a\n", "--tls", *good) as server:
        client = server.connect(trust)
        assert client.line() == b"hi\r\n"
        client.send(b"a\r\n")


def test_a_failed_implicit_handshake_is_unmet(tmp_path, good):
    with playing(tmp_path, "line hi\n", "--tls", *good, status=3) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            server.connect(ssl.create_default_context())


def test_replies_injected_before_tls_can_be_played(tmp_path, good, trust):
    text = 'expect STLS\nsend "+OK begin\\r\\n+OK injected\\r\\n"\ntls\nexpect CAPA\ncapa TOP\n'
    with playing(tmp_path, text, *good) as server:
        client = server.connect()
        client.send(b"STLS\r\n")
        assert client.stream.read(25) == b"+OK begin\r\n+OK injected\r\n"
        client.start_tls(trust)
        assert client.ask("CAPA").startswith(b"+OK")


def test_serve_greets_when_nothing_was_sent(tmp_path, mail):
    with playing(tmp_path, "serve\n", "--mail", mail) as server:
        pop = server.poplib()
        pop.user("u")
        pop.pass_("p")
        assert pop.stat()[0] == 3
        pop.quit()


def test_serve_takes_over(tmp_path, mail):
    text = 'line "+OK mine"\nexpect CAPA\nline -ERR\nserve\nexpect-eof\n'
    with playing(tmp_path, text, "--mail", mail) as server:
        client = server.connect()
        assert client.line() == b"+OK mine\r\n"
        assert client.ask("CAPA") == b"-ERR\r\n"
        assert client.ask("USER u").startswith(b"+OK")
        assert client.ask("PASS p").startswith(b"+OK")
        assert client.ask("QUIT").startswith(b"+OK")


def test_serve_transaction_is_logged_in(tmp_path, mail):
    with playing(tmp_path, 'line "+OK"\nexpect x\nserve transaction\n', "--mail", mail) as server:
        client = server.connect()
        client.line()
        client.send(b"x\r\nSTAT\r\nQUIT\r\n")
        assert client.line() == b"+OK 3 84\r\n"


def test_on_takes_the_place_of_an_answer(tmp_path, mail):
    text = """
    line "+OK"
    on RETR { line "-ERR any" }
    on "RETR 2" { line "+OK two" ; send "x\\r\\n.\\r\\n" }
    on NOOP { answer ; expect more ; line "and more" }
    serve transaction
    expect-eof
    """
    with playing(tmp_path, text, "--mail", mail) as server:
        client = server.connect()
        client.line()
        assert client.ask("RETR 1") == b"-ERR any\r\n"
        assert client.ask("retr 2") == b"+OK two\r\n"
        assert client.line() + client.line() == b"x\r\n.\r\n"
        assert client.ask("STAT") == b"+OK 3 84\r\n"
        client.send(b"NOOP\r\nmore\r\n")
        assert client.line().startswith(b"+OK")
        assert client.line() == b"and more\r\n"
        assert client.ask("QUIT").startswith(b"+OK")


def test_a_close_inside_of_on_ends_the_script(tmp_path, mail):
    text = 'on STAT { close }\nserve\nexpect "never"\n'
    with playing(tmp_path, text, "--mail", mail) as server:
        client = server.connect()
        client.line()
        assert client.ask("STAT") == b""


def test_an_unmet_expectation_inside_of_on_is_unmet(tmp_path, mail):
    text = "on STAT { expect a }\nserve\n"
    with playing(tmp_path, text, "--mail", mail, status=3, complaints='expected "a"') as server:
        client = server.connect()
        client.line()
        client.send(b"STAT\r\nb\r\n")
        assert client.line() == b""


def test_serve_cannot_be_stopped_without_notice(tmp_path, mail):
    with playing(tmp_path, "serve\n", "--mail", mail, status=3) as server:
        server.connect().line()
        server.process.terminate()
        server.process.wait(DEADLINE)


@pytest.mark.parametrize(
    "text, line, says",
    [
        ("line a\nfrobnicate", 2, "frobnicate"),
        ("line", 1, "missing"),
        ("line a b", 1, "quotes"),
        ("send", 1, "missing"),
        ("expect-any x", 1, "too much"),
        ("delay x", 1, "number"),
        ("delay -1", 1, "number"),
        ("delay 3600001", 1, "number"),
        ("fill 1", 1, "missing"),
        ("fill 1X x", 1, "number"),
        ("fill 99999999999G x", 1, "number"),
        ('fill "1\\0" x', 1, "number"),
        ("split 65537", 1, "number"),
        ("split-at 2,1", 1, "ascend"),
        ("split-at 0", 1, "ascend"),
        ("split-at", 1, "missing"),
        ("numbers x 1 2", 1, "%d"),
        ("numbers %s 1 2", 1, "%"),
        ("numbers %d% 1 2", 1, "%"),
        ("body nothing", 1, "nothing"),
        ("body the.script lf", 1, "lf"),
        ("raw nothing", 1, "nothing"),
        ("tls", 1, "certificate"),
        ("tls cert=nothing", 1, "nothing"),
        ("tls cert=the.script", 1, "the.script"),
        ("tls min=1.5", 1, "min="),
        ("tls x", 1, "cert="),
        ("serve", 1, "--mail"),
        ("serve x", 1, "x"),
        ("repeat 2 {\nline x", 1, "no end"),
        ("loop {\ndelay 1\n}", 3, "never end"),
        ("line x\n}", 2, "without repeat"),
        ("end", 1, "without repeat"),
        ("line x {", 1, "without repeat"),
        ("answer", 1, "inside of on"),
        ("on", 1, "missing"),
        ("on STAT {\nserve\n}", 2, "inside of on"),
        ("on STAT {\non STAT {\n}\n}", 2, "another block"),
        ("loop {\non STAT {\n}\n}", 2, "another block"),
        ("{", 1, "without repeat"),
        ('line "a', 1, "no end"),
        ('line "a\n"', 1, "no end"),
        ('line "\\q"', 1, "backslash"),
        ('line "\\x1"', 1, "backslash"),
        ("\n".join(["repeat 1"] * 17), 17, "nested"),
    ],
    ids=short,
)
def test_errors_in_a_script(tmp_path, text, line, says):
    path = tmp_path / "the.script"
    path.write_text(text)
    complaint = refuses("--script", path)
    assert complaint.startswith(f"script {path}:{line}: "), complaint
    assert says in complaint
    assert complaint.count("\n") == 1


# ---- the transcript ----


def test_the_transcript_of_a_session(mail):
    with Server("--mail", mail) as server:
        client = server.login()
        client.ask("RETR 2")
        client.rest()
        client.ask("QUIT")
        client.close()
        server.log.wait("close")
        lines = [line for line in server.log.lines if " read " not in line]
        assert lines == [
            "1 open",
            "1 S: +OK pop3-testserver ready",
            "1 C: USER u",
            "1 S: +OK password, please",
            "1 C: PASS p",
            "1 S: +OK logged in, 3 messages",
            "1 C: RETR 2",
            "1 S: +OK 24 octets",
            "1 S: <body 24 octets>",
            "1 S: .",
            "1 C: QUIT",
            "1 S: +OK bye",
            "1 close",
        ]


def test_the_transcript_of_a_script(tmp_path):
    text = (
        'send "+OK a\\r\\n+OK \\0" "b\\r\\n"\nexpect-any\nline c\nfill 2 xy\nrandom 3 1\n'
        "numbers %d 1 2\nraw the.script\ncapa TOP\n"
    )
    with playing(tmp_path, text) as server:
        client = server.connect()
        client.send(b"\xc3\xa9\t\r\n")
        client.everything()
        client.close()
        assert [line for line in server.log.all() if " eof" not in line] == [
            "1 open",
            "1 S: +OK a",
            "1 S: +OK \\x00b",
            "1 read 5",
            "1 C: é\\t",
            "1 S: c",
            "1 S: <fill 4 octets>",
            "1 S: <random 3 octets>",
            "1 S: <numbers 1 to 2>",
            f"1 S: <raw {len(text)} octets>",
            "1 S: +OK capability list follows",
            "1 S: TOP",
            "1 S: .",
            "1 close",
        ]


def test_reads_are_counted_under_tls_as_without(mail, good, trust):
    window = b"NOOP\r\n" * 5000  # two TLS records
    with Server("--mail", mail, "--tls", *good) as server:
        client = server.connect(trust)
        client.line()
        client.ask("USER u")
        client.ask("PASS p")
        client.send(window)
        for _ in range(5000):
            assert client.line().startswith(b"+OK")
        client.ask("QUIT")
        server.log.wait("close")
        reads = [int(line.split()[2]) for line in server.log.lines if " read " in line]
        assert sum(reads) == 8 + 8 + len(window) + 6


def test_a_transcript_that_cannot_be_written_is_an_error(mail):
    if not os.access("/dev/full", os.W_OK):
        pytest.skip("no /dev/full here")
    process = subprocess.Popen(
        [SERVER, "--mail", mail, "--once", "--log", "/dev/full"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    port = int(re.search(rb"port=(\d+)", process.stdout.readline())[1])
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
        client.recv(1)
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert b"/dev/full" in errors
