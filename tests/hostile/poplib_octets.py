#!/usr/bin/env python3
"""The habits of real servers (check_dialects.py), played to Python's poplib and to cpoplib: the same octets.

What poplib retrieves, cpoplib retrieves alike; where poplib raises, cpoplib may do better. TAP; POP3_TESTSERVER and
POP3_MAKE_CERTS as in catalogue.py.
"""

from __future__ import annotations

import contextlib
import os
import poplib
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType

sys.dont_write_bytecode = True

import cpoplib  # noqa: E402
from catalogue import SCRIPTS, Behaviour, read_header, server_command  # noqa: E402
from check_dialects import ROWS  # noqa: E402

def retrieved(module: ModuleType, port: int) -> dict[int, bytes]:
    """Each message that came."""
    came: dict[int, bytes] = {}
    failures = (OSError, EOFError, ValueError, module.error_proto)
    with contextlib.suppress(*failures):
        pop = module.POP3("127.0.0.1", port, timeout=20)
        with contextlib.closing(pop):
            pop.user("joe")
            pop.pass_("secret")
            for number in (1, 2, 3):
                try:
                    came[number] = b"\r\n".join(bytes(line) for line in pop.retr(number)[1])
                except module.error_proto as refused:
                    if not str(refused.args[0]).lstrip("b'").startswith("-ERR"):
                        raise
    return came


def compare(b: Behaviour, folder: Path) -> tuple[int, list[str]]:
    """How many messages poplib retrieved, and what is wrong with those of cpoplib."""
    command = server_command(b, folder / "certificates", folder / "log")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            port = int(re.match(r"ready port=(\d+)", server.stdout.readline())[1])
            theirs, ours = retrieved(poplib, port), retrieved(cpoplib, port)
        finally:
            server.terminate()
    wrong = [f"message {n}: cpoplib has other octets" for n in theirs if n in ours and theirs[n] != ours[n]]
    lacking = [n for n in theirs if n not in ours]
    if lacking:
        wrong.append(f"cpoplib raises where poplib has messages {lacking}")
    return len(theirs), wrong


def main() -> int:
    poplib._MAXLINE = cpoplib._MAXLINE = 1 << 27
    names = [n for row in ROWS if "cpoplib" not in row.excused for n in row.scripts.split()]
    failed = messages = 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        subprocess.run([os.environ["POP3_MAKE_CERTS"], str(folder / "certificates")], check=True)
        names = [n for n in names if "plain" in read_header(SCRIPTS / f"{n}.pop3", "cpoplib").get("over", "plain")]
        print(f"1..{len(names)}")
        for i, name in enumerate(names, 1):
            path = SCRIPTS / f"{name}.pop3"
            count, wrong = compare(Behaviour(name, path, read_header(path, "cpoplib"), "cpoplib", "plain"), folder)
            messages += count
            failed += bool(wrong)
            print(f"{'not ok' if wrong else 'ok'} {i} - {name}", *(f"# {line}" for line in wrong), sep="\n", flush=True)
    print(f"# {messages} messages")
    return 1 if failed or messages < len(names) else 0


if __name__ == "__main__":
    sys.exit(main())
