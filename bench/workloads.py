"""What is measured: each workload gives its rows, and the goals that they are held to."""

from __future__ import annotations

import shutil
import statistics
import sys
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Callable, Optional, Sequence

import peers
from harness import ROOT, Bench, Place, Row, Trial, count_files, fast_scratch, make_maildir
from peers import present

ROUND_TRIP_MS = 50

# Gives the Trial of a program that delivers, for so many messages.
Program = Callable[[Bench, int], Optional[Trial]]


@dataclass
class Goal:
    """A promise about our rows, in the same run: `value` is to be at most `most`."""

    text: str
    value: Optional[float]  # None: a program that it needs was not there
    most: float
    least: Optional[float] = None  # what the floor reaches of the same ratio, where a row of it was measured

    @property
    def verdict(self) -> str:
        if self.value is None or self.value != self.value:
            return "not measured"
        return "met" if self.value <= self.most else "missed"


@dataclass
class Result:
    """A table: its name, what it is about, its rows, its goals; `series` is for plots of growth."""

    name: str
    title: str
    rows: list[Row]
    goals: list[Goal] = field(default_factory=list)
    series: Optional[dict] = None  # {"x": label, "at": number} of a growth measurement
    run: str = ""  # which it is of, when it was kept of an earlier one

    def row(self, name: str) -> Optional[Row]:
        return next((r for r in self.rows if r.trial.name == name and not r.failure), None)

    def time(self, name: str) -> Optional[float]:
        row = self.row(name)
        return row.median if row else None

    def cpu(self, name: str) -> Optional[float]:
        row = self.row(name)
        return statistics.median(row.cpu) if row else None

    def memory(self, name: str) -> Optional[float]:
        """Megabytes at the peak."""
        row = self.row(name)
        return max(row.peak_kib) / 1024 if row else None

    def held(
        self, text: str, mine: Optional[float], other: Optional[float], most: float, floor: Optional[float] = None
    ) -> None:
        """Add a goal about a ratio; `floor` stands in place of `mine` for the least that is possible. A difference
        of two rows that is not positive is their noise and no measurement."""

        def ratio(value: Optional[float]) -> Optional[float]:
            return value / other if value is not None and other is not None and min(value, other) > 0 else None

        self.goals.append(Goal(text, ratio(mine), most, ratio(floor)))


def w1(b: Bench) -> list[Result]:
    """10,000 messages of 4 KB: what a message costs."""
    n = 10000
    with b.server(n, 4096) as (port, tls):
        libraries = b.rounds_of(peers.libraries(b, n), port)
    few = 2000 if b.short else n
    with b.server(few, 4096) as (port, tls):
        disk = b.rounds_of(peers.retrievers(b, few, 1000), port)
    with b.server(n, 4096) as (port, tls):
        quick = fast_scratch()
        delivering = present(peers.delivery_floor(b, n, 1000), peers.pop3_sync(b, n), peers.mpop(b, n))
        memory = b.rounds_of(delivering, port, where=quick) if quick else []
    r = Result("W1", f"{n:,} messages of 4 KB, retrieved and discarded", libraries)
    r.held("libpop3 / floor", r.time("libpop3"), r.time("floor"), 2)
    alone, least = "libpop3, one command at a time", "floor, one command at a time"
    r.held(f"{alone} / libetpan", r.time(alone), r.time("libetpan"), 0.8)
    r.held(f"{alone} / {least}", r.time(alone), r.time(least), 1.2)
    r.held("cpoplib / poplib", r.time("cpoplib"), r.time("poplib"), 1)
    d = Result("W1 Maildir", f"{few:,} messages of 4 KB, delivered to a Maildir on disk, synced", disk)
    d.held("pop3 sync / floor", d.time("pop3 sync"), d.time("floor, delivering"), 1.3)
    d.held("pop3 sync / mpop", d.time("pop3 sync"), d.time("mpop"), 0.65)
    m = Result("W1 tmpfs", f"{n:,} messages of 4 KB, delivered to a Maildir in memory", memory)
    m.held("pop3 sync / mpop", m.time("pop3 sync"), m.time("mpop"), 0.6)
    return [r, d, m] if memory else [r, d]


