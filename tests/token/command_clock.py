"""The time as the command sees it, which Python may not: on a processor where times of 64 bits came later, its clock
is not put ahead with the command's, and knows no 2040."""

import datetime
import os
import subprocess

from world import BUILD

NOW = os.environ.get("POP3_NOW", str(BUILD / "tests/tools/now"))
EPOCH = datetime.datetime(1970, 1, 1)


def now() -> int:
    return int(subprocess.run([NOW], check=True, capture_output=True, text=True).stdout)


def utc(seconds: int) -> str:
    """As the command prints it."""
    return f"{EPOCH + datetime.timedelta(seconds=seconds):%Y-%m-%d %H:%M:%S UTC}"
