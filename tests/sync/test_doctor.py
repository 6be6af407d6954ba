"""What doctor finds out about servers of all kinds, and what it advises."""

import contextlib
import re
import sqlite3
import subprocess
import time

import pytest

import imapd
import lmtpd
from world import COMMAND, DEADLINE, needs_same_clock


def doctor(world, url, *words, status=0):
    done = subprocess.run(
        [COMMAND, "doctor", url, "--password-file", str(world.password_file), *map(str, words)],
        env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
    assert done.returncode == status, done
    return done.stdout


def plain(world, server, *words, status=0):
    return doctor(world, f"pop3://user@127.0.0.1:{server.port}", "--allow-plaintext", *words, status=status)


def scripted(world, text):
    path = world.path / "script"
    path.write_text(text)
    return world.server("--script", path)


# ---- what the server announces ----


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--capa", "LOGIN-DELAY 900"], "note LOGIN-DELAY    no more than one login in 900 seconds"),
        (["--no-pipelining"], "note PIPELINING     not announced"),
        (["--no-capa", "UIDL"], "ok   UIDL           works, though not announced"),
        (["--no-capa", "TOP"], "ok   TOP            works, though not announced"),
        (["--refuse", "CAPA"], "note CAPA           refused: an old server"),
        (["--refuse", "UIDL"], "note UIDL           refused: messages are identified by their headers"),
        (["--refuse", "TOP"], "note TOP            refused: filters and `pop3 list` must retrieve"),
        (["--greeting", "Gpop ready for requests"],
         "note Gmail          hides messages from later sessions"),
    ],
)  # fmt: skip
def test_a_peculiar_server_is_noted(world, options, told):
    world.fill(2)
    with world.server(*options) as server:
        shown = plain(world, server)
    assert told in shown
    assert "2 messages" in shown and "\n[user]\n" in shown


@pytest.mark.parametrize(
    ("capability", "told"),
    [("EXPIRE 0", "deletes messages as soon as they are retrieved"),
     ("EXPIRE 30", "deletes messages after 30 days")],
)  # fmt: skip
def test_mail_that_does_not_stay_for_ever_is_noted(world, capability, told):
    with scripted(world, f'on CAPA {{\n capa USER UIDL "{capability}"\n}}\nserve\n') as server:
        assert f"note EXPIRE         the server {told}" in plain(world, server)


def test_gmail_gets_a_user_name_that_sees_everything(world):
    with world.server("--greeting", "Gpop ready") as server:
        assert "\nuser = recent:user\n" in plain(world, server)


def test_unique_ids_that_occur_twice_are_counted_and_so_is_a_wrong_number_of_them(world):
    world.fill(4)
    script = 'on UIDL {\n line "+OK"\n line "1 a"\n line "2 b"\n line "3 a"\n line "."\n}\nserve\n'
    with scripted(world, script) as server:
        shown = plain(world, server)
    assert "note UIDL           1 unique-ids occur twice" in shown
    assert "note UIDL           lists 3 messages, STAT counts 4" in shown


@pytest.mark.parametrize("top", [True, False])
def test_a_server_that_mixes_messages_that_are_asked_for_together_is_found_out(world, top):
    """It answers each NOOP with its own reply."""
    world.fill(3)
    mixed = ' { line "+OK" ; line "Subject: a" ; line "." ; line "+OK" ; line "Subject: b" ; line "." }\nserve\n'
    script = 'on "TOP 2 0"' + mixed if top else 'on TOP { line "-ERR" }\non "RETR 2"' + mixed
    with scripted(world, script) as server:
        shown = plain(world, server)
    assert "BAD  PIPELINING     announced, but pipelined commands are not all" in shown


def test_no_message_is_retrieved_by_doctor_where_that_deletes_it(world):
    world.fill(3)
    script = 'on CAPA {\n capa USER UIDL PIPELINING "EXPIRE 0"\n}\non TOP { line "-ERR" }\nserve\n'
    with scripted(world, script) as server:
        assert "ok   PIPELINING     works" in plain(world, server)
        server.wait_for("C: QUIT")
        assert server.count("C: RETR") == 0


def test_a_server_that_throws_pipelined_commands_away_is_found_out(world):
    world.fill(1)
    with world.server("--discard-pipelined") as server:
        shown = plain(world, server, "--timeout", "2s")
    assert "BAD  PIPELINING     announced, but pipelined commands are not all" in shown
    assert "do   PIPELINING     set pipelining = off" in shown


