"""What cpoplib has beyond poplib: whole messages, pipelining, SASL, parsed capabilities, with statements."""

from __future__ import annotations

import base64
import contextlib
import gc
import io
import poplib
import socket
import threading
import tracemalloc
import weakref
from typing import Any, Callable, Iterator

import cpoplib
import pytest
from wire import DEADLINE, Record, connection

HELLO = b"+OK ready <1@host>\r\n"
CAPA = b"+OK\r\nPIPELINING\r\nUIDL\r\nSASL PLAIN XOAUTH2\r\nEXPIRE 7 USER\r\nLOGIN-DELAY 60\r\n" \
       b"IMPLEMENTATION test 1.0\r\n.\r\n"


def message(n: int, lines: int = 1) -> bytes:
    """A reply to RETR n."""
    return b"+OK\r\n" + b"line of %d\r\n" % n * lines + b".\r\n"


def text(n: int, lines: int = 1) -> bytes:
    """The message in it."""
    return b"line of %d\r\n" % n * lines


@contextlib.contextmanager
def client(*packets: bytes) -> Iterator[tuple[Any, Record]]:
    """A client of a server that sends these packets; the record has what it sent, afterwards."""
    record = Record()
    with connection([HELLO, *packets], record):
        pop = cpoplib.POP3("host")
        yield pop, record
        pop.close()


# Whole messages


def test_retr_bytes_returns_the_message_as_the_server_has_it() -> None:
    with client(b"+OK\r\nA: b\r\n\r\n..dot\nbare\r\n.\r\n", b"+OK\r\n") as (pop, record):
        assert pop.retr_bytes(1) == b"A: b\r\n\r\n.dot\nbare\r\n"
        assert pop.noop() == b"+OK"
    assert record.sent == b"RETR 1\r\nNOOP\r\n"


def test_retr_bytes_of_an_empty_message_waits_for_proof_that_it_is_one() -> None:
    with client(b"+OK\r\n.\r\n", b"+OK\r\n") as (pop, record):
        assert pop.retr_bytes("1") == b""
    assert record.sent == b"RETR 1\r\nNOOP\r\n"


def test_retr_bytes_cut_anywhere() -> None:
    wire = b"+OK\r\n" + b"..a\r\nb\r\n.c\r\n" * 20 + b".\r\n"
    for size in (1, 2, 3, 5):
        pieces = [wire[i : i + size] for i in range(0, len(wire), size)]
        with client(*pieces, b"+OK\r\n") as (pop, _):
            assert pop.retr_bytes(1) == b".a\r\nb\r\n.c\r\n" * 20
            assert pop.noop() == b"+OK"


def test_retr_bytes_refused_raises_and_the_session_goes_on() -> None:
    with client(b"-ERR no such message\r\n", message(2)) as (pop, _):
        with pytest.raises(cpoplib.error_proto) as caught:
            pop.retr_bytes(9)
        assert caught.value.args == (b"-ERR no such message",)
        assert pop.retr_bytes(2) == text(2)


@pytest.mark.parametrize("number", [0, -1, 1 << 32, "x", "", 1.0, None])
def test_a_number_that_is_none_is_not_sent(number: Any) -> None:
    with client() as (pop, record):
        with pytest.raises((ValueError, TypeError)):
            pop.retr_bytes(number)
        with pytest.raises((ValueError, TypeError)):
            next(pop.retr_many([number]))
    assert record.sent == b""


def test_a_connection_lost_within_a_message_is_closed() -> None:
    with client(b"+OK\r\nhalf") as (pop, _):
        with pytest.raises(cpoplib.error_proto, match="-ERR EOF"):
            pop.retr_bytes(1)
        assert pop.sock is None
        assert pop.file is None


def test_an_unstuffed_dot_after_a_bare_lf_does_not_end_a_message_unnoticed() -> None:
    with client(b"+OK\r\nfirst\n.\r\n", b"rest\r\n.\r\n") as (pop, _):
        with pytest.raises(cpoplib.error_proto, match="single dot"):
            pop.retr_bytes(1)
        assert pop.sock is None


def test_replies_nobody_asked_for_are_no_messages() -> None:
    with client(message(1) + message(2)) as (pop, _):
        with pytest.raises(cpoplib.error_proto, match="not requested"):
            pop.retr_bytes(1)


