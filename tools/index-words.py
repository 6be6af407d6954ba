#!/usr/bin/env python3
"""Makes the search of Doxygen's pages find a name by each of its words: `retr` finds pop3_client_retr.

Doxygen finds names only by their beginnings, and all of ours begin with the same word.
    index-words.py DIRECTORY     the `search` directory of the pages
"""

import ast
import re
import sys
from collections import defaultdict
from pathlib import Path

search = Path(sys.argv[1])
HEAD = "var searchData="


def beginnings(name: str) -> list[str]:
    """What a name is found by: itself, and what follows each break between words."""
    return [name[m.start():].lower() for m in re.finditer(r"(?<![A-Za-z0-9])[A-Za-z0-9]", name)]


def identifier(text: str, number: int) -> str:
    """As search.js makes it of what is typed."""
    return re.sub(r"[^a-z0-9\u0080-\uffff]", lambda m: f"_{ord(m[0]):02x}", text) + f"_{number}"


sections = search / "searchdata.js"
text = sections.read_text()
letters = re.search(r'^  0: "(.*)",?$', text, re.MULTILINE)[1]
entries = {}  # name: where it is
for index in range(len(letters)):
    data = (search / f"all_{index:x}.js").read_text()
    if not data.startswith(HEAD):
        sys.exit(f"all_{index:x}.js: not the index that is known")
    for _, (name, *places) in ast.literal_eval(data[len(HEAD):].strip().rstrip(";").strip()):
        entries[name] = places
words = defaultdict(list)
for name, places in sorted(entries.items(), key=lambda e: e[0].lower()):
    for beginning in beginnings(name):
        words[beginning[0]].append([beginning, [name, *places]])
page = search / "all_0.html"
page = page.read_text() if page.exists() else None
for index, letter in enumerate(sorted(words)):
    rows = [[identifier(beginning, n), found] for n, (beginning, found) in enumerate(sorted(words[letter]))]
    (search / f"all_{index:x}.js").write_text(f"{HEAD}\n[\n" + ",\n".join(f"  {row!r}" for row in rows) + "\n];\n")
    if page is not None:
        (search / f"all_{index:x}.html").write_text(page.replace("all_0.js", f"all_{index:x}.js"))
sections.write_text(text.replace(f'0: "{letters}"', f'0: "{"".join(sorted(words))}"', 1))
if not any(beginning == "retr" for beginning, _ in words["r"]):
    sys.exit("the search does not find pop3_client_retr")
