#!/usr/bin/env python3
"""Generates structs and rows in C, completions for shells, and entries of manual pages from the tables of settings
(src/settings/settings.ini) and subcommands (src/cli/subcommands.ini).

    generate-settings.py SETTINGS SUBCOMMANDS KIND [TEMPLATE] >FILE

KIND is fields, rows, subcommands, bash, zsh, fish or manual. A manual's TEMPLATE has lines "@settings TOPIC...@",
"@options TOPIC...@" and "@subcommands@", which the entries replace.
"""

from __future__ import annotations

import configparser
import re
import sys
from pathlib import Path
from typing import NamedTuple

# What a shell completes behind an option.
FILES, DIRECTORIES = "files", "directories"

# The field in C of each type.
FIELDS = {
    "text": "char *", "path": "char *", "yes-no": "bool ", "switch": "bool ", "number": "uint64_t ", "size": "uint64_t ",
    "time": "int64_t ", "choice": "int ", "port": "uint16_t ", "url": "p3_url ", "proxy": "p3_proxy_setting ",
    "traits": "p3_traits_setting ", "removal": "p3_removal_setting ", "target": "p3_target ",
    "deliver": "p3_deliver_setting ", "fallback": "p3_target ", "address": "char *", "sender": "char *",
    "flags": "char *", "table": "char *", "ascii": "char *",
}  # fmt: skip

TOPICS = {
    "delivery": "Delivery",
    "retention": "Retention and limits",
    "run": "Run",
    "top": "Text of messages",
    "authorize": "Authorization",
    "token": "Which permission",
    "server": "Server",
    "tls": "TLS",
    "imap": "Delivery by IMAP",
    "smtp": "Delivery by SMTP",
    "gmail": "Delivery to Gmail",
    "oauth": "Tokens instead of a password (OAuth 2.0)",
    "secret": "Password (the first of these that is set)",
    "login": "Login",
    "session": "Session",
    "common": "Common",
}

KNOWN = {"scope", "place", "type", "topic", "argument", "choices", "values", "least", "most", "default", "group", "secret",
         "alias", "letter", "files", "field", "complete", "own", "help", "manual"}  # fmt: skip


class Setting(NamedTuple):
    """One section of the table."""

    name: str
    row: configparser.SectionProxy

    def get(self, key: str, fallback: str = "") -> str:
        return self.row.get(key, fallback)

    def flag(self, key: str) -> bool:
        return self.get(key) == "yes"

    @property
    def is_alias(self) -> bool:
        return bool(self.get("alias"))

    @property
    def scope(self) -> str:
        return "alias" if self.is_alias else self.get("scope", "account")

    @property
    def place(self) -> str:
        return "file" if self.flag("secret") else self.get("place", "both")

    @property
    def field(self) -> str:
        return self.get("field", self.name.replace("-", "_"))

    @property
    def identity(self) -> str:
        return "P3_SETTING_" + self.name.replace("-", "_").upper()

    @property
    def type(self) -> str:
        return self.get("type")

    @property
    def takes_value(self) -> bool:
        """On the command line."""
        if self.is_alias:
            return "=" not in self.get("alias")
        return self.type not in ("switch", "yes-no")

    @property
    def argument(self) -> str:
        """What stands for the value in the help."""
        if not self.takes_value:
            return ""
        return "|".join(self.get("choices").split()) if self.type == "choice" else self.get("argument", "TYPE")

    @property
    def words(self) -> list[str]:
        """What a shell offers for the value."""
        return (self.get("choices") or self.get("complete")).split() if self.takes_value else []


def read(path: str) -> configparser.ConfigParser:
    table = configparser.ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    with Path(path).open(encoding="utf-8") as file:
        table.read_file(file)
    return table


def settings_of(path: str) -> list[Setting]:
    """The table; a mistake in it ends the build."""
    found = [Setting(name, row) for name, row in read(path).items() if name != "DEFAULT"]
    for s in found:
        unknown = set(s.row) - KNOWN
        if unknown or not s.get("help") or not s.get("manual") or s.get("topic") not in TOPICS:
            raise SystemExit(f"{path}: [{s.name}]: unknown {sorted(unknown)}, or no help, manual or topic")
        if not s.is_alias and s.type not in FIELDS:
            raise SystemExit(f"{path}: [{s.name}]: there is no type {s.type}")
    return found


