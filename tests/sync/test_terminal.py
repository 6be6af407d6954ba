"""What a server says cannot command the terminal: every control, format and bidirectional character, the separators
of lines and paragraphs, and each kind of octets that are not UTF-8, in every place where a subcommand shows text."""

import fcntl
import json
import os
import re
import select
import struct
import subprocess
import termios
import unicodedata

import pytest

from subcommands import ELSEWHERE, Mailbox, all_subcommands
from world import DEADLINE

# What a line of a reply cannot hold: it would end it.
ENDS = "\r\n\0"
UNSAFE = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) in ("Cc", "Cf", "Zl", "Zp")]
CHARACTERS = [c for c in UNSAFE if c not in ENDS]

# Octets that are not UTF-8: alone, cut, overlong, a surrogate, too large; and C1 controls as single octets.
INVALID = [bytes([c]) for c in range(0x80, 0x100)] + [
    b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xc0\x9b", b"\xc1\xbf", b"\xe0\x80\x9b", b"\xe0\x9f\xbf",
    b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf0\x80\x80\x9b", b"\xf0\x8f\xbf\xbf", b"\xf4\x90\x80\x80",
    b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80", b"\xe2\x80\xae\x80", b"\xc2\xc2\x9b",
]  # fmt: skip

# Sequences that terminals obey: the colour, the title, a reply that types, the clipboard; in 7 and 8 bits.
SEQUENCES = [b"\x1b[31m", b"\x1b]0;title\x07", b"\x1b[6n", b"\x1b]52;c;aWQK\x07", b"\xc2\x9b31m", b"\x9b31m", b"\x1bP+q\x1b\\"]

HOSTILE = b"<" + b".".join([*(c.encode() for c in CHARACTERS), *INVALID, *SEQUENCES]) + b">"

# What sync's progress does to the terminal itself.
ERASE = "\x1b[1A\x1b[2K"


def quoted(octets):
    return '"' + "".join(f"\\x{c:02x}" for c in octets) + '"'


def pieces(octets, most):
    """As many as hold it all, each within the length of a line and at whole parts."""
    parts, line = [], b""
    for part in octets.split(b"."):
        if len(line) + len(part) > most:
            parts.append(line)
            line = b""
        line += b"." + part
    return [*parts, line]


def server_script(path):
    """A server that says all of it wherever it says anything. Unique-ids are short: there is one for each piece, and
    a message."""
    lines = [f"line {quoted(b'X' + piece)}" for piece in pieces(HOSTILE, 400)]
    uids = [f"line {quoted(b'%d U%s' % (i, piece.replace(b' ', b'')))}"
            for i, piece in enumerate(pieces(HOSTILE, 60), 1)]  # fmt: skip
    listing = [f"line {quoted(b'%d 100 %s' % (i, HOSTILE[:1500]))}" for i in range(1, len(uids) + 1)]
    header = b"From: " + HOSTILE + b"\r\nSubject: =?utf-8?q?" + b"".join(b"=%02X" % c for c in HOSTILE) + b"?= x\r\n"
    header += b"Date: " + HOSTILE + b"\r\nX-" + HOSTILE.replace(b":", b"") + b": " + HOSTILE + b"\r\n\r\n"
    body = HOSTILE + b"\r\n" + b"a\x00b\rc\n" + HOSTILE[:-1] + b"\xe2\x82\r\n.\r\n"
    ok = f'line {quoted(b"+OK " + HOSTILE)}'
    message = f"send {quoted(b'+OK ' + HOSTILE + bytes([13, 10]) + header + body)}"
    path.write_text("\n".join([
        f"on CAPA {{ {ok} ; line \"USER\" ; line \"UIDL\" ; line \"TOP\" ; {' ; '.join(lines)} ; line \".\" }}",
        f"on STAT {{ line {quoted(b'+OK %d 5 ' % len(uids) + HOSTILE)} }}",
        f"on LIST {{ {ok} ; {' ; '.join(listing)} ; line \".\" }}",
        f'on "LIST 1" {{ line {quoted(b"+OK 1 5 " + HOSTILE)} }}',
        f"on UIDL {{ {ok} ; {' ; '.join(uids)} ; line \".\" }}",
        f'on "UIDL 1" {{ line {quoted(b"+OK 1 U" + HOSTILE[:60])} }}',
        f"on RETR {{ {message} }}",
        f"on TOP {{ {message} }}",
        f'on "RETR 2" {{ line {quoted(b"-ERR " + HOSTILE)} }}',
        f'on "TOP 2 0" {{ line {quoted(b"-ERR " + HOSTILE)} }}',
        f"on NOOP {{ {ok} }}", f"on RSET {{ {ok} }}", f"on DELE {{ {ok} }}", f"on QUIT {{ {ok} ; close }}",
        "serve", ""]))  # fmt: skip
    return path


