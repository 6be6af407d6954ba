#!/usr/bin/env python3
"""Checks that every option and subcommand is in the help, the manual pages and the completions, and no other.

    check-options.py POP3

The options are those of the settings' table, and what the command line knows beyond it.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORD = r"--([a-z][a-z0-9-]+)"


def read(name: str) -> str:
    return (ROOT / name).read_text()


def table(name: str, begin: str) -> set[str]:
    """The names that begin the rows of a table in C, from the line that has `begin` on."""
    text = read(name).split(begin, 1)[1]
    return set(re.findall(r'\{"([a-z0-9-]+)",', text.split("};", 1)[0]))


def settings() -> tuple[set[str], set[str]]:
    """All settings, and those that are secret: no options."""
    rows = re.findall(r'\{"([a-z0-9-]+)", P3_VALUE_\w+, (?:NULL|"[^"]*"), (true|false),',
                      read("src/cli/settings.c"))  # fmt: skip
    return {name for name, _ in rows}, {name for name, secret in rows if secret == "true"}


def manual(name: str) -> str:
    return read(name).replace("\\", "")


def main() -> int:
    command = sys.argv[1]
    named, secret = settings()
    switches = table("src/cli/arguments.c", "switches[] =") | table("src/cli/arguments.c", "forms[] =")
    values = table("src/cli/arguments.c", "values[] =") | {"delete-after"}
    general = set(re.findall(r'strcmp\(name, "([a-z-]+)"\)', read("src/cli/config.c"))) - {"url", "inherit"}
    subcommands = table("src/cli/main.c", "subcommands[] =") | {"help"}
    options = {o for o in (named - secret) | switches | values if len(o) > 1}

    def told(*topic: str) -> str:
        return subprocess.run([command, "help", *topic], check=True, capture_output=True, text=True).stdout

    helps = told() + told("options") + "".join(told(name) for name in sorted(subcommands))
    bash, fish, zsh = (read(f"completions/{f}") for f in ("pop3.bash", "pop3.fish", "_pop3"))
    loops = re.findall(r"for option in (.*?)\n *complete", fish, re.DOTALL)
    in_fish = set(re.findall(r"-l ([a-z0-9-]+)", fish)) | set(re.sub(r"\\\n", " ", " ".join(loops)).split())
    places = {
        "the help": (set(re.findall(WORD, helps)), options | {"version"}),
        "completions/pop3.bash": (set(re.findall(WORD, bash)), options),
        "completions/_pop3": (set(re.findall(WORD, zsh)), options),
        "completions/pop3.fish": (in_fish, options),
        "docs/man/pop3.1.scd": (set(re.findall(WORD, manual("docs/man/pop3.1.scd"))), None),
        "docs/man/pop3-config.5.scd": (
            set(re.findall(r"\*([a-z0-9-]{3,})\*", re.sub(r"^\t.*", "", manual("docs/man/pop3-config.5.scd"), flags=re.M))),
            named | general | {"inherit"}),
    }  # fmt: skip
    wrong = []
    for place, (found, wanted) in places.items():
        missing = (switches | values if wanted is None else wanted) - found
        wrong += [f"{place}: {name} is missing" for name in sorted(missing) if len(name) > 1]
        known = options | {"version"} | named | general | {"inherit", "pop3"}
        wrong += [f"{place}: there is no {name}" for name in sorted(found - known)]
    for place, text in (("the help", told()), ("docs/man/pop3.1.scd", manual("docs/man/pop3.1.scd")),
                        ("completions/pop3.bash", bash), ("completions/_pop3", zsh),
                        ("completions/pop3.fish", fish)):  # fmt: skip
        wrong += [f"{place}: the command {name} is missing" for name in sorted(subcommands)
                  if not re.search(rf"\b{name}\b", text)]  # fmt: skip
    for line in wrong:
        print(line)
    if len(options) < 50 or len(subcommands) < 13:
        wrong.append("the tables were not found")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