def w2(b: Bench) -> list[Result]:
    """Messages of 5 MB: what an octet costs; and the same over TLS."""
    n = 40 if b.short else 200
    with b.server(n, 5000000) as (port, tls):
        libraries = b.rounds_of(peers.libraries(b, n, slow_in_short=False), port)
        disk = b.rounds_of(peers.retrievers(b, n, 20), port)
        secure = b.rounds_of(present(peers.floor(b, n, tls=True), peers.library(b, tls=True)), port, tls)
        secure_disk = b.rounds_of(
            present(
                peers.floor(b, n, tls=True),
                peers.delivery_floor(b, n, 20, tls=True),
                peers.pop3_sync(b, n, tls=True),
                peers.mpop(b, n, tls=True),
                peers.getmail(b, n, tls=True),
            ),
            port,
            tls,
        )
    r = Result("W2", f"{n} messages of 5 MB, retrieved and discarded", libraries)
    r.held("libpop3 / floor", r.time("libpop3"), r.time("floor"), 1.5)
    r.held("cpoplib / poplib", r.time("cpoplib"), r.time("poplib"), 0.2)
    r.held("cpoplib / poplib, memory", r.memory("cpoplib"), r.memory("poplib"), 1)
    d = Result("W2 Maildir", f"{n} messages of 5 MB, delivered to a Maildir on disk, synced", disk)
    d.held("pop3 sync / floor", d.time("pop3 sync"), d.time("floor, delivering"), 1.3)
    d.held("pop3 sync / mpop", d.time("pop3 sync"), d.time("mpop"), 0.35)
    t = Result("W2 TLS", f"{n} messages of 5 MB over TLS, retrieved and discarded", secure)
    t.held("libpop3 / floor", t.time("libpop3"), t.time("floor"), 1.2)
    s = Result("W2 TLS Maildir", f"{n} messages of 5 MB over TLS, delivered to a Maildir on disk", secure_disk)
    s.held("pop3 sync / floor that discards", s.time("pop3 sync"), s.time("floor"), 2)
    return [r, d, t, s]


def w3(b: Bench) -> list[Result]:
    """A long line: what waiting costs."""
    n = 100 if b.short else 1000
    with b.server(n, 4096) as (port, _), b.delay(port, ROUND_TRIP_MS) as far:
        rows = b.rounds_of(peers.libraries(b, n, slow_in_short=False) + peers.retrievers(b, n, 1000)[1:], far)
    r = Result("W3", f"{n:,} messages of 4 KB, round trip {ROUND_TRIP_MS} ms", rows)
    one = ROUND_TRIP_MS / 1000
    # The floor waits for two round trips (TCP's handshake, then all answers), so its time less those is
    # what the octets themselves take.
    for name in ("libpop3", "pop3 sync"):
        time, least = r.time(name), r.time("floor")
        trips = (time - least) / one + 2 if time is not None and least is not None else None
        r.goals.append(Goal(f"{name}, in round trips (TCP's own included)", trips, 10.9))
        r.held(f"{name} / mpop", time, r.time("mpop"), 1 if b.short else 1 / 3)
    return [r]


def w4(b: Bench) -> list[Result]:
    """One huge message: memory."""
    size = (1 << 28) if b.short else (1 << 30) + 4096  # a limit of 1 GiB somewhere would show
    with b.server(1, size) as (port, _):
        rows = b.rounds_of(peers.libraries(b, 1, slow_in_short=False) + peers.retrievers(b, 1, 1)[1:], port)
    r = Result("W4", f"one message of {size >> 20} MiB: memory", rows)
    r.goals.append(Goal("libpop3, MB at the peak", r.memory("libpop3"), 5))
    r.goals.append(Goal("pop3 sync, MB at the peak", r.memory("pop3 sync"), 6))
    r.held("libpop3 / floor", r.time("libpop3"), r.time("floor"), 3)
    return [r]


def w5(b: Bench) -> list[Result]:
    """Sizes and unique-ids of 100,000 messages."""
    listing = peers.tool(b, "bench-listing", "libpop3", "ours", "PORT")
    with b.server(100000, 600) as (port, _):
        b.rounds_of([listing], port)  # the server renders the answer once
        rows = b.rounds_of(
            present(
                *[listing, peers.cpoplib(b, "--work", "list"), peers.libetpan(b, "--listing")],
                *[peers.poplib("--work", "list"), peers.net_pop3("--listing")],
            ),
            port,
        )
    r = Result("W5", "UIDL and LIST of 100,000 messages, parsed and kept", rows)
    r.held("libpop3 / libetpan", r.time("libpop3"), r.time("libetpan"), 1)
    r.held("libpop3 / libetpan, memory", r.memory("libpop3"), r.memory("libetpan"), 1)
    return [r]


