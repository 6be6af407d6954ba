"""`pop3 sync` with an IMAP server: every message is in the folder exactly once, whatever is refused, cut or killed."""

import os
import random
import re
import signal
import subprocess
import sys
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from imapd import Cut, Mail, running
from sent import Peaks, bodies, crlf, expected, kill_at, refused, refused_configuration, without_quarantine
from test_setup import DNS_COMMAND
from world import COMMAND, CRASH_COMMAND, DEADLINE, ROOT, World, message

sys.path.insert(0, str(ROOT / "tests/interop"))
import dovecot as interop  # noqa: E402

SEED = int(os.environ.get("CRASH_SEED", 20261129))
EVERY = int(os.environ.get("CRASH_IMAP_EVERY", 60))
RANDOM = int(os.environ.get("CRASH_IMAP", 3))


def start(world, port, url, ca, *options, point=None, command=CRASH_COMMAND, stdout=subprocess.DEVNULL, **env):
    """The build for tests leaves out the pauses between looks at the folder: what arrives meanwhile, a test's server knows."""
    env = world.environment(POP3_TEST_PAUSES="skip", **env)
    if point is not None:
        env["POP3_TEST_CRASH_AT"] = point
    secret = world.path / "imap-password"
    if not secret.exists():
        secret.write_text("imap secret\n")
        secret.chmod(0o600)
    if not any(option.startswith(("--imap-token", "--imap-password", "--netrc")) for option in options):
        options = ("--imap-password-file", str(secret), *options)
    return subprocess.Popen(
        [command, "sync", f"pop3://user@127.0.0.1:{port}", "--imap", url, "--imap-ca-file", str(ca), "--state",
         str(world.state), "--password-file", str(world.password_file), "--allow-plaintext", *options],
        env=env, stderr=subprocess.PIPE, stdout=stdout, text=True, start_new_session=True)  # fmt: skip


def sync(world, port, url, ca, *options, status=0, **more):
    process = start(world, port, url, ca, *options, **more)
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == status, errors
    return errors


@pytest.fixture
def imapd(certs):
    """Starts servers, which end with the test."""
    stack = []

    def begin(*arguments, **options):
        server = running(certs, *arguments, **options)
        stack.append(server)
        return server.__enter__()

    yield begin
    for server in stack:
        server.__exit__(None, None, None)


def test_files_that_are_replaced_are_read_by_a_process_that_stays(world, certs, imapd):
    """The sandbox lets it read the files that settings name, whatever file has the name by then."""
    world.fill(1, lines=5)
    files = {"ca.pem": (certs / "ca.pem").read_text(), "imap-password": "renewed\n"}
    authorities = world.path / "ca.pem"
    authorities.write_text(files["ca.pem"])
    with world.server() as server:
        imap = imapd()
        process = start(world, server.port, imap.url(), authorities, "--every", "20ms")
        try:
            server.wait_for(r" C: QUIT$")
            for name, text in files.items():
                (world.path / "another").write_text(text)
                (world.path / "another").chmod(0o600)
                (world.path / "another").rename(world.path / name)
            world.fill(1, first=1, lines=5)
            server.wait_for(r" C: RETR 2$")
            server.wait_for(r" C: QUIT$", server.count(r" C: QUIT$") + 1)
            process.terminate()
            assert process.communicate(timeout=DEADLINE)[1] == ""
        finally:
            process.kill()
            process.communicate(timeout=DEADLINE)
    assert process.returncode == 0
    assert bodies(imap) == expected(2)
    assert [secret for _, _, secret in imap.logins] == ["imap secret", "renewed"]


def test_messages_go_over_one_connection_pipelined_and_are_deleted(world, certs, imapd):
    world.fill(200, lines=5)
    with world.server("--delete") as server:
        imap = imapd()
        sync(world, server.port, imap.url(), certs / "ca.pem", "--delete")
        assert bodies(imap) == expected(200)
        assert imap.connections == 1 and imap.most_unread > 5
        assert imap.logins == [("PLAIN", "me@example.org", "imap secret")]
        server.settle()
    assert world.on_server() == [] and refused(world) == []


@pytest.mark.parametrize("capabilities", [("IMAP4rev1", "AUTH=PLAIN"), ("IMAP4rev1", "LITERAL-"), ("IMAP4rev1",)])
def test_one_that_wants_to_be_asked_is_asked(world, certs, imapd, capabilities):
    world.fill(5, lines=5)
    world.put("large", "Subject: large\n\n" + "x" * 60 * 100 + "\n")
    with world.server() as server:
        imap = imapd(capabilities=capabilities)
        sync(world, server.port, imap.url(), certs / "ca.pem")
        assert len(imap.mails) == 6 and set(expected(5)) < set(bodies(imap))
        plain = sum(line.endswith("+}") for line in imap.lines if " APPEND " in line)
        assert plain == (5 if "LITERAL-" in capabilities else 0)
        assert imap.logins[0][0] == ("PLAIN" if "AUTH=PLAIN" in capabilities else "LOGIN")


