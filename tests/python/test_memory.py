"""An allocation that fails, whichever it is, raises MemoryError, and never crashes."""

from __future__ import annotations

import io
import socket
import sys
import sysconfig
from typing import Any, Callable

import cpoplib
import pytest

_testcapi = pytest.importorskip("_testcapi", reason="CPython's test helpers are not installed")

GREETING = b"+OK <a@b>\r\n"
MESSAGE = b"+OK\r\nA: b\r\n\r\n" + b"a line of text\r\n" * 30 + b"..stuffed\r\n.\r\n"
CAPA = b"+OK\r\nPIPELINING\r\nSASL PLAIN\r\nIMPLEMENTATION x\r\n.\r\n"
MOST = 80  # allocations looked at: more than any of these makes

CALLS: dict[str, tuple[bytes, Callable[[Any], Any]]] = {
    "retr": (MESSAGE, lambda pop: pop.retr(1)),
    "retr_bytes": (MESSAGE, lambda pop: pop.retr_bytes(1)),
    "retr_into": (MESSAGE, lambda pop: pop.retr_into(1, io.BytesIO())),
    "retr_many": (MESSAGE, lambda pop: list(pop.retr_many([1]))),
    "auth": (b"+ \r\n+OK\r\n", lambda pop: pop.auth("PLAIN", lambda challenge=None: challenge)),
    "capabilities": (CAPA, lambda pop: pop.capabilities),
    "capa": (CAPA, lambda pop: pop.capa()),
    "stat": (b"+OK 1 2\r\n", lambda pop: pop.stat()),
    "list": (b"+OK 1 2\r\n", lambda pop: pop.list(1)),
    "top": (MESSAGE, lambda pop: pop.top(1, 2)),
    "apop": (b"+OK\r\n", lambda pop: pop.apop("joe", "secret")),
    "refusal": (b"-ERR no\r\n", lambda pop: pop.dele(1)),
    "refusal_of_a_message": (b"-ERR no\r\n", lambda pop: pop.retr_bytes(1)),
    "end_of_input": (b"", lambda pop: pop.noop()),
    "missing_argument": (b"", lambda pop: pop.retr()),
    "unknown_keyword": (b"", lambda pop: pop.top(x=1)),
    "control_character": (b"", lambda pop: pop.user("a\n")),
    "quit": (b"+OK\r\n", lambda pop: pop.quit()),
    "close": (b"", lambda pop: pop.close()),
    "file": (b"a\nb\nc", lambda pop: (pop.file.readline(), pop.file.peek(), pop.file.readlines())),
    "connect": (b"", lambda pop: cpoplib.POP3("host")),
}

# Without the GIL, PyList_New() of Python 3.13 frees the items of an earlier list again when memory lacks. These two
# call split(), which makes its list so.
LIST_IS_BROKEN = bool(sysconfig.get_config_var("Py_GIL_DISABLED")) and sys.version_info < (3, 14)
MAKE_A_LIST = ("capa", "stat")


def connected(monkeypatch: pytest.MonkeyPatch, reply: bytes) -> Any:
    """A client of a server that has said all it will say. A second connection would get a greeting too."""
    ends = [socket.socketpair() for _ in range(2)]
    for server, _ in ends:
        server.sendall(GREETING + reply)
        server.shutdown(socket.SHUT_WR)
    clients = [client for _, client in ends]
    monkeypatch.setattr(socket, "create_connection", lambda *_: clients.pop())
    return cpoplib.POP3("host"), ends


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("name", CALLS)
def test_each_allocation_may_fail(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if LIST_IS_BROKEN and name in MAKE_A_LIST:
        pytest.skip("this version of Python crashes when memory for a list lacks")
    reply, call = CALLS[name]
    expected = {MemoryError}
    for allocation in range(0, MOST):
        pop, ends = connected(monkeypatch, reply)
        raised = None
        if allocation > 0:  # first, what happens when none fails
            _testcapi.set_nomemory(allocation, allocation + 1)
        try:
            try:
                call(pop)
            finally:
                _testcapi.remove_mem_hooks()
        except Exception as exception:
            # The latter is what io.BufferedReader says when it is out of memory.
            buffered = str(exception) == "can't allocate read lock"
            raised = MemoryError if buffered else type(exception)
        if allocation == 0 and raised is not None:
            expected.add(raised)
        assert raised is None or raised in expected
        pop.close()
        for server, client in ends:
            server.close()
            client.close()
