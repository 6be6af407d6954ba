"""One mailbox, many recipients: `recipients-from` finds them in the header, `map-recipients` says who they are, and each gets the
message at least once; those who have it do not get it again because others refused it."""

import contextlib
import re
import signal
import subprocess
import sys

import pytest

from lmtpd import CAPABILITIES, Cut, Lmtpd, Smtpd, running
from sent import refused, refused_configuration
from world import COMMAND, CRASH_COMMAND, DEADLINE, ROOT, World

sys.path.insert(0, str(ROOT / "tests/interop"))
import dovecot as interop  # noqa: E402

TABLE = "anna@example.org -> anna@in, bob@example.org -> bob@in, cleo@example.org -> cleo@in, @sales.example -> anna@in"
EVERYBODY = {"anna@in", "bob@in", "cleo@in", "post@in"}
ALL = "anna@example.org, bob@example.org, cleo@example.org"


def mail(i, to, more="", field="Envelope-To"):
    return f"{field}: {to}\nReceived: from a; id {i}\n{more}From: ann@example.org\nSubject: number {i}\nMessage-ID: <{i}@x>\n\ntext {i}\n"


class Post:
    """An account with many recipients, and the server that it delivers to."""

    def __init__(self, world, server):
        self.world, self.server = world, server
        self.settings = (f"lmtp = {server.where}\nrecipients-from = Delivered-To, X-Original-To, Envelope-To\n"
                         f"map-recipients = {TABLE}\npostmaster = post@in\n")  # fmt: skip

    def start(self, name, port, *options, point=None):
        config = self.world.path / "accounts"
        config.write_text(f"[a]\nurl = pop3://user@127.0.0.1:{port}\npassword-file = {self.world.password_file}\n"
                          f"allow-plaintext = yes\n{self.settings}")  # fmt: skip
        env = self.world.environment(**({"POP3_TEST_CRASH_AT": point} if point else {}))
        return subprocess.Popen([CRASH_COMMAND if point else COMMAND, name, "--config", config, "--state", self.world.state, *options],
                                env=env, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip

    def run(self, name, port, *options, status=0, point=None):
        process = self.start(name, port, *options, point=point)
        said, errors = process.communicate(timeout=DEADLINE)
        assert process.returncode == status, (process.returncode, said, errors)
        return said + errors

    def got(self):
        """Who got which message, sorted."""
        return sorted((re.search(rb"Subject: number (\d+)", m.text)[1].decode(), m.recipient) for m in self.server.mails)


@pytest.fixture
def post(world):
    with contextlib.ExitStack() as stack:

        def make(*arguments, **options):
            return Post(world, stack.enter_context(running(world.path / "lmtp", *arguments, **options)))

        yield make


def test_each_message_goes_to_whom_its_header_names_and_to_nobody_else(world, post):
    to = post()
    world.put("1", mail(1, "anna@example.org", field="Delivered-To"))
    world.put("2", mail(2, "Bob@Example.ORG", "Delivered-To: anna@elsewhere\n", field="X-Original-To"))
    world.put("3", mail(3, "bob@example.org, anna@example.org, x@sales.example"))
    world.put("4", mail(4, "nobody@example.org", "To: anna@example.org\nCc: bob@example.org\n"))
    world.put("5", "To: anna@example.org\nSubject: number 5\n\ntext\n")
    with world.server("--delete") as server:
        to.run("sync", server.port, "--delete")
        server.settle()
    # of the second, Delivered-To: is there, and comes first in the setting
    assert to.got() == [("1", "anna@in"), ("2", "post@in"), ("3", "anna@in"), ("3", "bob@in"), ("4", "post@in"), ("5", "post@in")]
    assert to.server.connections == 1 and to.server.begun == 5 and world.on_server() == [] and refused(world) == []


def test_a_file_has_the_table_and_recipient_is_the_postmaster_where_none_is_set(world, post):
    to = post()
    table = world.path / "table"
    table.write_text("# who is who\n\nanna@example.org -> anna@in\n@example.org -> bob@in\n")
    to.settings = to.settings.replace(TABLE, str(table)).replace("postmaster", "recipient")
    for i, address in enumerate(["anna@example.org", "x@example.org", "x@y"]):
        world.put(str(i), mail(i, address))
    with world.server() as server:
        to.run("sync", server.port)
        assert to.got() == [("0", "anna@in"), ("1", "bob@in"), ("2", "post@in")]
        table.write_text("anna@example.org > anna@in\n")
        assert f"{table}, line 1: \"anna@example.org > anna@in\" cannot be used" in to.run("sync", server.port, status=78)
        table.unlink()
        assert "map-recipients: reading" in to.run("sync", server.port, status=78)


HOSTILE = ["anna@example.org>\r\n RCPT TO:<eve@evil>", "x\r\nRCPT TO:<eve@evil>", "<eve@evil>", "\"a\\\" eve@evil\"@example.org",
           "eve@evil\x00", "eve@evil\x0b", "e" * 5000 + "@evil", "é@evil", "anna@in", "*", "@sales.example", ",".join("x@%d" % i for i in range(3000)),
           "anna@example.org\n X-POP3-Recipient: eve@evil", "(" * 500 + "eve@evil"]  # fmt: skip


def test_no_address_of_a_header_gets_to_the_server(world, post):
    to = post()
    for i, address in enumerate(HOSTILE):
        world.put(f"{i:02}", mail(i, address).encode())
    with world.server() as server:
        to.run("sync", server.port)
    assert len(to.server.mails) == len(HOSTILE) and {m.recipient for m in to.server.mails} <= EVERYBODY
    words = [line for line in to.server.lines if not line.startswith(("MAIL FROM:<ann@example.org>", "DATA", "LHLO", "QUIT"))]
    assert {line for line in words if line.startswith("RCPT")} == set(words) and not any("evil" in line for line in words)


@pytest.mark.parametrize("step", ["rcpt", "message"])
@pytest.mark.parametrize("reply", ["550 5.1.1 no\x1b such user", "452 4.2.2 full"])
def test_who_has_it_does_not_get_it_again_and_for_the_others_it_is_kept(world, post, step, reply):
    to = post()
    to.server.of_recipient = lambda at, whom: reply if at == step and whom in ("bob@in", "cleo@in") else None
    world.put("1", mail(1, ALL))
    world.put("2", mail(2, "anna@example.org"))
    with world.server("--delete") as server:
        told = to.run("sync", server.port, "--delete", status=78 if (step, reply[0]) == ("rcpt", "5") else 0)
        server.settle()
        assert world.on_server() == [] and to.got() == [("1", "anna@in"), ("2", "anna@in")]
        assert "message 1: delivering by LMTP: 2 of 3 recipients did not get it: the server refuses" in told and reply[:9] in told
        kept = sorted(text.split(b"\n", 3) for text in refused(world))
        assert [lines[1] for lines in kept] == [b"X-POP3-Recipient: bob@in", b"X-POP3-Recipient: cleo@in"]
        for lines, name in zip(kept, (b"bob@in", b"cleo@in")):
            assert lines[0].startswith(b"X-POP3-Refused: the server refuses the ") and name + b": " + reply[:9].encode() in lines[0]
            assert lines[3] == mail(1, ALL).encode()
        sent = to.server.mails[0].delivery
        to.server.of_recipient = lambda at, whom: reply if whom == "cleo@in" else None
        to.run("retry", server.port, status=78 if reply.startswith("5") else 75)
        assert to.got() == [("1", "anna@in"), ("1", "bob@in"), ("2", "anna@in")] and len(refused(world)) == 1
        to.server.of_recipient = lambda at, whom: None
        to.run("retry", server.port)
    assert to.got() == [("1", "anna@in"), ("1", "bob@in"), ("1", "cleo@in"), ("2", "anna@in")] and refused(world) == []
    assert {m.delivery for m in to.server.mails if b"number 1" in m.text} == {sent}


def test_what_all_refuse_for_good_is_kept_once_and_given_later_to_those_who_take_it(world, post):
    to = post()
    to.server.of_recipient = lambda at, whom: "550 5.1.1 no" if at == "rcpt" else None
    world.put("1", mail(1, ALL))
    with world.server("--delete") as server:
        told = to.run("sync", server.port, "--delete", status=78)
        server.settle()
        assert "; the same for all 3 recipients; it is kept in" in told and len(refused(world)) == 1 and world.on_server() == []
        to.server.of_recipient = lambda at, whom: "550 5.1.1 no" if whom == "bob@in" else None
        assert ", line 1: " in to.run("retry", server.port, "--quiet", status=78)  # the line is still wrong
        assert to.got() == [("1", "anna@in"), ("1", "cleo@in")]
        assert [text.split(b"\n")[1] for text in refused(world)] == [b"X-POP3-Recipient: bob@in"]
        to.server.of_recipient = lambda at, whom: None
        to.run("retry", server.port)
    assert to.got() == [("1", "anna@in"), ("1", "bob@in"), ("1", "cleo@in")] and refused(world) == []


def test_what_nobody_has_and_somebody_may_take_later_stays_and_comes_again(world, post):
    to = post()
    to.server.of_recipient = lambda at, whom: "452 4.2.2" if whom == "bob@in" else "550 5.1.1"
    world.put("1", mail(1, "anna@example.org, bob@example.org"))
    with world.server("--delete") as server:
        assert "452 4.2.2" in to.run("sync", server.port, "--delete", status=78)
        server.settle()
        assert len(world.on_server()) == 1 and refused(world) == [] and to.server.mails == []
        to.server.of_recipient = lambda at, whom: None
        to.run("sync", server.port, "--delete")
        server.settle()
    assert to.got() == [("1", "anna@in"), ("1", "bob@in")] and world.on_server() == []


def test_a_line_whose_recipient_is_refused_is_told_once_and_the_run_ends_with_it(world, post):
    to = post()
    to.server.of_recipient = lambda at, whom: "550 5.1.1 unknown" if whom in ("bob@in", "post@in") else None
    table = world.path / "table"
    table.write_text("# who is who\nanna@example.org -> anna@in\nbob@example.org -> bob@in\n")
    to.settings = to.settings.replace(TABLE, str(table))
    for i in range(4):
        world.put(str(i), mail(i, ("bob@example.org", "anna@example.org", "bob@example.org, anna@example.org", "x@y")[i]))
    with world.server("--delete") as server:
        told = to.run("sync", server.port, "--delete", status=78)
        server.settle()
        assert told.count(f"{table}, line 3: the server refuses the recipient bob@in: 550 5.1.1 unknown") == 1
        assert told.count("postmaster: the server refuses the recipient post@in: 550 5.1.1 unknown") == 1
        assert to.got() == [("1", "anna@in"), ("2", "anna@in")] and len(refused(world)) == 3 and world.on_server() == []
        table.write_text(table.read_text().replace("bob@in", "cleo@in"))
        to.settings = to.settings.replace("post@in", "anna@in")
        to.run("sync", server.port, "--continue")
        to.server.of_recipient = lambda at, whom: None
        to.run("retry", server.port)
    assert refused(world) == [] and {("0", "cleo@in"), ("3", "anna@in")} <= set(to.got())


def test_a_list_of_targets_tells_of_a_line_whose_recipient_is_refused(world, post):
    to = post()
    to.settings += f"deliver = lmtp, maildir\nmaildir = {world.path}/copy\n"
    to.server.of_recipient = lambda at, whom: "550 5.1.1 unknown" if whom == "bob@in" else None
    world.put("1", mail(1, "bob@example.org"))
    with world.server("--delete") as server:
        told = to.run("sync", server.port, "--delete", status=78)
        server.settle()
    assert "map-recipients, line 1: the server refuses the recipient bob@in: 550 5.1.1 unknown" in told
    assert world.on_server() == [] and len([*world.path.glob("copy/new/*")]) == 1


def test_a_word_that_is_lost_is_lost_for_one_recipient_alone(world, post):
    to = post()

    def cut(at, whom):
        if at == "message" and whom == "bob@in":
            to.server.of_recipient = lambda at, whom: None
            raise Cut

    to.server.of_recipient = cut
    world.put("1", mail(1, ALL))
    world.put("2", mail(2, "anna@example.org"))
    with world.server("--delete") as server:
        assert "2 of 3 recipients did not get it" in to.run("sync", server.port, "--delete")
        assert to.got() == [("1", "anna@in"), ("2", "anna@in")] and len(refused(world)) == 2
        to.run("retry", server.port)
    assert to.got() == [("1", "anna@in"), ("1", "bob@in"), ("1", "cleo@in"), ("2", "anna@in")] and refused(world) == []


def test_a_server_that_goes_with_its_answer_to_one_recipient_has_not_spoken_for_those_behind_him(world, post):
    to = post()
    to.server.of_recipient = lambda at, whom: "421 4.3.2 going" if at == "message" and whom == "bob@in" else None
    world.put("1", mail(1, ALL))
    with world.server("--delete") as server:
        assert "2 of 3 recipients did not get it" in to.run("sync", server.port, "--delete")
        notes = {text.split(b"\n")[1]: text.split(b"\n")[0] for text in refused(world)}
        assert set(notes) == {b"X-POP3-Recipient: bob@in", b"X-POP3-Recipient: cleo@in"}
        assert all(note.endswith(b"the server refuses the message for bob@in: 421 4.3.2 going") for note in notes.values()), notes
        to.server.of_recipient = lambda at, whom: None
        to.run("retry", server.port)
    assert {"anna@in", "bob@in", "cleo@in"} == {whom for _, whom in to.got()} and refused(world) == []


def test_a_message_that_goes_in_circles_is_kept(world, post):
    """Delivered-To: below the topmost Received: is of an earlier delivery."""
    to = post()
    to.settings = to.settings.replace("Delivered-To, ", "")
    world.put("1", mail(1, "anna@example.org", "Delivered-To: anna@in\n"))
    world.put("2", mail(2, ALL, "Delivered-To: BOB@in\n"))
    world.put("3", "Delivered-To: cleo@in\n" + mail(3, ALL, "Delivered-To: dan@in\n"))
    with world.server("--delete") as server:
        told = to.run("sync", server.port, "--delete")
        server.settle()
        assert to.got() == [("2", "anna@in"), ("2", "cleo@in"), ("3", "anna@in"), ("3", "bob@in"), ("3", "cleo@in")]
        assert "message 1: delivering by LMTP: a Delivered-To: line says that it has been delivered to anna@in before" in told
        assert len(refused(world)) == 2 and world.on_server() == []
        to.run("retry", server.port, status=69)
        assert len(refused(world)) == 2 and len(to.server.mails) == 5


def test_an_address_beyond_ascii_needs_a_server_for_it(world, post):
    to = post(capabilities=tuple(c for c in CAPABILITIES if c != "SMTPUTF8"))
    to.settings = to.settings.replace("bob@in", "böb@in")
    world.put("1", mail(1, "anna@example.org, bob@example.org"))
    world.put("2", mail(2, "bob@example.org"))
    with world.server("--delete") as server:
        told = to.run("sync", server.port, "--delete", status=78)
        server.settle()
    assert to.got() == [("1", "anna@in")] and world.on_server() == [] and len(refused(world)) == 2
    assert told.count("the server accepts only ASCII addresses (it has no SMTPUTF8): böb@in") == 3
    assert not any("SMTPUTF8" in line or "ö" in line for line in to.server.lines)


def test_with_smtputf8_it_is_announced(world, post):
    to = post()
    to.settings = to.settings.replace("bob@in", "böb@in")
    world.put("1", mail(1, "bob@example.org"))
    with world.server() as server:
        to.run("sync", server.port)
    assert to.got() == [("1", "böb@in")] and any(line.startswith("MAIL") and line.endswith(" SMTPUTF8") for line in to.server.lines)


def test_what_a_message_says_of_itself_is_no_note_of_ours(world, post):
    """Its own lines look like ours, in the Maildir of what was refused."""
    to = post()
    to.server.of_recipient = lambda at, whom: "550 5.1.1 no" if at == "rcpt" else None
    world.put("1", "X-POP3-Recipient: eve@evil\nX-POP3-Delivery: x\nX-POP3-Recipient: cleo@in\n" + mail(1, "anna@example.org"))
    with world.server("--delete") as server:
        to.run("sync", server.port, "--delete", status=78)
        server.settle()
        for file in world.path.glob("state.db.refused/*/new/*"):  # somebody who may write there names another
            file.with_name(f"{file.name}+0123456789abcdef").write_bytes(
                re.sub(rb"\nX-POP3-Delivery", b"\nX-POP3-Recipient: eve@evil\nX-POP3-Delivery", file.read_bytes(), count=1))
        to.server.of_recipient = lambda at, whom: None
        to.run("retry", server.port)
    assert to.got() == [("1", "anna@in"), ("1", "anna@in")] and refused(world) == []


def test_smtp_has_one_answer_for_all(world, certs):
    with running(certs, kind=Smtpd) as smtpd:
        to = Post(world, smtpd)
        to.settings = to.settings.replace("lmtp =", "smtp =") + f"smtp-ca-file = {certs}/ca.pem\nsmtp-password-command = echo smtp secret\n"
        smtpd.of_recipient = lambda at, whom: "550 5.1.1 no" if (at, whom) == ("rcpt", "bob@in") else None
        world.put("1", mail(1, ALL))
        world.put("2", mail(2, ALL))
        with world.server("--delete") as server:
            to.run("sync", server.port, "--delete", status=78)
            server.settle()
        assert to.got() == [(n, r) for n in "12" for r in ("anna@in", "cleo@in")] and world.on_server() == []
        assert [text.split(b"\n")[1] for text in refused(world)] == [b"X-POP3-Recipient: bob@in"] * 2


def have_all(to, world, names=(1, 2, 3)):
    """Each recipient has each message at least once, under one name, or it is kept for them."""
    kept = [(re.search(rb"Subject: number (\d+)", text)[1].decode(), text.split(b"\n")[1][18:].decode()) for text in refused(world)]
    assert len(kept) == len(set(kept))
    assert set(to.got()) | set(kept) == {(str(i), r) for i in names for r in ("anna@in", "bob@in", "cleo@in")}
    for i in names:
        assert len({m.delivery for m in to.server.mails if b"number %d\r\n" % i in m.text}) <= 1


@pytest.mark.interrupted("several recipients", "killed at marked points")
@pytest.mark.parametrize("point", ["lmtp-connected", "lmtp-announced:2", "lmtp-sent:2", "lmtp-answered:1", "lmtp-answered:2",
                                   "lmtp-answered:4", "refused-kept:1", "refused-kept:2", "tmp-write:2", "rename:2",
                                   "delivered-recorded", "before-quit"])  # fmt: skip
def test_killed_at_a_marked_point_everybody_gets_everything(world, post, point):
    to = post()
    to.server.of_recipient = lambda at, whom: "550 5.1.1" if (at, whom) == ("message", "bob@in") else None
    for i in (1, 2, 3):
        world.put(str(i), mail(i, ALL))
    with world.server("--delete") as server:
        to.run("sync", server.port, "--delete", status=-signal.SIGKILL, point=point)
        server.settle()
        to.run("sync", server.port, "--delete")
        server.settle()
        assert world.on_server() == []
        have_all(to, world)
        to.server.of_recipient = lambda at, whom: None
        to.run("retry", server.port)
        have_all(to, world)
    assert refused(world) == []


@pytest.mark.interrupted("pop3 retry", "killed at marked points")
@pytest.mark.parametrize("point", ["lmtp-sent:1", "lmtp-answered:1", "lmtp-answered:3", "refused-kept:1", "retry-delivered", "retry-removed"])
def test_a_retry_that_is_killed_loses_nothing(world, post, point):
    to = post()
    to.server.of_recipient = lambda at, whom: "550 5.1.1" if at == "rcpt" else None
    for i in (1, 2, 3):
        world.put(str(i), mail(i, ALL))
    with world.server("--delete") as server:
        to.run("sync", server.port, "--delete", status=78)
        to.server.of_recipient = lambda at, whom: "550 5.1.1" if (at, whom) == ("rcpt", "cleo@in") else None
        to.run("retry", server.port, status=-signal.SIGKILL, point=point)
        to.server.of_recipient = lambda at, whom: None
        to.run("retry", server.port)
        to.run("retry", server.port)
    have_all(to, world)
    assert refused(world) == []


@pytest.mark.parametrize("way", ["in", "out"])
def test_a_connection_cut_at_any_octet_loses_nothing(tmp_path, way, record_property):
    def deliver(at):
        home = tmp_path / str(at)
        home.mkdir()
        world = World(home)
        world.put("1", mail(1, ALL))
        with world.server("--delete") as server, running(world.path / "lmtp", **{f"octets_{way}": at}) as lmtpd:
            to = Post(world, lmtpd)
            process = to.start("sync", server.port, "--delete", "--no-sandbox")
            process.communicate(timeout=DEADLINE)
            assert process.returncode in (0, 75)
            to.run("sync", server.port, "--delete", "--no-sandbox")
            server.settle()
            assert world.on_server() == []
            have_all(to, world, names=(1,))
            return lmtpd.moved[way]

    points = range(1, deliver(-1), 7)
    for at in points:
        deliver(at)
    record_property("interrupted", ("several recipients", "cut", len(points)))


@pytest.mark.parametrize("options, said", [
    (["--lmtp", "h:24", "--recipients-from", "Delivered-To"], "recipients-from needs map-recipients"),
    (["--lmtp", "h:24", "--recipients-from", "Delivered-To", "--map-recipients", "* -> a@b"], "recipients-from needs postmaster"),
    (["--lmtp", "h:24", "--recipient", "a@b", "--map-recipients", "* -> a@b"], "map-recipients needs recipients-from"),
    (["--lmtp", "h:24", "--postmaster", "a@b"], "postmaster needs recipients-from"),
    (["--mbox", "M", "--recipients-from", "To", "--map-recipients", "* -> a@b"], "needs a target with recipients"),
    (["--lmtp", "h:24", "--postmaster", "p@q", "--recipients-from", "X To", "--map-recipients", "* -> a@b"], "not the name of a header field"),
    (["--lmtp", "h:24", "--postmaster", "p@q", "--recipients-from", "To", "--map-recipients", "a -> b"], "map-recipients, line 1"),
    (["--lmtp", "h:24", "--postmaster", "p@q", "--recipients-from", "To", "--map-recipients", "/"], "map-recipients: reading /: Is a directory"),
    (["--lmtp", "h:24", "--postmaster", "a>\nRSET", "--recipients-from", "To", "--map-recipients", "* -> a@b"], "a mail address")])  # fmt: skip
def test_mistakes_are_told(world, options, said):
    errors = refused_configuration(world, *options)
    assert said in errors, errors


def test_dovecot_gets_a_catch_all_shared_out(world):
    if interop.why_unavailable() is not None:
        pytest.skip("Dovecot cannot be run here")
    with interop.Dovecot(maildirs={"user": None, "anna@in": None, "post@in": None}, protocols=["lmtp"]) as dovecot:
        to = Post(world, Lmtpd(world.path / "none"))
        to.server.stop()
        to.settings = re.sub("lmtp = .*", f"lmtp = unix:{dovecot.lmtp_socket}", to.settings)
        world.put("1", mail(1, "anna@example.org"))
        world.put("2", mail(2, "anna@example.org, x@y, bob@example.org"))
        world.put("3", mail(3, "x@y"))
        with world.server("--delete") as server:
            told = to.run("sync", server.port, "--delete", status=78)
            server.settle()
        there = {user: sorted(re.search(rb"Subject: number (\d)", f.read_bytes())[1] for f in (dovecot.maildir(user) / "new").iterdir())
                 for user in ("anna@in", "post@in")}  # fmt: skip
    assert there == {"anna@in": [b"1", b"2"], "post@in": [b"2", b"3"]} and world.on_server() == []
    assert "1 of 3 recipients did not get it: the server refuses the recipient bob@in: 550 5.1.1" in told
    assert [text.split(b"\n")[1] for text in refused(world)] == [b"X-POP3-Recipient: bob@in"]


# ---- the guide ----


def guide():
    """The examples of docs/guide/mail-servers.md for a catch-all: blocks of lines that are indented."""
    text = (ROOT / "docs/guide/mail-servers.md").read_text().split("## One mailbox for many recipients")[1].split("\n## ")[0]
    return [re.sub("^    ", "", block.lstrip("\n"), flags=re.MULTILINE) for block in re.findall(r"(?:^    .*\n|^\n(?=    ))+", text, re.MULTILINE)]


def run_guide(world, server, lmtp, *, table, status=0):
    """The account of the guide, with nothing changed but the servers' addresses and the password."""
    account = next(block for block in guide() if "[catch-all]" in block)
    account = account.replace("pop3s://all@mail.example.org/", f"pop3://user@127.0.0.1:{server.port}")
    assert "~/.config/pop3/all.password" in account and "~/.config/pop3/recipients" in account
    folder = world.path / ".config/pop3"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipients").write_text(table)
    secret = folder / "all.password"
    secret.write_text(world.password_file.read_text())
    secret.chmod(0o600)
    config = folder / "config"
    config.write_text(f"lmtp = {lmtp}\nallow-plaintext = yes\n{account}")
    done = subprocess.run([COMMAND, "sync", "--config", config, "--state", world.state], env=world.environment(),
                          capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
    assert done.returncode == status, done.stderr


def test_the_example_of_the_guide_works_as_it_is_written(world):
    table = next(block for block in guide() if block.startswith("# address"))
    for i, to in enumerate(["anna@example.org", "sales@example.org", "bob@example.org", "x@old.example.org", "y@example.org"]):
        world.put(str(i), mail(i, to))
    world.put("5", mail(5, "bob@example.org", field="X-Original-To"))
    with world.server() as server, running(world.path / "lmtp") as lmtpd:
        run_guide(world, server, lmtpd.where, table=table)
        assert Post(world, lmtpd).got() == [("0", "anna@example.com"), ("1", "anna@example.com"), ("2", "bob@example.com"),
                                            ("3", "bob@example.com"), ("4", "me@example.com"), ("5", "bob@example.com")]  # fmt: skip


def test_the_table_feeds_folders_of_dovecot_as_the_guide_says(world):
    if interop.why_unavailable() is not None:
        pytest.skip("Dovecot cannot be run here")
    settings = next(block for block in guide() if "recipient_delimiter" in block)
    line = next(block for block in guide() if "+Sales" in block)
    world.put("1", mail(1, "sales@example.org"))
    world.put("2", mail(2, "anna@example.org, sales@example.org"))
    table = line + "anna@example.org -> anna@example.com\n"
    people = {"user": None, "anna@example.com": None, "me@example.com": None}
    with interop.Dovecot(maildirs=people, protocols=["lmtp"], extra_config=settings) as dovecot:
        with world.server() as server:
            run_guide(world, server, f"unix:{dovecot.lmtp_socket}", table=table)
        inbox = dovecot.maildir("anna@example.com")
        there = {folder: sorted(re.search(rb"Subject: number (\d)", f.read_bytes())[1] for f in (inbox / folder / "new").iterdir())
                 for folder in ("", ".Sales")}  # fmt: skip
    assert there == {"": [b"2"], ".Sales": [b"1", b"2"]}
