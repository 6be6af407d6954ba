#!/usr/bin/env python3
"""Sixty awkward messages, and the octets that a correct client must make of them.

The messages are what breaks mail clients in the field: dots where the protocol uses dots, lines
of any length, every octet value, line ends that do not match.  They are the same in every run:
all that looks random comes from a hash of the message's name.

    awkward.py OUTDIR          write the messages as they are stored (line ends are mostly LF)
    awkward.py --wire OUTDIR   write, under the same names, what a client's sink must receive

What Dovecot 2.3 does with a stored file when it sends it (RETR), found by observing 2.3.19.1:

- NUL goes out as it is.  (It becomes 0x80 only with pop3_client_workarounds=outlook-no-nuls,
  which the servers of dovecot.py do not set.)  So does every other octet from 0 to 255.
- A LF with no CR before it goes out as CRLF.
- A stored CRLF goes out as it is, so a file of CRLF lines and one of LF lines read the same.
- A bare CR goes out as it is, anywhere; CR CR LF stays CR CR LF.
- A file that does not end in LF gets a CRLF at its end, also one that ends in CR.  LIST and
  RETR's "+OK n octets" count the file without that CRLF, so here they are two short.
- An empty file goes out as one empty line (CRLF), and LIST says 0.
- A dot after a LF is doubled, as RFC 1939 section 3 says, but a dot that is the very first octet
  of the file is not. A client that takes any leading dot away loses it; one that only halves a
  doubled dot, as libpop3 and poplib do, keeps it, but takes one from a first line of two dots.
  A first line that is nothing but a dot reads as the end of the message. So one message here
  begins with a single dot and text, and none with the other two.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import quopri
import sys
from pathlib import Path

# A message's name without number and suffix, and its octets as stored.
Named = tuple[str, bytes]


def expected_wire(stored: bytes) -> bytes:
    """The octets that a correct client hands on when Dovecot sends the file `stored`.

    Stuffed dots are removed and the terminator is not included.  See the top of this file for
    the rules and for how they were found.
    """
    if not stored.endswith(b"\n"):
        stored += b"\r\n"
    return stored.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def noise(name: str, count: int) -> bytes:
    """`count` octets that look random and depend on `name` alone."""
    return hashlib.shake_256(name.encode()).digest(count)


def noise_text(name: str, count: int) -> bytes:
    """`count` letters and digits that look random and depend on `name` alone."""
    encoded = base64.b64encode(noise(name, count)).replace(b"+", b"x").replace(b"/", b"y")
    return encoded[:count]


def wrapped_base64(data: bytes) -> bytes:
    """Base64 in lines of 76 characters, each ended by LF."""
    return base64.encodebytes(data)


def mail(subject: str, body: bytes, *headers: str) -> bytes:
    """A message with the usual headers, the given ones after them, and `body` as it is."""
    lines = [
        "Return-Path: <ada@example.org>",
        "Date: Sun, 15 Nov 2026 10:00:00 +0100",
        "From: Ada Example <ada@example.org>",
        "To: Ben Example <ben@example.net>",
        f"Subject: {subject}",
        "Message-ID: <%s@example.org>" % hashlib.sha256(subject.encode()).hexdigest()[:16],
        "MIME-Version: 1.0",
    ]
    lines.extend(headers)
    return "\n".join(lines).encode("utf-8") + b"\n\n" + body


def multipart(kind: str, boundary: str, parts: list[bytes]) -> tuple[str, bytes]:
    """The Content-Type header and the body of a multipart message; `kind` may hold parameters."""
    delimiter = b"--" + boundary.encode()
    body = b"".join(delimiter + b"\n" + part + b"\n" for part in parts) + delimiter + b"--\n"
    return f'Content-Type: multipart/{kind}; boundary="{boundary}"', body


def structure() -> list[Named]:
    """Messages whose head, body or end is missing, tiny or oversized."""
    many_headers = [f"X-Trace-{n}: {noise_text(f'trace {n}', 40).decode()}" for n in range(3000)]
    references = [f" <{noise_text(f'reference {n}', 24).decode()}@example.org>" for n in range(500)]
    plain = mail("Headers and nothing else", b"")
    from_lines = b"From here on.\n\nFrom ada@example.org Sun Nov 15\n>From there.\n"
    return [
        ("empty-body", mail("Empty body", b"")),
        ("headers-without-blank-line", plain[:-1]),
        ("headers-without-final-newline", plain[:-2]),
        ("empty-lines-only", b"\n" * 7),
        ("one-newline", b"\n"),
        ("tiny-x", b"x"),
        ("empty-file", b""),
        ("no-headers-at-all", b"This text begins at once.\nIt has no header of any kind.\n"),
        ("trailing-blank-lines", mail("Blank lines at the end", b"Text.\n" + b"\n" * 50)),
        ("no-final-newline", mail("No newline at the end", b"One line.\nThe last one")),
        ("three-thousand-headers", mail("Many headers", b"Text.\n", *many_headers)),
        (
            "long-folded-headers",
            mail("Folded", b"Text.\n", "References:\n" + "\n".join(references), "X-Tab:\n\ttabbed"),
        ),
        ("unfolded-long-header", mail("Long " + "header " * 3000, b"Text.\n")),
        (
            "from-lines",
            b"From ada@example.org Sun Nov 15 10:00:00 2026\n"
            + mail("From lines", from_lines),
        ),
    ]


def dots() -> list[Named]:
    """Messages with dots where the protocol puts its own."""
    rows_of_dots = b"".join(b"." * n + b"\n" for n in (2, 3, 4, 5, 70, 511, 512, 513, 2048, 70000))
    smuggled = b"Before.\n.\nQUIT\n.\n+OK\n.\r\nDELE 1\r\n.\r\n\r\n.\r\nAfter.\n"
    bare = b"a\r.\rb\r..\rc\n.\r.\n\r.\n.\r\r\n..\r.\n"
    return [
        ("single-dot-lines", mail("Lines of one dot", b"Text.\n.\n.\n\n.\n\n.\nText.\n")),
        ("lines-of-many-dots", mail("Lines of many dots", rows_of_dots)),
        ("dots-before-text", mail("Dots first", b".profile\n..two\n...three\n. \n.\t\n.\x00\n")),
        ("terminator-in-text", mail("Terminators inside", smuggled)),
        ("last-line-is-a-dot", mail("A dot at the end", b"Text.\n.\n")),
        ("last-line-is-a-dot-unended", mail("A dot and no newline", b"Text.\n.")),
        # Dovecot does not stuff this first dot: see the top of the file.
        ("first-octet-is-a-dot", b".starts with a dot: yes\n" + mail("After a dot", b".\n")),
        ("dots-and-bare-cr", mail("Dots among bare CRs", bare)),
        ("twenty-thousand-dot-lines", mail("Nothing but dots", b".\n" * 20000)),
    ]


def long_lines() -> list[Named]:
    """Messages with lines at and far over every limit that someone has thought of.

    A length counts the line without its line end.
    """

    def lines_of(length: int) -> bytes:
        line = noise_text(f"line of {length}", length)
        return mail(f"Lines of {length} octets", b"Before.\n" + line + b"\n" + line + b"\nAfter.\n")

    # Line ends at every distance from each other, so that a buffer's end falls everywhere.
    growing = b"".join(noise_text(f"growing {n}", n) + b"\n" for n in range(1100))
    return [
        ("line-of-998", lines_of(998)),
        ("line-of-1000", lines_of(1000)),
        ("line-of-2048", lines_of(2048)),
        ("line-of-8192", lines_of(8192)),
        ("line-of-65536", lines_of(65536)),
        ("line-of-100000", lines_of(100_000)),
        ("line-of-a-megabyte", mail("A line of 1 MB", noise_text("megabyte", 1_000_000) + b"\n")),
        ("line-of-100000-dots", mail("A line of dots", b"." * 100_000 + b"\n.\n")),
        ("lines-of-every-length", mail("Lines that grow", growing)),
        ("lines-of-one-character", mail("Short lines", b"a\n" * 100_000)),
    ]


def octets() -> list[Named]:
    """Messages with octets that are not text, or not the text they say they are."""
    latin_1 = "Content-Type: text/plain; charset=iso-8859-1"
    utf_8 = "Content-Type: text/plain; charset=utf-8"
    binary = "Content-Type: application/octet-stream"
    all_values = bytes(range(256))
    escapes = b"\x1b[31mred\x1b[0m\n\x1b]0;title\x07\n\x9b2J\n\x08\x7f\n\x1a\n\x04\n"
    return [
        ("latin-1", mail("Latin-1", "Öl, Café, £5, ÿ\n".encode("latin-1"), latin_1)),
        ("utf-8-headers", mail("Grüße, 日本から", "Žluťoučký kůň.\n".encode(), utf_8)),
        ("all-256-octets", mail("Every octet", all_values + b"\n" + all_values[::-1], binary)),
        ("nul-octets", mail("NULs", b"\0\na\0b\n\0\0\0\n.\0\n\0.\n" + bytes(5000) + b"\n", binary)),
        ("invalid-utf-8", mail("Broken", b"\xc3\n\xff\xfe\n\xed\xa0\x80\n\xf8\n\xc0\xae\n", utf_8)),
        ("byte-order-mark", b"\xef\xbb\xbf" + mail("A BOM first", b"\xef\xbb\xbfText.\n")),
        ("tabs-and-form-feeds", mail("Blanks", b"\t\n\t.\t\n\f\n\v\n \n  x  \n\f.\n\x85\n\xa0\n")),
        ("escape-sequences", mail("Terminal", escapes)),
        ("random-octets", mail("Noise", noise("random octets", 300_000), binary)),
    ]


def line_ends() -> list[Named]:
    """Messages whose stored line ends are not plain LF."""
    text = mail("CRLF as stored", b"One.\n.\n..\n\nTwo.\n")
    mixture = b"lf\ncrlf\r\ncr\rcrcrlf\r\r\nlfcr\n\rlflf\n\ncrlfcrlf\r\n\r\nend\n"
    return [
        ("crlf-line-ends", text.replace(b"\n", b"\r\n")),
        ("mixed-line-ends", mail("A mixture", mixture * 300)),
        ("bare-cr", mail("Bare CR", b"one\rtwo\r\rthree\r\r\rfour\n\r\n\r\r\n" * 100)),
        ("ends-with-cr", mail("A CR at the end", b"Text.\r")),
    ]


def like_protocol() -> list[Named]:
    """Messages that look like a server's replies."""
    replies = b"+OK 120 octets\n-ERR no such message\n+ \n+OK\n.\n-ERR [SYS/TEMP] later\n+OK bye\n"
    listing = b"+OK 2 messages:\n1 120\n2 200\n.\n+OK\nCAPA\nTOP\nUIDL\nSTLS\n.\n"
    return [
        ("reply-lines", replies + mail("Replies", replies * 50)),
        ("listing-lines", mail("Listings", listing)),
    ]


