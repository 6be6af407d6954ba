"""What a disk may hold after a power cut: records the file-system calls of a run with strace, and makes
the trees that may be left when the power goes behind any of them.

Three models, from what a file system allows:

- `ordered` (ext4, xfs): names are journaled in order, so those of any moment since the last sync of anything;
- `logged` (btrfs): a commit at any moment since syncfs(2), and on top of it what each later sync has logged:
  a file with its names, a directory with its entries. A renamed file may keep its old name in another directory;
- `letter` (POSIX): each change of a name is there or not, unless its directory was synced since.

Octets that were not synced are there, missing, cut short, NUL, or there in some sectors only.
"""

from __future__ import annotations

import dataclasses
import os
import random
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator, Optional

CALLS = ("open,openat,creat,write,pwrite64,ftruncate,link,linkat,rename,renameat,renameat2,unlink,unlinkat,"
         "fsync,fdatasync,sync_file_range,syncfs,mkdir,mkdirat,rmdir,sendto,fallocate,truncate,writev,pwritev,"
         "copy_file_range,sendfile,symlink,symlinkat")  # fmt: skip
# Changes that the recorder has no model of: a run that makes one fails the test.
UNKNOWN = {"creat", "truncate", "writev", "pwritev", "copy_file_range", "sendfile", "symlink", "symlinkat", "fallocate"}
SECTOR = 512


@dataclass(frozen=True)
class Event:
    kind: str  # name, gone, write, cut, sync, sync-directory, sync-all, send
    path: str = ""
    file: int = -1  # which file: -1 is a directory
    at: int = 0
    data: bytes = b""
    moved: str = ""  # with "name": the old name, which goes with it
    grows: bool = True  # with "sync": whether names are committed, too


@dataclass
class Recording:
    before: dict[str, int] = field(default_factory=dict)  # path to file
    contents: dict[int, bytes] = field(default_factory=dict)  # of the files that were there before
    events: list[Event] = field(default_factory=list)


def read_tree(root: Path) -> dict[str, Optional[bytes]]:
    tree: dict[str, Optional[bytes]] = {}
    for folder, folders, files in os.walk(root):
        for name in folders:
            tree[os.path.relpath(os.path.join(folder, name), root)] = None
        for name in files:
            if not name.endswith("-shm"):  # SQLite makes it again
                path = os.path.join(folder, name)
                tree[os.path.relpath(path, root)] = Path(path).read_bytes()
    return tree


