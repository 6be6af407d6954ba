"""A run that is told to end does, though the server that mail goes to says nothing: it has 20 seconds for what is under way,
and not the minutes that servers have otherwise. Time passes ten times as fast where they have ten (hurry.c). All runs wait
at once."""

import contextlib
import itertools
import signal
import subprocess
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / name) for name in ("sync", "hostile")]

from conftest import preloaded  # noqa: E402
from every_target import settings  # noqa: E402
from target_servers import held, running  # noqa: E402
from world import COMMAND, DEADLINE, World  # noqa: E402

SILENT = [("lmtp", "message", 10), ("smtp", "message", 10), ("imap", "append", 10), ("imap", "message", 10), ("imap", "tls", 1),
          ("imap", "login", 1)]  # fmt: skip
CASES = list(itertools.product(SILENT, [signal.SIGTERM, signal.SIGINT]))


def begin(stack, path, certs, case):
    """A run against a server that has fallen silent, which has just been told to end."""
    (protocol, step, faster), number = case
    path.mkdir()
    world = World(path)
    world.fill(2)
    server = stack.enter_context(world.server())
    target = stack.enter_context(running(protocol, certs, step, held))
    config = world.path / "accounts"
    config.touch(mode=0o600)
    config.write_text(f"[a]\nurl = pop3://user@127.0.0.1:{server.port}\nallow-plaintext = yes\nremove = delivered\n"
                      f"timeout = 1d\nsession-timeout = 1d\npassword-file = {world.password_file}\n"
                      f"{settings(protocol, target.port, certs, world.password_file)}")  # fmt: skip
    env = world.environment(POP3_HURRY=str(faster), **preloaded("hurry"))
    process = stack.enter_context(
        subprocess.Popen([COMMAND, "sync", "a", "--config", str(config), "--state", str(world.state)], env=env,
                         stderr=subprocess.PIPE, text=True))  # fmt: skip
    stack.callback(process.kill)
    assert target.speaks.wait(DEADLINE)
    process.send_signal(number)
    return world, process


@pytest.fixture(scope="module")
def runs(tmp_path_factory, certs):
    folder = tmp_path_factory.mktemp("runs")
    with contextlib.ExitStack() as stack:
        yield [begin(stack, folder / str(i), certs, case) for i, case in enumerate(CASES)]


@pytest.mark.parametrize("i", range(len(CASES)), ids=lambda i: "-".join(map(str, (*CASES[i][0], int(CASES[i][1])))))
def test_a_silent_target_does_not_keep_a_run_that_is_to_end(runs, i):
    world, process = runs[i]
    _, said = process.communicate(timeout=DEADLINE * 5 / 6)  # before the silence would end it by itself
    assert process.returncode == 75, said
    assert ": stopped by a signal" in said and "anceled" not in said and "in time" not in said
    assert len(world.on_server()) == 2
