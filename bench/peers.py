"""Who is measured: each function gives a Trial, or None where the program is not there.

Peers run with the settings that are the best we know for them: pipelining where they have it, no
header lines added, mail kept on the server, no output. What differs is said in the trial's name.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Optional

from harness import Bench, Place, Trial

PEERS = Path(__file__).resolve().parent / "peers"
PYTHON = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable


def present(*trials: Optional[Trial]) -> list[Trial]:
    return [t for t in trials if t is not None]


def with_port(name: str, kind: str, *command: str, tls: bool = False, short: bool = True) -> Trial:
    """A command that has PORT among its arguments."""

    def fill(place: Place) -> list[str]:
        port = str(place.tls_port if tls else place.port)
        return [port if word == "PORT" else word.replace("MAILDIR", str(place.maildir)) for word in command]

    return Trial(name, fill, kind, short=short)


def tool(b: Bench, program: str, name: str, kind: str, *arguments: str, **more: bool) -> Optional[Trial]:
    """One of the programs that are built here, if it was."""
    path = Path(b.tool(program))
    return with_port(name, kind, str(path), *arguments, **more) if path.exists() else None


def floor(b: Bench, messages: int, tls: bool = False) -> Optional[Trial]:
    options = ["--tls"] if tls else []
    return tool(b, "bench-floor", "floor", "floor", *options, "PORT", str(messages), tls=tls)


def sequential_floor(b: Bench, messages: int, *options: str, tls: bool = False) -> Optional[Trial]:
    """A C program that sends a command, and reads until the end of the reply without looking at it."""
    words = ["floor, one command at a time", *(o.lstrip("-") for o in options), *(["TLS"] if tls else [])]
    options = ("--sequential", *options, *(["--tls"] if tls else []))
    return tool(b, "bench-floor", ", ".join(words), "floor", *options, "PORT", str(messages), tls=tls)


def delivery_floor(b: Bench, messages: int, batch: int, tls: bool = False) -> Optional[Trial]:
    options = ["--tls"] if tls else []
    trial = tool(
        *[b, "bench-floor", "floor, delivering", "floor", *options, "--deliver", "MAILDIR"],
        *["--batch", str(batch), "PORT", str(messages)],
        tls=tls,
    )
    if trial:
        trial.files = messages
    return trial


def library(b: Bench, *options: str, tls: bool = False, name: str = "libpop3") -> Optional[Trial]:
    return tool(b, "retr_all", name, "ours", *options, *(["--tls"] if tls else []), "PORT", tls=tls)


def cpoplib_path(b: Bench) -> Optional[Path]:
    path = b.build / "python"
    return path if any(path.glob("cpoplib/__init__*.so")) else None


def cpoplib(b: Bench, *options: str, name: str = "cpoplib", tls: bool = False) -> Optional[Trial]:
    path = cpoplib_path(b)
    if path is None:
        return None
    script = [str(PEERS / "poplib_all.py"), "--module-path", str(path), *(["--tls"] if tls else [])]
    return with_port(name, "ours", PYTHON, *script, *options, "PORT", tls=tls)


def poplib(*options: str, name: str = "poplib", tls: bool = False, short: bool = True) -> Trial:
    script = [str(PEERS / "poplib_all.py"), *(["--tls"] if tls else [])]
    return with_port(name, "peer", PYTHON, *script, *options, "PORT", tls=tls, short=short)


def python_sockets(messages: int) -> Trial:
    return with_port("Python's sockets", "floor", PYTHON, str(PEERS / "socket_all.py"), "PORT", str(messages))


def python_split() -> Trial:
    return with_port("Python's sockets and split()", "floor", PYTHON, str(PEERS / "socket_all.py"), "PORT", "lists")


def net_pop3(*options: str, short: bool = True) -> Optional[Trial]:
    perl = shutil.which("perl")
    if perl is None:
        return None
    return with_port("Net::POP3", "peer", perl, str(PEERS / "net_pop3_all.pl"), *options, "PORT", short=short)


def libetpan(b: Bench, *options: str) -> Optional[Trial]:
    return tool(b, "peer-etpan", "libetpan", "peer", *options, "PORT")


def libcurl(b: Bench, messages: int, short: bool = True) -> Optional[Trial]:
    return tool(b, "peer-curl", "libcurl", "peer", "PORT", str(messages), short=short)


def libraries(b: Bench, messages: int, slow_in_short: bool = True) -> list[Trial]:
    """All that retrieve and discard, in the clear."""
    return present(
        floor(b, messages),
        library(b),
        sequential_floor(b, messages),
        library(b, "--sequential", name="libpop3, one command at a time"),
        cpoplib(b),
        libetpan(b),
        libcurl(b, messages),
        poplib(),
        net_pop3(short=slow_in_short),
    )


# --- Programs that deliver into a Maildir


def command_path(b: Bench) -> Optional[Path]:
    for path in (b.build / "src" / "cli" / "pop3", b.build / "pop3"):
        if path.exists():
            return path
    return None


def pop3_sync(b: Bench, files: int, tls: bool = False) -> Optional[Trial]:
    path = command_path(b)

    def command(place: Place) -> list[str]:
        password = place.write("password", "pass\n")
        where = f"pop3s://user@localhost:{place.tls_port}" if tls else f"pop3://user@127.0.0.1:{place.port}"
        safety = ["--ca-file", str(b.cert)] if tls else ["--allow-plaintext"]
        return [
            *[str(path), "sync", where, "--maildir", str(place.maildir), "--state", str(place.home / "state.db")],
            *["--password-file", str(password), "--quiet", *safety],
        ]

    return Trial("pop3 sync", command, "ours", files) if path else None


def pop3_to(b: Bench, name: str, *target: str) -> Optional[Trial]:
    """`pop3 sync` to another target than a Maildir; FILE stands for a file with the target's password."""
    path = command_path(b)

    def command(place: Place) -> list[str]:
        own, other = place.write("password", "pass\n"), place.write("target-password", "pass\n")
        return [
            *[str(path), "sync", f"pop3://user@127.0.0.1:{place.port}", "--state", str(place.home / "state.db")],
            *["--password-file", str(own), "--allow-plaintext", "--quiet"],
            *[word.replace("FILE", str(other)) for word in target],
        ]

    return Trial(name, command, "ours") if path else None


