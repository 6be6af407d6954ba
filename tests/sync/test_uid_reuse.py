"""Nothing is deleted that was not retrieved, and nothing new is taken for what is known: servers that use unique-ids
again, have none, or give new ones, and devices that send the same header again and again."""

import json
import os
import pty
import signal
import sqlite3
import subprocess

import pytest

from test_sync import numbers
from world import COMMAND, CRASH_COMMAND, DEADLINE, message

NO_UIDL = ["--refuse", "UIDL", "--no-capa", "UIDL"]


def alarm(n, more=0):
    """What a device sends that has no clock: the header is the same, and so is the size, unless there is more."""
    return f"From: device@example.org\nSubject: ALARM\n\nsensor {n:05} at {n:07}\n{'x' * more}"


def play_each(world, sessions, *options):
    """A server that plays a script for each connection, the last one from then on."""
    files = []
    for i, script in enumerate(sessions):
        path = world.path / f"session{i}"
        path.write_text(script + "\nserve\n")
        files += ["--script", path]
    return world.server(*files, *options)


def uidl(*ids):
    """An answer to UIDL."""
    lines = "".join(f'; line "{n} {uid}" ' for n, uid in ids)
    return f'on UIDL {{ line "+OK" {lines}; line "." }}'


def retrieved_or_kept(world, count):
    """Each alarm was delivered, or is still on the server."""
    got = world.delivered() + world.on_server()
    return {alarm(n).encode() for n in range(count)} <= set(got)


# ---- deleted unread ----


@pytest.mark.parametrize("removal", [["--delete"], ["--delete-after", "1d"], []], ids=["delete", "after", "keep"])
@pytest.mark.parametrize("how", ["no-uidl", "same-id", "numbers"])
def test_a_later_message_with_the_same_header_is_delivered_before_it_is_deleted(world, how, removal):
    scripts = {"no-uidl": "", "same-id": uidl((1, "A")), "numbers": uidl((1, "1"))}
    options = NO_UIDL if how == "no-uidl" else []
    mails = []
    with play_each(world, [scripts[how]], *options, "--delete") as server:
        for n in range(4):
            for file in world.drop.iterdir():  # another client deletes
                file.unlink()
            mails.append(alarm(n, 0 if removal == ["--delete"] else n))
            world.put("mail", mails[-1])
            world.sync(server.port, *removal)
            server.wait_for("C: QUIT", n + 1)
    assert sorted(m.rstrip(b"\n") for m in world.delivered()) == sorted(m.rstrip("\n").encode() for m in mails)
    assert len(world.on_server()) == (removal != ["--delete"])


@pytest.mark.parametrize("pipelining", ["auto", "off"])
@pytest.mark.parametrize("how", ["no-uidl", "numbers"])
def test_what_is_deleted_by_its_age_was_delivered(world, how, pipelining):
    """Another client deletes the first two of five, two new ones come, and all of them seem to be due."""
    five, two = ({"no-uidl": "", "numbers": uidl(*((n, n) for n in range(1, count + 1)))}[how] for count in (5, 2))
    options = NO_UIDL if how == "no-uidl" else []
    for n in range(5):
        world.put(f"{n:03}", alarm(n))
    words = ["--delete-after", "1d", "--pipelining", pipelining]
    with play_each(world, [five, five, two], *options, "--delete") as server:
        world.sync(server.port, *words)
        for n in range(2):
            (world.drop / f"{n:03}").unlink()
            world.put(f"{n + 5:03}", alarm(n + 5))
        with sqlite3.connect(world.state) as db:
            db.execute("UPDATE message SET time = time - 2 * 86400")
        db.close()
        for _ in range(3):
            world.sync(server.port, *words)
    assert retrieved_or_kept(world, 7)
    assert len(world.delivered()) == 7 and len(world.on_server()) == 2


def test_a_lost_answer_to_quit_deletes_no_other_message_later(world):
    """The server deleted, its answer was lost, and a new message has got the unique-id and the header."""
    world.put("a", alarm(1))
    lost = uidl((1, "A")) + "\non QUIT { close }"
    with play_each(world, [lost, "close", uidl((1, "A"))], "--delete") as server:
        world.sync(server.port, "--delete", status=75)
        (world.drop / "a").unlink()
        world.put("a", alarm(2))
        world.sync(server.port, "--delete")
    assert set(world.delivered()) == {alarm(1).encode(), alarm(2).encode()}
    assert world.on_server() == []


