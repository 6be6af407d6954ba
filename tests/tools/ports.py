"""Ports that a test may count on."""

from __future__ import annotations

import contextlib
import socket
from typing import Iterator, Sequence


@contextlib.contextmanager
def held_port(addresses: Sequence[str] = ("127.0.0.1",)) -> Iterator[int]:
    """A port, the same at each address, that refuses connections and that nobody else gets until the block ends: it is
    bound, and nobody listens. A server that is given it by its number can listen there, with SO_REUSEADDR, as servers
    do, and when that server has ended the port refuses again."""
    for _ in range(100):
        with contextlib.ExitStack() as sockets:
            port = 0
            try:
                for address in addresses:
                    family = socket.AF_INET6 if ":" in address else socket.AF_INET
                    held = sockets.enter_context(socket.socket(family))
                    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    held.bind((address, port))
                    port = held.getsockname()[1]
            except OSError:
                continue  # free at the first address, and not at the second
            yield port
            return
    raise RuntimeError("no free port")
