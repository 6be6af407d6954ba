"""The other subcommands, the configuration, secrets, URLs: what a person sees."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from subcommands import Mailbox, all_subcommands
from world import COMMAND, DEADLINE, ROOT

EXAMPLES = ROOT / "examples/mail"


def test_stat_counts(mailbox):
    assert re.fullmatch(r"12 messages, 1\d\.\d KB\n", mailbox.run("stat"))
    assert json.loads(mailbox.run("stat", "--json"))["messages"] == 12


def test_capa_shows_what_is_announced(mailbox):
    assert "UIDL\n" in mailbox.run("capa")
    assert "PIPELINING" in json.loads(mailbox.run("capa", "--json"))


def test_uidl_shows_unique_ids(mailbox):
    assert mailbox.run("uidl", 1) == "1 2026-11-02-hike-1.eml\n"
    assert len(mailbox.run("uidl").splitlines()) == 12
    assert json.loads(mailbox.run("uidl", 2, "--json")) == {
        "number": 2, "uid": "2026-11-03-hike-2.eml"}  # fmt: skip


def test_a_table_fits_the_terminal_and_decodes_what_is_encoded(mailbox):
    lines = mailbox.terminal("list", columns=72).splitlines()
    assert lines[0].split() == ["No.", "Size", "Date", "From", "Subject"]
    assert len(lines) == 13
    assert "Zoé Lefèvre" in lines[7] and "…" in lines[7]
    assert "田中 由美" in lines[8]
    wide = {"W", "F"}
    import unicodedata

    for line in lines:
        assert sum(2 if unicodedata.east_asian_width(c) in wide else 1 for c in line) <= 72


def test_a_table_is_not_cut_when_it_is_not_shown_on_a_terminal(mailbox):
    text = mailbox.run("list")
    assert "Café d'hiver : le goûter des voisins déménage\n" in text
    assert mailbox.run("list", "3-4").count("\n") == 2


def test_a_table_for_programs(mailbox):
    events = [json.loads(line) for line in mailbox.run("list", "--json", 8).splitlines()]
    assert events[0]["number"] == 8 and events[0]["subject"].startswith("京都からの")
    fields = json.loads(mailbox.run("headers", "--json", 8))["fields"]
    assert ["MIME-Version", "1.0"] in fields


def test_header_fields_cannot_command_the_terminal(mailbox):
    mailbox.world.put("z", b"Subject: =?utf-8?B?" + b"G1szMW1yZWQHG10wO293bmVkBw==" + b"?=\r\n"
                      b"From: a\x1b]0;x\x07b\r\n\r\n")  # fmt: skip
    shown = mailbox.terminal("list", 13)
    assert "\x1b" not in shown and "\x07" not in shown
    assert "[31mred" in shown


def test_headers_shows_every_field_when_asked(mailbox):
    text = mailbox.run("headers", "--verbose", 3)
    assert text.startswith("message 3, 854 octets\n")
    assert "\nMessage-ID: <20261103192201.hike3@example.org>\n" in text


def test_cat_and_top_give_messages_as_they_are(mailbox):
    whole = (EXAMPLES / "2026-11-02-hike-1.eml").read_bytes().replace(b"\r\n", b"\n")
    done = subprocess.run(mailbox.words("cat", 1), env=mailbox.world.environment(), capture_output=True)
    assert done.stdout.replace(b"\r\n", b"\n") == whole
    assert mailbox.run("top", 1).endswith("\n\n")
    assert mailbox.run("top", 1, "--lines", 1).endswith("Hi both,\n")


def test_rm_deletes_all_that_are_named_or_none(mailbox):
    assert mailbox.run("rm", "2-3") == "2 messages deleted\n"
    assert len(mailbox.world.on_server()) == 10
    assert "is not a message number" in mailbox.run("rm", 1, 99, status=64)
    assert len(mailbox.world.on_server()) == 10


def test_rm_deletes_nothing_when_that_is_only_to_be_shown(mailbox):
    assert mailbox.run("rm", "--dry-run", "2-3") == "2 messages would be deleted\n"
    assert "is not a message number" in mailbox.run("rm", "-n", 99, status=64)
    assert len(mailbox.world.on_server()) == 12
    assert not mailbox.server.commands("DELE")


def test_rm_deletes_a_message_once_however_often_it_is_named(mailbox):
    assert mailbox.run("rm", 3, "2-4", 3) == "3 messages deleted\n"
    assert len(mailbox.world.on_server()) == 9


def test_ranges_may_overlap_and_have_no_end(mailbox):
    assert mailbox.run("rm", "--dry-run", "9-", "3-5", "11-", 4, "5-6") == "8 messages would be deleted\n"
    assert mailbox.run("uidl", "12-", 1, "11-").split()[::2] == ["12", "1", "11", "12"]
    assert "3-99 is not a message number" in mailbox.run("rm", "--dry-run", "1-5", "3-99", status=64)
    assert "13- is not a message number" in mailbox.run("cat", "13-", status=64)
    assert "5-3 is not a message number; give" in mailbox.run("list", "5-3", status=64)


@pytest.mark.parametrize(("name", "option"), [
    ("shell", "--dry-run"), ("shell", "--json"), ("cat", "--json"), ("top", "--json"), ("rm", "--json"),
    ("doctor", "--json"), ("setup", "--json")])  # fmt: skip
def test_a_promise_that_a_command_does_not_keep_is_a_mistake(mailbox, name, option):
    assert f"{option}: {name} " in mailbox.run(name, option, status=64, stdin="dele 1\nquit\n")
    assert len(mailbox.world.on_server()) == 12


def test_doctor_says_what_is_there_and_what_to_configure(mailbox):
    text = mailbox.run("doctor")
    assert "no TLS" in text and "UIDL           works, and all are different" in text
    assert "PIPELINING     works" in text
    assert "[user]\nhost = 127.0.0.1\n" in text


def test_doctor_explains_a_certificate(world, certs):
    with world.server("--tls", "--cert", certs / "expired.pem", "--key", certs / "expired.key") as server:
        done = subprocess.run(
            [COMMAND, "doctor", f"pop3s://user@localhost:{server.tls_port}", "--ca-file",
             str(certs / "ca.pem")], env=world.environment(), capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 69
    assert re.search(r"BAD  certificate .*expired", done.stdout)
    assert "check this machine's clock" in done.stdout


def test_the_shell_reads_commands_and_deletes_only_at_quit(mailbox):
    text = mailbox.run("shell", stdin="stat\ndele 1\nfoo\ndele\n")
    assert "+OK 12 " in text and "There is no such command" in text
    assert len(mailbox.world.on_server()) == 12
    mailbox.run("shell", stdin="dele 1\nquit\n")
    assert len(mailbox.world.on_server()) == 11


def test_the_shell_completes_and_remembers_lines_on_a_terminal(mailbox):
    shown = mailbox.terminal("shell", typed=[
        ("pop3> ", "st\t\n"), (r"\+OK 12 .*pop3> ", "\x1b[A\n"), (r"\+OK 12 .*pop3> ", "qu\t\n")])  # fmt: skip
    assert len(mailbox.server.commands("STAT")) == 2
    assert "+OK 12 " in shown


def test_progress_is_shown_on_a_terminal_and_goes_away(mailbox):
    world = mailbox.world
    shown = mailbox.terminal("sync", "--maildir", world.maildir, "--state", world.state)
    assert "12 of 12 messages" in shown
    assert re.search(r"12 new messages \(.*\) delivered; 12 on the server\n$", shown)
    assert len(world.delivered()) == 12


def test_a_password_is_asked_for_on_the_terminal_and_not_shown(mailbox):
    mailbox.words = lambda name, *args: [COMMAND, name, mailbox.url, "--allow-plaintext"]
    shown = mailbox.terminal("stat", typed=[("Password for user@", "s3cret\n")])
    assert "12 messages" in shown and "s3cret" not in shown


@pytest.mark.parametrize("end", ["s3cr\x03", signal.SIGTERM, signal.SIGHUP])
def test_a_question_that_is_interrupted_leaves_the_terminal_as_it_was(mailbox, end):
    mailbox.words = lambda name, *args: [COMMAND, name, mailbox.url, "--allow-plaintext"]
    status = -signal.SIGINT if isinstance(end, str) else -end
    shown = mailbox.terminal("stat", typed=[("Password for user@.*: ", end)], status=status)
    assert "s3cr" not in shown


# A shell with job control, of one job, which it continues when it was stopped.
SHELL = """
import os, signal, sys, termios
job = os.fork()
if job == 0:
    os.setpgid(0, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.argv[1], sys.argv[1:])