def options(settings: list[Setting]) -> list[Setting]:
    return [s for s in settings if s.place != "file"]


def quoted(text: str) -> str:
    """A string of C, or NULL."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' if text else "NULL"


# ---- C ----


def fields(settings: list[Setting]) -> str:
    out = ["/* Made of settings.ini by tools/generate-settings.py. */", "#ifndef P3_SETTINGS_FIELDS_H",
           "#define P3_SETTINGS_FIELDS_H", "", '#include "settings/types.h"', ""]  # fmt: skip
    for scope, name, end in (("account", "p3_settings", "P3_ACCOUNT_SETTINGS"), ("run", "p3_run_settings", "P3_RUN_SETTINGS")):
        mine = [s for s in settings if s.scope == scope]
        out += ["enum {", *(f"    {s.identity}," for s in mine), f"    {end} /* how many there are */", "};", ""]
        out += [f"typedef struct {name} {{", f"    bool is_set[{end}]; /* by P3_SETTING_... */"]
        if scope == "account":
            out.append("    char *name; /* of the account: its section; or NULL */")
        seen: dict[str, Setting] = {}
        for s in mine:
            if s.field in seen:
                continue
            seen[s.field] = s
            out.append(f"    {FIELDS[s.type]}{s.field}; /* {s.get('help')} */")
        out += [f"}} {name};", ""]
    return "\n".join([*out, "#endif"])


def preset(s: Setting) -> str:
    """The preset value in C: a size may end in G, a time in s."""
    value = s.get("default", "0")
    match = re.fullmatch(r"(\d+)([Gs])", value)
    if match:
        return str(int(match[1]) * {"G": 1024**3, "s": 1000}[match[2]])
    return {"yes": "1", "true": "1", "no": "0", "false": "0"}.get(value, value)


def rows(settings: list[Setting]) -> str:
    out = ["/* Made of settings.ini by tools/generate-settings.py. */", '#include "settings/settings.h"', ""]
    groups = {"": 0}
    for s in settings:
        groups.setdefault(s.get("group"), len(groups))
        if s.type == "choice":
            out.append(f"static const int {s.field}_values[] = {{{', '.join(s.get('values').split())}}};")
    out += ["", "const p3_setting p3_all_settings[] = {"]
    for s in settings:
        alias, _, value = s.get("alias").partition("=")
        struct = {"account": "p3_settings", "run": "p3_run_settings"}.get(s.scope)
        parts = [f".name = {quoted(s.name)}", f".scope = P3_SCOPE_{s.scope.upper()}", f".place = P3_PLACE_{s.place.upper()}"]
        if s.get("letter"):
            parts.append(f".letter = '{s.get('letter')}'")
        if not s.is_alias:
            parts += [f".type = P3_TYPE_{s.type.replace('-', '_').upper()}", f".id = {s.identity}",
                      f".offset = offsetof({struct}, {s.field})"]  # fmt: skip
        if s.get("group"):
            parts.append(f".group = {groups[s.get('group')]}")
        parts += [f".is_{key} = true" for key in ("own", "secret") if s.flag(key)]
        if s.get("choices"):
            parts.append(f".choices = {quoted(s.get('choices'))}")
        if s.type == "choice":
            parts.append(f".values = {s.field}_values")
        parts += [f".{key} = {s.get(key)}" for key in ("least", "most") if s.get(key)]
        if preset(s) != "0":
            parts.append(f".preset = {preset(s)}")
        if alias:
            parts += [f".alias = {quoted(alias)}", f".value = {quoted(value)}"]
        parts += [f".topic = {quoted(s.get('topic'))}", f".argument = {quoted(s.argument)}", f".help = {quoted(s.get('help'))}"]
        out.append("    {" + ",\n     ".join(parts) + "},")
    out += ["    {0},", "};", ""]
    out += ["const p3_setting_topic p3_all_topics[] = {",
            *(f"    {{{quoted(name)}, {quoted(title)}}}," for name, title in TOPICS.items()), "    {0},", "};"]  # fmt: skip
    return "\n".join(out)


def subcommand_rows(subcommands: configparser.ConfigParser) -> str:
    out = ["/* Made of subcommands.ini by tools/generate-settings.py. */", '#include "cli/subcommands.h"', "",
           "const p3_subcommand p3_all_subcommands[] = {"]  # fmt: skip
    for name in subcommands.sections():
        row = subcommands[name]
        out.append(f"    {{{quoted(name)}, {'p3_cmd_' + name if name != 'help' else 'NULL'}, "
                   f"{str(row.get('json') == 'yes').lower()}, {str(row.get('dry-run') == 'yes').lower()},\n"
                   f"     {quoted(row['arguments'])}, {quoted(row.get('topics', ''))},\n"
                   f"     {quoted(row['help'])},\n     {quoted(row.get('text', ''))}}},")  # fmt: skip
    return "\n".join([*out, "    {0},", "};"])


# ---- completions ----


def bash(settings: list[Setting], subcommands: configparser.ConfigParser) -> str:
    def names(chosen: list[Setting]) -> str:
        return " ".join(sorted(f"--{s.name}" for s in chosen))

    all_options = options(settings)
    plain = [s for s in all_options if not s.get("files")]
    cases = "".join(f"        --{s.name}) mapfile -t COMPREPLY < <(compgen -W '{' '.join(s.words)}' -- \"$word\") ;;\n"
                    for s in all_options if s.words)  # fmt: skip
    return f"""# Completion of pop3(1) for bash. Made of the tables by tools/generate-settings.py.
