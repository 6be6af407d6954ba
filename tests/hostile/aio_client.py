#!/usr/bin/env python3
"""cpoplib.aio as a client of the catalogue, as cpoplib_client.py is one for cpoplib. What is left behind (a transport, a
task, a descriptor, an exception that nobody saw) is reported as broken; it is started with warnings as errors.

    aio_client.py plain|tls|stls PORT CA-FILE [OPTION=VALUE]...
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import os
import sys
from typing import Any, AsyncIterator, Awaitable, Iterable

import cpoplib
from cpoplib import aio

sys.dont_write_bytecode = True

from many import serve  # noqa: E402
from cpoplib_client import Limit, Session, numbers_in, peak, print_result, read_options, status_of  # noqa: E402


async def unless_refused(call: Awaitable[Any]) -> Iterable[bytes] | None:
    """A listing's lines; None when the server refuses it."""
    try:
        return (await call)[1]
    except cpoplib.error_proto as error:
        if status_of(error) != "refused":
            raise
        return None


class AwaitedSession(Session):
    """One session, and what it believes."""

    async def messages(self, pop: aio.POP3, numbers: list[int]) -> AsyncIterator[tuple[int, str]]:
        """Each message that comes whole, with its hash."""
        coming = pop.retr_many(numbers)
        while True:
            try:
                number, message = await coming.__anext__()
            except StopAsyncIteration:
                return
            except cpoplib.error_proto as error:
                if status_of(error) != "refused":
                    raise
                continue
            if len(message) > self.options.get("message-octets", len(message)):
                raise Limit
            yield number, hashlib.sha256(message).hexdigest()[:16]

    async def play(self, pop: aio.POP3) -> None:
        if self.how == "stls":
            await pop.stls(self.trust)
        await pop.user("joe")
        await pop.pass_("secret")
        stat = await unless_refused(self.stat(pop))
        numbers = numbers_in(await unless_refused(pop.list()), next(iter(stat)) if stat is not None else 0)
        for line in await unless_refused(pop.uidl()) or []:
            number, _, uid = line.partition(b" ")
            if int(number) < 1 or not uid:
                raise ValueError("a unique-id that is none")
        async for number, digest in self.messages(pop, numbers):
            self.whole.append((number, digest))
        for number, _ in self.whole:
            try:
                await pop.dele(number)
                self.marked.append(number)
            except cpoplib.error_proto as error:
                if status_of(error) != "refused":
                    raise
        await pop.quit()
        self.deleted = self.marked

    @staticmethod
    async def stat(pop: aio.POP3) -> tuple[None, tuple[int, int]]:
        return None, await pop.stat()

    async def run_awaited(self) -> BaseException | None:
        """Plays the session; returns what ended it."""
        pop = aio.POP3("localhost", self.port, ssl=self.trust if self.how == "tls" else None, timeout=self.patience())
        try:
            await pop.connect()
            await self.play(pop)
        except (OSError, cpoplib.error_proto, Limit, ValueError, IndexError) as error:
            return error
        finally:
            await pop.close()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert not left, left
        return None


def main() -> int:
    session = AwaitedSession(sys.argv[1], int(sys.argv[2]), sys.argv[3], read_options(sys.argv[4:]))
    seen: list[str] = []
    sys.unraisablehook = lambda what: seen.append(f"{what.err_msg} {what.exc_value!r} {what.object!r}")
    descriptors = len(os.listdir("/proc/self/fd"))
    loop = asyncio.new_event_loop()
    loop.set_debug(True)
    loop.set_exception_handler(lambda _, context: seen.append(str(context)))
    loop.run_until_complete(loop.getaddrinfo("localhost", None))  # memory of asyncio's own, as for its thread
    before = peak()
    ended = loop.run_until_complete(session.run_awaited())
    loop.run_until_complete(loop.shutdown_default_executor())  # it has resolved the name
    loop.close()
    print_result(session, ended, peak() - before)
    ended = None
    gc.collect()
    for what in seen:
        print(f"broken: {what}")
    if len(os.listdir("/proc/self/fd")) != descriptors:
        print("broken: a descriptor was left open")
    return 0


if __name__ == "__main__":
    sys.exit(serve(main))
