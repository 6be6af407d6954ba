#!/usr/bin/env python3
"""`pop3 sync --delete` with every call that can fail failing in turn, by a library that is preloaded
(command_shim.c), until a run comes through untouched.

After each failure: the program was not killed by a signal and did not hang; its exit status is a documented
one; when it is not 0, standard error has a sentence that can be printed; no allocation of its own is left; each
message is on the server or delivered. Then it runs again, without a fault, which must work: each message is
delivered exactly once, nothing is left over, and the server has none.

So it goes with a first sync to each target, over each way (LMTP is like SMTP here, and Gmail has its own tests in
tests/sync); and to a Maildir with what came before, or what the server is like, told by a story.

FAULT_STRIDE=1 fails each call, where `make check` takes each so-manieth of what there is very much of. Only what
comes after the account is locked fails where a scene does not differ from another before.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, NamedTuple, Optional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "sync"))

import imapd  # noqa: E402
import lmtpd  # noqa: E402
from world import COMMAND, CRASH_COMMAND, Server, World, certificates, message, read_mbox  # noqa: E402

SHIM = os.environ["POP3_FAULT_SHIM"]
IMAP = ("imap", "labels")  # targets that are an IMAP server; "labels": with labels to be given
SERVERS = {
    "imap": imapd.Imapd,
    "labels": lambda certs: imapd.Imapd(certs, capabilities=(*imapd.CAPABILITIES, "X-GM-EXT-1")),
    "lmtp": lambda certs: lmtpd.TlsLmtpd(certs, tls=False, starttls=True),
    "smtp": lmtpd.Smtpd,
}
MESSAGES = 6
LINES = 400
DOCUMENTED = {0, 64, 65, 68, 69, 71, 73, 74, 75, 76, 77, 78}
PATIENCE = 60

# Results of sqlite3_step().
SQLITE_BUSY, SQLITE_IOERR, SQLITE_FULL = 5, 10, 13
STEPS = {SQLITE_BUSY: "SQLITE_BUSY", SQLITE_IOERR: "SQLITE_IOERR", SQLITE_FULL: "SQLITE_FULL"}


class Fault(NamedTuple):
    call: str
    error: int
    harmless: bool = False  # the run must succeed all the same
    leaves: bool = False  # files that could not be removed stay
    stride: int = 1  # fail each so-manieth call, to save time
    ways: str = "plain tls"
    targets: str = "maildir mbox command"

    def __str__(self) -> str:
        names = STEPS if self.call == "sqlite-step" else errno.errorcode
        return f"{self.call} fails with {names[self.error]}"


class Story(NamedTuple):
    """What came before, and what the server is like."""

    name: str
    before: Callable[[Stage], None]
    options: tuple[str, ...] = ("--delete",)
    server: tuple[str, ...] = ()
    script: str = ""  # in place of the ordinary answers
    keeps: bool = False  # all messages stay on the server
    late: bool = True  # up to the account's lock it is as in another story


class Scene(NamedTuple):
    """What is synced to what, how."""

    target: str
    way: str
    story: Story

    def __str__(self) -> str:
        return f"{self.target} over {self.way}, {self.story.name}"


def nothing(stage: Stage) -> None:
    stage.fill(0, MESSAGES)


def known(stage: Stage) -> None:
    """Half of the messages are delivered; two are not on the server any more, one of them for long."""
    stage.fill(0, MESSAGES // 2)
    stage.sync()
    for i in range(2):
        (stage.world.drop / f"{i:06}").unlink()
        with sqlite3.connect(stage.world.state) as db:
            db.execute("UPDATE message SET time = time - 1000 * 86400")
        db.close()
        stage.sync()
    stage.fill(MESSAGES // 2, MESSAGES)


def renumbered(stage: Stage) -> None:
    """Half of the messages are delivered, and have other unique-ids now."""
    stage.fill(0, MESSAGES // 2)
    stage.sync()
    for file in stage.world.drop.iterdir():
        file.rename(file.with_name(f"again-{file.name}"))
    stage.fill(MESSAGES // 2, MESSAGES)


def half(stage: Stage) -> None:
    stage.fill(0, MESSAGES)
    stage.sync("--limit", str(MESSAGES // 2))


def killed(stage: Stage) -> None:
    """Half of the messages are in the Maildir, half in its tmp, when the program is killed."""
    stage.fill(0, MESSAGES)
    stage.kill("renameat2", MESSAGES // 2 + 1)


FIRST = Story("a first sync", nothing, late=False)
STORIES = [
    Story("half is known", known, late=False),
    Story("what is known is renumbered", renumbered),
    Story("what a crash left", killed),
    Story("what a crash left without unique-ids", killed, server=("--refuse", "UIDL", "--no-capa", "UIDL")),
    Story("no unique-ids", half, server=("--refuse", "UIDL", "--no-capa", "UIDL")),
    Story("no unique-ids and no TOP", half,
          server=("--refuse", "UIDL", "--no-capa", "UIDL", "--refuse", "TOP", "--no-capa", "TOP")),
    Story("equal unique-ids", half, options=(), keeps=True, script="\n".join(
        ["on UIDL {", 'line "+OK"', *(f'line "{i + 1} same"' for i in range(MESSAGES)), 'line "."', "}", "serve"])),
    Story("a header command", half, ("--delete", "--filter", "cat >/dev/null")),
    Story("sizes", half, ("--delete", "--max-size", "1M", "--kill-size", "2M")),
]  # fmt: skip


FAULTS = [
    Fault("allocation", errno.ENOMEM, stride=5, targets="mbox command"),
    Fault("allocation", errno.ENOMEM, targets="maildir", ways="plain"),
    Fault("allocation", errno.ENOMEM, stride=5, targets="maildir", ways="tls"),
    Fault("sqlite-allocation", errno.ENOMEM, stride=61, targets="maildir"),
    Fault("openssl-allocation", errno.ENOMEM, stride=239, ways="tls", targets="maildir"),
    Fault("other-allocation", errno.ENOMEM, stride=29, targets="maildir"),
    Fault("recv", errno.ECONNRESET),
    Fault("recv", errno.EINTR, harmless=True, targets="maildir"),
    Fault("recv", errno.EAGAIN, harmless=True, targets="maildir"),
    Fault("send", errno.EPIPE),
    Fault("send", errno.EAGAIN, harmless=True, targets="maildir"),
    Fault("poll", errno.EINTR, harmless=True, targets="maildir"),
    Fault("poll", errno.ENOMEM, targets="maildir"),
    Fault("connect", errno.ECONNREFUSED, targets="maildir"),
    Fault("socket", errno.EMFILE, targets="maildir"),
    Fault("pipe", errno.EMFILE, targets="maildir"),
    Fault("getentropy", errno.ENOSYS, ways="plain", targets="maildir"),
    Fault("thread", errno.EAGAIN),
    Fault("open", errno.EMFILE),
    Fault("openat", errno.EMFILE, targets="maildir"),
    Fault("openat", errno.ENOSPC, targets="maildir"),
    Fault("read", errno.EIO),
    Fault("write", errno.ENOSPC),
    Fault("write", errno.EINTR, harmless=True),
    Fault("write", errno.EFBIG, targets="maildir mbox"),
    Fault("pread", errno.EIO, ways="plain"),
    Fault("pwrite", errno.ENOSPC, ways="plain"),
    Fault("pwrite", errno.EIO, ways="plain", targets="maildir"),
    Fault("close", errno.EIO, ways="plain", stride=3),
    Fault("fsync", errno.EIO, ways="plain", targets="maildir mbox"),
    Fault("fdatasync", errno.EIO, ways="plain"),
    Fault("syncfs", errno.EIO, ways="plain", targets="maildir"),
    Fault("renameat2", errno.EIO, ways="plain", targets="maildir"),
    Fault("renameat2", errno.EINVAL, harmless=True, ways="plain", targets="maildir"),
    Fault("unlink", errno.EACCES, leaves=True, ways="plain", targets="maildir mbox"),
    Fault("mkdir", errno.EACCES, ways="plain", targets="maildir"),
    Fault("ftruncate", errno.EIO, ways="plain"),
    Fault("lseek", errno.EIO, ways="plain", targets="mbox command"),
    Fault("fstat", errno.EIO, ways="plain"),
    Fault("fcntl", errno.ENOLCK, ways="plain", stride=3),
    Fault("sqlite-step", SQLITE_FULL, ways="plain"),
    Fault("sqlite-step", SQLITE_BUSY, ways="plain", targets="maildir"),
    Fault("allocation", errno.ENOMEM, ways="plain", targets="imap smtp lmtp labels"),
    # Not OpenSSL's own: libcurl does not ask whether OpenSSL could set itself up, and OpenSSL 3.0 crashes then.
    Fault("other-allocation", errno.ENOMEM, stride=7, ways="plain", targets="imap smtp lmtp labels"),
    Fault("recv", errno.ECONNRESET, ways="plain", targets="imap smtp lmtp labels"),
    Fault("send", errno.EPIPE, ways="plain", targets="imap smtp lmtp labels"),
    Fault("socket", errno.EMFILE, ways="plain", targets="imap smtp lmtp labels"),
    Fault("connect", errno.ECONNREFUSED, ways="plain", targets="imap smtp lmtp labels"),
    Fault("write", errno.ENOSPC, ways="plain", targets="imap smtp lmtp labels"),
    Fault("pread", errno.EIO, ways="plain", targets="imap smtp lmtp labels"),
]  # fmt: skip

# What fails in a first sync to a Maildir over TCP.
USUAL = {f.call for f in FAULTS if "maildir" in f.targets and "plain" in f.ways}

# What fails in the stories: what their own steps may hit upon.
STORY_FAULTS = [
    Fault("allocation", errno.ENOMEM, stride=3),
    Fault("sqlite-allocation", errno.ENOMEM, stride=97),
    Fault("recv", errno.ECONNRESET),
    Fault("send", errno.EPIPE),
    Fault("thread", errno.EAGAIN),
    Fault("openat", errno.EMFILE),
    Fault("read", errno.EIO),
    Fault("pwrite", errno.ENOSPC),
    Fault("fdatasync", errno.EIO),
    Fault("sqlite-step", SQLITE_IOERR, stride=3),
]  # fmt: skip

# What only settling what a crash left does.
CRASH_FAULTS = [
    Fault("unlinkat", errno.EACCES),
    Fault("dup", errno.EMFILE),
]  # fmt: skip


def copy(source: Path, to: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, to)
    else:
        shutil.copy2(source, to)


class Stage:
    """A folder and a server of its own, for one trial after the other."""

    def __init__(self, folder: Path, scene: Scene, certs: Path) -> None:
        folder.mkdir()
        self.world = World(folder)
        self.scene = scene
        self.out = folder / "out"
        self.out.mkdir()
        self.before = folder / "before"
        self.certs = certs
        self.report = folder / "report"
        options = ["--mail", self.world.drop, "--delete", *scene.story.server]
        if scene.story.script:
            (folder / "script").write_text(scene.story.script + "\n")
            options += ["--script", folder / "script"]
        self.server = Server(*options, "--tls", "--cert", certs / "good.pem", "--key", certs / "good.key")
        self.mailer = SERVERS[scene.target](certs) if scene.target in SERVERS else None
        self.secret = folder / "secret"
        self.secret.write_text("smtp secret\n")
        self.secret.chmod(0o600)

    def stop(self) -> None:
        self.server.stop()
        if self.mailer is not None:
            self.mailer.stop()

    def settle(self) -> None:
        """Waits until the servers are done with what a run sent, which is over."""
        self.server.settle()
        if self.scene.target in IMAP:
            self.mailer.finish_others()

    def fill(self, first: int, end: int) -> None:
        self.world.fill(end - first, first=first, lines=LINES)

    def sync(self, *options: str) -> None:
        """A run before the story's own, which deletes nothing."""
        done = self.run(*options, delete=False)
        assert done.returncode == 0, done.stderr
        self.server.settle()

    def kill(self, call: str, n: int) -> None:
        """A run that is killed in its n-th call of a kind."""
        done = self.run(LD_PRELOAD=SHIM, FAULT_CALL=call, FAULT_NTH=str(n), FAULT_ERRNO="0",
                        FAULT_REPORT=str(self.report))  # fmt: skip
        assert done.returncode == -signal.SIGKILL, done.stderr
        self.server.settle()

    def places(self) -> list[Path]:
        """All that a run may change."""
        return [self.world.drop, self.world.maildir, self.out, *self.world.path.glob("state.db*")]

    def begin(self) -> None:
        """Does what comes before, and keeps what it leads to."""
        self.scene.story.before(self)
        self.before.mkdir()
        for place in filter(Path.exists, self.places()):
            copy(place, self.before / place.name)

    def reset(self) -> None:
        for place in self.places():
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)
        for place in self.before.iterdir():
            copy(place, self.world.path / place.name)
        self.report.unlink(missing_ok=True)
        self.server.forget()
        if self.mailer is not None:
            self.mailer.mails.clear()
            if self.scene.target in IMAP:
                self.mailer.labels.clear()

    def target(self) -> list[object]:
        if self.scene.target in IMAP:
            return ["--imap", self.mailer.url(), "--imap-ca-file", self.certs / "ca.pem", "--imap-password-file", self.secret,
                    *(["--labels", "Family"] if self.scene.target == "labels" else [])]  # fmt: skip
        if self.scene.target == "lmtp":
            return ["--lmtp", self.mailer.where, "--lmtp-tls", "starttls", "--lmtp-ca-file", self.certs / "ca.pem",
                    "--recipient", "you@example.org"]  # fmt: skip
        if self.scene.target == "smtp":
            return ["--smtp", self.mailer.where, "--smtp-ca-file", self.certs / "ca.pem", "--smtp-password-file", self.secret,
                    "--recipient", "you@example.org"]  # fmt: skip
        return {
            "maildir": ["--maildir", self.world.maildir],
            "mbox": ["--mbox", self.out / "mbox"],
            "command": ["--command", f"t=$(mktemp {self.out}/XXXXXXXX) && cat > $t"],
        }[self.scene.target]

    def command(self, *options: str) -> list[str]:
        where = {"plain": f"pop3://user@127.0.0.1:{self.server.port}",
                 "tls": f"pop3s://user@localhost:{self.server.tls_port}"}[self.scene.way]  # fmt: skip
        # The build for tests leaves out the pauses between looks at an IMAP folder.
        command = CRASH_COMMAND if self.scene.target in IMAP else COMMAND
        words = [command, "sync", where, *self.target(), "--state", self.world.state, "--password-file",
                 self.world.password_file, "--allow-plaintext", "--quiet", "--retries", "0",
                 "--ca-file", self.certs / "ca.pem", "--local-address", "127.0.0.1", *options]  # fmt: skip
        return list(map(str, words))

    def run(self, *options: str, delete: bool = True, **more: str) -> subprocess.CompletedProcess:
        env = self.world.environment(TMPDIR=str(self.world.path), POP3_TEST_PAUSES="skip", **more)
        options = self.scene.story.options + options if delete else options
        return subprocess.run(self.command(*options), env=env, capture_output=True, timeout=PATIENCE, check=False)

    def delivered(self) -> list[bytes]:
        if self.scene.target == "maildir":
            return self.world.delivered() if (self.world.maildir / "cur").exists() else []
        if self.scene.target == "mbox":
            return read_mbox(self.out / "mbox") if (self.out / "mbox").exists() else []
        if self.mailer is not None:
            return [mail.body.replace(b"\r\n", b"\n") for uid, mail in enumerate(self.mailer.mails, 1)
                    if self.scene.target != "labels" or uid in self.mailer.labels]  # fmt: skip
        return [f.read_bytes() for f in self.out.iterdir()]

    def left_over(self) -> list[str]:
        if self.scene.target == "maildir":
            return self.world.unfinished()
        if self.mailer is not None:
            return [str(f) for f in self.world.path.glob("state.db.refused/*/*/*")]
        return [f.name for f in self.out.iterdir() if f.name != "mbox"] if self.scene.target == "mbox" else []


