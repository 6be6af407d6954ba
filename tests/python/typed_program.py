"""What a program that mypy checks strictly does with cpoplib; it is never run: see test_types.py."""

import io
import ssl
from typing import List, Optional, Tuple

import cpoplib
from cpoplib import aio


def blocking(host: str) -> List[bytes]:
    with cpoplib.POP3_SSL(host, context=ssl.create_default_context(), timeout=10) as pop:
        pop.user("joe")
        pop.pass_("secret")
        count, octets = pop.stat()
        response, listing, size = pop.list()
        one: bytes = pop.list(1)
        lines: List[bytes] = pop.retr(count)[1]
        body: bytes = pop.retr_bytes(count)
        with io.BytesIO() as file:
            written: int = pop.retr_into(1, file)
        for number, message in pop.retr_many(range(1, count + 1), window=8):
            body += message * number
        caps = pop.capabilities
        delay: Optional[int] = caps.login_delay
        names: Tuple[str, ...] = caps.lines
        pop.auth("PLAIN", lambda challenge=None: b"")
        pop.set_debuglevel(1)
        print(octets, response, listing, size, one, written, delay, names, pop.getwelcome())
        return lines


async def awaited(host: str) -> bytes:
    async with aio.POP3(host, ssl=True, timeout=60) as pop:
        await pop.user("joe")
        count, _ = await pop.stat()
        response, listing, size = await pop.list()
        body: bytes = await pop.uidl(1)
        print(response, listing, size)
        async for number, message in pop.retr_many(range(1, count + 1), window=32):
            body += message
        return body


def plain(pop: cpoplib.POP3) -> None:
    try:
        pop.dele("1")
        pop.stls(context=None)
    except cpoplib.error_proto as error:
        print(error)



