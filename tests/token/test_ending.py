"""A run that is told to end does, though the server that mail goes to says nothing: it has 20 seconds for what is under way,
and not the minutes that servers have otherwise. Time passes ten times as fast where they have ten (hurry.c)."""

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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("protocol, step, faster", [
    ("lmtp", "message", 10), ("smtp", "message", 10), ("imap", "append", 10), ("imap", "message", 10), ("imap", "tls", 1),
    ("imap", "login", 1)])  # fmt: skip
def test_a_silent_target_does_not_keep_a_run_that_is_to_end(tmp_path, certs, protocol, step, faster, number):
    world = World(tmp_path)
    world.fill(2)
    with world.server() as server, running(protocol, certs, step, held) as target:
        config = world.path / "accounts"
        config.touch(mode=0o600)
        config.write_text(f"[a]\nurl = pop3://user@127.0.0.1:{server.port}\nallow-plaintext = yes\nremove = delivered\n"
                          f"timeout = 1d\nsession-timeout = 1d\npassword-file = {world.password_file}\n"
                          f"{settings(protocol, target.port, certs, world.password_file)}")  # fmt: skip
        env = world.environment(POP3_HURRY=str(faster), **preloaded("hurry"))
        with subprocess.Popen([COMMAND, "sync", "a", "--config", str(config), "--state", str(world.state)], env=env,
                              stderr=subprocess.PIPE, text=True) as process:  # fmt: skip
            try:
                assert target.speaks.wait(DEADLINE)
                process.send_signal(number)
                _, said = process.communicate(timeout=DEADLINE * 5 / 6)  # before the silence would end it by itself
            finally:
                process.kill()
        assert process.returncode == 75, said
        assert ": stopped by a signal" in said and "anceled" not in said and "in time" not in said
        assert len(world.on_server()) == 2