def test_retr_into_writes_the_message_and_counts_it() -> None:
    with client(message(1, 3)) as (pop, _):
        file = io.BytesIO()
        assert pop.retr_into(1, file) == len(text(1, 3))
        assert file.getvalue() == text(1, 3)


def test_retr_into_a_file_that_takes_little_at_a_time() -> None:
    class Slow:
        data = b""

        def write(self, octets: bytes) -> int:
            self.data += octets[:3]
            return len(octets[:3])

    with client(message(1, 9)) as (pop, _):
        slow = Slow()
        assert pop.retr_into(1, slow) == len(slow.data)
        assert slow.data == text(1, 9)


def test_retr_into_a_file_that_fails_leaves_the_session_in_step() -> None:
    class Full:
        def write(self, octets: bytes) -> int:
            raise OSError(28, "No space left")

    with client(b"+OK\r\nsome\r\n", b"more\r\n", b".\r\n", b"+OK 5 6\r\n") as (pop, _):
        with pytest.raises((OSError, cpoplib.error_proto)):
            pop.retr_into(1, Full())
        if pop.sock is not None:
            assert pop.stat() == (5, 6)


def test_an_interrupted_retrieval_is_read_to_its_end_by_the_next_command() -> None:
    class Stop(BaseException):
        pass

    class Stopping:
        def write(self, octets: bytes) -> int:
            raise Stop

    with client(b"+OK\r\nsome\r\n", b"more\r\n", b".\r\n", b"+OK 5 6\r\n") as (pop, record):
        with pytest.raises(Stop):
            pop.retr_into(1, Stopping())
        assert pop.stat() == (5, 6)
    assert record.sent == b"RETR 1\r\nSTAT\r\n"


def test_the_file_may_not_use_the_connection_meanwhile() -> None:
    class Greedy:
        pop: Any = None

        def write(self, octets: bytes) -> int:
            with pytest.raises(RuntimeError):
                self.pop.retr_bytes(2)
            with pytest.raises(RuntimeError):
                self.pop.file.readline()
            return len(octets)

    with client(message(1)) as (pop, _):
        greedy = Greedy()
        greedy.pop = pop
        assert pop.retr_into(1, greedy) == len(text(1))


def test_a_file_of_somebody_else_is_read_line_by_line() -> None:
    with client(message(1) + b"+OK 1 2\r\n") as (pop, _):
        pop.file = pop.sock.makefile("rb")
        assert pop.retr_bytes(1) == text(1)
        assert pop.stat() == (1, 2)


# Many messages


def test_retr_many_asks_ahead_where_the_server_allows_it() -> None:
    with client(CAPA, message(1) + message(2) + message(3)) as (pop, record):
        assert list(pop.retr_many([1, 2, 3])) == [(n, text(n)) for n in (1, 2, 3)]
        assert list(pop.retr_many([])) == []
    assert record.sent == b"CAPA\r\nRETR 1\r\nRETR 2\r\nRETR 3\r\n"


def test_retr_many_asks_one_by_one_where_it_does_not() -> None:
    with client(b"-ERR what?\r\n", message(1), message(2), message(3)) as (pop, record):
        assert list(pop.retr_many(range(1, 4))) == [(n, text(n)) for n in (1, 2, 3)]
    assert record.sent == b"CAPA\r\nRETR 1\r\nRETR 2\r\nRETR 3\r\n"


def test_retr_many_of_one_message_asks_nothing_else() -> None:
    with client(message(7)) as (pop, record):
        assert list(pop.retr_many(["7"])) == [(7, text(7))]
    assert record.sent == b"RETR 7\r\n"


def test_retr_many_hands_out_no_part_of_a_message_that_another_reply_was_mixed_with() -> None:
    mixed = b"+OK 9 octets\r\nline of 1\r\n+OK 11 octets\r\n.\r\nline of 2\r\n.\r\n"
    with client(CAPA, mixed) as (pop, _):
        with pytest.raises(cpoplib.error_proto, match="^RETR 1: .* may not be whole"):
            next(pop.retr_many([1, 2]))


