"""`pop3 sync` with Gmail: every message arrives there once, whatever is refused, cut or killed."""

import contextlib
import http.server
import os
import random
import re
import signal
import subprocess
import sys
import threading
import zlib
from types import SimpleNamespace

import pytest

from relays import connect_proxy, cut_relay
from gmaild import Answer, Gmaild, Mail, refusal, running
from https_server import https_server
from sent import Peaks, bodies, crlf, expected, refused, without_quarantine
from test_setup import DNS_COMMAND
from world import COMMAND, CRASH_COMMAND, DEADLINE, ROOT, SERVER, message

sys.path.insert(0, str(ROOT / "tests/token"))
from authorization_server import AuthorizationServer  # noqa: E402

SEED = int(os.environ.get("CRASH_SEED", 20261129))
RANDOM = int(os.environ.get("CRASH_GMAIL", 10))
CUTS = int(os.environ.get("CUT_GMAIL", 40))
FOR_GOOD = refusal(400, "invalidArgument", "attachments\x1b of this type are not allowed")


@pytest.fixture
def gmail(certs):
    with running(certs) as server:
        yield server


def start(world, port, gmail, *options, point=None, command=CRASH_COMMAND, tokens=True, env=None):
    """With waits left out, which are printed instead."""
    env = world.environment(POP3_TEST_PAUSES="skip", **(env or {}))
    token = world.path / "token"
    if point is not None:
        env["POP3_TEST_CRASH_AT"] = point
    if tokens:
        if not token.exists():
            token.write_text("token-1\n")
        options = (*options, "--gmail-token-command", f"echo >>{world.path}/asked; cat {token}")
    return subprocess.Popen(
        [command, "sync", f"pop3://user@127.0.0.1:{port}", "--gmail", "me@gmail.com", "--gmail-url", gmail.url,
         "--issuer-ca-file", str(gmail.ca_file), "--state", str(world.state), "--password-file",
         str(world.password_file), "--allow-plaintext", *options],
        env=env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)  # fmt: skip


def sync(world, port, gmail, *options, status=0, **more):
    process = start(world, port, gmail, *options, **more)
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode in (status if isinstance(status, tuple) else (status,)), errors
    assert "token-1" not in errors
    return errors


def pauses(errors):
    """How long it would have waited, in milliseconds."""
    return [int(ms) for ms in re.findall(r"test: a pause of (\d+) ms", errors)]


def asked(world):
    return len((world.path / "asked").read_text())


def at(step, numbers, answer):
    """Answers some of the requests of a kind."""
    return lambda is_step, number: answer if is_step == step and number in numbers else None


# ---- what is sent ----


def test_messages_are_imported_as_they_came_over_few_connections_and_deleted(world, gmail):
    world.fill(40, lines=5)
    odd = b"Subject: odd\r\nMessage-ID: <odd@example.org>\r\n\r\n\0bare \r cr \xff\r\n.\r\nno line end"
    world.put("9", odd)
    with world.server("--delete") as server:
        errors = sync(world, server.port, gmail, "--delete")
        assert bodies(gmail) == sorted([*expected(40), odd + b"\r\n"])
        server.settle()
    assert world.on_server() == [] and refused(world) == []
    assert len({mail.delivery for mail in gmail.mails}) == 41
    assert gmail.connections <= 4, "connections are not kept"
    assert asked(world) == 1, "one token is enough"
    assert set(gmail.requests) == {"POST import"} and len(gmail.requests) == 41
    assert {tuple(mail.labels) for mail in gmail.mails} == {("INBOX", "UNREAD")}
    usual = {"internalDateSource": "dateHeader", "neverMarkSpam": "false", "processForCalendar": "false"}
    assert all(mail.parameters == usual for mail in gmail.mails)
    assert sum(pauses(errors)) < 1000, "so few are within the quota"


def test_the_server_may_have_addresses_of_ipv6_alone(world, certs):
    try:
        gmail = Gmaild(certs, address="::1")
    except OSError:
        pytest.skip("there is no IPv6")
    world.fill(3, lines=5)
    with contextlib.ExitStack() as open_, world.server() as server:
        open_.callback(gmail.stop)
        sync(world, server.port, gmail, command=DNS_COMMAND, env={"POP3_TEST_ADDRESS": "::1"})
    assert bodies(gmail) == expected(3)


def test_the_settings_go_with_each_message(world, gmail):
    world.fill(2, lines=5)
    with world.server() as server:
        sync(world, server.port, gmail, "--internal-date", "now", "--never-spam", "--process-calendar", "--unread", "no",
             "--labels", "STARRED, INBOX")  # fmt: skip
    settings = {"internalDateSource": "receivedTime", "neverMarkSpam": "true", "processForCalendar": "true"}
    assert all(mail.parameters == settings and mail.labels == ["STARRED", "INBOX"] for mail in gmail.mails)
    assert gmail.count("labels") == 0, "what Gmail has for everybody is not asked for"


