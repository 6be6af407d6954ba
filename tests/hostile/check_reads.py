#!/usr/bin/env python3
"""The habits of real servers (check_dialects.py), played to the subcommands that read: `list`, `cat`, `uidl` and `top`.

Where `pop3 sync` brings the mail of such a server, `list` and `uidl` have a row for each message, `cat` prints each
message octet for octet, and `top` a header; where it does not, none of them ends with 0 after showing something else. TAP; POP3_TESTSERVER, POP3_MAKE_CERTS and POP3_COMMAND as in catalogue.py.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.dont_write_bytecode = True

from catalogue import HASHES, MAIL, SCRIPTS, Behaviour, digest_of, read_header, server_command  # noqa: E402
from check_dialects import ROWS  # noqa: E402
from command_client import KNOWN, SCHEME, SECURITY  # noqa: E402

HEADERS = {n: (MAIL / f"{n}.eml").read_bytes().replace(b"\r\n", b"\n").split(b"\n\n")[0] for n in (1, 2, 3)}

# What a reader does not do although `sync` brings the mail, and why.
EXCUSED = {
    ("list-size-negative", "list"): "it has a row for each message of LIST, which has one",
    ("list-of-an-empty-line", "list"): "it has a row for each message of LIST, which has two",
    ("quit-closed-with-nothing-deleted", "list"): "the mailbox is empty",
    ("uidl-refused", "uidl"): "there are no unique-ids to show",
    ("uidl-of-noise", "uidl"): "there are no unique-ids to show",
    ("uidl-with-a-remark-for-a-message", "uidl"): "it has a row for each unique-id of UIDL, which has two",
}


class Result:
    def __init__(self, status: int, out: bytes, errors: bytes) -> None:
        self.status, self.out, self.errors = status, out.replace(b"\r\n", b"\n"), errors


def run(b: Behaviour, folder: Path, port: str, name: str, *words: str) -> Result:
    secret = folder / "password"
    limits = ["--timeout", "20s", "--connect-timeout", "20s"]
    for option in b.says("options").split():
        key, _, value = option.partition("=")
        if key in KNOWN:
            limits += [KNOWN[key], f"{value}ms"]
    method = [] if "login=1" in b.says("options") else ["--auth", "USER"]
    how = "tls" if b.over == "tls-raw" else b.over
    done = subprocess.run(
        [os.environ["POP3_COMMAND"], name, f"{SCHEME[how]}://joe@localhost:{port}/", *words, *SECURITY[how], *method, *limits,
         "--ca-file", str(folder / "certificates" / "ca.pem"), "--password-file", str(secret), "--local-address", "127.0.0.1"],
        stdin=subprocess.DEVNULL, capture_output=True, env={"PATH": os.environ["PATH"], "HOME": str(folder)}, timeout=120)  # fmt: skip
    return Result(done.returncode, done.stdout, done.stderr)


def expected(b: Behaviour) -> dict[int, str]:
    """The hash of each message that comes."""
    words = [word.partition("=") for word in b.says("delivered").split()]
    return {int(number): digest or HASHES[number] for number, _, digest in words if number.isdigit()}


def judge(b: Behaviour, name: str, number: int, r: Result) -> str:
    """What is wrong with what one subcommand showed; "" when nothing is."""
    comes = expected(b)
    works = b.says("session") == "ok" and set(comes) == {1, 2, 3}
    if r.status < 0 or (r.status == 0) + r.errors.startswith((b"pop3: ", b"BAD ")) == 0:
        return f"it ended with {r.status}, and does not say why"
    if r.status != 0:
        return f"it ended with {r.status}: {r.errors.decode(errors='replace').strip()}" if works else ""
    if name == "cat" and b.says("delivered") != "*" and digest_of(r.out.replace(b"\n", b"\r\n")) != comes.get(number):
        return f"it printed other octets of message {number}, and ended with 0"
    if name == "top" and works and not r.out.startswith(HEADERS[number]):
        return "it printed another header, and ended with 0"
    rows = [int(m) for m in re.findall(rb"^ *(\d+) ", r.out, re.MULTILINE)]
    if name in ("list", "uidl") and rows != [1, 2, 3]:
        return f"it has rows {rows}, and ended with 0"
    return ""


def play(b: Behaviour, folder: Path) -> list[str]:
    """Each subcommand has a server of its own: scripts count their connections."""
    wrong = []
    for name, number in (("list", 0), ("uidl", 0), ("cat", 1), ("cat", 2), ("cat", 3), ("top", 1)):
        log = folder / f"{b.name}-{name}.log"
        with subprocess.Popen(server_command(b, folder / "certificates", log), stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True) as server:  # fmt: skip
            try:
                match = re.match(r"ready port=(\d+) tls-port=(\d+)", server.stdout.readline())
                port = match[2] if b.over == "tls" else match[1]
                said = judge(b, name, number, run(b, folder, port, name, *([str(number)] if number else [])))
            finally:
                server.terminate()
        if bool(said) != ((b.name, name) in EXCUSED):
            wrong.append(f"{name}: {said or 'it is excused, and does well'}")
    return wrong


def main() -> int:
    failed = 0
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(4) as pool:
        folder = Path(scratch)
        subprocess.run([os.environ["POP3_MAKE_CERTS"], str(folder / "certificates")], check=True)
        (folder / "password").touch(mode=0o600)
        (folder / "password").write_text("secret\n")
        found = []
        for name in dict.fromkeys(n for row in ROWS for n in row.scripts.split() if only in n):
            header = read_header(SCRIPTS / f"{name}.pop3", "command")
            over = header.get("over", "plain tls").split()[0]
            found.append(Behaviour(name, SCRIPTS / f"{name}.pop3", header, "command", over))
        print(f"1..{len(found)}", flush=True)
        for i, (b, wrong) in enumerate(zip(found, pool.map(lambda b: play(b, folder), found)), 1):
            failed += bool(wrong)
            print(f"{'not ok' if wrong else 'ok'} {i} - {b.name}", *(f"# {line}" for line in wrong), sep="\n", flush=True)
    return 1 if failed or not found else 0


if __name__ == "__main__":
    sys.exit(main())
