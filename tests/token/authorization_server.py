"""An authorization server for tests (RFC 6749, 7009, 7591, 7636, 7662, 8414, 8628, 9207), over TLS on a free
loopback port. It grants what it is asked for, rotates refresh tokens, and misbehaves as it is told to.

    with AuthorizationServer(certs) as server:
        server.issuer                              # https://localhost:PORT
        server.script.append(refuse("slow_down"))  # what the next request to the token endpoint gets
        server.requests                            # (path, form) of what was asked
"""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import secrets
import threading
import urllib.parse
from pathlib import Path
from typing import Callable, Optional

from https_server import https_server

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"

# What a script does to a request: it answers by itself (True), or leaves it to the server (False).
Act = Callable[["Handler", dict], bool]


def refuse(code: str, status: int = 400, description: str = "", **headers: str) -> Act:
    """An error by RFC 6749 §5.2."""

    def act(handler: Handler, _form: dict) -> bool:
        handler.say(status, {"error": code, **({"error_description": description} if description else {})}, headers)
        return True

    return act


def answer(body: bytes | dict, status: int = 200, **headers: str) -> Act:
    """This, whatever was asked."""

    def act(handler: Handler, _form: dict) -> bool:
        handler.say(status, body, headers)
        return True

    return act


def drop(handler: Handler, _form: dict) -> bool:
    """Closes before anything is done."""
    handler.hang_up()
    return True


def grant_and_drop(handler: Handler, form: dict) -> bool:
    """Does what was asked, and closes without an answer: a refresh token has been rotated by then."""
    handler.server.owner.grant(form)
    handler.hang_up()
    return True