def test_retr_many_hands_out_no_half_that_a_smuggled_reply_stands_behind() -> None:
    smuggled = b"+OK 90 octets\r\nhalf\n.\r\n+OK 8 octets\r\nforged\r\n.\r\n"
    with client(CAPA, smuggled) as (pop, _):
        with pytest.raises(cpoplib.error_proto, match="^RETR 1: .* may belong to it"):
            next(pop.retr_many([1, 2]))


def test_a_window_of_one_message_sends_no_capa_which_some_servers_close_on() -> None:
    with client(message(1), message(2)) as (pop, record):
        assert len(list(pop.retr_many([1, 2], window=1))) == 2
    assert record.sent == b"RETR 1\r\nRETR 2\r\n"


@pytest.mark.parametrize("answer", [b"", b"-ERR what?\r\n"])
def test_where_capa_ends_the_connection_the_error_names_the_window_that_sends_none(answer: bytes) -> None:
    with client(answer) as (pop, _):
        with pytest.raises(cpoplib.error_proto, match=r"EOF after CAPA.*window=1"):
            list(pop.retr_many([1, 2]))


def test_retr_many_learns_only_once_what_the_server_can() -> None:
    with client(CAPA, message(1) + message(2), message(3) + message(4)) as (pop, record):
        assert len(list(pop.retr_many([1, 2]))) == 2
        assert len(list(pop.retr_many([3, 4]))) == 2
    assert record.sent.count(b"CAPA") == 1


def test_retr_many_asks_anew_after_login() -> None:
    with client(CAPA, b"+OK\r\n", CAPA) as (pop, record):
        assert "PIPELINING" in pop.capabilities.names
        assert pop.capabilities.names
        pop.pass_("x")
        assert pop.capabilities.names
    assert record.sent == b"CAPA\r\nPASS x\r\nCAPA\r\n"


def test_a_window_bounds_what_is_asked_for_ahead() -> None:
    with client(CAPA, message(1), message(2), message(3), message(4)) as (pop, record):
        many = pop.retr_many(iter([1, 2, 3, 4]), window=2)
        assert next(many) == (1, text(1))
        many.close()
    assert record.sent.count(b"RETR") in (2, 3)


@pytest.mark.parametrize("window", [0, -1, 5000])
def test_a_window_of_no_sense_is_refused(window: int) -> None:
    with client() as (pop, _), pytest.raises(ValueError, match="window"):
        pop.retr_many([1], window=window)


def test_a_refused_message_raises_in_its_turn_and_the_others_follow() -> None:
    with client(CAPA, message(1) + b"-ERR gone\r\n" + message(3)) as (pop, _):
        many = pop.retr_many([1, 2, 3])
        assert next(many) == (1, text(1))
        with pytest.raises(cpoplib.error_proto) as caught:
            next(many)
        assert caught.value.args == (b"-ERR gone",)
        assert next(many) == (3, text(3))
        assert next(many, None) is None


def test_other_commands_between_messages_read_what_is_in_flight_first() -> None:
    replies = message(1) + message(2) + message(3)
    with client(CAPA, replies, b"+OK one\r\n", b"+OK two\r\n", b"+OK three\r\n") as (pop, record):
        seen = [(n, octets, pop.dele(n)) for n, octets in pop.retr_many([1, 2, 3])]
    assert seen == [(1, text(1), b"+OK one"), (2, text(2), b"+OK two"), (3, text(3), b"+OK three")]
    assert record.sent.endswith(b"RETR 3\r\nDELE 1\r\nDELE 2\r\nDELE 3\r\n")


def test_an_abandoned_iteration_is_read_to_its_end_by_the_next_command() -> None:
    with client(CAPA, message(1), message(2, 50), message(3), b"+OK 3 4\r\n") as (pop, _):
        for number, _octets in pop.retr_many([1, 2, 3]):
            assert number == 1
            break
        assert pop.stat() == (3, 4)


def test_two_iterations_at_once_keep_their_messages_apart() -> None:
    packets = (message(1) + message(2), message(3) + message(4), message(5), message(6))
    with client(CAPA, *packets) as (pop, _):
        one = pop.retr_many([1, 2, 5], window=2)
        two = pop.retr_many([3, 4, 6], window=2)
        got = [next(one), next(two), next(one), next(two), *one, *two]
    assert sorted(number for number, _ in got) == [1, 2, 3, 4, 5, 6]
    assert all(octets == text(number) for number, octets in got)


