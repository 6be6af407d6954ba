#!/usr/bin/env python3
"""Checks that the command has one way out: nothing in src but cli/output.c prints by itself, and the library prints
nothing at all."""

import re
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent.parent / "src"

PRINTS = re.compile(r"\b(v?f?printf|fputs|puts|f?putc|putchar|fwrite|perror|psignal|error|warnx?|errx?|syslog|"
                    r"json_dumpf|json_dumpfd|putw?char|fputws?c?)\(")  # fmt: skip

# dprintf(3) and write(2) go to descriptors: files, locks and pipes, and the question for a password, whose
# text is cleaned.
DESCRIPTORS = re.compile(r"\b(dprintf|write)\((STD(OUT|ERR)_FILENO|[012],)")

# A stream of this name is a file: the history of lines.
FILE = re.compile(r"\(to, |, to\)")

# syscall_list_linux.c runs while the command is built; pause.c prints in the builds of tests alone.
EXEMPT = {SOURCE / "cli/output.c", SOURCE / "confine/syscall_list_linux.c", SOURCE / "support/pause.c"}


def without_comments(text: str) -> str:
    return re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m[0]), text, flags=re.DOTALL)


def main() -> int:
    files, found = 0, 0
    for path in sorted(SOURCE.glob("*/*.[ch]")):
        files += 1
        if path in EXEMPT:
            continue
        for i, line in enumerate(without_comments(path.read_text()).splitlines(), 1):
            line = re.sub(r"format\(printf,", "", line)
            if (PRINTS.search(line) and not FILE.search(line)) or DESCRIPTORS.search(line):
                print(f"{path.relative_to(SOURCE.parent)}:{i}: {line.strip()}")
                found += 1
    print(f"{files} files, {found} places that print past cli/output.c")
    return 1 if found or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
