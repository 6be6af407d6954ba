#!/usr/bin/env python3
"""Checks that what the documents point to is there: links to files and to their headings, and paths in backticks."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

LINK = re.compile(r"\]\(([^)\s#]*)(?:#([^)\s]*))?\)")
# A path from the root of the project, written as code; with * it is one of many, {a,b} are two.
PATH = re.compile(r"`((?:bench|docs|examples|include|packaging|python|src|systemd|tests|tools)/[\w./*{},-]+)`")
# What was true of a release stays as it was.
EXEMPT = {"CHANGELOG.md"}


def anchors(path: Path) -> set[str]:
    """The headings of a document, as links name them."""
    headings = re.findall(r"^#+\s+(.*)$", path.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def one_of_each(pattern: str) -> list[str]:
    """a/{b,c}.d is a/b.d and a/c.d."""
    braces = re.search(r"\{([^{}]*)\}", pattern)
    if braces is None:
        return [pattern]
    return [name for word in braces[1].split(",") for name in one_of_each(pattern.replace(braces[0], word, 1))]


def complaints(document: Path) -> list[str]:
    found = []
    for number, line in enumerate(document.read_text().splitlines(), 1):
        where = f"{document.relative_to(ROOT)}:{number}"
        for target, heading in LINK.findall(line):
            if re.match(r"[a-z]+:", target):
                continue
            path = document.parent / target if target else document
            if not path.exists():
                found.append(f"{where}: there is no {target}")
            elif heading and path.suffix == ".md" and heading not in anchors(path):
                found.append(f"{where}: {target} has no heading #{heading}")
        for pattern in PATH.findall(line):
            found += [f"{where}: there is no {name}" for name in one_of_each(pattern)
                      if not any(ROOT.glob(name.rstrip("/")))]  # fmt: skip
    return found


def main() -> int:
    documents = [path for path in sorted(ROOT.rglob("*.md"))
                 if path.name not in EXEMPT and not any(part.startswith((".", "build")) for part in path.relative_to(ROOT).parts)]  # fmt: skip
    found = [line for document in documents for line in complaints(document)]
    for line in found:
        print(line)
    print(f"{len(documents)} documents, {len(found)} things that are not there")
    return 1 if found or not documents else 0


if __name__ == "__main__":
    sys.exit(main())
