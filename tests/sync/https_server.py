"""An HTTPS server on a free port of an address of this host, with the certificates of the test server."""

import http.server
import socket
import ssl
import threading
from pathlib import Path

from listening import PATIENCE


class HttpsServer(http.server.ThreadingHTTPServer):
    """A thread for each connection, all of which may be waited for."""

    daemon_threads = True

    def __init__(self, *arguments: object) -> None:
        self.serving: list[threading.Thread] = []
        self.beginning = threading.Lock()  # who was answered is among them
        super().__init__(*arguments)

    def process_request(self, request: socket.socket, client_address: object) -> None:
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        with self.beginning:
            thread.start()
            self.serving.append(thread)

    def finish(self) -> None:
        """Waits until the connections are over whose clients have gone: what they had sent was acted upon."""
        with self.beginning:
            serving = list(self.serving)
        for thread in serving:
            thread.join(PATIENCE)
            assert not thread.is_alive()


class OfIpv6(HttpsServer):
    address_family = socket.AF_INET6


def https_server(handler: type, owner: object, certs: Path, address: str = "127.0.0.1") -> HttpsServer:
    """One that is not started yet; its handlers find `owner` as `server.owner`."""
    kind = OfIpv6 if ":" in address else HttpsServer
    httpd = kind((address, 0), handler)
    httpd.owner = owner  # type: ignore[attr-defined]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs / "good.pem", certs / "good.key")
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True, do_handshake_on_connect=False)
    return httpd
