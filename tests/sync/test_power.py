"""Cuts the power: records what `pop3 sync` does to the disk, makes the states that a file system may show
after a cut behind any call (disk.py), runs it again on each, and counts. Each message is delivered once,
foreign mail in an mbox is as it was, no lock and no file of ours stays, and what the server has deleted is
in the target. Recoveries are recorded and cut, too: those after a cut, and those after a kill, which see what
was not on the disk yet.

POWER_STATES is how many states of each target and model to try; POWER_SEED which.
"""

from __future__ import annotations

import collections
import concurrent.futures
import os
import random
import re
import shutil
import socketserver
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from disk import Disk, Recorder, read_tree, write_tree
from world import COMMAND

STATES = int(os.environ.get("POWER_STATES", 200))
SEED = int(os.environ.get("POWER_SEED", 20261128))
MAIL = {f"uid-{i}": f"From: a@example.org\nSubject: {i}\nMessage-ID: <{i}@example.org>\n\n{'body ' * 40 * i}\nend {i}\n"
        for i in range(1, 5)}  # fmt: skip
FOREIGN = b"From other Thu Jan  1 00:00:00 1970\nSubject: foreign\n\nwithout a line end"
ANOTHER_BOOT = "00000000-0000-4000-8000-000000000000"
STATE = ".local/state/pop3"
RECOVERIES = 6  # after a cut, and as many after a kill, are recorded and cut themselves
ENOUGH = 4  # states that are not recovered, to be content with: each may be a minute's wait for a lock


