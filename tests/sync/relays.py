"""What stands between the command and a server: a Unix socket, or an HTTP proxy."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from typing import Callable, Iterator, NamedTuple, Optional

from listening import Listening
from world import DEADLINE


def pump(source: socket.socket, target: socket.socket) -> None:
    """Moves octets one way until an end."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


def join(client: socket.socket, port: int) -> None:
    """Joins a client to the server at a port, both ways."""
    with client, socket.create_connection(("127.0.0.1", port), DEADLINE) as server:
        back = threading.Thread(target=pump, args=(server, client), daemon=True)
        back.start()
        pump(client, server)
        back.join(DEADLINE)


@contextlib.contextmanager
def listening(listener: socket.socket, serve: Callable[[socket.socket], None]) -> Iterator[None]:
    """Serves each connection in a thread, until the listener is closed."""

    accepting = Listening(listener, serve)
    try:
        yield
    finally:
        accepting.stop()


@contextlib.contextmanager
def relay(path: str, port: int) -> Iterator[None]:
    """A Unix socket in front of a server."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    with listening(listener, lambda client: join(client, port)):
        yield


class Proxy(NamedTuple):
    """An HTTP proxy, and the heads of the requests that it got."""

    port: int
    heads: list[str]

    def asked(self) -> list[str]:
        return [head.split("\r\n")[0] for head in self.heads]


@contextlib.contextmanager
def connect_proxy(status: str = "200 OK") -> Iterator[Proxy]:
    """It connects to this machine only, or answers all requests with another status."""

    def serve(client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        proxy.heads.append(head.decode())
        client.sendall(f"HTTP/1.1 {status}\r\n".encode() + (b"\r\n" if status[0] == "2" else b"Content-Length: 0\r\n\r\n"))
        if status[0] == "2":
            join(client, int(re.match(r"CONNECT \S+:(\d+) ", proxy.heads[-1])[1]))
        client.close()

    listener = socket.create_server(("127.0.0.1", 0))
    proxy = Proxy(listener.getsockname()[1], [])
    with listening(listener, serve):
        yield proxy


class Cut:
    """A way to a server of this machine whose first connection ends once so many octets went one way."""

    def __init__(self, port: int, way: int, at: Optional[int]) -> None:
        self.target, self.way, self.at = port, way, at
        self.octets = [0, 0]  # of the first connection: from the client, and from the server
        self.lock = threading.Lock()
        self.first: Optional[socket.socket] = None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]

    def was_cut(self) -> bool:
        return self.at is not None and self.octets[self.way] == self.at

    def serve(self, client: socket.socket) -> None:
        with self.lock:
            is_first = self.first is None
            self.first = self.first or client
        if not is_first:
            join(client, self.target)
            return
        with client, socket.create_connection(("127.0.0.1", self.target), DEADLINE) as server:
            back = threading.Thread(target=self.move, args=(1, server, client), daemon=True)
            back.start()
            self.move(0, client, server)
            back.join(DEADLINE)

    def move(self, way: int, source: socket.socket, target: socket.socket) -> None:
        """Moves octets one way until an end, or until they are enough: then both ways end."""
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                left = len(data) if way != self.way or self.at is None else self.at - self.octets[way]
                target.sendall(data[:left])
                self.octets[way] += len(data[:left])
                if left < len(data):
                    for end in (source, target):
                        end.shutdown(socket.SHUT_RDWR)
                    return
            target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def cut_relay(port: int, way: int, at: Optional[int]) -> Iterator[Cut]:
    """`way` 0: octets from the client are counted; 1: from the server. Without `at` nothing is cut."""
    cut = Cut(port, way, at)
    with listening(cut.listener, cut.serve):
        yield cut