def test_labels_are_found_by_name_and_made_when_missing(world, gmail):
    world.fill(3, lines=5)
    with world.server() as server:
        sync(world, server.port, gmail, "--labels", " work , Old mail/2026,")
        assert gmail.labels["Label_3"] == "Old mail/2026"
        assert [mail.labels for mail in gmail.mails] == [["Label_1", "Label_3", "UNREAD"]] * 3
        assert (gmail.count("labels"), gmail.count("make")) == (1, 1)


def test_a_label_that_another_process_makes_meanwhile_is_used(world, certs):
    def answer(step, number):
        if step == "make":
            gmail.labels["Label_7"] = "New"
        return None

    world.fill(1, lines=5)
    with world.server() as server, running(certs, answer) as gmail:
        sync(world, server.port, gmail, "--labels", "New")
        assert gmail.mails[0].labels == ["Label_7", "UNREAD"]


def test_a_refused_label_loses_nothing_and_is_named(world, certs):
    world.fill(3, lines=5)
    with world.server("--delete") as server, running(certs, at("make", {0}, refusal(400, "invalidArgument", "Invalid label"))) as gmail:
        errors = sync(world, server.port, gmail, "--delete", "--labels", "a//b", status=69)
        assert 'creating Gmail\'s label "a//b": Google answers 400, Invalid label' in errors
        server.settle()
    assert len(world.on_server()) == 3 and gmail.mails == []


@pytest.mark.parametrize("label, said", [("Sent", 'Gmail\'s label "Sent": only Gmail itself sets it; see labels'),
                                         ("Muted", 'creating Gmail\'s label "Muted": Google answers 400, Invalid label name; see labels')])  # fmt: skip
def test_a_label_that_nobody_can_set_is_no_fault_of_the_messages(world, gmail, label, said):
    world.fill(20, lines=5)
    with world.server("--delete") as server:
        assert said in sync(world, server.port, gmail, "--delete", "--labels", f"INBOX, {label}", status=(78, 69))
        server.settle()
    assert len(world.on_server()) == 20 and gmail.mails == refused(world) == []


def test_a_label_that_goes_while_messages_are_sent_is_no_fault_of_theirs(world, certs):
    def answer(step, number):
        if step == "import" and number == 5:
            del gmail.labels["Label_1"]
        return None

    world.fill(20, lines=5)
    with world.server("--delete") as server, running(certs, answer) as gmail:
        errors = sync(world, server.port, gmail, "--delete", "--labels", "Work", status=69)
        assert "Google answers 400, Invalid label: Label_1; see labels" in errors and refused(world) == []
        server.settle()
        sync(world, server.port, gmail, "--delete", "--labels", "Work")
        assert bodies(gmail) == expected(20)
        server.settle()
    assert world.on_server() == []


# ---- labels by address ----

TABLE = ("--recipients-from", "Envelope-To", "--map-recipients",
         "anna@example.org -> folder:Anna, bob@example.org -> folder:Old/Bob, x@sales.example -> folder:INBOX")  # fmt: skip


def put_addressed(world, *addresses):
    for i, to in enumerate(addresses):
        world.put(str(i), f"Envelope-To: {to}\nReceived: from a; id {i}\nSubject: number {i}\n\ntext\n")


def labels_of(gmail):
    """The names of the labels of each message, by its number, but for UNREAD."""
    return sorted((int(mail.header("Subject").split()[1]), [gmail.labels.get(i, i) for i in mail.labels if i != "UNREAD"])
                  for mail in gmail.mails)  # fmt: skip


@pytest.mark.parametrize("labels", [None, "Work, INBOX"])
def test_each_message_is_there_once_with_the_labels_that_the_table_has_for_its_addresses(world, gmail, labels):
    put_addressed(world, "anna@example.org", "anna@example.org, bob@example.org, c@d", "c@d", "x@sales.example", "bob@example.org")
    with world.server("--delete") as server:
        sync(world, server.port, gmail, "--delete", *TABLE, *(["--labels", labels] if labels else []))
        server.settle()
    own = [["Anna"], ["Anna", "Old/Bob"], [], ["INBOX"], ["Old/Bob"]]
    if labels:
        wanted = [["Work", "INBOX", *(name for name in names if name != "INBOX")] for names in own]
    else:
        wanted = [names or ["INBOX"] for names in own]
    assert labels_of(gmail) == list(enumerate(wanted)) and world.on_server() == []
    assert sorted(set(gmail.labels.values())) == ["Anna", "INBOX", "Old/Bob", "Work"], "each is made once"