def test_octets_arrive_as_they_are(world, certs, imapd):
    """But for the line ends, which are CRLF, and NUL, which IMAP has not."""
    world.put("1", b"Subject: s\n\n.\n..\nnul \0 cr \r alone\n8 bits: \xe9\nend without a line end")
    with world.server() as server:
        imap = imapd()
        sync(world, server.port, imap.url(), certs / "ca.pem")
        text = b"Subject: s\r\n\r\n.\r\n..\r\nnul \x80 cr \r alone\r\n8 bits: \xe9\r\nend without a line end\r\n"
        assert bodies(imap) == [text]


# ---- TLS and logins ----


def test_starttls_is_demanded_and_used(world, certs, imapd):
    world.fill(2, lines=5)
    with world.server() as server:
        imap = imapd(tls=False, starttls=False)
        errors = sync(world, server.port, imap.url(), certs / "ca.pem", status=69)
        assert "it offers no STARTTLS" in errors and imap.logins == []
        sync(world, server.port, imap.url(), certs / "ca.pem", "--imap-allow-plaintext")
        assert bodies(imap) == expected(2)
        imap = imapd(tls=False)
        world.fill(2, lines=5, first=2)
        sync(world, server.port, imap.url(), certs / "ca.pem", "--continue")
        assert bodies(imap) == expected(2, 2) and "STARTTLS" in imap.lines[1]


@pytest.mark.parametrize("certificate", ["expired", "selfsigned", "wronghost"])
def test_certificates_are_verified(world, certs, imapd, certificate):
    world.fill(2, lines=5)
    with world.server("--delete") as server:
        imap = imapd(certificate=certificate)
        errors = sync(world, server.port, imap.url(), certs / "ca.pem", "--delete", status=69)
        assert "connecting to the IMAP server localhost" in errors and imap.logins == []
        assert ("name the server as its certificate does" in errors) == (certificate == "wronghost")
        assert ("name its authority with imap-ca-file" in errors) == (certificate == "selfsigned")
        assert ("has expired; check this machine's clock, or tell the server's" in errors) == (certificate == "expired")
        server.settle()
    assert len(world.on_server()) == 2


def test_tls_on_the_port_for_starttls_is_told(world, certs, imapd):
    world.fill(1, lines=5)
    with world.server() as server:
        imap = imapd(tls=False)
        url = imap.url().replace("imap://", "imaps://")
        errors = sync(world, server.port, url, certs / "ca.pem", status=75)
        assert "if its port is one for STARTTLS, use imap://" in errors and imap.logins == []


def test_a_refused_login_is_told_and_loses_nothing(world, certs, imapd):
    world.fill(2, lines=5)
    with world.server("--delete") as server:
        imap = imapd()
        imap.tokens = set()
        errors = sync(world, server.port, imap.url(), certs / "ca.pem", "--delete", status=77)
        assert "it refuses the login" in errors and "imap-password-file" in errors and "imap secret" not in errors
        server.settle()
    assert len(world.on_server()) == 2


def test_the_password_is_found_where_the_settings_say(world, certs, imapd):
    """Without one it is missed by the name of the IMAP server's own setting; the POP3 server's is never sent there."""
    netrc = world.path / "netrc"
    netrc.write_text("machine localhost login me@example.org password from-netrc\n")
    netrc.chmod(0o600)
    world.fill(2, lines=5)
    with world.server() as server:
        imap = imapd()
        imap.tokens = {"from-netrc", "from-command"}
        errors = sync(world, server.port, imap.url(), certs / "ca.pem", "--netrc", "/dev/null", status=78)
        assert "set imap-password-command or imap-password-file" in errors
        errors = sync(world, server.port, imap.url(), certs / "ca.pem", "--imap-password-command", "exit 3", status=78)
        assert "the imap-password-command ended with status 3" in errors
        sync(world, server.port, imap.url(), certs / "ca.pem", "--netrc", str(netrc))
        world.fill(1, lines=5, first=2)
        sync(world, server.port, imap.url(), certs / "ca.pem", "--imap-password-command", "echo from-command")
        assert bodies(imap) == expected(3)
        assert list(dict.fromkeys(login[2] for login in imap.logins)) == ["from-netrc", "from-command"]


@pytest.mark.parametrize("method", ["OAUTHBEARER", "XOAUTH2"])
def test_a_token_of_a_command_logs_in(world, certs, imapd, method):
    """A token that is refused is asked for once more, as it may have been withdrawn."""
    count = world.path / "asked"
    command = f"echo >>{count}; if [ $(wc -l <{count}) = 1 ]; then echo old; else echo new; fi"
    world.fill(2, lines=5)
    with world.server() as server:
        imap = imapd(capabilities=("IMAP4rev1", "LITERAL+", f"AUTH={method}", "SASL-IR"))
        imap.tokens = {"new"}
        sync(world, server.port, imap.url(), certs / "ca.pem", "--imap-token-command", command)
        assert bodies(imap) == expected(2)
        assert [(login[0], login[2]) for login in imap.logins] == [(method, "old"), (method, "new")]


# ---- the folder, flags, dates ----


def test_a_folder_that_is_missing_is_made_by_its_name(world, certs, imapd):
    world.fill(3, lines=5)
    with world.server() as server:
        imap = imapd()
        sync(world, server.port, imap.url("Alte%20Post/B%C3%BCcher%20%26%20%22x%22"), certs / "ca.pem")
        name = 'Alte Post/B&APw-cher &- "x"'
        assert sorted(mail.body for mail in imap.folders[name]) == expected(3)
        assert imap.subscribed == [name] and imap.mails == []