os.waitpid(job, os.WUNTRACED)
print("stopped,", "echo" if termios.tcgetattr(0)[3] & termios.ECHO else "silent", flush=True)
os.kill(job, signal.SIGCONT)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(job, 0)[1]))
"""


def test_the_terminal_echoes_while_a_question_is_stopped(mailbox):
    mailbox.words = lambda name, *args: [sys.executable, "-c", SHELL, COMMAND, name, mailbox.url, "--allow-plaintext"]
    question = "Password for user@.*: "
    shown = mailbox.terminal("stat", typed=[
        (question, lambda fd: os.killpg(os.tcgetpgrp(fd), signal.SIGTSTP)), (f"stopped, echo.*{question}", "s3cret\n")])  # fmt: skip
    assert "12 messages" in shown and "s3cret" not in shown


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_that_waits_for_a_password(mailbox, number):
    world = mailbox.world
    mailbox.words = lambda name, *args: [COMMAND, name, mailbox.url, "--allow-plaintext", "--maildir",
                                         str(world.maildir), "--state", str(world.state)]  # fmt: skip
    mailbox.terminal("sync", typed=[("Password for .*@.*: ", number)], status=75)
    assert not world.delivered()


def test_an_interruption_ends_the_questions_for_all_accounts(mailbox):
    world = mailbox.world
    other = mailbox.url.replace("user", "other")
    mailbox.words = lambda name, *args: [COMMAND, name, mailbox.url, other, "--allow-plaintext", "--maildir",
                                         str(world.maildir), "--state", str(world.state)]  # fmt: skip
    shown = mailbox.terminal("sync", typed=[("Password for .*@.*: ", "\x03")], status=75)
    assert shown.count("Password for") == 1
    assert not world.delivered()


# ---- mistakes ----


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        ([], 64, "pop3 sync"),
        (["snyc"], 64, "unknown command snyc"),
        (["stat"], 64, "a URL or an account is missing"),
        (["stat", "--pasword-file", "x"], 64, "perhaps --password-file"),
        (["stat", "pop3s://user@/"], 64, "reading the URL"),
        (["stat", "pop3s://us%0aer@host/"], 64, "reading the URL"),
        (["stat", "pop3s://host/"], 78, "no user is given"),
        (["sync", "pop3s://u@host/"], 78, "no target is given"),
        (["sync", "pop3s://u@host/", "--maildir", "a", "--mbox", "b"], 64, "more than one target"),
        (["sync", "pop3s://u@host/", "--max-size", "50X"], 64, "a size such as 50M"),
        (["stat", "pop3s://u@host/", "--password", "x"], 64, "would show the password"),
        (["stat", "work"], 78, "there is no configuration file"),
        (["stat", "ann@example.org"], 78, "name the server by its URL, pop3s://USER@HOST/"),
        (["lst", "work"], 64, "unknown command lst, perhaps list"),
        (["colect", "work"], 64, "unknown command colect; `pop3 help` lists them"),
        (["sync", "pop3s://u@host/", "--maildir", "a", "--jobs", "0"], 64, "a number from 1"),
    ],
)  # fmt: skip
def test_a_mistake_is_explained(world, words, status, told):
    done = subprocess.run([COMMAND, *words], env=world.environment(), capture_output=True, text=True,
                          timeout=DEADLINE)  # fmt: skip
    assert done.returncode == status, done
    assert told in done.stderr


def test_pop3_without_s_asks_for_stls_and_never_falls_back(world):
    with world.server() as server:
        done = subprocess.run(
            [COMMAND, "stat", f"pop3://user@127.0.0.1:{server.port}", "--password-file",
             str(world.password_file)], env=world.environment(), capture_output=True, text=True)  # fmt: skip
        assert done.returncode == 69 and "does not announce STLS" in done.stderr
        assert server.commands("USER") == server.commands("AUTH") == []


def test_stls_protects_the_session(world, certs):
    with world.server("--cert", certs / "good.pem", "--key", certs / "good.key") as server:
        done = subprocess.run(
            [COMMAND, "stat", f"pop3://user@localhost:{server.port}", "--ca-file",
             str(certs / "ca.pem"), "--password-file", str(world.password_file)],
            env=world.environment(), capture_output=True, text=True)  # fmt: skip
        assert done.returncode == 0, done.stderr
        server.wait_for(r"tls TLSv1\.[23] sni=localhost")


# ---- the configuration ----


def configure(world, text, mode=0o600):
    path = world.path / "config/pop3/config"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def run_sync(world, *words, status=0):
    done = subprocess.run([COMMAND, "sync", *words], env=world.environment(), capture_output=True,
                          text=True, timeout=DEADLINE)  # fmt: skip
    assert done.returncode == status, done
    return done.stdout + done.stderr


def test_accounts_come_from_the_configuration_with_defaults_and_inheritance(world):
    world.fill(2)
    with world.server("--password", "right") as server:
        configure(world, f"""
