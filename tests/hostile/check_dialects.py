#!/usr/bin/env python3
"""Every habit of a real server that broke a client has a script of the catalogue, or tests of its own, which it names.

A row is what the server does, where that was seen, the scripts that play it, and for the clients that a script is not
played to, why; or, where it takes several sessions or something else that a script has not, the tests that play it.
The clients are those of the catalogue: library, command and cpoplib. Checked is that the scripts and the tests are
there, that the catalogue plays each script to all clients but those that the row excuses, and that nothing is excused
that is played. check_reads.py plays the scripts to `list`, `uidl`, `cat` and `top`, poplib_octets.py to poplib.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

sys.dont_write_bytecode = True

from catalogue import SCRIPTS, read_header  # noqa: E402

TESTS = Path(__file__).resolve().parent.parent
CLIENTS = ("library", "command", "cpoplib")
PICKS_NO_METHOD = "like poplib, it logs in as its caller says: it picks no method"


class Row(NamedTuple):
    what: str
    seen: str  # the server and its version, or who reported it
    scripts: str = ""
    excused: dict[str, str] = {}  # a client, and why the scripts are not played to it
    tests: str = ""  # FILE::NAME below tests/


ONLY_PICKS = {"cpoplib": PICKS_NO_METHOD}
HABITS = "sync/test_habits.py::test_"
ONCE = "sync/test_uid_reuse.py::test_"
MANY = "several reports"
ROWS = [
    # Logging in
    Row("an empty challenge although a response came with AUTH", "MailKit#268, Indy#192", "auth-initial-response-ignored", ONLY_PICKS),
    Row("-ERR to a response that comes with AUTH", "Exchange Online (Microsoft's documentation, znuny#259)", "auth-initial-response-refused",
        ONLY_PICKS, "sync/test_login.py::test_a_refused_initial_response_is_remembered_and_can_be_forbidden"),
    Row("-ERR to a response that comes with AUTH, and a hang-up", "Exchange Online (getmail6#256)",
        "auth-initial-response-refused-and-closed", ONLY_PICKS),
    Row("words behind the + of an empty challenge", MANY, "auth-text-behind-the-plus auth-prompts-in-the-clear", ONLY_PICKS),
    Row("+OK where + belongs", "Exchange 2003", "auth-ok-in-place-of-plus auth-ok-is-no-login", ONLY_PICKS),
    Row("a mechanism is announced that this user cannot use", "Dovecot with passwords in another scheme",
        "auth-first-method-refused auth-refused-never-weaker", ONLY_PICKS),
    Row("[AUTH] says that the credentials are wrong", "RFC 3206", "auth-refused-with-auth", ONLY_PICKS),
    Row("XOAUTH2 fails with a challenge in JSON that wants an empty line", "Gmail, Exchange Online (their documentation)", tests=
        "auth/test_dialects.c::what_a_report_said_is_told_when_the_server_closes_behind_it sync/test_login.py::test_a_refused_token_asks_for_another_token"),
    Row("CAPA closes the connection", "old proxies", "capa-closed", ONLY_PICKS),
    Row("CAPA is refused", "popa3d 1.0.3, solid-pop3d 0.15", "capa-refused"),
    Row("CAPA is refused and closed, or is +OK without a list", "old proxies", "capa-refused-and-closed capa-without-a-list", ONLY_PICKS),
    Row("CAPA after the login closes the connection", "old proxies", tests=
        "sync/test_login.py::test_a_server_that_closes_on_capa_after_the_login_is_asked_before_alone "
        "auth/test_dialects.c::a_server_that_closes_on_capa_after_the_login_is_asked_before_alone"),
    Row("CAPA names no way to log in", MANY, "capa-of-no-method"),
    Row("more is announced after the login than before", "jakartaee/mail-api#50", "capa-of-more-after-the-login", ONLY_PICKS),
    Row("SCRAM-...-PLUS binds with tls-unique alone", "Cyrus 3.6.1, 3.10.2",
        tests="auth/test_binding.c::a_server_that_binds_with_tls_unique_alone_is_remembered"),
    Row("a timestamp, and no APOP secret for this user", "solid-pop3d 0.15, Mailutils 3.15", "apop-without-a-secret"),
    Row("a remark before the reply to APOP", MANY, "apop-with-a-remark-before-the-reply"),
    Row("a timestamp, and a hang-up at APOP", "solid-pop3d 0.15", "apop-closed", ONLY_PICKS),
    Row("the maildrop is locked, or there are too many connections, in words", "tcllib 1.21, RFC 1939's example, many",
        "pass-refused-in-the-words-of-the-rfc pass-refused-in-tcllibs-words pass-refused-for-too-many-connections"),
    Row("the lock stays for minutes after a reset", "Dovecot 2.3", "pass-refused-in-use", tests="sync/test_sync.py::test_in_use_is_waited_for"),
    Row("nobody may log in again for some minutes", "Cyrus as Debian configures it, RFC 2449", "pass-refused-for-login-delay",
        tests="sync/test_sessions.py::test_a_login_delay_that_the_server_announces_is_kept_to"),
    Row("credentials with line ends smuggle commands", "cpython#143923, ruby/net-pop#31, commons-net#400, nginx#1620",
        tests="client/test_quirks.c::credentials_with_line_ends_smuggle_nothing"),
    Row("+ERR where -ERR is meant", "hMailServer (hmailserver#590)", "pass-answered-with-plus-err"),
    Row("<...> in the greeting is no timestamp", "E.Novation (curl#3278)", "greeting-of-angles",
        tests="unit/test_values.c::the_timestamp_is_the_last_msg_id_in_the_greeting"),
    Row("STLS or QUIT is refused", MANY, "stls-refused quit-refused"),
    Row("replies are injected before TLS begins", "CVE-2011-0411 and its kin", "stls-injected stls-injected-before stls-injected-half-a-line"),
    # Listings
    Row("STAT is refused, negative or in words", "MailKit#872 and others", "stat-refused stat-negative stat-of-words stat-of-one-number"),
    Row("sizes in LIST are negative, missing, zero or wrong", "fetchmail's FAQ, MailKit#872, tcllib 1.21",
        "list-size-negative list-size-missing list-sizes-zero list-sizes-wrong"),
    Row("unique-ids are missing, or the listing has an empty line", MANY, "uidl-without-ids list-of-an-empty-line",
        tests=HABITS + "a_message_without_a_unique_id_is_told_by_its_header_and_the_others_by_theirs"),
    Row("several blanks in front of a unique-id", "thunderbird-android#323", "uidl-behind-several-blanks"),
    Row("UIDL is not announced, and works", "fetchmail's FAQ, jakartaee/mail-api#50", "uidl-not-announced"),
    Row("UIDL is refused", "tcllib 1.21", "uidl-refused"),
    Row("UIDL closes the connection", "fetchmail's FAQ", tests=HABITS + "a_server_that_closes_at_uidl_is_done_without_it"),
    Row("UIDL of one message has no number", "Twisted 22.4", "uidl-of-one-without-the-number"),
    Row("unique-ids occur twice", "cyrus-imapd#374", "uidl-of-duplicates"),
    Row("unique-ids are used again, or renumbered", "cyrus-imapd#374",
        tests=ONCE + "what_has_the_unique_id_the_header_and_the_size_of_a_delivered_message_is_not_deleted_unread "
        "sync/test_sync.py::test_a_server_that_renumbers_does_not_deliver_everything_again"),
    Row("one listing lacks a message that the other has", MANY, tests=HABITS + "a_message_that_only_list_has_is_retrieved_once_and_named "
        + HABITS + "a_message_that_only_uidl_has_is_retrieved_and_named"),
    Row("retrieved messages are hidden from later sessions", "Gmail", tests="sync/test_doctor.py::test_gmail_gets_a_user_name_that_sees_everything"),
    Row("a remark among the unique-ids, or nothing else", MANY, "uidl-with-a-remark uidl-with-a-remark-for-a-message uidl-of-noise"),
    # Messages
    Row("there is no TOP", "RFC 1939 §7: it is optional", "top-refused"),
    Row("one TOP is refused, or shows another header, or is cut", MANY, tests=HABITS + "one_refused_top_costs_one_retr_and_not_the_run "
        + HABITS + "a_top_that_shows_another_header_doubles_the_mailbox_once_and_not_in_every_run "
        + HABITS + "a_top_that_is_cut_at_2_kb_doubles_the_mailbox_once_and_not_in_every_run"),
    Row("UTF8 is announced, and a note comes for those that do not send it", "Courier 1.0.16, 1.4.1", "utf8-or-a-note", ONLY_PICKS,
        HABITS + "utf8_is_sent_before_the_login_where_it_is_announced"),
    Row("PIPELINING is announced, and commands are thrown away", "mpop's `pipelining` setting", "pipelining-discarded"),
    Row("PIPELINING is announced, and replies are mixed", "WildDuck", "retr-of-mixed-replies",
        tests="python/test_extras.py::test_retr_many_hands_out_no_part_of_a_message_that_another_reply_was_mixed_with"),
    Row("the server hangs up within a message", "tcllib 1.21, Cyrus 3.6 with odd mail", "retr-cut-off retr-closed-in-mid-window",
        tests=HABITS + "without_uidl_a_message_at_whose_retr_the_server_hangs_up_is_set_aside"),
    Row("a dot is not stuffed, or ends a message early", "Twisted 22.4, cpython#95252, greenmail#1049",
        "retr-with-an-unstuffed-dot retr-with-an-early-end"),
    Row("a body looks like replies", "cpython#95252", "retr-that-looks-like-replies retr-of-a-smuggled-reply"),
    Row("lines of a body are very long", "Python bug 16041, odoo#10920, frappe#15581", "retr-of-a-64-MB-line"),
    Row("a message is refused (a quota per day)", "163, QQ (zmail#115)", "retr-refused-in-mid-window retr-all-refused"),
    Row("NOOP is answered with a count", MANY, "noop-answered-with-a-count"),
    Row("replies in two pieces with Nagle's algorithm", "popa3d 1.0.3, solid-pop3d 0.15, Twisted 22.4, WildDuck",
        tests="bench/test_costs.c::a_reply_in_two_pieces_is_acknowledged_at_once python/test_acknowledge.py::test_a_reply_in_two_pieces_is_acknowledged_at_once"),
    Row("replies in small letters, without text, with tabs", "fetchmail's FAQ", "greeting-in-small-letters greeting-of-a-plus list-with-tabs"),
    # Sessions
    Row("a session ends after some commands", MANY, tests=HABITS + "a_server_that_ends_a_session_after_some_commands_is_emptied_in_one_run"),
    Row("a session ends when commands come together", MANY, tests=HABITS + "a_server_that_closes_when_commands_come_together_is_asked_one_at_a_time"),
    Row("a session ends after some refusals", "fetchmail's FAQ", tests=HABITS + "a_server_that_counts_refusals_is_not_asked_again_for_what_it_refuses"),
    Row("QUIT closes the connection without a reply", "fetchmail's FAQ", "quit-closed quit-closed-with-nothing-deleted"),
    Row("DELE closes the connection, is not answered, or is answered by an empty line", MANY, "dele-closed dele-silent dele-empty", tests=
        HABITS + "a_message_at_whose_deletion_the_session_breaks_does_not_keep_the_others_on_the_server "
        + HABITS + "a_server_that_deletes_nothing_is_asked_a_few_times_and_new_mail_comes "
        + HABITS + "the_next_run_deletes_a_message_that_broke_a_session_after_all_others"),
    Row("mail is deleted after QUIT is answered", "Courier 1.0.16",
        tests=ONCE + "what_was_to_be_deleted_and_is_still_there_is_compared_and_not_delivered_again"),
]  # fmt: skip


def there_is(test: str) -> bool:
    """Whether FILE::NAME is a test below tests/."""
    file, _, name = test.partition("::")
    path = TESTS / file
    return path.exists() and re.search(rf"\b{name}\(", path.read_text()) is not None


def wrong_with(row: Row) -> list[str]:
    wrong = [] if row.scripts or row.tests else ["nothing plays it"]
    wrong += [f"{test}: there is no such test" for test in row.tests.split() if not there_is(test)]
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
        print(f"{'not ok' if wrong else 'ok'} {number} - {row.what} ({row.seen})")
        for line in wrong:
            print(f"# {line}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
