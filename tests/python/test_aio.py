"""cpoplib.aio: whole sessions on asyncio's transports, and what cuts them off."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import itertools
import ssl
import subprocess
from pathlib import Path
from typing import Any, AsyncIterator, Awaitable, Callable, Iterator

import cpoplib
import pytest
from cpoplib import aio

try:
    import uvloop
except ImportError:
    uvloop = None

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 30  # seconds: only ever reached by a hanging client

LOOPS = [pytest.param(asyncio.new_event_loop, id="asyncio")]
if uvloop is not None:
    LOOPS.append(pytest.param(uvloop.new_event_loop, id="uvloop"))


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Iterator[Callable[[Awaitable[Any]], Any]]:
    loop = request.param()
    yield lambda work: loop.run_until_complete(asyncio.wait_for(work, DEADLINE))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certificates")
    subprocess.run([ROOT / "tests/server/make-certs.sh", directory], check=True, capture_output=True)
    return directory


def server_context(certificates: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "good.pem", certificates / "good.key")
    return context


def client_context(certificates: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificates / "ca.pem"))


MESSAGES = {n: b"Subject: %d\r\n\r\n" % n + b"a line of message %d\r\n" % n * n * 50 for n in range(1, 6)}
OFFERED = b"+OK\r\nUIDL\r\nTOP\r\nSTLS\r\nSASL PLAIN\r\n%b.\r\n"


class Server:
    """A POP3 server of a few lines, that notes what it was asked; a test may answer in its place."""

    def __init__(self, pipelining: bool = True, own: dict[bytes, Any] | None = None,
                 certificates: Path | None = None, tls: bool = False) -> None:
        self.offered = OFFERED % (b"PIPELINING\r\n" if pipelining else b"")
        self.own = own or {}
        self.certificates = certificates
        self.tls = tls
        self.seen: list[bytes] = []
        self.over = asyncio.Event()
        self.task: Any = None

    def answer(self, words: list[bytes]) -> bytes:
        number = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
        if words[0] in (b"RETR", b"TOP"):
            return b"+OK\r\n" + MESSAGES[number] + b".\r\n" if number in MESSAGES else b"-ERR no such message\r\n"
        if words[0] in (b"LIST", b"UIDL"):
            rows = {n: b"%d %d" % (n, len(m)) if words[0] == b"LIST" else b"%d id%d" % (n, n)
                    for n, m in MESSAGES.items()}
            return b"+OK %b\r\n" % rows[number] if number else b"+OK\r\n" + b"\r\n".join(rows.values()) + b"\r\n.\r\n"
        if words[0] == b"STAT":
            return b"+OK 5 %d\r\n" % sum(len(m) for m in MESSAGES.values())
        if words[0] == b"CAPA":
            return self.offered
        return b"+OK done\r\n"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.task = asyncio.current_task()
        try:
            writer.write(b"+OK hello <1@host>\r\n")
            while line := await reader.readline():
                self.seen.append(line.rstrip())
                words = line.split()
                own = self.own.get(words[0], None)
                reply = own(self, reader, writer) if callable(own) else own
                if asyncio.iscoroutine(reply):
                    reply = await reply
                writer.write(self.answer(words) if reply is None else reply)
                await writer.drain()
                if words[0] == b"QUIT":
                    break
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self.over.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        context = server_context(self.certificates) if self.tls and self.certificates else None
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0, ssl=context)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            await server.wait_closed()


def server_that_holds_retr() -> tuple[Server, asyncio.Event, asyncio.Event]:
    """Answers RETR only when told to; with the events that it was asked, and that it may go on."""
    asked, go = asyncio.Event(), asyncio.Event()

    async def wait(*_: Any) -> None:
        asked.set()
        await go.wait()

    return Server(own={b"RETR": wait}), asked, go


Run = Callable[[Awaitable[Any]], Any]


def test_every_command_returns_what_it_returns_without_await(run: Run) -> None:
    async def session() -> None:
        server = Server()
        async with server.running() as port, aio.POP3("127.0.0.1", port, timeout=DEADLINE) as pop:
            assert pop.getwelcome() == b"+OK hello <1@host>"
            assert await pop.user("joe") == b"+OK done"
            assert await pop.pass_("secret words") == b"+OK done"
            assert await pop.stat() == (5, sum(len(m) for m in MESSAGES.values()))
            assert (await pop.list())[1][1] == b"2 %d" % len(MESSAGES[2])
            assert await pop.list(2) == b"+OK 2 %d" % len(MESSAGES[2])
            assert await pop.uidl() == (b"+OK", [b"%d id%d" % (n, n) for n in MESSAGES], 35)
            assert await pop.uidl("3") == b"+OK 3 id3"
            assert await pop.retr(1) == (b"+OK", MESSAGES[1].split(b"\r\n")[:-1], len(MESSAGES[1]))
            assert await pop.retr_bytes(5) == MESSAGES[5]
            assert (await pop.top(2, 1))[0] == b"+OK"
            assert (await pop.capa())["SASL"] == ["PLAIN"]
            assert "PIPELINING" in (await pop.capabilities()).names
            for call in (pop.dele(1), pop.rset(), pop.noop(), pop.utf8(), pop.rpop("joe"), pop.apop("joe", "x")):
                assert await call == b"+OK done"
        assert server.seen[-1] == b"QUIT"
        assert server.seen[:2] == [b"USER joe", b"PASS secret words"]

    run(session())


@pytest.mark.parametrize("pipelining", [True, False])
def test_messages_come_in_their_order_and_a_refusal_does_not_end_the_iteration(run: Run, pipelining: bool) -> None:
    async def session() -> None:
        server = Server(pipelining)
        async with server.running() as port, aio.POP3("127.0.0.1", port, timeout=DEADLINE) as pop:
            found = {number: message async for number, message in pop.retr_many(MESSAGES)}
            assert found == MESSAGES
            messages = pop.retr_many([1, 9, "2"])
            assert await messages.__anext__() == (1, MESSAGES[1])
            with pytest.raises(cpoplib.error_proto, match="no such message"):
                await messages.__anext__()
            assert [number async for number, _ in messages] == [2]

    run(session())


@pytest.mark.parametrize("pipelining", [True, False])
def test_an_iteration_that_is_left_early_leaves_the_connection_in_step(run: Run, pipelining: bool) -> None:
    async def session() -> None:
        server = Server(pipelining)
        async with server.running() as port, aio.POP3("127.0.0.1", port, timeout=DEADLINE) as pop:
            messages = pop.retr_many(MESSAGES, window=3)
            await messages.__anext__()
            await messages.aclose()
            assert (await pop.stat())[0] == 5
            assert await pop.retr_bytes(2) == MESSAGES[2]

    run(session())


def test_commands_of_many_tasks_are_served_one_after_the_other(run: Run) -> None:
    async def session() -> None:
        server = Server()
        async with server.running() as port, aio.POP3("127.0.0.1", port, timeout=DEADLINE) as pop:
            found = await asyncio.gather(*[pop.retr_bytes(n % 5 + 1) for n in range(20)])
            assert found == [MESSAGES[n % 5 + 1] for n in range(20)]

    run(session())


def test_a_task_that_is_cancelled_leaves_the_connection_in_step(run: Run) -> None:
    async def session() -> None:
        server, asked, go = server_that_holds_retr()
        async with server.running() as port, aio.POP3("127.0.0.1", port, timeout=DEADLINE) as pop:
            retrieving = asyncio.ensure_future(pop.retr(1))
            await asked.wait()
            deleting = asyncio.ensure_future(pop.dele(1))
            await asyncio.sleep(0)
            for task in (retrieving, deleting):
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            go.set()
            assert (await pop.stat())[0] == 5
        assert server.seen == [b"RETR 1", b"STAT", b"QUIT"]  # what had not been sent was not sent

    run(session())


@pytest.mark.parametrize("command", ["AUTH", "STLS", "QUIT"])
def test_a_cancelled_command_that_changes_the_session_closes_the_connection(run: Run, command: str) -> None:
    async def session() -> None:
        asked = asyncio.Event()

        async def never(*_: Any) -> None:
            asked.set()
            await asyncio.Event().wait()

        server = Server(own={command.encode(): never})
        async with server.running() as port:
            pop = aio.POP3("127.0.0.1", port, timeout=DEADLINE)
            await pop.connect()
            call = {"AUTH": lambda: pop.auth("PLAIN"), "STLS": pop.stls, "QUIT": pop.quit}[command]()
            task = asyncio.ensure_future(call)
            await asked.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            with pytest.raises(cpoplib.error_proto, match="EOF"):
                await pop.noop()
            server.task.cancel()
            await server.over.wait()

    run(session())


def test_silence_for_as_long_as_the_timeout_closes_the_connection(run: Run) -> None:
    async def session() -> None:
        gone = asyncio.Event()

        async def silent(server: Server, reader: asyncio.StreamReader, writer: Any) -> bytes:
            with contextlib.suppress(OSError):
                assert await reader.read(1) == b""
            gone.set()
            return b""

        server = Server(own={b"NOOP": silent})
        async with server.running() as port:
            pop = aio.POP3("127.0.0.1", port, timeout=2)  # a busy machine may be long at connecting
            await pop.connect()
            for _ in range(2):
                with pytest.raises(TimeoutError):
                    await pop.noop()
            await gone.wait()
            await server.over.wait()
            await pop.close()

    run(session())


def test_the_end_of_the_connection_fails_all_who_wait(run: Run) -> None:
    async def session() -> None:
        async def hang_up(server: Server, reader: Any, writer: asyncio.StreamWriter) -> bytes:
            writer.close()
            return b""

        server = Server(own={b"NOOP": hang_up})
        async with server.running() as port:
            pop = aio.POP3("127.0.0.1", port, timeout=DEADLINE)
            await pop.connect()
            failed = await asyncio.gather(pop.noop(), pop.stat(), pop.retr(1), return_exceptions=True)
            assert all(isinstance(f, (cpoplib.error_proto, OSError)) for f in failed)
            await pop.close()
            with pytest.raises(cpoplib.error_proto):
                await pop.noop()

    run(session())


def test_an_exception_in_the_block_closes_without_quit(run: Run) -> None:
    async def session() -> None:
        server = Server()
        async with server.running() as port:
            with pytest.raises(LookupError):
                async with aio.POP3("127.0.0.1", port, timeout=DEADLINE) as pop:
                    await pop.dele(1)
                    raise LookupError
            await server.over.wait()
        assert server.seen == [b"DELE 1"]

    run(session())


def test_a_command_without_a_connection_says_what_is_missing(run: Run) -> None:
    with pytest.raises(RuntimeError, match="async with"):
        run(aio.POP3("127.0.0.1").stat())


def test_what_cannot_be_sent_is_not_sent(run: Run) -> None:
    async def session() -> None:
        server = Server()
        async with server.running() as port, aio.POP3("127.0.0.1", port, timeout=DEADLINE) as pop:
            for call in (pop.user("joe\r\nDELE 1"), pop.pass_("a\0b"), pop.retr(0), pop.dele(1 << 32), pop.list(-1)):
                with pytest.raises(ValueError):
                    await call
            assert await pop.noop() == b"+OK done"
        assert server.seen == [b"NOOP", b"QUIT"]

    run(session())


def test_a_sasl_login_answers_challenges(run: Run) -> None:
    async def session() -> None:
        async def challenge(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
            writer.write(b"+ UGFzcz8=\r\n")
            server.seen.append((await reader.readline()).strip())
            return b"+OK welcome\r\n"

        server = Server(own={b"AUTH": challenge})
        async with server.running() as port, aio.POP3("127.0.0.1", port, timeout=DEADLINE) as pop:
            def answer(challenge: bytes | None = None) -> bytes | None:
                return None if challenge is None else b"yes to " + challenge

            assert await pop.auth("PLAIN", answer) == b"+OK welcome"

            def fail(challenge: bytes | None = None) -> bytes | None:
                raise LookupError("no secret")

            server.own[b"AUTH"] = refuse
            with pytest.raises(LookupError, match="no secret"):
                await pop.auth("PLAIN", fail, initial_response_ok=False)
            assert await pop.noop() == b"+OK done"
        assert server.seen[:2] == [b"AUTH PLAIN", b"eWVzIHRvIFBhc3M/"]

    async def refuse(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"+ UGFzcz8=\r\n")
        assert await reader.readline() == b"*\r\n"
        return b"-ERR cancelled\r\n"

    run(session())


# TLS


def test_tls_from_the_start_verifies_the_server(run: Run, certificates: Path) -> None:
    async def session() -> None:
        server = Server(certificates=certificates, tls=True)
        async with server.running() as port:
            async with aio.POP3("127.0.0.1", port, ssl=client_context(certificates), server_hostname="localhost",
                                timeout=DEADLINE) as pop:
                assert await pop.retr_bytes(5) == MESSAGES[5]
            with pytest.raises(ssl.SSLCertVerificationError):
                await aio.POP3("127.0.0.1", port, ssl=True, server_hostname="localhost", timeout=DEADLINE).connect()

    run(session())


async def begin_tls(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Answers STLS, and puts TLS on the server's end."""
    assert server.certificates is not None
    writer.write(b"+OK begin\r\n")
    await writer.drain()
    loop = asyncio.get_running_loop()
    protocol = writer.transport.get_protocol()
    transport = await loop.start_tls(writer.transport, protocol, server_context(server.certificates), server_side=True)
    writer._transport = reader._transport = transport  # type: ignore[attr-defined]
    return b""


