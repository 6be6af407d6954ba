"""Many sessions of a client of the catalogue that is written in Python: the interpreter and its modules are loaded once, and
each session is a process that is forked from there. catalogue.py begins a `Many`; what it runs ends with `serve(main)`."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
from typing import Callable, Sequence


def one(main: Callable[[], int], words: Sequence[str]) -> tuple[int, str, str]:
    """A session in a process of its own: its exit status (-N: signal N), and what it wrote."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(errors.fileno(), 2)
            out.close()
            errors.close()
            status = 1
            try:
                sys.argv[1:] = words
                status = main()
            except BaseException:  # noqa: BLE001 as the interpreter does with what nobody catches
                sys.excepthook(*sys.exc_info())
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        _, status = os.waitpid(child, 0)
        texts = []
        for file in (out, errors):
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
    return os.waitstatus_to_exitcode(status), texts[0], texts[1]


def serve(main: Callable[[], int]) -> int:
    """Started with --many: a session for each line of standard input, which has its words. Else this is the one session."""
    if sys.argv[1:] != ["--many"]:
        return main()
    for line in sys.stdin:
        print(json.dumps(one(main, json.loads(line))), flush=True)
    return 0


class Many:
    """A client that has begun, for one session after the other."""

    def __init__(self, client: Sequence[str]) -> None:
        self.process = subprocess.Popen([*client, "--many"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def play(self, words: Sequence[str], patience: float) -> tuple[int, str, str]:
        """What the session came to; TimeoutExpired when it does not end."""
        print(json.dumps(words), file=self.process.stdin, flush=True)
        if not select.select([self.process.stdout], [], [], patience)[0]:
            self.process.kill()
            raise subprocess.TimeoutExpired(words, patience)
        answer = self.process.stdout.readline()
        if not answer:
            return self.process.wait(), "", "the client has ended"
        status, out, errors = json.loads(answer)
        return status, out, errors

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()