def test_a_label_of_the_table_that_cannot_be_keeps_its_own_messages_back_alone(world, gmail):
    put_addressed(world, *["anna@example.org", "bob@example.org", "anna@example.org, bob@example.org", "c@d"] * 3)
    table = ("--recipients-from", "Envelope-To", "--map-recipients", "anna@example.org -> folder:Anna, bob@example.org -> folder:Muted")
    with world.server("--delete") as server:
        errors = sync(world, server.port, gmail, "--delete", *table, status=75)
        assert 'creating Gmail\'s label "Muted": Google answers 400, Invalid label name; see labels' in errors
        server.settle()
        assert labels_of(gmail) == [(i, ["INBOX" if i % 4 else "Anna"]) for i in (0, 3, 4, 7, 8, 11)]
        assert len(world.on_server()) == 6 and refused(world) == []
        sync(world, server.port, gmail, "--delete", *TABLE)
        server.settle()
    assert len(gmail.mails) == 12 and world.on_server() == []


def test_many_messages_in_a_row_whose_label_cannot_be_keep_no_others_back(world, gmail):
    """Whether Google refuses to create it or to set it; each connection is refused at most one message for it."""
    put_addressed(world, *["bob@example.org"] * 30, *["x@example.org"] * 30, *["anna@example.org"] * 5)
    gmail.judge = lambda text: refusal(400, "invalidArgument", "Invalid label: Bob") if b"Envelope-To: bob" in text else None
    table = ("--recipients-from", "Envelope-To", "--map-recipients",
             "anna@example.org -> folder:Anna, bob@example.org -> folder:Bob, x@example.org -> folder:Muted")  # fmt: skip
    with world.server("--delete") as server:
        errors = sync(world, server.port, gmail, "--delete", *table, status=75)
        assert "Google answers 400, Invalid label: Bob; see labels" in errors
        assert 'creating Gmail\'s label "Muted"' in errors
        server.settle()
        assert labels_of(gmail) == [(i, ["Anna"]) for i in range(60, 65)]
        assert gmail.count("import") <= 4 + 5 and refused(world) == []
        gmail.judge = lambda text: None
        sync(world, server.port, gmail, "--delete", *TABLE)
        server.settle()
    assert len(gmail.mails) == 65 and world.on_server() == []


def test_the_table_of_the_guide_works_as_it_is_written(world, gmail):
    text = (ROOT / "docs/guide/leaving-gmail.md").read_text().split("### A label for each address")[1]
    settings = dict(re.findall(r"^    (recipients-from|map-recipients) = (.*)$", text, re.MULTILINE))
    put_addressed(world, "sales@example.org, x@old.example.org", "me@example.org")
    with world.server() as server:
        sync(world, server.port, gmail, *(word for name, value in settings.items() for word in (f"--{name}", value)))
    assert labels_of(gmail) == [(0, ["Sales", "Old/Shop"]), (1, ["INBOX"])]


@pytest.mark.interrupted("Gmail", "killed at marked points")
@pytest.mark.parametrize("point", ["gmail-answered:2", "gmail-answered:6"])
def test_killed_among_labels_each_message_is_there_once_with_all_of_them(world, gmail, point):
    put_addressed(world, *["anna@example.org, bob@example.org", "bob@example.org"] * 3)
    with world.server("--delete") as server:
        sync(world, server.port, gmail, "--delete", *TABLE, point=point, status=-signal.SIGKILL)
        gmail.finish_others()
        server.settle()
        sync(world, server.port, gmail, "--delete", *TABLE)
        server.settle()
    assert labels_of(gmail) == [(i, ["Old/Bob"] if i % 2 else ["Anna", "Old/Bob"]) for i in range(6)]
    assert world.on_server() == []


# ---- the live test ----

def check_gmail(world, gmail, status):
    (world.path / "a token").write_text("token-1\n")
    done = subprocess.run([ROOT / "tests/interop/check_gmail.py", "me@gmail.com", world.path / "a token", "--url", gmail.url, "--ca-file", gmail.ca_file],
                          capture_output=True, text=True, env=world.environment(POP3_TESTSERVER=SERVER, POP3_CRASH_COMMAND=CRASH_COMMAND))  # fmt: skip
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout


def test_what_runs_with_a_real_mailbox_finds_each_message_there_once(world, gmail):
    assert "found as often as this: 1, 1, 1" in check_gmail(world, gmail, 0)
    assert [gmail.labels[mail.labels[0]] for mail in gmail.mails] == ["pop3 check"] * 3


# ---- what Google answers ----


def test_a_token_that_ended_is_renewed_once(world, certs):
    def answer(step, number):
        if number == 2:
            gmail.tokens = {"token-2"}
            (world.path / "token").write_text("token-2\n")
        return None

    world.fill(20, lines=5)
    with world.server("--delete") as server, running(certs, answer) as gmail:
        sync(world, server.port, gmail, "--delete")
        assert bodies(gmail) == expected(20)
        assert asked(world) == 2


def test_a_token_that_stays_refused_stops_with_advice(world, gmail):
    world.fill(20, lines=5)
    gmail.tokens = set()
    with world.server("--delete") as server:
        errors = sync(world, server.port, gmail, "--delete", status=77)
        assert ("Google answers 401 authError, Invalid Credentials; the permission is no longer valid; gmail-token-command has to "
                "print another token" in errors)  # fmt: skip
        assert gmail.count("import") <= 8, "it is tried over and over"
        server.settle()
    assert len(world.on_server()) == 20