def test_stls_puts_tls_on_the_connection(run: Run, certificates: Path) -> None:
    async def session() -> None:
        server = Server(certificates=certificates, own={b"STLS": begin_tls})
        async with server.running() as port, aio.POP3("127.0.0.1", port, server_hostname="localhost",
                                                       timeout=DEADLINE) as pop:
            assert await pop.stls(client_context(certificates)) == b"+OK begin"
            assert {number async for number, _ in pop.retr_many(MESSAGES)} == set(MESSAGES)
            with pytest.raises(cpoplib.error_proto, match="already established"):
                await pop.stls()

    run(session())


def test_octets_behind_the_answer_to_stls_are_refused(run: Run, certificates: Path) -> None:
    async def session() -> None:
        server = Server(certificates=certificates, own={b"STLS": b"+OK begin\r\n+OK injected\r\n"})
        async with server.running() as port:
            pop = aio.POP3("127.0.0.1", port, server_hostname="localhost", timeout=DEADLINE)
            await pop.connect()
            with pytest.raises(cpoplib.error_proto):
                await pop.stls(client_context(certificates))
            with pytest.raises(cpoplib.error_proto):
                await pop.noop()
            await pop.close()
            await server.over.wait()

    run(session())


def test_stls_with_a_server_of_another_name_closes_the_connection(run: Run, certificates: Path) -> None:
    async def session() -> None:
        server = Server(certificates=certificates, own={b"STLS": begin_tls})
        async with server.running() as port:
            pop = aio.POP3("127.0.0.1", port, server_hostname="other.example", timeout=DEADLINE)
            await pop.connect()
            with pytest.raises(ssl.SSLCertVerificationError):
                await pop.stls(client_context(certificates))
            with pytest.raises(cpoplib.error_proto):
                await pop.noop()
            await server.over.wait()

    run(session())


