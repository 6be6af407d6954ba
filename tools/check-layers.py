#!/usr/bin/env python3
"""Checks the layers: no room includes a header of a room above it (see ARCHITECTURE.md), and no files depend in a circle.

check-layers.py [--circles [ROOM ...]]

A circle is a set of files of one room that depend on each other, directly or through others. NAME.c and NAME.h are one
file. A depends on B if A.c or A.h includes B.h, or if A.c uses a function or an object that B.c defines: headers alone
do not show that B calls back through a header that both include. Function pointers do not count: a callback is how a
part below may reach one above.

--circles prints each circle with its path, also of rooms that are permitted to have some (CIRCLES_LEFT: none).
"""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# What each room may include from the others.
ROOMS = {
    "src/core": {"core"},
    "src/system": {"system"},
    "src/optional": {"optional"},
    "src/auth": {"auth", "optional", "core"},
    "src/io": {"io", "system", "optional", "core"},
    "src/client": {"client", "auth", "io", "system", "core"},
    "src/support": {"support", "system"},
    "src/confine": {"confine", "support", "system"},
    "src/deliver": {"deliver", "web", "confine", "support", "system", "optional"},
    "src/state": {"state", "confine", "support", "system"},
    "src/web": {"web", "support", "system", "optional"},
    "src/token": {"token", "web", "support", "system", "optional"},
    "src/collect": {"collect", "deliver", "state", "confine", "support", "system"},
    "src/public": {"public", "collect", "deliver", "state", "confine", "support", "system"},
    "src/settings": {"settings", "collect", "deliver", "support", "system"},
    "src/cli": {"cli", "settings", "collect", "deliver", "state", "token", "web", "confine", "support", "system", "optional"},
    "python": {"core"},
}

# Of the core, what rooms above may include: helpers. The engine is for them as it is for everybody, by <pop3/engine.h>.
HELPERS = {
    "src/auth": {"base64.h", "octets.h", "text.h", "values.h", "wipe.h"},
    "src/io": {"base64.h", "octets.h", "sized.h", "text.h", "wipe.h"},
    "src/client": {"busy_wait.h", "octets.h", "sized.h", "text.h", "wipe.h"},
    "python": {"busy_wait.h", "line.h", "split.h"},
}

# The public headers each may include.
PUBLIC = {
    "src/core": {"types.h", "engine.h", "traits.h"},
    "src/auth": {"types.h", "engine.h", "tls.h"},
    "src/io": {"types.h", "tls.h"},
    "include/pop3/types.h": set(),
    "include/pop3/tls.h": {"types.h"},
    "include/pop3/traits.h": {"types.h"},
    "include/pop3/engine.h": {"types.h"},
    "python": {"types.h", "engine.h"},
}

# Rooms that still have circles: of all kinds, or only when calls count. All other rooms have none. This list only
# shrinks: a room that needs less than it says fails too.
CIRCLES_LEFT: dict[str, str] = {}

# The core does no I/O: these, and the intrinsics of the processor, are all it may use.
CORE_SYSTEM = {
    "stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "stdlib.h", "string.h", "immintrin.h", "arm_neon.h",
}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)
ROOM_NAMES = {name.split("/")[-1] for name in ROOMS}

# What a file in our style defines for others, at the start of a line: functions with their body, and objects.
COMMENT_OR_TEXT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.DOTALL)
DEFINED = re.compile(
    r"^(?!static\b|typedef\b|extern\b|return\b|else\b)[A-Za-z_][\w *]*?\b(\w+)"
    r"(?:\([^;{}]*\)\s*\{|(?:\[[^\]\n]*\])*\s*=)", re.MULTILINE)

# Each file with those it depends on, and why.
Graph = dict[str, dict[str, str]]