def judge_faulted(stage: Stage, fault: Fault, done: subprocess.CompletedProcess, alive: int) -> list[str]:
    """What is wrong after the run in which something failed."""
    wrong = []
    said = done.stderr.decode("utf-8", "replace")
    if done.returncode < 0 or done.returncode not in DOCUMENTED:
        wrong.append(f"it ended with {done.returncode}")
    if fault.harmless and done.returncode != 0:
        wrong.append(f"it ended with {done.returncode}, which a harmless fault should not lead to")
    if done.returncode != 0 and not said.startswith("pop3: "):
        wrong.append("it did not say why")
    if any(not c.isprintable() for c in said.replace("\n", "")):
        wrong.append("what it said cannot be printed")
    if alive > 0:
        wrong.append(f"{alive} allocations are left")
    lost = EXPECTED - set(stage.delivered()) - set(stage.world.on_server())
    # What an mbox's delivery has begun is mended by the next run, and not read before that.
    if lost and stage.scene.target != "mbox":
        wrong.append(f"{len(lost)} messages are neither on the server nor delivered")
    return wrong


def judge_next(stage: Stage, fault: Fault, done: subprocess.CompletedProcess) -> list[str]:
    """What is wrong after the untouched run that followed."""
    wrong = []
    if done.returncode != 0:
        wrong.append(f"the next run ended with {done.returncode}: {done.stderr.decode()}")
    got = stage.delivered()
    if not EXPECTED <= set(got):
        wrong.append(f"{len(EXPECTED - set(got))} messages were not delivered")
    if set(got) - EXPECTED:
        wrong.append(f"{len(set(got) - EXPECTED)} messages have other octets")
    may_double = stage.scene.target in ("command", "lmtp", "smtp")
    if len(got) > len(set(got)) and not may_double:  # see docs/records/durability.md
        wrong.append(f"{len(got) - len(set(got))} messages were delivered twice")
    if stage.left_over() and not fault.leaves:
        wrong.append(f"left over: {stage.left_over()}")
    there = stage.world.on_server()
    if stage.scene.story.keeps and set(there) != EXPECTED:
        wrong.append(f"{len(there)} messages are on the server, where all were to stay")
    if not stage.scene.story.keeps and there:
        wrong.append(f"{len(there)} messages are still on the server")
    return wrong


