"""What the process of the command gives away, and what it may do: seen from outside."""

import base64
import errno
import os
import re
import resource
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from held import held
from subcommands import Mailbox
from world import BUILD, COMMAND, CRASH_COMMAND, DEADLINE, message

UNLIMITED = resource.RLIM_INFINITY
TAKEN_OVER = os.environ.get("POP3_TAKEN_OVER_LIBRARY", str(BUILD / "tests/sync/libtaken-over.so"))


def abort(process):
    """Makes it die as by a bug. Returns whether the kernel wrote a core."""
    os.kill(process.pid, signal.SIGABRT)
    _, status = os.waitpid(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGABRT
    return os.WCOREDUMP(status)


@pytest.fixture
def cores():
    """Cores are allowed: else there is nothing to keep back."""
    before = resource.getrlimit(resource.RLIMIT_CORE)
    if before[1] == 0:
        pytest.skip("the hard limit of this process forbids cores")
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_CORE, before)


def test_a_process_that_holds_a_password_leaves_no_core(world, cores):
    with held(world, "--no-sandbox") as process:
        assert resource.prlimit(process.pid, resource.RLIMIT_CORE)[0] == 0
        assert not abort(process)
    assert not list(world.path.glob("core*"))


def test_it_leaves_none_when_the_limit_is_lifted_from_outside(world, cores):
    """As where cores go through a pipe, which does not heed the limit."""
    with held(world, "--no-sandbox") as process:
        resource.prlimit(process.pid, resource.RLIMIT_CORE, (UNLIMITED, UNLIMITED))
        assert not abort(process)
    assert not list(world.path.glob("core*"))


def test_it_leaves_one_where_that_is_asked_for(world, cores):
    """Shows that the two tests above can fail."""
    with held(world, "--no-sandbox", POP3_CORE_DUMPS="yes") as process:
        if not abort(process):
            pytest.skip("no program leaves a core here (its sanitizer, or core_pattern)")
    for core in world.path.glob("core*"):
        core.unlink()


@pytest.fixture
def apart(world):
    """The state has a folder of its own, so that what is beside it is not open too."""
    world.state = world.path / "state" / "state.db"
    world.state.parent.mkdir()
    return world


def confinement(pid):
    """What the kernel says of it: (whether it may gain rights, whether its system calls are filtered)."""
    text = Path(f"/proc/{pid}/status").read_text()
    return re.search(r"NoNewPrivs:\t(\d)", text)[1], re.search(r"Seccomp:\t(\d)", text)[1]


def test_a_session_is_in_the_sandbox(world):
    with held(world) as process:
        assert confinement(process.pid) == ("1", "2")


def test_an_option_switches_it_off(world):
    with held(world, "--no-sandbox") as process:
        assert confinement(process.pid) == confinement("self")


def test_so_does_the_configuration(world):
    with held(world, config="sandbox = no") as process:
        assert confinement(process.pid) == confinement("self")
    with held(world, config="sandbox = yes") as process:
        assert confinement(process.pid) == ("1", "2")


