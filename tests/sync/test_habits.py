"""Servers with habits of their own do not keep mail from coming for ever: each run gets further, or says why not.

Each habit is played by pop3-testserver; what is learned about it shows in the next run.
"""

from __future__ import annotations

import subprocess

import pytest

from test_sessions import scripted
from world import COMMAND, DEADLINE, message


def numbers(world) -> list[int]:
    """The numbers of the messages that were delivered, each as often as it was."""
    return sorted(int(m.split(b"Subject: number ")[1].split(b"\n")[0]) for m in world.delivered())


# CAPA, UTF8, AUTH, UIDL, RETR, DELE and QUIT are the least that deletes a message that is not known yet: with fewer
# commands, one session retrieves and another deletes.
@pytest.mark.parametrize("most", range(5, 17))
@pytest.mark.parametrize("options", [["--delete"], []])
def test_a_server_that_ends_a_session_after_some_commands_is_emptied_in_one_run(world, most, options):
    """Also where what it does not take any more is QUIT, and so nothing was deleted."""
    world.fill(20)
    with world.server("--delete", "--most-commands", most) as server:
        world.sync(server.port, *options)
        assert numbers(world) == list(range(20))
        assert len(world.on_server()) == (0 if options else 20)
        server.settle()
        assert server.count(" open") <= 45


@pytest.mark.parametrize("words", [["--no-capa", "SASL", "--no-capa", "UTF8"], ["--no-pipelining", "--no-capa", "UTF8"]])
def test_few_commands_do_for_servers_that_announce_less(world, words):
    world.fill(6)
    with world.server("--delete", "--most-commands", 5, *words) as server:
        world.sync(server.port, "--delete")
    assert numbers(world) == list(range(6)) and world.on_server() == []


def test_no_deletion_counts_whose_quit_was_not_answered_however_few_commands_a_session_takes(world):
    """What is retrieved is read with UTF8, and what UTF8 is not sent for is not retrieved."""
    world.fill(6)
    with world.server("--delete", "--most-commands", 5) as server:
        events = world.events(server.port, "--delete")
        server.settle()
        retrieved = {line.split()[0] for line in server.lines if " C: RETR" in line}
        with_utf8 = {line.split()[0] for line in server.lines if line.endswith(" C: UTF8")}
        assert retrieved and retrieved <= with_utf8
    assert [e["deleted"] for e in events if e["event"] == "over"] == [6] and world.on_server() == []


def test_what_would_help_is_named_where_a_session_takes_too_few_commands_for_any_message(world):
    world.fill(6)
    with world.server("--delete", "--most-commands", 4) as server:
        told = world.sync(server.port, "--delete", status=75)
        assert "it ends each session after a few commands: --utf8 off and --traits no-capa" in told
        server.settle()
        assert server.count(" open") <= 12 and world.delivered() == []
        world.sync(server.port, "--delete", "--utf8", "off", "--traits", "no-capa", "--auth", "PLAIN")
    assert numbers(world) == list(range(6)) and world.on_server() == []


def test_what_was_tried_with_a_server_that_closes_at_quit_is_not_learned_before_quit_is_answered(world):
    world.fill(6)
    with scripted(world, *["on QUIT { close }\nserve\n"] * 5, options=["--delete"]) as server:
        world.sync(server.port, "--delete", status=75)
        server.settle()
        assert server.count("C: QUIT") == 4 and server.count("C: DELE") == 6 + 6 + 3 + 1
        server.forget()
        world.sync(server.port, "--delete")
        server.settle()
        assert server.count("C: QUIT") == 2 and server.count("C: DELE") == 6 + 6
    assert numbers(world) == list(range(6)) and world.on_server() == []


def test_known_mail_is_deleted_from_a_server_that_ends_sessions_early(world, port):
    world.fill(20)
    with world.server("--delete", "--port", port):
        world.sync(port)
    with world.server("--delete", "--port", port, "--most-commands", 11) as server:
        world.sync(server.port, "--delete")
        assert world.on_server() == [] and server.commands("RETR") == []
        server.forget()
        world.fill(12, first=20)
        world.sync(server.port, "--delete")
        assert world.on_server() == []
        assert server.count("close$") <= 6, "how many deletions a session takes was learned"
    assert numbers(world) == list(range(32))