_pop3_accounts() {{
    sed -n 's/^\\[\\(.*\\)\\].*/\\1/p' "${{XDG_CONFIG_HOME:-$HOME/.config}}/pop3/config" 2>/dev/null
}}

_pop3() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}}
    local commands='{' '.join(sorted(subcommands.sections()))}'
    local files='{names([s for s in all_options if s.get('files') == FILES])}'
    local directories='{names([s for s in all_options if s.get('files') == DIRECTORIES])}'
    local switches='{names([s for s in plain if not s.takes_value])}'
    local values='{names([s for s in plain if s.takes_value])}'

    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
    elif [[ " $files " == *" $before "* ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    elif [[ " $directories " == *" $before "* ]]; then
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
    else
        case $before in
{cases}        *)
            case $word in
            -*) mapfile -t COMPREPLY < <(compgen -W "$files $directories $switches $values" -- "$word") ;;
            *) mapfile -t COMPREPLY < <(compgen -W "$(_pop3_accounts)" -- "$word") ;;
            esac
            ;;
        esac
    fi
}}

complete -o filenames -F _pop3 pop3"""


def zsh(settings: list[Setting], subcommands: configparser.ConfigParser) -> str:
    def text(help_line: str) -> str:
        return re.sub(r"([\[\]:])", r"\\\1", help_line).replace("'", "'\\''")

    lines = []
    aliases = {s.name: s.get("alias").split("=")[0] for s in settings if s.is_alias}
    for s in sorted(options(settings)):
        rivals = sorted(o for o, target in aliases.items() if s.is_alias and target == aliases[s.name] and o != s.name)
        value = ""
        if s.takes_value:
            action = f"({' '.join(s.words)})" if s.words else {FILES: "_files", DIRECTORIES: "_files -/"}.get(s.get("files"), "")
            value = f":{s.name}:{action}"
        if s.get("letter"):
            both = f"-{s.get('letter')} --{s.name}"
            lines.append(f"'({both})'{{{both.replace(' ', ',')}}}'[{text(s.get('help'))}]{value}'")
        else:
            exclusive = f"({' '.join('--' + r for r in rivals)})" if rivals else ""
            lines.append(f"'{exclusive}--{s.name}[{text(s.get('help'))}]{value}'")
    commands = "\n".join(f"    '{name}:{text(row['help'])}'" for name, row in subcommands.items() if name != "DEFAULT")
    arguments = " \\\n    ".join(lines)
    return f"""#compdef pop3
# Completion of pop3(1) for zsh. Made of the tables by tools/generate-settings.py.

_pop3_accounts() {{
    local -a accounts
    accounts=(${{(f)"$(sed -n 's/^\\[\\(.*\\)\\].*/\\1/p' ${{XDG_CONFIG_HOME:-$HOME/.config}}/pop3/config 2>/dev/null)"}})
    compadd -a accounts
}}

