"""A session by hand: every command, what is wrong with one, and how it ends."""

import re

import pytest


def test_help_names_every_command(mailbox):
    shown = mailbox.run("shell", stdin="help\n")
    named = re.findall(r"^(\w+)  *\S", shown, re.MULTILINE)
    assert named == ["abort", "capa", "dele", "help", "list", "noop", "quit", "retr", "rset", "stat", "top",
                     "uidl"]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("capa", "PIPELINING\n"),
        ("list", "\n12 "),
        ("list 3", "+OK 3 854\n"),
        ("LIST\t3", "+OK 3 854\n"),
        ("uidl", "1 2026-11-02-hike-1.eml\n"),
        ("uidl 2", "+OK 2 2026-11-03-hike-2.eml\n"),
        ("noop", "+OK"),
        ("rset", "+OK"),
        ("top 1 1", "Hi both,\n"),
        ("top 1", "Subject: "),
        ("retr 1", "Hi both,\n"),
        ("retr", "N: show a message\n"),
        ("retr x", "N: show a message\n"),
        ("retr 0", "N: show a message\n"),
        ("top 1 x", "N [LINES]: a message's header and first lines\n"),
        ("list 99999999999", "[N]: sizes\n"),
    ],
)
def test_a_command_shows_its_answer_or_what_it_expects(mailbox, typed, told):
    assert told in "\n" + mailbox.run("shell", stdin=typed + "\n")


def test_a_message_cannot_command_the_terminal(mailbox):
    mailbox.world.put("z", b"Subject: a\x1b[31mb\x07\x7f\r\n\r\ntab\there\r\nbare\rcr\r\n")
    shown = mailbox.run("shell", stdin="retr 13\n")
    assert "Subject: a[31mb\n\ntab\there\nbarecr\n" in shown


def test_a_refused_command_is_told_and_the_session_goes_on(mailbox):
    done = mailbox.run("shell", stdin="retr 99\nnoop\n\n   \n")
    assert done.startswith("+OK")  # what noop said; the refusal is on standard error


def test_marks_are_taken_back_by_rset_and_by_abort(mailbox):
    mailbox.run("shell", stdin="dele 1\nrset\nquit\n")
    mailbox.run("shell", stdin="dele 1\nabort\nquit\n")
    assert len(mailbox.world.on_server()) == 12


def test_a_line_of_any_length_is_one_command(mailbox):
    assert "There is no such command" in mailbox.run("shell", stdin="x" * 300 + "\nnoop\n")
    mailbox.run("shell", stdin="noop" + " " * 300 + "dele 1\nquit\n")
    assert len(mailbox.world.on_server()) == 12


def test_a_connection_that_ends_ends_the_shell(world):
    script = world.path / "script"
    script.write_text('on NOOP {\n close\n}\nserve\n')
    with world.server("--script", script) as server:
        from subcommands import Mailbox

        told = Mailbox(world, server).run("shell", stdin="noop\nstat\n", status=75)
    assert "closed the connection" in told and told.count("pop3:") == 1


def test_tab_completes_what_is_clear_and_lists_what_is_not(mailbox):
    shown = mailbox.terminal("shell", typed=[
        ("pop3> ", "r\t"), (r"retr\r\nrset.*pop3> r", "et\t1\n"), ("Hi both.*pop3> ", "no\t\n"),
        (r"\+OK.*pop3> ", "zz\t\n"), ("no such command.*pop3> ", "top \t1\n"), ("Subject: .*pop3> ", "\x04")])  # fmt: skip
    assert re.search(r"\nretr\nrset\n", shown)
    assert mailbox.server.commands("RETR") == ["RETR 1"]
    assert len(mailbox.server.commands("NOOP")) == 1


def test_lines_are_remembered_for_the_next_time(mailbox):
    folder = mailbox.world.path / ".local/state/pop3"
    folder.mkdir(parents=True)
    mailbox.terminal("shell", typed=[("pop3> ", "uidl 2\n"), (r"\+OK 2.*pop3> ", "quit\n")])
    assert "uidl" in (folder / "history").read_text()
    shown = mailbox.terminal("shell", typed=[("pop3> ", "\x1b[A\x1b[A\n"), (r"\+OK 2 .*pop3> ", "abort\n")])
    assert "+OK 2 2026-11-03-hike-2.eml" in shown