def test_a_command_between_messages_asked_for_one_by_one_gets_its_own_reply() -> None:
    replies = [m for n in (1, 2, 3) for m in (message(n), b"+OK deleted %d\r\n" % n)]
    with client(b"-ERR what?\r\n", *replies) as (pop, record):
        seen = [(n, octets, pop.dele(n)) for n, octets in pop.retr_many([1, 2, 3])]
    assert seen == [(n, text(n), b"+OK deleted %d" % n) for n in (1, 2, 3)]
    assert record.sent == b"CAPA\r\nRETR 1\r\nDELE 1\r\nRETR 2\r\nDELE 2\r\nRETR 3\r\nDELE 3\r\n"


class Noting:
    """A socket and a file that note what goes through them, in its order."""

    def __init__(self, pop: Any) -> None:
        self.noted: list[bytes] = []
        self.sock, self.file = pop.sock, pop.sock.makefile("rb")
        pop.sock = pop.file = self

    def sendall(self, octets: bytes) -> None:
        self.noted.append(octets)
        self.sock.sendall(octets)

    def readline(self, size: int) -> bytes:
        self.noted.append(self.file.readline(size))
        return self.noted[-1]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.sock, name)


@pytest.mark.parametrize("command", [lambda pop: pop.dele(1), lambda pop: pop._putcmd("DELE 1"),
                                     lambda pop: pop._putline(b"DELE 1")])
def test_what_is_in_flight_is_read_before_another_command_goes_out(command: Callable) -> None:
    with client(CAPA, message(1), message(2) + message(3), b"+OK one\r\n") as (pop, _):
        noting = Noting(pop)
        next(many := pop.retr_many([1, 2, 3]))
        command(pop)
        noted = noting.noted
        assert noted.index(b"line of 3\r\n") < noted.index(b"DELE 1\r\n")
        assert list(many) == [(2, text(2)), (3, text(3))]


def test_a_connection_closed_within_a_message_gives_no_half_message() -> None:
    class Closing(io.BytesIO):
        def write(self, octets: Any) -> int:
            pop.close()
            return super().write(octets)

    with client(b"+OK\r\nhalf\r\n", b"rest\r\n.\r\n") as (pop, _):
        with pytest.raises(cpoplib.error_proto, match="-ERR EOF"):
            pop.retr_into(1, Closing())
    with client(b"+OK\r\nhalf\r\n", b"rest\r\n.\r\n") as (pop, _), closing_when_shown(pop, b"'+OK'"):
        with pytest.raises(cpoplib.error_proto, match="-ERR EOF"):
            pop.retr_bytes(1)


@contextlib.contextmanager
def closing_when_shown(pop: Any, text: bytes) -> Iterator[None]:
    """Debug output closes the connection when it shows a text."""

    class Output(io.StringIO):
        def write(self, shown: str) -> int:
            if text.decode() in shown:
                pop.close()
            return len(shown)

    pop.set_debuglevel(2)
    with contextlib.redirect_stdout(Output()):
        yield


def test_a_connection_closed_while_a_reply_is_shown_raises() -> None:
    with client(b"+OK said\r\nTOP\r\n.\r\n") as (pop, _), closing_when_shown(pop, b"said"):
        with pytest.raises(cpoplib.error_proto, match="-ERR EOF"):
            _ = pop.capabilities
    # CAPA's last reply is the dot, which is not shown: a refusal is, and ends the command.
    with client(b"-ERR said\r\n") as (pop, _), closing_when_shown(pop, b"said"):
        with pytest.raises(cpoplib.error_proto):
            _ = pop.capabilities


def test_a_connection_closed_by_authobject_raises() -> None:
    def closing(challenge: bytes | None = None) -> bytes:
        if challenge is not None:
            pop.close()
        return b"x"

    with client(b"+ eA==\r\n", b"+OK\r\n") as (pop, _):
        with pytest.raises(cpoplib.error_proto, match="-ERR EOF"):
            pop.auth("X", closing)