local -a commands
commands=(
{commands}
)

_arguments -S \\
    '1:command:{{_describe command commands}}' \\
    '*:account:_pop3_accounts' \\
    {arguments}"""


def fish(settings: list[Setting], subcommands: configparser.ConfigParser) -> str:
    def text(help_line: str) -> str:
        return "'" + help_line.replace("\\", "\\\\").replace("'", "\\'") + "'"

    lines = [f"complete -c pop3 -n __fish_use_subcommand -a {name} -d {text(row['help'])}"
             for name, row in subcommands.items() if name != "DEFAULT"]  # fmt: skip
    lines.append("complete -c pop3 -n 'not __fish_use_subcommand' -a '(__pop3_accounts)'")
    for s in sorted(options(settings)):
        line = "complete -c pop3" + (f" -s {s.get('letter')}" if s.get("letter") else "") + f" -l {s.name}"
        if s.words:
            line += f" -x -a '{' '.join(s.words)}'"
        elif s.get("files"):
            line += " -r -F"
        elif s.takes_value:
            line += " -x"
        lines.append(f"{line} -d {text(s.get('help'))}")
    joined = "\n".join(lines)
    return f"""# Completion of pop3(1) for fish. Made of the tables by tools/generate-settings.py.
function __pop3_accounts
    set -l config $HOME/.config
    set -q XDG_CONFIG_HOME; and set config $XDG_CONFIG_HOME
    sed -n 's/^\\[\\(.*\\)\\].*/\\1/p' $config/pop3/config 2>/dev/null
end

complete -c pop3 -f
{joined}"""


# ---- manual pages ----


def body(manual: str) -> str:
    """An entry's text, as scdoc indents it."""
    return "\n".join("\t" + line.strip() for line in manual.splitlines())


def setting_entries(settings: list[Setting], topics: list[str]) -> str:
    """For pop3-config(5)."""
    chosen = [s for s in settings if s.get("topic") in topics and s.place != "command"]
    return "\n\n".join(f"*{s.name}*\n{body(s.get('manual'))}" for s in chosen)


def option_entries(settings: list[Setting], topics: list[str]) -> str:
    """For pop3(1): what pop3-config(5) has at length is a line there."""
    entries = []
    for s in options(settings):
        if s.get("topic") not in topics:
            continue
        name = f"*--{s.name}*" + (f" _{s.argument}_" if s.argument else "")
        if s.get("letter"):
            name = f"*-{s.get('letter')}*, {name}"
        text = s.get("manual") if s.place == "command" else escaped(s.get("help")) + "."
        entries.append(f"{name}\n{body(text)}")
    return "\n\n".join(entries)


def escaped(text: str) -> str:
    return re.sub(r"([*_\\])", r"\\\1", text)


def manual(settings: list[Setting], subcommands: configparser.ConfigParser, template: str) -> str:
    out = []
    for line in Path(template).read_text(encoding="utf-8").splitlines():
        match = re.fullmatch(r"@(settings|options|subcommands)((?: [a-z]+)*)@", line)
        if match is None:
            out.append(line)
        elif match[1] == "subcommands":
            out.append("\n\n".join(f"*{n}*\n{body(row.get('manual') or row['text'])}" for n, row in subcommands.items()
                                   if n != "DEFAULT"))  # fmt: skip
        else:
            entries = setting_entries if match[1] == "settings" else option_entries
            out.append(entries(settings, match[2].split()))
    return "\n".join(out)


def main(arguments: list[str]) -> None:
    settings, subcommands, kind = settings_of(arguments[0]), read(arguments[1]), arguments[2]
    made = {
        "fields": lambda: fields(settings),
        "rows": lambda: rows(settings),
        "subcommands": lambda: subcommand_rows(subcommands),
        "bash": lambda: bash(settings, subcommands),
        "zsh": lambda: zsh(settings, subcommands),
        "fish": lambda: fish(settings, subcommands),
        "manual": lambda: manual(settings, subcommands, arguments[3]),
    }
    sys.stdout.reconfigure(encoding="utf-8")
    print(made[kind]())


if __name__ == "__main__":
    main(sys.argv[1:])