@pytest.mark.parametrize("options", [[], ["--delete"]])
@pytest.mark.parametrize("most", [1, 2, 3])
@pytest.mark.parametrize("refused", [["CAPA"], ["CAPA", "UIDL"], ["UIDL", "TOP"], ["CAPA", "UIDL", "TOP", "NOOP"]])
def test_a_server_that_counts_refusals_is_not_asked_again_for_what_it_refuses(world, most, options, refused):
    world.fill(6)
    with world.server("--delete", "--most-errors", most, *(w for word in refused for w in ("--refuse", word))) as server:
        for _ in range(2):
            world.sync(server.port, *options)
            server.settle()
        server.forget()
        world.sync(server.port, *options)
        server.settle()
        server.wait_for("C: QUIT")
        assert server.count(" open") == 1, "it is remembered"
    assert numbers(world) == list(range(6)) and len(world.on_server()) == (0 if options else 6)


@pytest.mark.parametrize("options", [[], ["--delete"]])
def test_a_server_that_closes_when_commands_come_together_is_asked_one_at_a_time(world, options):
    world.fill(12)
    with world.server("--delete", "--most-together", 5) as server:
        world.sync(server.port, *options)
        assert numbers(world) == list(range(12))
        assert len(world.on_server()) == (0 if options else 12)
        server.forget()
        world.fill(8, first=12)
        world.sync(server.port, *options)
        assert server.count("close$") <= 1, "it was learned: one connection"
    assert numbers(world) == list(range(20))


def test_without_uidl_a_message_at_whose_retr_the_server_hangs_up_is_set_aside(world):
    world.fill(5)
    with scripted(world, *['on "RETR 2" {\n close\n}\nserve\n'] * 20, options=["--refuse", "UIDL"]) as server:
        told = world.sync(server.port, status=75)
    assert "message 2: each session ends when the server is asked for this message" in told
    assert set(numbers(world)) >= {0, 2, 3, 4}


def test_without_uidl_messages_are_looked_at_by_retr_where_the_server_hangs_up_at_top(world):
    world.fill(3)
    with scripted(world, "serve\n", *['on "TOP 2" {\n close\n}\nserve\n'] * 20, options=["--refuse", "UIDL"]) as server:
        world.sync(server.port)
        world.fill(2, first=3)
        world.sync(server.port)
    assert numbers(world) == [0, 1, 2, 3, 4]


BAD = {
    "closed": "close",
    "silent": "delay 4000",
    "noise": 'line "Subject: no status line"',
    "cut": 'line "+OK" ; line "Subject: cut" ; close',
    "endless": 'line "+OK" ; line "Subject: endless" ; line "" ; fill 900 "and so on\\r\\n" ; line "."',
    "early-end": 'line "+OK" ; line "Subject: a" ; line "" ; line "." ; line "the rest" ; line "."',
}


@pytest.mark.parametrize(("options", "removal"), [([], ["--delete"]), (["--no-pipelining"], ["--delete"]), ([], [])],
                         ids=["together", "one-at-a-time", "keep"])  # fmt: skip
@pytest.mark.parametrize("known", [False, True], ids=["new", "known"])
@pytest.mark.parametrize("way", BAD)
def test_one_bad_message_does_not_keep_the_others_from_coming(world, way, known, options, removal):
    """Whatever its RETR does to the session, of the run that retrieves it or of one that compares it."""
    world.fill(3)
    script = f'on "RETR 1" {{ {BAD[way]} }}\nserve\n'
    refused = ["--refuse", "TOP", "--no-capa", "TOP"]
    usual = ["serve\n"] if known else []
    with scripted(world, *usual, *[script] * 99, options=["--delete", *refused, *options]) as server:
        if known:
            world.sync(server.port)
            world.fill(2, first=3)
        for _ in range(2):
            told = world.sync(server.port, *removal, "--timeout", "1s", "--message-limit", "4K", status=None)
    count = 5 if known else 3
    assert set(numbers(world)) - {0} == set(range(1, count)) and message(0).encode() in world.on_server()
    if removal:
        assert world.on_server() == [message(0).encode()]
    assert "message 1" in told or (known and not removal)


