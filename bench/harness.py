"""Running things for a benchmark: servers, homes for programs that deliver, and measured commands."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Iterator, Optional

ROOT = Path(__file__).resolve().parent.parent


@dataclass
class Place:
    """Where a trial works: a directory of its own, gone afterwards, and the server's ports."""

    home: Path
    port: int
    tls_port: int

    @property
    def maildir(self) -> Path:
        return self.home / "Maildir"

    def write(self, name: str, text: str) -> Path:
        """Write a file that only its owner can read, as mail programs demand of configurations."""
        path = self.home / name
        path.touch(mode=0o600)
        path.write_text(text)
        return path


@dataclass
class Trial:
    """A program that does a piece of work: its name, and the command for a Place."""

    name: str
    command: Callable[[Place], list[str]]
    kind: str = "peer"  # or "ours", "floor"
    files: Optional[int] = None  # so many files are to be delivered
    short: bool = True  # part of the short form


@dataclass
class Row:
    """What a trial took, round by round; why it failed if it did."""

    trial: Trial
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak_kib: list[int] = field(default_factory=list)
    failure: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.wall) if self.wall and not self.failure else float("nan")

    def as_json(self) -> dict:
        return {
            "name": self.trial.name,
            "kind": self.trial.kind,
            "wall_s": self.wall,
            "cpu_s": self.cpu,
            "peak_kib": self.peak_kib,
            "median_wall_s": None if self.failure else self.median,
            "failure": self.failure,
        }


# So many files may be deleted before the next program delivers, without it noticing.
FEW_FILES = 500


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A throw-away certificate for localhost, its own issuer, and its key."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", "-subj", "/CN=localhost"]
        + ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    return cert, key


class Bench:
    """The programs of a build, a place for scratch files, and how thorough to be."""

    def __init__(self, build: Path, scratch: Path, rounds: int, short: bool, timeout: int) -> None:
        self.build = build
        self.tools = build / "bench"
        self.scratch = scratch
        self.rounds = rounds
        self.short = short
        self.timeout = timeout
        # A program whose first round took longer is not run again: a ratio of hundreds needs no median.
        self.slow = 3.0 if short else 15.0
        self.cert, self.key = make_certificate(scratch)

    def tool(self, name: str) -> str:
        return str(self.tools / name)

    @contextlib.contextmanager
    def _process(self, *command: str) -> Iterator[list[str]]:
        """A program that says "ready ..." and then runs until the block ends; gives those words."""
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            words = process.stdout.readline().split()
            if words[:1] != ["ready"]:
                raise RuntimeError(f"{command[0]} did not start")
            yield words[1:]
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    @contextlib.contextmanager
    def server(self, messages: int, size: int, port: int = 0, *options: str) -> Iterator[tuple[int, int]]:
        """Our server; gives its port and its port for TLS."""
        with self._process(
            *[self.tool("bench-server"), "--messages", str(messages), "--size", str(size)],
            *["--port", str(port), "--cert", str(self.cert), "--key", str(self.key)],
            *options,
        ) as words:
            yield int(words[0]), int(words[1])

    @contextlib.contextmanager
    def delay(self, port: int, round_trip_ms: int) -> Iterator[int]:
        """A long line to a port of this machine; gives the port at its near end."""
        with self._process(
            *[self.tool("bench-delay"), "--to", str(port), "--round-trip", str(round_trip_ms)]
        ) as words:
            yield int(words[0])

    @contextlib.contextmanager
    def home(self, where: Optional[Path] = None) -> Iterator[Path]:
        """An empty home with an empty Maildir.

        One with many files on a disk stays there until the whole run is over: ext4 without a journal does
        not use an inode again for minutes after its file was deleted, and looks for a better one, one by one,
        so that whoever delivers next would pay for what its predecessor left (tenfold, for 4,000 files).
        """
        path = Path(tempfile.mkdtemp(prefix="home-", dir=where or self.scratch))
        make_maildir(path / "Maildir")
        try:
            yield path
        finally:
            if where is not None or count_files(path / "Maildir") < FEW_FILES:
                shutil.rmtree(path, ignore_errors=True)

    def measure(self, command: list[str], home: Path, row: Row) -> None:
        """Run a command once and note what it took."""
        output = self.scratch / "measured.json"
        errors = self.scratch / "errors"
        environment = dict(os.environ, HOME=str(home), FETCHMAILHOME=str(home), LC_ALL="C")
        with open(errors, "wb") as stderr:
            # Without close_fds Python uses posix_spawn(3). With it, programs of several threads took 10 % longer
            # than when started from a shell: for the first 20 ms the kernel kept them on one processor.
            subprocess.run(
                [self.tool("bench-measure"), "--timeout", str(self.timeout), str(output), *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                env=environment,
                close_fds=False,
                check=False,
            )
        measured = json.loads(output.read_text())
        row.wall.append(measured["wall"])
        row.cpu.append(measured["cpu"])
        row.peak_kib.append(measured["peak_kib"])
        if measured["exit"] != 0:
            said = errors.read_text(errors="replace").strip().splitlines()
            row.failure = f"exit {measured['exit']}" + (f": {said[-1][:80]}" if said else "")

    def run_once(self, trial: Trial, place: Place, row: Row) -> None:
        """One round of a trial in a place, which must have an empty Maildir."""
        os.sync()  # what an earlier program left unwritten is not this one's to wait for
        self.measure(trial.command(place), place.home, row)
        delivered = count_files(place.maildir)
        if trial.files is not None and delivered != trial.files and not row.failure:
            row.failure = f"delivered {delivered} of {trial.files} messages"

    def chosen(self, trials: list[Trial]) -> list[Trial]:
        return [t for t in trials if t.short or not self.short]

    def rounds_of(
        self, trials: list[Trial], port: int, tls_port: int = 0, where: Optional[Path] = None
    ) -> list[Row]:
        """Every trial in turn, round after round, each time with a fresh home."""
        rows = [Row(t) for t in self.chosen(trials)]
        for number in range(self.rounds):
            for row in rows:
                if row.failure or (number > 0 and row.wall[0] > self.slow):
                    continue
                with self.home(where) as home:
                    self.run_once(row.trial, Place(home, port, tls_port), row)
                print(f"  {row.trial.name}: {row.wall[-1]:.3f} s {row.failure}", file=sys.stderr)
        return rows


def make_maildir(path: Path) -> None:
    for folder in ("cur", "new", "tmp"):
        (path / folder).mkdir(parents=True, exist_ok=True)


def count_files(maildir: Path) -> int:
    return sum(len(os.listdir(maildir / folder)) for folder in ("cur", "new") if (maildir / folder).is_dir())


def fast_scratch() -> Optional[Path]:
    """Where files live in memory, for work in which the disk is not what is measured."""
    shared = Path("/dev/shm")
    return shared if shared.is_dir() and os.access(shared, os.W_OK) else None
