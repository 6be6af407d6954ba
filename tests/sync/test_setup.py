"""setup: what it makes of what a domain says in the DNS (RFC 6186)."""

import os
import re
import resource
import stat
import subprocess

import pytest

from world import BUILD, COMMAND, DEADLINE

DNS_COMMAND = os.environ.get("POP3_DNS_COMMAND", str(BUILD / "tests/sync/pop3-dns"))


def run_setup(world, *records, words=("ann@example.org",), status=0, cwd=None, before=None, **more):
    """`before` is called in the process."""
    done = subprocess.run(
        [DNS_COMMAND, "setup", *words], env=world.environment(POP3_TEST_DNS="\n".join(records), **more), cwd=cwd,
        capture_output=True, text=True, timeout=DEADLINE, preexec_fn=before)  # fmt: skip
    assert done.returncode == status, done
    return done.stdout + done.stderr


def config(world):
    return world.path / "config/pop3/config"


def test_an_account_is_written_that_sync_understands(world):
    shown = run_setup(world, "_pop3s._tcp.example.org 0 1 995 pop.example.org")
    assert shown.startswith(f"Added to {config(world)}:")
    password = config(world).parent / "ann@example.org.password"
    assert f"(umask 077 && cat >{password})" in shown and "Note" not in shown
    assert config(world).read_text() == (
        f"\n[ann@example.org]\nhost = pop.example.org\nuser = ann@example.org\npassword-file = {password}\n"
        "maildir = ~/Maildir\n")  # fmt: skip
    assert config(world).stat().st_mode & 0o77 == 0
    done = subprocess.run([COMMAND, "sync", "somebody"], env=world.environment(), capture_output=True,
                          text=True, timeout=DEADLINE)  # fmt: skip
    assert "there is no account somebody" in done.stderr


def test_a_second_account_is_added_and_one_of_the_same_name_is_not(world):
    records = ["_pop3s._tcp.example.org 0 1 995 pop.example.org",
               "_pop3._tcp.example.net 0 1 1100 pop.example.net"]  # fmt: skip
    run_setup(world, *records)
    run_setup(world, *records, words=("bob@example.net",))
    text = config(world).read_text()
    assert text.count("[") == 2
    assert text.endswith("[bob@example.net]\nhost = pop.example.net\nport = 1100\nuser = bob@example.net\n"
                         f"tls = stls\npassword-file = {config(world).parent}/bob@example.net.password\n"
                         "maildir = ~/Maildir\n")  # fmt: skip
    told = run_setup(world, *records, status=78)
    assert "has an account of that name already" in told
    assert config(world).read_text() == text


@pytest.mark.parametrize("octets, status", [(49, 0), (50, 69)])
def test_an_address_that_can_name_no_account_does_not_spoil_the_others(world, octets, status):
    domain = "@example.org"
    run_setup(world, "_pop3s._tcp.example.org 0 1 995 pop.example.org")
    before = config(world).read_text()
    told = run_setup(world, "_pop3s._tcp.example.org 0 1 995 pop.example.org",
                     words=("b" * (octets - len(domain)) + domain,), status=status)  # fmt: skip
    assert ("at most 49 octets" in told) == (status != 0)
    assert (config(world).read_text() == before) == (status != 0)
    done = subprocess.run([COMMAND, "sync", "somebody"], env=world.environment(), capture_output=True,
                          text=True, timeout=DEADLINE)  # fmt: skip
    assert "there is no account somebody" in done.stderr


