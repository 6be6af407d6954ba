"""Real POP3 servers of Debian, each installed, configured and started in a system that may be thrown away.

A server is a class: the packages it comes from, how mail gets into its mailbox, how it is started. They change
accounts, configuration and packages of the machine, so run them in a fresh system only (tools/interop.sh).
"""

from __future__ import annotations

import contextlib
import imaplib
import mailbox
import os
import pwd
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import Iterator, Sequence

HERE = Path(__file__).resolve().parent
MAKE_CERTIFICATES = HERE.parents[1] / "server/make-certs.sh"
USER, PASSWORD = "reader", "pass-for-tests"
DEADLINE = 30  # seconds, for a server to listen


class Unavailable(Exception):
    """The server's packages are not in this release."""


def run(*command: str, **options) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True, **options)
    return done.stdout


def install(packages: Sequence[str]) -> None:
    """Installs packages; those that conflict with them (there can be one POP3 server) go."""
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    try:
        run(*command, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})
    except subprocess.CalledProcessError as failure:
        raise Unavailable(failure.stderr.strip().splitlines()[-1]) from failure


def version(package: str) -> str:
    return run("dpkg-query", "-W", "-f", "${Version}", package)


def make_user() -> None:
    try:
        pwd.getpwnam(USER)
    except KeyError:
        run("useradd", "--create-home", USER)
    run("chpasswd", input=f"{USER}:{PASSWORD}\n")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def wait_for(port: int) -> None:
    """Waits until somebody listens."""
    deadline = time.monotonic() + DEADLINE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)  # a poll: these servers tell nobody that they listen