def test_a_connection_closed_by_the_collector_leaves_capabilities_whole() -> None:
    class Closing:
        def __init__(self) -> None:
            self.cycle = self

        def __del__(self) -> None:
            pop.close()

    before = gc.get_threshold()
    with client(CAPA) as (pop, _):
        expected = pop.capabilities
        gc.collect()
        gc.disable()
        try:
            Closing()
            gc.set_threshold(1, 1, 1)
            gc.enable()
            assert pop.capabilities == expected
        finally:
            gc.set_threshold(*before)
            gc.enable()


def test_an_iteration_is_not_run_within_itself() -> None:
    class Numbers:
        def __init__(self) -> None:
            self.caught: list[Exception] = []

        def __iter__(self) -> Any:
            return self

        def __next__(self) -> int:
            for call in (lambda: next(many), many.close):
                with pytest.raises(ValueError, match="already executing") as caught:
                    call()
                self.caught.append(caught.value)
            if len(self.caught) > 4:
                raise StopIteration
            return len(self.caught) // 2

    with client(message(1), message(2)) as (pop, _):
        many = pop.retr_many(Numbers(), window=1)
        assert list(many) == [(1, text(1)), (2, text(2))]


def test_a_connection_lost_between_messages_ends_the_iteration_with_an_error() -> None:
    with client(CAPA, message(1) + b"+OK\r\nhal") as (pop, _):
        many = pop.retr_many([1, 2, 3])
        assert next(many) == (1, text(1))
        with pytest.raises(cpoplib.error_proto, match="-ERR EOF"):
            list(many)


def test_closing_the_connection_under_an_iteration_is_an_error_not_an_end() -> None:
    with client(CAPA, message(1), message(2)) as (pop, _):
        many = pop.retr_many([1, 2])
        assert next(many) == (1, text(1))
        pop.close()
        with pytest.raises((cpoplib.error_proto, AttributeError)):
            next(many)


def test_numbers_that_fail_fail_the_iteration_and_leave_the_session_in_step() -> None:
    def numbers() -> Iterator[Any]:
        yield 1
        raise KeyError("numbers")

    with client(message(1), b"+OK 1 1\r\n") as (pop, _):
        with pytest.raises(KeyError):
            next(pop.retr_many(numbers()))
    with client(b"+OK 1 1\r\n") as (pop, _):
        with pytest.raises(ValueError):
            next(pop.retr_many([1, 0]))
        assert pop.stat() == (1, 1)


def test_iterations_and_connections_are_collected() -> None:
    with client(CAPA, message(1), message(2)) as (pop, _):
        many = pop.retr_many([1, 2])
        next(many)
        reference = weakref.ref(pop)
        pop.close()
        pop.cycle = many
    del pop, many
    gc.collect()
    assert reference() is None


# SASL


def coded(octets: bytes) -> bytes:
    return base64.b64encode(octets)


def test_auth_sends_an_initial_response() -> None:
    with client(b"+OK in\r\n") as (pop, record):
        assert pop.auth("PLAIN", lambda challenge=None: b"\0joe\0secret") == b"+OK in"
    assert record.sent == b"AUTH PLAIN " + coded(b"\0joe\0secret") + b"\r\n"


def test_auth_without_initial_response_answers_the_empty_challenge() -> None:
    with client(b"+ \r\n", b"+OK in\r\n") as (pop, record):
        asked = []

        def answer(challenge: bytes | None = None) -> str:
            asked.append(challenge)
            return "\0jo\u00e9\0secret"

        assert pop.auth("PLAIN", answer, initial_response_ok=False) == b"+OK in"
    assert asked == [b""]
    assert record.sent == b"AUTH PLAIN\r\n" + coded("\0jo\u00e9\0secret".encode()) + b"\r\n"


def test_auth_answers_challenge_after_challenge() -> None:
    with client(b"+ " + coded(b"Username:") + b"\r\n", b"+ " + coded(b"Password:") + b"\r\n",
                b"+OK\r\n") as (pop, record):
        answers = {None: None, b"Username:": "joe", b"Password:": "secret"}
        pop.auth("LOGIN", lambda challenge=None: answers[challenge])
    assert record.sent == b"AUTH LOGIN\r\n%b\r\n%b\r\n" % (coded(b"joe"), coded(b"secret"))