@pytest.mark.parametrize("options", [[], NO_UIDL], ids=["uidl", "no-uidl"])
@pytest.mark.parametrize("mail", [alarm, message], ids=["alarm", "message"])
def test_what_was_to_be_deleted_and_is_still_there_is_compared_and_not_delivered_again(world, mail, options):
    """The server says that it deletes, or hangs up, and does not."""
    for n in range(3):
        world.put(f"{n:03}", mail(n))
    ends = ["on QUIT { close }"] * 4 + ['on QUIT { line "+OK bye" }']
    with play_each(world, ends, *options) as server:
        world.sync(server.port, "--delete", status=75)
        for _ in range(3):
            world.sync(server.port, "--delete")
    if mail is message or not options:
        assert len(world.delivered()) == 3
    else:  # without unique-ids it may as well be a new alarm
        assert 3 <= len(world.delivered()) <= 3 + 3 * 3


def test_a_server_that_never_deletes_is_not_asked_to_for_ever(world):
    world.fill(3)
    with world.server("--script", script(world, 'on QUIT { line "+OK" }\nserve')) as server:
        for _ in range(8):
            world.sync(server.port, "--delete")
        server.wait_for("C: QUIT", 8)
        assert server.count("C: DELE 1") <= 4
        assert server.count("C: RETR 1") <= 4
    assert len(world.delivered()) == 3


def script(world, text):
    path = world.path / "script"
    path.write_text(text + "\n")
    return path


def test_what_has_the_unique_id_the_header_and_the_size_of_a_delivered_message_is_not_deleted_unread(world):
    with play_each(world, [uidl((1, "A"))], "--delete") as server:
        for n in range(3):
            world.put("mail", alarm(n))
            world.sync(server.port, "--delete-after", "1d")
            if n > 0:
                assert alarm(n).encode() in world.delivered()
            with sqlite3.connect(world.state) as db:
                db.execute("UPDATE message SET time = time - 2 * 86400")
            db.close()


# ---- a run that fills the disk ----


def crashing(world, sessions, count):
    """A server that crashes at QUIT, and gives new unique-ids in each session."""
    return [uidl(*((n + 1, f"s{i}-{n}") for n in range(count))) + "\non QUIT { close }" for i in range(sessions)]


@pytest.mark.parametrize("mail", [alarm, message], ids=["alarm", "message"])
def test_a_server_that_crashes_at_quit_and_renumbers_makes_no_copies(world, mail):
    for n in range(3):
        world.put(f"{n:03}", mail(n))
    with play_each(world, crashing(world, 30, 3)) as server:
        for _ in range(3):
            world.sync(server.port, "--delete", status=75)
        server.settle()
        assert server.count("C: QUIT") <= 12
    assert len(world.delivered()) == 3


def test_one_crash_at_quit_with_new_unique_ids_doubles_nothing_that_is_there(world):
    world.fill(20)
    scripts = [uidl(*((n + 1, f"old{n}") for n in range(20))), crashing(world, 1, 20)[0], ""]
    with play_each(world, scripts, "--delete") as server:
        world.sync(server.port)
        world.sync(server.port, "--delete")
    assert numbers(world) == list(range(20))
    assert world.on_server() == []


def test_a_server_that_makes_new_messages_of_those_that_were_delivered_fills_no_disk(world):
    """New unique-ids and new headers in each session, for as long as one comes."""
    sessions = []
    for i in range(40):
        mails = "\n".join(
            f'on "{what} {n}" {{ line "+OK" ; line "Message-ID: <{i}.{n}>" ; line "" ; line "x" ; line "." }}'
            for n in (1, 2, 3) for what in ("RETR", "TOP")
        )  # fmt: skip
        tops = mails.replace('"TOP 1"', '"TOP 1 0"').replace('"TOP 2"', '"TOP 2 0"').replace('"TOP 3"', '"TOP 3 0"')
        sessions.append(f"{crashing(world, i + 1, 3)[-1]}\n{tops}")
    for n in range(3):
        world.put(f"{n:03}", alarm(n))
    with play_each(world, sessions) as server:
        told = world.sync(server.port, "--delete", status=75)
    assert 3 <= len(world.delivered()) <= 6
    assert "waits for the next run" in told or "was not confirmed" in told