def mpop(b: Bench, files: int, tls: bool = False) -> Optional[Trial]:
    program = shutil.which("mpop")

    def command(place: Place) -> list[str]:
        lines = [
            *["defaults", "auth user", "keep on", "pipelining on", "received_header off"],
            *(["tls on", "tls_starttls off", f"tls_trust_file {b.cert}"] if tls else ["tls off"]),
            *[f"uidls_file {place.home}/uidls", "account default"],
            *[f"host {'localhost' if tls else '127.0.0.1'}", f"port {place.tls_port if tls else place.port}"],
            *["user user", "password pass", f"delivery maildir {place.maildir}"],
        ]
        return [program, "-C", str(place.write("mpoprc", "\n".join(lines) + "\n")), "-q"]

    return Trial("mpop", command, files=files) if program else None


def getmail(b: Bench, files: int, tls: bool = False, short: bool = False) -> Optional[Trial]:
    program = shutil.which("getmail")

    def command(place: Place) -> list[str]:
        kind, host, port = ("SSL", "localhost", place.tls_port) if tls else ("", "127.0.0.1", place.port)
        place.write(
            "getmailrc",
            f"[retriever]\ntype = SimplePOP3{kind}Retriever\nserver = {host}\nport = {port}\n"
            "username = user\npassword = pass\n"
            "timeout = 20\n"  # seconds it waits for its own process that delivers, whose end it may miss
            f"[destination]\ntype = Maildir\npath = {place.maildir}/\n"
            "[options]\nread_all = false\ndelete = false\nverbose = 0\ndelivered_to = false\nreceived = false\n",
        )
        return [program, "--getmaildir", str(place.home)]

    return Trial("getmail6", command, files=files, short=short) if program else None