def keep_state(b: Bench, trial: Trial, place: Place, row: Row) -> Path:
    """Let a program retrieve everything, and keep a copy of what it remembers. `row` is told when it fails."""
    first = Row(trial)
    b.measure(trial.command(place), place.home, first)
    if first.failure:
        row.failure = f"before the measurement: {first.failure}"
    copy = place.home.with_name(place.home.name + ".kept")
    shutil.copytree(place.home, copy, ignore=shutil.ignore_patterns("Maildir"))
    return copy


def restore_state(copy: Path, home: Path) -> None:
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(copy, home)
    make_maildir(home / "Maildir")


def later_sessions(b: Bench, programs: Sequence[Program], before: int, after: int) -> list[Row]:
    """What a session costs that finds `after - before` new messages, those before being known."""
    scratch = Path(tempfile.mkdtemp(prefix="libpop3-bench-", dir=fast_scratch() or b.scratch))
    rows: list[Row] = []
    homes: list[tuple[Path, Path]] = []
    try:
        with b.server(before, 600) as (port, tls):
            for program in programs:
                first, trial = program(b, before), program(b, after - before)
                if first is None or trial is None or (b.short and not trial.short):
                    continue
                home = scratch / f"home{len(rows)}"
                make_maildir(home / "Maildir")
                rows.append(Row(trial))
                homes.append((home, keep_state(b, first, Place(home, port, tls), rows[-1])))
        with b.server(after, 600, port) as (port, tls):
            for _ in range(b.rounds):
                for row, (home, kept) in zip(rows, homes):
                    if row.failure or (row.wall and row.wall[0] > b.slow):
                        continue
                    restore_state(kept, home)
                    b.run_once(row.trial, Place(home, port, tls), row)
                    print(f"  {row.trial.name}: {row.wall[-1]:.3f} s {row.failure}", file=sys.stderr)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return rows


def w6(b: Bench) -> list[Result]:
    """Nothing new."""
    programs = (peers.pop3_sync, peers.mpop, peers.getmail, peers.fdm)
    n = 10000
    r = Result("W6", f"nothing new among {n:,} messages", later_sessions(b, programs, n, n))
    r.held("pop3 sync / mpop", r.time("pop3 sync"), r.time("mpop"), 1)
    r.held("pop3 sync / mpop, memory", r.memory("pop3 sync"), r.memory("mpop"), 1)
    return [r]


def w7(b: Bench) -> list[Result]:
    """Many accounts."""
    a, n, jobs = 200, 20, 16
    poplib = [peers.PYTHON, str(peers.PEERS / "poplib_all.py"), "--user", "userN", "PORT"]
    curl = [b.tool("peer-curl"), "PORT", str(n), "userN"]

    def floor(name: str, *options: str) -> Optional[Trial]:
        return peers.tool(b, "bench-floor", name, "floor", "--accounts", str(a), *options, "PORT", str(n))

    with b.server(n, 4096) as (port, _), b.delay(port, ROUND_TRIP_MS) as far:
        rows = b.rounds_of(
            present(
                floor("floor, 16 at once", "--at-once", "16"),
                floor("floor, all at once"),
                peers.tool(b, "bench-accounts", "libpop3, 16 at once", "ours", "--at-once", "16", "PORT", str(a)),
                peers.tool(b, "bench-accounts", "libpop3, all at once", "ours", "PORT", str(a)),
                peers.pop3_sync_accounts(b, a, a * n, jobs),
                peers.pop3_sync_accounts(b, a, a * n, a),
                peers.mpop_accounts(b, a, a * n, jobs),
                peers.by_xargs("libcurl", "peer", jobs, a, curl, short=False) if Path(curl[0]).exists() else None,
                peers.by_xargs("poplib", "peer", jobs, a, poplib, short=False),
            ),
            far,
        )
    r = Result("W7", f"{a} accounts of {n} messages, round trip {ROUND_TRIP_MS} ms", rows)
    least = r.time("floor, 16 at once")
    r.held("libpop3, all at once / floor, 16 at once", r.time("libpop3, all at once"), least, 2)
    r.held(f"pop3 sync, {a} at once / floor, 16 at once", r.time(f"pop3 sync, {a} at once"), least, 2)
    return [r]


