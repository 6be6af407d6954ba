"""A throwaway certificate authority and a server certificate for the loopback interface."""

from __future__ import annotations

import subprocess
from pathlib import Path

OPENSSL_CONFIG = """\
[req]
distinguished_name = name
[name]
[ca]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
[client]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
"""

NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def _runner(openssl: str):
    """A function that runs openssl and raises RuntimeError with what it says when it fails."""

    def run(*arguments: str) -> None:
        command = [openssl, *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"openssl {arguments[0]} failed:\n{done.stderr}")

    return run


def make_certificates(directory: Path, openssl: str) -> None:
    """Make ca.pem, and server.pem and server.key signed by it, for the loopback's names."""
    directory.mkdir()
    config = directory / "openssl.cnf"
    config.write_text(OPENSSL_CONFIG)

    run = _runner(openssl)

    def path(name: str) -> str:
        return str(directory / name)

    # fmt: off
    run("req", "-x509", "-config", str(config), "-extensions", "ca", *NEW_KEY, "-sha256",
        "-days", "30", "-subj", "/CN=libpop3 test CA",
        "-keyout", path("ca.key"), "-out", path("ca.pem"))
    run("req", "-new", "-config", str(config), *NEW_KEY, "-sha256", "-subj", "/CN=localhost",
        "-keyout", path("server.key"), "-out", path("server.csr"))
    run("x509", "-req", "-in", path("server.csr"), "-sha256", "-days", "30", "-set_serial", "2",
        "-CA", path("ca.pem"), "-CAkey", path("ca.key"),
        "-extfile", str(config), "-extensions", "server", "-out", path("server.pem"))
    # fmt: on


def sign_client_certificate(directory: Path, name: str, openssl: str) -> None:
    """Add client.pem and client.key, for the user of that name, signed by the authority there."""
    run = _runner(openssl)

    def path(file: str) -> str:
        return str(directory / file)

    # fmt: off
    run("req", "-new", "-config", path("openssl.cnf"), *NEW_KEY, "-sha256", "-subj", f"/CN={name}",
        "-keyout", path("client.key"), "-out", path("client.csr"))
    run("x509", "-req", "-in", path("client.csr"), "-sha256", "-days", "30", "-set_serial", "3",
        "-CA", path("ca.pem"), "-CAkey", path("ca.key"),
        "-extfile", path("openssl.cnf"), "-extensions", "client", "-out", path("client.pem"))
    # fmt: on