def terminal(words, env, typed=b"", folder=None):
    """Runs a command whose output and complaints are a terminal, one so wide that tables are not cut; returns the
    octets that it gets, and the status."""
    fd, its = os.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 20000, 0, 0))
    answers, writer = os.pipe()  # a command that asks for nothing may end before anything could be written to it
    os.write(writer, typed)
    os.close(writer)
    process = subprocess.Popen(words, env=env, cwd=folder, stdin=answers, stdout=its, stderr=its)
    os.close(its)
    os.close(answers)
    shown = b""
    while True:
        readable, _, _ = select.select([fd], [], [], DEADLINE)
        assert readable, shown
        try:
            data = os.read(fd, 65536)
        except OSError:
            break
        if not data:
            break
        shown += data
    os.close(fd)
    return shown, process.wait(DEADLINE)


def assert_harmless(octets, own=()):
    text = octets.decode()  # strictly
    for sequence in own:
        text = text.replace(sequence, "")
    text = text.replace("\r\n", "\n")
    bad = sorted({f"U+{ord(c):04X}" for c in text
                  if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") and c not in "\n\t"})  # fmt: skip
    assert not bad, bad


SHELL = b"capa\nstat\nlist\nlist 1\nuidl\nuidl 1\nretr 1\nretr 2\ntop 1\ntop 2\ndele 1\nnoop\nrset\nquit\n"

COMMANDS = [
    ["capa"], ["capa", "--json"], ["cat", "1"], ["cat", "1-3"], ["cat", "2"], ["doctor"], ["doctor", "--verbose"],
    ["headers"], ["headers", "--verbose"], ["headers", "--json"], ["list"], ["list", "--json"], ["list", "--trace"],
    ["rm", "1"], ["rm", "1-"], ["shell"], ["stat"], ["stat", "--json"], ["top", "1"], ["top", "2"],
    ["top", "--lines", "9", "1"], ["uidl"], ["uidl", "1-"], ["uidl", "--json"], ["sync", "--dry-run"], ["sync"],
    ["sync", "--verbose"], ["sync", "--json"], ["sync", "--trace"], ["sync", "--max-size", "10"],
]  # fmt: skip


def test_every_subcommand_is_looked_at():
    assert {words[0] for words in COMMANDS} == all_subcommands() - ELSEWHERE


@pytest.fixture
def hostile(world):
    world.fill(3)
    with world.server("--script", server_script(world.path / "script")) as server:
        yield Mailbox(world, server)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_terminal_gets_nothing_that_it_obeys(hostile, words):
    name, *rest = words
    more = ["--auth", "USER"]
    if name == "sync":
        more += ["--maildir", hostile.world.maildir, "--state", hostile.world.state, "--retries", "0"]
    shown, _ = terminal(hostile.words(name, *rest, *more), hostile.world.environment(LANG="C.UTF-8", TERM="xterm"),
                        SHELL)  # fmt: skip
    assert shown
    assert_harmless(shown, [ERASE] if name == "sync" else [])


@pytest.mark.parametrize("text", ["-ERR ", "-ERR [AUTH] ", "+OK "])
@pytest.mark.parametrize("at", ["greeting", "PASS"])
@pytest.mark.parametrize("name", ["stat", "doctor", "shell", "sync"])
def test_a_refusal_cannot_command_the_terminal(world, name, at, text):
    line = f"line {quoted(text.encode() + HOSTILE)}"
    script = world.path / "script"
    script.write_text(f"on PASS {{ {line} }}\nserve\n" if at == "PASS" else f"{line}\nserve\n")
    with world.server("--script", script) as server:
        mailbox = Mailbox(world, server)
        more = ["--auth", "USER"]
        if name == "sync":
            more += ["--maildir", world.maildir, "--state", world.state, "--retries", "0"]
        shown, _ = terminal(mailbox.words(name, *more), world.environment(), SHELL)
    assert_harmless(shown, [ERASE])


def test_the_test_would_see_it():
    for octets in (b"\x1b", b"\xc2\x9b", b"\x9b", "\u202e".encode(), "\u061c".encode(), "\u2028".encode(),
                   "\u206a".encode(), b"\xed\xa0\x80"):  # fmt: skip
        with pytest.raises((AssertionError, UnicodeDecodeError)):
            assert_harmless(b"a" + octets + b"b")
    assert len(CHARACTERS) > 200


def test_what_goes_into_a_file_or_a_pipe_is_the_message_octet_for_octet(world):
    message = b"Subject: x\r\n\r\n" + bytes(range(1, 256)).replace(b"\n", b"") + HOSTILE + b"\x00\r\n" + b"a\nb\rc\r\n"
    script = world.path / "script"
    stuffed = message.replace(b"\r\n.", b"\r\n..")
    script.write_text(f"on RETR {{ send {quoted(b'+OK' + bytes([13, 10]) + stuffed + b'.' + bytes([13, 10]))} }}\nserve\n")
    world.fill(1)
    with world.server("--script", script) as server:
        words = Mailbox(world, server).words("cat", 1, "--auth", "USER")
        done = subprocess.run(words, env=world.environment(), capture_output=True, timeout=DEADLINE)
        assert done.stdout == message, done.stderr
        with open(world.path / "out", "wb") as out:
            subprocess.run(words, env=world.environment(), stdout=out, check=True, timeout=DEADLINE)
        assert (world.path / "out").read_bytes() == message


def test_json_keeps_what_it_escapes(hostile):
    uid = "U\x1b\x7f\x9b\u202e\u2028\U000e0041é"
    script = hostile.world.path / "json"
    script.write_text(f"on UIDL {{ line \"+OK\" ; line {quoted(b'1 ' + uid.encode())} ; line \".\" }}\nserve\n")
    with hostile.world.server("--script", script) as server:
        shown = Mailbox(hostile.world, server).run("uidl", "--json", "--auth", "USER")
    assert_harmless(shown.encode())
    assert "é" in shown
    assert json.loads(shown) == {"number": 1, "uid": uid}


def test_numbers_beyond_63_bits_are_not_negative_in_json(world):
    script = world.path / "script"
    script.write_text('on STAT { line "+OK 18446744073709551615 18446744073709551614" }\n'
                      'on LIST { line "+OK" ; line "1 18446744073709551614" ; line "." }\nserve\n')  # fmt: skip
    world.fill(1)
    with world.server("--script", script) as server:
        mailbox = Mailbox(world, server)
        found = json.loads(mailbox.run("stat", "--json", "--auth", "USER"))
        assert found["messages"] == found["octets"] == float(2**64)
        assert json.loads(mailbox.run("list", "--json", "--auth", "USER"))["octets"] == float(2**64)
        assert not re.search("-", mailbox.run("stat", "--auth", "USER"))


def test_a_size_that_is_not_known_is_no_number(world):
    script = world.path / "script"
    script.write_text('on STAT { line "+OK 1 x" }\non LIST { line "+OK" ; line "1 -5" ; line "." }\nserve\n')
    world.fill(1)
    with world.server("--script", script) as server:
        mailbox = Mailbox(world, server)
        assert json.loads(mailbox.run("stat", "--json", "--auth", "USER")) == {"messages": 1, "octets": None}
        assert json.loads(mailbox.run("list", "--json", "--auth", "USER"))["octets"] is None
        assert mailbox.run("stat", "--auth", "USER") == "1 messages, size ?\n"
        assert mailbox.run("headers", "--verbose", "--auth", "USER").startswith("message 1\n")
