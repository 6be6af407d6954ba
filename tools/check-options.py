#!/usr/bin/env python3
"""Checks what is generated from the tables of settings and subcommands: every option and subcommand is in the help, the
manual pages and the completions, and no other is; lines of the help fit into 100 columns; every setting is used; and
every mechanism for logging in is in the completions and in the header.

    check-options.py POP3 BUILD
"""

from __future__ import annotations

import re
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORD = r"--([a-z0-9][a-z0-9-]+)"


def table(name: str) -> ConfigParser:
    found = ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    found.read_string((ROOT / name).read_text(encoding="utf-8"))
    return found


def main() -> int:
    command, build = sys.argv[1], Path(sys.argv[2])
    settings, subcommands = table("src/settings/settings.ini"), table("src/cli/subcommands.ini")
    in_file = {name for name in settings.sections() if settings[name].get("place") != "command"}
    options = {name for name in settings.sections()
               if settings[name].get("place") != "file" and settings[name].get("secret") != "yes"}  # fmt: skip

    def told(*topic: str) -> str:
        return subprocess.run([command, "help", *topic], check=True, capture_output=True, text=True).stdout

    helps = {" ".join(words): told(*words) for words in [(), ("options",), *((n,) for n in subcommands.sections())]}
    made = {name: (build / path).read_text(encoding="utf-8").replace("\\", "") for name, path in {
        "bash": "completions/pop3", "zsh": "completions/_pop3", "fish": "completions/pop3.fish",
        "pop3(1)": "docs/reference/man/pop3.1.scd", "pop3-config(5)": "docs/reference/man/pop3-config.5.scd"}.items()}  # fmt: skip
    found = {
        "pop3 help options": set(re.findall(WORD, re.sub(r"^ {8,}.*", "", helps["options"], flags=re.MULTILINE))),
        "bash": set(re.findall(WORD, made["bash"])),
        "zsh": set(re.findall(r"(?:'|,|\))--([a-z0-9-]+)(?=[\[}])", made["zsh"])),
        "fish": set(re.findall(r" -l ([a-z0-9-]+)", made["fish"])),
        "pop3(1)": set(re.findall(r"^(?:\*-.\*, )?\*--([a-z0-9-]+)\*", made["pop3(1)"], re.MULTILINE)),
        "pop3-config(5)": set(re.findall(r"^\*([a-z0-9-]+)\*$", made["pop3-config(5)"], re.MULTILINE)),
    }
    wrong = []
    for place, names in found.items():
        wanted = in_file if place == "pop3-config(5)" else options
        wrong += [f"{place}: {name} is missing" for name in sorted(wanted - names)]
        wrong += [f"{place}: there is no {name}" for name in sorted(names - wanted)]
    for place, text in (("pop3 help", helps[""]), *((n, made[n]) for n in ("bash", "zsh", "fish", "pop3(1)"))):
        wrong += [f"{place}: the command {name} is missing" for name in subcommands.sections()
                  if not re.search(rf"\b{name}\b", text)]  # fmt: skip
    for topic, text in helps.items():
        wrong += [f"pop3 help {topic}: longer than 100 columns: {line}" for line in text.splitlines() if len(line) > 100]
    code = "".join(path.read_text() for room in ("src/cli", "src/settings") for path in (ROOT / room).glob("*.c"))
    for name in settings.sections():
        field = settings[name].get("field", name.replace("-", "_"))
        if settings[name].get("type") == "target":  # found by its type, see p3_settings_targets()
            continue
        lent = rf"P3_SETTING_{name.replace('-', '_').upper()}\b"
        if not settings[name].get("alias") and not re.search(rf"(?:->|\.)(?:run\.)?{field}\b|{lent}", code):
            wrong.append(f"{name}: nothing uses it")
    mechanisms = re.findall(r'\] = {"([A-Z0-9-]+)"', (ROOT / "src/auth/mechanism.c").read_text())
    told = (ROOT / "include/pop3/login.h").read_text()
    for name in mechanisms:
        if name not in settings["auth"]["complete"].split():
            wrong.append(f"settings.ini: [auth] does not complete {name}")
        if not re.search(rf"(?<![A-Z0-9-]){name}(?![A-Z0-9-])", told):
            wrong.append(f"include/pop3/login.h: {name} is missing")
    for line in wrong:
        print(line)
    return 1 if wrong or len(options) < 50 or len(subcommands.sections()) < 13 or len(mechanisms) < 15 else 0


if __name__ == "__main__":
    sys.exit(main())
