"""Every subcommand on kernels without Landlock or with an old one, and on those of containers that refuse
seccomp(2), landlock_*(2), prctl(2) or madvise(2): it works, and says how far its sandbox goes."""

import os
import re
import subprocess

import pytest
from test_setup import DNS_COMMAND
from world import BUILD, COMMAND, DEADLINE

OTHER_KERNEL = os.environ.get("POP3_OTHER_KERNEL", str(BUILD / "tests/sync/other-kernel"))
LANDLOCK = ("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self")
NEWEST = 7  # versions after it only add to it

# What a kernel refuses, and what the report then says, where that does not depend on the kernel beneath.
KERNELS = {
    "this one": ([], ""),
    **{f"landlock {n}": ([f"landlock={n}"], "") for n in range(2, NEWEST + 3)},
    "landlock 1": (["landlock=1"], "not files (this kernel has no Landlock, or an old one)"),
    **{f"landlock {error}": ([f"{call}={error}" for call in LANDLOCK],
                             "not files (this kernel has no Landlock, or an old one)")
       for error in ("EPERM", "ENOSYS", "EOPNOTSUPP")},
    **{f"{call} {error}": ([f"{call}={error}"], "not files (")
       for call in LANDLOCK[1:] for error in ("EPERM", "ENOSYS")},
    **{f"seccomp {error}": ([f"seccomp={error}"], "not system calls (")
       for error in ("EPERM", "ENOSYS")},
    **{f"{call} {error}": ([f"{call}={error}"], "")
       for call in ("prctl", "madvise", "getrandom", "renameat2")
       for error in ("EPERM", "ENOSYS")},
    "nothing": ([f"{call}=EPERM" for call in (*LANDLOCK, "seccomp", "prctl", "madvise")],
                "restricted: not files (this kernel has no Landlock, or an old one), not system calls ("),
}  # fmt: skip

# Calls without which a run cannot do its work, and says so.
FATAL = {"getrandom EPERM", "getrandom ENOSYS"}

# The other subcommands are below; authorize and token in tests/token.
SUBCOMMANDS = [
    ("stat",), ("list",), ("headers", 1), ("uidl",), ("cat", 1), ("top", 1), ("rm", 12), ("capa",),
    ("doctor",), ("shell",),
]  # fmt: skip


def works(name):
    """Whether a filter of that kind can be made here: Landlock's version is told by a second process."""
    words = [OTHER_KERNEL, *KERNELS[name][0], "--", "true"]
    return subprocess.run(words, check=False, stderr=subprocess.DEVNULL).returncode == 0


def run(kernel, words, **how):
    done = subprocess.run([OTHER_KERNEL, *KERNELS[kernel][0], "--", *words], capture_output=True, text=True,
                          timeout=DEADLINE, check=False, **how)  # fmt: skip
    assert done.returncode >= 0, done  # no signal
    return done


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_subcommand_works_on(kernel, mailbox):
    if not works(kernel):
        pytest.skip("such a filter cannot be made here")
    env = mailbox.world.environment()
    for name, *arguments in SUBCOMMANDS:
        done = run(kernel, mailbox.words(name, *arguments, "--verbose"), env=env, input="quit\n")
        assert done.returncode == 0, done
        said = done.stdout + done.stderr
        assert KERNELS[kernel][1] in said and "sandbox" in said, done
    accounts = mailbox.world.path / "accounts"
    accounts.write_text(f"[a]\nurl = {mailbox.url}\nlmtp = unix:{mailbox.world.path}/lmtp\nrecipient = a@example.org\n")
    retry = ["retry", "--config", str(accounts), "--state", str(mailbox.world.state)]
    for words in (["help"], ["--version"], retry):
        done = run(kernel, [COMMAND, *words], env=env)
        if words == retry and kernel in FATAL:
            assert done.returncode != 0 and re.search(r"^pop3: .*: .*getrandom\(2\)", done.stderr), done
        else:
            assert done.returncode == 0, done
    records = env | {"POP3_TEST_DNS": "_pop3s._tcp.example.org 0 1 995 pop.example.org"}
    assert run(kernel, [DNS_COMMAND, "setup", "ann@example.org"], env=records).returncode == 0


@pytest.mark.parametrize("target", ["--maildir", "--mbox", "--command"])
@pytest.mark.parametrize("kernel", KERNELS)
def test_mail_is_delivered_on(kernel, target, world):
    if not works(kernel):
        pytest.skip("such a filter cannot be made here")
    out = world.path / "out"
    where = f"cat >>{out}" if target == "--command" else out
    world.fill(3)
    with world.server() as server:
        words = [COMMAND, "sync", f"pop3://user@127.0.0.1:{server.port}", "--allow-plaintext", "--verbose",
                 "--state", world.state, "--password-file", world.password_file, target, where]  # fmt: skip
        done = run(kernel, [str(word) for word in words], env=world.environment())
    if kernel in FATAL:
        assert done.returncode != 0 and re.search("^pop3: .*: .*", done.stderr), done
        return
    assert done.returncode == 0 and KERNELS[kernel][1] in done.stderr, done
    text = (b"".join(file.read_bytes() for file in (out / "new").iterdir()) if target == "--maildir"
            else out.read_bytes())  # fmt: skip
    assert text.count(b"\nMessage-ID:") == 3 or text.count(b"\nSubject:") == 3


def test_doctor_says_that_an_old_landlock_leaves_something(mailbox):
    if not works("landlock 2"):
        pytest.skip("such a filter cannot be made here")
    done = run("landlock 2", mailbox.words("doctor"), env=mailbox.world.environment())
    assert re.search(r"^note +sandbox +restricted: files but for their truncation \(Landlock 2\), ",
                     done.stdout, re.MULTILINE), done  # fmt: skip