class AuthorizationServer:
    """What it knows, and what it does."""

    def __init__(self, certs: Path) -> None:
        self.lock = threading.RLock()
        self.clients: dict[str, Optional[str]] = {"mail-client": "client-secret-value"}
        self.user = "user"
        self.script: list[Act] = []
        self.requests: list[tuple[str, dict]] = []
        self.access: dict[str, str] = {}  # good tokens, and whose they are
        self.refresh: set[str] = set()
        self.spent: set[str] = set()  # rotated away
        self.codes: dict[str, dict] = {}
        self.devices: dict[str, bool] = {}  # device codes, and whether the user has entered the other
        self.lifetime: object = 3600
        self.token_octets = 40
        self.rotates = True
        self.grace = 0  # how many times a refresh token that was rotated away is still taken
        self.metadata: dict[str, object] = {}  # in place of, or beside, the usual
        self.answers_issuer = True
        self.hold: Optional[threading.Event] = None  # requests to the token endpoint wait for it
        self.arrived = threading.Semaphore(0)
        self.httpd = https_server(Handler, self, certs)
        self.ca_file = certs / "ca.pem"
        self.issuer = f"https://localhost:{self.httpd.server_port}"
        self.thread = threading.Thread(target=self.httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> AuthorizationServer:
        self.thread.start()
        return self

    def __exit__(self, *_unused: object) -> None:
        self.httpd.shutdown()
        self.httpd.server_close()
        self.thread.join()

    def asked(self, path: str, **fields: str) -> list[dict]:
        """The forms that came to a path, with these fields."""
        with self.lock:
            return [f for p, f in self.requests if p == path and all(f.get(k) == v for k, v in fields.items())]

    # ---- tokens ----

    def issue(self, old_refresh: Optional[str] = None, refreshes: bool = True) -> dict:
        """New tokens, as an answer."""
        with self.lock:
            token = secrets.token_urlsafe(self.token_octets)[: self.token_octets]
            self.access[token] = self.user
            reply: dict = {"access_token": token, "token_type": "Bearer", "scope": "mail"}
            if self.lifetime is not None:
                reply["expires_in"] = self.lifetime
            if refreshes and (old_refresh is None or self.rotates):
                reply["refresh_token"] = "refresh-" + secrets.token_urlsafe(24)
                self.refresh.add(reply["refresh_token"])
                if old_refresh is not None:
                    self.refresh.discard(old_refresh)
                    self.spent.add(old_refresh)
            return reply

    def check_client(self, form: dict) -> Optional[dict]:
        client = form.get("client_id", "")
        if client not in self.clients or (self.clients[client] or "") != form.get("client_secret", ""):
            return {"error": "invalid_client"}
        return None

    def redeem(self, form: dict) -> dict:
        """Tokens for an authorization code (RFC 6749 §4.1.3, RFC 7636 §4.6)."""
        code = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proof = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if code is None or code["redirect_uri"] != form.get("redirect_uri") or code["client_id"] != form["client_id"]:
            return {"error": "invalid_grant", "error_description": "no such code"}
        if code["code_challenge"] != proof or not 43 <= len(form["code_verifier"]) <= 128:
            return {"error": "invalid_grant", "error_description": "PKCE verification failed"}
        # OpenID Connect Core §11: what is to outlast the session has to be consented to
        offline = "offline_access" in code.get("scope", "").split()
        return self.issue(refreshes=not offline or "consent" in code.get("prompt", "").split())

    def grant(self, form: dict) -> dict:
        """The answer of the token endpoint."""
        with self.lock:
            wrong = self.check_client(form)
            if wrong is not None:
                return wrong
            kind = form.get("grant_type")
            if kind == "refresh_token":
                old = form.get("refresh_token", "")
                if old in self.spent and self.grace > 0:
                    self.grace -= 1
                    return self.issue(old)
                if old not in self.refresh:
                    if old in self.spent:  # used twice: somebody has stolen it (RFC 9700 §4.14.2)
                        self.refresh.clear()
                    return {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
                return self.issue(old)
            if kind == "authorization_code":
                return self.redeem(form)
            if kind == "client_credentials":
                return self.issue(refreshes=False) if self.clients[form["client_id"]] else {"error": "unauthorized_client"}
            if kind == DEVICE_GRANT:
                entered = self.devices.get(form.get("device_code", ""))
                if entered is None:
                    return {"error": "expired_token"}
                return self.issue() if entered else {"error": "authorization_pending"}
            return {"error": "unsupported_grant_type"}

    def grants(self) -> set[str]:
        """What a client may register for."""
        known = {"authorization_code", "refresh_token", "client_credentials"}
        return known | {DEVICE_GRANT} if self.describe()["device_authorization_endpoint"] else known

    def describe(self) -> dict:
        """The metadata (RFC 8414)."""
        at = self.issuer
        return {
            "issuer": at, "authorization_endpoint": f"{at}/authorize", "token_endpoint": f"{at}/token",
            "device_authorization_endpoint": f"{at}/device", "revocation_endpoint": f"{at}/revoke",
            "introspection_endpoint": f"{at}/introspect", "registration_endpoint": f"{at}/register",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic", "none"],
            "authorization_response_iss_parameter_supported": True, **self.metadata,
        }  # fmt: skip


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # header and body are two writes: the second does not wait for the other's ACK
    timeout = 30

    def log_message(self, *_unused: object) -> None:
        pass

    def say(self, status: int, body: bytes | dict | str, headers: Optional[dict] = None) -> None:
        data = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.close()

    def read_form(self) -> dict:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if self.headers.get("Content-Type", "").startswith("application/json"):
            return json.loads(body)
        form = dict(urllib.parse.parse_qsl(body, strict_parsing=bool(body)))
        given = self.headers.get("Authorization", "")
        if given.startswith("Basic "):
            assert "client_secret" not in form, "the client names itself twice"
            name, secret = base64.b64decode(given[6:]).decode().split(":", 1)
            form["client_id"], form["client_secret"] = urllib.parse.unquote_plus(name), urllib.parse.unquote_plus(secret)
            form["basic"] = "yes"
        return form

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except (OSError, ValueError):  # the other end has gone
            self.close_connection = True

    def do_GET(self) -> None:
        owner: AuthorizationServer = self.server.owner
        path, _, query = self.path.partition("?")
        form = dict(urllib.parse.parse_qsl(query))
        with owner.lock:
            owner.requests.append((path, form))
        if path == "/.well-known/oauth-authorization-server":
            self.say(200, owner.describe())
        elif path == "/authorize":
            self.authorize(owner, form)
        elif path == "/introspect":
            self.introspect(owner, form.get("token", ""))
        else:
            self.say(404, {"error": "not_found"})

    def authorize(self, owner: AuthorizationServer, form: dict) -> None:
        """The user agrees at once, and is sent back with a code."""
        assert form["response_type"] == "code" and form["code_challenge_method"] == "S256", form
        code = "code-" + secrets.token_urlsafe(16)
        owner.codes[code] = form
        back = {"code": code, "state": form["state"]}
        if owner.answers_issuer:
            back["iss"] = owner.issuer
        self.say(302, b"", {"Location": form["redirect_uri"] + "?" + urllib.parse.urlencode(back)})

    def introspect(self, owner: AuthorizationServer, token: str) -> None:
        user = owner.access.get(token)
        self.say(200, {"active": user is not None, **({"username": user, "scope": "mail"} if user else {})})

    def do_POST(self) -> None:
        owner: AuthorizationServer = self.server.owner
        form = self.read_form()
        with owner.lock:
            owner.requests.append((self.path, form))
            act = owner.script.pop(0) if owner.script and self.path == "/token" else None
        if self.path == "/token":
            owner.arrived.release()
            if owner.hold is not None:
                owner.hold.wait(30)
            if act is None or not act(self, form):
                reply = owner.grant(form)
                self.say(401 if reply.get("error") == "invalid_client" else 400 if "error" in reply else 200, reply)
        elif self.path == "/device":
            code = "device-" + secrets.token_urlsafe(16)
            owner.devices[code] = False
            at = f"{owner.issuer}/enter"
            self.say(200, {"device_code": code, "user_code": "WDJB-MJHT", "verification_uri": at, "expires_in": 600,
                           "verification_uri_complete": f"{at}?user_code=WDJB-MJHT", "interval": 1})  # fmt: skip
        elif self.path == "/revoke" and owner.check_client(form) is not None:
            self.say(401, {"error": "invalid_client"})
        elif self.path == "/revoke":
            owner.access.pop(form.get("token", ""), None)
            owner.refresh.discard(form.get("token", ""))
            self.say(200, b"")
        elif self.path == "/introspect":
            self.introspect(owner, form.get("token", ""))
        elif self.path == "/register" and not set(form["grant_types"]) <= owner.grants():
            self.say(400, {"error": "invalid_client_metadata", "error_description": "grant_types"})
        elif self.path == "/register":
            name = "registered-" + secrets.token_urlsafe(8)
            owner.clients[name] = None
            self.say(201, {"client_id": name, **form, "token_endpoint_auth_method": "none"})
        else:
            self.say(404, {"error": "not_found"})
