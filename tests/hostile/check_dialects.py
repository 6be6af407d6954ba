#!/usr/bin/env python3
"""Every habit of a real server that broke a client has a script of the catalogue, or says why it has none.

A row is what the server does, the scripts that play it, and for the clients that a script is not played to, why. The
clients are those of the catalogue: library, command and cpoplib. Checked is that the scripts are there, that the
catalogue plays each to all clients but those that the row excuses, and that nothing is excused that is played.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

sys.dont_write_bytecode = True

from catalogue import SCRIPTS, read_header  # noqa: E402

CLIENTS = ("library", "command", "cpoplib")
PICKS_NO_METHOD = "like poplib, it logs in as its caller says: it picks no method"


class Row(NamedTuple):
    what: str
    scripts: str
    excused: dict[str, str] = {}  # a client, and why it is not played to it
    elsewhere: str = ""  # without scripts: the test that has it, and why


ONLY_PICKS = {"cpoplib": PICKS_NO_METHOD}
ROWS = [
    Row("a response after AUTH is ignored, and asked for", "auth-initial-response-ignored", ONLY_PICKS),
    Row("a response after AUTH is refused", "auth-initial-response-refused", ONLY_PICKS),
    Row("words where a challenge is empty, or prompts in words", "auth-text-behind-the-plus auth-prompts-in-the-clear", ONLY_PICKS),
    Row("+OK where + belongs", "auth-ok-in-place-of-plus auth-ok-is-no-login", ONLY_PICKS),
    Row("a method is announced that the user has not", "auth-first-method-refused auth-refused-never-weaker", ONLY_PICKS),
    Row("[AUTH] says that the credentials are wrong", "auth-refused-with-auth", ONLY_PICKS),
    Row("CAPA closes the connection", "capa-closed", ONLY_PICKS),
    Row("CAPA is refused", "capa-refused"),
    Row("CAPA is refused and closed, or has no list", "capa-refused-and-closed capa-without-a-list", ONLY_PICKS),
    Row("CAPA names no way to log in", "capa-of-no-method"),
    Row("bindings other than tls-unique are refused", "", elsewhere="auth-binding: the script server has no SCRAM"),
    Row("a timestamp, and no APOP secret", "apop-without-a-secret"),
    Row("a timestamp, and a hang-up at APOP", "apop-closed", ONLY_PICKS),
    Row("a maildrop that is locked, too many connections, in words",
        "pass-refused-in-the-words-of-the-rfc pass-refused-in-tcllibs-words pass-refused-for-too-many-connections"),
    Row("STLS or QUIT is refused", "stls-refused quit-refused"),
    Row("STAT is refused, negative or in words", "stat-refused stat-negative stat-of-words stat-of-one-number"),
    Row("sizes in LIST are negative, missing, zero or wrong",
        "list-size-negative list-size-missing list-sizes-zero list-sizes-wrong"),
    Row("unique-ids are missing, or the listing has an empty line", "uidl-without-ids list-of-an-empty-line"),
    Row("UIDL is refused", "uidl-refused"),
    Row("unique-ids occur twice", "uidl-of-duplicates"),
    Row("PIPELINING is announced, and commands are thrown away", "pipelining-discarded"),
    Row("PIPELINING is announced, and replies are mixed", "retr-of-mixed-replies"),
    Row("the server hangs up within a message", "retr-cut-off retr-closed-in-mid-window"),
    Row("a dot is not stuffed, or ends a message early", "retr-with-an-unstuffed-dot retr-with-an-early-end"),
    Row("a body looks like replies", "retr-that-looks-like-replies retr-of-a-smuggled-reply"),
    Row("lines of a body are very long", "retr-of-a-64-MB-line"),
    Row("a message is refused (a quota)", "retr-refused-in-mid-window retr-all-refused"),
    Row("QUIT closes the connection without a reply", "quit-closed quit-closed-with-nothing-deleted"),
    Row("replies in small letters, without text, with tabs", "greeting-in-small-letters greeting-of-a-plus list-with-tabs"),
    Row("replies are injected before TLS begins", "stls-injected stls-injected-before stls-injected-half-a-line"),
    Row("sessions end after some commands, or when commands come together", "",
        elsewhere="command-habits: it takes several sessions, and a state"),
    Row("unique-ids are used again, or renumbered", "", elsewhere="command-once: it takes several sessions, and a state"),
    Row("replies in two pieces with Nagle's algorithm", "", elsewhere="tests/bench/test_costs.c and tests/python/test_acknowledge.py: counted, not timed"),
]  # fmt: skip


def wrong_with(row: Row) -> list[str]:
    wrong = [] if bool(row.scripts) != bool(row.elsewhere) else ["it has either scripts or a reason for none"]
    for name in row.scripts.split():
        path = SCRIPTS / f"{name}.pop3"
        if not path.exists():
            wrong.append(f"{name}: there is no such script")
            continue
        for client in CLIENTS:
            played = read_header(path, client)["session"] != "-"
            if played == (client in row.excused):
                wrong.append(f"{name}: {client}: " + ("played, and excused" if played else "not played, and no reason"))
    return wrong


def main() -> int:
    failed = 0
    print(f"1..{len(ROWS)}")
    for number, row in enumerate(ROWS, 1):
        wrong = wrong_with(row)
        failed += bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {number} - {row.what}")
        for line in wrong:
            print(f"# {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
