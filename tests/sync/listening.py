"""Accepts connections, for the servers that tests talk to."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Callable

PATIENCE = 120  # seconds until a connection is given up that neither end closes


class Listening:
    """Serves what comes to a listener until stop(): one connection after the other or, `at_once`, each in a thread."""

    def __init__(self, listener: socket.socket, serve: Callable[[socket.socket], None], at_once: bool = True) -> None:
        self.listener, self.serve, self.at_once = listener, serve, at_once
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.threads: list[threading.Thread] = []
        self.beginning = threading.Lock()  # who was answered is among them
        self.thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            if self.at_once:
                thread = threading.Thread(target=self.serve, args=(connection,), daemon=True)
                with self.beginning:
                    thread.start()
                    self.threads.append(thread)
            else:
                with connection:
                    self.serve(connection)

    def join(self) -> None:
        """Waits until all connections but the one of this thread are over."""
        with self.beginning:
            threads = list(self.threads)
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(PATIENCE)
                assert not thread.is_alive()

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()
        self.join()