EXPECTED = {message(i, LINES).encode() for i in range(MESSAGES)}


def is_late(fault: Fault, scene: Scene) -> bool:
    """Whether calls count from the account's lock on, as up to there it is as in another scene."""
    usual = (scene.target, scene.way) == ("maildir", "plain")
    return scene.story.late or (not usual and fault.call in USUAL)


def run_faulted(stage: Stage, fault: Fault, n: int) -> tuple[subprocess.CompletedProcess, bool, int]:
    """The run with the fault: how it ended, whether the fault happened, how many allocations were left.
    A resolver's thread may still be letting go of its own when the program ends: what leaks, leaks
    each time."""
    alive = []
    for _ in range(20):
        stage.reset()
        late = {"FAULT_SESSION": "yes"} if is_late(fault, stage.scene) else {}
        done = stage.run(LD_PRELOAD=SHIM, FAULT_CALL=fault.call, FAULT_NTH=str(n), **late,
                         FAULT_ERRNO=str(fault.error), FAULT_REPORT=str(stage.report))  # fmt: skip
        stage.settle()
        hit, left = True, 0
        if stage.report.exists() and stage.report.stat().st_size > 0:
            words = stage.report.read_text().split()
            hit, left = words[1] == "1", int(words[2])
        alive.append(left)
        if left == 0:
            break
    return done, hit, min(alive)


