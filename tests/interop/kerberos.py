"""A private Kerberos realm for GSSAPI: a key distribution centre of MIT's on a free loopback port, a
key for the POP3 server, and a ticket for the user.  All of it lives in one directory, and the centre
ends with the `with` block.

    krb5.conf       for KRB5_CONFIG, of both sides
    server.keytab   the server's key, as pop/localhost
    ticket          for KRB5CCNAME, the user's
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import Callable, Iterator

from processes import ending_with_parent, kill_process_group, signals_held

REALM = "POP3.TEST"

# Nothing is looked up in the network, and no file of the machine's is read or written.
CLIENT_CONFIG = """\
[libdefaults]
default_realm = {realm}
dns_lookup_kdc = false
dns_lookup_realm = false
dns_canonicalize_hostname = false
rdns = false
default_rcache_name = none:
[realms]
{realm} = {{
  kdc = 127.0.0.1:{port}
}}
[domain_realm]
localhost = {realm}
"""

CENTRE_CONFIG = """\
[kdcdefaults]
kdc_listen = 127.0.0.1:{port}
kdc_tcp_listen = 127.0.0.1:{port}
[realms]
{realm} = {{
  database_name = {directory}/principal
  key_stash_file = {directory}/stash
  acl_file = {directory}/acl
  max_life = 1h
}}
[logging]
kdc = FILE:{directory}/kdc.log
"""

FindProgram = Callable[[str], str]


def environment(directory: Path) -> dict[str, str]:
    """What the programs of either side need in their environment."""
    return {
        "KRB5_CONFIG": str(directory / "krb5.conf"),
        "KRB5CCNAME": f"FILE:{directory / 'ticket'}",
    }


@contextlib.contextmanager
def running_realm(directory: Path, user: str, find_program: FindProgram) -> Iterator[None]:
    """Make the realm in a new directory, and run its centre meanwhile."""
    directory.mkdir()
    environ = {
        **os.environ,
        **environment(directory),
        "KRB5_KDC_PROFILE": str(directory / "kdc.conf"),
    }

    def run(name: str, *arguments: str, commands: str = "") -> None:
        command = [find_program(name), *arguments]
        done = subprocess.run(command, input=commands, capture_output=True, text=True, env=environ)
        if done.returncode != 0:
            raise RuntimeError(f"{name} failed:\n{done.stdout}{done.stderr}")

    _write_configuration(directory, _free_port())
    run("kdb5_util", "create", "-s", "-r", REALM, "-P", "a master key for tests")
    run(
        "kadmin.local",
        *("-r", REALM),
        commands=f"add_principal -randkey pop/localhost\nadd_principal -randkey {user}\n"
        f"ktadd -k {directory}/server.keytab pop/localhost\nktadd -k {directory}/user.keytab {user}\n",
    )
    command = [find_program("krb5kdc"), "-n", "-r", REALM, "-P", str(directory / "kdc.pid")]
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            with signals_held():
                centre = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    env=environ,
                    start_new_session=True,
                    preexec_fn=ending_with_parent(),
                )
                stack.callback(_end, centre)
            if _listens(directory / "kdc.log", centre):
                break
            _write_configuration(directory, _free_port())  # somebody else was faster
        run("kinit", "-k", "-t", str(directory / "user.keytab"), user)
        yield


def _end(centre: subprocess.Popen) -> None:
    with signals_held():
        kill_process_group(centre)


def _write_configuration(directory: Path, port: int) -> None:
    facts = {"realm": REALM, "port": port, "directory": directory}
    (directory / "krb5.conf").write_text(CLIENT_CONFIG.format(**facts))
    (directory / "kdc.conf").write_text(CENTRE_CONFIG.format(**facts))


def _free_port() -> int:
    """A port that is free for TCP and for UDP at the moment."""
    for _ in range(100):
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port = int(tcp.getsockname()[1])
            with contextlib.suppress(OSError):
                udp.bind(("127.0.0.1", port))
                return port
    raise RuntimeError("no free port for Kerberos")


def _listens(log: Path, centre: subprocess.Popen) -> bool:
    """Wait until the centre says that it listens.  False when its port is taken."""
    deadline = time.monotonic() + 20
    text = ""
    while time.monotonic() < deadline:
        ended = os.waitid(os.P_PID, centre.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        text = log.read_text(errors="replace") if log.exists() else ""
        if ended is None and "commencing operation" in text:
            return True
        if ended is not None:
            log.unlink(missing_ok=True)
            if "Address already in use" in text:
                return False
            break
        time.sleep(0.005)
    raise RuntimeError(f"the key distribution centre did not start. Its log:\n{text}")