BUSY = [refusal(429, "rateLimitExceeded"), refusal(403, "rateLimitExceeded"), refusal(403, "userRateLimitExceeded"),
        refusal(429), refusal(408)]  # fmt: skip


@pytest.mark.parametrize("answer", BUSY, ids=lambda a: f"{a.status}-{len(a.body)}")
def test_too_much_is_tried_again_later_and_more_slowly(world, certs, answer):
    world.fill(6, lines=5)
    with world.server("--delete") as server, running(certs, at("import", {0, 6, 7}, answer)) as gmail:
        errors = sync(world, server.port, gmail, "--delete")
        assert bodies(gmail) == expected(6)
        assert max(pauses(errors)) >= 1000
        assert gmail.count("list") == 0, "a refused message is not there"
        server.settle()
    assert world.on_server() == []


def test_google_says_how_long_to_wait(world, certs):
    world.fill(1, lines=5)
    with world.server() as server, running(certs, at("import", {0}, refusal(429, Retry_After="17"))) as gmail:
        assert max(pauses(sync(world, server.port, gmail))) >= 16900
        assert bodies(gmail) == expected(1)


LONG = [refusal(429, "rateLimitExceeded", Retry_After="3600"),
        refusal(429, "rateLimitExceeded", "User-rate limit exceeded.  Retry after 2999-06-12T14:14:07.137Z")]  # fmt: skip


@pytest.mark.parametrize("answer", LONG, ids=["field", "words"])
def test_a_wait_of_more_than_a_minute_is_for_another_run(world, certs, answer):
    world.fill(50, lines=5)
    with world.server("--delete") as server, running(certs, lambda *_: answer) as gmail:
        errors = sync(world, server.port, gmail, "--delete", status=75)
        assert "Google answers 429 rateLimitExceeded" in errors and gmail.count("import") <= 4
        server.settle()
    assert len(world.on_server()) == 50


def test_google_that_stays_busy_is_left_alone(world, certs):
    world.fill(50, lines=5)
    with world.server("--delete") as server, running(certs, lambda *_: refusal(429, "rateLimitExceeded")) as gmail:
        errors = sync(world, server.port, gmail, "--delete", status=75)
        assert gmail.count("import") <= 20 and "it is tried again later" in errors
        server.settle()
    assert len(world.on_server()) == 50


STOPS = [
    (refusal(403, "dailyLimitExceeded"), 75, "run it again tomorrow"),
    (refusal(403, "insufficientPermissions"), 77, "grant all permissions that are asked for"),
    (refusal(403, "accessNotConfigured"), 78, "enable the Gmail API"),
    (refusal(403, "domainPolicy"), 77, "the administrator of the domain"),
    (refusal(403, "forbidden", "Delegation denied for you@gmail.com"), 77, "by the main address of the mailbox"),
    (refusal(400, "failedPrecondition", "Mail service not enabled"), 69, "check that the user has a Gmail mailbox"),
    (refusal(404, "notFound"), 69, "see gmail and gmail-url"),
    (Answer(302, b"", {"Location": "https://localhost/elsewhere"}), 69, "see gmail and gmail-url"),
]  # fmt: skip


@pytest.mark.parametrize("answer, status, advice", STOPS, ids=[advice for _, _, advice in STOPS])
def test_what_no_message_gets_past_stops_and_loses_nothing(world, certs, answer, status, advice):
    world.fill(50, lines=5)
    with world.server("--delete") as server, running(certs, lambda *_: answer) as gmail:
        errors = sync(world, server.port, gmail, "--delete", status=status)
        assert f"Google answers {answer.status}" in errors and advice in errors
        assert gmail.count("import") <= 4
        server.settle()
    assert len(world.on_server()) == 50 and refused(world) == []


@pytest.mark.parametrize("to", ["usual", "fallback"])
@pytest.mark.parametrize("answer", [FOR_GOOD, refusal(413)], ids=["policy", "large"])
def test_what_is_refused_for_good_is_kept_with_a_note_and_the_others_arrive(world, certs, answer, to):
    world.fill(10, lines=5)
    options = ["--fallback", f"maildir:{world.path}/other"] if to == "fallback" else []
    with world.server("--delete") as server, running(certs, at("import", {3}, answer)) as gmail:
        errors = sync(world, server.port, gmail, "--delete", *options)
        assert len(gmail.mails) == 9
        server.settle()
        assert world.on_server() == []
        assert f"delivering to Gmail: Google answers {answer.status}" in errors and "it is kept in" in errors
        assert "\x1b" not in errors
        kept = [file.read_bytes() for file in (world.path / "other/new").iterdir()] if options else refused(world)
        assert len(kept) == 1
        note, rest = kept[0].split(b"\n", 1)
        assert note.startswith(b"X-POP3-Refused: delivering to Gmail: Google answers")
        assert sorted([crlf(rest.decode()), *bodies(gmail)]) == expected(10)


