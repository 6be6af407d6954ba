#!/usr/bin/env python3
"""Checks the layering of src/: a room includes no header of a room above it (see ARCHITECTURE.md)."""

import re
import sys
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
    "src/sync": {"sync"},
    "src/settings": {"settings", "sync"},
    "src/cli": {"cli", "settings", "sync", "optional"},
    "python": {"core"},
}

# Of the core, what rooms above may include: helpers. The engine is for them as it is for everybody, by <pop3/engine.h>.
HELPERS = {
    "src/auth": {"base64.h", "octets.h", "text.h", "values.h", "wipe.h"},
    "src/io": {"base64.h", "octets.h", "text.h", "wipe.h"},
    "src/client": {"octets.h", "text.h", "wipe.h"},
    "python": {"line.h", "split.h"},
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

# The core does no I/O: these, and the intrinsics of the processor, are all it may use.
CORE_SYSTEM = {
    "stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "stdlib.h", "string.h", "immintrin.h", "arm_neon.h",
}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)
ROOM_NAMES = {name.split("/")[-1] for name in ROOMS}


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
    found, files = [], 0
    for room in ROOMS:
        for path in sorted((ROOT / room).glob("*.[ch]")):
            found += complaints(room, path)
            files += 1
    for path in sorted((ROOT / "include/pop3").glob("*.h")):
        found += complaints(str(path.relative_to(ROOT)), path)
        files += 1
    unknown = [p.name for p in (ROOT / "src").iterdir() if p.is_dir() and f"src/{p.name}" not in ROOMS]
    found += [f"src/{name}: a room that tools/check-layers.py does not know" for name in unknown]
    for line in found:
        print(line)
    print(f"{files} files, {len(found)} includes against the layering")
    return 1 if found or files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