def stop(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Server:
    """What all have in common."""

    name = ""
    package = ""
    packages: Sequence[str] = ()
    options: Sequence[str] = ()  # what `pop3` must be told, beside that plaintext is allowed
    has_uidl = True
    ca_file: Path | None = None  # who signed its certificate, when it speaks TLS from the start
    imap_port = 0  # where it has IMAP, too, and takes mail
    imap_prefix = ""  # of the user's folders there
    login = ""  # a mechanism that `pop3` must have come to log in with

    def __init__(self, scratch: Path):
        self.scratch = scratch

    def prepare(self) -> None:
        install([self.package, *self.packages])
        make_user()

    def fill(self, messages: Sequence[bytes]) -> None:
        """Makes these the content of the mailbox. Lines end with LF."""
        raise NotImplementedError

    def add(self, message: bytes) -> None:
        """Adds one."""
        raise NotImplementedError

    @contextlib.contextmanager
    def started(self) -> Iterator[int]:
        """Runs it; gives its port."""
        raise NotImplementedError
        yield 0


class InSpool(Server):
    """Mail in /var/mail/USER, an mbox."""

    @property
    def spool(self) -> Path:
        return Path("/var/mail") / USER

    def put(self, messages: Sequence[bytes], how: str) -> None:
        with open(self.spool, how) as file:
            for message in messages:
                quoted = b"".join(
                    b">" + line if line.startswith(b"From ") else line for line in message.splitlines(keepends=True)
                )
                end = b"" if quoted.endswith(b"\n") else b"\n"
                file.write(b"From sender@example.org Sat Jan  3 10:00:00 2026\n" + quoted + end + b"\n")
        shutil.chown(self.spool, USER, "mail")
        self.spool.chmod(0o660)

    def fill(self, messages: Sequence[bytes]) -> None:
        self.put(messages, "wb")

    def add(self, message: bytes) -> None:
        self.put([message], "ab")


class InMaildir(Server):
    """Mail in ~USER/Maildir."""

    serial = 0

    @property
    def maildir(self) -> Path:
        return Path(pwd.getpwnam(USER).pw_dir) / "Maildir"

    def fill(self, messages: Sequence[bytes]) -> None:
        shutil.rmtree(self.maildir, ignore_errors=True)
        for name in ("", "new", "cur", "tmp"):
            (self.maildir / name).mkdir()
            shutil.chown(self.maildir / name, USER)
        for message in messages:
            self.add(message)

    def add(self, message: bytes) -> None:
        InMaildir.serial += 1
        path = self.maildir / "new" / f"{1700000000 + InMaildir.serial}.{InMaildir.serial}.host"
        path.write_bytes(message)
        shutil.chown(path, USER)


class FromInetd(Server):
    """Servers that speak on standard input and output: a small inetd of ours starts them."""

    command: Sequence[str] = ()

    @contextlib.contextmanager
    def started(self) -> Iterator[int]:
        children: list[subprocess.Popen] = []
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def serve() -> None:
                with contextlib.suppress(OSError):
                    while True:
                        connection, _ = listener.accept()
                        with connection:
                            children.append(subprocess.Popen(self.command, stdin=connection, stdout=connection))

            threading.Thread(target=serve, daemon=True).start()
            try:
                yield listener.getsockname()[1]
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                for child in children:
                    stop(child)


class Popa3d(FromInetd, InSpool):
    name, package, command = "popa3d", "popa3d", ["/usr/sbin/popa3d"]


class Solid(FromInetd, InSpool):
    name, package, command = "solid-pop3d", "solid-pop3d", ["/usr/sbin/solid-pop3d"]


class Mailutils(FromInetd, InSpool):
    name, package, command = "GNU Mailutils", "mailutils-pop3d", ["/usr/sbin/pop3d", "--inetd"]


class Courier(InMaildir):
    name, package, packages = "Courier", "courier-pop", ["courier-authdaemon"]

    @contextlib.contextmanager
    def started(self) -> Iterator[int]:
        port = free_port()
        config = Path("/etc/courier/pop3d")
        lines = [x for x in config.read_text().splitlines() if not x.startswith(("PORT=", "ADDRESS=", "MAXPERIP="))]
        config.write_text("\n".join([*lines, f"PORT={port}", "ADDRESS=127.0.0.1", "MAXPERIP=40", ""]))
        Path("/run/courier/authdaemon").mkdir(parents=True, exist_ok=True)
        shutil.chown("/run/courier/authdaemon", "courier", "courier")
        run("/usr/sbin/authdaemond", "start")
        subprocess.run(["/usr/lib/courier/pop3d", "start"], check=True, stdout=subprocess.DEVNULL)
        try:
            wait_for(port)
            yield port
        finally:
            subprocess.run(["/usr/lib/courier/pop3d", "stop"], check=True)
            run("/usr/sbin/authdaemond", "stop")


class Cyrus(Server):
    name, package, packages = "Cyrus", "cyrus-pop3d", ["cyrus-imapd", "cyrus-admin", "sasl2-bin", "libsasl2-modules"]
    imap_prefix = "INBOX."
    mechanisms = "PLAIN LOGIN"
    service = "pop3d"

    def imap(self, user: str) -> imaplib.IMAP4:
        connection = imaplib.IMAP4("127.0.0.1", self.imap_port)
        connection.login(user, PASSWORD)
        return connection

    def prepare(self) -> None:
        super().prepare()
        for user in (USER, "cyrus"):
            run("saslpasswd2", "-p", "-c", user, input=PASSWORD)
        shutil.chown("/etc/sasldb2", "cyrus", "sasl")
        config = Path("/etc/imapd.conf")
        ours = ["admins: cyrus", "popminpoll: 0", f"sasl_mech_list: {self.mechanisms}", *self.tls_settings()]
        replaced = tuple(line.split(":")[0] for line in ours)
        lines = [x for x in config.read_text().splitlines() if not x.startswith(replaced)]
        config.write_text("\n".join([*lines, *ours, ""]))

    def tls_settings(self) -> list[str]:
        return []

    def fill(self, messages: Sequence[bytes]) -> None:
        admin = self.imap("cyrus")
        admin.create(f"user.{USER}")
        admin.logout()
        owner = self.imap(USER)
        owner.select("INBOX")
        owner.store("1:*", "+FLAGS", "\\Deleted")
        owner.expunge()
        owner.logout()
        for message in messages:
            self.add(message)

    def add(self, message: bytes) -> None:
        owner = self.imap(USER)
        answer = owner.append("INBOX", None, None, message.replace(b"\n", b"\r\n"))
        assert answer[0] == "OK", answer
        owner.logout()

    @contextlib.contextmanager
    def started(self) -> Iterator[int]:
        port, self.imap_port = free_port(), free_port()
        config = self.scratch / "cyrus.conf"
        config.write_text(
            'START { recover cmd="/usr/sbin/cyrus ctl_cyrusdb -r" }\n'
            "SERVICES {\n"
            f'  imap cmd="imapd" listen="127.0.0.1:{self.imap_port}" prefork=0\n'
            f'  pop3 cmd="{self.service}" listen="127.0.0.1:{port}" prefork=0\n'
            "}\n"
            'EVENTS { checkpoint cmd="/usr/sbin/cyrus ctl_cyrusdb -c" period=30 }\n'
        )
        for name in ("/run/cyrus", "/run/cyrus/proc", "/run/cyrus/lock", "/run/cyrus/socket"):
            Path(name).mkdir(exist_ok=True)
            shutil.chown(name, "cyrus", "mail")
        process = subprocess.Popen(["/usr/sbin/cyrmaster", "-M", str(config)])
        try:
            wait_for(self.imap_port)
            wait_for(port)
            yield port
        finally:
            stop(process)


class CyrusOverTls(Cyrus):
    """Announces SCRAM with channel binding, too, and binds in a way of its own."""

    name = "Cyrus over TLS"
    mechanisms = "PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-1"
    service = "pop3d -s"
    login = "SCRAM-SHA-256"

    def tls_settings(self) -> list[str]:
        folder = self.scratch / "certificates"
        run(str(MAKE_CERTIFICATES), str(folder))
        self.ca_file = folder / "ca.pem"
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, "cyrus", "mail")
        starttls = "imap_allowstarttls: on"  # off unless it is asked for, from 3.10.2 on
        return [f"tls_server_cert: {folder}/good.pem", f"tls_server_key: {folder}/good.key", starttls]