def can_record() -> bool:
    """Whether strace is there and may trace: a container's rules may forbid it."""
    return shutil.which("strace") is not None and subprocess.run(
        ["strace", "-o", "/dev/null", "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0  # fmt: skip


pytestmark = pytest.mark.skipif(not can_record(), reason="strace is not there, or may not trace")


class Server(socketserver.ThreadingTCPServer):
    """A POP3 server with many maildrops: the password says which."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.drops: dict[str, dict[str, str]] = {}
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Session(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def say(self, text: str, lines: "list[str] | None" = None) -> None:
        if lines is not None:
            text = "\r\n".join([text, *("." + line if line.startswith(".") else line for line in lines), "."])
        self.wfile.write((text + "\r\n").encode())

    def handle(self) -> None:
        drop: dict[str, str] = {}
        listing: list[str] = []
        marked: set[str] = set()
        self.say("+OK ready")
        for line in self.rfile:
            word, *args = line.decode().split() or [""]
            if word == "CAPA":
                self.say("+OK", ["USER", "UIDL", "TOP", "PIPELINING"])
            elif word == "PASS":
                drop = self.server.drops[args[0]]
                listing = sorted(drop)
                self.say("+OK")
            elif word in ("UIDL", "LIST") and not args:
                of = {"UIDL": lambda u: u, "LIST": lambda u: str(len(drop[u].replace("\n", "\r\n")))}[word]
                self.say("+OK", [f"{i} {of(u)}" for i, u in enumerate(listing, 1)])
            elif word == "RETR":
                text = drop[listing[int(args[0]) - 1]]
                self.say(f"+OK {len(text.replace(chr(10), chr(13) + chr(10)))} octets", text.splitlines())
            elif word == "TOP":
                self.say("+OK", [*drop[listing[int(args[0]) - 1]].split("\n\n")[0].splitlines(), ""])
            elif word == "DELE":
                marked.add(listing[int(args[0]) - 1])
                self.say("+OK")
            elif word == "QUIT":
                for uid in marked:
                    del drop[uid]
                self.say("+OK")
                return
            elif word == "STAT":
                self.say(f"+OK {len(drop)} {sum(map(len, drop.values()))}")
            else:
                self.say("+OK" if word in ("USER", "NOOP") else "-ERR unknown")


@pytest.fixture(scope="module")
def server():
    with Server() as server:
        yield server
        server.shutdown()


class Target:
    """Where mail goes, and what must be there after recovery."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.before = {"mbox": FOREIGN} if kind == "mbox" else {"out": None} if kind == "command" else {}

    def options(self, root: Path) -> list[str]:
        if self.kind == "maildir":
            return ["--maildir", str(root / "Maildir")]
        if self.kind == "mbox":
            return ["--mbox", str(root / "mbox")]
        keep = f'cd {root}/out && f=$(mktemp XXXXXXXX) && cat >$f && sync $f && sync .'
        return ["--command", keep]

    def delivered(self, tree: dict[str, "bytes | None"]) -> list[str]:
        if self.kind != "mbox":
            inside = {"maildir": ("Maildir/new", "Maildir/cur"), "command": ("out",)}[self.kind]
            return [d.decode() for p, d in tree.items() if os.path.dirname(p) in inside and d is not None]
        text = tree.get("mbox") or b""
        assert text.startswith(FOREIGN), "foreign mail was changed"
        parts = re.split(r"\nFrom a@example.org [^\n]* 20\d\d\n", text.decode())
        assert parts[0].encode().rstrip(b"\n") == FOREIGN, "foreign mail was changed"
        assert all(part.endswith("\n") for part in parts), "no empty line before a From line, or at the end"
        return [part if i == len(parts) - 2 else part for i, part in enumerate(parts[1:])]

    def is_under_way(self, tree: dict[str, "bytes | None"]) -> bool:
        """Whether it has a part of the mail, or more than is there otherwise."""
        if self.kind == "mbox":
            return tree.get("mbox") not in (None, FOREIGN) and bool(self.wrong(tree))
        return any(p.startswith(("Maildir/", "out/")) and d is not None for p, d in tree.items()) and bool(self.wrong(tree))

    def wrong(self, tree: dict[str, "bytes | None"]) -> str:
        """What is wrong with a tree after recovery, or ""."""
        try:
            found = collections.Counter(text.rstrip("\n") for text in self.delivered(tree))
        except (AssertionError, UnicodeDecodeError) as e:
            return str(e)
        expected = collections.Counter(text.rstrip("\n") for text in MAIL.values())
        lost, more = expected - found, found - expected
        if self.kind == "command":
            more = collections.Counter()  # at least once, and perhaps cut short by the cut
        litter = [p for p in tree if p.endswith((".lock", "-journal", "-wal")) or ".pop3-" in p or "Maildir/tmp/" in p]
        return "; ".join(filter(None, [lost and f"lost {len(lost)}", more and f"doubled or torn {sum(more.values())}",
                                       litter and f"litter {litter}"]))  # fmt: skip


class Both(Target):
    """A list of a Maildir and an mbox: each has every message once."""

    def __init__(self) -> None:
        super().__init__("mbox")
        self.each = [Target("maildir"), Target("mbox")]

    def options(self, root: Path) -> list[str]:
        return ["--deliver", "maildir, mbox", *(option for one in self.each for option in one.options(root))]

    def is_under_way(self, tree: dict[str, "bytes | None"]) -> bool:
        return any(one.is_under_way(tree) for one in self.each)

    def wrong(self, tree: dict[str, "bytes | None"]) -> str:
        return "; ".join(filter(None, [one.wrong(tree) for one in self.each]))


def sync(server: Server, target: Target, root: Path, token: str) -> "tuple[list[str], dict[str, object]]":
    password = root.parent / f"{root.name}.password"
    password.write_text(token + "\n")
    password.chmod(0o600)
    command = [COMMAND, "sync", f"pop3://user@127.0.0.1:{server.server_address[1]}", *target.options(root),
               "--password-file", str(password), "--allow-plaintext", "--delete", "--quiet"]  # fmt: skip
    env = {k: v for k, v in os.environ.items() if not k.startswith(("XDG_", "POP3_"))}
    # Only root may look into a process that leaves no core.
    return command, {"env": {**env, "HOME": str(root), "POP3_CORE_DUMPS": "yes"}, "stdin": subprocess.DEVNULL, "timeout": 120}


def after_boot(root: Path) -> None:
    """What a boot changes: a dotlock's process number is another's, and all files are older."""
    for path in [root, *root.rglob("*")]:
        if path.is_file() and (path.name.endswith(".lock") or ".pop3-lock-" in path.name):
            text = path.read_bytes()
            path.write_bytes(re.sub(rb"^\d+\n(pop3 )[0-9a-f-]{36} ", rb"1\n\g<1>" + ANOTHER_BOOT.encode() + b" ", text))
        os.utime(path, (1, 1))


class Bench:
    """Records runs and runs recoveries, all at one path: the state knows its target by that."""

    def __init__(self, server: Server, root: Path, kind: str) -> None:
        self.server, self.root, self.target = server, root, Both() if kind == "both" else Target(kind)
        self.runs = 0

    def begin(self, tree: dict, drop: dict[str, str], booted: bool = True) -> "tuple[list[str], dict, dict[str, str]]":
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir()
        write_tree(self.root, tree)
        if booted:
            after_boot(self.root)
        self.runs += 1
        token = f"{self.root.name}-{self.runs}"
        self.server.drops[token] = left = dict(drop)
        return (*sync(self.server, self.target, self.root, token), left)

    def record(self, tree: dict, drop: dict[str, str], booted: bool = True) -> Disk:
        command, options, _ = self.begin(tree, drop, booted)
        recorder = Recorder(self.root)
        done = recorder.run(command, self.root.parent / f"{self.root.name}.strace", **options)
        assert done.returncode == 0, done.stderr
        disk = Disk(recorder.out)
        last = len(disk.events)
        assert disk.tree(disk.names(last), last, "all", random.Random(0)) == read_tree(self.root), "the recorder missed something"
        return disk

    def recover(self, tree: dict, drop: dict[str, str]) -> str:
        """What is wrong after recovery, or ""."""
        command, options, left = self.begin(tree, drop)
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
        except subprocess.TimeoutExpired:
            return "locked: the run does not end"
        if done.returncode != 0:
            return f"exit {done.returncode}: {done.stderr.strip()}"
        return self.target.wrong(read_tree(self.root)) or (f"{len(left)} left on the server" if left else "")


def key_of(tree: dict, drop: dict) -> tuple:
    """What two states have in common that are the same."""
    return frozenset(tree.items()), frozenset(drop)


def may_be_left(disk: Disk, count: int, since: int, drop: dict[str, str]) -> list[dict[str, str]]:
    """What the server may have behind so many calls, of a session that began at one of them. It removes messages at
    QUIT; one that does so as soon as it is told, against RFC 1939 section 6, makes nothing get lost either. The answer
    to QUIT is awaited before the next call: behind that, they are gone."""
    sent = b"".join(e.data for e in disk.events[since:count] if e.kind == "send")
    listing = sorted(drop)
    marked = {listing[int(number) - 1] for number in re.findall(rb"^DELE (\d+)\r$", sent, re.MULTILINE)}
    left = {uid: text for uid, text in drop.items() if uid not in marked}
    last = disk.events[count - 1] if count > since else None
    if marked and b"QUIT\r\n" in sent and not (last.kind == "send" and b"QUIT" in last.data):
        return [left]
    return [drop, left] if marked else [drop]


def states_of(disk: Disk, model: str, drop: dict[str, str], dice: random.Random, most: int, since: int = 0) -> list:
    """Different states of a recording, with what the server has, spread over all its calls but those before a kill."""
    seen: dict[tuple, tuple] = {}
    counts = range(since, len(disk.events) + 1)
    for count in counts:
        for tree in disk.states(model, count, dice, max(4, most // len(counts) * 2)):
            for left in may_be_left(disk, count, since, drop):
                seen.setdefault(key_of(tree, left), (count, tree, left))
    every = list(seen.values())
    return every if len(every) <= most else dice.sample(every, most)


def moments(disk: Disk) -> "tuple[list[int], list[int], list[int]]":
    """Moments before QUIT at which a kill leaves the most to find: right behind what made a directory; what changed the
    target; and what was not on the disk yet, and seen by other processes all the same: right before it is synced."""
    quit_at = next(i for i, e in enumerate(disk.events) if e.kind == "send" and b"QUIT" in e.data)
    made, changed, unsynced = [], [], []
    for count, event in enumerate(disk.events[:quit_at], 1):
        paths = [event.path] if event.path else [p for p, f in disk.names(count).items() if f == event.file]
        if event.kind == "name" and event.file < 0:
            made.append(count)
        elif event.kind in ("name", "gone", "write", "cut") and not any(p.startswith(STATE + "/") for p in paths):
            changed.append(count)
        if event.kind in ("name", "write") and changed and disk.events[count].kind.startswith("sync"):
            unsynced.append(count)
    return made, changed, unsynced


def wrong_at_once(target: Target, disk: Disk, model: str, dice: random.Random) -> list:
    """What no run may leave, although the next one would mend it: other programs meet a lock that does not tell whose it
    is, and nobody may ever run again when all is done."""
    bad = []
    for count in range(len(disk.events) + 1):
        for tree in disk.states(model, count, dice, 1):
            if "mbox.lock" in tree and not re.match(rb"\d+\n", tree["mbox.lock"]):
                bad.append(("a lock that tells nothing of who has it", count, tree))
            litter = [p for p in tree if p.startswith("Maildir/tmp/")]
            if count == len(disk.events) and litter and model != "letter":
                bad.append((f"all is done, and there is {litter}", count, tree))
    return bad


@dataclass
class Result:
    calls: int = 0
    first: int = 0  # states
    again: int = 0
    killed: int = 0
    bad: list = field(default_factory=list)


def play(bench: Bench, model: str, dice: random.Random, most: int) -> Result:
    out = Result()
    disk = bench.record(bench.target.before, MAIL)
    states = states_of(disk, model, MAIL, dice, most)
    out.bad = wrong_at_once(bench.target, disk, model, dice)
    out.calls, out.first = len(disk.events), len(states)
    try:
        # Half of them of what is under way: a target that has some of it.
        torn = [s for s in states if bench.target.is_under_way(s[1])]
        some = dice.sample(torn, min(RECOVERIES // 2, len(torn)))
        for _, tree, left in some + dice.sample(states, min(RECOVERIES - len(some), len(states))):
            states += states_of(bench.record(tree, left), model, left, dice, most // 2 // RECOVERIES)
        out.again = len(states) - out.first
        made, changed, unsynced = moments(disk)
        others = [count for count in changed if count not in unsynced]
        kills = made + unsynced + dice.sample(others, RECOVERIES // 2)
        for count in kills:
            after = bench.record(disk.tree(disk.names(count), count, "all", dice), MAIL, booted=False)
            states += states_of(disk.goes_on(count, after), model, MAIL, dice, most // len(kills), count)
    except AssertionError as e:
        out.bad.append((f"recorded: {e}", 0, {}))
    out.killed = len(states) - out.first - out.again
    for count, tree, left in states:
        what = bench.recover(tree, left)
        if what:
            out.bad.append((what, count, tree))
        if len(out.bad) >= ENOUGH:
            break
    return out


@pytest.mark.parametrize("model", ["ordered", "logged", "letter"])
@pytest.mark.parametrize("kind", ["maildir", "mbox", "command", "both"])
def test_every_message_is_there_once_after_the_power_was_cut(server, fast_world, capsys, kind, model):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda name: play(Bench(server, fast_world.path / name, kind), model,
                                                  random.Random(f"{SEED} {kind} {model} {name}"), STATES // 2), "ab"))  # fmt: skip
    bad = [b for r in results for b in r.bad]
    with capsys.disabled():
        print(f"# {kind}, {model}: {sum(r.calls for r in results)} calls recorded, {sum(r.first for r in results)} states after "
              f"a cut, {sum(r.again for r in results)} after a cut of a recovery, {sum(r.killed for r in results)} after a kill and "
              f"a cut of the recovery; {len(bad)} not recovered", flush=True)  # fmt: skip
        for what, count in [(what, count) for what, count, _ in bad][:8]:
            print(f"#   behind call {count}: {what}", flush=True)
        for _, _, tree in bad[:2] if os.environ.get("POWER_SHOW") else []:
            for path, data in tree.items():
                print(f"#     {path} {data if data is None or STATE in path else data[:300]}"[:500])
    assert not bad


def test_what_a_killed_run_recorded_is_on_the_disk_before_its_spool_goes(server, fast_world):
    bench = Bench(server, fast_world.path / "a", "mbox")
    disk = bench.record(bench.target.before, MAIL)
    count = next(c for c in moments(disk)[2] if disk.events[c].path.endswith("-wal"))
    killed = disk.tree(disk.names(count), count, "all", random.Random(SEED))
    assert any(".pop3-" in path for path in killed)
    events = bench.record(killed, MAIL, booted=False).events
    gone = next(i for i, e in enumerate(events) if e.kind == "gone" and ".pop3-" in e.path)
    assert f"{STATE}/state.db-wal" in [e.path for e in events[:gone] if e.kind == "sync"]
