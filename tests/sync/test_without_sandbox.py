"""The command as a system has it where it can give nothing up (-Dportable=true): it says so, and works."""

import re
import subprocess

from world import COMMAND, DEADLINE


def test_sync_delivers_and_says_that_there_is_no_sandbox(world):
    world.fill(20)
    with world.server() as server:
        said = world.sync(server.port, "-v")
    assert "pop3: sandbox: off: this build has none for this system" in said
    assert "20 new messages" in said


def test_doctor_notes_that_there_is_no_sandbox(world):
    world.fill(1)
    with world.server() as server:
        done = subprocess.run(
            [COMMAND, "doctor", f"pop3://user@127.0.0.1:{server.port}", "--allow-plaintext",
             "--password-file", str(world.password_file)],
            env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
    assert re.search(r"^note +sandbox +off: this build has none for this system$", done.stdout, re.MULTILINE), done.stdout