# Cancelled wherever it waits


class Cut:
    """Awaits work, and has the task cancelled at the Nth time that it waits: at once, or when what it waits for is there."""

    def __init__(self, work: Any, at: int, when_there: bool) -> None:
        self.work, self.at, self.when_there = work, at, when_there
        self.reached = False

    def __await__(self) -> Any:
        work = self.work.__await__()
        task = asyncio.current_task()
        sent = None
        for waits in itertools.count():
            try:
                future = work.send(None) if sent is None else work.throw(sent)
            except StopIteration as end:
                return end.value
            if waits == self.at:
                self.reached = True
                if self.when_there and future is not None:
                    future.add_done_callback(lambda _: task.cancel())
                else:
                    asyncio.get_running_loop().call_soon(task.cancel)
            sent = None
            try:
                yield future
            except BaseException as exception:
                sent = exception


async def whole_session(pop: aio.POP3, secure: Any) -> None:
    """Everything that can be waited for. What is over of it leaves the rest as if it had not been."""
    await pop.connect()
    if secure is not None:
        await pop.stls(secure)
    await pop.user("joe")
    await pop.auth("PLAIN", lambda challenge=None: b"secret")
    await pop.list()
    assert await pop.retr_bytes(2) == MESSAGES[2]
    async for number, message in pop.retr_many([1, 2, 3], window=2):
        assert message == MESSAGES[number]
    await pop.dele(1)
    await pop.quit()