def play(stage: Stage, fault: Fault, n: int) -> tuple[bool, list[str]]:
    """One trial: whether the fault happened, and what is wrong."""
    try:
        done, hit, alive = run_faulted(stage, fault, n)
        wrong = judge_faulted(stage, fault, done, alive)
        done_next = stage.run()
        stage.settle()
        wrong += judge_next(stage, fault, done_next)
    except subprocess.TimeoutExpired:
        return True, ["it hangs"]
    said = done.stderr.decode("utf-8", "replace").strip()
    return hit, [f"{n}: {line} (status {done.returncode}: {said})" for line in wrong]


def stride_of(fault: Fault, scene: Scene) -> int:
    chosen = os.environ.get("FAULT_STRIDE")
    if chosen is not None:
        return min(int(chosen), fault.stride)
    # Over TLS, and to the other targets, less of what there is much of: most of it is the same.
    return fault.stride * (7 if fault.stride > 1 and (scene.target, scene.way) != ("maildir", "plain") else 1)


def works(stage: Stage, fault: Fault) -> bool:
    """Whether the preloaded library is at work: a run in which nothing fails, and its report."""
    _, hit, alive = run_faulted(stage, fault, 0)
    return stage.report.exists() and stage.report.stat().st_size > 0 and not hit and alive == 0


