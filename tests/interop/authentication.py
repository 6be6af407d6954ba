"""What Dovecot needs to offer every mechanism: tokens (OAUTHBEARER, XOAUTH2) that it verifies by
itself, and client certificates (EXTERNAL).

    tokens/valid, tokens/expired    JSON Web Tokens for the user, one line each
    tls/client.pem, tls/client.key  a certificate that names the user, signed by the test CA
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from pathlib import Path

from certificates import sign_client_certificate


def _base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def make_token(key: bytes, user: str, expires: int) -> str:
    """A JSON Web Token (RFC 7519), signed with HS256."""
    head = {"typ": "JWT", "alg": "HS256"}
    now = int(time.time()) - 7200
    claims = {"sub": user, "iat": now, "nbf": now, "exp": expires, "scope": "pop3"}
    signed = ".".join(_base64url(json.dumps(part).encode()) for part in (head, claims))
    signature = hmac.new(key, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_base64url(signature)}"


def lay_out(directory: Path, user: str, openssl: str) -> None:
    """Make the files that dovecot_config.ALL_AUTH needs, and the client's."""
    key = secrets.token_bytes(32)
    key_file = directory / "token-keys" / "default" / "HS256" / "default"
    key_file.parent.mkdir(parents=True)
    key_file.write_bytes(base64.b64encode(key))
    tokens = directory / "tokens"
    tokens.mkdir()
    now = int(time.time())
    (tokens / "valid").write_text(make_token(key, user, now + 86400) + "\n")
    (tokens / "expired").write_text(make_token(key, user, now - 3600) + "\n")
    sign_client_certificate(directory / "tls", user, openssl)