def mime() -> list[Named]:
    """Messages of the formats that real mail consists of."""
    text = b"Content-Type: text/plain\n\n"
    # 15,000,000 octets are 20 MB in base64.
    video = b"Content-Type: video/mp4\nContent-Transfer-Encoding: base64\n\n" + wrapped_base64(
        noise("video", 15_000_000)
    )
    big_type, big = multipart("mixed", "big", [text + b"See the video.\n", video])

    kind, deep = "Content-Type: text/plain", b"At the bottom.\n"
    for level in range(100):
        kind, deep = multipart("mixed", f"level-{level}", [kind.encode() + b"\n\n" + deep])

    page = b"<!DOCTYPE html>\n<html><body><p>Hello</p>\n<!-- \n.\n --></body></html>\n"
    html_type, html = multipart(
        "alternative", "alt", [text + b"Hello\n", b"Content-Type: text/html\n\n" + page]
    )
    quoted = quopri.encodestring("Grüße = viele\t \n.\nÄußerst lange Zeile ".encode() * 40)
    flowed = b"This line flows \non to this one.\n> quoted \n>> twice\n From here\n-- \nAda\n"

    return [
        ("base64-of-20-megabytes", mail("A video", big, big_type)),
        ("deep-mime", mail("A hundred levels", deep, kind)),
        ("html", mail("HTML", html, html_type)),
        (
            "quoted-printable",
            mail("QP", quoted + b"\n", "Content-Transfer-Encoding: quoted-printable"),
        ),
        ("format-flowed", mail("Flowed", flowed, "Content-Type: text/plain; format=flowed")),
    ] + mime_of_other_times()