def test_what_a_killed_run_delivered_and_the_server_lists_no_more_is_no_copy(world):
    """Four were delivered and not recorded; another client has deleted three of them, and a new one came."""
    world.fill(4)
    with world.server() as server:
        killed = subprocess.run(
            world.sync_command(server.port, command=CRASH_COMMAND), capture_output=True,
            env=world.environment(POP3_TEST_CRASH_AT="folder-synced:1"), timeout=DEADLINE)  # fmt: skip
        assert killed.returncode == -signal.SIGKILL and len(world.delivered()) == 4
        for n in range(3):
            (world.drop / f"{n:06}").unlink()
        world.fill(1, first=9)
        world.sync(server.port)
    assert numbers(world) == [0, 1, 2, 3, 9]


# ---- unique-ids that are used again ----


def test_a_new_unique_id_with_an_equal_header_is_a_new_message(world):
    """All that was kept is gone, and something with another unique-id and the same header is there."""
    with play_each(world, [uidl((1, "A")), uidl((1, "B")), uidl((1, "C"), (2, "B"))]) as server:
        for n in range(2):
            world.put("mail", alarm(n))
            world.sync(server.port)
        world.put("another", alarm(2))
        world.sync(server.port)
    assert world.delivered() == [alarm(n).encode() for n in range(3)]


@pytest.mark.parametrize("again", ["once", "counting", "numbers"])
def test_kept_mail_under_unique_ids_that_are_used_again_does_not_keep_new_mail_away(world, again):
    """The mailbox is emptied and filled again, in each session with the same unique-ids."""
    ids = {"once": ["x7", "y9", "z3"], "counting": ["0001", "0002", "0003"], "numbers": ["1", "2", "3"]}[again]
    with play_each(world, [uidl(*enumerate(ids, 1))]) as server:
        for first in (0, 3, 6):
            for file in world.drop.iterdir():
                file.unlink()
            world.fill(3, first=first, lines=20 + first)
            world.sync(server.port)
            world.sync(server.port)
            assert numbers(world) == list(range(first + 3))


FIELDS = ["X-IMAPbase: 1 2", "X-Mozilla-Status: 0001", "X-Spam-Score: 3.1\n\tmore", "Status: RO", "X-UID: 7"]


@pytest.mark.parametrize("options", [[], NO_UIDL], ids=["uidl", "no-uidl"])
def test_fields_that_servers_add_make_no_new_message(world, options):
    world.fill(3)
    with world.server("--delete", *options) as server:
        world.sync(server.port)
        for file in world.drop.iterdir():
            header, body = file.read_text().split("\n\n", 1)
            file.write_text("\n".join([header, *FIELDS]) + "\n\n" + body)
        world.sync(server.port)
        world.sync(server.port, "--delete")
    assert len(world.delivered()) == 3
    assert world.on_server() == []


@pytest.mark.parametrize("how", ["top", "no-top", "killed"])
def test_mail_whose_header_changes_at_each_visit_comes_once_more_and_goes(world, how):
    """A proxy or a filter that adds a field as it passes messages on, with a time of its own in it."""
    options = ["--no-capa", "TOP", "--refuse", "TOP"] if how == "no-top" else []
    world.fill(3)
    mails = {file.name: file.read_text() for file in world.drop.iterdir()}
    with world.server("--delete", *options) as server:
        for n in range(6):
            for file in world.drop.iterdir():
                file.write_text(f"X-Antivirus: passed on at {n}\n" + mails[file.name])
            if how == "killed" and n == 2:
                words = world.sync_command(server.port, "--delete-after", "1d", command=CRASH_COMMAND)
                subprocess.run(words, env=world.environment(POP3_TEST_CRASH_AT="before-quit:1"), capture_output=True, timeout=DEADLINE)
                assert len(world.on_server()) == 3
                continue
            world.sync(server.port, "--delete-after", "1d")
            if n == 1:
                meddle(world, "UPDATE message SET time = time - 2 * 86400")
    got = [mail.split(b"\n", 1) for mail in world.delivered()]
    assert {text for _, text in got} == {mail.encode() for mail in mails.values()}
    assert sorted(field[-1:] for field, _ in got) == [*[b"0"] * 3, *[b"2"] * 3, *[b"3"] * 3 * (how == "killed")]
    assert world.on_server() == []