def test_a_folder_that_goes_before_the_server_does_stops_the_run(world, certs, imapd):
    world.fill(30, lines=5)

    def answer(at, number, _):
        if at == "message" and number == 5:
            return "NO [TRYCREATE] gone"
        if at == "message" and number > 5:
            raise Cut
        return "* BYE down" if at == "greeting" and number > 5 else None

    with world.server("--delete") as server:
        imap = imapd(answer)
        errors = sync(world, server.port, imap.url(), certs / "ca.pem", "--delete", status=75)
        assert "delivering by IMAP" in errors
        server.settle()
    assert len(imap.mails) == 5 and len(world.on_server()) == 30


def test_a_folder_that_cannot_be_made_stops_the_run(world, certs, imapd):
    world.fill(30, lines=5)
    with world.server("--delete") as server:
        imap = imapd(lambda at, n, _: "NO [CANNOT] no" if at == "create" else None)
        errors = sync(world, server.port, imap.url("x"), certs / "ca.pem", "--delete", status=73)
        assert "creating the folder" in errors and imap.begun == 1
        server.settle()
    assert len(world.on_server()) == 30 and refused(world) == []


@pytest.mark.parametrize("options, date", [
    ([], " 1-Nov-2026 09:00:05 +0000"), (["--internal-date", "date"], " 2-Nov-2026 03:04:05 +0000"),
    (["--internal-date", "now"], "")])  # fmt: skip
def test_the_internal_date_is_chosen(world, certs, imapd, options, date):
    world.put("1", "Received: from a by b;\n\tSun, 1 Nov 2026 10:00:05 +0100\nReceived: from c by a; 1 Jan 2020 00:00:00 +0000\n"
                   "Date: Mon, 2 Nov 2026 03:04:05 +0000\n\ntext\n")  # fmt: skip
    world.put("2", "Received: by nobody\nDate: Mon, 2 Nov 2026 03:04:05 GMT\n\ntext\n")
    world.put("3", "Date: never\n\ntext\n")
    with world.server() as server:
        imap = imapd()
        sync(world, server.port, imap.url(), certs / "ca.pem", "--flags", r"\Seen $Junk", *options)
        later = " 2-Nov-2026 03:04:05 +0000" if date else ""
        assert [mail.date for mail in imap.mails] == [date, later, ""]
        assert {mail.flags for mail in imap.mails} == {r"\Seen $Junk"}


# ---- refusals ----


@pytest.mark.parametrize("reply", ["NO [OVERQUOTA] full", "NO [UNAVAILABLE] later"])
def test_what_is_refused_for_now_stays_and_the_others_arrive(world, certs, imapd, reply):
    world.fill(10, lines=5)
    with world.server("--delete") as server:
        ill = imapd(lambda at, n, _: reply if (at, n) == ("message", 3) else None)
        errors = sync(world, server.port, ill.url(), certs / "ca.pem", "--delete", status=75)
        assert "message 4: delivering by IMAP: the IMAP server refuses the message: " + reply in errors
        assert ("quota raised" in errors) == ("OVERQUOTA" in reply)
        assert bodies(ill) == sorted(expected(3) + expected(6, 4))
        server.settle()
        assert len(world.on_server()) == 1
        ill.answer = lambda at, n, _: None
        sync(world, server.port, ill.url(), certs / "ca.pem", "--delete")
        assert bodies(ill) == expected(10)
    assert refused(world) == []


@pytest.mark.parametrize("reply", ["NO [TOOBIG] large", "NO [CANNOT] no", "NO no\x1b such mail", "BAD what?"])
def test_what_is_refused_for_good_is_kept_with_a_note_and_the_others_arrive(world, certs, imapd, reply):
    """That is also what is refused twice without a reason, while others are accepted."""
    world.fill(10, lines=5)
    ill = expected(1, 3)[0]
    with world.server("--delete") as server:
        imap = imapd(lambda at, n, text: reply if at == "message" and ill in text else None)
        errors = sync(world, server.port, imap.url(), certs / "ca.pem", "--delete")
        assert bodies(imap) == sorted(expected(3) + expected(6, 4))
        assert imap.connections == 1
        server.settle()
        assert world.on_server() == []
        assert "message 4: delivering by IMAP: the IMAP server refuses the message" in errors and "it is kept in" in errors
        kept = refused(world)
        assert len(kept) == 1
        note, name, rest = kept[0].split(b"\n", 2)
        assert note.startswith(b"X-POP3-Refused: the IMAP server refuses") and reply.split()[-1].encode() in note
        assert name.startswith(b"X-POP3-Delivery: ") and crlf(rest.decode()) == ill
        sync(world, server.port, imap.url(), certs / "ca.pem", "--delete")