def test_a_connection_that_ends_in_the_middle_is_said(world):
    world.fill(1)
    for command in ("STAT", "UIDL", "TOP"):
        with scripted(world, f"on {command} {{\n close\n}}\nserve\n") as server:
            shown = plain(world, server, status=75)
        assert f"BAD  {command}" in shown, shown
        if command != "STAT":
            assert f"traits = no-{command.lower()}" in shown and "ok   PIPELINING     works" in shown


def test_a_server_that_cannot_count_its_messages_is_bad(world):
    with world.server("--error", "STAT [SYS/TEMP] the mailbox is ill") as server:
        assert "the server refused [SYS/TEMP] the mailbox is ill" in plain(world, server, status=75)


def test_a_wrong_password_is_no_reason_to_suggest_a_configuration(world):
    with world.server("--password", "other") as server:
        shown = plain(world, server, status=77)
    assert "BAD  login" in shown and "For the configuration" not in shown


# ---- what is peculiar ----


@pytest.mark.parametrize("end", ["close", "reset", 'line "+OK" ; expect-eof'])
def test_the_checks_go_on_without_capa_where_the_server_closes_on_it(world, end):
    world.fill(2)
    with scripted(world, f"on CAPA {{ {end} }}\nserve\n") as server:
        shown = plain(world, server, *(["--timeout", "2s"] if "expect-eof" in end else []))
        server.wait_for("C: QUIT")
        assert server.count("C: CAPA") == 1 and server.count("open") == 2
    assert "note CAPA           ends the connection; the checks go on without (traits = no-capa)" in shown
    assert "ok   login          USER" in shown and "2 messages" in shown and "ok   UIDL" in shown
    assert "\ntraits = no-capa\n" in shown


@pytest.mark.parametrize("how", ["refuse", "close"])
def test_the_checks_go_on_where_capa_after_the_login_ends_the_connection(world, how):
    world.fill(2)
    with world.server("--late-capa", how) as server:
        shown = plain(world, server)
    assert "2 messages" in shown and "ok   UIDL" in shown
    assert "after the login; the checks go on without (traits = no-late-capa)" in shown


@needs_same_clock
def test_what_was_learned_is_shown_with_its_dates_and_the_setting(world):
    world.fill(2)
    with scripted(world, "on CAPA { close }\nserve\n") as server:
        world.sync(server.port)
        with contextlib.closing(sqlite3.connect(world.state)) as db:
            db.execute("INSERT INTO trait SELECT account, 'quit-after', 12, learned FROM trait")
            db.execute("INSERT INTO trait SELECT account, 'one-at-a-time', 1, learned FROM trait WHERE name='no-capa'")
            db.execute("INSERT INTO trait SELECT account, 'no-top', 1, 1 FROM trait WHERE name='no-capa'")
            db.execute("UPDATE trait SET learned = 1700000000 WHERE name = 'no-top'")
            db.commit()
            (learned,) = db.execute("SELECT learned FROM trait WHERE name='no-capa'").fetchone()
        shown = plain(world, server, "--state", world.state, "--traits", "no-initial-response")
        forgotten = plain(world, server, "--state", world.state, "--traits", "none")

    def date(seconds):
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))

    week, day = date(learned + 604800), date(learned + 86400)
    assert (f"note remembered     no-capa: it closes the connection on CAPA, which is not sent; learned {date(learned)}, "
            f"expires {week}; by hand: traits = no-capa\n") in shown  # fmt: skip
    assert "quit-after=12: it ends a session after more deletions" in shown
    assert f"learned {date(learned)}, expires {week}; by hand: traits = quit-after=12\n" in shown
    assert f"learned {date(learned)}, expires {day}; by hand: traits = one-at-a-time\n" in shown
    assert "no-top" not in shown, "it has expired"
    assert "note traits         set by hand: no-initial-response\n" in shown
    assert "does not count now (traits = none)" in forgotten


def test_every_trait_is_shown_with_what_it_means(world):
    world.fill(1)
    with scripted(world, "on CAPA { close }\nserve\n") as server:
        world.sync(server.port)
        names = re.search(r"expected: none, (.*) or quit-after", world.sync(server.port, "--traits", "x", status=64))
        names = names[1].split(", ")
        with contextlib.closing(sqlite3.connect(world.state)) as db:
            for name in names:
                db.execute("INSERT OR IGNORE INTO trait SELECT account, ?, 1, learned FROM trait LIMIT 1", (name,))
            db.commit()
        shown = plain(world, server, "--state", world.state)
    meanings = dict(re.findall(r"remembered     ([a-z-]+): (.*?); learned", shown))
    assert sorted(meanings) == sorted(names) and len(names) >= 8
    assert len(set(meanings.values())) == len(names) and "not as other" not in shown


