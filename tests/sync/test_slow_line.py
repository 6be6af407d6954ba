"""Servers that are slow, or mean to be: no run is held for ever, and none that gets on is given up. The octets come
at once; the clock is moved by each of them (slow_line.c)."""

import os

import pytest

from test_sessions import scripted
from world import BUILD, message

LIBRARY = os.environ.get("POP3_SLOW_LINE_LIBRARY", str(BUILD / "tests/sync/libslow-line.so"))
GIVEN_UP = "the server is too slow, or means to hold it"


def slowly(seconds):
    """The environment of a run in which each octet takes so long. Who else has a hand on the clock is left out."""
    before = [word for word in os.environ.get("LD_PRELOAD", "").replace(":", " ").split() if "libclock" not in word]
    sanitizers = ":".join([word for word in [os.environ.get("ASAN_OPTIONS")] if word] + ["verify_asan_link_order=0"])
    return {"LD_PRELOAD": " ".join([*before, LIBRARY]), "POP3_SLOW_LINE": str(int(seconds * 1e6)),
            "ASAN_OPTIONS": sanitizers}  # fmt: skip


OPEN = r"^\d+ open\b"


@pytest.mark.parametrize("where, mails, lines, seconds", [
    ("the login", 1, 5, 0.5),
    ("the listing", 200, 5, 0.5),
    ("a message", 1, 60000, 0.003),
])  # fmt: skip
def test_a_server_that_drips_is_given_up(world, where, mails, lines, seconds):
    world.fill(mails, lines=lines)
    welcome = f'on "PASS" {{\n line "+OK {"welcome " * 400}"\n}}\nserve\n'
    with scripted(world, *([welcome] if where == "the login" else []), options=["--delete"]) as server:
        said = world.sync(server.port, "--delete", "--auth", "USER", status=75, **slowly(seconds))
        server.wait_until_idle()
        assert GIVEN_UP in said and "session-timeout" in said
        assert server.count(OPEN) == 1, "the run came back"
        assert bool(server.count(" C: UIDL")) == (where != "the login")
        assert bool(server.count(" C: RETR")) == (where == "a message")
    assert not world.delivered() and not world.unfinished()
    assert len(world.on_server()) == mails


def test_mail_that_takes_an_hour_and_comes_is_waited_for(world):
    world.put("large", message(1, 100000))
    octets = (world.drop / "large").stat().st_size
    assert octets > 2_000_000
    with world.server("--delete") as server:
        world.sync(server.port, "--delete", **slowly(0.00095))
    assert len(world.delivered()) == 1 and not world.on_server()


def test_a_server_that_ends_each_session_after_a_message_holds_no_run_either(world):
    world.fill(12)
    cut = [f'on "RETR {i}" {{\n close\n}}\nserve\n' for i in range(2, 12)]
    with scripted(world, *cut) as server:
        said = world.sync(server.port, status=75, **slowly(0.3))
        sessions = server.count(OPEN)
        assert GIVEN_UP in said
        assert 1 < sessions < 5 and 0 < len(world.delivered()) < 5
        world.sync(server.port)
        assert len(world.delivered()) == 12, "the next run goes on"
