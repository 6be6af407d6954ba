"""The floor of the bench: a program that does the least possible, and how the tables show what it reaches."""

import contextlib
import os
import re
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import run  # noqa: E402
from harness import Row, Trial, make_certificate  # noqa: E402
from workloads import Goal, Result  # noqa: E402

TOOLS = os.environ["POP3_BENCH_TOOLS"]
DEADLINE = 60
MESSAGES, SIZE = 20, 600


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    cert, key = make_certificate(tmp_path_factory.mktemp("certificate"))
    return ["--cert", str(cert), "--key", str(key)]


@contextlib.contextmanager
def running_server(certificate, size=SIZE):
    """The bench's server, which reports on each session; gives its process and ports."""
    server = subprocess.Popen([f"{TOOLS}/bench-server", "--messages", str(MESSAGES), "--size", str(size), "--report",
                               *certificate], stdout=subprocess.PIPE, text=True)  # fmt: skip
    try:
        yield server, [int(port) for port in server.stdout.readline().split()[1:]]
    finally:
        server.terminate()
        server.wait(DEADLINE)
        server.stdout.close()


def session_of_floor(certificate, *options):
    """Runs the floor once; returns its output, and what the server reports about the session."""
    with running_server(certificate) as (server, ports):
        printed = subprocess.run([f"{TOOLS}/bench-floor", *options, str(ports["--tls" in options]), str(MESSAGES)],
                                 check=True, capture_output=True, text=True, timeout=DEADLINE).stdout  # fmt: skip
        reported = server.stdout.readline()
    return printed, {name: int(count) for name, count in re.findall(r" ([a-z-]+)=(\d+)", reported)}


@pytest.mark.parametrize("options", [[], ["--tls"], ["--awake"], ["--awake", "--tls"]])
def test_one_command_at_a_time_waits_for_each_reply(certificate, options):
    printed, reported = session_of_floor(certificate, "--sequential", *options)
    assert printed == f"{MESSAGES} messages, {reported['octets-out']} octets\n"
    assert reported["octets-out"] > MESSAGES * SIZE
    assert reported["commands"] == reported["round-trips"] == MESSAGES + 3  # USER, PASS and QUIT


@pytest.mark.parametrize("options", [[], ["--tls"]])
def test_all_commands_at_once_wait_for_none(certificate, options):
    printed, reported = session_of_floor(certificate, *options)
    assert printed == f"{MESSAGES} messages, {reported['octets-out']} octets\n"
    assert reported["commands"] == MESSAGES + 4  # USER, PASS, STAT and QUIT
    assert reported["round-trips"] <= 2


@pytest.mark.parametrize("tls", [False, True])
def test_the_server_outlives_a_client_that_goes_in_the_middle_of_a_message(certificate, tls):
    context = ssl.create_default_context(cafile=certificate[1])
    context.check_hostname = False
    with running_server(certificate, 4_000_000) as (server, ports):
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", ports[tls]), DEADLINE) as line:
                line = context.wrap_socket(line) if tls else line
                line.sendall(b"USER user\r\nPASS pass\r\nRETR 1\r\nRETR 2\r\n")
                line.recv(512)
                line.shutdown(socket.SHUT_WR)
                line.close()  # with octets that were not read: the server is told by RST
            assert server.stdout.readline().startswith("session user=user ")


@pytest.mark.parametrize("options", [["--sequential", "--accounts", "2"], ["--sequential", "--deliver", "mail"], ["--awake"]])
def test_options_that_do_not_go_together_are_refused(tmp_path, options):
    done = subprocess.run([f"{TOOLS}/bench-floor", *options, "1", "1"], cwd=tmp_path, capture_output=True, text=True,
                          timeout=DEADLINE, check=False)  # fmt: skip
    assert done.returncode != 0
    assert "--sequential [--awake] [--tls] PORT MESSAGES" in done.stderr
    assert not (tmp_path / "mail").exists()


def row(name, seconds, kind="peer"):
    return Row(Trial(name, lambda _: [], kind), [seconds], [seconds], [1024])


def test_a_goal_says_what_the_floor_reaches_of_the_same_ratio():
    result = Result("P", "a table", [row("poplib", 2.0), row("cpoplib", 1.0), row("floor", 0.9, "floor")])
    result.held("cpoplib / poplib", 1.0, 2.0, 0.4, 0.9)
    result.held("without a floor", 1.0, 2.0, 0.6)
    text = "\n".join(run.table(result))
    assert "cpoplib / poplib: 0.50, goal at most 0.40: **missed** (the floor: 0.45)" in text
    assert "without a floor: 0.50, goal at most 0.60: **met**\n" in text


@pytest.mark.parametrize(("mine", "other"), [(1.0, None), (None, 2.0), (1.0, -0.1), (-0.1, 2.0), (1.0, 0.0)])
def test_a_goal_without_a_time_above_zero_on_both_sides_is_not_measured(mine, other):
    result = Result("P", "a table", [])
    result.held("cpoplib / poplib", mine, other, 0.4, mine)
    assert (result.goals[0].verdict, result.goals[0].least) == ("not measured", None)


def test_tables_that_are_kept_keep_what_the_floor_reached(tmp_path):
    result = Result("P", "a table", [row("poplib", 2.0), row("cpoplib", 1.0)])
    result.goals = [Goal("a ratio", 0.5, 0.4, 0.45), Goal("another", 0.5, 0.6)]
    about = {"date": "1 May", "commit": "abc", "form": "short", "rounds": 1, "processors": 2, "processor": "one",
             "kernel": "6.1", "disk": "ext4", "load_at_start": 0, "packages": {}}  # fmt: skip
    run.save(tmp_path, about, [result], [])
    (kept,) = run.earlier_results(tmp_path)
    assert kept.goals == result.goals
    assert run.table(kept)[-3:] == run.table(result)[-3:]