SAME_SIZE = "Message-ID: <%d@example.org>\n\nnumber %d, and no other\n"

TOPS = {
    "top": [],
    "no-top": ["--no-capa", "TOP", "--refuse", "TOP"],
    "one-at-a-time": ["--no-pipelining"],
    "one-deletion": [],  # and then QUIT
}


@pytest.mark.parametrize("how", TOPS)
@pytest.mark.parametrize("removal", [["--delete"], ["--delete-after", "1d"]], ids=["delete", "after"])
def test_what_took_the_unique_id_and_the_size_of_kept_mail_is_delivered_before_it_is_deleted(world, how, removal):
    """Another client deletes two of four that are kept, and the server gives their unique-ids to two new messages."""
    kept = removal if removal != ["--delete"] else []
    traits = ["--traits", "quit-after=1"] if how == "one-deletion" else []
    for n in range(4):
        world.put(f"{n:03}", SAME_SIZE % (n, n))
    with world.server("--delete", *TOPS[how]) as server:
        world.sync(server.port, *kept)
        for n in (1, 2):
            world.put(f"{n:03}", SAME_SIZE % (n + 3, n + 3))
        meddle(world, "UPDATE message SET time = time - 2 * 86400")
        server.forget()
        for _ in range(2):
            world.sync(server.port, *removal, *traits)
        retrieved = len(server.commands("RETR"))
    assert world.delivered() == sorted((SAME_SIZE % (n, n)).encode() for n in range(6))
    assert len(world.on_server()) == (0 if removal == ["--delete"] else 2)
    if removal == ["--delete"]:  # what the header says is another is compared, and retrieved; without TOP all are compared
        assert retrieved == (6 if how == "no-top" else 4)


@pytest.mark.parametrize("options", [[], ["--no-pipelining"]], ids=["together", "one-at-a-time"])
@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("cut", ["UIDL", "TOP 1 0", "TOP 2 0"])
def test_it_is_so_when_connections_are_lost_before_it_was_looked_at(world, cut, times, options):
    for n in range(4):
        world.put(f"{n:03}", SAME_SIZE % (n, n))
    lost = [f'on "{cut}" {{ close }}'] * times
    with play_each(world, ["", *lost, ""], "--delete", *options) as server:
        world.sync(server.port)
        for n in (1, 2):
            world.put(f"{n:03}", SAME_SIZE % (n + 3, n + 3))
        world.sync(server.port, "--delete")
    assert world.delivered() == sorted((SAME_SIZE % (n, n)).encode() for n in range(6))
    assert world.on_server() == []


@pytest.mark.parametrize("options", [[], ["--no-pipelining"]], ids=["together", "one-at-a-time"])
@pytest.mark.parametrize("way", ["close", "delay 4000", 'line "noise"'], ids=["closed", "silent", "noise"])
def test_what_cannot_be_looked_at_stays_and_new_mail_comes(world, way, options):
    """Each session breaks when the server is asked for kept mail, by TOP or RETR."""
    for n in range(4):
        world.put(f"{n:03}", SAME_SIZE % (n, n))
    asked = "".join(f'on "{word}" {{ {way} }}\n' for n in range(1, 5) for word in (f"TOP {n} 0", f"RETR {n}"))
    with play_each(world, ["", asked], "--delete", *options) as server:
        world.sync(server.port)
        for n in (1, 2):
            world.put(f"{n:03}", SAME_SIZE % (n + 3, n + 3))
        world.put("004", SAME_SIZE % (6, 6))
        told = world.sync(server.port, "--delete", "--timeout", "1s", status=75)
    assert "could not be compared" in told or "could not be deleted" in told
    assert world.delivered() == sorted((SAME_SIZE % (n, n)).encode() for n in (0, 1, 2, 3, 6))
    assert {(SAME_SIZE % (n, n)).encode() for n in (4, 5)} <= set(world.on_server())