@pytest.mark.parametrize("reply", ["NO not now", "BAD what?"])
@pytest.mark.parametrize("loses", [False, True], ids=["answered", "lost"])
def test_what_is_refused_once_without_a_reason_and_then_accepted_counts_as_delivered(world, certs, imapd, reply, loses):
    """Refused at first, while others are accepted; it gets its labels as they do. Its second answer may be lost."""
    world.fill(10, lines=5)
    ill = expected(1, 3)[0]
    seen = []

    def answer(at, n, text):
        if at != "message" or ill not in text:
            return None
        seen.append(text)
        if len(seen) == 1:
            return reply
        if loses:
            imap.mails.append(Mail(text, "", ""))
            raise Cut
        return None

    with world.server("--delete") as server:
        imap = imapd(answer, capabilities=(*GMAIL, "LITERAL+"))
        process = start(world, server.port, imap.url(), certs / "ca.pem", "--delete", *LABELS, stdout=subprocess.PIPE)
        told, errors = process.communicate(timeout=DEADLINE)
        assert process.returncode == 0 and errors == "", errors
        assert "10 new messages" in told and "delivered" in told and "refused" not in told
        assert len(seen) == 2 and bodies(imap) == expected(10) == labelled(imap)
        server.settle()
    assert world.on_server() == [] and refused(world) == []


def test_a_message_above_the_limit_that_is_announced_is_not_sent(world, certs, imapd):
    world.fill(2, lines=5)
    world.put("9", "Subject: large\n\n" + "x" * 900 + "\n")
    with world.server() as server:
        imap = imapd(capabilities=("IMAP4rev1", "LITERAL+", "APPENDLIMIT=800"))
        errors = sync(world, server.port, imap.url(), certs / "ca.pem")
        assert len(imap.mails) == 2 and len(refused(world)) == 1 and imap.begun == 2
        assert "accepts 800 at most" in errors


@pytest.mark.parametrize("reply", ["NO [OVERQUOTA] full", "BAD what?"])
def test_a_server_that_refuses_all_is_not_offered_everything(world, certs, imapd, reply):
    world.fill(200, lines=5)
    with world.server("--delete") as server:
        imap = imapd(lambda at, n, _: reply if at == "message" else None)
        sync(world, server.port, imap.url(), certs / "ca.pem", "--delete", status=75)
        assert imap.begun < 30
        server.settle()
    assert len(world.on_server()) == 200 and refused(world) == []


def test_one_in_ten_refused_keeps_nothing_back(world, certs, imapd):
    world.fill(100, lines=5)
    with world.server("--delete") as server:
        imap = imapd(lambda at, n, _: "NO [TOOBIG]" if at == "message" and n % 10 == 0 else None)
        sync(world, server.port, imap.url(), certs / "ca.pem", "--delete")
        assert len(imap.mails) == 90 and len(refused(world)) == 10
        server.settle()
    assert world.on_server() == []


# ---- hostile servers ----

ENDLESS = "* " + "x" * 2_000_000
HOSTILE = [
    ("greeting", "* BYE no"), ("greeting", "junk"), ("capability-in", "* CAPABILITY APPENDLIMIT=99999999999999999999"),
    ("capability-in", ENDLESS), ("message", "* BYE shutting down"), ("message", ENDLESS), ("message", "* x {99999999999999999999}"),
    ("message", "* x {4294967296}"), ("message", "junk\r\nmore junk"), ("examine", "* 4294967295 EXISTS\r\n*"),
    ("examine", "* 99999999999999999999 EXISTS\r\n*"), ("fetch", "* 1 FETCH (BODY[] {-1}"), ("fetch", "* 1 FETCH (x {900000}\r\n"),
    ("examine", "NO [UNAVAILABLE] no"), ("fetch", "BAD no")]  # fmt: skip


@pytest.mark.parametrize("step, said", HOSTILE, ids=[f"{step}-{said[:20]}" for step, said in HOSTILE])
def test_whatever_a_server_says_nothing_is_lost(world, certs, imapd, step, said):
    world.fill(3, lines=5)

    def answer(at, n, _):
        if step in ("examine", "fetch") and at == "message" and not spoken:
            spoken.append(at)
            raise Cut
        return said if at == step else None

    spoken = []
    with world.server("--delete") as server:
        imap = imapd(answer)
        process = start(world, server.port, imap.url(), certs / "ca.pem", "--delete")
        errors = process.communicate(timeout=DEADLINE)[1]
        assert process.returncode in (0, 69, 75, 76), errors
        server.settle()
        assert len(world.on_server()) == 3 - len(imap.mails) or step == "message"
        imap.answer = lambda at, n, _: None
        sync(world, server.port, imap.url(), certs / "ca.pem", "--delete")
        assert bodies(imap) == expected(3)
        server.settle()
    assert world.on_server() == [] and refused(world) == []


# ---- exactly once ----


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("number", [0, 17])
def test_an_answer_that_got_lost_is_looked_up(world, certs, imapd, number, arrives):
    def lost(step, n, text):
        if step == "message" and n == number and imap.connections == 1:
            if arrives:
                imap.mails.append(Mail(text, "", ""))
            raise Cut
        return None

    world.fill(30, lines=5)
    with world.server("--delete") as server:
        imap = imapd(lost)
        process = start(world, server.port, imap.url(), certs / "ca.pem", "--delete")
        errors = process.communicate(timeout=DEADLINE)[1]
        assert process.returncode in (0, 75), errors
        assert len(imap.mails) == len(set(bodies(imap)))
        assert process.returncode == 75 or bodies(imap) == expected(30)
        if not arrives:
            assert "it was sent, and is not in the folder yet" in errors
        sync(world, server.port, imap.url(), certs / "ca.pem", "--delete")
        assert bodies(imap) == expected(30)
        server.settle()
    assert world.on_server() == []