@pytest.mark.parametrize("room", [0, 1, 10, 60, 100])
def test_a_section_that_cannot_be_written_whole_is_not_written(world, room):
    config(world).parent.mkdir(parents=True)
    text = "[ann]\nhost = pop.example.org\nuser = ann\nmaildir = ~/Maildir\n"
    config(world).write_text(text)
    most = len(text) + room
    told = run_setup(world, "_pop3s._tcp.example.org 0 1 995 pop.example.org", words=("bob@example.org",), status=75,
                     before=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)))  # fmt: skip
    assert "File too large" in told
    assert config(world).read_text() == text


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_nobody_else_can_read_what_is_written(world, umask):
    run_setup(world, "_pop3s._tcp.example.org 0 1 995 pop.example.org", before=lambda: os.umask(umask))
    assert stat.S_IMODE(config(world).stat().st_mode) == 0o600
    assert stat.S_IMODE(config(world).parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("octets", [b"\x1b", b"\x7f", b"\t", b"\r", b"\n", b"\xc2\x85", b"\xe2\x80\xae", b"\xff", b"["])
def test_an_address_that_would_be_shown_or_read_as_another_is_refused(world, octets):
    told = run_setup(world, "_pop3s._tcp.example.org 0 1 995 pop.example.org",
                     words=(b"a" + octets + b"b@example.org",), status=64)  # fmt: skip
    assert "a mail address is expected" in told
    assert not config(world).exists()


@pytest.mark.parametrize("name", ["con ;fig", "con\nfig", "con\x1bfig", "con\u202efig"])
def test_a_password_file_that_the_configuration_cannot_name_is_said(world, name):
    folder = world.path / name
    folder.mkdir()
    told = run_setup(world, "_pop3s._tcp.example.org 0 1 995 pop.example.org",
                     words=("ann@example.org", "--config", "config"), cwd=folder, status=78)  # fmt: skip
    assert "cannot name" in told
    assert not (folder / "config").exists()


@pytest.mark.parametrize("name", ["con  fig", "con'fig", 'con"fig', "-con", "con#fig;", " con ", "con\\fig", "$con", "cön"])
def test_other_names_of_directories_lead_to_the_password_file(world, name):
    folder = world.path / name
    folder.mkdir()
    with world.server() as server:
        shown = run_setup(world, f"_pop3._tcp.example.org 0 1 {server.port} localhost",
                          words=("user@example.org", "--config", "config"), cwd=folder)  # fmt: skip
        store = re.search(r"^    (\(umask .*\))$", shown, re.MULTILINE)[1]
        subprocess.run(["sh", "-c", store], input=b"secret\n", check=True, env=world.environment())
        done = subprocess.run(
            [COMMAND, "stat", "user@example.org", "--config", folder / "config", "--user", "user", "--allow-plaintext", "--tls", "none"],
            env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (folder / "user@example.org.password").read_text() == "secret\n"


def test_a_dry_run_only_shows_it(world):
    shown = run_setup(world, "_pop3s._tcp.example.org 0 1 995 pop.example.org",
                  words=("ann@example.org", "--dry-run"))  # fmt: skip
    assert shown.startswith("This would be added to")
    assert not config(world).exists()


@pytest.mark.parametrize(
    ("records", "host"),
    [
        (["_pop3s._tcp.example.org 5 1 995 b.example.org",
          "_pop3s._tcp.example.org 1 1 995 a.example.org"], "a.example.org"),
        (["_pop3s._tcp.example.org 1 1 995 b.example.org",
          "_pop3s._tcp.example.org 1 9 995 a.example.org"], "a.example.org"),
        (["_pop3._tcp.example.org 1 9 110 b.example.org",
          "_pop3s._tcp.example.org 1 1 995 a.example.org"], "a.example.org"),
        (["_pop3s._tcp.example.org 5 1 995 b.example.org",
          "_pop3._tcp.example.org 1 1 110 a.example.org"], "a.example.org"),
        (["_pop3s._tcp.example.org 0 0 995 .",
          "_pop3._tcp.example.org 1 1 110 a.example.org"], "a.example.org"),
        (["_pop3s._tcp.example.org 0 0 0 b.example.org",
          "_pop3._tcp.example.org 1 1 110 a.example.org"], "a.example.org"),
        (["_pop3s._tcp.example.org 0 0 995 broken",
          "_pop3._tcp.example.org 1 1 110 a.example.org"], "a.example.org"),
    ],
)  # fmt: skip
def test_the_best_record_is_taken(world, records, host):
    run_setup(world, *records)
    assert f"\nhost = {host}\n" in config(world).read_text()


def test_the_file_that_is_named_is_written(world):
    path = world.path / "new/folder/mine"
    run_setup(world, "_pop3s._tcp.example.org 0 1 995 pop.example.org",
              words=("ann@example.org", "--config", str(path)))  # fmt: skip
    assert "[ann@example.org]" in path.read_text()
    assert not config(world).exists()


def test_a_server_outside_the_domain_is_pointed_out(world):
    shown = run_setup(world, "_pop3s._tcp.example.org 0 1 995 mail.example.com")
    assert "Note: the server mail.example.com is outside example.org" in shown
    shown = run_setup(world, "_pop3s._tcp.example.org 0 1 995 evilexample.org", words=("bob@example.org",))
    assert "is outside example.org" in shown
    shown = run_setup(world, "_pop3s._tcp.example.org 0 1 995 example.org", words=("cem@example.org",))
    assert "is outside" not in shown


@pytest.mark.parametrize("records", [[], ["_pop3s._tcp.example.org 0 0 0 ."], ["_pop3._tcp.example.net 0 1 1 x"]])
def test_a_domain_that_names_no_server_is_said(world, records):
    told = run_setup(world, *records, status=68)
    assert "ann@example.org" in told
    assert not config(world).exists()


def test_a_domain_that_is_too_long_names_no_server(world):
    run_setup(world, words=("ann@" + "x" * 400,), status=68)


def test_a_configuration_that_cannot_be_written_is_said(world):
    (world.path / "config").mkdir()
    (world.path / "config/pop3").write_text("a file where a folder should be")
    told = run_setup(world, "_pop3s._tcp.example.org 0 1 995 pop.example.org", status=73)
    assert "config/pop3/config" in told


def test_a_configuration_with_mistakes_is_not_added_to(world):
    config(world).parent.mkdir(parents=True)
    config(world).write_text("[a]\ncolour = red\n")
    told = run_setup(world, "_pop3s._tcp.example.org 0 1 995 pop.example.org", status=78)
    assert "there is no setting colour" in told
    assert config(world).read_text() == "[a]\ncolour = red\n"


@pytest.mark.parametrize("host", ["pop`id`.example.org", "pop|id.example.org", "pop&id.example.org", "a'b.example.org",
                                  "$(id).example.org", "a\\032b.example.org", "-x.example.org"])  # fmt: skip
def test_a_name_in_the_dns_that_is_no_hosts_is_not_taken(world, host):
    told = run_setup(world, f"_pop3s._tcp.example.org 0 1 995 {host}", status=68)
    assert "does not publish its POP3 server in the DNS" in told
    assert not config(world).exists()


def test_commands_to_paste_have_the_address_quoted(world):
    shown = run_setup(world, "_pop3s._tcp.example.org 0 1 995 pop.example.org", words=("../a'$(id);b@example.org",))
    assert r"pop3 doctor '../a'\''$(id);b@example.org'" in shown
    assert f"cat >{config(world).parent}/.._a___id__b@example.org.password)\n" in shown


def test_the_password_file_of_a_configuration_named_relatively_is_found_from_anywhere(world):
    shown = run_setup(world, "_pop3s._tcp.example.org 0 1 995 pop.example.org", words=("--config", "other", "ann@example.org"), cwd=world.path)
    password = world.path / "ann@example.org.password"
    assert f"\npassword-file = {password}\n" in (world.path / "other").read_text() and f"cat >{password})" in shown


def test_what_it_prints_makes_an_account_that_collects_mail(world):
    world.fill(3, lines=5)
    with world.server() as server:
        shown = run_setup(world, f"_pop3._tcp.example.org 0 1 {server.port} localhost", words=("user@example.org",))
        store = re.search(r"^    (\(umask .*\))$", shown, re.MULTILINE)[1]
        subprocess.run(["sh", "-c", store], input=world.password_file.read_text(), text=True, check=True, env=world.environment())
        done = subprocess.run(
            [COMMAND, "sync", "user@example.org", "--user", "user", "--allow-plaintext", "--tls", "none"],
            env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(list((world.path / "Maildir/new").iterdir())) == 3
