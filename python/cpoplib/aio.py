"""cpoplib for asyncio: the same commands as coroutines, on asyncio's own transports.

    async with POP3("mail.example", 995, ssl=True) as pop:
        await pop.user("joe")
        await pop.pass_("secret")
        async for number, message in pop.retr_many(range(1, (await pop.stat())[0] + 1)):
            ...

If a task is cancelled while it waits for a reply, the connection stays usable: the reply is discarded when it arrives.
A timeout, a protocol violation, or a cancelled AUTH, STLS or QUIT closes the connection.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import ssl as _ssl
from collections import deque
from typing import Any, AsyncIterator, Callable, Coroutine, Deque, Dict, Iterable, List, Optional, Tuple, Type, TypeVar, Union, cast, overload

from . import Capabilities, _Engine, error_proto

__all__ = ["POP3", "error_proto"]

Number = Union[int, str]
Long = Tuple[bytes, List[bytes], int]
Answer = Callable[..., Union[bytes, str, None]]
Result = TypeVar("Result")
MAX_WINDOW = 1024
CLOSING = 5  # seconds for close_notify


class _Reply:
    """The reply to a command."""

    def __init__(self, ok: bool, line: bytes, data: Any) -> None:
        self.ok = ok
        self.line = line
        self.data = data

    def agreed(self) -> _Reply:
        if not self.ok:
            raise error_proto(self.line)
        return self


class _Connection(asyncio.Protocol):
    """Moves octets between a transport and the engine, and wakes the tasks that wait for replies."""

    def __init__(self, timeout: Optional[float]) -> None:
        self.loop = asyncio.get_running_loop()
        self.engine = _Engine()
        self.timeout = timeout
        self.transport: Optional[asyncio.Transport] = None
        self.waiting: Deque[asyncio.Future[_Reply]] = deque()  # for replies, in order; the first is the greeting
        self.challenged: Optional[Callable[[bytes], Optional[bytes]]] = None
        self.failure: Optional[BaseException] = None
        self.closed: asyncio.Future[None] = self.loop.create_future()
        self.timer: Optional[asyncio.TimerHandle] = None
        self.heard = self.loop.time()
        self.greeting: Optional[asyncio.Future[_Reply]] = None
        self.empty: Optional[asyncio.Future[None]] = None  # for tasks that wait until no reply is awaited

    def expect(self) -> asyncio.Future[_Reply]:
        """A future for the next reply."""
        future: asyncio.Future[_Reply] = self.loop.create_future()
        self.waiting.append(future)
        self.heard = self.loop.time() if len(self.waiting) == 1 else self.heard
        if self.timeout is not None and self.timer is None:
            self.timer = self.loop.call_later(self.timeout, self.look_at_the_clock)
        return future

    def look_at_the_clock(self) -> None:
        """Ends the connection if nothing is received for `timeout` seconds."""
        self.timer = None
        if not self.waiting or self.timeout is None:
            return
        left = self.heard + self.timeout - self.loop.time()
        if left <= 0:
            self.fail(TimeoutError("timed out"))
        else:
            self.timer = self.loop.call_later(left, self.look_at_the_clock)

    def send(self) -> None:
        octets = self.engine.output()
        if octets and self.transport is not None:
            self.transport.write(octets)

    async def drained(self) -> None:
        """Waits until every reply has arrived, also those of cancelled tasks, because commands queued behind them could
        not be taken back."""
        while self.waiting and self.failure is None:
            if self.empty is None:
                self.empty = self.loop.create_future()
            await asyncio.shield(self.empty)

    def note_empty(self) -> None:
        empty, self.empty = self.empty, None
        if empty is not None and not empty.done():
            empty.set_result(None)

    def submit(self, command: str, *arguments: Any) -> asyncio.Future[_Reply]:
        """Queues a command: send() sends all queued commands at once."""
        if self.failure is not None:
            raise self.failure
        self.engine.submit(command, *arguments)
        return self.expect()

    def fail(self, exception: BaseException) -> None:
        """Ends the connection, because replies can no longer be matched to commands."""
        if self.failure is None:
            self.failure = exception
        waiting, self.waiting = self.waiting, deque()
        for future in waiting:
            if not future.done():
                future.set_exception(self.failure)
                future.exception()  # it has been seen, also when nobody waits any more
        self.note_empty()
        if self.transport is not None:
            self.transport.abort()
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def take(self, events: List[Tuple[str, bool, bytes, Any]]) -> None:
        for kind, ok, line, data in events:
            if kind == "challenge":
                self.engine.respond(self.challenged(line) if self.challenged is not None else None)
                continue
            future = self.waiting.popleft()
            if not future.done():
                future.set_result(_Reply(ok, line, data))
        if self.engine.wants_tls and self.transport is not None:
            self.transport.pause_reading()  # what comes now is TLS
        self.engine.check_alive()
        self.send()
        if not self.waiting:
            self.note_empty()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.greeting = self.expect()
        if self.failure is not None:  # closed meanwhile
            self.fail(self.failure)

    def data_received(self, data: bytes) -> None:
        self.heard = self.loop.time()
        if self.failure is not None:
            return
        try:
            self.take(self.engine.feed(data))
        except Exception as exception:
            self.fail(exception)

    def connection_lost(self, exc: Optional[Exception]) -> None:
        if self.failure is None:
            try:
                self.take(self.engine.end_input())
            except Exception as end:
                self.fail(exc if exc is not None else end)
        self.transport = None
        if not self.closed.done():
            self.closed.set_result(None)


async def _within(seconds: Optional[float], work: Coroutine[Any, Any, Result]) -> Result:
    """Returns what work returns; TimeoutError if that takes longer. Before Python 3.12 asyncio.wait_for() returns the
    result even if the task is cancelled at that moment, and so hides the cancellation."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
        if task.done():
            return task.result()
        raise TimeoutError("timed out")
    finally:
        if task.cancel():
            await asyncio.wait({task})
        if task.done() and not task.cancelled():
            task.exception()  # it has been seen


