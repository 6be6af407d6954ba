#!/usr/bin/env python3
"""Checks the API reference that Doxygen built: every link leads to a page and a place in it that exist, and every
function of the public headers has a description and a manual page of section 3. A title of a group is short: one
that has run into the text after it is not. Lengths of strings in examples are right.

check-reference.py OUTPUT_FOLDER
"""

import ast
import html
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlparse

HEADERS = Path(__file__).resolve().parent.parent / "include" / "pop3"
LONGEST_TITLE = 45
TITLE = re.compile(r"@defgroup \w+ (.+)")
FED = re.compile(r'pop3_engine_feed\(e, ("(?:[^"\\]|\\.)*"), (\d+)\)')
FUNCTION = re.compile(r"^POP3_API [^(;]*?(\w+)\(", re.MULTILINE)


class Page(HTMLParser):
    """What a page links to, and the places in it that can be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.append(value)
            elif name in ("id", "name") and value:
                self.places.add(value)


def is_broken(link: str, page: str, pages: dict, folder: Path) -> bool:
    parts = urlparse(link)
    if parts.scheme:
        return False
    target = unquote(parts.path) or page
    if target not in pages:
        return not (folder / target).exists()
    return bool(parts.fragment) and unquote(parts.fragment) not in pages[target].places


def has_manual(function: str, folder: Path) -> bool:
    """Whether there is a manual page of this name, which refers to one that describes the function."""
    page = folder / "man3" / f"{function}.3"
    if not page.exists():
        return False
    group = folder / page.read_text(encoding="utf-8").split()[1]
    return re.search(rf"^\.SS \".*\b{function} \(", group.read_text(encoding="utf-8"), re.MULTILINE) is not None


def main(output: Path) -> int:
    folder = output / "html"
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.html")}
    pages = {name: Page(text) for name, text in texts.items()}
    links = {(name, link) for name, page in pages.items() for link in page.links}
    faults = [f"{name}: broken link to {link}" for name, link in sorted(links) if is_broken(link, name, pages, folder)]
    described = set(re.findall(r'<td class="memname">(?:[^<]|<a [^>]*>|</a>)*?(\w+)\s*</td>', html.unescape("".join(texts.values()))))
    sources = "\n".join(path.read_text(encoding="utf-8") for path in sorted(HEADERS.glob("**/*.h")))
    functions = FUNCTION.findall(sources)
    faults += [f"{name}() has no description" for name in functions if name not in described]
    faults += [f"{name}() is in no manual page" for name in functions if not has_manual(name, output / "man")]
    faults += [f"too long for a title: {title}" for title in TITLE.findall(sources) if len(title) > LONGEST_TITLE]
    fed = [(text, ast.literal_eval(text), int(count)) for text, count in FED.findall(sources)]
    faults += [f"{text} has {len(octets)} octets, not {count}" for text, octets, count in fed if len(octets) != count]
    if not functions or not links or not fed:
        faults.append(f"no reference was found in {output}")
    print("\n".join(faults) or f"{len(pages)} pages, {len(links)} links, {len(functions)} functions")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