def write_tree(root: Path, tree: dict[str, Optional[bytes]]) -> None:
    for path in sorted(tree):
        data = tree[path]
        if data is None:
            (root / path).mkdir(mode=0o700, parents=True, exist_ok=True)
        else:
            (root / path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            (root / path).write_bytes(data)


# ---- recording ----

STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
OPEN_FILE = re.compile(r"^(-?\d+|AT_FDCWD)(?:<((?:\\x[0-9a-f]{2})*)>)?(?:\(deleted\))?$")


def unhex(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


class Recorder:
    """Follows the calls of a run below a root."""

    def __init__(self, root: Path) -> None:
        self.root = os.path.realpath(root)
        self.out = Recording()
        self.now: dict[str, int] = {}
        self.sizes: dict[int, int] = {}
        self.grown: set[int] = set()
        for path, data in read_tree(root).items():
            number = -1 if data is None else len(self.sizes)
            self.now[path] = self.out.before[path] = number
            if data is not None:
                self.sizes[number] = len(data)
                self.out.contents[number] = data

    def run(self, command: list[str], log: Path, **options: object) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["strace", "-f", "-y", "-xx", "-s", "10000000", "-e", f"trace={CALLS}", "-o", str(log), *command],
            check=False, text=True, capture_output=True, **options)  # fmt: skip
        begun: dict[str, str] = {}
        for line in log.read_text().splitlines():
            pid, _, call = line.partition(" ")
            call = call.strip()
            if call.endswith("<unfinished ...>"):
                begun[pid] = call[: -len("<unfinished ...>")]
                continue
            resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", call)
            if resumed:
                call = begun.pop(pid) + resumed[1]
            match = re.match(r"(\w+)\((.*)\)\s+= (-?\d+)", call)
            if match and int(match[3]) >= 0:
                self.take(match[1], match[2].split(", "), int(match[3]))
        return done

    def below(self, path: str) -> Optional[str]:
        path = os.path.normpath(path)
        below = path == self.root or path.startswith(self.root + "/")
        return os.path.relpath(path, self.root) if below and not path.endswith("-shm") else None

    def opened(self, argument: str) -> Optional[str]:
        match = OPEN_FILE.match(argument)
        return self.below(unhex(match[2]).decode()) if match and match[2] else None

    def named(self, folder: str, argument: str) -> Optional[str]:
        match = STRING.match(argument)
        assert match, argument
        return self.below(os.path.join(unhex(OPEN_FILE.match(folder)[2] or "").decode(), unhex(match[1]).decode()))

    def add(self, kind: str, path: str = "", **more: object) -> None:
        self.out.events.append(Event(kind, path, **more))

    def put_name(self, path: str, file: int, moved: str = "") -> None:
        self.now[path] = file
        if moved:
            del self.now[moved]
        self.add("name", path, file=file, moved=moved)

    def take(self, call: str, args: list[str], result: int) -> None:
        here = "AT_FDCWD<" + "".join(f"\\x{c:02x}" for c in os.fsencode(os.getcwd())) + ">"
        if call in ("open", "mkdir", "unlink", "rmdir"):
            args = [here, *args]
        elif call in ("link", "rename"):
            args = [here, args[0], here, args[1]]
        if call in ("open", "openat"):
            path = self.named(args[0], args[1])
            if path is not None and "O_CREAT" in args[2] and path not in self.now:
                self.sizes[len(self.sizes)] = 0
                self.put_name(path, len(self.sizes) - 1)
            elif path is not None and "O_TRUNC" in args[2] and path in self.now:
                self.cut(self.now[path], 0)
        elif call in ("mkdir", "mkdirat"):
            path = self.named(args[0], args[1])
            if path is not None:
                self.put_name(path, -1)
        elif call in ("unlink", "unlinkat", "rmdir"):
            path = self.named(args[0], args[1])
            if path is not None:
                del self.now[path]
                self.add("gone", path)
        elif call in ("link", "linkat", "rename", "renameat", "renameat2"):
            old, new = self.named(args[0], args[1]), self.named(args[2], args[3])
            if old is not None and new is not None:
                self.put_name(new, self.now[old], old if call.startswith("rename") else "")
        elif call == "sendto":
            self.add("send", data=unhex(STRING.match(args[1])[1]))
        else:
            self.take_data(call, args, result)

    def cut(self, file: int, size: int) -> None:
        self.sizes[file] = size
        self.grown.add(file)
        self.add("cut", file=file, at=size)

    def take_data(self, call: str, args: list[str], result: int) -> None:
        path = self.opened(args[0])
        if call == "syncfs" and path is not None:
            self.add("sync-all")
        if path is None or (path != "." and path not in self.now):
            return
        assert call not in UNKNOWN, call
        file = -1 if path == "." else self.now[path]
        if call in ("write", "pwrite64"):
            data = unhex(STRING.match(args[1])[1])[:result]
            at = int(args[3]) if call == "pwrite64" else self.sizes[file]  # ours append
            if at + len(data) > self.sizes[file]:
                self.sizes[file] = at + len(data)
                self.grown.add(file)
            self.add("write", file=file, at=at, data=data)
        elif call == "ftruncate":
            self.cut(file, int(args[1]))
        elif call in ("fsync", "fdatasync") and file < 0:
            self.add("sync-directory", path)
        elif call in ("fsync", "fdatasync"):
            self.add("sync", path, file=file, grows=call == "fsync" or file in self.grown)
            self.grown.discard(file)


# ---- what may be left ----


def overwrite(data: bytes, event: Event) -> bytes:
    if event.kind == "cut":
        return data[: event.at].ljust(event.at, b"\0")
    return data[: event.at].ljust(event.at, b"\0") + event.data + data[event.at + len(event.data) :]


def directory_of(path: str) -> str:
    """As os.path.dirname() has it for paths as ours are, which it is asked for millions of times."""
    return path.rpartition("/")[0]


def change_names(names: dict[str, int], event: Event) -> None:
    if event.kind == "name":
        names[event.path] = event.file
        names.pop(event.moved, None)
    elif event.kind == "gone":
        names.pop(event.path, None)


class Disk:
    """A recording, and the states in which a cut behind its Nth event may leave the disk."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.events = recording.events
        self.histories: dict[int, list[tuple[bytes, tuple[Event, ...], bytes]]] = {}

    def history(self, file: int) -> list[tuple[bytes, tuple[Event, ...], bytes]]:
        """Behind each number of events, what of a file is on the disk, which changes are not, and the file with them."""
        if file not in self.histories:
            safe = whole = self.recording.contents.get(file, b"")
            pending: tuple[Event, ...] = ()
            self.histories[file] = out = [(safe, pending, whole)]
            for event in self.events:
                if event.kind in ("write", "cut") and event.file == file:
                    pending, whole = (*pending, event), overwrite(whole, event)
                elif event.kind == "sync-all" or (event.kind == "sync" and event.file == file):
                    pending, safe = (), whole
                out.append((safe, pending, whole))
        return self.histories[file]

    def goes_on(self, count: int, after: "Disk") -> "Disk":
        """The run was killed behind so many events, and another one began in what processes saw then."""
        names = self.names(count)
        files = {file: names[path] for path, file in after.recording.before.items() if file >= 0}
        free = 1 + max([e.file for e in self.events] + list(self.recording.contents), default=0)
        events = list(self.events[:count])
        for event in after.events:
            if event.file >= 0 and event.file not in files:
                files[event.file] = free + len(files)
            events.append(dataclasses.replace(event, file=files.get(event.file, event.file)))
        return Disk(Recording(self.recording.before, self.recording.contents, events))

    def names(self, count: int) -> dict[str, int]:
        """The names behind so many events, were all of them on the disk."""
        names = dict(self.recording.before)
        for event in self.events[:count]:
            change_names(names, event)
        return names

    def content(self, file: int, count: int, how: str, dice: random.Random) -> bytes:
        safe, pending, whole = self.history(file)[count]
        if how == "random":
            how = dice.choice(["none", "all", "short", "nul", "sectors"])
        if how == "short" and pending:
            *earlier, last = pending[: dice.randint(1, len(pending))]
            for event in earlier:
                safe = overwrite(safe, event)
            if last.kind == "write":
                part = last.data[: dice.randint(0, len(last.data))]
                safe = overwrite(safe, Event("write", file=file, at=last.at, data=part))
        elif how in ("nul", "sectors"):
            out = bytearray(safe[: len(whole)].ljust(len(whole), b"\0"))
            for at in range(0, len(whole) if how == "sectors" else 0, SECTOR):
                if dice.random() < 0.5:
                    out[at : at + SECTOR] = whole[at : at + SECTOR]
            return bytes(out)
        return whole if how == "all" else safe

    def tree(self, names: dict[str, int], count: int, how: str, dice: random.Random) -> dict[str, Optional[bytes]]:
        contents: dict[int, bytes] = {}
        tree: dict[str, Optional[bytes]] = {}
        for path, file in sorted(names.items()):
            parent = directory_of(path)
            if parent and (parent not in tree or tree[parent] is not None):
                continue  # its directory is not there
            if file >= 0 and file not in contents:
                contents[file] = self.content(file, count, how, dice)
            tree[path] = None if file < 0 else contents[file]
        return tree

    def ordered(self, count: int, dice: random.Random, latest: Optional[bool]) -> dict[str, int]:
        least = max((i + 1 for i, e in enumerate(self.events[:count])
                     if e.kind.startswith("sync") and (e.kind != "sync" or e.grows)), default=0)  # fmt: skip
        return self.names(dice.randint(least, count) if latest is None else count if latest else least)

    def logged(self, count: int, dice: random.Random, latest: Optional[bool]) -> dict[str, int]:
        least = max((i + 1 for i, e in enumerate(self.events[:count]) if e.kind == "sync-all"), default=0)
        base = dice.randint(least, count) if latest is None else count if latest else least
        names = self.names(base)
        now = dict(names)
        keep_old = dice.random() < 0.5
        for event in self.events[base:count]:
            change_names(now, event)
            if event.kind == "sync":
                logged = [path for path, file in now.items() if file == event.file]
            elif event.kind == "sync-directory":
                folder = "" if event.path == "." else event.path
                logged = [path for path in now if directory_of(path) == folder]
                for path in [p for p in names if directory_of(p) == folder and p not in now]:
                    del names[path]
            else:
                continue
            for path in logged:
                old = [p for p, f in names.items() if f == now[path] and f >= 0 and p not in now]
                for p in old if not keep_old else []:
                    del names[p]
                names[path] = now[path]
                while path := directory_of(path):
                    names.setdefault(path, -1)
        return names

    def letter(self, count: int, dice: random.Random, latest: Optional[bool]) -> dict[str, int]:
        names = dict(self.recording.before)
        pending: list[tuple[str, Optional[int]]] = []

        def apply(which: list[tuple[str, Optional[int]]]) -> None:
            for path, file in which:
                if file is None:
                    names.pop(path, None)
                else:
                    names[path] = file

        for event in self.events[:count]:
            if event.kind == "name":
                pending.append((event.path, event.file))
                if event.moved:
                    pending.append((event.moved, None))
            elif event.kind == "gone":
                pending.append((event.path, None))
            elif event.kind in ("sync-directory", "sync-all"):
                folder = "" if event.path == "." else event.path
                safe = [p for p in pending if event.kind == "sync-all" or directory_of(p[0]) == folder]
                apply(safe)
                pending = [p for p in pending if p not in safe]
        apply([p for p in pending if latest or (latest is None and dice.random() < 0.5)])
        return names

    def states(self, model: str, count: int, dice: random.Random, more: int) -> Iterator[dict[str, Optional[bytes]]]:
        """The corners, and so many others at random."""
        for latest in (False, True):
            for how in ("none", "all", "nul"):
                yield self.tree(getattr(self, model)(count, dice, latest), count, how, dice)
        for _ in range(more):
            yield self.tree(getattr(self, model)(count, dice, None), count, "random", dice)