def cut_at(path, port, certs, way, octets):
    """One conversation that is cut there, and a second run."""
    world = World(path / f"{way}{octets}")
    wanted = [crlf(message(0, 1))]
    with running(certs, **{f"octets_{way}": octets}) as imap:
        process = start(world, port, imap.url(), certs / "ca.pem", "--no-sandbox")
        errors = process.communicate(timeout=DEADLINE)[1]
        assert process.returncode in (0, 75), (octets, errors)
        assert process.returncode == 75 or bodies(imap) == wanted, octets
        sync(world, port, imap.url(), certs / "ca.pem", "--no-sandbox")
        assert bodies(imap) == wanted, octets
    assert refused(world) == []


@pytest.mark.parametrize("way", ["in", "out"])
def test_a_connection_cut_at_any_octet_loses_and_repeats_nothing(world, certs, imapd, way, capsys, record_property):
    """The octets of the whole conversation about one message, to the server and from it: one in 60 of them, drawn by lot,
    and the last ones; all of them in command-imap-long."""
    world.fill(1, lines=1)
    with world.server() as server:
        imap = imapd()
        sync(world, server.port, imap.url(), certs / "ca.pem")
        whole = imap.moved[way]
        assert whole > 100
        points = sorted({*range(random.Random(SEED).randrange(EVERY), whole, EVERY), *range(whole - 8, whole)})
        for octets in points:
            (world.path / f"{way}{octets}").mkdir()
        with ThreadPoolExecutor(6) as pool:
            for _ in pool.map(lambda octets: cut_at(world.path, server.port, certs, way, octets), points):
                pass
    record_property("interrupted", ("IMAP", "cut", len(points)))
    with capsys.disabled():
        print(f"# {len(points)} of {whole} octets {way}: the message is there once", flush=True)


POINTS = ["intents-recorded", "imap-announced:1", "imap-announced:50", "imap-content:50", "imap-sent:1", "imap-answered:1",
          "imap-answered:90", "refused-kept:1", "refused-kept:9", "delivered-recorded"]  # fmt: skip


def hash_of(text):
    """One in ten, the same in every run."""
    return zlib.crc32(text.split(b"\r\n", 1)[1]) % 10 == 0


def check_all(world, server, imap, certs, count):
    sync(world, server.port, imap.url(), certs / "ca.pem", "--delete")
    server.settle()
    assert world.on_server() == []
    kept = Counter(crlf(text.split(b"\n", 2)[2].decode()) for text in refused(world))
    assert max(kept.values(), default=0) <= 1, "refused messages are kept once"
    assert sorted([*bodies(imap), *kept]) == expected(count), "each is in one place, once"


def test_mail_that_says_it_was_delivered_before_is_told_by_the_line_in_front(fast_world, certs, imapd):
    """It was collected once, and sent on: behind our line is the one of then. More of it arrives than is read at a time."""
    world, imap = fast_world, imapd()
    world.fill(1, lines=2)
    with world.server("--delete") as server:
        sync(world, server.port, imap.url(), certs / "ca.pem", "--delete")
        server.settle()
        world.fill(5, first=1, lines=2)
        process = start(world, server.port, imap.url(), certs / "ca.pem", "--delete", point="imap-answered:5")
        process.communicate(timeout=DEADLINE)
        assert process.returncode == -signal.SIGKILL
        imap.finish_others()
        server.settle()
        before, last = imap.mails[0].delivery, imap.mails[-1]
        for i in range(300):  # of the run that was killed, which had more to send
            name = re.sub(r"Q\d+", f"Q{1000 + i}", last.delivery)
            imap.mails.append(last._replace(text=crlf(f"X-POP3-Delivery: {name}\nX-POP3-Delivery: {before}\n{message(1000 + i, 2)}")))
        sync(world, server.port, imap.url(), certs / "ca.pem", "--delete")
        server.settle()
    assert len(imap.mails) == 306 and world.on_server() == []


@pytest.mark.interrupted("IMAP", "killed at marked points")
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_marked_point(fast_world, certs, imapd, point):
    world = fast_world
    world.fill(100, lines=5)
    imap = imapd(lambda step, n, text: "NO [TOOBIG]" if step == "message" and hash_of(text) else None)
    with world.server("--delete") as server:
        process = start(world, server.port, imap.url(), certs / "ca.pem", "--delete", point=point)
        process.communicate(timeout=DEADLINE)
        assert process.returncode == -signal.SIGKILL, "the point was not reached"
        server.settle()
        check_all(world, server, imap, certs, 100)


