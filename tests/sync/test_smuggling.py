"""`pop3 sync` with a server that does not stuff a dot behind a bare LF, and a mail that makes use of it: what its
author wrote to look like a reply is not taken for one."""

import pytest

from test_out_of_step import script_file
from world import message

COUNT = 120
WHICH = 40  # number of the message that smuggles

SMUGGLED = "Received: from a by b; id 9\r\nFrom: ann@example.org\r\n\r\nSMUGGLED\r\n"


def smuggling(tail: str) -> str:
    """A mail that seems to end early, before `tail`."""
    return f"Received: from a by b; id 5\r\nFrom: eve@example.org\r\n\r\nFIRST HALF\n.\r\n{tail}"


def replies(count: int, end: str) -> str:
    """As many messages that look like replies to RETR, the octets announced and all, as the author likes."""
    return f"+OK {len(SMUGGLED)} octets\r\n{SMUGGLED}{end}" * count


TAILS = {
    "one-that-ends-as-the-mail-does": f"+OK {len(SMUGGLED)} octets\r\n{SMUGGLED}",
    "two": replies(1, ".\r\n".replace(".", "\n.")) + f"+OK\r\n{SMUGGLED}",
    "twelve": replies(11, "\n.\r\n") + "+OK 7 octets\r\nTAIL\r\n",
    "a-refusal": "-ERR no such message\r\n" + f"+OK {len(SMUGGLED)} octets\r\n{SMUGGLED}",
    "words-only": "+OK\r\n" + f"+OK {len(SMUGGLED)} octets\r\n{SMUGGLED}",
}


def quoted(text: str) -> str:
    return text.replace("\r", "\\r").replace("\n", "\\n")


def dialect(tail: str, pieces: str = "") -> str:
    """A server that sends the mail as it is: nothing in it stands behind a CRLF and begins with a dot."""
    mail = smuggling(tail)
    return (f'on "RETR {WHICH}" {{ line "+OK {len(mail)} octets" ; {pieces} send "{quoted(mail)}.\\r\\n" '
            f"; split 0 }}\nserve")  # fmt: skip


@pytest.mark.parametrize("pipelining", ["auto", "off"])
@pytest.mark.parametrize("tail", TAILS)
def test_what_a_mail_smuggles_is_neither_delivered_nor_makes_the_server_lose_mail(world, tail, pipelining):
    world.fill(COUNT)
    with world.server("--delete", "--script", script_file(world, dialect(TAILS[tail]))) as server:
        told = world.sync(server.port, "--delete", "--pipelining", pipelining, status=75)
    others = [message(i).encode() for i in range(COUNT) if i + 1 != WHICH]
    got = world.delivered()
    assert not [m for m in got if b"HALF" in m or b"SMUGGLED" in m or b"TAIL" in m]
    assert sorted(got) == sorted(others), "each of the others once"
    assert world.on_server() == [message(WHICH - 1).encode()]
    assert "not be retrieved or delivered: 1" in told


@pytest.mark.parametrize("tail", TAILS)
def test_it_is_so_when_the_half_arrives_alone(world, tail):
    """The octets behind the seeming end come later than those before it: the author can see to that."""
    half = len(smuggling(""))
    pieces = f"delay-each 20 ; split-at {half},{half + 5},{half + len('+OK 70 octets') + 1} ;"
    world.fill(60)
    with world.server("--delete", "--script", script_file(world, dialect(TAILS[tail], pieces))) as server:
        world.sync(server.port, "--delete", status=75)
    got = world.delivered()
    assert not [m for m in got if b"HALF" in m]
    assert {message(i).encode() for i in range(60) if i + 1 != WHICH} <= set(got)
    assert world.on_server() == [message(WHICH - 1).encode()]