def test_auth_without_authobject_answers_nothing_as_external_wants_it() -> None:
    with client(b"+OK\r\n") as (pop, record):
        pop.auth("EXTERNAL")
    assert record.sent == b"AUTH EXTERNAL =\r\n"


def test_auth_refused_after_a_challenge_about_it() -> None:
    with client(b"+ " + coded(b'{"status":"401"}') + b"\r\n", b"-ERR [AUTH] no\r\n", b"+OK 1 1\r\n"
                ) as (pop, record):
        with pytest.raises(cpoplib.error_proto) as caught:
            pop.auth("XOAUTH2", lambda challenge=None: b"token" if challenge is None else b"")
        assert caught.value.args == (b"-ERR [AUTH] no",)
        assert pop.stat() == (1, 1)
    assert record.sent == b"AUTH XOAUTH2 %b\r\n\r\nSTAT\r\n" % coded(b"token")


@pytest.mark.parametrize("octets", [4096, 12288, 16384])
@pytest.mark.parametrize("begins", [b"user=user\1", b"n,a=user,\1host=localhost\1port=995\1"], ids=["xoauth2", "oauthbearer"])
def test_a_long_token_goes_on_a_line_of_its_own(octets: int, begins: bytes) -> None:
    """Exchange Online wants that, and RFC 5034 section 4: there is no room for it in 255 octets."""
    initial = begins + b"auth=Bearer " + b"x" * octets + b"\1\1"
    mechanism = "XOAUTH2" if begins.startswith(b"user") else "OAUTHBEARER"
    with client(b"+ \r\n", b"+OK\r\n", b"+OK 1 1\r\n") as (pop, record):
        assert pop.auth(mechanism, lambda challenge=None: initial if challenge is None else b"\1") == b"+OK"
        assert pop.stat() == (1, 1)
    assert record.sent == b"AUTH %b\r\n%b\r\nSTAT\r\n" % (mechanism.encode(), coded(initial))


def test_a_long_token_is_not_given_twice() -> None:
    report = coded(b'{"status":"invalid_token"}')
    with client(b"+ \r\n", b"+ " + report + b"\r\n", b"-ERR no\r\n") as (pop, record):
        with pytest.raises(cpoplib.error_proto):
            pop.auth("OAUTHBEARER", lambda challenge=None: b"x" * 300 if challenge is None else b"\1")
    assert record.sent == b"AUTH OAUTHBEARER\r\n%b\r\n%b\r\n" % (coded(b"x" * 300), coded(b"\1"))