def test_the_same_folder_written_otherwise_is_looked_through_after_a_crash(fast_world, certs, imapd):
    world = fast_world
    world.fill(20, lines=5)
    imap = imapd()
    with world.server("--delete") as server:
        process = start(world, server.port, imap.url(), certs / "ca.pem", "--delete", point="imap-answered:10")
        process.communicate(timeout=DEADLINE)
        assert process.returncode == -signal.SIGKILL, "the point was not reached"
        server.settle()
        sync(world, server.port, imap.url(folder="%49Nbox/", host="LocalHost").replace("me%40", "%6De%40"), certs / "ca.pem", "--delete")
        server.settle()
    assert world.on_server() == [] and bodies(imap) == expected(20)


@pytest.mark.interrupted("IMAP", "killed at marked points")
@pytest.mark.parametrize("point", ["imap-looked:1", "imap-looked-up:1"])
def test_killed_while_it_looks(fast_world, certs, imapd, point):
    def answer(step, n, text):
        if step == "message" and n == 40 and imap.connections == 1:
            raise Cut
        return None

    world = fast_world
    world.fill(100, lines=5)
    imap = imapd(answer)
    with world.server("--delete") as server:
        process = start(world, server.port, imap.url(), certs / "ca.pem", "--delete", point=point)
        process.communicate(timeout=DEADLINE)
        assert process.returncode == -signal.SIGKILL, "the point was not reached"
        server.settle()
        check_all(world, server, imap, certs, 100)


def test_killed_at_random_moments(fast_world, certs, imapd, capsys, record_property):
    world = fast_world
    dice = random.Random(SEED)
    kills = 0
    imap = imapd(lambda step, n, text: "NO [TOOBIG]" if step == "message" and hash_of(text) else None)
    with world.server("--delete") as server:
        for _ in range(RANDOM):
            world.fill(100, lines=5)
            process = start(world, server.port, imap.url(), certs / "ca.pem", "--delete")
            seen = dice.randrange(0, 91)
            kills += kill_at(process, lambda: len(imap.mails), seen)
            server.settle()
            check_all(world, server, imap, certs, 100)
            imap.mails.clear()
            for file in [*world.path.glob("state.db*"), *world.path.glob("state.db.refused/*/new/*")]:
                if file.is_file():
                    file.unlink()
    record_property("interrupted", ("IMAP", "killed at random moments", kills))
    with capsys.disabled():
        print(f"# 100 messages, {kills} kills at random moments: each is in one place, once", flush=True)


@pytest.mark.parametrize("number", [1, 3])
def test_what_a_server_was_still_at_work_on_is_waited_for(fast_world, certs, imapd, number):
    """It goes on with what it has read after we were killed."""
    world = fast_world
    late = []

    def answer(step, n, text):
        if step == "message" and n >= 10 and not late:
            late.append(Mail(text, "", ""))
            raise Cut
        if step == "opened" and late[1:]:
            late.append(None)
            if len(late) <= number + 2:
                imap.mails.append(late[0]._replace(text=late[0].text if len(late) == number + 2 else b"Subject: other\r\n\r\n"))
        return None

    world.fill(20, lines=5)
    imap = imapd(answer)
    with world.server("--delete") as server:
        process = start(world, server.port, imap.url(), certs / "ca.pem", "--delete")
        assert "not in the folder yet" in process.communicate(timeout=DEADLINE)[1]
        late.append(None)
        sync(world, server.port, imap.url(), certs / "ca.pem", "--delete", command=COMMAND)
        assert sorted(mail.body for mail in imap.mails if mail.text.startswith(b"X-POP3")) == expected(20)
        server.settle()
    assert world.on_server() == []


@pytest.mark.parametrize("searches, beyond", [(True, 2500), (False, 2500), (False, 10)])
def test_others_may_have_put_mail_on_top_meanwhile(fast_world, certs, imapd, searches, beyond):
    """What is far below others' mail is searched for, or, where the server cannot do that, read."""
    world = fast_world
    world.fill(20, lines=5)
    imap = imapd(searches=searches)
    imap.mails.extend([Mail(b"Subject: before\r\n\r\n", "", "")] * 300)
    with world.server("--delete") as server:
        process = start(world, server.port, imap.url(), certs / "ca.pem", "--delete", point="imap-answered:15")
        process.communicate(timeout=DEADLINE)
        assert process.returncode == -signal.SIGKILL
        server.settle()
        imap.mails.extend([Mail(b"Subject: other\r\n\r\n", "", "")] * beyond)
        sync(world, server.port, imap.url(), certs / "ca.pem", "--delete")
        ours = [mail.body for mail in imap.mails if mail.text.startswith(b"X-POP3")]
        assert sorted(ours) == expected(20)
        assert any(" SEARCH " in line for line in imap.lines) == (beyond > 2000)
        server.settle()
    assert world.on_server() == []


def test_what_was_delivered_before_ends_the_search(fast_world, certs, imapd):
    """A folder with thousands of messages is not read to its beginning."""
    world = fast_world
    imap = imapd()
    imap.mails.extend([Mail(b"Subject: before\r\n\r\n", "", "")] * 3000)
    with world.server("--delete") as server:
        for first, point in ((0, None), (5, "imap-sent:3")):
            world.fill(5, lines=5, first=first)
            process = start(world, server.port, imap.url(), certs / "ca.pem", "--delete", point=point)
            process.communicate(timeout=DEADLINE)
            assert process.returncode == (-signal.SIGKILL if point else 0)
            server.settle()
        imap.lines.clear()
        sync(world, server.port, imap.url(), certs / "ca.pem", "--delete")
        assert sorted(mail.body for mail in imap.mails[3000:]) == expected(10)
        assert sum(" FETCH " in line for line in imap.lines) == 1 and not any(" SEARCH " in line for line in imap.lines)


