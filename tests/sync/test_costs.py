"""How many round trips a session of `pop3 sync` takes, counted by the benchmark's server, how often it asks for the
names of servers, and how many system calls its sandbox costs."""

import contextlib
import os
import re
import select
import shutil
import subprocess
from collections import Counter

import pytest

from test_kernels import KERNELS, OTHER_KERNEL, works
from world import BUILD, COMMAND, DEADLINE

DNS_COMMAND = os.environ.get("POP3_DNS_COMMAND", str(BUILD / "tests/sync/pop3-dns"))
SERVER = os.environ.get("POP3_BENCH_SERVER", str(BUILD / "bench/bench-server"))


@contextlib.contextmanager
def counting(*options, messages=1000):
    """The server's port, and a function that waits for a session's end and returns its round trips: how often
    the client spoke after all that it had asked for was answered."""
    words = [SERVER, "--report", "--messages", str(messages), "--size", "4096", *options]
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


def test_deleting_what_was_kept_takes_three_more(fast_world):
    with counting() as (port, round_trips):
        fast_world.sync(port, "--quiet")
        round_trips()
        fast_world.sync(port, "--quiet", "--delete")
        assert round_trips() == 7  # TOP of the first, of the others, all DELEs


def test_without_pipelining_a_message_takes_one(fast_world):
    with counting("--no-pipelining") as (port, round_trips):
        fast_world.sync(port, "--quiet")
        assert round_trips() == 1000 + 7  # CAPA, USER, PASS, UIDL, LIST, CAPA again, QUIT
        fast_world.sync(port, "--quiet")
        assert round_trips() == 6  # not CAPA again


@pytest.mark.parametrize("kernel", ["this one", "nothing"])
def test_accounts_at_one_host_look_its_name_up_once(fast_world, kernel):
    """Where a kernel has no sandbox, too: processors that are emulated have none."""
    on = [] if kernel == "this one" else [OTHER_KERNEL, *KERNELS[kernel][0], "--"]
    if on and not works(kernel):
        pytest.skip("such a filter cannot be made here")
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
            [*on, DNS_COMMAND, "sync", "--config", path, "--state", fast_world.state, "--jobs", "1", "--quiet"],
            env=fast_world.environment(POP3_TEST_LOOKUPS=str(lookups)), capture_output=True, text=True,
            timeout=DEADLINE)  # fmt: skip
        assert done.returncode == 0, done.stderr
        server.settle()
        assert server.count("open") == 12
    assert lookups.read_text().splitlines() == ["localhost"]


# ---- the sandbox ----


def can_trace():
    """Whether strace is there and may trace: a container's rules may forbid it."""
    return shutil.which("strace") is not None and subprocess.run(
        ["strace", "-o", "/dev/null", "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0  # fmt: skip


def calls(world, messages, *options):
    """How often a run that delivers so many messages makes each system call, in all its processes."""
    log = world.path / "calls"
    command = [COMMAND, "sync", "--quiet", "--allow-plaintext", "--password-file", str(world.password_file), *options]
    for file in world.path.glob("state.db*"):
        file.unlink()
    with counting(messages=messages) as (port, round_trips):
        subprocess.run(
            ["strace", "-f", "-qq", "-o", str(log), *command, "--state", str(world.state), f"pop3://user@127.0.0.1:{port}"],
            env=world.environment(ASAN_OPTIONS="detect_leaks=0"),  # which a process that is traced cannot do
            check=True, timeout=DEADLINE)  # fmt: skip
        round_trips()
    made = re.findall(r"^\d+ +(\w+)\(", log.read_text(errors="replace"), re.M)
    return Counter(made)


# How often a thread looks whether there is something to do depends on how fast the others are.
WAITS = {"futex", "poll", "ppoll", "recvfrom", "read", "sched_yield", "clock_nanosleep"}


@pytest.mark.skipif(not can_trace(), reason="strace is not there, or may not trace")
@pytest.mark.parametrize("kind", ["maildir", "mbox"])
def test_the_sandbox_costs_no_system_call_for_a_message(fast_world, kind):
    """All that it costs is at the start, and for a batch where a file beside an mbox is opened outside of it. How many
    batches there are depends on the disk."""
    world, few, many = fast_world, 10, 1000

    def more(*options):
        """How much more often each call is made for many messages than for few."""
        where = [f"--{kind}", str(world.path / f"{kind}{len(options)}"), *options]
        least, most = calls(world, few, *where), calls(world, many, *where)
        return {name: most[name] - least[name] for name in most if name not in WAITS}

    within, without = more(), more("--no-sandbox")
    rises = {name: count - without.get(name, 0) for name, count in within.items()}
    assert sum(without.values()) > (many - few if kind == "maildir" else 10), "nothing was counted"
    assert max(rises.values()) < (many - few) / 3, rises