def fdm(b: Bench, files: int, short: bool = False) -> Optional[Trial]:
    program = shutil.which("fdm")

    def command(place: Place) -> list[str]:
        config = place.write(
            "fdm.conf",
            f'set maximum-size 512M\naction "box" maildir "{place.maildir}"\nmatch all action "box"\n'
            f'account "a" pop3 server "127.0.0.1" port {place.port} user "user" pass "pass" keep '
            f'cache "{place.home}/cache"\n',
        )
        return [program, "-f", str(config), "-l", "fetch"]

    return Trial("fdm", command, files=files, short=short) if program else None


def fetchmail(b: Bench, short: bool = False) -> Optional[Trial]:
    """It delivers to a program: here, to one that throws the message away."""
    program = shutil.which("fetchmail")

    def command(place: Place) -> list[str]:
        config = place.write(
            "fetchmailrc",
            f"poll 127.0.0.1 service {place.port} protocol pop3 uidl timeout 600\n"
            ' user "user" password "pass" keep fetchall sslproto "" mda "/bin/cat >/dev/null"\n',
        )
        return [
            *[program, "-f", str(config), "-i", str(place.home / "ids")],
            *["--pidfile", str(place.home / "pid"), "-s"],
        ]

    return Trial("fetchmail, to cat >/dev/null", command, short=short) if program else None


def retrievers(b: Bench, messages: int, batch: int, fetchmail_too: bool = True) -> list[Trial]:
    """All that deliver, in the clear."""
    return present(
        delivery_floor(b, messages, batch),
        pop3_sync(b, messages),
        mpop(b, messages),
        fdm(b, messages),
        getmail(b, messages),
        fetchmail(b) if fetchmail_too else None,
    )


# --- Many accounts


def pop3_sync_accounts(
    b: Bench, accounts: int, files: Optional[int], jobs: int, tls: bool = False
) -> Optional[Trial]:
    path = command_path(b)

    def command(place: Place) -> list[str]:
        lines = ["tls = none", "host = 127.0.0.1", f"port = {place.port}", "allow-plaintext = yes"]
        if tls:
            lines = ["host = localhost", f"port = {place.tls_port}", f"ca-file = {b.cert}"]
        lines += ["password = pass", f"maildir = {place.maildir}"]
        for number in range(1, accounts + 1):
            lines += [f"[account{number}]", f"user = user{number}"]
        config = place.write("config", "\n".join(lines) + "\n")
        return [
            *[str(path), "sync", "--config", str(config), "--state", str(place.home / "state.db")],
            *["--jobs", str(jobs), "--per-host", str(jobs), "--quiet"],
        ]

    return Trial(f"pop3 sync, {jobs} at once", command, "ours", files) if path else None


def by_xargs(name: str, kind: str, jobs: int, accounts: int, command: list[str], short: bool = True) -> Trial:
    """A process for each account, `jobs` at a time; N in the command is the account's number."""

    def fill(place: Place) -> list[str]:
        words = " ".join(word.replace("PORT", str(place.port)) for word in command)
        return ["sh", "-c", f"seq {accounts} | xargs -P {jobs} -I N {words}"]

    return Trial(f"{name}, {jobs} processes", fill, kind, short=short)


def mpop_accounts(b: Bench, accounts: int, files: int, jobs: int) -> Optional[Trial]:
    program = shutil.which("mpop")

    def command(place: Place) -> list[str]:
        lines = []
        for number in range(1, accounts + 1):
            lines += [f"account a{number}", "host 127.0.0.1", f"port {place.port}", "auth user", "tls off"]
            lines += [f"user user{number}", "password pass", "keep on", "pipelining on", "received_header off"]
            lines += [f"uidls_file {place.home}/uidls-{number}", f"delivery maildir {place.maildir}"]
        config = place.write("mpoprc", "\n".join(lines) + "\n")
        return ["sh", "-c", f"seq {accounts} | xargs -P {jobs} -I N {program} -C {config} -q aN"]

    return Trial(f"mpop, {jobs} processes", command, files=files) if program else None