def perform(fault: Fault, scene: Scene, folder: Path, certs: Path) -> tuple[int, list[str]]:
    """All trials of one fault in one scene: how many, and what is wrong."""
    stage = Stage(folder, scene, certs)
    trials, wrong = 0, []
    step = stride_of(fault, scene)
    try:
        stage.begin()
        if not works(stage, fault):
            return 0, ["nothing can be made to fail: the library is not loaded"]
        n = 1
        while len(wrong) < 20:
            hit, complaints = play(stage, fault, n)
            wrong += complaints
            if not hit:
                break
            trials += 1
            n += step
        if trials == 0:
            wrong.append("it never came to such a call")
    finally:
        stage.stop()
        shutil.rmtree(folder)
    return trials, wrong


def main() -> int:
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    work = [(f, Scene(t, w, FIRST)) for f in FAULTS for t in f.targets.split() for w in f.ways.split()
            if t == "maildir" or w == "plain"]  # fmt: skip
    work += [(f, Scene("maildir", "plain", story)) for story in STORIES for f in STORY_FAULTS]
    work += [(f, Scene("maildir", "plain", story)) for story in STORIES if story.before is killed for f in CRASH_FAULTS]
    work = [(f, scene) for f, scene in work if only in f"{f}, {scene}"]
    shared = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    print(f"1..{len(work)}", flush=True)
    total = failed = 0
    with tempfile.TemporaryDirectory(prefix="pop3-faults-", dir=shared) as name, ThreadPoolExecutor(3) as pool:
        folder = Path(name)
        certs = certificates(folder / "certificates")

        def one(at: int) -> tuple[int, list[str]]:
            return perform(*work[at], folder / str(at), certs)

        for i, ((fault, scene), (trials, wrong)) in enumerate(zip(work, pool.map(one, range(len(work)))), 1):
            total += trials
            failed += bool(wrong)
            print(f"{'not ok' if wrong else 'ok'} {i} - {fault}, {scene}: {trials} sessions")
            for line in wrong[:12]:
                print(f"# {line}")
            sys.stdout.flush()
    print(f"# {total} sessions in which something failed, {failed} of {len(work)} kinds not as they should be")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main())
