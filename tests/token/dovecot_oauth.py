"""Dovecot that asks an authorization server about tokens (RFC 7662)."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Iterator, Optional, Sequence

import pytest

from authorization_server import AuthorizationServer
from world import ROOT

sys.path.insert(0, str(ROOT / "tests/interop"))

from dovecot import Dovecot, has_protocol, server_syntax  # noqa: E402, F401

MECHANISMS = "auth_mechanisms = xoauth2 oauthbearer\n"

OAUTH2 = """\
introspection_mode = {mode}
introspection_url = {url}
username_attribute = {username}
active_attribute = active
active_value = true
"""

PASSDB_2_3 = MECHANISMS + """\
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
"""

PASSDB_2_4 = MECHANISMS + """\
ssl_client_ca_file = {folder}/ca.pem
oauth2 {{
""" + OAUTH2 + """\
}}
passdb oauth2 {{
  mechanisms_filter = xoauth2 oauthbearer
}}
"""


@contextlib.contextmanager
def dovecot(server: AuthorizationServer, mail: Optional[Path], url: Optional[str] = None, username: str = "username",
            protocols: Sequence[str] = ()) -> Iterator[Dovecot]:  # fmt: skip
    """A server whose only way in is a token of the other's. It asks by GET, or at `url` by POST."""
    if subprocess.run([ROOT / "tests/interop/dovecot.py", "available"]).returncode != 0:
        pytest.skip("Dovecot cannot be run here")
    folder = Path(tempfile.mkdtemp(prefix="pop3-oauth-"))
    try:
        folder.chmod(0o755)  # whom Dovecot runs as reads it
        shutil.copyfile(server.ca_file, folder / "ca.pem")
        (folder / "ca.pem").chmod(0o644)
        facts = {"url": url or server.issuer + "/introspect?token=", "mode": "post" if url else "get", "username": username,
                 "folder": folder}  # fmt: skip
        old = server_syntax().oauth2_file is not None
        if old:
            text = OAUTH2.format(**facts) + f"tls_ca_cert_file = {folder}/ca.pem\n"
            (folder / "oauth2.conf").write_text(text)
            (folder / "oauth2.conf").chmod(0o644)
        config = (PASSDB_2_3 if old else PASSDB_2_4).format(**facts)
        with Dovecot(maildirs={"user": mail and str(mail)}, extra_config=config, protocols=protocols) as it:
            yield it
    finally:
        shutil.rmtree(folder)
