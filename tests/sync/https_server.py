"""An HTTPS server on a free port of an address of this host, with the certificates of the test server."""

import http.server
import socket
import ssl
from pathlib import Path


class OfIpv6(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


def https_server(handler: type, owner: object, certs: Path, address: str = "127.0.0.1") -> http.server.ThreadingHTTPServer:
    """One that is not started yet; its handlers find `owner` as `server.owner`."""
    kind = OfIpv6 if ":" in address else http.server.ThreadingHTTPServer
    httpd = kind((address, 0), handler)
    httpd.daemon_threads = True
    httpd.owner = owner  # type: ignore[attr-defined]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certs / "good.pem", certs / "good.key")
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True, do_handshake_on_connect=False)
    return httpd
