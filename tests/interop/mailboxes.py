"""Directories of message files: reading them, making Maildirs of them, and their wire form."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Sequence, Union

import awkward

# Where a mailbox's messages come from: nowhere, a directory, or several in that order.
MailSource = Union[None, str, Path, Sequence[Union[str, Path]]]


def mail_directories(source: MailSource) -> list[Path]:
    """A MailSource as a list of directories."""
    if source is None:
        return []
    if isinstance(source, (str, Path)):
        return [Path(source)]
    return [Path(directory) for directory in source]


def mail_files(directory: Path) -> list[Path]:
    """The messages of a directory of plain files, or of a Maildir, in the order of their names."""
    places = [directory]
    if (directory / "cur").is_dir():
        places = [directory / "new", directory / "cur"]
    found = [path for place in places for path in place.iterdir()]
    visible = [path for path in found if path.is_file() and not path.name.startswith(".")]
    return sorted(visible, key=lambda path: path.name)


def write_wire_form(directories: Sequence[Path], out: Path) -> None:
    """Write each message as a client must receive it, so that name order is message order.

    The names are the messages' own, after a number if there is more than one directory.
    """
    out.mkdir(parents=True, exist_ok=True)
    numbered = len(directories) > 1
    files = [path for directory in directories for path in mail_files(directory)]
    for number, path in enumerate(files, start=1):
        name = f"{number:05d}-{path.name}" if numbered else path.name
        (out / name).write_bytes(awkward.expected_wire(path.read_bytes()))


class MailStore:
    """Makes Maildirs that share their messages' files, so that a big mailbox costs once."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._copies: dict[Path, Path] = {}
        directory.mkdir()

    def make_maildir(self, maildir: Path, directories: Sequence[Path]) -> None:
        """Make a Maildir with the messages of `directories` in it, in that order.

        Dovecot numbers the messages of a new Maildir by the time in their names, so the names
        count up one second a message.
        """
        for name in ("cur", "new", "tmp"):
            (maildir / name).mkdir(parents=True)
        files = [path for directory in directories for path in mail_files(directory)]
        for number, path in enumerate(files, start=1):
            os.link(self._copy_of(path), maildir / "cur" / f"{10**9 + number}.{number}.libpop3:2,")

    def _copy_of(self, path: Path) -> Path:
        """Our copy of a message file, made when first asked for."""
        path = path.resolve()
        if path not in self._copies:
            copy = self._directory / str(len(self._copies))
            shutil.copyfile(path, copy)
            self._copies[path] = copy
        return self._copies[path]