class Scripted(Server):
    """A library's server, run by a program of ours beside this file, which prints its port."""

    command: Sequence[str] = ()

    def prepare(self) -> None:
        super().prepare()
        self.mail.mkdir()

    @contextlib.contextmanager
    def started(self) -> Iterator[int]:
        process = subprocess.Popen([*self.command, *self.arguments()], stdout=subprocess.PIPE, text=True)
        try:
            yield int(process.stdout.readline())
        finally:
            stop(process)

    def arguments(self) -> list[str]:
        return [str(self.mail), USER, PASSWORD]

    @property
    def mail(self) -> Path:
        return self.scratch / "mail"


class Tcllib(Scripted):
    name, package, packages = "tcllib", "tcllib", ["tcl"]
    command = ["/usr/bin/tclsh", str(HERE / "tcllib.tcl")]
    has_uidl = False

    def fill(self, messages: Sequence[bytes]) -> None:
        box = self.mail / USER
        shutil.rmtree(box, ignore_errors=True)
        box.mkdir()
        for message in messages:
            self.add(message)

    def add(self, message: bytes) -> None:
        box = self.mail / USER
        taken = [int(x.name) for x in box.iterdir()]
        (box / str(max(taken, default=0) + 1)).write_bytes(message)


class Twisted(Scripted):
    name, package = "Twisted", "python3-twisted"
    command = ["/usr/bin/python3", str(HERE / "twisted_server.py")]

    def fill(self, messages: Sequence[bytes]) -> None:
        shutil.rmtree(self.mail / USER, ignore_errors=True)
        mailbox.Maildir(self.mail / USER, create=True)
        mailbox.Maildir(self.mail / USER / ".Trash", create=True)  # where it puts what is deleted
        for message in messages:
            self.add(message)

    def add(self, message: bytes) -> None:
        InMaildir.serial += 1
        (self.mail / USER / "new" / f"{1700000000 + InMaildir.serial}.{InMaildir.serial}.host").write_bytes(message)


