"""How many round trips a session of `pop3 sync` takes, counted by the benchmark's server, and how often it asks for
the names of servers."""

import contextlib
import os
import re
import select
import subprocess

from world import BUILD, DEADLINE

DNS_COMMAND = os.environ.get("POP3_DNS_COMMAND", str(BUILD / "tests/sync/pop3-dns"))
SERVER = os.environ.get("POP3_BENCH_SERVER", str(BUILD / "bench/bench-server"))


@contextlib.contextmanager
def counting(*options):
    """The server's port, and a function that waits for a session's end and returns its round trips: how often
    the client spoke after all that it had asked for was answered."""
    words = [SERVER, "--report", "--messages", "1000", "--size", "4096", *options]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)

    def line():
        readable, _, _ = select.select([server.stdout], [], [], DEADLINE)
        assert readable, "the server says nothing"
        return server.stdout.readline()

    try:
        port = int(line().split()[1])
        yield port, lambda: int(re.search(r" round-trips=(\d+)", line())[1])
    finally:
        server.terminate()
        server.wait(DEADLINE)
        server.stdout.close()


def test_a_thousand_messages_take_five_round_trips(fast_world):
    with counting() as (port, round_trips):
        fast_world.sync(port, "--quiet")
        assert round_trips() == 5  # CAPA, USER with PASS, UIDL, CAPA with all the messages, QUIT
    assert len(fast_world.delivered()) == 1000


def test_that_there_is_nothing_new_takes_four(fast_world):
    with counting() as (port, round_trips):
        fast_world.sync(port, "--quiet")
        round_trips()
        fast_world.sync(port, "--quiet")
        assert round_trips() == 4


def test_deleting_takes_one_more(fast_world):
    with counting() as (port, round_trips):
        fast_world.sync(port, "--quiet")
        round_trips()
        fast_world.sync(port, "--quiet", "--delete")
        assert round_trips() == 5


def test_without_pipelining_a_message_takes_one(fast_world):
    with counting("--no-pipelining") as (port, round_trips):
        fast_world.sync(port, "--quiet")
        assert round_trips() == 1000 + 7  # CAPA, USER, PASS, UIDL, LIST, CAPA again, QUIT
        fast_world.sync(port, "--quiet")
        assert round_trips() == 6  # not CAPA again


def test_accounts_at_one_host_look_its_name_up_once(fast_world):
    lookups = fast_world.path / "lookups"
    fast_world.fill(1)
    with fast_world.server() as server:
        config = ["host = localhost", f"port = {server.port}", "tls = none", "allow-plaintext = yes", "password = pw",
                  f"maildir = {fast_world.maildir}"]  # fmt: skip
        config += [line for i in range(12) for line in (f"[account{i}]", f"user = user{i}")]
        path = fast_world.path / "accounts"
        path.write_text("\n".join(config) + "\n")
        path.chmod(0o600)
        done = subprocess.run(
            [DNS_COMMAND, "sync", "--config", path, "--state", fast_world.state, "--jobs", "1", "--quiet"],
            env=fast_world.environment(POP3_TEST_LOOKUPS=str(lookups)), capture_output=True, text=True,
            timeout=DEADLINE)  # fmt: skip
        assert done.returncode == 0, done.stderr
        server.settle()
        assert server.count("open") == 12
    assert lookups.read_text().splitlines() == ["localhost"]