class _Messages(AsyncIterator[Tuple[int, bytes]]):
    """The iterator of retr_many()."""

    def __init__(self, pop: POP3, numbers: Iterable[Number], window: int) -> None:
        self.pop = pop
        self.numbers = iter(numbers)
        self.window = window
        self.asked: Deque[Tuple[int, asyncio.Future[_Reply]]] = deque()
        self.most = 0  # not known yet how many may be asked for ahead

    def __aiter__(self) -> _Messages:
        return self

    def ask(self, connection: _Connection) -> None:
        while len(self.asked) < self.most:
            for number in self.numbers:
                self.asked.append((int(number), connection.submit("RETR", _number(number))))
                break
            else:
                return

    async def __anext__(self) -> Tuple[int, bytes]:
        connection = self.pop._open()
        async with self.pop._lock:
            if self.most == 0:
                self.most = await self.pop._window(self.window)
            try:
                self.ask(connection)
            finally:
                connection.send()
        if not self.asked:
            raise StopAsyncIteration
        number, future = self.asked.popleft()
        try:
            reply = await asyncio.shield(future)
        except asyncio.CancelledError:
            self.asked.appendleft((number, future))  # the next one to ask gets it
            raise
        return number, cast(bytes, reply.agreed().data)

    async def aclose(self) -> None:
        """Ends the iteration: messages requested in advance are discarded when they arrive."""
        self.numbers = iter(())
        while self.asked:
            self.asked.popleft()[1].cancel()


def _number(which: Number) -> int:
    number = int(which)
    if not 1 <= number < 1 << 32:
        raise ValueError("a message number is from 1 to 4294967295")
    return number


def _lines(message: bytes) -> List[bytes]:
    lines = message.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [line[:-1] if line.endswith(b"\r") else line for line in lines]


