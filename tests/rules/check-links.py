#!/usr/bin/env python3
"""Checks that what the documents name exists: linked files and headings, paths and source files in backticks, and the
subcommands, options and settings of pop3."""

import re
import sys
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

LINK = re.compile(r"\]\(([^)\s#]*)(?:#([^)\s]*))?\)")
# A path from the root of the project, written as code; with * it is one of many, {a,b} are two.
PATH = re.compile(r"`((?:bench|docs|examples|include|packaging|python|src|systemd|tests|tools)/[\w./*{},-]+)`")
# A source file in code, wherever it is; NAME stands for any.
SOURCE = re.compile(r"`((?![^`]*NAME)[\w./-]+\.(?:c|h|py|sh))`")
# A command line of pop3, up to a pipe or a comment; an option or a setting on its own, as code.
COMMAND = re.compile(r"(?:^\s+|`|&& )pop3 ([^`|#&]+)")
OPTION = re.compile(r"(?<![\w-])--([a-z][a-z0-9-]+)")
ALONE = re.compile(r"`--([a-z][a-z0-9-]+)[^`]*`")
SETTING = re.compile(r"(?:^    |`)([a-z][a-z0-9-]*) = ")
# What was true of a release stays as it was.
EXEMPT = {"CHANGELOG.md"}
# The documents that show pop3's options and settings, and what they show of other programs.
OF_POP3 = {"README.md", "docs/guide"}
FOREIGN = {"static", "format", "ssl"}


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


def table(name: str) -> ConfigParser:
    found = ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    found.read_string((ROOT / name).read_text(encoding="utf-8"))
    return found


SOURCES = {path.name for place in ("bench", "examples", "include", "python", "src", "tests", "tools") for path in (ROOT / place).rglob("*.*")}
SUBCOMMANDS = set(table("src/cli/subcommands.ini").sections())
SETTINGS = set(table("src/settings/settings.ini").sections())


def blocks(text: str) -> list[tuple[int, str]]:
    """The lines with their numbers, without the code blocks that configure another program (they have braces)."""
    found: list[tuple[int, str]] = []
    for part in re.finditer(r"(?:^    .*\n|^\n(?=    ))+|^.*\n?", text, re.MULTILINE):
        if not (part[0].startswith("    ") and "{" in part[0]):
            first = text.count("\n", 0, part.start()) + 1
            found += enumerate(part[0].splitlines(), first)
    return found


def unknown_names(document: Path) -> list[str]:
    """What a document says of pop3's command line and configuration that is not in their tables."""
    found = []
    for number, line in blocks(document.read_text()):
        names = []
        for arguments in COMMAND.findall(line):
            first = arguments.split()[0]
            names += [("subcommand", first)] * (re.fullmatch(r"[a-z]+", first) is not None and first not in SUBCOMMANDS)
            names += [("option", name) for name in OPTION.findall(arguments) if name not in SETTINGS | {"version"}]
        names += [("option", name) for name in ALONE.findall(line) if name not in SETTINGS]
        names += [("setting", name) for name in SETTING.findall(line) if name not in SETTINGS]
        found += [f"{document.relative_to(ROOT)}:{number}: pop3 has no {kind} {name}" for kind, name in names
                  if name not in FOREIGN]  # fmt: skip
    return found


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
        found += [f"{where}: there is no {name}" for name in SOURCE.findall(line) if Path(name).name not in SOURCES]
    return found


def main() -> int:
    documents = [path for path in sorted(ROOT.rglob("*.md"))
                 if path.name not in EXEMPT and not any(part.startswith((".", "build")) for part in path.relative_to(ROOT).parts)]  # fmt: skip
    found = [line for document in documents for line in complaints(document)]
    found += [line for document in documents for line in unknown_names(document)
              if any(document.is_relative_to(ROOT / part) for part in OF_POP3)]  # fmt: skip
    for line in found:
        print(line)
    print(f"{len(documents)} documents, {len(found)} names of what does not exist")
    return 1 if found or not documents else 0


if __name__ == "__main__":
    sys.exit(main())