def test_but_not_by_mistake(world):
    config = world.path / "config"
    config.write_text("sandbox = maybe\n[a]\nurl = pop3s://a@localhost\n")
    done = subprocess.run([COMMAND, "stat", "a", "--config", str(config)], env=world.environment(),
                          capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
    assert done.returncode == 78
    assert f"{config}:1: sandbox: \"maybe\" cannot be used; expected: yes or no" in done.stderr


def test_what_holds_is_told(world):
    world.fill(1)
    with world.server() as server:
        said = world.sync(server.port, "-v")
        assert re.search(r"^pop3: sandbox: restricted: .*system calls \((seccomp|built without libseccomp)\)$", said, re.MULTILINE)
        assert "pop3: sandbox: off" in world.sync(server.port, "-v", "--no-sandbox")
        assert "sandbox" not in world.sync(server.port)
        done = subprocess.run(
            [COMMAND, "doctor", f"pop3://user@127.0.0.1:{server.port}", "--allow-plaintext",
             "--password-file", str(world.password_file)],
            env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
        assert re.search(r"^(ok  |note) +sandbox +restricted: ", done.stdout, re.MULTILINE)


def test_authorities_in_a_folder_of_links_are_found(apart, certs):
    """OpenSSL opens them when it needs them: in the sandbox."""
    folder, elsewhere = apart.path / "authorities", apart.path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (elsewhere / "ca.pem").write_bytes((certs / "ca.pem").read_bytes())
    digest = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", str(certs / "ca.pem")],
                            capture_output=True, text=True, check=True).stdout.strip()  # fmt: skip
    (folder / f"{digest}.0").symlink_to("../elsewhere/ca.pem")
    apart.fill(3)
    with apart.server("--tls", "--cert", certs / "good.pem", "--key", certs / "good.key") as server:
        subprocess.run(
            [COMMAND, "sync", f"pop3s://user@localhost:{server.tls_port}", "--ca-dir", str(folder),
             "--maildir", str(apart.maildir), "--state", str(apart.state),
             "--password-file", str(apart.password_file)],
            env=apart.environment(), check=True, timeout=DEADLINE)  # fmt: skip
    assert apart.delivered() == apart.on_server()


def test_a_password_can_come_from_a_pipe(apart):
    apart.fill(2)
    reading, writing = os.pipe()
    os.write(writing, b"secret\n")
    os.close(writing)
    with apart.server("--password", "secret") as server:
        words = apart.sync_command(server.port)
        words[words.index("--password-file") + 1] = f"/dev/fd/{reading}"
        subprocess.run(words, env=apart.environment(), check=True, pass_fds=[reading],
                       timeout=DEADLINE)  # fmt: skip
    os.close(reading)
    assert len(apart.delivered()) == 2


def test_what_is_left_at_an_old_target_is_settled(apart):
    """A crash after messages got their names; then the account is told to deliver elsewhere."""
    apart.fill(4)
    elsewhere = apart.path / "Elsewhere"
    with apart.server() as server:
        env = apart.environment(POP3_TEST_CRASH_AT="folder-synced")
        died = subprocess.run(apart.sync_command(server.port, command=CRASH_COMMAND), env=env,
                              stderr=subprocess.DEVNULL, timeout=DEADLINE)  # fmt: skip
        assert died.returncode == -signal.SIGKILL
        apart.put("000004", message(4))
        server.settle()
        words = apart.sync_command(server.port)
        words[words.index("--maildir") + 1] = str(elsewhere)
        subprocess.run(words, env=apart.environment(), check=True, timeout=DEADLINE)
    assert len(apart.delivered()) == 4
    assert len(apart.delivered(elsewhere)) == 1


def test_a_password_file_that_is_replaced_is_read_by_a_process_that_stays(apart):
    apart.fill(1)
    with apart.server() as server:
        words = apart.sync_command(server.port, "--every", "20ms", "--quiet")
        process = subprocess.Popen(words, env=apart.environment())
        try:
            server.wait_for(r" C: QUIT$")
            another = apart.path / "another"
            another.write_text("renewed\n")
            another.chmod(0o600)
            another.rename(apart.password_file)
            apart.put("000001", message(1))
            plain = base64.b64encode(b"\0user\0renewed").decode()
            server.wait_for(rf" C: .*{re.escape(plain)}$")
            server.wait_for(r" C: RETR 2$")
            server.wait_for(r" C: QUIT$", server.count(r" C: QUIT$") + 1)
            process.terminate()
            assert process.wait(DEADLINE) == 0
        finally:
            process.kill()
            process.wait(DEADLINE)
    assert len(apart.delivered()) == 2


def is_anybody_left(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_no_process_is_left_of_a_run_that_runs_commands(world):
    world.fill(3)
    with world.server() as server:
        words = world.sync_command(server.port)
        at = words.index("--password-file")
        words[at : at + 2] = ["--password-command", "echo secret", "--filter", "cat >/dev/null"]
        process = subprocess.Popen(words, env=world.environment(), start_new_session=True)
        assert process.wait(DEADLINE) == 0
        assert not is_anybody_left(process.pid)
    assert len(world.delivered()) == 3


def test_nor_of_one_that_is_killed(world):
    with held(world, "--password-command", "echo secret") as process:
        assert len(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()) == 1
        process.kill()
        process.wait(DEADLINE)
        deadline = time.monotonic() + DEADLINE
        while is_anybody_left(process.pid) and time.monotonic() < deadline:
            os.sched_yield()
        assert not is_anybody_left(process.pid)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_nothing_that_is_printed_goes_to_the_server_when_descriptors_were_closed(world, closed):
    world.fill(1)
    more = ["--maildir", world.maildir, "--state", world.state]
    commands = [["list"], ["list", "--trace", "--verbose"], ["cat", "1"], ["cat", "9"], ["capa", "--json"], ["doctor"],
                ["shell"], ["sync", *more], ["sync", "--json", "--trace", *more]]  # fmt: skip
    with world.server() as server:
        mailbox = Mailbox(world, server)
        for name, *rest in commands:
            words = mailbox.words(name, *rest)
            done = subprocess.run(["sh", "-c", f'exec "$0" "$@" {closed}', *words], env=world.environment(),
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE)  # fmt: skip
            if name in ("list", "cat", "capa", "doctor") and rest != ["9"]:
                assert done.returncode == (74 if ">&-" in closed.split() else 0), (name, rest, done)
        asked = {line.split()[0] for line in server.commands(r"\S*")}
    known = {"CAPA", "UTF8", "USER", "PASS", "AUTH", "STAT", "LIST", "UIDL", "TOP", "RETR", "NOOP", "QUIT"}
    assert asked <= known and {"LIST", "RETR", "QUIT"} <= asked, asked


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_the_parent_had_blocked_ends_a_run(world, number):
    with world.server() as server:
        process = subprocess.Popen(
            world.sync_command(server.port, "--every", "1h", "--quiet"), env=world.environment(),
            preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT}))  # fmt: skip
        try:
            server.wait_for(r" C: QUIT$")
            process.send_signal(number)
            assert process.wait(DEADLINE) == 0
        finally:
            process.kill()
            process.wait(DEADLINE)