@pytest.mark.parametrize("top", ["refused", "made-up"])
def test_what_cannot_be_compared_does_not_keep_the_others(world, port, top):
    """Kept mail is to be deleted, and the reply to the first one's RETR ends early, in each session."""
    world.fill(2)
    with world.server("--port", port):
        world.sync(port)
    world.fill(1, first=2)
    early = 'on "RETR 1" { line "+OK" ; line "Subject: a" ; line "" ; line "." ; line "the rest" ; line "." }\n'
    made_up = 'on "TOP 1 0" { line "+OK" ; line "X-Made-Up: 1" ; line "" ; line "." }\n'
    script = early + (made_up if top == "made-up" else "")
    options = ["--no-capa", "TOP", "--refuse", "TOP"] if top == "refused" else []
    with play_each(world, [script], "--delete", "--port", port, *options):
        assert "could not be compared" in world.sync(port, "--delete", status=75)
    assert world.delivered() == sorted(message(i).encode() for i in range(3))
    assert world.on_server() == [message(0).encode()]


def test_looking_at_what_is_to_be_deleted_costs_a_top_each_and_what_is_kept_costs_nothing(world):
    world.fill(40)
    with world.server("--delete") as server:
        world.sync(server.port)
        server.forget()
        world.sync(server.port)
        assert server.commands("TOP") == server.commands("RETR") == []
        world.sync(server.port, "--delete")
        assert len(server.commands("TOP")) == 40 and server.commands("RETR") == []
    assert len(world.delivered()) == 40 and world.on_server() == []


@pytest.mark.parametrize("kept", [["--delete-after", "1d"], []], ids=["bodies-known", "bodies-unknown"])
def test_a_top_that_shows_another_header_makes_nothing_known_new(world, kept):
    """As some servers do, which make a header up of what they keep: the message itself is compared."""
    world.fill(3)
    tops = "".join(f'on "TOP {n} 0" {{ line "+OK" ; line "X-Made-Up: {n}" ; line "" ; line "." }}\n' for n in (1, 2, 3))
    with play_each(world, [tops], "--delete") as server:
        world.sync(server.port, *kept)
        world.sync(server.port, "--delete")
        assert len(server.commands("RETR")) == 6
    assert len(world.delivered()) == 3 and world.on_server() == []


# ---- sizes ----


def test_a_bound_on_the_size_holds_in_whatever_order_the_listings_come(world):
    for n in range(4):
        world.put(f"{n:03}", message(n, 5000 if n % 2 else 5))
    backwards = uidl(*((n, f"id{n}") for n in (4, 3, 2, 1)))
    with play_each(world, [backwards]) as server:
        assert "2 left alone" in world.sync(server.port, "--max-size", "50K")
    assert numbers(world) == [0, 2]


def test_sizes_beyond_4_gib_are_compared_added_and_shown_in_full(world):
    """5 GB, and what is left of that in 32 bits; each is what it is, and so is the sum."""
    sizes = [5_000_000_000, 705_032_704, 4_294_967_296, 4_294_967_295]
    for n in range(4):
        world.put(f"{n:03}", message(n, 5))
    listing = "".join(f'line "{n} {size}" ; ' for n, size in enumerate(sizes, 1))
    replies = f'on STAT {{ line "+OK 4 {sum(sizes)}" }}\non LIST {{ line "+OK" ; {listing}line "." }}\nserve'
    with world.server("--script", script(world, replies)) as server:
        url = f"pop3://user@127.0.0.1:{server.port}"
        done = {
            name: subprocess.run(
                [COMMAND, name, "--json", url, "--allow-plaintext", "--password-file", world.password_file],
                env=world.environment(), capture_output=True, text=True, check=True).stdout  # fmt: skip
            for name in ("stat", "list")
        }
        assert json.loads(done["stat"])["octets"] == sum(sizes)
        assert [json.loads(line)["octets"] for line in done["list"].splitlines()] == sizes
        assert "2 left alone" in world.sync(server.port, "--max-size", "4294967295")
    assert numbers(world) == [1, 3]


LISTED_SMALL = 'on LIST { line "+OK" ; line "1 100" ; line "2 100" ; line "." }\nserve'