def mime_of_other_times() -> list[Named]:
    """Formats with rules of their own for lines and octets: encodings, signatures, reports."""
    data = noise("attachment", 9000)
    uu_lines = [_uuencoded(data[at : at + 45]) for at in range(0, len(data), 45)]
    uuencoded = b"begin 644 data.bin\n" + b"".join(uu_lines) + b"`\nend\n"

    signature = b"-----BEGIN PGP SIGNATURE-----\n\n" + wrapped_base64(noise("signature", 119))
    signed_type, signed = multipart(
        "signed; micalg=pgp-sha256; protocol=application/pgp-signature",
        "sig",
        [
            b"Content-Type: text/plain\n\nSigned, with blanks at the end.  \n- -- \n",
            b"Content-Type: application/pgp-signature\n\n"
            + signature
            + b"-----END PGP SIGNATURE-----\n",
        ],
    )
    event = (
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//example.org//awkward//EN\r\n"
        b"METHOD:REQUEST\r\n"
        b"BEGIN:VEVENT\r\nUID:1@example.org\r\nDTSTAMP:20261115T090000Z\r\n"
        b"DTSTART:20261120T090000Z\r\nSUMMARY:A very long summary that goes on and on until it\r\n"
        b"  folds\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    inner = [b"\n" + mail(f"Digest {n}", b"Text.\n.\n") for n in range(20)]
    digest_type, digest = multipart("digest", "digest", inner)
    bounce_type, bounce = multipart(
        "report; report-type=delivery-status",
        "report",
        [
            b"Content-Type: text/plain\n\nYour message could not be delivered.\n",
            b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.net\n\n"
            b"Final-Recipient: rfc822; nobody@example.net\nAction: failed\nStatus: 5.1.1\n",
            b"Content-Type: message/rfc822\n\n" + mail("What bounced", b".\n"),
        ],
    )
    return [
        ("uuencode", mail("UU", uuencoded)),
        ("yenc-binary", mail("yEnc", _yencoded(noise("yenc", 20_000)))),
        ("pgp-signed", mail("Signed", signed, signed_type)),
        ("calendar", mail("Invitation", event, "Content-Type: text/calendar; method=REQUEST")),
        ("digest", mail("Digest", digest, digest_type)),
        ("bounce", mail("Undelivered", bounce, bounce_type, "Auto-Submitted: auto-replied")),
        ("null-sender", b"Return-Path: <>\n" + mail("From nobody", b"Text.\n", "Sender: <>")),
    ]


def _uuencoded(chunk: bytes) -> bytes:
    """One line of uuencode.  Written out here because binascii's form differs between versions."""
    padded = chunk + bytes(-len(chunk) % 3)
    sextets = [len(chunk)]
    for at in range(0, len(padded), 3):
        group = int.from_bytes(padded[at : at + 3], "big")
        sextets.extend((group >> shift) & 63 for shift in (18, 12, 6, 0))
    return bytes(sextet + 32 if sextet else 96 for sextet in sextets) + b"\n"


def _yencoded(data: bytes) -> bytes:
    """yEnc: 8-bit lines of 128 octets; dots at line starts are left as they are, on purpose."""
    lines = [b"=ybegin line=128 size=%d name=data.bin" % len(data)]
    line = bytearray()
    for octet in data:
        value = (octet + 42) & 255
        line += bytes((0x3D, (value + 64) & 255)) if value in b"\0\n\r=" else bytes((value,))
        if len(line) >= 128:
            lines.append(bytes(line))
            line.clear()
    lines += [bytes(line), b"=yend size=%d" % len(data)]
    return b"\n".join(lines) + b"\n"


def messages() -> dict[str, bytes]:
    """All sixty, by file name, in the order of their names."""
    named: list[Named] = []
    for group in (structure, dots, long_lines, octets, line_ends, like_protocol, mime):
        named.extend(group())
    assert len(named) == 60, len(named)
    return {f"{n:02d}-{slug}.eml": data for n, (slug, data) in enumerate(named, start=1)}


def write_messages(directory: Path, wire: bool = False) -> list[Path]:
    """Write all sixty into `directory` (made if need be), as stored or as expected on the wire."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, stored in messages().items():
        path = directory / name
        path.write_bytes(expected_wire(stored) if wire else stored)
        paths.append(path)
    return paths


def main(arguments: list[str]) -> int:
    """The command: see the top of the file."""
    parser = argparse.ArgumentParser(description="Write sixty awkward messages.")
    parser.add_argument("--wire", action="store_true", help="write what a client must receive")
    parser.add_argument("outdir", type=Path, metavar="OUTDIR")
    options = parser.parse_args(arguments)
    write_messages(options.outdir, options.wire)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