def sources(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.[ch]"))


def node(room: str, path: Path) -> str:
    return str(path.relative_to(ROOT / room).with_suffix(""))


def includes_within(room: str) -> Graph:
    """Which files of a room include which others."""
    graph: Graph = {node(room, path): {} for path in sources(room)}
    for path in sources(room):
        for bracket, name in INCLUDE.findall(path.read_text()):
            for target in (path.parent / name, ROOT / "src" / name):
                if bracket == '"' and target.is_file() and target.is_relative_to(ROOT / room):
                    if node(room, target) != node(room, path):
                        graph[node(room, path)][node(room, target)] = f"includes {name}"
                    break
    return graph


def with_calls(room: str, includes: Graph) -> Graph:
    """The same, and which name what others define."""
    graph = {name: dict(others) for name, others in includes.items()}
    texts = {node(room, path): COMMENT_OR_TEXT.sub(" ", path.read_text())
             for path in sources(room) if path.suffix == ".c"}
    owners: dict[str, set[str]] = {}
    for name, text in texts.items():
        for symbol in DEFINED.findall(text):
            owners.setdefault(symbol, set()).add(name)
    for name, text in texts.items():
        for symbol in sorted(set(re.findall(r"\w+", text)) & owners.keys()):
            if name not in owners[symbol]:
                for owner in owners[symbol]:
                    graph[name].setdefault(owner, f"names {symbol}")
    return graph


def way(graph: Graph, start: str, end: str) -> list[str]:
    """The files on the shortest way from one to another, of one step or more; none when there is no way."""
    came_from: dict[str, str] = {}
    queue = [start]
    for name in queue:
        for other in graph[name]:
            if other not in came_from:
                came_from[other] = name
                queue.append(other)
    if end not in came_from:
        return []
    steps = [end]
    while len(steps) == 1 or steps[-1] != start:
        steps.append(came_from[steps[-1]])
    return steps[::-1]


def circles(graph: Graph) -> Iterator[str]:
    """Each circle's files, and one way round it with the reasons."""
    done: set[str] = set()
    for name in graph:
        if name in done:
            continue
        there = {other for other in graph if way(graph, name, other)}
        members = sorted(other for other in there if way(graph, other, name))
        if name not in members:
            continue
        done |= set(members)
        round_trip = min((way(graph, member, member) for member in members), key=len)
        reasons = [f"{a} {graph[a][b]} ({b})" for a, b in zip(round_trip, round_trip[1:])]
        yield f"{len(members)} files in a circle, {' '.join(members)}: for one, {'; '.join(reasons)}"


def circle_complaints(room: str) -> list[str]:
    """Circles that a room may not have, or leave to have some that it no longer needs."""
    includes = includes_within(room)
    of_includes = list(circles(includes))
    of_all = list(circles(with_calls(room, includes)))
    has = "all" if of_includes else "calls" if of_all else "none"
    may = CIRCLES_LEFT.get(room, "none")
    if has == may:
        return []
    if may == "all" or has == "none":
        return [f'{room}: CIRCLES_LEFT says "{may}", and it is "{has}" now: say so, or take a room without circles out']
    return [f"{room}: {circle}" for circle in (of_includes if may == "calls" else of_all)]


def print_circles(rooms: list[str]) -> None:
    for room in rooms:
        includes = includes_within(room)
        for kind, graph in (("includes", includes), ("includes and calls", with_calls(room, includes))):
            found = list(circles(graph))
            print(f"{room}, by {kind}: {len(found)} circles in {len(graph)} files")
            for circle in found:
                print(f"    {circle}")


def complaints(room: str, path: Path) -> list[str]:
    """What is wrong with the includes of one file."""
    found = []
    for bracket, name in INCLUDE.findall(path.read_text()):
        first = name.split("/")[0]
        if name.startswith("pop3/"):
            allowed = PUBLIC.get(room)
            if allowed is not None and name.removeprefix("pop3/") not in allowed:
                found.append(f"{path.relative_to(ROOT)}: includes <{name}>")
        elif "/" in name and first in ROOM_NAMES:
            if first not in ROOMS.get(room, set()):
                found.append(f"{path.relative_to(ROOT)}: includes {name}, of a room above or beside")
            elif first == "core" and name.removeprefix("core/") not in HELPERS.get(room, {name.removeprefix("core/")}):
                found.append(f"{path.relative_to(ROOT)}: includes {name}, which is the engine's own")
        elif room == "src/core" and bracket == "<" and name not in CORE_SYSTEM:
            found.append(f"{path.relative_to(ROOT)}: the core includes <{name}>")
    return found


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--circles", nargs="*", metavar="ROOM", choices=list(ROOMS),
                        help="print the circles of ROOMs, or of all")
    wanted = parser.parse_args().circles
    if wanted is not None:
        print_circles(wanted or list(ROOMS))
        return 0
    found, files = [], 0
    for room in ROOMS:
        for path in sources(room):
            found += complaints(room, path)
            files += 1
        found += circle_complaints(room)
    for path in sorted((ROOT / "include/pop3").glob("*.h")):
        found += complaints(str(path.relative_to(ROOT)), path)
        files += 1
    unknown = [p.name for p in (ROOT / "src").iterdir() if p.is_dir() and f"src/{p.name}" not in ROOMS]
    found += [f"src/{name}: a room that tools/check-layers.py does not know" for name in unknown]
    for line in found:
        print(line)
    print(f"{files} files, {len(found)} things against the layering")
    return 1 if found or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
