#!/usr/bin/env python3
"""Checks that each public function has a user in this repository, or a comment that says which programs use it.

A user is a room of src/ that does not define the function, an example, or cpoplib. Without one, the comment must have a
sentence that begins with "For programs".

check-public.py [--list]    --list prints the functions without a user, with these sentences
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DECLARED = re.compile(r"/\*\*(?P<comment>(?:[^*]|\*(?!/))*)\*/\s*POP3_API [^;]*?\b(?P<name>pop3_\w+)\(")
REASON = re.compile(r"\bFor programs\b[^.;]*")


def declared() -> Iterator[tuple[str, str]]:
    """Each public function with its comment."""
    for header in sorted((ROOT / "include" / "pop3").glob("*.h")):
        text = header.read_text(encoding="utf-8")
        found = list(DECLARED.finditer(text))
        if len(found) != len(re.findall(r"^POP3_API ", text, re.M)):
            sys.exit(f"{header.name}: {text.count('POP3_API ') - len(found)} functions have no comment of their own")
        for match in found:
            yield match["name"], re.sub(r"\s*\n \* ?", " ", match["comment"])


def words_of_rooms() -> list[tuple[set[str], set[str]]]:
    """Of each room: the words in its code, and the functions that it defines."""
    folders = [p for p in (ROOT / "src").iterdir() if p.is_dir()] + [ROOT / "examples", ROOT / "python"]
    rooms = []
    for folder in folders:
        files = [p for p in folder.rglob("*") if p.suffix in (".c", ".h", ".cpp")]
        text = "\n".join(p.read_text(encoding="utf-8") for p in files)
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        defined = re.findall(r"^[a-z][^;{}()=]*?\b(pop3_\w+)\([^;{}]*\)\n\{", text, flags=re.M)
        rooms.append((set(re.findall(r"\bpop3_\w+", text)), set(defined)))
    return rooms


def main() -> int:
    rooms = words_of_rooms()
    everything = list(declared())
    unused = [(n, c) for n, c in everything if not any(n in words and n not in own for words, own in rooms)]
    reasons = {name: REASON.search(comment) for name, comment in unused}
    if sys.argv[1:] == ["--list"]:
        for name, reason in reasons.items():
            print(f"{name}: {' '.join(reason[0].split()) if reason else 'no reason'}")
    missing = [name for name, reason in reasons.items() if reason is None]
    for name in missing:
        print(f"{name}: neither the command, an example nor cpoplib uses it, and its comment does not say for whom it is")
    print(f"{len(everything)} public functions, {len(unused)} without a user here, {len(missing)} of them without a reason")
    return 1 if missing or not everything else 0


if __name__ == "__main__":
    sys.exit(main())
