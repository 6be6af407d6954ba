#!/usr/bin/env python3
"""A private Dovecot for tests and demos: POP3 on free loopback ports, no privileges, no traces.

The server lives in a temporary directory of its own and is killed by its process group's id;
the directory goes with it.  Both happen after exceptions, SIGINT, SIGTERM and SIGHUP too, and if
Python is killed outright, the kernel stops the server (only the directory stays then).

As a module:

    with Dovecot(maildirs={"user": "some/mail", "empty": None}) as server:
        connect(server.host, server.port)          # plain, with STLS
        connect(server.host, server.tls_port)      # TLS from the start
        ... server.ca_file, server.user, server.password, server.maildir("user")

As a command, which runs COMMAND with the server's particulars in its environment, and exits with
COMMAND's status:

    dovecot.py run [--mail DIR]... [--awkward] [--all-auth] [--user U] [--password P]
                   [--users N] [--targets] -- COMMAND [ARGUMENT]...
    dovecot.py available          (exit status 0 if the server can be run here, else 1)

    POP3_TEST_HOST, POP3_TEST_PORT      where it listens; STLS is offered there
    POP3_TEST_TLS_PORT                  where it listens for TLS from the start
    POP3_TEST_CA_FILE                   the certificate that signed the server's
    POP3_TEST_USER, POP3_TEST_PASSWORD  the account
    POP3_TEST_USERS                     with --users N, "user1 user2 ... userN": more accounts with
                                        the same password and the same mail, for tests that delete
    POP3_TEST_TARGETS                   with --targets, "lmtp imap" or what of it is installed: there is
                                        an account of that name, without mail, which takes some so
    POP3_TEST_LMTP, POP3_TEST_IMAPS_PORT
                                        with --targets, the socket and the port for it
    POP3_TEST_MAIL_DIR                  a file for each message, with the octets that a client must
                                        receive; message number N is the N-th file in sorted order
    POP3_TEST_DOVECOT_LOG               the server's log
    POP3_TEST_BINDS                     "yes" where it has SCRAM with channel binding, over TLS
    POP3_TEST_TOKENS                    with --all-auth, which adds OAUTHBEARER, XOAUTH2, EXTERNAL and
                                        GSSAPI: a folder with the tokens `valid` and `expired`
    POP3_TEST_CLIENT_CERT, POP3_TEST_CLIENT_KEY
                                        with --all-auth, the account's client certificate
    KRB5_CONFIG, KRB5CCNAME             with --all-auth, the account's Kerberos ticket

Each message in a DIR is a file of its own; files are taken in the order of their names.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import dataclasses
import grp
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Mapping, NamedTuple, Optional, Sequence

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

import authentication
import awkward
import dovecot_config
import kerberos
from certificates import make_certificates
from mailboxes import MailSource, MailStore, mail_directories, write_wire_form
from ports import held_port
from processes import (
    Terminated,
    ending_with_parent,
    kill_process_group,
    scratch_directory,
    signals_held,
    unwinding_signals,
)

DEFAULT_USER = "user"
DEFAULT_PASSWORD = "pop3-test-password"

# Exit statuses of the command, where COMMAND's own cannot be given.
EXIT_NO_SERVER = 69  # EX_UNAVAILABLE
EXIT_SKIPPED = 77  # as test harnesses have it: what is missing is a property of this machine
EXIT_NOT_EXECUTABLE = 126
EXIT_NOT_FOUND = 127


class DovecotError(RuntimeError):
    """The server cannot be run; the text says why and holds the server's log if there is one."""


class NoAccount(DovecotError):
    """Passwd(5) has no account that the server could run as."""


class Identity(NamedTuple):
    """A user and a group of this machine."""

    user: str
    uid: int
    group: str
    gid: int


@dataclasses.dataclass
class Account:
    """A user of the server, and the directories whose messages the mailbox starts with."""

    name: str
    password: str
    mail: list[Path]


# --- What the machine has


def find_program(name: str) -> str:
    """The path of a program; servers live in directories that not every user's PATH has."""
    path = os.environ.get("PATH", os.defpath) + ":/usr/local/sbin:/usr/sbin:/sbin"
    found = shutil.which(name, path=path)
    if found is None:
        raise DovecotError(f"the program {name} is not installed")
    return found


