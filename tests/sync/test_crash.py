"""Kills `pop3 sync` with SIGKILL, at random moments and at every marked point of the order of effects,
runs it again, and counts: every message is delivered exactly once, and none is lost on both sides.

CRASH_MESSAGES, CRASH_RANDOM and CRASH_SEED change how many messages, how many random moments, and which.
"""

import os
import random
import shutil
import signal
import subprocess
import threading
import time

import pytest

from world import CRASH_COMMAND, DEADLINE, Server, message

MESSAGES = int(os.environ.get("CRASH_MESSAGES", 500))
RANDOM = int(os.environ.get("CRASH_RANDOM", 300))
SEED = int(os.environ.get("CRASH_SEED", 20261123))

# Every marked point, and at which of its passings to die.
POINTS = [
    ("intents-recorded", 1),
    ("tmp-open", 1),
    ("tmp-open", MESSAGES // 2),
    ("tmp-write", 2),
    ("tmp-written", MESSAGES),
    ("before-sync", 1),
    ("after-sync", 1),
    ("rename", 1),
    ("rename", MESSAGES // 2),
    ("rename", MESSAGES),
    ("renamed", 1),
    ("folder-synced", 1),
    ("delivered-recorded", 1),
    ("dele-answered", 1),
    ("dele-answered", MESSAGES),
    ("leaving-recorded", 1),
    ("before-quit", 1),
    ("quit-answered", 1),
    ("gone-recorded", 1),
]


def expected():
    return sorted(message(i, 5).encode() for i in range(MESSAGES))


def start(world, port, point=None):
    env = world.environment()
    if point is not None:
        env["POP3_TEST_CRASH_AT"] = f"{point[0]}:{point[1]}"
    command = world.sync_command(port, "--delete", "--quiet", command=CRASH_COMMAND)
    return subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)


def finish(world, port):
    """Runs to the end, and looks at the result."""
    process = start(world, port)
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, errors
    delivered = world.delivered()
    everything = expected()
    lost = set(everything) - set(delivered) - set(world.on_server())
    assert not lost, f"{len(lost)} messages are on neither side"
    assert len(delivered) == len(set(delivered)), "a message was delivered twice"
    assert delivered == everything
    assert world.on_server() == []
    assert world.unfinished() == []


def reset(world):
    shutil.rmtree(world.maildir, ignore_errors=True)
    for file in world.path.glob("state.db*"):
        file.unlink()
    world.fill(MESSAGES, lines=5)


@pytest.mark.interrupted("Maildir", "killed at marked points")
@pytest.mark.parametrize("point", POINTS, ids=lambda p: f"{p[0]}-{p[1]}")
def test_killed_at_a_marked_point_then_run_again(fast_world, point):
    world = fast_world
    reset(world)
    with world.server("--delete") as server:
        process = start(world, server.port, point)
        process.communicate(timeout=DEADLINE)
        assert process.returncode == -signal.SIGKILL, "the point was not reached"
        server.settle()
        finish(world, server.port)


def test_killed_at_random_moments_then_run_again(fast_world, capsys, record_property):
    """The moments are spread over the time that a whole run takes; each run is killed again and again
    until it comes through, which makes recovery itself a victim."""
    world = fast_world
    dice = random.Random(SEED)
    reset(world)
    with world.server("--delete") as server:
        begun = time.monotonic()
        finish(world, server.port)
        whole = time.monotonic() - begun
        kills = came_through = rounds = 0
        while kills < RANDOM:
            reset(world)
            server.forget()
            rounds += 1
            for _ in range(3):
                process = start(world, server.port)
                ended = threading.Event()
                watcher = threading.Thread(target=lambda: (process.wait(), ended.set()))
                watcher.start()
                if not ended.wait(dice.uniform(0, whole)):
                    process.kill()
                watcher.join()
                server.settle()
                errors = process.stderr.read()
                process.stderr.close()
                if process.returncode == -signal.SIGKILL:
                    kills += 1
                    whole *= 1.02  # follows how fast the machine is just now
                    continue
                assert process.returncode == 0, errors
                came_through += 1
                whole *= 0.95
                break
            finish(world, server.port)
    record_property("interrupted", ("Maildir", "killed at random moments", kills))
    with capsys.disabled():
        print(f"# {MESSAGES} messages, deleted on the server: {kills} kills at random moments in "
              f"{rounds} rounds, {came_through} runs came through; each message was delivered "
              f"exactly once, none lost", flush=True)  # fmt: skip