@pytest.mark.parametrize("display", [False, True], ids=["pipe", "terminal"])
@pytest.mark.parametrize("words", [[], ["--max-size", "50M"]], ids=["no-limit", "max-size"])
def test_a_size_in_the_listing_is_but_a_hint_and_so_with_a_display(world, words, display):
    for n in range(2):
        world.put(f"{n}", message(n, 60000))  # 1.4 MB
    with world.server("--script", script(world, LISTED_SMALL)) as server:
        master, terminal = pty.openpty()
        done = subprocess.Popen(world.sync_command(server.port, *words), env=world.environment(TERM="xterm"),
                                stderr=terminal if display else subprocess.DEVNULL)  # fmt: skip
        os.close(terminal)
        if display:
            try:
                while os.read(master, 65536):
                    pass
            except OSError:  # the other side is closed
                pass
        assert done.wait(60) == 0
        os.close(master)
    assert numbers(world) == [0, 1]


# ---- a clock that was wrong ----


def meddle(world, sql):
    with sqlite3.connect(world.state) as db:
        db.execute(sql)
    db.close()


def deletes(world, server):
    """How many messages a run deletes by their age of 30 days."""
    before = server.count("C: DELE")
    world.sync(server.port, "--delete-after", "30d")
    return len(server.commands("DELE")) - before


def test_mail_that_was_delivered_when_the_clock_said_1970_has_its_age_from_the_next_run_on(world):
    world.fill(3)
    with world.server("--delete") as server:
        assert deletes(world, server) == 0
        meddle(world, "UPDATE message SET time = 5 * id")
        assert deletes(world, server) == 0
        meddle(world, "UPDATE message SET time = time - 31 * 86400")
        assert deletes(world, server) == 3


def test_what_a_jump_of_the_clock_makes_due_waits_for_a_day(world):
    day = 86400
    world.fill(3)
    with world.server("--delete") as server:
        assert deletes(world, server) == 0
        # As if the last run, and the delivery of two messages, had been 40 days ago; the third was due before.
        meddle(world, f"UPDATE account SET seen = seen - 40 * {day}")
        meddle(world, f"UPDATE message SET time = time - 40 * {day} - (id = 3) * 31 * {day}")
        assert deletes(world, server) == 1
        assert deletes(world, server) == 0
        meddle(world, f"UPDATE account SET jumped = jumped - {day}")
        assert deletes(world, server) == 2


def test_a_clock_that_went_back_makes_nothing_due(world):
    world.fill(1)
    with world.server("--delete") as server:
        assert deletes(world, server) == 0
        meddle(world, "UPDATE account SET seen = seen + 5000 * 86400")
        meddle(world, "UPDATE message SET time = time + 5000 * 86400")
        for _ in range(2):
            assert deletes(world, server) == 0
        meddle(world, "UPDATE account SET jumped = jumped - 86400")
        meddle(world, "UPDATE message SET time = time - 31 * 86400")
        assert deletes(world, server) == 1


@pytest.mark.parametrize("count", [2, 5])
def test_messages_with_equal_headers_that_change_places_are_compared_with_each_other(world, count):
    """As tcllib lists them, whose numbers are not in the order of arrival, when another one comes."""
    for n in range(count):
        world.put(f"{n:03}", alarm(n))
    with world.server(*NO_UIDL, "--delete") as server:
        world.sync(server.port)
        for n in range(count):
            (world.drop / f"{n:03}").rename(world.drop / f"{(n * 2 + 1) % count + 10:03}")
        world.put("999", alarm(count))
        world.sync(server.port, "--delete")
    assert world.delivered() == sorted(alarm(n).encode() for n in range(count + 1))
    assert world.on_server() == []


def test_lines_that_end_in_two_carriage_returns_have_a_header_of_their_own(world):
    """As tcllib sends them: messages with equal headers are compared, and not doubled."""
    for n in range(2):
        world.put(f"{n:03}", alarm(n).replace("\n", "\r\r\n"))
    with world.server(*NO_UIDL, "--delete") as server:
        world.sync(server.port)
        world.sync(server.port, "--delete")
    assert len(world.delivered()) == 2 and world.on_server() == []
