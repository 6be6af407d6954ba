"""An HTTPS server on a free port of 127.0.0.1, with the certificates of the test server."""

import http.server
import ssl
from pathlib import Path


def https_server(handler: type, owner: object, certs: Path) -> http.server.ThreadingHTTPServer:
    """One that is not started yet; its handlers find `owner` as `server.owner`."""
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    httpd.daemon_threads = True
    httpd.owner = owner  # type: ignore[attr-defined]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs / "good.pem", certs / "good.key")
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True, do_handshake_on_connect=False)
    return httpd
