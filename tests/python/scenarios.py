"""The scenarios that poplib and cpoplib are compared in: a server's octets, and what the client calls."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any, Callable

from wire import Record, attempt, packets


@dataclass
class Scenario:
    """One session. The calls are (method, argument...); a dict at the end holds keyword arguments."""

    name: str
    wire: bytes | list[bytes]
    calls: list[tuple]
    debug: int = 0
    max_line: Any = None
    prepare: Callable[[Any], type] | None = None  # gives the class to use, from the module
    change: Callable[[Any, Any], None] | None = None  # does something to the module and the client
    connect: tuple = ("mail.example", 1100)
    connect_keywords: dict = field(default_factory=dict)

    def packets(self) -> list[bytes]:
        return packets(self.wire) if isinstance(self.wire, bytes) else self.wire

    def session(self, module: Any, record: Record) -> Any:
        """Runs it on one of the modules."""
        before = {name: getattr(module, name) for name in ("_MAXLINE", "CR", "CRLF")}
        if self.max_line is not None:
            module._MAXLINE = self.max_line
        try:
            return self._calls(module, record)
        finally:
            vars(module).update(before)

    def _calls(self, module: Any, record: Record) -> Any:
        kind = module.POP3 if self.prepare is None else self.prepare(module)
        client = kind.__new__(kind)
        made = attempt(lambda: client.__init__(*self.connect, **self.connect_keywords))
        record.steps.append(("connect", made))
        if made[0] == "raised":
            return client if hasattr(client, "file") else None
        client.set_debuglevel(self.debug)
        if self.change is not None:
            self.change(module, client)
        for method, *arguments in self.calls:
            keywords = arguments.pop() if arguments and isinstance(arguments[-1], dict) else {}
            made = attempt(lambda: getattr(client, method)(*arguments, **keywords))
            record.steps.append((method, made))
        for name in ("welcome", "_debugging", "_tls_established", "host", "port"):
            record.steps.append((name, attempt(lambda: getattr(client, name))))
        return client


SCENARIOS: list[Scenario] = []


def add(name: str, wire: bytes | list[bytes], *calls: tuple, **options: Any) -> None:
    SCENARIOS.append(Scenario(name, wire, list(calls), **options))


HELLO = b"+OK ready <1896.697170952@dbc.mtview.ca.us>\r\n"
MESSAGE = b"+OK 120 octets\r\nFrom: a@example\r\nSubject: x\r\n\r\nbody\r\n..dot\r\n\r\n.\r\n"
LISTING = b"+OK 2 messages\r\n1 120\r\n2 200\r\n.\r\n"
CAPA = b"+OK\r\nTOP\r\nUIDL\r\nSASL PLAIN LOGIN\r\nEXPIRE 60\r\nIMPLEMENTATION x y z\r\n.\r\n"
OK = b"+OK done\r\n"

# What each command is called with, and what a server answers.
COMMANDS: list[tuple[tuple, bytes]] = [
    (("user", "joe"), OK),
    (("pass_", "secret words"), OK),
    (("stat",), b"+OK 2 320\r\n"),
    (("list",), LISTING),
    (("list", 1), b"+OK 1 120\r\n"),
    (("retr", 1), MESSAGE),
    (("top", 1, 0), MESSAGE),
    (("dele", 1), OK),
    (("noop",), OK),
    (("rset",), OK),
    (("uidl",), b"+OK\r\n1 abc\r\n2 def\r\n.\r\n"),
    (("uidl", 2), b"+OK 2 def\r\n"),
    (("rpop", "joe"), OK),
    (("apop", "joe", "tanstaaf"), OK),
    (("utf8",), OK),
    (("capa",), CAPA),
    (("stls",), CAPA),
    (("getwelcome",), b""),
    (("quit",), OK),
    (("close",), b""),
]


def label(call: tuple) -> str:
    return "_".join(str(part) for part in call).strip("_").replace(" ", "-")


def each_command() -> None:
    for call, reply in COMMANDS:
        add(f"{label(call)}_answered", HELLO + reply, call)
        add(f"{label(call)}_refused", HELLO + b"-ERR [SYS/TEMP] not now\r\n" + OK, call, ("noop",))
        add(f"{label(call)}_cut_off", HELLO, call, ("noop",))
        add(f"{label(call)}_shown_at_1", HELLO + reply, call, debug=1)
        add(f"{label(call)}_shown_at_2", HELLO + reply, call, debug=2)
    whole = HELLO + b"".join(reply for call, reply in COMMANDS if call[0] not in ("stls", "close"))
    add("every_command_in_one_session", whole,
        *(call for call, _ in COMMANDS if call[0] not in ("stls", "close")), ("noop",))


def arguments() -> None:
    for value in (7, "7", "x y", "", None, 1.5, (3,), (1, 2), (), [1], b"1", True, {"a": 1}, "é€"):
        for method in ("retr", "dele", "list", "user"):
            add(f"{method}_of_{value!r}", HELLO + MESSAGE + OK, (method, value), ("noop",))
    add("top_of_strings", HELLO + MESSAGE, ("top", "1", "10"))
    add("top_of_tuples", HELLO + MESSAGE, ("top", (1,), (2, 3)))
    for call in (("retr",), ("retr", 1, 2), ("retr", {"which": 1}), ("retr", {"nr": 1}), ("top",),
                 ("top", 1), ("top", 1, {"howmuch": 2}), ("top", 1, 2, 3), ("retr", 1, {"which": 1}),
                 ("noop", 1), ("noop", {"x": 1}), ("list", 1, 2), ("list", {"which": 2}), ("apop",),
                 ("apop", "a"), ("apop", "a", "b", "c"), ("_getline", 1), ("_putcmd",), ("stat", 1),
                 ("set_debuglevel",), ("_shortcmd",), ("stls", 1, 2, 3), ("capa", 2), ("close", 1)):
        add(f"call_{call!r}", HELLO + MESSAGE + OK, call, ("noop",))
    add("str_in_another_encoding", HELLO + OK, ("user", "jürgen"),
        change=lambda module, client: setattr(client, "encoding", "latin-1"))
    add("str_that_cannot_be_encoded", HELLO + OK, ("user", "€"), ("noop",),
        change=lambda module, client: setattr(client, "encoding", "ascii"))
    add("private_shortcmd", HELLO + OK, ("_shortcmd", "XTND 1"))
    add("private_longcmd", HELLO + LISTING, ("_longcmd", "XTND 2"))
    add("private_putcmd_of_bytes", HELLO + OK, ("_putcmd", b"NOOP"), ("_getresp",))
    add("private_putline_of_str", HELLO + OK, ("_putline", "NOOP"), ("_putline", b"NOOP"), ("_getline",))
    add("level_of_debugging_that_is_no_int", HELLO + OK,
        ("set_debuglevel", 1.5), ("noop",), ("set_debuglevel", "x"), ("noop",))
    add("level_of_debugging_that_has_no_order", HELLO + OK, ("set_debuglevel", None), ("noop",), ("retr", 1))
    add("attribute_that_is_not_there", HELLO, ("retrieve", 1))
    add("constructor_without_host", HELLO, connect=())
    add("constructor_with_too_much", HELLO, connect=("a", 1, 2, 3))
    add("constructor_with_unknown_keyword", HELLO, connect=("a",), connect_keywords={"ssl": 1})
    add("constructor_with_host_twice", HELLO, connect=("a",), connect_keywords={"host": "b"})
    add("constructor_with_keywords", HELLO, connect=(),
        connect_keywords={"host": "a", "port": "pop3", "timeout": 7.5})
    for timeout in (0, 0.0, None, 5, False):
        add(f"timeout_{timeout!r}", HELLO, connect_keywords={"timeout": timeout})


def line_ends() -> None:
    ends = {"crlf": b"\r\n", "lf": b"\n", "lfcr": b"\n\r", "crcrlf": b"\r\r\n", "cr": b"\r"}
    lines = [b"+OK message", b"From: a", b"", b"..stuffed", b".single", b"text\rinside", b"\rleading",
             b"trailing\r", b"..", b"nul\0octet", b"\xff\xfe"]
    for name, end in ends.items():
        add(f"lines_that_end_with_{name}", HELLO + end.join(lines + [b".", b""]) + OK,
            ("retr", 1), ("noop",))
        add(f"greeting_that_ends_with_{name}", b"+OK hi" + end + OK + OK, ("noop",), ("noop",))
        add(f"status_that_ends_with_{name}", HELLO + b"+OK" + end + b"a\r\n.\r\n" + OK, ("retr", 1),
            ("noop",))
        add(f"dot_that_ends_with_{name}", HELLO + b"+OK\r\na\r\n." + end + OK, ("retr", 1), ("noop",))
    for name, global_name, end in (("lf", "CRLF", b"\n"), ("array", "CRLF", bytearray(b"\r\n")),
                                   ("x", "CR", b"x"), ("str", "CRLF", "\r\n")):
        add(f"{global_name}_changed_to_{name}", HELLO + OK + b"xyz\r\n" + MESSAGE + OK, ("noop",),
            ("_getline",), ("retr", 1), ("noop",),
            change=lambda module, client, name=global_name, end=end: setattr(module, name, end))
    rng = random.Random(1)
    for n in range(12):
        wire = b"".join(line + rng.choice(list(ends.values())) for line in lines)
        add(f"lines_with_mixed_ends_{n}", HELLO + wire + b"\r\n.\r\n" + OK, ("retr", 1), ("noop",))
    for n, line in enumerate([b".", b"..", b"...", b". ", b".x", b"..x", b".\r", b"\r.", b"\r..", b"\r.x",
                              b" .", b".\0", b"", b"\r", b"\r\r"]):
        add(f"a_line_of_dots_and_returns_{n}", HELLO + b"+OK\r\n" + line + b"\r\nx\r\n.\r\n" + OK,
            ("retr", 1), ("noop",))
        add(f"the_same_before_a_bare_lf_{n}", HELLO + b"+OK\r\n" + line + b"\nx\n.\n" + OK,
            ("retr", 1), ("noop",))


def cut_off() -> None:
    wire = b"+OK hi\r\n+OK\r\na\r\n..b\n\rc\r\n.\r\n+OK 1 2\r\n"
    for n in range(len(wire) + 1):
        add(f"end_of_input_at_octet_{n}", wire[:n], ("retr", 1), ("stat",), ("noop",))
    for n in range(0, len(CAPA), 5):
        add(f"end_of_input_in_capa_at_octet_{n}", HELLO + CAPA[:n], ("capa",), ("capa",))
    for tail in (b".", b".\r", b"..", b".x", b"\r", b"\r.", b"x", b"x\r"):
        add(f"input_ends_with_{tail!r}", HELLO + b"+OK\r\nline\r\n" + tail, ("retr", 1), ("noop",))


def long_lines() -> None:
    for size in (2045, 2046, 2047, 2048, 2049, 2050, 4096, 9000):
        for end in (b"\r\n", b"\n"):
            line = b"x" * (size - len(end)) + end
            name = f"{size}_octets_{'crlf' if end == b'%b' % b'' or len(end) == 2 else 'lf'}"
            add(f"status_line_of_{name}", HELLO + b"+" + line[1:] + OK + OK, ("noop",), ("noop",),
                ("noop",))
            add(f"body_line_of_{name}", HELLO + b"+OK\r\na\r\n" + line + b"b\r\n.\r\n" + OK,
                ("retr", 1), ("noop",), ("noop",), ("noop",))
    for bound in (1, 2, 16, 100, 5000, 1 << 20, 0, -1, 1e9, "x", None, True):
        wire = HELLO + b"+OK\r\n" + b"y" * 3000 + b"\r\nb\r\n.\r\n" + OK
        if bound is None:
            continue
        add(f"max_line_of_{bound!r}", wire, ("retr", 1), ("noop",), ("noop",), max_line=bound)
    add("max_line_raised_at_run_time", HELLO + MESSAGE + b"+OK\r\n" + b"z" * 70000 + b"\r\n.\r\n" + OK,
        ("retr", 1), ("retr", 2), ("noop",),
        change=lambda module, client: setattr(module, "_MAXLINE", 1 << 20))
    add("long_line_without_end", HELLO + b"+OK\r\n" + b"z" * 5000, ("retr", 1), ("noop",))
    add("stuffed_line_at_the_limit", HELLO + b"+OK\r\n.." + b"z" * 2044 + b"\r\n.\r\n", ("retr", 1))


def odd_replies() -> None:
    for n, line in enumerate([b"", b"+", b"-", b"OK", b" +OK", b"+ok", b"-err", b"-ERR", b"+OK\0", b".",
                              b"..", b"* OK", b"+OKAY", b"\xff", b"-ERR \xe9"]):
        add(f"odd_greeting_{n}", line + b"\r\n" + OK, ("noop",))
        add(f"odd_reply_{n}", HELLO + line + b"\r\n" + OK, ("noop",), ("noop",))
        add(f"odd_reply_to_retr_{n}", HELLO + line + b"\r\nx\r\n.\r\n" + OK, ("retr", 1), ("noop",))
    for n, line in enumerate([b"+OK", b"+OK 1", b"+OK 1 2 3", b"+OK a b", b"+OK 1 b", b"+OK -1 -2",
                              b"+OK 1_0 2", b"+OK  5\t6 ", b"+OK 99999999999999999999 1", b"+OK1 2 3"]):
        for debug in (0, 1):
            add(f"odd_stat_{n}_shown_at_{debug}", HELLO + line + b"\r\n" + OK, ("stat",), ("noop",),
                debug=debug)
    for n, body in enumerate([b"", b"\r\n", b"A\r\nA x\r\n", b"a  b\tc\r\n", b"\xff\r\n", b"..\r\n",
                              b"STLS\r\n", b"STLS", b" X\r\n", b"X\r\n\r\nY\r\n"]):
        add(f"odd_capa_{n}", HELLO + b"+OK\r\n" + body + b".\r\n" + OK + OK, ("capa",), ("noop",))
        if b"STLS" not in body:
            add(f"stls_after_odd_capa_{n}", HELLO + b"+OK\r\n" + body + b".\r\n" + OK, ("stls",),
                ("noop",))
    add("stls_offered_and_refused", HELLO + b"+OK\r\nSTLS\r\n.\r\n-ERR no\r\n" + OK, ("stls",), ("noop",))
    for n, greeting in enumerate([b"+OK", b"+OK <>", b"+OK <a@b>", b"+OK<a@b>", b"+OK <a <b>>", b"+OK <a",
                                  b"+OK x <\xff@y> z", b"+ <a@b>"]):
        add(f"apop_after_odd_greeting_{n}", greeting + b"\r\n" + OK, ("apop", "joe", "tan\u00e9"),
            ("noop",))
    add("apop_with_bytes", HELLO + OK, ("apop", "joe", b"x"), ("noop",))


def splits() -> None:
    session = (HELLO + OK + OK + b"+OK 3 1000\r\n" + LISTING + MESSAGE + b"+OK\r\n" + b"line\r\n" * 300 +
               b".\r\n" + MESSAGE.replace(b"\r\n", b"\n") + OK)
    calls = [("user", "a"), ("pass_", "b"), ("stat",), ("list",), ("retr", 1), ("retr", 2), ("retr", 3),
             ("quit",)]
    for size in (1, 2, 3, 7, 64, 999):
        add(f"pieces_of_{size}", packets(session, size), *calls)
    for seed in range(30):
        rng = random.Random(seed)
        wire, at = [], 0
        while at < len(session):
            size = rng.choice([1, 1, 2, 3, 5, 17, 100, 700])
            wire.append(session[at : at + size])
            at += size
        add(f"random_pieces_{seed}", wire, *calls, debug=2 if seed % 10 == 9 else 0)


def noise() -> None:
    alphabet = [b"\r\n", b"\r\n", b"\n", b"\r", b".", b".", b"..", b"+OK", b"-ERR", b"x", b" 1 2", b"\r\n.\r\n"]
    for seed in range(80):
        rng = random.Random(1000 + seed)
        wire = b"".join(rng.choice(alphabet) for _ in range(rng.randrange(5, 80)))
        add(f"noise_{seed}", HELLO + b"+OK\r\n" + wire, ("retr", 1), ("list",), ("stat",), ("retr", 2),
            ("capa",), debug=2 if seed % 8 == 7 else 0, max_line=20 if seed % 5 == 4 else None)


def overriding() -> None:
    def getline(module: Any) -> type:
        class Client(module.POP3):
            def _getline(self) -> Any:
                line, octets = super()._getline()
                print("line", line)
                return line.upper(), octets + 1

        return Client

    def getline_list(module: Any) -> type:
        class Client(module.POP3):
            def _getline(self) -> Any:
                return list(super()._getline())

        return Client

    def getline_wrong(result: Any) -> Callable[[Any], type]:
        def prepare(module: Any) -> type:
            class Client(module.POP3):
                count = 0

                def _getline(self) -> Any:
                    self.count += 1
                    return super()._getline() if self.count == 1 else result

            return Client

        return prepare

    def others(module: Any) -> type:
        class Client(module.POP3):
            def _putline(self, line: bytes) -> None:
                print("putline", line)
                super()._putline(b"X" + line)

            def _putcmd(self, line: str) -> None:
                print("putcmd", line)
                super()._putcmd(line.lower())

            def _getresp(self) -> bytes:
                return super()._getresp() + b"!"

            def _shortcmd(self, line: str) -> bytes:
                print("short", line)
                return super()._shortcmd(line)

            def _longcmd(self, line: str) -> Any:
                print("long", line)
                return super()._longcmd(line)

            def _getlongresp(self) -> Any:
                print("getlongresp")
                return super()._getlongresp()

            def capa(self) -> Any:
                return {"STLS": []}

            def close(self) -> None:
                print("close")
                super().close()

        return Client

    def create_socket(module: Any) -> type:
        class Client(module.POP3):
            def __init__(self, host: str, port: int) -> None:
                super().__init__(host, port, timeout=3)

            def _create_socket(self, timeout: Any) -> Any:
                print("connect", self.host, self.port, timeout, self._tls_established)
                return module.socket.create_connection((self.host, 99), timeout)

        return Client

    def slots(module: Any) -> type:
        class Client(module.POP3):
            encoding = "cp037"

            @property
            def host(self) -> str:
                return "proxy"

            @host.setter
            def host(self, value: str) -> None:
                print("host", value)

        return Client

    wire = HELLO + OK + MESSAGE + LISTING + b"+OK 2 3\r\n" + OK
    calls = [("noop",), ("retr", 1), ("list",), ("stat",), ("quit",)]
    add("subclass_with_its_getline", wire, *calls, prepare=getline)
    add("subclass_whose_getline_returns_lists", wire, *calls, prepare=getline_list)
    for name, result in {"one": (b"+",), "three": (b"+", 1, 2), "int": 5, "none": None,
                         "str": ("+OK", 3), "no_octets": (b"x", None), "bytearray": (bytearray(b"+.."), 4)}.items():
        add(f"subclass_whose_getline_returns_{name}", wire, ("noop",), ("_longcmd", "X") if name != "bytearray"
            else ("noop",), prepare=getline_wrong(result))
    add("subclass_with_all_its_own", wire, *calls, prepare=others)
    add("subclass_with_all_its_own_and_stls", wire, ("stls",), prepare=others)
    add("subclass_with_its_socket", wire, *calls, prepare=create_socket)
    add("subclass_with_properties", wire, *calls, prepare=slots)

    def on_instance(module: Any, client: Any) -> None:
        original = client._getline
        client._getline = lambda: (print("own"), original())[1]

    def on_file(module: Any, client: Any) -> None:
        original = client.file.readline
        client.file.readline = lambda size: (print("readline", size), original(size))[1]

    def plain_file(module: Any, client: Any) -> None:
        client.file = client.sock.makefile("rb")

    def raw_file(module: Any, client: Any) -> None:
        client.file = client.sock.makefile("rb", buffering=0)

    def array_file(module: Any, client: Any) -> None:
        class File:
            def __init__(self, file: Any) -> None:
                self.file = file

            def readline(self, size: int) -> bytearray:
                return bytearray(self.file.readline(size))

            def close(self) -> None:
                self.file.close()

        client.file = File(client.file)

    def no_file(module: Any, client: Any) -> None:
        client.file = None

    def file_is_gone(module: Any, client: Any) -> None:
        file = client.file
        del client.file
        print(attempt(client.noop), attempt(client.list))
        client.file = file

    def own_socket(module: Any, client: Any) -> None:
        class Socket:
            def __init__(self, sock: Any) -> None:
                self.sock = sock

            def sendall(self, data: bytes) -> None:
                print("sendall", data)
                self.sock.sendall(data)

            def __getattr__(self, name: str) -> Any:
                return getattr(self.sock, name)

        client.sock = Socket(client.sock)

    def bad_shutdown(module: Any, client: Any) -> None:
        own_socket(module, client)
        client.sock.shutdown = mock_raise(OSError(5, "shutdown"))

    def mock_raise(exception: Exception) -> Callable:
        def raiser(*_: Any) -> None:
            raise exception

        return raiser

    def bad_close(module: Any, client: Any) -> None:
        bad_shutdown(module, client)
        file = client.file
        client.sock.close = mock_raise(ValueError("close"))
        client.file = type("F", (), {"close": mock_raise(KeyError("file")), "readline": file.readline})()

    def crlf(module: Any, client: Any) -> None:
        client.welcome = b"+OK <changed@x>"

    for change in (on_instance, on_file, plain_file, raw_file, array_file, no_file, file_is_gone, own_socket,
                   bad_shutdown, bad_close, crlf):
        greeting = [HELLO] if change in (plain_file, raw_file) else []
        rest = packets(wire[len(HELLO):] if greeting else wire, 40)
        for debug in (0, 2):
            add(f"{change.__name__}_shown_at_{debug}", greeting + rest, *calls, ("apop", "a", "b"),
                change=change, debug=debug)

    def no_ssl(module: Any, client: Any) -> None:
        client.have_ssl = module.HAVE_SSL
        module.HAVE_SSL = False

    def tls_already(module: Any, client: Any) -> None:
        client._tls_established = True

    add("stls_twice", HELLO + CAPA, ("stls",), change=tls_already)
    add("after_close", HELLO + OK, ("close",), ("noop",), ("close",), ("retr", 1), ("quit",))
    add("file_closed_by_its_user", HELLO + OK + MESSAGE, ("noop",), ("retr", 1),
        change=lambda module, client: client.file.close())
    add("second_init", HELLO + OK, ("set_debuglevel", 1), ("noop",))
    add("replies_to_commands_never_sent", HELLO + OK + OK + MESSAGE, ("_getresp",), ("_getline",),
        ("_getlongresp",), ("_getline",))
    add("lines_taken_from_the_file", HELLO + b"+OK\r\n" + b"a\nb\nc\n" + OK, ("_getline",),
        ("noop",), change=lambda module, client: print(client.file.readline(), client.file.read(1),
                                                       client.file.readline(2), client.file.peek()[:1]))
    for n in (2, 3, 4, 5, 6):
        add(f"lines_of_the_file_for_{n}_octets", HELLO + b"a\nb\nc\n" + OK, ("noop",),
            change=lambda module, client, n=n: print(client.file.readlines(n)))
    add("file_read_into_what_cannot_be_written", HELLO + OK, ("noop",),
        change=lambda module, client: print(*(attempt(lambda: read(target)) for target in (b"x", 5, None)
                                              for read in (client.file.readinto, client.file.readinto1))))
    add("file_iterated", HELLO + b"a\nb\nc", ("noop",),
        change=lambda module, client: print(list(client.file), client.file.read(), client.file.closed,
                                            client.file.readable(), client.file.writable()))


for build in (each_command, arguments, line_ends, cut_off, long_lines, odd_replies, splits, noise, overriding):
    build()