def kill_second_process(process):
    second = int(Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())
    os.kill(second, signal.SIGKILL)


@pytest.mark.parametrize("every", ["1h", "1ms"])
def test_a_run_whose_second_process_is_killed_ends_and_says_so(world, every):
    """It could neither connect nor open files, and a supervisor would believe that it works."""
    with world.server() as server:
        process = subprocess.Popen(world.sync_command(server.port, "--every", every, "--quiet"), env=world.environment(),
                                   stderr=subprocess.PIPE, text=True)  # fmt: skip
        try:
            server.wait_for(r" C: QUIT$")
            kill_second_process(process)
            _, said = process.communicate(timeout=DEADLINE)
        finally:
            process.kill()
    assert process.returncode == 71
    assert "the second process of the sandbox has ended" in said


def test_so_does_one_that_is_in_a_session(world):
    with socket.create_server(("127.0.0.1", 0)) as server:
        process = subprocess.Popen(world.sync_command(server.getsockname()[1]), env=world.environment(),
                                   stderr=subprocess.PIPE, text=True)  # fmt: skip
        try:
            connection, _ = server.accept()
            kill_second_process(process)
            connection.close()
            _, said = process.communicate(timeout=DEADLINE)
        finally:
            process.kill()
    assert process.returncode == 71
    assert "the second process of the sandbox has ended" in said


@pytest.mark.parametrize("options", [[], ["--every", "1h"], ["mbox"]], ids=["once", "every", "mbox"])
def test_code_inside_a_run_gets_no_further_than_the_sandbox(apart, options):
    """taken_over.c is loaded into the command itself, and makes its attempts when a server has answered."""
    key = apart.path / ".ssh/id_ed25519"
    key.parent.mkdir()
    key.write_text("a key\n")
    apart.fill(1)
    outcomes = apart.path / "outcomes"
    refused = [key, apart.path / ".profile", "/etc/passwd", "/etc/shadow", "/proc/1/environ"]
    refused[1].touch()
    env = apart.environment(
        POP3_TAKEN_OVER=str(outcomes), POP3_ATTEMPTS=":".join(map(str, [apart.password_file, *refused])),
        LD_PRELOAD=" ".join([*os.environ.get("LD_PRELOAD", "").split(), TAKEN_OVER]),
        ASAN_OPTIONS=":".join([*os.environ.get("ASAN_OPTIONS", "").split(), "verify_asan_link_order=0"]))  # fmt: skip
    with apart.server() as server:
        words = apart.sync_command(server.port, "--verbose", *(options if options != ["mbox"] else []))
        if options == ["mbox"]:
            at = words.index("--maildir")
            words[at : at + 2] = ["--mbox", str(apart.path / "box")]
        process = subprocess.Popen(words, env=env, stderr=subprocess.PIPE, text=True)
        server.wait_for(r" C: QUIT$")
        process.terminate()
        _, said = process.communicate(timeout=DEADLINE)
    if "sandbox: restricted: files" not in said or "not system calls" in said:
        pytest.skip("this kernel has no whole sandbox")
    found = dict(line.rsplit(": ", 1) for line in outcomes.read_text().splitlines())
    assert found.pop(f"read {apart.password_file}") == "0"  # what a run needs, so does its attacker get
    assert len(found) == 2 * len(refused) + 1 + 13
    assert {name: code for name, code in found.items() if int(code) not in (errno.EACCES, errno.EPERM, errno.ENOSYS)} == {}
    assert apart.on_server()