# Where headers are looked at: what the server refuses and what is set.
LOOKS = {"filter": ([], ["--filter", "exit 0"]), "without UIDL": (["--refuse", "UIDL"], [])}


@pytest.mark.parametrize("asked", ["TOP", "TOP RETR"])
@pytest.mark.parametrize("looks", LOOKS)
@pytest.mark.parametrize("way", [way for way in BAD if way != "silent"])
def test_one_bad_message_whose_header_is_looked_at_does_not_keep_the_others_from_coming(world, way, looks, asked):
    """The filter's and that of a message without a unique-id. Silence is the same, but for the time."""
    refused, options = LOOKS[looks]
    known = looks != "filter"
    script = "".join(f'on "{word} 1" {{ {BAD[way]} }}\n' for word in asked.split()) + "serve\n"
    world.fill(3)
    with scripted(world, *(["serve\n"] if known else []), *[script] * 99, options=["--delete", *refused]) as server:
        if known:
            world.sync(server.port)
            world.fill(2, first=3)
        for _ in range(2):
            told = world.sync(server.port, "--delete", *options, "--message-limit", "4K", status=None)
    count = 5 if known else 3
    assert set(numbers(world)) - {0} == set(range(1, count)), told
    assert set(world.on_server()) <= {message(0).encode()}
    assert 0 in numbers(world) or world.on_server() == [message(0).encode()], "nothing is deleted unread"
    assert "message 1" in told or "not requested" in told or 0 in numbers(world)


def test_one_refused_top_costs_one_retr_and_not_the_run(world):
    world.fill(3)
    with scripted(world, "serve\n", 'on "TOP 2" {\n line "-ERR no"\n}\nserve\n', options=["--refuse", "UIDL"]) as server:
        world.sync(server.port)
        server.forget()
        world.sync(server.port)
        assert len(server.commands("TOP")) == 3 and len(server.commands("RETR")) == 1
    assert numbers(world) == [0, 1, 2]


def test_a_top_that_shows_another_header_doubles_the_mailbox_once_and_not_in_every_run(world):
    world.fill(3)
    wrong = "".join(
        f'on "TOP {n}" {{\n line "+OK"\n line "Subject: something else {n}"\n line ""\n line "."\n}}\n' for n in (1, 2, 3)
    )
    with scripted(world, *[wrong + "serve\n"] * 6, options=["--refuse", "UIDL"]) as server:
        for _ in range(4):
            world.sync(server.port)
    assert len(numbers(world)) <= 6, numbers(world)


@pytest.mark.parametrize("end", ['line ""\n line "."', 'line "."'], ids=["with an empty line", "without"])
def test_a_top_that_is_cut_at_2_kb_doubles_the_mailbox_once_and_not_in_every_run(world, end):
    filler = [f"X-Filler-{i}: {'x' * 50}" for i in range(80)]
    for n in range(3):
        world.put(f"{n:06}", "\n".join([f"Subject: number {n}", *filler, "", "body", ""]))
    cut = "".join(
        f'on "TOP {n + 1}" {{\n line "+OK"\n line "Subject: number {n}"\n'
        + "".join(f' line "{line}"\n' for line in filler[:30]) + f" {end}\n}}\n"
        for n in range(3)
    )  # fmt: skip
    with scripted(world, *[cut + "serve\n"] * 6, options=["--refuse", "UIDL"]) as server:
        for _ in range(4):
            world.sync(server.port)
    assert 3 <= len(numbers(world)) <= 6, numbers(world)