def test_a_server_that_is_not_there_or_not_trusted_gets_nothing(world, gmail, certs, port):
    world.fill(2, lines=5)
    with world.server("--delete") as server:
        errors = sync(world, server.port, gmail, "--delete", "--issuer-ca-file", str(certs / "leaf.pem"), status=69)
        assert "certificate" in errors and gmail.requests == []
        errors = sync(world, server.port, gmail, "--delete", "--gmail-url", f"https://127.0.0.1:{port}", status=75)
        assert "Failed to connect to 127.0.0.1" in errors or "refused" in errors
        server.settle()
    assert len(world.on_server()) == 2


@pytest.mark.parametrize("url", ["http://localhost", "https://", "https://a/b", "https://u@h", "gmail.googleapis.com"])
def test_only_https_is_spoken(world, gmail, url):
    errors = sync(world, 1, gmail, "--gmail-url", url, status=78)
    assert f'"{url}" cannot be used as gmail-url' in errors


# ---- proxies ----


@pytest.mark.parametrize("form", ["http://127.0.0.1:{}", "localhost:{}/", "http://ann:pass%20word@127.0.0.1:{}"])
@pytest.mark.parametrize("variable", ["https_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used_from_inside_of_the_sandbox(world, gmail, variable, form):
    world.fill(3, lines=5)
    with world.server("--delete") as server, connect_proxy() as proxy:
        sync(world, server.port, gmail, "--delete", env={variable: form.format(proxy.port)})
        assert bodies(gmail) == expected(3)
        assert set(proxy.asked()) == {f"CONNECT {gmail.url.removeprefix('https://')} HTTP/1.1"}
        assert len(proxy.heads) == gmail.connections
        known = "Proxy-Authorization: Basic YW5uOnBhc3Mgd29yZA==\r\n"
        assert all((known in head) is ("ann" in form) for head in proxy.heads)
        server.settle()
    assert world.on_server() == []


def test_a_proxy_of_the_environment_may_be_for_others(world, gmail):
    world.fill(1, lines=5)
    with world.server() as server, connect_proxy() as proxy:
        sync(world, server.port, gmail, env={"https_proxy": f"http://127.0.0.1:{proxy.port}", "no_proxy": "localhost"})
        assert bodies(gmail) == expected(1) and proxy.heads == []


def test_a_proxy_that_is_set_is_for_the_server_and_gmail(world, gmail):
    world.fill(1, lines=5)
    with world.server() as server, connect_proxy() as proxy:
        sync(world, server.port, gmail, "--proxy", f"http://127.0.0.1:{proxy.port}", env={"https_proxy": "http://127.0.0.1:1"})
        assert bodies(gmail) == expected(1)
        hosts = [f"127.0.0.1:{server.port}", gmail.url.removeprefix("https://")]
        assert proxy.asked() == [f"CONNECT {host} HTTP/1.1" for host in hosts]


@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway"])
def test_a_proxy_that_lets_nobody_through_loses_nothing_and_is_told(world, gmail, status):
    world.fill(2, lines=5)
    with world.server("--delete") as server, connect_proxy(status) as proxy:
        errors = sync(world, server.port, gmail, "--delete", status=75, env={"https_proxy": f"http://127.0.0.1:{proxy.port}"})
        assert f"delivering to Gmail: CONNECT tunnel failed, response {status[:3]}; try again later" in errors
        assert gmail.requests == []
        server.settle()
    assert len(world.on_server()) == 2


# ---- once ----

HOSTILE = {
    "a failure before it is done": Answer(503),
    "a bad gateway": Answer(502, does=True),
    "a gateway that waits no longer": Answer(504, does=True),
    "a failure after it is done": Answer(503, does=True),
    "a backend error": refusal(500, "backendError", does=True),
    "the end before it is done": Answer(),
    "the end after it is done": Answer(does=True),
    "no JSON": Answer(200, b"ok", does=True),
    "NULs": Answer(200, b'{"id": "\0"}', does=True),
    "no id": Answer(200, b"{}", does=True),
    "deep": Answer(200, b'{"a":' + b"[" * 100000, does=True),
    "huge": Answer(200, b" " * 1000000, does=True),
    "a deep refusal": Answer(500, b'{"error":' * 50000, does=True),
    "a refusal of a wrong shape": Answer(503, b'{"error": {"errors": {"reason": 1}, "message": []}}', does=True),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_an_answer_that_leaves_doubt_is_settled_by_a_search(world, certs, what):
    world.fill(5, lines=5)
    world.put("9", "Subject: without a Message-ID\n\ntext\n")
    wanted = sorted([*expected(5), crlf("Subject: without a Message-ID\n\ntext\n")])
    with world.server("--delete") as server, running(certs, at("import", {0, 3, 5, 6}, HOSTILE[what])) as gmail:
        sync(world, server.port, gmail, "--delete")
        assert bodies(gmail) == wanted
        assert gmail.count("list") >= 3
        server.settle()
    assert world.on_server() == []


def test_a_server_that_stays_broken_loses_nothing(world, certs):
    world.fill(30, lines=5)
    with world.server("--delete") as server:
        with running(certs, lambda step, n: Answer(503) if step == "import" else None) as gmail:
            errors = sync(world, server.port, gmail, "--delete", status=75)
            assert "it may have arrived, and is looked for before it is sent again" in errors
            assert gmail.count("import") <= 70
            server.settle()
        assert len(world.on_server()) == 30
        with running(certs) as gmail:
            sync(world, server.port, gmail, "--delete")
            assert bodies(gmail) == expected(30)


def test_equal_messages_are_told_apart(world, certs):
    """Two with the same octets, of which the first was delivered and the second was not."""
    for name in ("1", "2", "3"):
        world.put(name, message(7, 5))
    with world.server("--delete") as server, running(certs) as gmail:
        process = start(world, server.port, gmail, "--delete", point="gmail-answered:2")
        process.communicate(timeout=DEADLINE)
        assert process.returncode == -signal.SIGKILL
        server.settle()
        gmail.finish_others()
        sync(world, server.port, gmail, "--delete")
        assert bodies(gmail) == [crlf(message(7, 5))] * 3
        assert len({mail.delivery for mail in gmail.mails}) == 3
        server.settle()
    assert world.on_server() == []


def test_a_message_that_was_there_by_another_way_does_not_stand_for_ours(world, certs):
    """Gmail collected the mailbox itself before: the same Message-ID says nothing."""
    world.fill(1, lines=5)
    with world.server("--delete") as server, running(certs) as gmail:
        process = start(world, server.port, gmail, "--delete", point="upload-content")
        process.communicate(timeout=DEADLINE)
        gmail.mails.append(Mail("00ff", [], {}, crlf("X-POP3-Delivery: another\n" + message(0, 5))))
        server.settle()
        gmail.finish_others()
        sync(world, server.port, gmail, "--delete")
        assert [mail.body for mail in gmail.mails] == [crlf(message(0, 5))] * 2


@pytest.mark.parametrize("text", [message(0, 5), "Subject: odd\nMessage-ID: <a (b)@c>\n\ntext\n"], ids=["right", "id"])
def test_where_it_cannot_be_searched_it_is_delivered_at_least_once_and_told(world, certs, text):
    world.put("1", text)
    with world.server("--delete") as server, running(certs) as gmail:
        if text == message(0, 5):
            gmail.scopes = {"import"}
        process = start(world, server.port, gmail, "--delete", point="gmail-answered")
        process.communicate(timeout=DEADLINE)
        server.settle()
        gmail.finish_others()
        errors = sync(world, server.port, gmail, "--delete")
        assert bodies(gmail) == [crlf(text)] * 2
        assert "it is delivered, and may be there twice: searching Gmail for a message of an earlier run" in errors
        server.settle()
    assert world.on_server() == []


def test_cut_at_any_octet_a_message_arrives_once(fast_world, gmail, record_property):
    """The octets that are counted are those under TLS, in either direction; the handshake is among them."""
    world, first = fast_world, 0
    dice = random.Random(SEED)
    whole = []  # octets from the client, and from the server
    cuts = 0
    while first <= CUTS:
        world.fill(1, first=first, lines=5)
        way = first % 2
        at = dice.randrange(whole[way]) if whole else None
        before = list(gmail.requests)
        with world.server("--delete") as server, cut_relay(int(gmail.url.rpartition(":")[2]), way, at) as relay:
            through = SimpleNamespace(url=f"https://localhost:{relay.port}", ca_file=gmail.ca_file)
            process = start(world, server.port, through, "--delete")
            errors = process.communicate(timeout=DEADLINE)[1]
            if process.returncode != 0:
                assert process.returncode == 75, (way, at, errors)
                sync(world, server.port, through, "--delete")
            assert bodies(gmail) == expected(1, first), (way, at, errors, gmail.requests[len(before):])
            server.settle()
            whole = whole or relay.octets
            cuts += relay.was_cut()
        assert world.on_server() == []
        gmail.mails.clear()
        first += 1
    assert cuts > CUTS // 2, "messages are shorter than the first"
    record_property("interrupted", ("Gmail", "cut", cuts))


def test_memory_does_not_grow_with_the_message(world, gmail, monkeypatch):
    """The most that the process had in memory, when the server has read the message."""
    without_quarantine(monkeypatch)
    peaks = Peaks()
    gmail.judge = lambda _text: peaks.take()
    for octets in (200_000, 5_000_000):
        world.put("1", b"Subject: s\n\n" + (b"x" * 76 + b"\n") * (octets // 77))
        with world.server("--delete") as server:
            process = peaks.of(start(world, server.port, gmail, "--delete"))
            _, errors = process.communicate(timeout=DEADLINE)
            assert process.returncode == 0, errors
            server.settle()
    small, large = peaks.seen
    assert large < small + 2000, peaks.seen


# ---- crashes ----

POINTS = ["intents-recorded", "upload-content:1", "upload-content:30", "upload-whole:1", "upload-whole:2", "upload-whole:50",
          "gmail-answered:1", "gmail-answered:3", "gmail-answered:60", "refused-kept:1", "tmp-written:2", "renamed:4",
          "folder-synced:5", "delivered-recorded", "dele-answered:20", "before-quit", "gone-recorded"]  # fmt: skip


def by_content(gmail):
    """One in ten is refused, the same in every run."""
    usual = gmail.httpd.RequestHandlerClass.on_import

    def on_import(self, rest, fields, body):
        text = body.split(b"message/rfc822\r\n\r\n", 1)[1].split(b"\r\n", 1)[1].rsplit(b"\r\n--", 1)[0]
        if zlib.crc32(text) % 10 == 0:
            return 400, {"error": {"code": 400, "message": "Invalid attachment"}}
        return usual(self, rest, fields, body)

    gmail.httpd.RequestHandlerClass = type("Picky", (gmail.httpd.RequestHandlerClass,), {"on_import": on_import})


def check_all(world, server, gmail, count, first=0):
    sync(world, server.port, gmail, "--delete")
    server.settle()
    assert world.on_server() == []
    kept = [crlf(text.split(b"\n", 1)[1].decode()) for text in refused(world)]
    assert sorted(bodies(gmail) + kept) == expected(count, first)


@pytest.mark.interrupted("Gmail", "killed at marked points")
@pytest.mark.parametrize("point", POINTS)
def test_killed_at_a_marked_point(fast_world, gmail, point):
    world = fast_world
    by_content(gmail)
    world.fill(70, lines=5)
    with world.server("--delete") as server:
        process = start(world, server.port, gmail, "--delete", point=point)
        process.communicate(timeout=DEADLINE)
        assert process.returncode == -signal.SIGKILL, "the point was not reached"
        server.settle()
        gmail.finish_others()
        check_all(world, server, gmail, 70)


def test_killed_at_random_moments(fast_world, gmail, record_property):
    world = fast_world
    dice = random.Random(SEED)
    kills = 0
    by_content(gmail)
    with world.server("--delete") as server:
        for first in range(0, 100 * RANDOM, 100):
            world.fill(70, first=first, lines=5)
            process = start(world, server.port, gmail, "--delete")
            before = dice.randrange(0, 60)
            with gmail.imported:
                gmail.imported.wait_for(lambda: len(gmail.mails) >= before or process.poll() is not None, DEADLINE)
            process.kill()
            process.communicate(timeout=DEADLINE)
            kills += process.returncode == -signal.SIGKILL
            server.settle()
            gmail.finish_others()
            check_all(world, server, gmail, 70, first)
            gmail.mails.clear()
            for file in world.path.glob("state.db.refused/*/new/*"):
                file.unlink()
    assert kills > 0
    record_property("interrupted", ("Gmail", "killed at random moments", kills))


# ---- the permission ----


class Agreed(dict):
    """Whoever is asked to enter a code has done so."""

    def get(self, *_unused):
        return True


def test_the_permission_is_obtained_for_the_target_and_the_token_refreshed(world, gmail, certs):
    world.fill(3, lines=5)
    with world.server("--delete") as server, AuthorizationServer(certs) as issuer:
        (world.path / "client-secret").write_text("client-secret-value\n")
        (world.path / "client-secret").chmod(0o600)
        options = ["--gmail-client-id", "mail-client", "--gmail-client-secret-file", str(world.path / "client-secret"),
                   "--gmail-issuer", issuer.issuer]  # fmt: skip
        errors = sync(world, server.port, gmail, *options, status=77, tokens=False)
        assert "pop3 authorize --target pop3" in errors and gmail.requests == []
        issuer.devices = Agreed()
        done = subprocess.run(
            [COMMAND, "authorize", "--target", "--device", f"pop3://user@127.0.0.1:{server.port}", "--gmail", "me@gmail.com",
             "--gmail-url", gmail.url, "--issuer-ca-file", str(gmail.ca_file), *options],
            env=world.environment(), capture_output=True, text=True, timeout=DEADLINE)  # fmt: skip
        assert done.returncode == 0 and "Mail can be delivered: pop3 sync" in done.stdout, done.stderr
        scope = " ".join(f"https://www.googleapis.com/auth/gmail.{name}" for name in ("insert", "readonly", "labels"))
        assert [form["scope"] for _, form in issuer.requests if "scope" in form][0] == scope
        with issuer.lock:
            gmail.tokens = set(issuer.access)
            issuer.access.clear()
        sync(world, server.port, gmail, *options, tokens=False)
        assert len(gmail.mails) == 3 and not issuer.asked("/token", grant_type="refresh_token")
        world.fill(1, first=9, lines=5)

        def refresh(step, number):
            if number > 3:
                gmail.tokens = set(issuer.access)
            return None

        gmail.answer = refresh
        gmail.tokens = set()
        sync(world, server.port, gmail, *options, tokens=False)
        assert len(gmail.mails) == 4 and len(issuer.asked("/token", grant_type="refresh_token")) == 1


@pytest.mark.parametrize("without", ["UIDL", None])
def test_another_message_with_the_message_id_and_the_unique_id_of_one_that_was_imported_is_no_copy_of_it(world, gmail, without):
    """A copy by way of a list, say, or one that somebody forged: it is not deleted unread."""
    options = ["--refuse", without] if without else []
    first = "Subject: first\nMessage-ID: <same@example.org>\n\none\n"
    second = "Subject: second\nMessage-ID: <same@example.org>\n\nanother\n"
    world.put("000000", first)
    with world.server("--delete", *options) as server:
        process = start(world, server.port, gmail, "--delete", point="gmail-answered:1")
        process.communicate(timeout=DEADLINE)
        assert len(gmail.mails) == 1 and world.on_server() != []
        world.put("000000", second)
        sync(world, server.port, gmail, "--delete")
        server.settle()
    assert bodies(gmail) == sorted([crlf(first), crlf(second)]) and world.on_server() == []


def test_lines_that_are_added_to_a_message_do_not_make_it_another(world, gmail):
    world.fill(1, lines=5)
    options = ["--delete", "--received", "--delivered-to", "me@example.org"]
    with world.server("--delete", "--refuse", "UIDL") as server:
        process = start(world, server.port, gmail, *options, point="gmail-answered:1")
        process.communicate(timeout=DEADLINE)
        sync(world, server.port, gmail, *options)
        server.settle()
    assert len(gmail.mails) == 1 and world.on_server() == []


class Raw(http.server.BaseHTTPRequestHandler):
    """Answers each POST with these octets, and a number of pieces; its server's owner lists the requests."""

    begins, piece, count, ends = b"", b"", 0, b""

    def do_POST(self):
        self.server.owner.append(self.command)
        self.rfile.read(int(self.headers["Content-Length"]))
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.write(b"HTTP/1.1 200 OK\r\n" + self.begins)
            for _ in range(self.count):
                self.wfile.write(self.piece)
            self.wfile.write(self.ends)
            self.server.owner.append("all of it was taken")

    def do_GET(self):
        self.server.owner.append(self.command)
        self.send_error(503)

    def log_message(self, *_unused):
        pass


@contextlib.contextmanager
def raw(certs, **octets):
    httpd = https_server(type("Octets", (Raw,), octets), [], certs)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        httpd.url, httpd.ca_file = f"https://localhost:{httpd.server_port}", certs / "ca.pem"
        yield httpd
    finally:
        httpd.shutdown()
        httpd.server_close()
        thread.join()


CHUNKS = b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
LINE = b"X-A: " + b"a" * 1000 + b"\r\n"
ODD = {
    "trailers": {"begins": CHUNKS, "piece": LINE, "count": 20000, "ends": b"\r\n"},
    "header": {"piece": LINE, "count": 20000, "ends": b"\r\n{}"},
    "header line": {"begins": b"X-A: ", "piece": b"a" * 1000, "count": 20000, "ends": b"\r\n\r\n{}"},
}


@pytest.mark.parametrize("odd", ODD)
def test_an_answer_with_too_much_of_a_header_is_given_up_and_nothing_is_sent_again_unasked(world, certs, odd):
    world.fill(1, lines=5)
    with world.server("--delete") as server, raw(certs, **ODD[odd]) as gmail:
        errors = sync(world, server.port, gmail, "--delete", status=75)
        server.settle()
        requests = gmail.owner
    assert requests[:2] == ["POST", "GET"] and requests.count("POST") == 1, "it asks whether the message is there"
    assert set(requests) == {"POST", "GET"}, "no more is taken than the bound"
    assert len(world.on_server()) == 1, errors


@pytest.mark.parametrize("options", [["--labels", "a\nb"], ["--gmail-url", "https://localhost\r\nX: y"], ["--gmail", "me@gmail.com\nX: y"]])
def test_a_setting_of_several_lines_is_refused(world, gmail, options):
    with world.server() as server:
        assert "cannot be used; expected: a " in sync(world, server.port, gmail, *options, status=64)
    assert gmail.requests == []


def test_the_user_is_no_path_and_no_query(world, gmail):
    world.fill(1, lines=5)
    with world.server("--delete") as server:
        errors = sync(world, server.port, gmail, "--delete", "--gmail", "me@gmail.com/../other?x#y", status=77)
        server.settle()
    assert "403" in errors and gmail.requests == ["POST import"] and len(world.on_server()) == 1