# at the top: for all accounts
host = 127.0.0.1
port = {server.port}
tls = none
allow-plaintext = yes
password-command = printf 'right\\n'
maildir = {world.path}/Default

[work]
user = ann
maildir = {world.path}/Work

[home]
inherit = work
user = bob
mbox = {world.path}/home.mbox

[plain]
url = pop3://cem@127.0.0.1:{server.port}/
""")
        text = run_sync(world)
    assert len(re.findall("2 new messages", text)) == 3
    assert len(world.delivered(world.path / "Work")) == 2
    assert (world.path / "home.mbox").read_text().count("\nSubject: number") == 2
    assert len(world.delivered(world.path / "Default")) == 2
    assert (world.path / ".local/state/pop3/state.db").exists()


def test_some_accounts_are_chosen_by_name(world):
    world.fill(1)
    with world.server() as server:
        configure(world, f"host = 127.0.0.1\nport = {server.port}\ntls = none\nallow-plaintext = yes\n"
                  f"password = x\n[a]\nuser = a\nmaildir = {world.path}/A\n"
                  f"[b]\nuser = b\nmaildir = {world.path}/B\n")  # fmt: skip
        run_sync(world, "b")
        assert not (world.path / "A").exists()
        assert len(world.delivered(world.path / "B")) == 1
        assert "perhaps you mean" not in run_sync(world, "zzzzzz", status=64)
        assert "there is no account" in run_sync(world, "c", status=64)


def test_mistakes_in_the_configuration_are_told_with_file_line_and_nearest_name(world):
    path = configure(world, "maildirr = x\n\n[a]\nuser = u\nmax-size = big\ntls = maybe\njobs = 3\n")
    text = run_sync(world, status=78)
    assert f"{path}:1: there is no setting maildirr; perhaps you mean \"maildir\"" in text
    assert f"{path}:5: max-size: \"big\" cannot be used; expected: a size such as 50M" in text
    assert f"{path}:6: tls: \"maybe\" cannot be used; expected: tls, stls or none" in text
    assert f"{path}:7: this belongs at the top" in text
    assert "4 errors" in text


def test_a_configuration_with_a_password_that_others_can_read_is_refused(world):
    path = configure(world, "[a]\nhost = 127.0.0.1\nuser = u\npassword = x\nmaildir = m\n", 0o644)
    assert f"chmod 600 {path}" in run_sync(world, status=78)


def test_one_account_that_cannot_be_used_does_not_keep_the_others(world):
    world.fill(1)
    with world.server() as server:
        configure(world, f"host = 127.0.0.1\nport = {server.port}\ntls = none\nallow-plaintext = yes\n"
                  f"password = x\n[a]\nuser = a\n"
                  f"[b]\nuser = b\nmaildir = {world.path}/B\n")  # fmt: skip
        text = run_sync(world, status=78)
    assert "pop3: a: no target is given" in text
    assert len(world.delivered(world.path / "B")) == 1


# ---- secrets ----


def stat_with(world, server, *words, status=0, **env):
    done = subprocess.run(
        [COMMAND, "stat", f"pop3://user@127.0.0.1:{server.port}", "--allow-plaintext", *words],
        env=world.environment(**env), capture_output=True, text=True, timeout=DEADLINE,
        start_new_session=True)  # fmt: skip
    assert done.returncode == status, done
    return done.stdout + done.stderr


def test_secrets_come_from_where_they_are_said_to_be(world):
    netrc = world.path / "netrc"
    netrc.write_text('machine other login user password wrong\nmachine 127.0.0.1\n  login "user"\n'
                     '  password "secret"\n')  # fmt: skip
    netrc.chmod(0o600)
    tools = world.path / "bin"
    tools.mkdir()
    tool = tools / "secret-tool"
    tool.write_text('#!/bin/sh\ntest "$*" = "lookup service pop3 host 127.0.0.1 user user" && echo secret\n')
    tool.chmod(0o755)
    with world.server("--password", "secret") as server:
        stat_with(world, server, "--password-command", "echo secret")
        stat_with(world, server, "--password-file", str(world.password_file))
        stat_with(world, server, "--netrc", str(netrc))
        stat_with(world, server, "--keyring", PATH=f"{tools}:{os.environ['PATH']}")
        text = stat_with(world, server, "--keyring", PATH=str(world.path), status=78)
        assert "install secret-tool, or set password-file instead of keyring" in text
        text = stat_with(world, server, "--password-command", "exit 3", status=78)
        assert "password-command ended with status 3" in text
        assert "no terminal to ask" in stat_with(world, server, status=78)
        world.password_file.chmod(0o644)
        text = stat_with(world, server, "--password-file", str(world.password_file), status=78)
        assert "chmod 600" in text


def test_a_token_logs_in_with_oauth(world, certs):
    with world.server("--cert", certs / "good.pem", "--key", certs / "good.key", "--capa",
                      "SASL XOAUTH2") as server:  # fmt: skip
        done = subprocess.run(
            [COMMAND, "stat", f"pop3://user@localhost:{server.port}", "--ca-file",
             str(certs / "ca.pem"), "--token-command", "echo tok"],
            env=world.environment(), capture_output=True, text=True)  # fmt: skip
        server.wait_for("AUTH XOAUTH2")


def test_no_secret_is_shown_anywhere(world):
    secret = "s3cr3t-w0rd"
    world.password_file.write_text(secret + "\n")
    with world.server("--password", "other") as server:
        told = world.sync(server.port, "--json", status=77)
    assert secret not in told
    assert secret not in world.state.read_bytes().decode(errors="replace")




# ---- servers that lack something, or say nonsense ----


def test_list_does_without_top(world):
    world.fill(3)
    world.put("large", "From: big@example.org\nSubject: number 77\n\n" + "line\n" * 20000)
    for options in (["--no-capa", "TOP", "--refuse", "TOP"], ["--refuse", "CAPA", "--refuse", "TOP"]):
        with world.server(*options) as server:
            listed = Mailbox(world, server).run("list").splitlines()
        assert [line.split()[0] for line in listed] == ["1", "2", "3", "4"], listed
        assert [("number" in line) for line in listed] == [True, True, True, False]
        assert len(server.commands("RETR")) == 3, "of a large message the size is shown"


def test_one_refused_top_costs_list_one_row(world):
    world.fill(3)
    (world.path / "script").write_text('on "TOP 2" {\n line "-ERR not that one"\n}\nserve\n')
    with world.server("--script", world.path / "script") as server:
        mailbox = Mailbox(world, server)
        done = subprocess.run(mailbox.words("list"), env=world.environment(), capture_output=True, text=True)
    assert done.returncode != 0 and "not that one" in done.stderr
    rows = listed = done.stdout.splitlines()
    assert [("number" in line) for line in rows] == [True, False, True], listed


@pytest.mark.parametrize("stat", ["-ERR no", "+OK many", "+OK -1 -1", "+OK 0 0"])
def test_cat_top_and_rm_do_without_stat(world, stat):
    world.fill(3)
    (world.path / "script").write_text(f'on STAT {{\n line "{stat}"\n}}\nserve\n')
    with world.server("--delete", "--script", world.path / "script") as server:
        mailbox = Mailbox(world, server)
        assert "number 1" in mailbox.run("cat", "2")
        assert "number 1" in mailbox.run("top", "2")
        mailbox.run("rm", "2")
    assert len(world.on_server()) == 2


WORDS = {"sync": ["--maildir", "Mail", "--state", "state.db"], "retry": ["--maildir", "Mail", "--state", "state.db"],
         "cat": [1], "top": [1], "rm": [1, "--dry-run"], "authorize": ["--help"], "token": ["--help"], "setup": ["--help"]}  # fmt: skip


@pytest.mark.parametrize("name, form", [*((name, "usual") for name in sorted(all_subcommands())),
                                        *((name, "--json") for name in ("sync", "stat", "list", "headers", "uidl", "capa"))])  # fmt: skip
def test_output_that_cannot_be_written_is_told_at_the_end(world, mailbox, name, form):
    if not os.access("/dev/full", os.W_OK):
        pytest.skip("no /dev/full here")
    words = [*mailbox.words(name, *WORDS.get(name, [])), *["--json"] * (form == "--json")] if name != "help" else [COMMAND, "help", "sync"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(words, env=world.environment(), cwd=world.path, input="list\nquit\n", stdout=full,
                              stderr=subprocess.PIPE, text=True, timeout=DEADLINE)  # fmt: skip
    assert done.returncode == 74 and "pop3: writing the output: " in done.stderr, (done.returncode, done.stderr)