def test_a_message_without_a_unique_id_is_told_by_its_header_and_the_others_by_theirs(world):
    world.fill(3)
    gap = 'on UIDL {\n line "+OK"\n line "1 one"\n line ""\n line "2 "\n line "3 three"\n line "."\n}\nserve\n'
    with scripted(world, *[gap] * 3) as server:
        for _ in range(3):
            world.sync(server.port)
        assert len(server.commands("RETR")) == 3
    assert numbers(world) == [0, 1, 2]


@pytest.mark.parametrize("answer", ['line "+OK"', 'line "-ERR not now"'])
def test_utf8_is_sent_before_the_login_where_it_is_announced(world, answer):
    """Courier hands out a note instead of a message with UTF-8 in its header to those that do not send it."""
    world.fill(2)
    (world.path / "script").write_text(f"on UTF8 {{\n {answer}\n}}\nserve\n")
    with world.server("--capa", "UTF8 USER", "--script", world.path / "script") as server:
        world.sync(server.port)
        server.wait_for("C: QUIT")
        said = [line.split(" C: ")[1] for line in server.lines if " C: " in line]
        assert said.index("UTF8") < min(said.index(word) for word in said if word.startswith(("USER", "AUTH", "APOP")))
        server.forget()
        world.sync(server.port, "--utf8", "off")
        assert server.commands("UTF8") == []
    assert numbers(world) == [0, 1]


# ---- a server that breaks the session when it is to delete ----

AT_DELE = {
    "close": ("close", "the server closes the connection when this message is to be deleted"),
    "reset": ("reset", "the server closes the connection when this message is to be deleted"),
    "silence": ("loop {\n  expect-any\n }\n close", "the server does not answer the deletion of this message"),
    "an empty line": ('line ""', "the server's reply to the deletion of this message is invalid"),
    "nonsense": ('line "what?"', "the server's reply to the deletion of this message is invalid"),
}


def at_dele(world, server, habit, status):
    """Where nothing is said each time costs a timeout; elsewhere a machine with much to do may take its time."""
    return world.sync(server.port, "--delete", *(["--timeout", "2s"] if habit == "silence" else []), status=status)