def server_identity() -> Identity:
    """Whom the server runs as: ourselves, or nobody if we are root."""
    try:
        if os.geteuid() == 0:
            account = pwd.getpwnam("nobody")
            gid = account.pw_gid
        else:
            account = pwd.getpwuid(os.geteuid())
            gid = os.getegid()
        return Identity(account.pw_name, account.pw_uid, grp.getgrgid(gid).gr_name, gid)
    except KeyError as error:
        raise NoAccount(f"Dovecot runs as an account of passwd(5) only: {error}") from error


def has_protocol(name: str) -> bool:
    """Whether what `protocols` may name besides POP3 is installed: "imap" and "lmtp" are packages of their own."""
    return any((Path(where) / "dovecot" / name).exists() for where in ("/usr/lib", "/usr/libexec"))


def server_syntax() -> dovecot_config.Syntax:
    """How the Dovecot that is installed is configured."""
    version = _output_of(find_program("dovecot"), "--version")
    syntax = dovecot_config.syntax_of(version)
    if syntax is None:
        raise DovecotError(f"Dovecot 2.3 or 2.4 is needed, and this is {version}")
    return syntax


def why_unavailable() -> Optional[str]:
    """The reason why the server cannot be run here, or None if it can."""
    try:
        server_identity()
        find_program("openssl")
        first_lines = server_syntax().first_lines
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as config:
            config.write(first_lines)
            config.flush()
            libexec = _output_of(find_program("doveconf"), "-c", config.name, "-h", "libexec_dir")
        if not os.access(os.path.join(libexec, "pop3"), os.X_OK):
            return "Dovecot's POP3 server is not installed"
    except DovecotError as error:
        return str(error)
    return None


def _output_of(*command: str) -> str:
    """What a program prints; DovecotError with what it complains about if it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise DovecotError(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout.strip()


def scratch_parent() -> str:
    """A directory for temporary files that suits Dovecot; the usual one if it does.

    The path of a Unix socket has some 100 octets, the configuration's syntax makes some
    characters special, and root's own temporary directory may be closed to other users.
    """
    usual = tempfile.gettempdir()
    fits = re.fullmatch(r"[A-Za-z0-9_./-]{1,50}", usual) is not None
    parents = [Path(usual), *Path(usual).parents]
    reachable = os.geteuid() != 0 or all(path.stat().st_mode & 0o001 for path in parents)
    return usual if fits and reachable else "/tmp"


def loopback_addresses() -> list[str]:
    """127.0.0.1, and ::1 where the machine has it."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return ["127.0.0.1"]
    return ["127.0.0.1", "::1"]


# --- The server