def test_memory_does_not_grow_with_the_message(world, certs, imapd, monkeypatch):
    """The most that the process had in memory, when the server has read the message."""
    without_quarantine(monkeypatch)

    def peak(octets):
        peaks = Peaks()

        def answer(step, number, text):
            if step == "message":
                peaks.take()
            return None

        world.put("1", b"Subject: s\n\n" + (b"x" * 76 + b"\n") * (octets // 77))
        for file in world.path.glob("state.db*"):
            if file.is_file():
                file.unlink()
        with world.server() as server:
            imap = imapd(answer)
            process = peaks.of(start(world, server.port, imap.url(), certs / "ca.pem"))
            _, errors = process.communicate(timeout=DEADLINE)
            assert process.returncode == 0 and len(imap.mails) == 1, errors
        return peaks.seen[0]

    small, large = peak(200_000), peak(5_000_000)
    assert large < small + 2000, (small, large)


# ---- labels, as Gmail has them ----

GMAIL = ("IMAP4rev1", "UNSELECT", "IDLE", "UIDPLUS", "X-GM-EXT-1", "LITERAL-", "APPENDLIMIT=35651584", "AUTH=PLAIN", "SASL-IR")
LABELS = ("--labels", "inbox, Old mail,Fünf,a\"b\\\\c")
LABELLED = {"\\Inbox", "Old mail", "F&APw-nf", 'a\\"b\\\\\\\\c'}


def labelled(imap):
    """Which of the messages of ours have all labels."""
    assert all(labels == LABELLED for labels in imap.labels.values())
    return sorted(mail.body for uid, mail in enumerate(imap.mails, 1) if uid in imap.labels)


@pytest.mark.parametrize("says", ["APPENDUID", "nothing"])
def test_messages_get_labels_where_the_server_has_some(world, certs, imapd, says):
    world.fill(100, lines=5)
    imap = imapd(capabilities=GMAIL)
    imap.says_uids, imap.uid_last = says == "APPENDUID", True
    imap.mails.append(Mail(b"Subject: other\r\n\r\n", "", ""))
    with world.server("--delete") as server:
        if says == "nothing":  # they are looked for, and found
            errors = sync(world, server.port, imap.url(), certs / "ca.pem", "--delete", *LABELS, status=75)
            assert "does not say where" in errors
            server.settle()
            assert len(world.on_server()) == 100
        sync(world, server.port, imap.url(), certs / "ca.pem", "--delete", *LABELS)
        server.settle()
    assert world.on_server() == [] and bodies(imap)[:-1] == expected(100) == labelled(imap)
    assert sum("UID STORE" in line for line in imap.lines) < 20


def test_a_server_without_labels_is_told_and_gets_nothing(world, certs, imapd):
    world.fill(3, lines=5)
    imap = imapd()
    with world.server("--delete") as server:
        errors = sync(world, server.port, imap.url(), certs / "ca.pem", "--delete", *LABELS, status=78)
        assert "the IMAP server localhost has none (it does not announce X-GM-EXT-1); remove labels" in errors
        server.settle()
    assert len(world.on_server()) == 3 and imap.mails == [] and imap.begun == 0


@pytest.mark.parametrize("said", ["NO [CANNOT] no such label", "BAD what?"])
def test_a_refused_label_is_told_nothing_is_deleted_and_nothing_comes_twice(world, certs, imapd, said):
    world.fill(3, lines=5)
    imap = imapd(lambda step, n, text: said if step == "label" else None, capabilities=GMAIL)
    with world.server("--delete") as server:
        errors = sync(world, server.port, imap.url(), certs / "ca.pem", "--delete", *LABELS, status=69)
        assert "message 1: delivering by IMAP: it is in the folder, but the IMAP server refuses its labels (" in errors
        assert f": {said}; correct labels, and the next run sets them" in errors
        errors = sync(world, server.port, imap.url(), certs / "ca.pem", "--delete", *LABELS, status=69)
        server.settle()
        assert len(world.on_server()) == 3 and bodies(imap) == expected(3) and imap.labels == {} and refused(world) == []
        imap.answer = lambda step, n, text: None
        sync(world, server.port, imap.url(), certs / "ca.pem", "--delete", *LABELS)
        server.settle()
    assert world.on_server() == [] and bodies(imap) == expected(3) == labelled(imap)


@pytest.mark.interrupted("IMAP", "killed at marked points")
@pytest.mark.parametrize("point", ["imap-answered:1", "imap-answered:30", "imap-labelling:1", "imap-labelled:1", "delivered-recorded"])
def test_killed_each_message_is_there_once_with_its_labels(fast_world, certs, imapd, point):
    world = fast_world
    world.fill(50, lines=5)
    imap = imapd(capabilities=GMAIL)
    with world.server("--delete") as server:
        process = start(world, server.port, imap.url(), certs / "ca.pem", "--delete", *LABELS, point=point)
        process.communicate(timeout=DEADLINE)
        assert process.returncode == -signal.SIGKILL, "the point was not reached"
        server.settle()
        sync(world, server.port, imap.url(), certs / "ca.pem", "--delete", *LABELS)
        server.settle()
    assert world.on_server() == [] and bodies(imap) == expected(50) == labelled(imap)


@pytest.mark.parametrize("way", ["in", "out"])
def test_cut_anywhere_each_message_is_there_once_with_its_labels(tmp_path, certs, way):
    def deliver(at):
        home = tmp_path / str(at)
        home.mkdir()
        world = World(home)
        world.fill(2, lines=2)
        with world.server("--delete") as server, running(certs, capabilities=GMAIL, **{f"octets_{way}": at}) as imap:
            process = start(world, server.port, imap.url(), certs / "ca.pem", "--delete", *LABELS)
            process.communicate(timeout=DEADLINE)
            sync(world, server.port, imap.url(), certs / "ca.pem", "--delete", *LABELS)
            server.settle()
            assert world.on_server() == [] and bodies(imap) == sorted(crlf(message(i, 2)) for i in range(2)) == labelled(imap), at
            return imap.moved[way]

    for at in range(1, deliver(-1), 41):
        deliver(at)


# ---- mistakes in the configuration ----


@pytest.mark.parametrize("options, said", [
    (["--imap", "example.org"], "expected: imaps://USER@HOST/FOLDER"),
    (["--imap", "imaps://example.org/INBOX"], "expected: imaps://USER@HOST/FOLDER"),
    (["--imap", "imaps://me:secret@example.org/INBOX"], "it must not contain a password"),
    (["--imap", "imaps://me@example.org/a%0d%0ab"], "expected: imaps://USER@HOST/FOLDER"),
    (["--imap", "imaps://me@h/", "--flags", "a) {1}"], "expected: flags"),
    (["--imap", "imaps://me@h/", "--flags", "a\n"], "expected: flags"),
    (["--imap", "imaps://me@h/", "--internal-date", "x"], "expected: received, date or now"),
    (["--imap", "imaps://me@h/", "--maildir", "M"], "more than one target")])  # fmt: skip
def test_mistakes_are_told(world, options, said):
    errors = refused_configuration(world, *options)
    assert said in errors and "secret" not in errors, errors


@pytest.mark.parametrize("host", ["[::1]", "localhost"])
def test_a_server_has_an_address_of_ipv6(world, certs, imapd, host):
    try:
        imap = imapd(address="::1")
    except OSError:
        pytest.skip("there is no IPv6")
    world.fill(3, lines=5)
    with world.server() as server:
        sync(world, server.port, imap.url(host=host), certs / "ca.pem", command=DNS_COMMAND, POP3_TEST_ADDRESS="::1")
    assert bodies(imap) == expected(3)


# ---- Dovecot ----

@pytest.fixture(scope="module")
def dovecot():
    if interop.why_unavailable() is not None:
        pytest.skip("Dovecot cannot be run here")
    if not interop.has_protocol("imap"):
        pytest.skip("Dovecot has no IMAP here (package dovecot-imapd)")
    with interop.Dovecot(maildirs={"user": None}, protocols=["imap"]) as server:
        yield server


def in_dovecot(dovecot, folder):
    """The messages of a folder, without the line that was put in front of them."""
    path = dovecot.maildir("user") / folder
    return sorted(crlf(file.read_text()).split(b"\r\n", 1)[1] for sub in ("new", "cur") for file in (path / sub).iterdir())


@pytest.mark.interrupted("IMAP", "killed at marked points")
@pytest.mark.parametrize("point", [None, "imap-answered:30", "delivered-recorded"])
def test_dovecot_has_every_message_once(world, dovecot, point):
    world.fill(100, lines=5)
    world.put("a", "Date: Mon, 2 Nov 2026 03:04:05 GMT\nSubject: dots\n\n.\n..\n.text\n")
    world.put("b", "Subject: hé\n\n8 bits: é\n")
    (world.path / "imap-password").write_text(dovecot.password + "\n")
    (world.path / "imap-password").chmod(0o600)
    folder = (point or "plain").replace(":", "-")
    url = f"imaps://{dovecot.user}@localhost:{dovecot.imaps_port}/{folder}"
    with world.server("--delete") as server:
        if point is not None:
            process = start(world, server.port, url, dovecot.ca_file, "--delete", point=point)
            process.communicate(timeout=DEADLINE)
            assert process.returncode == -signal.SIGKILL, "the point was not reached"
            server.settle()
        sync(world, server.port, url, dovecot.ca_file, "--delete", "--flags", r"\Seen", command=COMMAND)
        server.settle()
    assert world.on_server() == []
    others = [crlf("Date: Mon, 2 Nov 2026 03:04:05 GMT\nSubject: dots\n\n.\n..\n.text\n"), crlf("Subject: hé\n\n8 bits: é\n")]
    assert in_dovecot(dovecot, "." + folder) == sorted([*expected(100), *others])
    if point is None:
        times = {int(file.stat().st_mtime) for file in (dovecot.maildir("user") / ("." + folder) / "cur").iterdir()}
        assert 1793588645 in times, "the internal date"
