"""What a server that mail is sent to should have got, and has."""

from world import message


def refused(world):
    """What is in the Maildir of messages that were refused for good."""
    return [file.read_bytes() for file in sorted(world.path.glob("state.db.refused/*/new/*"))]


def crlf(text):
    return text.encode().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def expected(count, first=0):
    return sorted(crlf(message(i, 5)) for i in range(first, first + count))


def bodies(server):
    return sorted(mail.body for mail in server.mails)