class Dovecot(InMaildir):
    """As a distribution's user sets it up: system users, Maildir, no TLS for these tests (tests/interop has TLS)."""

    name, package = "Dovecot", "dovecot-pop3d"

    @contextlib.contextmanager
    def started(self) -> Iterator[int]:
        port = free_port()
        config = self.scratch / "dovecot.conf"
        new = version("dovecot-core").split(":")[-1] >= "2.4"
        owner = pwd.getpwnam(USER)
        home = f"uid={owner.pw_uid} gid={owner.pw_gid} home={owner.pw_dir}"
        lines = [
            "protocols = pop3",
            "ssl = no",
            f"service pop3-login {{\n  inet_listener pop3 {{\n    {'listen' if new else 'address'} = 127.0.0.1\n    port = {port}\n  }}\n}}",
            f"base_dir = {self.scratch}/run",
            f"log_path = {self.scratch}/log",
        ]
        if new:
            lines[:0] = ["dovecot_config_version = 2.4.0", "dovecot_storage_version = 2.4.0"]
            lines += ["auth_allow_cleartext = yes", "mail_driver = maildir", "mail_path = ~/Maildir"]
            lines += [f"passdb static {{\n  password = {PASSWORD}\n}}"]
            fields = "\n".join(f"    {x}" for x in home.split())
            lines += [f"userdb static {{\n  fields {{\n{fields}\n  }}\n}}"]
        else:
            lines += ["disable_plaintext_auth = no", "mail_location = maildir:~/Maildir"]
            lines += [f"passdb {{\n  driver = static\n  args = password={PASSWORD}\n}}"]
            lines += [f"userdb {{\n  driver = static\n  args = {home}\n}}"]
        config.write_text("\n".join([*lines, ""]))
        process = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", str(config)])
        try:
            wait_for(port)
            yield port
        finally:
            stop(process)


class Behind(Server):
    """A proxy in front of Dovecot, which it needs to have been played before."""

    def __init__(self, scratch: Path):
        super().__init__(scratch)
        self.inner = Dovecot(scratch)
        self.fill, self.add = self.inner.fill, self.inner.add

    def prepare(self) -> None:
        install([self.package, *self.packages, "dovecot-pop3d"])
        make_user()


class Perdition(Behind):
    name, package = "Perdition before Dovecot", "perdition"

    @contextlib.contextmanager
    def started(self) -> Iterator[int]:
        with self.inner.started() as inner:
            port = free_port()
            process = subprocess.Popen(
                [
                    *["/usr/sbin/perdition.pop3", "--no_daemon", "--protocol", "POP3", "--config_file", "/dev/null"],
                    *["--bind_address", "127.0.0.1", "--listen_port", str(port), "--no_lookup", "--map_library", ""],
                    *["--outgoing_server", f"127.0.0.1:{inner}", "--ssl_mode", "none", "--pid_file", ""],
                ]
            )
            try:
                wait_for(port)
                yield port
            finally:
                stop(process)


class Nginx(Behind):
    name, package, packages = "nginx before Dovecot", "nginx-light", ["libnginx-mod-mail"]

    @contextlib.contextmanager
    def started(self) -> Iterator[int]:
        with self.inner.started() as inner:
            port, auth = free_port(), free_port()
            config = self.scratch / "nginx.conf"
            config.write_text(
                f"daemon off; pid {self.scratch}/nginx.pid; error_log {self.scratch}/nginx.log;\n"
                "load_module modules/ngx_mail_module.so;\nevents {}\n"
                f"http {{ access_log off; server {{ listen 127.0.0.1:{auth}; location / {{\n"
                "  add_header Auth-Status OK; add_header Auth-Server 127.0.0.1;\n"
                f"  add_header Auth-Port {inner}; return 204; }} }} }}\n"
                f"mail {{ auth_http 127.0.0.1:{auth}/; pop3_auth plain;\n"
                f"  server {{ listen 127.0.0.1:{port}; protocol pop3; }} }}\n"
            )
            process = subprocess.Popen(["/usr/sbin/nginx", "-c", str(config)])
            try:
                wait_for(port)
                yield port
            finally:
                stop(process)


ALL = [Popa3d, Solid, Mailutils, Courier, Cyrus, CyrusOverTls, Tcllib, Twisted, Dovecot, Perdition, Nginx]
