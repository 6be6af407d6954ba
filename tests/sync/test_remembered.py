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
        server.wait_until_idle()
        server.forget()
        run(world, words[0], "work", *words[1:], stdin="stat\nquit\n")
        server.wait_for("C: QUIT")
        assert server.count("C: CAPA") == 0 and server.count("open") == 1
        server.wait_until_idle()
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
        assert "ends a session after 2 deletions" in told and "delete no more at a time" in told
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
        shown = plain(world, "list", server, "--timeout", "2s")
        server.wait_for("C: QUIT")
        assert server.count("open") <= 3
    assert rows(shown) == [str(i) for i in range(1, 13)]


def test_nobody_comes_back_for_ever(world):
    world.fill(5)
    with scripted(world, 'on "TOP 3" { close }\nserve\n') as server:
        told = plain(world, "list", server, status=75)
        assert server.count("open") <= 3
    assert rows(told) == ["1", "2"] and told.count("TOP 3: the server closed the connection") == 1


def test_where_coming_back_fails_both_failures_are_told(world):
    world.fill(5)
    path = world.path / "script"
    path.write_text('on "TOP 3" { close }\nserve\n')
    with world.server("--script", path, "--max-sessions", 1) as server:
        told = plain(world, "list", server, status=75)
    assert "connecting: Connection refused" in told and "TOP 3: the server closed the connection" in told
