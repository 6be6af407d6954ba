"""What a server that mail goes to, or that gives tokens, says cannot command the terminal, nor pass for a line of the
command's own."""

import base64
import contextlib
import json
import re
import shutil
import subprocess
import urllib.parse

import pytest

from gmaild import Answer, running as gmail_running
from imapd import running as imap_running
from lmtpd import Smtpd, running as lmtp_running
from test_terminal import CHARACTERS, ERASE, HOSTILE, assert_harmless, terminal
from world import COMMAND, DEADLINE

FORGED = "pop3: all is well with everybody"
SAID = "".join(CHARACTERS) + f"\x1b[31m \u009b31m {FORGED}"
LITERAL = f"NO {{{len(FORGED) + 6}}}\r\n\r\n{FORGED}\r\n\r\n"


@contextlib.contextmanager
def lmtp(world, certs, step):
    with lmtp_running(world.path / "lmtp", lambda at, n, _: f"550 {SAID}" if at == step else None) as server:
        yield ["--lmtp", server.where, "--recipient", "me@example.org"]


@contextlib.contextmanager
def smtp(world, certs, step):
    secret = world.path / "smtp-password"
    secret.write_text("smtp secret\n")
    secret.chmod(0o600)
    with lmtp_running(certs, lambda at, n, _: f"550 {SAID}" if at == step else None, kind=Smtpd) as server:
        yield ["--smtp", server.where, "--recipient", "me@example.org", "--smtp-ca-file", str(certs / "ca.pem"),
               "--smtp-password-file", str(secret)]  # fmt: skip


@contextlib.contextmanager
def imap(world, certs, step):
    secret = world.path / "imap-password"
    secret.write_text("imap secret\n")
    secret.chmod(0o600)
    step, _, kind = step.partition(" ")
    says = LITERAL if kind == "literal" else f"NO {SAID}"
    says = f"* BYE {SAID}" if step == "greeting" else says
    with imap_running(certs, lambda at, n, _: says if at == step else None) as server:
        yield ["--imap", server.url(), "--imap-ca-file", str(certs / "ca.pem"), "--imap-password-file", str(secret)]


@contextlib.contextmanager
def gmail(world, certs, step):
    body = {"error": {"code": 403, "message": f"{SAID}\n{FORGED}", "status": "X",
                      "errors": [{"domain": "global", "reason": f"odd\n{FORGED}", "message": f"{SAID}\n{FORGED}"}]}}  # fmt: skip
    with gmail_running(certs, lambda at, n: Answer(403, json.dumps(body).encode(), {}, False) if at == step else None) as server:
        yield ["--gmail", "me@gmail.com", "--gmail-url", server.url, "--issuer-ca-file", str(server.ca_file),
               "--gmail-token-command", "echo token-1"]  # fmt: skip


TARGETS = {
    lmtp: ["greeting", "lhlo", "mail", "rcpt", "data", "message"],
    smtp: ["greeting", "mail", "message"],
    imap: ["greeting", "login", "append", "append literal", "message", "message literal", "examine literal"],
    gmail: ["import", "list", "labels"],
}


@pytest.mark.parametrize("target, step", [(target, step) for target, steps in TARGETS.items() for step in steps],
                         ids=lambda v: v if isinstance(v, str) else v.__name__)  # fmt: skip
def test_what_a_targets_server_says_commands_no_terminal_and_is_no_line_of_ours(world, certs, target, step):
    world.fill(2)
    with target(world, certs, step) as options, world.server() as server:
        words = [COMMAND, "sync", f"pop3://user@127.0.0.1:{server.port}", "--state", str(world.state), "--password-file",
                 str(world.password_file), "--allow-plaintext", "--retries", "0", *options]  # fmt: skip
        shown, _ = terminal(words, world.environment(LANG="C.UTF-8", TERM="xterm"))
    assert_harmless(shown, [ERASE])
    assert not re.search(rf"^{FORGED}", shown.decode(), re.M)


@pytest.mark.parametrize("more", [["--dry-run"], []], ids=["dry-run", "again"])
def test_what_was_refused_commands_no_terminal_when_it_is_tried_again(world, certs, more):
    world.put("1", b"From: " + HOSTILE + b"\nSubject: =?utf-8?q?" + b"".join(b"=%02X" % c for c in HOSTILE) + b"?= x\n\nt\n")
    with lmtp(world, certs, "message") as options, world.server() as server:
        words = [f"pop3://user@127.0.0.1:{server.port}", "--state", str(world.state), "--password-file",
                 str(world.password_file), "--allow-plaintext", *options]  # fmt: skip
        env = world.environment(LANG="C.UTF-8", TERM="xterm")
        terminal([COMMAND, "sync", *words], env)
        shown, _ = terminal([COMMAND, "retry", *words, *more], env)
    assert b"550" in shown
    assert_harmless(shown, [ERASE])