@pytest.mark.parametrize("room", [0, 1])
def test_what_fits_into_a_line_of_255_octets_goes_with_the_command(room: int) -> None:
    initial = b"x" * ((255 - len("AUTH PLAIN \r\n")) // 4 * 3 + room)
    with client(*[b"+ \r\n"] * room, b"+OK\r\n") as (pop, record):
        pop.auth("PLAIN", lambda challenge=None: initial)
    assert record.sent == b"AUTH PLAIN%b%b\r\n" % (b"\r\n" if room else b" ", coded(initial))


def test_auth_given_up_by_the_caller_is_cancelled() -> None:
    with client(b"+ \r\n", b"-ERR cancelled\r\n", b"+OK 1 1\r\n") as (pop, record):
        with pytest.raises(cpoplib.error_proto):
            pop.auth("LOGIN", lambda challenge=None: None)
        assert pop.stat() == (1, 1)
    assert record.sent == b"AUTH LOGIN\r\n*\r\nSTAT\r\n"


def test_auth_whose_authobject_raises_is_cancelled_and_raises_that() -> None:
    def failing(challenge: bytes | None = None) -> bytes | None:
        if challenge is None:
            return None
        raise KeyError("no such password")

    with client(b"+ \r\n", b"-ERR cancelled\r\n", b"+OK 1 1\r\n") as (pop, record):
        with pytest.raises(KeyError):
            pop.auth("LOGIN", failing)
        assert pop.stat() == (1, 1)
    assert record.sent == b"AUTH LOGIN\r\n*\r\nSTAT\r\n"


def test_auth_shows_no_secret_in_debug_output(capsys: pytest.CaptureFixture) -> None:
    with client(b"+ \r\n", b"+OK\r\n") as (pop, _):
        pop.set_debuglevel(2)
        pop.auth("PLAIN", lambda challenge=None: b"\0joe\0secret", initial_response_ok=False)
    shown = capsys.readouterr().out
    assert coded(b"\0joe\0secret").decode() not in shown
    assert "***" in shown


@pytest.mark.parametrize("mechanism", ["", "PLAIN X", "PLAIN\r\nDELE 1", "x" * 30, "\0"])
def test_a_mechanism_that_cannot_be_one_is_not_sent(mechanism: str) -> None:
    with client() as (pop, record), pytest.raises(ValueError):
        pop.auth(mechanism, lambda challenge=None: b"")
    assert record.sent == b""


# Capabilities


def test_capabilities_are_parsed_and_asked_for_once() -> None:
    with client(CAPA) as (pop, record):
        caps = pop.capabilities
        assert caps == pop.capabilities
    assert record.sent == b"CAPA\r\n"
    assert caps.names == {"PIPELINING", "UIDL", "SASL", "EXPIRE", "LOGIN-DELAY", "IMPLEMENTATION"}
    assert caps.sasl == ("PLAIN", "XOAUTH2")
    assert caps.expire == 7
    assert caps.login_delay == 60
    assert caps.implementation == "test 1.0"
    assert caps.lines[0] == "PIPELINING"


def test_capabilities_that_say_nothing() -> None:
    with client(b"+OK\r\nEXPIRE NEVER\r\n.\r\n") as (pop, _):
        assert pop.capabilities == (frozenset({"EXPIRE"}), ("EXPIRE NEVER",), (), "NEVER", None, None)


def test_capabilities_refused() -> None:
    with client(b"-ERR what?\r\n", b"+OK 1 1\r\n") as (pop, _):
        with pytest.raises(cpoplib.error_proto, match="CAPA not supported"):
            pop.capabilities  # noqa: B018 (asks the server)
        assert pop.stat() == (1, 1)


# with


def test_with_quits_at_the_end() -> None:
    record = Record()
    with connection([HELLO, b"+OK bye\r\n"], record):
        with cpoplib.POP3("host") as pop:
            assert isinstance(pop, cpoplib.POP3)
        assert pop.sock is None
    assert record.sent == b"QUIT\r\n"


def test_with_deletes_nothing_when_an_exception_leaves_it() -> None:
    record = Record()
    with connection([HELLO, b"+OK\r\n"], record):
        with pytest.raises(KeyError), cpoplib.POP3("host") as pop:
            pop.dele(1)
            raise KeyError
        assert pop.sock is None
    assert record.sent == b"DELE 1\r\n"


def test_with_around_a_session_that_is_over() -> None:
    record = Record()
    with connection([HELLO, b"+OK\r\n"], record), cpoplib.POP3("host") as pop:
        pop.quit()
    assert record.sent == b"QUIT\r\n"


# Arguments that would smuggle commands


@pytest.mark.parametrize("octet", [*range(0x20), 0x7F], ids="{:#04x}".format)
def test_control_characters_are_not_sent(octet: int) -> None:
    calls: list[Callable[[Any, str], Any]] = [
        lambda pop, bad: pop.user(bad), lambda pop, bad: pop.pass_(bad), lambda pop, bad: pop.retr(bad),
        lambda pop, bad: pop.apop(bad, "x"), lambda pop, bad: pop.top(1, bad),
        lambda pop, bad: pop._shortcmd(bad)]
    with client() as (pop, record):
        for call in calls:
            with pytest.raises(ValueError, match="Control characters not allowed in commands"):
                call(pop, f"a{chr(octet)}DELE 1")
    assert record.sent == b""


# Interplay


def test_messages_arrive_whole_while_other_threads_run() -> None:
    lines = 40000
    results = []

    def serve(listener: socket.socket) -> None:
        connected, _ = listener.accept()
        with connected, connected.makefile("rb") as commands:
            connected.sendall(HELLO)
            for command in commands:
                connected.sendall(message(int(command.split()[1]), lines))

    def fetch(port: int) -> None:
        pop = cpoplib.POP3("127.0.0.1", port, timeout=DEADLINE)
        for n in range(1, 6):
            results.append(pop.retr(n)[1] == [b"line of %d" % n] * lines)
            results.append(pop.retr_bytes(n) == text(n, lines))
        pop.close()

    threads = []
    with contextlib.ExitStack() as stack:
        for _ in range(3):
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            port = listener.getsockname()[1]
            threads += [threading.Thread(target=serve, args=(listener,), daemon=True),
                        threading.Thread(target=fetch, args=(port,), daemon=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE)
    assert results == [True] * 30


def test_a_second_thread_gets_an_error_while_the_first_one_reads() -> None:
    reading = threading.Event()

    class Announcing(socket.socket):
        def recv_into(self, *arguments: Any) -> int:
            reading.set()
            return super().recv_into(*arguments)

    ours, theirs = socket.socketpair()
    announcing = Announcing(theirs.family, theirs.type, fileno=theirs.detach())
    lines: list[bytes] = []
    with ours, pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "create_connection", lambda *_: announcing)
        ours.sendall(HELLO)
        pop = cpoplib.POP3("host")
        reading.clear()
        thread = threading.Thread(target=lambda: lines.append(pop.file.readline()), daemon=True)
        thread.start()
        assert reading.wait(DEADLINE)
        for call in (pop.noop, lambda: pop.retr_bytes(1), pop.file.read):
            with pytest.raises(RuntimeError, match="already"):
                call()
        ours.sendall(b"+OK line\r\n")
        thread.join(DEADLINE)
        assert lines == [b"+OK line\r\n"]
        pop.close()


def test_the_socket_may_keep_the_memory_it_reads_into() -> None:
    kept = []

    class Keeping(socket.socket):
        def recv_into(self, room: Any, *rest: Any) -> int:
            kept.append(room)
            return super().recv_into(room, *rest)

    ours, theirs = socket.socketpair()
    keeping = Keeping(theirs.family, theirs.type, fileno=theirs.detach())
    with ours, pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "create_connection", lambda *_: keeping)
        ours.sendall(HELLO + message(1, 5000))
        pop = cpoplib.POP3("host")
        assert len(pop.retr(1)[1]) == 5000
        pop.close()
        del pop
    gc.collect()
    assert sum(len(bytes(room)) for room in kept) > 0


