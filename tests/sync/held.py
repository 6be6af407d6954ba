"""A `pop3` that is held in the middle of its session, with a password in memory: to look at from outside."""

from __future__ import annotations

import contextlib
import subprocess
from typing import Iterator

from world import COMMAND, DEADLINE, Server, World

# Everything up to STAT, which is never answered.
SCRIPT = """\
line "+OK ready"
expect "CAPA"
capa "USER" "UIDL"
expect-prefix "USER "
line "+OK"
expect-prefix "PASS "
line "+OK"
expect "STAT"
expect-eof
"""


@contextlib.contextmanager
def held(world: World, *options: str, config: str = "", **env: str) -> Iterator[subprocess.Popen]:
    """`pop3 stat`, waiting for its answer. It is killed when it has not ended by the end. `config` are
    further lines for the top of a configuration file."""
    script = world.path / "held.pop3"
    script.write_text(SCRIPT)
    server = Server("--script", script)
    try:
        file = world.path / "held.conf"
        file.write_text(f"{config}\nallow-plaintext = yes\npassword-file = {world.password_file}\n"
                        f"[held]\nurl = pop3://user@127.0.0.1:{server.port}\n")  # fmt: skip
        process = subprocess.Popen(
            [COMMAND, "stat", "held", "--config", str(file), *options], env=world.environment(**env),
            cwd=world.path, stderr=subprocess.PIPE, text=True, start_new_session=True)  # fmt: skip
        try:
            server.wait_for(r" C: STAT$")
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            process.wait(DEADLINE)
            process.stderr.close()
    finally:
        server.stop()