# ---- secrets ----

SECRETS = ["imap \\se\"cr>>et?", "smtp \\se\"cr>>et?", "a-token-of-gmails/+~~?>"]
ENCODED = [lambda s: urllib.parse.quote(s, safe=""), urllib.parse.quote_plus, lambda s: json.dumps(s)[1:-1],
           lambda s: "".join(f"\\u{ord(c):04x}" for c in s), lambda s: "".join(f"%{ord(c):02x}" for c in s),
           lambda s: base64.urlsafe_b64encode(s.encode()).decode(), lambda s: base64.urlsafe_b64encode(b"\0x\0" + s.encode()).decode()]
REPEATED = [base64.b64encode(b"\0me@example.org\0" + s.encode()).decode() for s in SECRETS]
REPEATED += [base64.b64encode(s.encode()).decode() for s in SECRETS] + [*SECRETS, *(s[3:] for s in SECRETS)]
REPEATED += [encode(s) for encode in ENCODED for s in SECRETS]


def says_the_secret(world, certs, kind, step, said):
    """What a run says whose target's server repeats something."""
    for name in ("imap", "smtp"):
        (world.path / f"{name}-password").write_text(SECRETS[["imap", "smtp"].index(name)] + "\n")
        (world.path / f"{name}-password").chmod(0o600)
    with contextlib.ExitStack() as stack:
        if kind == "imap":
            answer = f"* BYE {said}" if step == "greeting" else f"NO {said}"
            server = stack.enter_context(imap_running(certs, lambda at, n, _: answer if at == step else None))
            options = ["--imap", server.url(), "--imap-ca-file", str(certs / "ca.pem"), "--imap-password-file",
                       str(world.path / "imap-password")]  # fmt: skip
        elif kind == "smtp":
            server = stack.enter_context(lmtp_running(certs, lambda at, n, _: f"550 {said}" if at == step else None, kind=Smtpd))
            server.passwords.add(SECRETS[1].encode())
            options = ["--smtp", server.where, "--recipient", "me@example.org", "--smtp-ca-file", str(certs / "ca.pem"),
                       "--smtp-password-file", str(world.path / "smtp-password")]  # fmt: skip
        else:
            body = {"error": {"code": 400, "message": said, "errors": [{"reason": "odd", "message": said}]}}
            server = stack.enter_context(gmail_running(
                certs, lambda at, n: Answer(400, json.dumps(body).encode(), {}, False) if at == step else None))  # fmt: skip
            server.tokens.add(SECRETS[2])
            options = ["--gmail", "me@gmail.com", "--gmail-url", server.url, "--issuer-ca-file", str(server.ca_file),
                       "--gmail-token-command", f"echo '{SECRETS[2]}'"]  # fmt: skip
        pop3 = stack.enter_context(world.server())
        words = [COMMAND, "sync", f"pop3://user@127.0.0.1:{pop3.port}", "--state", str(world.state), "--password-file",
                 str(world.password_file), "--allow-plaintext", "--retries", "0", "--verbose", *options]  # fmt: skip
        done = subprocess.run(words, env=world.environment(), capture_output=True, text=True, timeout=DEADLINE, check=False)
    kept = b"".join(file.read_bytes() for file in world.path.glob("state.db.refused/*/new/*"))
    return done.stdout + done.stderr + kept.decode()


@pytest.mark.parametrize("kind, step", [("imap", "greeting"), ("imap", "login"), ("imap", "append"), ("imap", "message"),
                                        ("smtp", "greeting"), ("smtp", "mail"), ("smtp", "message"), ("gmail", "import"),
                                        ("gmail", "labels")])  # fmt: skip
def test_a_targets_server_that_repeats_the_secret_does_not_get_it_shown(fast_world, certs, kind, step):
    world = fast_world
    world.fill(1)
    secret = {"imap": 0, "smtp": 1, "gmail": 2}[kind]
    for repeated in REPEATED[secret::3]:
        said = says_the_secret(world, certs, kind, step, f"it is {repeated} behind it")
        assert repeated not in said and "behind it" not in said, said
        for file in world.path.glob("state.db*"):
            shutil.rmtree(file) if file.is_dir() else file.unlink()
