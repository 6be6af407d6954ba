"""What was learned about a server counts in every subcommand, and each finds its way as sync does."""

import subprocess

import pytest

from world import COMMAND, DEADLINE


def scripted(world, text):
    path = world.path / "script"
    path.write_text(text)
    return world.server("--script", path)


def run(world, name, *words, status=0, stdin=""):
    done = subprocess.run(
        [COMMAND, name, *map(str, words)], env=world.environment(), input=stdin,
        capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
    assert done.returncode == status, done
    return done.stdout + done.stderr


def plain(world, name, server, *words, status=0):
    url = f"pop3://user@127.0.0.1:{server.port}"
    return run(world, name, url, *words, "--password-file", world.password_file, "--allow-plaintext", status=status)


def configure(world, server, *lines):
    """An account named `work`."""
    config = world.path / "config" / "pop3"
    config.mkdir(parents=True, exist_ok=True)
    settings = ["[work]", f"url = pop3://user@127.0.0.1:{server.port}", f"password-file = {world.password_file}",
                "allow-plaintext = yes", f"maildir = {world.maildir}", *lines]  # fmt: skip
    (config / "config").write_text("\n".join([f"state = {world.state}", *settings, ""]))


def rows(text):
    return [line.split()[0] for line in text.splitlines() if line.strip()[:1].isdigit()]


# ---- what is remembered ----


@pytest.mark.parametrize(
    "words",
    [["stat"], ["list"], ["headers"], ["uidl"], ["uidl", 1], ["cat", 1], ["top", 1], ["rm", 1], ["shell"]],
    ids=lambda words: "-".join(map(str, words)),
)
def test_every_subcommand_begins_with_what_sync_learned(world, words):
    world.fill(2)
    with scripted(world, "on CAPA { close }\nserve\n") as server:
        configure(world, server)
        run(world, "sync")
        server.wait_for("C: QUIT")
        server.settle()
        server.forget()
        run(world, words[0], "work", *words[1:], stdin="stat\nquit\n")
        server.wait_for("C: QUIT")
        assert server.count("C: CAPA") == 0 and server.count("open") == 1
        server.settle()
        server.forget()
        run(world, words[0], "work", *words[1:], "--traits", "none", stdin="stat\nquit\n")
        server.wait_for("C: QUIT")
        assert server.count("C: CAPA") == 1 and server.count("open") == 2


def test_a_server_without_capa_is_come_back_to_by_who_remembers_nothing(world):
    world.fill(2)
    with scripted(world, "on CAPA { close }\nserve\n") as server:
        configure(world, server)
        assert "2 messages" in run(world, "stat", "work")
        server.wait_for("C: QUIT")
        assert server.count("open") == 2
    assert not world.state.exists(), "what looks at a mailbox writes nothing"


def test_a_list_without_top_asks_for_no_top_once_that_is_remembered(world):
    world.fill(2)
    with world.server() as server:
        configure(world, server, "traits = no-top")
        assert rows(run(world, "list", "work")) == ["1", "2"]
        assert server.commands("TOP") == [] and len(server.commands("RETR")) == 2


def test_no_more_are_deleted_at_a_time_than_a_session_gets_to(world):
    world.fill(5)
    with world.server("--delete") as server:
        configure(world, server, "traits = quit-after=2")
        told = run(world, "rm", "work", "1-3", status=69)
        assert "ends a session after 2 deletions" in told and "delete no more than that at a time" in told
        assert server.commands("DELE") == [] and len(world.on_server()) == 5
        run(world, "rm", "work", "1-2")
    assert len(world.on_server()) == 3


def test_a_state_that_cannot_be_read_keeps_nobody_from_looking(world):
    world.fill(2)
    world.state.write_bytes(b"no database at all, and long enough to be taken for one" * 20)
    with world.server() as server:
        configure(world, server)
        assert run(world, "stat", "work").startswith("2 messages")
        assert "restore it from a backup" in run(world, "stat", "work", "--verbose")


# ---- another way, in the same run ----


@pytest.mark.parametrize("how", ["refuse", "close"])
@pytest.mark.parametrize("options", [[], ["--no-pipelining"]])
@pytest.mark.parametrize("name", ["list", "headers"])
def test_headers_come_from_a_server_that_closes_on_capa_after_the_login(world, name, options, how):
    world.fill(5)
    with world.server("--late-capa", how, *options) as server:
        shown = plain(world, name, server)
        server.wait_for("C: QUIT")
        assert server.count("open") == 2
    assert rows(shown) == ["1", "2", "3", "4", "5"] and "pop3:" not in shown


@pytest.mark.parametrize("options", [["--most-together", 4], ["--discard-pipelined"]])
def test_headers_come_one_at_a_time_from_a_server_that_does_not_take_many(world, options):
    world.fill(12)
    with world.server(*options) as server:
        shown = plain(world, "list", server, *(["--timeout", "2s"] if "--discard-pipelined" in options else []))
        server.wait_for("C: QUIT")
        assert server.count("open") <= 3
    assert rows(shown) == [str(i) for i in range(1, 13)]


def test_nobody_comes_back_for_ever(world):
    world.fill(5)
    with scripted(world, 'on "TOP 3" { close }\non "RETR 3" { close }\nserve\n') as server:
        told = plain(world, "list", server, status=75)
        assert server.count("open") <= 4
    assert rows(told) == ["1", "2"] and told.count("RETR 3: the server closed the connection") == 1


def test_where_coming_back_fails_both_failures_are_told(world, port):
    world.fill(5)
    path = world.path / "script"
    path.write_text('on "TOP 3" { close }\nserve\n')
    with world.server("--port", port, "--script", path, "--max-sessions", 1) as server:
        told = plain(world, "list", server, status=75)
    assert "connecting: Connection refused" in told and "TOP 3: the server closed the connection" in told


# ---- each subcommand, with each habit of the servers ----

SUBCOMMANDS = ["stat", "list", "headers", "uidl", "uidl 1", "cat 1", "top 1", "capa", "shell", "doctor", "rm 1", "rm 1-"]
EMPTY_UIDL = 'on UIDL {\n line "+OK"\n line "."\n}\nserve\n'
CLOSED = "the server closed the connection"
REFUSED = "the server refused: "
LOGIN_CLOSED = "AUTH: the server closed the connection; if that happens each time, choose another mechanism with --auth"

# A script, options of the server, and the subcommands that cannot do what they are for: exit status and text.
HABITS = {
    "none": ("", [], {}),
    "closes at CAPA": ("on CAPA { close }\nserve\n", [], {"capa": (69, "CAPA is not sent: the server closes the connection on it (traits = no-capa)")}),
    "refuses CAPA": ("", ["--refuse", "CAPA"], {"capa": (69, "CAPA: " + REFUSED)}),
    "closes at a late CAPA": ("", ["--late-capa", "close"], {"capa": (0, CLOSED + "; it announces this before the login")}),
    "refuses a late CAPA": ("", ["--late-capa", "refuse"], {"capa": (0, "not now; it announces this before the login")}),
    "closes after a refusal": ("", ["--most-errors", "1", "--refuse", "CAPA"], {"capa": (69, "CAPA is not sent: ")}),
    "refuses UIDL": ("", ["--refuse", "UIDL"], {"uidl": (69, "UIDL: " + REFUSED), "uidl 1": (69, "UIDL: " + REFUSED), "shell": (0, "UIDL: " + REFUSED)}),
    "closes at UIDL": ("on UIDL { close }\nserve\n", [], {"uidl": (75, CLOSED), "uidl 1": (75, CLOSED), "shell": (75, CLOSED), "doctor": (75, "")}),
    "empty UIDL": (EMPTY_UIDL, [], {"uidl 1": (69, "UIDL: the server gives message 1 no unique-id")}),
    "refuses LIST": ("", ["--refuse", "LIST"], {"shell": (0, "LIST: " + REFUSED)}),
    "closes at LIST": ("on LIST { close }\nserve\n", [], {"shell": (75, CLOSED)}),
    "nonsense at LIST": ('on LIST { line "what?" }\nserve\n', [], {"shell": (76, "what?")}),
    "refuses TOP": ("", ["--refuse", "TOP"], {"shell": (0, "TOP 1: " + REFUSED)}),
    "closes at TOP": ("on TOP { close }\nserve\n", [], {"shell": (75, CLOSED), "doctor": (75, "")}),
    "refuses RETR": ("", ["--refuse", "RETR"], {"cat 1": (69, "RETR 1: " + REFUSED), "shell": (0, "RETR 1: " + REFUSED)}),
    "closes at RETR": ("on RETR { close }\nserve\n", [], {"cat 1": (75, CLOSED), "shell": (75, CLOSED)}),
    "refuses STAT": ("", ["--refuse", "STAT"], {"stat": (69, "STAT: " + REFUSED), "shell": (0, "STAT: " + REFUSED), "doctor": (69, "")}),
    "refuses DELE": ("", ["--refuse", "DELE"], {"rm 1": (69, "DELE 1: " + REFUSED), "rm 1-": (69, "DELE 1: " + REFUSED)}),
    "closes at QUIT": ("on QUIT { close }\nserve\n", [], {"rm 1": (75, "QUIT: " + CLOSED), "rm 1-": (75, "QUIT: " + CLOSED)}),
    "refuses QUIT": (
        'on QUIT { line "-ERR some are left" }\nserve\n', [],
        {"rm 1": (75, "some are left; messages that were to be deleted may still be there"),
         "rm 1-": (75, "some are left; messages that were to be deleted may still be there"),
         "cat 1": (69, "QUIT: the server refused: some are left"), "top 1": (69, "QUIT: the server refused: some are left"),
         "shell": (69, "QUIT: the server refused: some are left")},
    ),
    "closes when commands come together": ("", ["--most-together", "2"], {}),
    "ends a session after 6 commands": ("", ["--most-commands", "6"], {"shell": (75, CLOSED), "doctor": (75, ""), "rm 1-": (75, "QUIT: " + CLOSED)}),
    "another has the maildrop": (
        'on AUTH { line "-ERR maildrop already locked" }\nserve\n', [],
        {name: (75, "maildrop already locked; try again later") for name in SUBCOMMANDS},
    ),
    "closes at the login": ("on AUTH { close }\nserve\n", [], {name: (75, LOGIN_CLOSED) for name in SUBCOMMANDS}),
}  # fmt: skip


@pytest.mark.parametrize("habit", HABITS)
def test_each_subcommand_does_what_it_can_and_says_what_it_cannot(world, habit):
    """A text is given where something did not work, and there alone; what is advised of deletions, to rm alone."""
    script, options, troubles = HABITS[habit]
    world.fill(3)
    (world.path / "script").write_text(script)
    words = ["--script", world.path / "script"] if script else []
    with world.server(*words, *options) as server:
        for name in SUBCOMMANDS:
            status, text = troubles.get(name, (0, ""))
            done = subprocess.run(
                [COMMAND, *name.split()[:1], f"pop3://user@127.0.0.1:{server.port}", *name.split()[1:], "--allow-plaintext",
                 "--password-file", world.password_file],
                env=world.environment(), input="stat\nuidl\nlist\ntop 1\nretr 1\nquit\n",
                capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
            assert done.returncode == status and text in done.stderr, (name, done)
            assert text or not done.stderr, (name, done.stderr)
            assert name.startswith("rm") or "to be deleted" not in done.stderr, (name, done.stderr)
            assert status or done.stdout or name in ("uidl", "rm 1-"), name


@pytest.mark.parametrize("name", ["sync", "stat", "headers"])
def test_nothing_is_advised_of_commands_where_the_server_closes_before_any(world, name):
    with scripted(world, "close\n") as server:
        configure(world, server)
        told = run(world, name, "work", status=75)
    assert f"waiting for the greeting: {CLOSED}" in told and "--pipelining" not in told, told


# What a server does at what its trait says, and the command that is not sent then.
TRAITS = {
    "no-capa": ("on CAPA { close }\nserve\n", [], "CAPA"),
    "no-late-capa": ("", ["--late-capa", "close"], None),
    "no-uidl": ("on UIDL { close }\nserve\n", [], "UIDL"),
    "no-top": ("on TOP { close }\nserve\n", [], "TOP"),
    "one-at-a-time": ("", ["--most-together", "2"], None),
    "no-initial-response": ('on "AUTH PLAIN AHVzZXIAc2VjcmV0" { close }\nserve\n', [], None),
}


@pytest.mark.parametrize("trait", TRAITS)
def test_each_subcommand_heeds_each_trait(world, trait):
    script, options, never = TRAITS[trait]
    world.fill(3)
    (world.path / "script").write_text(script)
    words = ["--script", world.path / "script"] if script else []
    with world.server(*words, *options) as server:
        for name in (name for name in SUBCOMMANDS if name not in ("shell", "doctor", "rm 1-")):
            cannot = name in {"no-capa": ["capa"], "no-uidl": ["uidl", "uidl 1"]}.get(trait, [])
            server.settle()
            server.forget()
            told = plain(world, name.split()[0], server, *name.split()[1:], "--traits", trait, status=69 if cannot else 0)
            server.settle()
            assert not cannot or "is not sent: the server" in told and f"(traits = {trait}); to send it anyway" in told
            twice = (name, trait) == ("capa", "no-late-capa")
            assert server.count(" open") == 1 + twice and (never is None or server.count(f"C: {never}") == 0), name


@pytest.mark.parametrize("lines", [0, 1, 2, 1000])
@pytest.mark.parametrize("mail", ["Subject: a\n\none\n\nthree\n", "Subject: a\n", "Subject: a\n\n", "\none\n", ""])
def test_top_shows_the_same_by_retr_where_there_is_no_top(world, mail, lines):
    world.put("1", mail)
    with world.server() as server:
        by_top = plain(world, "top", server, 1, "--lines", lines)
        assert plain(world, "top", server, 1, "--lines", lines, "--traits", "no-top") == by_top