def test_the_socket_may_release_the_view_it_reads_into(monkeypatch: pytest.MonkeyPatch) -> None:
    class Releasing(socket.socket):
        def recv_into(self, buffer: Any, *rest: Any) -> int:
            with buffer:
                return super().recv_into(buffer[:7], *rest)

    ours, theirs = socket.socketpair()
    releasing = Releasing(theirs.family, theirs.type, fileno=theirs.detach())
    monkeypatch.setattr(socket, "create_connection", lambda *_: releasing)
    with ours:
        ours.sendall(HELLO + message(1, 9) + b"+OK\r\n")
        pop = cpoplib.POP3("host")
        assert pop.retr(1)[1] == [b"line of 1"] * 9
        assert pop.noop() == b"+OK"
        pop.close()


@pytest.mark.parametrize("lines", [1, 4000])
def test_a_connection_that_waits_takes_no_more_memory_than_one_of_poplib(lines: int) -> None:
    def taken(module: Any) -> int:
        def connect() -> tuple:
            pair = socket.socketpair()
            pair[0].sendall(HELLO + message(1, lines))
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(socket, "create_connection", lambda *_: pair[1])
                pop = module.POP3("host")
            assert len(pop.retr(1)[1]) == lines
            return pop, *pair

        first = connect()
        gc.collect()
        tracemalloc.start()
        try:
            connected = [connect() for _ in range(20)]
            gc.collect()
            size = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        for pop, server, _ in (first, *connected):
            pop.close()
            server.close()
        return size

    assert taken(cpoplib) <= taken(poplib)


def test_a_subclass_of_pop3_ssl_exists_where_ssl_does() -> None:
    assert issubclass(cpoplib.POP3_SSL, cpoplib.POP3)
    assert cpoplib.HAVE_SSL
    assert cpoplib.ssl.SSLContext