# ---- TLS ----


@pytest.mark.parametrize(
    ("certificate", "authority", "told"),
    [
        ("good", None, "set its certificate authority with --ca-file"),
        ("expired", "ca.pem", "check this machine's clock"),
        ("wronghost", "ca.pem", "connect to a name that it is valid for"),
    ],
)
def test_a_certificate_that_is_not_trusted_is_explained_and_its_pin_told(
    world, certs, certificate, authority, told
):
    options = ["--cert", certs / f"{certificate}.pem", "--key", certs / f"{certificate}.key"]
    with world.server("--tls", *options) as server:
        url = f"pop3s://user@localhost:{server.tls_port}"
        trust = ["--ca-file", certs / authority] if authority is not None else []
        shown = doctor(world, url, *trust, status=69)
        assert "BAD  certificate" in shown and told in shown
        assert ("instead of the authorities" in shown) == bool(trust)
        pin = shown.split("pin = ")[1].split()[0]
        shown = doctor(world, url, "--pin", pin)
    assert "ok   certificate    has the pinned key" in shown


def test_a_good_certificate_and_stls_are_said_and_suggested(world, certs):
    with world.server("--tls", "--cert", certs / "good.pem", "--key", certs / "good.key") as server:
        ca = certs / "ca.pem"
        shown = doctor(world, f"pop3://user@localhost:{server.port}", "--ca-file", ca)
        assert "ok   connection     TLS by STLS" in shown
        assert f"port = {server.port}\nuser = user\ntls = stls\nca-file = {ca}\n" in shown
        shown = doctor(world, f"pop3s://user@localhost:{server.tls_port}", "--ca-file", ca)
        assert "ok   connection     TLS from the first octet" in shown
        assert "ok   certificate    valid, and for this host" in shown
        assert "tls = " not in shown


def test_the_other_way_to_tls_is_advised(world, certs):
    with world.server() as server:
        shown = doctor(world, f"pop3://user@127.0.0.1:{server.port}", status=69)
        assert "do   connection     try TLS from the first octet (pop3s://, port 995)" in shown
        shown = doctor(world, f"pop3s://user@127.0.0.1:{server.port}", status=69)
        assert "do   connection     the server may offer TLS by STLS: try pop3:// (port 110)" in shown


def test_nobody_listening_is_said(world, port):
    assert "BAD  connection" in doctor(world, f"pop3s://user@127.0.0.1:{port}", status=75)


# ---- targets ----


def answering(kind, world, certs, answer=None, **options):
    """A server for a target, and the options that name it."""
    if kind == "imap":
        server = imapd.running(certs, answer, **options)
        return server, lambda s: ["--imap", s.url(), "--imap-ca-file", certs / "ca.pem", "--imap-password-command", "echo imap secret"]
    if kind == "smtp":
        server = lmtpd.running(certs, answer, kind=lmtpd.Smtpd)
        return server, lambda s: ["--smtp", s.where, "--smtp-ca-file", certs / "ca.pem", "--smtp-password-command",
                                  "echo smtp secret", "--recipient", "you@example.org"]  # fmt: skip
    return lmtpd.running(world.path / "lmtp", answer), lambda s: ["--lmtp", s.where, "--recipient", "you@example.org"]


@pytest.mark.parametrize("kind, told", [
    ("imap", ["IMAP target    localhost accepts the login of me@example.org", 'IMAP target    the folder "INBOX" exists']),
    ("lmtp", ["LMTP target    unix:", "LMTP target    it accepts mail for you@example.org"]),
    ("smtp", ["SMTP target    localhost accepts the login of me@example.org", "SMTP target    it accepts mail for you@example.org"])])  # fmt: skip
