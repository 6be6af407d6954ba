#!/usr/bin/env python3
"""Delivers three messages to a real Gmail mailbox, is killed before that is recorded, delivers them again, and asks
Google whether each is there once:

    make check-gmail GMAIL=me@gmail.com TOKEN_FILE=FILE

FILE has an access token for that mailbox, such as `pop3 token --target ACCOUNT` prints, with the three permissions that
docs/guide/leaving-gmail.md names. The messages stay in the mailbox, under the label "pop3 check": delete them there.
"""

from __future__ import annotations

import argparse
import json
import signal
import ssl
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "sync"))
from world import CRASH_COMMAND, DEADLINE, World  # noqa: E402

LABEL = "pop3 check"


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("user", help="the main address of the mailbox")
    parser.add_argument("token_file", type=Path)
    parser.add_argument("--url", default="https://gmail.googleapis.com", help="another server, for the test of this one")
    parser.add_argument("--ca-file", help="the authority of its certificate")
    return parser.parse_args(arguments)


def sync(world: World, port: int, options: argparse.Namespace, point: str = "", status: int = 0) -> None:
    trust = ["--issuer-ca-file", options.ca_file] if options.ca_file else []
    done = subprocess.run(
        [CRASH_COMMAND, "sync", f"pop3://user@127.0.0.1:{port}", "--allow-plaintext", "--password-file", world.password_file,
         "--state", world.state, "--gmail", options.user, "--gmail-url", options.url, "--labels", LABEL, *trust,
         "--gmail-token-command", f"cat '{options.token_file.resolve()}'"],
        env=world.environment(**({"POP3_TEST_CRASH_AT": point} if point else {})), capture_output=True, text=True, timeout=10 * DEADLINE)  # fmt: skip
    if done.returncode != status:
        raise SystemExit(f"pop3 sync ended with {done.returncode}, not {status}:\n{done.stdout}{done.stderr}")


def times_there(options: argparse.Namespace, message_id: str) -> int:
    """How many messages Google finds by a Message-ID."""
    query = urllib.parse.urlencode({"q": f"rfc822msgid:{message_id}", "includeSpamTrash": "true"})
    request = urllib.request.Request(
        f"{options.url}/gmail/v1/users/{urllib.parse.quote(options.user)}/messages?{query}",
        headers={"Authorization": f"Bearer {options.token_file.read_text().strip()}"})  # fmt: skip
    trust = ssl.create_default_context(cafile=options.ca_file)
    with urllib.request.urlopen(request, timeout=DEADLINE, context=trust) as answer:
        return len(json.load(answer).get("messages", []))


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    ids = [f"{uuid.uuid4()}@check.pop3.invalid" for _ in range(3)]
    with tempfile.TemporaryDirectory() as scratch:
        world = World(Path(scratch))
        for i, message_id in enumerate(ids):
            world.put(str(i), f"From: {options.user}\nTo: {options.user}\nSubject: pop3 check {i + 1} of {len(ids)}\n"
                      f"Message-ID: <{message_id}>\nDate: Mon, 30 Nov 2026 12:00:0{i} +0000\n\nYou can delete this message.\n")  # fmt: skip
        with world.server() as server:
            sync(world, server.port, options, point="gmail-answered:3", status=-signal.SIGKILL)
            sync(world, server.port, options)
            sync(world, server.port, options)
    found = [times_there(options, message_id) for message_id in ids]
    print(f"{len(ids)} messages under the label \"{LABEL}\", found as often as this: {', '.join(map(str, found))}")
    return 0 if found == [1] * len(ids) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