def _octets(answer: Union[bytes, str]) -> bytes:
    return answer.encode() if isinstance(answer, str) else answer


class POP3:
    """A connection to a POP3 server. `async with` connects and ends it; see the module."""

    encoding = "UTF-8"

    def __init__(self, host: str, port: Optional[int] = None, *, ssl: Union[_ssl.SSLContext, bool, None] = None,
                 server_hostname: Optional[str] = None, timeout: Optional[float] = None) -> None:
        """ssl: TLS from the start, True with ssl.create_default_context(), or a context of your own.

        timeout: seconds without an octet from the server after which the connection fails with TimeoutError.
        """
        if timeout is not None and timeout <= 0:
            raise ValueError("timeout must be more than 0")
        self.host = host
        self.port = port if port is not None else 995 if ssl else 110
        self.timeout = timeout
        self.welcome = b""
        self._ssl = _ssl.create_default_context() if ssl is True else ssl or None
        self._server_hostname = server_hostname
        self._connection: Optional[_Connection] = None
        self._lock: asyncio.Lock  # one command at a time, but for the window of retr_many()

    # The life of a connection

    async def connect(self) -> bytes:
        """Connects, and returns the greeting."""
        if self._connection is not None:
            raise RuntimeError("there is a connection already")
        name = (self._server_hostname or self.host) if self._ssl is not None else None
        loop = asyncio.get_running_loop()
        connection = self._connection = _Connection(self.timeout)
        self._lock = asyncio.Lock()
        try:
            async with self._lock:
                await _within(self.timeout, loop.create_connection(
                    lambda: connection, self.host, self.port, ssl=self._ssl, server_hostname=name,
                    ssl_handshake_timeout=self._handshake_timeout() if self._ssl is not None else None))
                self.welcome = (await cast("asyncio.Future[_Reply]", connection.greeting)).agreed().line
        except BaseException:
            self._abort(connection)
            raise
        return self.welcome

    def _handshake_timeout(self) -> Optional[float]:
        """The timeout of asyncio's handshake, which must not end before ours."""
        return None if self.timeout is None else 2 * self.timeout

    async def __aenter__(self) -> POP3:
        await self.connect()
        return self

    async def __aexit__(self, exc_type: Optional[Type[BaseException]], exc: Optional[BaseException],
                        traceback: object) -> None:
        if exc_type is None and self._connection is not None:
            await self.quit()
        else:
            await self.close()  # the server must not delete anything now

    async def quit(self) -> bytes:
        """Ends the session, so that the server deletes the marked messages."""
        try:
            async with self._whole():
                return (await self._ask_alone("QUIT")).line
        finally:
            await self.close()

    async def close(self) -> None:
        """Closes without QUIT: nothing is deleted."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if connection.transport is None or connection.waiting:
            connection.fail(error_proto("-ERR EOF"))
        else:
            connection.failure = connection.failure or error_proto("-ERR EOF")
            if not connection.transport.is_closing():  # after a second close() over TLS, abort() fails in Python 3.11
                connection.transport.close()
        try:
            if connection.transport is not None:
                await asyncio.wait({connection.closed}, timeout=CLOSING)
        finally:
            connection.fail(error_proto("-ERR EOF"))

    def _abort(self, connection: _Connection) -> None:
        if self._connection is connection:
            self._connection = None
        connection.fail(error_proto("-ERR EOF"))

    # Commands

    def _open(self) -> _Connection:
        if not hasattr(self, "_lock"):  # connect() has not been called
            raise RuntimeError("there is no connection yet: use `async with`, or await connect()")
        if self._connection is None:
            raise error_proto("-ERR EOF")
        return self._connection

    def _submit(self, command: str, *arguments: Any) -> asyncio.Future[_Reply]:
        connection = self._open()
        future = connection.submit(command, *arguments)
        connection.send()
        return future

    async def _ask_alone(self, command: str, *arguments: Any) -> _Reply:
        """Like _ask(), for a caller that holds the lock."""
        await self._open().drained()
        return (await self._submit(command, *arguments)).agreed()

    async def _ask(self, command: str, *arguments: Any) -> _Reply:
        self._open()
        async with self._lock:
            return await self._ask_alone(command, *arguments)

    @contextlib.asynccontextmanager
    async def _whole(self) -> AsyncIterator[None]:
        """For operations that must not be interrupted: a cancellation within closes the connection."""
        connection = self._open()
        async with self._lock:
            try:
                yield
            except asyncio.CancelledError:
                self._abort(connection)
                raise

    def _text(self, text: str) -> bytes:
        octets = text.encode(self.encoding)
        if any(octet < 0x20 or octet == 0x7F for octet in octets):
            raise ValueError("Control characters not allowed in commands")
        return octets

    def getwelcome(self) -> bytes:
        """The greeting."""
        return self.welcome

    async def user(self, user: str) -> bytes:
        """Sends the user name; the reply asks for the password."""
        return (await self._ask("USER", 0, 0, self._text(user))).line

    async def pass_(self, pswd: str) -> bytes:
        """Sends the password. The server locks the maildrop until quit()."""
        return (await self._ask("PASS", 0, 0, self._text(pswd))).line

    async def apop(self, user: str, password: str) -> bytes:
        """Logs in with a digest of the greeting's timestamp and the password."""
        timestamp = self._open().engine.timestamp
        if not timestamp:
            raise error_proto("-ERR APOP not supported by server")
        digest = hashlib.md5(timestamp + password.encode(self.encoding)).hexdigest()
        return (await self._ask("APOP", 0, 0, self._text(f"{user} {digest}"))).line

    async def rpop(self, user: str) -> bytes:
        """Logs in by the trust of the host (RFC 1081)."""
        return (await self._ask("RPOP", 0, 0, self._text(user))).line

    async def auth(self, mechanism: str, authobject: Optional[Answer] = None, *,
                   initial_response_ok: bool = True) -> bytes:
        """Logs in with a SASL mechanism.

        authobject() returns the initial response or None, authobject(challenge) the answer or None to give up.
        """
        initial = None
        if initial_response_ok:
            first = authobject() if authobject is not None else b""
            if first is not None:
                initial = base64.b64encode(_octets(first)) or b"="
        failures: List[Exception] = []

        def answer(challenge: bytes) -> Optional[bytes]:
            try:
                said = authobject(base64.b64decode(challenge)) if authobject is not None else b""
            except Exception as exception:
                failures.append(exception)
                return None
            return None if said is None else base64.b64encode(_octets(said))

        connection = self._open()
        async with self._whole():
            connection.challenged = answer
            try:
                return (await self._ask_alone("AUTH", 0, 0, self._text(mechanism), initial)).line
            except error_proto:
                if failures:
                    raise failures[0] from None
                raise
            finally:
                connection.challenged = None

    async def stat(self) -> Tuple[int, int]:
        """(number of messages, octets of all)."""
        words = (await self._ask("STAT")).line.split()
        try:
            return int(words[1]), int(words[2])
        except (IndexError, ValueError):
            raise error_proto("Invalid STAT response") from None

    async def _listing(self, command: str, which: Optional[Number]) -> Union[bytes, Long]:
        if which is not None:
            return (await self._ask(f"{command} n", _number(which))).line
        reply = await self._ask(command)
        return reply.line, reply.data, sum(len(line) + 2 for line in reply.data)

    @overload
    async def list(self, which: None = None) -> Long: ...
    @overload
    async def list(self, which: Number) -> bytes: ...
    async def list(self, which: Optional[Number] = None) -> Union[bytes, Long]:
        """Sizes: of one message the reply, of all (reply, lines, octets)."""
        return await self._listing("LIST", which)

    @overload
    async def uidl(self, which: None = None) -> Long: ...
    @overload
    async def uidl(self, which: Number) -> bytes: ...
    async def uidl(self, which: Optional[Number] = None) -> Union[bytes, Long]:
        """Unique-ids: of one message the reply, of all (reply, lines, octets)."""
        return await self._listing("UIDL", which)

    async def retr(self, which: Number) -> Long:
        """A whole message: (reply, lines, octets)."""
        reply = await self._ask("RETR", _number(which))
        return reply.line, _lines(reply.data), len(reply.data)

    async def retr_bytes(self, which: Number) -> bytes:
        """A whole message, with the server's line ends."""
        return cast(bytes, (await self._ask("RETR", _number(which))).data)

    async def top(self, which: Number, howmuch: int) -> Long:
        """A message's header and first lines: (reply, lines, octets)."""
        reply = await self._ask("TOP", _number(which), howmuch)
        return reply.line, _lines(reply.data), len(reply.data)

    async def dele(self, which: Number) -> bytes:
        """Marks a message as deleted; the server deletes it at quit()."""
        return (await self._ask("DELE", _number(which))).line

    async def noop(self) -> bytes:
        """Does nothing on the server."""
        return (await self._ask("NOOP")).line

    async def rset(self) -> bytes:
        """Removes all marks of deletion."""
        return (await self._ask("RSET")).line

    async def utf8(self) -> bytes:
        """Asks for UTF-8 mode (RFC 6856)."""
        return (await self._ask("UTF8")).line

    async def capa(self) -> Dict[str, List[str]]:
        """What the server offers, as a dict of lists."""
        try:
            reply = await self._ask("CAPA")
        except error_proto:
            raise error_proto("-ERR CAPA not supported by server") from None
        words = [line.decode("ascii", "replace").split() for line in reply.data]
        return {line[0]: line[1:] for line in words if line}

    async def capabilities(self) -> Capabilities:
        """The same, parsed; requested once, and again after a login and STLS."""
        known = self._open().engine.capabilities
        if known is None:
            await self.capa()
            known = self._open().engine.capabilities
        if known is None:
            raise error_proto("-ERR CAPA not supported by server")
        return known

    async def stls(self, context: Optional[_ssl.SSLContext] = None) -> bytes:
        """Starts TLS (RFC 2595), with ssl.create_default_context() unless a context is given."""
        if self._ssl is not None:
            raise error_proto("-ERR TLS session already established")
        context = context if context is not None else _ssl.create_default_context()
        async with self._whole():
            reply = await self._ask_alone("STLS")
            await self._secure(context)
        return reply.line

    async def _secure(self, context: _ssl.SSLContext) -> None:
        connection = self._open()
        if connection.failure is not None:  # octets behind the reply, say, that somebody has put there
            raise connection.failure
        try:
            transport: Optional[asyncio.Transport] = await _within(self.timeout, connection.loop.start_tls(
                cast(asyncio.Transport, connection.transport), connection, context,
                server_hostname=self._server_hostname or self.host,
                ssl_handshake_timeout=self._handshake_timeout()))
        except BaseException:
            self._abort(connection)  # nothing may go out in the clear from here on
            raise
        assert transport is not None
        connection.transport = transport
        connection.engine.tls_started()
        self._ssl = context

    async def _window(self, window: int) -> int:
        """How many messages may be requested in advance: one unless the server announces PIPELINING."""
        if window == 1:
            return 1
        engine = self._open().engine
        if engine.capabilities is None:
            await self._submit("CAPA")
        return window if engine.pipelines else 1

    def retr_many(self, numbers: Iterable[Number], *, window: int = 32) -> _Messages:
        """Iterates over (number, message), and requests up to window messages in advance if the server announces PIPELINING.

        A message that is refused raises error_proto; the iteration may go on after it.
        """
        if not 1 <= window <= MAX_WINDOW:
            raise ValueError(f"window must be from 1 to {MAX_WINDOW}")
        return _Messages(self, numbers, window)