def doctor(world, server, *options) -> str:
    words = [COMMAND, "doctor", f"pop3://user@127.0.0.1:{server.port}", "--state", world.state, "--password-file",
             world.password_file, "--allow-plaintext", *options]  # fmt: skip
    done = subprocess.run(words, env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done
    return done.stdout


@pytest.mark.parametrize(("habit", "options"), [*((habit, []) for habit in AT_DELE),
                                                *((habit, ["--no-pipelining"]) for habit in AT_DELE if habit != "silence")])  # fmt: skip
def test_a_message_at_whose_deletion_the_session_breaks_does_not_keep_the_others_on_the_server(world, habit, options):
    what, told = AT_DELE[habit]
    world.fill(6)
    script = f'on "DELE 1" {{\n {what}\n}}\nserve\n'
    with scripted(world, *[script] * 30, options=["--delete", *options]) as server:
        for left in (1,) if habit == "silence" else (1, 2):
            said = at_dele(world, server, habit, status=75)
            assert f"message 1: {told}" in said and "--keep" in said
            assert "could not be deleted on the server: 1;" in said
            assert world.on_server() == [message(0).encode()], "the message itself, and none that was not retrieved"
            world.fill(2, first=6 * left)
        server.forget()
    assert numbers(world) == list(range(6 if habit == "silence" else 8))


@pytest.mark.parametrize("habit", ["close", "silence", "an empty line"])
def test_a_server_that_deletes_nothing_is_asked_a_few_times_and_new_mail_comes(world, habit):
    world.fill(12)
    script = f"on DELE {{\n {AT_DELE[habit][0]}\n}}\nserve\n"
    with scripted(world, *[script] * 40, options=["--delete"]) as server:
        for count in (12,) if habit == "silence" else (12, 15):
            said = at_dele(world, server, habit, status=75)
            assert f"{count} that were delivered stay on the server; --keep leaves mail there" in said
            assert numbers(world) == list(range(count)) and len(world.on_server()) == count
            assert server.count(" open") <= 8
            server.forget()
            world.fill(3, first=12)


def test_a_deletion_that_broke_one_session_is_made_good_in_the_same_run(world):
    world.fill(6)
    with scripted(world, 'on "DELE 3" {\n close\n}\nserve\n', options=["--delete"]) as server:
        assert "pop3:" not in at_dele(world, server, "close", status=0)
    assert numbers(world) == list(range(6)) and world.on_server() == []


CLOSES_AT_FIRST = 'on "DELE 1" {\n close\n}\nserve\n'


@pytest.mark.parametrize("options", [[], ["--no-pipelining"]])
def test_the_next_run_deletes_a_message_that_broke_a_session_after_all_others(world, options):
    world.fill(6)
    with scripted(world, *[CLOSES_AT_FIRST] * 12, options=["--delete", *options]) as server:
        at_dele(world, server, "close", status=75)
        server.settle()
        server.forget()
        world.fill(2, first=6)
        said = at_dele(world, server, "close", status=75)
        server.settle()
        assert "message 1: the server closes the connection when this message is to be deleted" in said
        assert server.commands("DELE") == ["DELE 2", "DELE 3", "DELE 1"]
        assert server.count(r"^\d+ open") == 3, "one deletes the others, one asks once more, one says what stays"
        assert world.on_server() == [message(0).encode()]


@pytest.mark.parametrize("options", [[], ["--no-pipelining"]])
def test_messages_that_break_each_session_before_a_deletion_is_answered_keep_no_other_for_ever(world, options):
    world.fill(8)
    script = "".join(f'on "DELE {n}" {{\n close\n}}\n' for n in range(1, 5)) + "serve\n"
    with scripted(world, *[script] * 24, options=["--delete", *options]) as server:
        assert "8 that were delivered stay on the server" in at_dele(world, server, "close", status=75)
        assert len(world.on_server()) == 8
        at_dele(world, server, "close", status=75)
        assert len(world.on_server()) == 4, "the next run goes another way"
    assert numbers(world) == list(range(8))


def test_a_message_that_broke_a_session_is_deleted_once_the_server_is_mended(world):
    world.fill(3)
    with scripted(world, *[CLOSES_AT_FIRST] * 5, options=["--delete", "--no-pipelining"]) as server:
        at_dele(world, server, "close", status=75)
        assert len(world.on_server()) == 1
        assert "messages that end the session when they are deleted: 1; they are deleted after the others" in doctor(world, server)
        assert "pop3:" not in at_dele(world, server, "close", status=0)
        assert world.on_server() == []
        assert "that end the session" not in doctor(world, server)


def test_what_is_remembered_of_a_deletion_is_discarded_by_hand(world):
    world.fill(3)
    with scripted(world, *[CLOSES_AT_FIRST] * 5, options=["--delete", "--no-pipelining"]) as server:
        at_dele(world, server, "close", status=75)
        world.fill(1, first=3)
        assert "does not count now (traits = none)" in doctor(world, server, "--traits", "none")
        server.settle()
        server.forget()
        world.sync(server.port, "--delete", "--traits", "none")
        assert server.commands("DELE")[0] == "DELE 1" and world.on_server() == []


def test_what_quit_did_not_confirm_after_a_postponed_deletion_counts_as_not_deleted(world):
    world.fill(4)
    broken = 'on "DELE 2" {\n close\n}\nserve\n'
    with scripted(world, broken, *["on QUIT {\n close\n}\nserve\n"] * 20, options=["--delete"]) as server:
        events = world.events(server.port, "--delete", status=75)
    assert [e["deleted"] for e in events if e["event"] == "over"] == [0]
    assert numbers(world) == list(range(4)) and len(world.on_server()) == 4


# ---- listings that do not agree ----

SHORT_UIDL = 'on UIDL {\n line "+OK"\n line "1 one"\n line "3 three"\n line "."\n}\nserve\n'
SHORTER_UIDL = 'on UIDL {\n line "+OK"\n line "1 one"\n line "2 two"\n line "."\n}\nserve\n'
NUMBERED_UIDL = 'on UIDL {\n line "+OK"\n line "1 1"\n line "2 2"\n line "3 3"\n line "."\n}\n'
SHORT_LIST = 'on LIST {\n line "+OK"\n line "1 600"\n line "3 600"\n line "."\n}\nserve\n'


@pytest.mark.parametrize(("listing", "lacking"), [(SHORT_UIDL, 2), (SHORTER_UIDL, 3)])
def test_a_message_that_only_list_has_is_retrieved_once_and_named(world, listing, lacking):
    world.fill(3)
    with scripted(world, *[listing] * 3) as server:
        told = world.sync(server.port)
        assert f"UIDL lacks messages that its LIST has: {lacking}; they are retrieved" in told
        assert told.count("UIDL lacks") == 1 and numbers(world) == [0, 1, 2]
        world.sync(server.port)
        assert numbers(world) == [0, 1, 2], "its header tells that it was delivered"


@pytest.mark.parametrize("options", [[], ["--no-pipelining"]])
def test_a_uidl_that_is_empty_is_as_good_as_none(world, options):
    world.fill(3)
    empty = 'on UIDL {\n line "+OK"\n line "."\n}\nserve\n'
    with scripted(world, *[empty] * 4, options=["--delete", *options]) as server:
        assert "LIST has: 1, 2, 3;" in world.sync(server.port)
        server.wait_for("C: QUIT")
        server.settle()
        server.forget()
        world.fill(1, first=3)
        assert "lacks" not in world.sync(server.port)
        server.wait_for("C: QUIT")
        assert server.count("C: UIDL") == 0, "it is remembered"
        world.sync(server.port, "--delete")
        assert world.on_server() == []
    assert numbers(world) == [0, 1, 2, 3]


@pytest.mark.parametrize(("listing", "lacking"), [(SHORT_UIDL, 2), (SHORTER_UIDL, 3)])
def test_a_message_that_only_list_has_is_named_where_commands_do_not_go_together(world, listing, lacking):
    """Whether UIDL has a gap, or lacks the last; also when nothing else is new."""
    world.fill(3)
    with scripted(world, *[listing] * 2, options=["--no-pipelining"]) as server:
        assert f"LIST has: {lacking};" in world.sync(server.port)
        assert numbers(world) == [0, 1, 2]
        assert f"LIST has: {lacking};" in world.sync(server.port)
    assert numbers(world) == [0, 1, 2]


def test_a_last_message_that_uidl_lacks_comes_although_nothing_else_is_new(world):
    world.fill(2)
    with scripted(world, "serve\n", SHORTER_UIDL.replace("one", "000000").replace("two", "000001"), options=["--no-pipelining"]) as server:
        world.sync(server.port)
        world.fill(1, first=2)
        assert "LIST has: 3;" in world.sync(server.port)
    assert numbers(world) == [0, 1, 2]


AT_LIST = {
    "close": "close",
    "reset": "reset",
    "no listing": 'line "+OK"\nline "what?"\nline "."',
    "no reply": 'line "what?"',
    "no end": 'line "+OK"\nloop {\n numbers "%d 1" 1 1000\n}',
    "refused": 'line "-ERR no"',
}


@pytest.mark.parametrize("habit", AT_LIST)
@pytest.mark.parametrize(("options", "uidl"), [([], ""), (["--no-pipelining"], ""), (["--no-pipelining"], NUMBERED_UIDL)],
                         ids=["together", "apart", "numbered"])  # fmt: skip
def test_a_server_that_ends_the_session_at_list_or_talks_nonsense_is_done_without_it(world, habit, options, uidl):
    """Also where sizes would tell messages apart: the unique-ids are numbers."""
    world.fill(3)
    script = f"on LIST {{\n{AT_LIST[habit]}\n}}\n{uidl}serve\n"
    with scripted(world, *[script] * 9, options=["--delete", *options]) as server:
        assert world.sync(server.port, "--dry-run").count("would retrieve") == 3
        world.sync(server.port)
        assert numbers(world) == [0, 1, 2]
        world.sync(server.port, "--delete")
        assert world.on_server() == []
    assert numbers(world) == [0, 1, 2]


def test_a_message_that_only_list_has_is_deleted_once_it_was_delivered_and_not_before(world):
    world.fill(3)
    with scripted(world, *[SHORT_UIDL] * 3, options=["--delete"]) as server:
        world.sync(server.port)
        world.put("000001", "Subject: number 7\n\nanother message in its place\n")
        world.sync(server.port, "--delete")
        assert world.on_server() == []
    assert numbers(world) == [0, 1, 2, 7]


def test_mail_that_came_between_the_listings_is_delivered_once(world):
    """A server that does not lock: the second UIDL has it."""
    world.fill(3)
    two, three = 'line "1 one"\nline "2 two"\n', 'line "3 three"\n'
    sizes = 'expect LIST\nline "+OK"\nline "1 600"\nline "2 600"\nline "3 600"\nline "."\n'
    uids = 'expect UIDL\nline "+OK"\n'
    late = (
        'line "+OK"\nexpect CAPA\ncapa USER UIDL TOP PIPELINING\nexpect-prefix USER\nline "+OK"\n'
        'expect-prefix PASS\nline "+OK"\nexpect CAPA\ncapa USER UIDL TOP PIPELINING\n'
        f'{uids}{two}line "."\n{sizes}{uids}{two}{three}line "."\n{sizes}serve transaction\n'
    )
    usual = 'on UIDL {\nline "+OK"\n' + two + three + 'line "."\n}\nserve\n'
    with scripted(world, late, usual) as server:
        assert "lacks" not in world.sync(server.port)
        assert numbers(world) == [0, 1, 2]
        world.sync(server.port)
        assert len(server.commands("RETR")) == 3
    assert numbers(world) == [0, 1, 2]


def test_a_message_that_only_uidl_has_is_retrieved_and_named(world):
    world.fill(3)
    with scripted(world, *[SHORT_LIST] * 2) as server:
        told = world.sync(server.port)
        assert "LIST lacks messages that its UIDL has: 2; they are retrieved anyway" in told
        assert numbers(world) == [0, 1, 2]
        world.sync(server.port)
    assert numbers(world) == [0, 1, 2]


@pytest.mark.parametrize("options", [[], ["--no-pipelining"]])
def test_a_server_that_closes_at_uidl_is_done_without_it(world, options):
    world.fill(3)
    closes = "on UIDL {\n close\n}\nserve\n"
    with scripted(world, *[closes] * 9, options=["--delete", *options]) as server:
        world.sync(server.port)
        assert numbers(world) == [0, 1, 2]
        server.wait_for("C: QUIT")
        server.settle()
        server.forget()
        world.fill(1, first=3)
        world.sync(server.port)
        server.wait_for("C: QUIT")
        assert server.count("C: UIDL") == 0 and server.count("open") == 1, "it is remembered"
        world.sync(server.port, "--delete")
        assert world.on_server() == []
    assert numbers(world) == [0, 1, 2, 3]


def test_uidl_that_is_said_not_to_work_is_not_sent(world):
    world.fill(2)
    with world.server() as server:
        world.sync(server.port, "--traits", "no-uidl")
        assert server.commands("UIDL") == []
    assert numbers(world) == [0, 1]


@pytest.mark.parametrize("known", [False, True])
def test_a_message_that_list_alone_claims_to_be_there_is_no_failure(world, known):
    world.fill(3)
    claims = 'on LIST {\n line "+OK"\n line "1 600"\n line "2 600"\n line "3 600"\n line "9 600"\n line "."\n}\nserve\n'
    with scripted(world, *(["serve\n"] if known else []), *[claims] * 2) as server:
        if known:
            world.sync(server.port)
        told = world.sync(server.port, "--verbose")
        assert "LIST has: 9;" in told
        assert "message 9: LIST has it, but UIDL has not, and it cannot be retrieved" in told
    assert numbers(world) == [0, 1, 2]