WAYS = ["plain", "tls", "stls"]


@pytest.mark.parametrize("when_there", [False, True], ids=["while it waits", "when it need not wait any more"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("timeout", [None, DEADLINE])
def test_a_session_cancelled_anywhere_is_closed_or_in_step(
    run: Run, certificates: Path, way: str, when_there: bool, timeout: float | None
) -> None:
    async def cut(server: Server, port: int, at: int) -> bool:
        before = asyncio.all_tasks()
        context = client_context(certificates)
        pop = aio.POP3("127.0.0.1", port, ssl=context if way == "tls" else None, server_hostname="localhost",
                       timeout=timeout)
        session = Cut(whole_session(pop, context if way == "stls" else None), at, when_there)
        task = asyncio.ensure_future(wait_for_it(session))
        (result,) = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(result, asyncio.CancelledError) if session.reached else result is None, (at, result)
        try:
            assert await pop.retr_bytes(3) == MESSAGES[3], at
        except cpoplib.error_proto as error:
            assert "EOF" in str(error), at
        await pop.close()
        assert {t for t in asyncio.all_tasks() - before if t.get_coro().__qualname__ != "Server.serve"} == set(), at
        return session.reached

    async def wait_for_it(session: Cut) -> None:
        await session

    async def sessions() -> None:
        seen: list[Any] = []

        def note(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            if "incoming connection" not in context["message"]:  # in debug mode the server tells of handshakes cut off
                seen.append(context)

        asyncio.get_running_loop().set_exception_handler(note)
        server = Server(certificates=certificates, tls=way == "tls", own={b"STLS": begin_tls})
        async with server.running() as port:
            for at in itertools.count():
                if not await cut(server, port, at):
                    break
        assert at > 10
        gc.collect()
        assert seen == []

    run(sessions())


def test_a_message_whose_wait_was_cancelled_comes_next(run: Run) -> None:
    async def session() -> None:
        server, asked, go = server_that_holds_retr()
        async with server.running() as port, aio.POP3("127.0.0.1", port, timeout=DEADLINE) as pop:
            messages = pop.retr_many(MESSAGES)
            task = asyncio.ensure_future(messages.__anext__())
            await asked.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            go.set()
            assert [number async for number, _ in messages] == list(MESSAGES)

    run(session())


def test_each_of_two_logins_at_once_answers_its_own_challenge(run: Run) -> None:
    async def session() -> None:
        async def challenge(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
            writer.write(b"+ \r\n")
            server.seen.append((await reader.readline()).strip())
            return b"-ERR no\r\n"

        server = Server(own={b"AUTH": challenge})
        async with server.running() as port, aio.POP3("127.0.0.1", port, timeout=DEADLINE) as pop:
            calls = [pop.auth("PLAIN", lambda _, name=name: name, initial_response_ok=False) for name in (b"a", b"b")]
            for refused in await asyncio.gather(*calls, return_exceptions=True):
                assert isinstance(refused, cpoplib.error_proto)
        assert server.seen[:4] == [b"AUTH PLAIN", b"YQ==", b"AUTH PLAIN", b"Yg=="]

    run(session())


class CountingTransport:
    """Counts how often something is written."""

    def __init__(self, transport: Any) -> None:
        self.transport = transport
        self.writes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)

    def write(self, data: bytes) -> None:
        self.writes += 1
        self.transport.write(data)


def test_a_window_goes_out_at_once(run: Run) -> None:
    async def session() -> None:
        async with Server().running() as port, aio.POP3("127.0.0.1", port, timeout=DEADLINE) as pop:
            await pop.capa()
            pop._connection.transport = counting = CountingTransport(pop._connection.transport)
            assert (await pop.retr_many(MESSAGES).__anext__())[0] == 1
            assert counting.writes == 1

    run(session())


def test_a_handshake_that_never_comes_is_a_timeout(run: Run, certificates: Path) -> None:
    async def session() -> None:
        async def never(server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
            writer.write(b"+OK begin\r\n")
            with contextlib.suppress(OSError):
                while await reader.read(1000):
                    pass
            return b""

        server = Server(own={b"STLS": never})
        async with server.running() as port:
            pop = aio.POP3("127.0.0.1", port, timeout=2)
            await pop.connect()
            with pytest.raises(TimeoutError):
                await pop.stls(client_context(certificates))
            await pop.close()
            await server.over.wait()

    run(session())


def test_close_ends_a_connection_that_is_being_made(run: Run) -> None:
    async def session() -> None:
        asked = asyncio.Event()

        async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            asked.set()
            with contextlib.suppress(OSError):
                await reader.read()
            writer.close()

        server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
        pop = aio.POP3("127.0.0.1", server.sockets[0].getsockname()[1], timeout=DEADLINE)
        connecting = asyncio.ensure_future(pop.connect())
        await asked.wait()
        with pytest.raises(RuntimeError):
            await pop.connect()
        await pop.close()
        with pytest.raises(cpoplib.error_proto, match="EOF"):
            await connecting
        server.close()
        await server.wait_closed()

    run(session())
