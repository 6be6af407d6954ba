"""What a message, and a line of a listing, cost the processor: instructions, counted by valgrind's cachegrind. Two sizes
of the same work are counted, so that the start of a program counts in neither."""

import os
import re
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.skipif(shutil.which("valgrind") is None, reason="no valgrind here, which counts instructions")

TOOLS = os.environ["POP3_BENCH_TOOLS"]
DEADLINE = 120


def instructions(tmp_path, program, messages, size):
    """How many instructions a program takes with a mailbox."""
    log = tmp_path / "counts.log"
    server = subprocess.Popen([f"{TOOLS}/bench-server", "--messages", str(messages), "--size", str(size)],
                              stdout=subprocess.PIPE, text=True)  # fmt: skip
    try:
        port = server.stdout.readline().split()[1]
        subprocess.run(["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null",
                        f"--log-file={log}", f"{TOOLS}/{program}", port],
                       check=True, stdout=subprocess.DEVNULL, timeout=DEADLINE)  # fmt: skip
    finally:
        server.terminate()
        server.wait(DEADLINE)
        server.stdout.close()
    return int(re.search(r"I +refs: +([\d,]+)", log.read_text())[1].replace(",", ""))


# A sixth more than what GCC 12 makes of it for x86-64.
@pytest.mark.parametrize(("program", "size", "most"), [("bench-listing", 600, 1650), ("retr_all", 4096, 4750)])
def test_a_message_costs_few_instructions(tmp_path, program, size, most):
    few, many = (instructions(tmp_path, program, n, size) for n in (2000, 6000))
    each = (many - few) / 4000
    print(f"{program}: {each:.0f} instructions for each message")
    assert each <= most