def test_a_target_is_tried_as_far_as_nothing_is_delivered(world, certs, kind, told):
    world.fill(2)
    running, options = answering(kind, world, certs)
    with world.server() as server, running as to:
        shown = plain(world, server, *options(to))
        assert all(f"ok   {line}" in shown for line in told), shown
        suggested = shown.split("For the configuration:")[1]
        assert f"\n{kind} = " in suggested and "maildir = " not in suggested
        assert f"\npassword-file = {world.password_file}\n" in suggested
        assert to.mails == [] and not any(line.split(" ")[-1:] == ["DATA"] or "APPEND" in line for line in to.lines)


@pytest.mark.parametrize("kind, at, reply, status, told", [
    ("imap", "login", "NO [AUTHENTICATIONFAILED] no", 77, "it refuses the login"),
    ("lmtp", "rcpt", "550 5.1.1 no such user", 69, "the server refuses the recipient you@example.org: 550 5.1.1 no such user"),
    ("lmtp", "rcpt", "450 4.2.0 greylisted", 75, "450 4.2.0 greylisted"),
    ("smtp", "rcpt", "550 5.1.1 no such user", 69, "the server refuses the recipient you@example.org"),
    ("lmtp", "lhlo", "421 4.3.2 not now", 75, "421 4.3.2 not now")])  # fmt: skip
def test_what_is_wrong_with_a_target_is_said(world, certs, kind, at, reply, status, told):
    running, options = answering(kind, world, certs, lambda step, *_: reply if step == at else None)
    with world.server() as server, running as to:
        shown = plain(world, server, *options(to), status=status)
        assert f"BAD  {kind.upper()} target" in shown and told in shown
        assert "ok   mailbox        0 messages" in shown


def test_a_folder_that_is_not_there_is_noted_and_not_made(world, certs):
    running, options = answering("imap", world, certs, folders=())
    with world.server() as server, running as to:
        assert 'note IMAP target    the folder "INBOX" does not exist, and is created when mail arrives' in plain(world, server, *options(to))
        assert list(to.folders) == []


def test_a_server_that_takes_no_empty_sender_is_not_asked_about_the_recipient(world, certs):
    running, options = answering("smtp", world, certs, lambda step, *_: "553 5.7.1 no" if step == "mail" else None)
    with world.server() as server, running as to:
        shown = plain(world, server, *options(to))
        assert "note SMTP target    it accepts no mail without a sender, so that it was not asked about you@example.org" in shown
        assert "BAD  SMTP target" in plain(world, server, *options(to), "--sender", "a@b", status=69)


def test_the_recipients_of_a_table_are_asked_about(world, certs):
    table = ["--recipients-from", "Delivered-To", "--map-recipients", "a@x -> anna@in, b@x -> bob@in, c@x -> anna@in, d@x -> dan@in"]
    running, options = answering("lmtp", world, certs)
    with world.server() as server, running as to:
        assert "ok   LMTP target    it accepts mail for all 4 recipients" in plain(world, server, *options(to), *table)
        to.of_recipient = lambda at, whom: "550 5.1.1 no" if at == "rcpt" and whom in ("bob@in", "dan@in") else None
        shown = plain(world, server, *options(to), *table, status=69)
        assert "BAD  LMTP target    the server refuses the recipient bob@in: 550 5.1.1 no; the same for 2 of 4 recipients" in shown
        shown = plain(world, server, *options(to), *table[:3], "nonsense", status=78)
        assert "BAD  LMTP target    map-recipients: reading nonsense" in shown


@pytest.mark.parametrize("reply", ["421 4.3.2 bye", "500 what?"])
def test_a_server_that_does_not_go_on_behind_a_recipient_is_told(world, certs, reply):
    table = ["--recipients-from", "Delivered-To", "--map-recipients", "a@x -> anna@in, b@x -> bob@in"]
    running, options = answering("lmtp", world, certs, lambda step, *_: reply if step == "rset" else None)
    with world.server() as server, running as to:
        shown = plain(world, server, *options(to), *table, status=75)
        assert "BAD  LMTP target    announcing the message: the server closed the connection" in shown


def test_each_target_of_a_list_is_tried(world, certs):
    running, options = answering("imap", world, certs)
    with world.server() as server, running as to:
        shown = plain(world, server, "--deliver", "maildir,imap", "--maildir", world.maildir, *options(to))
        assert f"note Maildir        {world.maildir} does not exist; the first run creates it" in shown
        assert 'ok   IMAP target    the folder "INBOX" exists' in shown
        world.maildir.mkdir()
        assert f"ok   Maildir        {world.maildir} can be written" in plain(world, server, "--maildir", world.maildir)
        assert list(world.maildir.iterdir()) == []