def w8(b: Bench) -> list[Result]:
    """A real server: Dovecot."""
    sys.path.insert(0, str(ROOT / "tests" / "interop"))
    import dovecot

    if dovecot.why_unavailable() is not None:
        print(f"  W8 left out: {dovecot.why_unavailable()}", file=sys.stderr)
        return []
    n = 5000 if b.short else 10000
    mail = b.scratch / "dovecot-mail"
    mail.mkdir()
    line = b"a line of text in a message of the benchmark, as long as such lines are\r\n"
    for i in range(n):
        head = b"From: <a@bench.example>\r\nSubject: message %d\r\nMessage-ID: <%d@bench.example>\r\n\r\n" % (i, i)
        (mail / f"{i:06d}").write_bytes(head + line * ((4096 - len(head)) // len(line)))
    try:
        with dovecot.Dovecot(maildirs={"user": mail}, password="pass") as server:
            b.rounds_of(present(peers.floor(b, n)), server.port)  # Dovecot builds its index
            trials = peers.libraries(b, n) + present(peers.pop3_sync(b, n), peers.mpop(b, n))
            rows = b.rounds_of(trials, server.port)
    finally:
        shutil.rmtree(mail, ignore_errors=True)
    r = Result("W8", f"{n:,} messages of 4 KB from Dovecot", rows)
    r.held("libpop3 / floor", r.time("libpop3"), r.time("floor"), 1.1)
    return [r]


def check_arrived(rows: list[Row], folders: dict[str, Path], messages: int) -> None:
    """A program that delivers into a server has no time unless all messages of all rounds are there. `folders`: by the
    program's name."""
    for row in rows:
        there = count_files(folders[row.trial.name])
        if there != messages * len(row.wall) and not row.failure:
            row.failure = f"delivered {there} of {messages * len(row.wall)} messages"


def targets(b: Bench) -> list[Result]:
    """Into a real server: Dovecot, by LMTP, and by IMAP over a long line."""
    sys.path.insert(0, str(ROOT / "tests" / "interop"))
    import dovecot

    missing = [f"dovecot-{p}d" for p in ("lmtp", "imap") if not dovecot.has_protocol(p)]
    why = dovecot.why_unavailable() or (f"no {' and no '.join(missing)}" if missing else None)
    if why is not None:
        print(f"  targets left out: {why}", file=sys.stderr)
        return []
    n, few = (2000, 100) if b.short else (10000, 1000)
    accounts = {"floor": None, "ours": None, "peer": None, "pop3": None}
    appending = "libcurl, one after the other"
    with dovecot.Dovecot(maildirs=accounts, password="pass", protocols=["lmtp", "imap"]) as server:
        lmtp = present(
            peers.tool(b, "bench-lmtp", "floor", "floor", str(server.lmtp_socket), "floor", str(n), "4096"),
            peers.pop3_to(b, "pop3 sync", "--lmtp", f"unix:{server.lmtp_socket}", "--recipient", "ours"),
        )
        with b.server(n, 4096) as (port, _):
            rows = b.rounds_of(lmtp, port)
        check_arrived(rows, {"floor": server.maildir("floor"), "pop3 sync": server.maildir("ours")}, n)
        first = Result("T1", f"{n:,} messages of 4 KB into Dovecot by LMTP", rows)
        first.held("pop3 sync / floor", first.time("pop3 sync"), first.time("floor"), 1.2)
        with b.server(few, 4096) as (port, _), b.delay(server.imaps_port, ROUND_TRIP_MS) as far:
            url = f"imaps://pop3@localhost:{far}/INBOX"
            imap = present(
                peers.tool(b, "peer-curl-append", appending, "peer", str(far), str(few),
                           "4096", "peer", "pass", str(server.ca_file)),
                peers.pop3_to(b, "pop3 sync", "--imap", url, "--imap-password-file", "FILE",
                              "--imap-ca-file", str(server.ca_file)),
            )  # fmt: skip
            rows = b.rounds_of(imap, port)
        check_arrived(rows, {appending: server.maildir("peer"), "pop3 sync": server.maildir("pop3")}, few)
    second = Result("T2", f"{few:,} messages of 4 KB into Dovecot by IMAP, round trip {ROUND_TRIP_MS} ms", rows)
    second.held("pop3 sync / libcurl", second.time("pop3 sync"), second.time(appending), 0.2)
    return [first, second]


def python(b: Bench) -> list[Result]:
    """cpoplib beside poplib, with the interpreter's start, and without it and the module's import."""

    def pair(what: str, *options: str, tls: bool = False) -> list[Trial]:
        name = f"{what}, TLS" if tls else what
        return present(
            peers.poplib(*options, name=f"poplib, {name}", tls=tls),
            peers.cpoplib(b, *options, name=f"cpoplib, {name}", tls=tls),
        )

    start = [peers.poplib("--work", "nothing", name="python3 alone")]
    retrieve = pair("import", "--work", "import") + pair("retrieve") + pair("retrieve", tls=True)
    n, large = (2000, 20) if b.short else (10000, 200)
    plain, secure = (
        present(peers.sequential_floor(b, n, tls=tls), peers.sequential_floor(b, n, "--awake", tls=tls))
        for tls in (False, True)
    )
    retrieve += plain + secure + [peers.python_sockets(n)]
    alone = "libpop3 in C, one command at a time"
    retrieve += present(
        peers.library(b, "--sequential", name=alone),
        peers.library(b, "--sequential", name=f"{alone}, TLS", tls=True),
    )
    with b.server(n, 4096) as (port, tls):
        rows = b.rounds_of(start + retrieve + pair("500 sessions", "--work", "connect"), port, tls)
    small = Result("P1", f"Python: {n:,} messages of 4 KB, one command at a time", rows)
    with b.server(n, 4096, 0, "--awake") as (port, tls):
        rows = b.rounds_of(start + retrieve, port, tls)
    awake = Result("P1 awake", f"Python: {n:,} messages of 4 KB, one at a time, from a server that never sleeps", rows)
    with b.server(large, 5000000) as (port, tls):
        rows = b.rounds_of(pair("retrieve") + pair("retrieve", tls=True), port, tls)
    octets = Result("P2", f"Python: {large} messages of 5 MB", rows)
    with b.server(100000, 100) as (port, tls):
        lists = pair("list", "--work", "take")
        b.rounds_of(lists[:1], port)  # the server renders the answer once
        rows = b.rounds_of(start + pair("import", "--work", "import") + [peers.python_split()] + lists, port)
    listing = Result("P3", "Python: UIDL and LIST of 100,000 messages, as lists of lines", rows)

    def hold(r: Result, what: str, most: float, less: Optional[str] = None, floors: Sequence[Trial] = ()) -> None:
        """`less`: without what this takes, of the same module or of Python. The faster of `floors` is the floor; if
        Python's start is counted, it belongs to it."""

        def time(module: str) -> Optional[float]:
            whole, part = r.time(f"{module}, {what}"), r.time((less or "").format(module)) if less else 0
            return whole - part if whole is not None and part is not None else None

        least = min((t for t in (r.time(trial.name) for trial in floors) if t is not None), default=None)
        begin = 0 if less else r.time("python3 alone")
        floor = least + begin if least is not None and begin is not None else None
        text = f"cpoplib / poplib, {what}{', without the start' if less else ''}"
        r.held(text, time("cpoplib"), time("poplib"), most, floor)

    hold(small, "import", 0.7, "python3 alone")
    for r in (small, awake):
        hold(r, "retrieve", 0.4, None, plain)
        hold(r, "retrieve", 0.3, "{}, import", plain)
        hold(r, "retrieve, TLS", 0.5, None, secure)
    hold(small, "500 sessions", 1)
    hold(octets, "retrieve", 0.08)
    hold(listing, "list", 0.1, "{}, import")
    memory = [(r, f"retrieve{tls}") for r in (small, octets) for tls in ("", ", TLS")]
    for r, what in [(small, "import"), *memory, (small, "500 sessions"), (listing, "list")]:
        mine, other = r.memory(f"cpoplib, {what}"), r.memory(f"poplib, {what}")
        r.held(f"cpoplib / poplib, {what}, memory", mine, other, 1)
    return [small, awake, octets, listing]


def w9(b: Bench) -> list[Result]:
    """A server that writes each reply in two pieces with Nagle's algorithm on, one command at a time."""
    n = 300
    ours = present(peers.library(b), peers.cpoplib(b), peers.pop3_sync(b, n))
    programs = ours + present(peers.poplib(), peers.mpop(b, n), peers.libetpan(b))
    rows = []
    for way, options in (("whole", ["--no-pipelining"]), ("in two pieces", ["--by-pieces"])):
        with b.server(n, 4096, 0, *options) as (port, _):
            rows += b.rounds_of([replace(t, name=f"{t.name}, {way}") for t in programs], port, where=fast_scratch())
    r = Result("W9", f"{n} messages of 4 KB, one at a time, from a server that writes replies in two pieces", rows)
    for trial in ours:
        mine, other = r.time(f"{trial.name}, in two pieces"), r.time(f"{trial.name}, whole")
        r.held(f"{trial.name}, in two pieces / whole", mine, other, 1.5)
    return [r]


def growth_messages(b: Bench) -> list[Result]:
    """Ten new messages in mailboxes of different sizes."""
    results = []
    for known in (10, 1000, 10000) if b.short else (10, 1000, 100000):
        if known > 10:
            rows = later_sessions(b, (peers.pop3_sync, peers.mpop), known - 10, known)
        else:
            rows = first_session(b, known)
        with b.server(known, 600) as (port, _):
            listing = peers.tool(b, "bench-listing", "libpop3, a listing", "ours", "PORT")
            b.rounds_of([listing], port)
            rows += b.rounds_of([listing], port)
        series = {"x": "messages in the mailbox", "at": known}
        results.append(Result(f"G1 {known}", f"10 new among {known:,} messages", rows, series=series))
    return results


def first_session(b: Bench, messages: int) -> list[Row]:
    with b.server(messages, 600) as (port, _):
        trials = present(peers.pop3_sync(b, messages), peers.mpop(b, messages))
        return b.rounds_of(trials, port, where=fast_scratch())


def growth_accounts(b: Bench) -> list[Result]:
    """More and more accounts."""
    results = []
    n = 20
    for a in (1, 10, 100) if b.short else (1, 10, 100, 1000):
        with b.server(n, 4096) as (port, _):
            rows = b.rounds_of(
                present(
                    peers.tool(b, "bench-floor", "floor", "floor", "--accounts", str(a), "PORT", str(n)),
                    peers.tool(b, "bench-accounts", "libpop3", "ours", "PORT", str(a)),
                    peers.tool(b, "bench-accounts", "libpop3, 16 at once", "ours", "--at-once", "16", "PORT", str(a)),
                    peers.pop3_sync_accounts(b, a, a * n, 16),
                ),
                port,
                where=fast_scratch(),
            )
        series = {"x": "accounts", "at": a}
        results.append(Result(f"G2 {a}", f"{a:,} accounts of {n} messages", rows, series=series))
    return results


def growth_visits(b: Bench) -> list[Result]:
    """Visits over TLS that find nothing new: what an account costs that is looked at often."""
    n = 100 if b.short else 1000
    ours = present(peers.pop3_sync_accounts(b, n, None, 1, tls=True), peers.pop3_sync_accounts(b, n, None, 16, tls=True))
    floors = present(
        peers.tool(b, "bench-visits", "floor", "floor", "PORT", str(n), tls=True),
        peers.tool(b, "bench-visits", "floor, resuming", "floor", "--resume", "PORT", str(n), tls=True),
    )
    rows = [Row(t) for t in floors + ours]
    with b.server(2, 4096) as (port, tls), b.home(fast_scratch()) as home:
        place = Place(home, port, tls)
        for trial in ours[:1]:
            b.measure(trial.command(place), home, Row(trial))  # the first run delivers
        for _ in range(b.rounds):
            for row in rows:
                b.measure(row.trial.command(place), home, row)
                print(f"  {row.trial.name}: {row.wall[-1]:.3f} s {row.failure}", file=sys.stderr)
    r = Result("G4", f"{n:,} accounts at one server over TLS, nothing new", rows)
    for trial in ours:
        r.held(f"{trial.name} / floor, CPU", r.cpu(trial.name), r.cpu("floor"), 1.15)
        r.goals.append(Goal(f"{trial.name}, MB at the peak", r.memory(trial.name), 10))
    return [r]


ALL = {
    **{"W1": w1, "W2": w2, "W3": w3, "W4": w4, "W5": w5, "W6": w6, "W7": w7, "W8": w8, "W9": w9},
    **{"T": targets, "P": python, "G1": growth_messages, "G2": growth_accounts, "G4": growth_visits},
}
