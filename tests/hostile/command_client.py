#!/usr/bin/env python3
"""`pop3 sync` as a client of the catalogue: brings the mail of one server into a Maildir of its own, and
reports what is there afterwards. POP3_COMMAND names the program.

    command_client.py plain|tls|stls PORT CA-FILE [OPTION=VALUE]...
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True

from many import serve  # noqa: E402

SECURITY = {"plain": ["--tls", "none", "--allow-plaintext"], "tls": [], "stls": []}
SCHEME = {"plain": "pop3", "tls": "pop3s", "stls": "pop3"}
KNOWN = {"timeout": "--timeout", "connect-timeout": "--connect-timeout", "session-timeout": "--session-timeout"}


def digest_of(octets: bytes) -> str:
    """As the clients report it: the first eight octets of SHA-256."""
    return hashlib.sha256(octets).hexdigest()[:16]


def command(how: str, port: str, ca_file: str, options: list[str], folder: Path) -> list[str]:
    secret = folder / "password"
    secret.touch(mode=0o600)
    secret.write_text("secret\n")
    limits = ["--timeout", "20s", "--connect-timeout", "20s"]
    for option in options:
        name, _, value = option.partition("=")
        if name in KNOWN:
            limits += [KNOWN[name], f"{value}ms"]
        elif name == "message-octets":
            limits += ["--message-limit", value]
    method = [] if "login=1" in options else ["--auth", "USER"]
    return [
        os.environ["POP3_COMMAND"], "sync", f"{SCHEME[how]}://joe@localhost:{port}/", *SECURITY[how],
        "--ca-file", ca_file, *method, "--password-file", str(secret),
        "--maildir", str(folder / "Maildir"), "--state", str(folder / "state.db"), "--line-ends", "crlf",
        "--local-address", "127.0.0.1", "--delete", "--retries", "0", "--json", *limits,
    ]  # fmt: skip


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {**os.environ, "HOME": name}
        done = subprocess.run(
            command(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:], folder),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, check=False,
        )  # fmt: skip
        if done.returncode < 0 or done.returncode in (64, 70, 78):
            sys.stderr.buffer.write(done.stdout + done.stderr)
            return 1
        events = [json.loads(line) for line in done.stdout.splitlines()]
        over = [event for event in events if event["event"] == "over"]
        print(f"session {done.returncode}")
        print(f"memory {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}")
        for path in sorted((folder / "Maildir" / "new").glob("*")):
            print(f"delivered ? {digest_of(path.read_bytes())}")
        for path in (folder / "Maildir" / "tmp").glob("*"):
            print(f"broken: {path.name} was left in tmp")
        print("deleted ?\n" * (over[0]["deleted"] if over else 0), end="")
        for event in over:
            print(f"says {event.get('error', '')!r}")
    return 0


if __name__ == "__main__":
    sys.exit(serve(main))