class Dovecot:
    """A private Dovecot, running between the beginning and the end of a `with` block.

    maildirs      user name -> what the mailbox starts with: None, a directory of message files
                  (or a Maildir), or several; these users have the password `password`
    users         user name -> {"password": ..., "mail": ...}, either may be left out; for users
                  with passwords of their own
    password      the password of all users that are not given one
    protocols     "imap" and "lmtp", see has_protocol(): at imaps_port, with TLS, and at lmtp_socket
    extra_config  Dovecot configuration after ours: it can add to it and override it.  In it,
                  {directory} is the server's directory
    timeout       seconds after which a server that does not answer has failed to start

    Without users there is one, "user", with an empty mailbox.  The given directories are copied,
    never changed.  The server ends with the thread that starts it, if the block does not end
    before.
    """

    host = "127.0.0.1"

    def __init__(
        self,
        maildirs: Optional[Mapping[str, MailSource]] = None,
        users: Optional[Mapping[str, Mapping[str, Any]]] = None,
        *,
        password: str = DEFAULT_PASSWORD,
        extra_config: str = "",
        all_auth: bool = False,
        protocols: Sequence[str] = (),
        timeout: float = 20.0,
    ) -> None:
        self.accounts: list[Account] = []
        for name, source in (maildirs or {}).items():
            self.accounts.append(Account(name, password, mail_directories(source)))
        for name, details in (users or {}).items():
            mail = mail_directories(details.get("mail"))
            self.accounts.append(Account(name, details.get("password", password), mail))
        if not self.accounts:
            self.accounts.append(Account(DEFAULT_USER, password, []))
        self._check_names()

        self.user = self.accounts[0].name
        self.password = self.accounts[0].password
        self.port = 0
        self.tls_port = 0
        self.imaps_port = 0
        self._protocols = protocols
        self.directory = Path()
        self._extra_config = extra_config
        self._all_auth = all_auth
        self._timeout = timeout
        self._process: Optional[subprocess.Popen] = None
        self._open = contextlib.ExitStack()

    def _check_names(self) -> None:
        """Refuse names that the file of users could not hold, and names that occur twice."""
        names = [account.name for account in self.accounts]
        for name in names:
            if not name or name.startswith("#") or re.search(r"[:\0\r\n]", name):
                raise ValueError(f"not possible as a user name: {name!r}")
        if len(set(names)) != len(names):
            raise ValueError("a user name occurs twice")

    @property
    def ca_file(self) -> Path:
        """The certificate to verify the server's with."""
        return self.directory / "tls" / "ca.pem"

    @property
    def lmtp_socket(self) -> Path:
        """Where it takes mail by LMTP, if that is among its protocols."""
        return self.directory / "base" / "lmtp"

    @property
    def log_file(self) -> Path:
        """The server's log."""
        return self.directory / "dovecot.log"

    @property
    def pid(self) -> int:
        """The id of the server's first process, and of the process group of all of them."""
        assert self._process is not None
        return self._process.pid

    def maildir(self, name: str) -> Path:
        """The user's Maildir as it is now."""
        names = [account.name for account in self.accounts]
        return self.directory / "mail" / str(names.index(name))

    def __enter__(self) -> Dovecot:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the server and remove its directory.  Does nothing the second time."""
        with signals_held():
            self._open.close()

    def _start(self) -> None:
        """Lay out the directory and start the server in it; what is begun, close() ends."""
        self._syntax = server_syntax()
        self._open.enter_context(unwinding_signals())
        scratch = scratch_directory("pop3-dovecot-", scratch_parent())
        self.directory = self._open.enter_context(scratch)
        self._lay_out()
        self._start_server()

    def _lay_out(self) -> None:
        """Make all files but the configuration, and give them to whom the server runs as."""
        for name in ("base", "state", "mail"):
            (self.directory / name).mkdir()
        make_certificates(self.directory / "tls", find_program("openssl"))
        if self._all_auth:
            authentication.lay_out(self.directory, self.user, find_program("openssl"))
            realm = kerberos.running_realm(self.directory / "kerberos", self.user, find_program)
            self._open.enter_context(realm)
            if self._syntax.oauth2_file is not None:
                config = self._syntax.oauth2_file.format(directory=self.directory, account=self.user)
                (self.directory / "oauth2.conf").write_text(config)
        store = MailStore(self.directory / "messages")
        for account in self.accounts:
            store.make_maildir(self.maildir(account.name), account.mail)
        (self.directory / "users").write_text(self._users_text())
        self.log_file.touch()
        if os.geteuid() == 0:
            self._give_away()

    def _users_text(self) -> str:
        """The file of users: name, password (in base64: any characters), ids, home."""
        identity = server_identity()
        lines = []
        for user in self.accounts:
            password = base64.b64encode(user.password.encode()).decode()
            home = self.maildir(user.name)
            ids = f"{identity.uid}:{identity.gid}"
            lines.append(f"{user.name}:{{PLAIN.b64}}{password}:{ids}::{home}::\n")
        return "".join(lines)

    def _give_away(self) -> None:
        """Make the server's user own the directory and all that is in it."""
        identity = server_identity()
        for where, directories, files in os.walk(self.directory):
            for name in directories + files + ["."]:
                os.lchown(os.path.join(where, name), identity.uid, identity.gid)

    def _start_server(self) -> None:
        """Start the server and wait until it answers."""
        addresses = loopback_addresses()
        self.port, self.tls_port, self.imaps_port = (self._open.enter_context(held_port(addresses)) for _ in range(3))
        self._write_config(addresses)
        with signals_held():
            process = self._spawn()
            self._open.callback(kill_process_group, process)
        self._process = process
        self._wait_for_greeting()

    def _write_config(self, addresses: Sequence[str]) -> None:
        identity = server_identity()
        facts = {
            "listen": ", ".join(addresses),
            "directory": self.directory,
            "user": identity.user,
            "group": identity.group,
            "port": self.port,
            "tls_port": self.tls_port,
            "imaps_port": self.imaps_port,
            "more_protocols": " ".join(self._protocols),
            "account": self.user,
        }
        ours = self._syntax.configuration(facts, self._all_auth)
        extra = self._extra_config.replace("{directory}", str(self.directory))
        path = self.directory / "dovecot.conf"
        path.write_text(f"{ours}\n{extra}\n")
        path.chmod(0o644)  # whatever the umask: the server reads it as another user

    def _spawn(self) -> subprocess.Popen:
        """Start Dovecot's first process, in a session of its own: Ctrl-C is for us to handle."""
        as_whom: dict[str, Any] = {}
        if os.geteuid() == 0:
            identity = server_identity()
            as_whom = {"user": identity.uid, "group": identity.gid, "extra_groups": []}
        with open(self.log_file, "ab") as log:
            return subprocess.Popen(
                [find_program("dovecot"), "-F", "-c", str(self.directory / "dovecot.conf")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.directory,
                start_new_session=True,
                preexec_fn=ending_with_parent(),
                **as_whom,
            )

    def _wait_for_greeting(self) -> None:
        """Return when the server greets; raise when it ends or takes too long.

        Dovecot writes master.pid once it listens.
        """
        deadline = time.monotonic() + self._timeout
        while time.monotonic() < deadline:
            ended = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is not None:
                raise self._error(f"it ended with status {ended.si_status}")
            if (self.directory / "base" / "master.pid").exists() and self._greets(deadline):
                return
            time.sleep(0.005)
        raise self._error(f"no greeting within {self._timeout:g} seconds")

    def _greets(self, deadline: float) -> bool:
        """Whether a connection gets a POP3 greeting."""
        patience = max(0.01, deadline - time.monotonic())
        try:
            with socket.create_connection((self.host, self.port), patience) as connection:
                return connection.makefile("rb").readline().startswith(b"+OK")
        except OSError:
            return False

    def _log(self) -> str:
        return self.log_file.read_text(errors="replace")

    def _error(self, what: str) -> DovecotError:
        return DovecotError(f"Dovecot did not start: {what}. Its log:\n{self._log()}")


# --- The command


def command_environment(server: Dovecot, mail_dir: Path) -> dict[str, str]:
    """The variables that tell COMMAND about the server (not yet those of --users)."""
    return {
        "POP3_TEST_HOST": server.host,
        "POP3_TEST_PORT": str(server.port),
        "POP3_TEST_TLS_PORT": str(server.tls_port),
        "POP3_TEST_USER": server.user,
        "POP3_TEST_PASSWORD": server.password,
        "POP3_TEST_CA_FILE": str(server.ca_file),
        "POP3_TEST_MAIL_DIR": str(mail_dir),
        "POP3_TEST_DOVECOT_LOG": str(server.log_file),
        "POP3_TEST_BINDS": "yes" if server_syntax().bound_mechanisms else "no",
    }


def run_with_server(options: argparse.Namespace, command: Sequence[str]) -> int:
    """Start a server as the options say, run the command, and return its exit status."""
    server_identity()  # whether there is one: all that follows takes its time
    more_users = [f"user{n}" for n in range(1, options.users + 1)]
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(scratch_directory("pop3-run-"))
        mail = list(options.mail)
        if options.awkward:
            awkward.write_messages(scratch / "awkward")
            mail.append(scratch / "awkward")
        write_wire_form(mail, scratch / "wire")
        maildirs = {name: mail for name in [options.user, *more_users]}
        targets = [name for name in ("lmtp", "imap") if options.targets and has_protocol(name)]
        server = stack.enter_context(
            Dovecot(
                {**maildirs, **{name: None for name in targets}},
                password=options.password,
                all_auth=options.all_auth,
                protocols=targets,
            )
        )
        environment = {**os.environ, **command_environment(server, scratch / "wire")}
        if options.targets:
            environment["POP3_TEST_TARGETS"] = " ".join(targets)
            environment["POP3_TEST_LMTP"] = str(server.lmtp_socket)
            environment["POP3_TEST_IMAPS_PORT"] = str(server.imaps_port)
        if options.all_auth:
            environment.update(kerberos.environment(server.directory / "kerberos"))
            environment["POP3_TEST_TOKENS"] = str(server.directory / "tokens")
            environment["POP3_TEST_CLIENT_CERT"] = str(server.directory / "tls" / "client.pem")
            environment["POP3_TEST_CLIENT_KEY"] = str(server.directory / "tls" / "client.key")
        environment["POP3_TEST_USERS"] = " ".join(more_users)
        return run_command(command, environment)


def run_command(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command with our own standard streams and return its status as a shell would."""
    prepare = ending_with_parent()
    try:
        with signals_held():
            child = subprocess.Popen(command, env=environment, close_fds=False, preexec_fn=prepare)
    except OSError as error:
        print(f"dovecot.py: {command[0]}: {error.strerror}", file=sys.stderr)
        return EXIT_NOT_FOUND if isinstance(error, FileNotFoundError) else EXIT_NOT_EXECUTABLE
    try:
        status = child.wait()
    except KeyboardInterrupt as interrupt:
        end_command(child, told=not isinstance(interrupt, Terminated))
        raise
    return status if status >= 0 else 128 - status


def end_command(child: subprocess.Popen, told: bool) -> None:
    """End the command: ask, then insist.  `told`: Ctrl-C has reached it as well as us."""
    with signals_held():
        if not told:
            child.terminate()
        for ask_again in (child.terminate, child.kill):
            try:
                child.wait(2.0)
                return
            except subprocess.TimeoutExpired:
                ask_again()
        child.wait()


def user_count(text: str) -> int:
    """The argument of --users."""
    count = int(text)
    if not 0 <= count <= 10000:
        raise argparse.ArgumentTypeError("from 0 to 10000")
    return count


def parse_arguments(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """The options, and the command after "--"."""
    arguments = list(arguments)
    end = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(description="Run a command with a private POP3 server.")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("available", help="exit with 0 if the server can be run here, else 1")
    run = actions.add_parser("run", help="run a command", usage="%(prog)s [options] -- COMMAND ...")
    run.add_argument("--mail", type=Path, action="append", default=[], metavar="DIR")
    run.add_argument("--awkward", action="store_true", help="add the messages of awkward.py")
    run.add_argument("--all-auth", action="store_true", help="offer every mechanism")
    run.add_argument("--user", default=DEFAULT_USER)
    run.add_argument("--password", default=DEFAULT_PASSWORD)
    run.add_argument("--users", type=user_count, default=0, metavar="N", help="add user1...userN")
    run.add_argument("--targets", action="store_true", help="take mail, too: by LMTP and IMAP")
    options = parser.parse_args(arguments[:end])
    command = arguments[end + 1 :]
    if (options.action == "run") != bool(command):
        parser.error("run needs -- COMMAND, and nothing else takes it")
    return options, command


def main(arguments: Sequence[str]) -> int:
    """The command: see the top of the file."""
    options, command = parse_arguments(arguments)
    if options.action == "available":
        reason = why_unavailable()
        if reason is not None:
            print(f"dovecot.py: {reason}", file=sys.stderr)
        return 0 if reason is None else 1
    try:
        with unwinding_signals():
            return run_with_server(options, command)
    except NoAccount as error:
        print(f"1..0 # SKIP {error}")
        return EXIT_SKIPPED
    except (RuntimeError, OSError, ValueError) as error:
        print(f"dovecot.py: {error}", file=sys.stderr)
        return EXIT_NO_SERVER
    except Terminated as terminated:
        return 128 + terminated.signum
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
