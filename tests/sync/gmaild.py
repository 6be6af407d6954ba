"""A Gmail server for tests: the part of Google's API that delivery needs (users.messages.import, list and get;
users.labels.list and create), by the published reference, over TLS on a free loopback port. It can be told to misbehave.

    with running(certs, answer) as gmail:
        gmail.url, gmail.ca_file
        gmail.mails      # what was imported
        gmail.requests   # "POST import", "GET list", ... in the order in which they came
"""

from __future__ import annotations

import contextlib
import email.parser
import http.server
import json
import re
import ssl
import threading
import urllib.parse
from pathlib import Path
from typing import Callable, Iterator, NamedTuple, Optional

from https_server import https_server

USER = "me@gmail.com"
READ = {"list", "get", "labels"}
# Gmail's own labels, whose ids are their names; and those that a request cannot give to a message.
GMAILS = {"INBOX", "SPAM", "TRASH", "UNREAD", "STARRED", "IMPORTANT", "CATEGORY_PERSONAL", "CATEGORY_UPDATES"}
RESERVED = {"SENT", "DRAFT", "CHAT"}


class Mail(NamedTuple):
    """A message that was imported."""

    id: str
    labels: list[str]
    parameters: dict[str, str]
    text: bytes

    def header(self, name: str) -> Optional[str]:
        return email.parser.BytesHeaderParser().parsebytes(self.text)[name]

    @property
    def delivery(self) -> str:
        return re.match(rb"X-POP3-Delivery: (\S+) [0-9a-f]{32}\r\n", self.text)[1].decode()

    @property
    def body(self) -> bytes:
        """The message as it was before it was delivered."""
        return re.sub(rb"\AX-POP3-Delivery: [^\r]*\r\n(Message-ID: <\S+@pop3\.invalid>\r\n)?", b"", self.text)


class Answer(NamedTuple):
    """What to say instead of the usual. After `does`, if it is set, the request is carried out all the same; without a
    status the connection ends."""

    status: int = 0
    body: bytes = b""
    headers: dict[str, str] = {}
    does: bool = False


def refusal(status: int, reason: str = "", message: str = "no", does: bool = False, **headers: str) -> Answer:
    """An error as Google's reference has it."""
    errors = [{"domain": "global", "reason": reason, "message": message}] if reason else []
    error = {"code": status, "message": message, "errors": errors, "status": "X"}
    return Answer(status, json.dumps({"error": error}).encode(),
                  {name.replace("_", "-"): value for name, value in headers.items()}, does)  # fmt: skip


class Gmaild:
    """`answer` is asked about each request: the step (import, list, get, labels, make) and how many of its kind came
    before; it returns an Answer, or None for the usual one."""

    def __init__(self, certs: Path, answer: Optional[Callable[[str, int], Optional[Answer]]] = None,
                 address: str = "127.0.0.1") -> None:  # fmt: skip
        self.lock = threading.RLock()
        self.answer = answer or (lambda step, number: None)
        self.judge: Callable[[bytes], Optional[Answer]] = lambda text: None  # about a message that would be imported
        self.tokens = {"token-1"}
        self.scopes = {"import", "make", *READ}
        self.labels = {"Label_1": "Work", "INBOX": "INBOX"}
        self.mails: list[Mail] = []
        self.requests: list[str] = []
        self.counts: dict[str, int] = {}
        self.connections = 0
        self.imported = threading.Condition(self.lock)
        self.httpd = https_server(Handler, self, certs, address)
        self.url = f"https://localhost:{self.httpd.server_port}"
        self.ca_file = certs / "ca.pem"
        self.thread = threading.Thread(target=self.httpd.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.httpd.shutdown()
        self.httpd.server_close()
        self.thread.join()

    def finish_others(self) -> None:
        """Waits until what clients that have gone had sent is imported."""
        self.httpd.finish()

    def count(self, step: str) -> int:
        with self.lock:
            return self.counts.get(step, 0)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # header and body are two writes: the second does not wait for the other's ACK
    timeout = 60

    def setup(self) -> None:
        super().setup()
        self.gmail: Gmaild = self.server.owner
        with self.gmail.lock:
            self.gmail.connections += 1

    def handle(self) -> None:
        with contextlib.suppress(OSError, ssl.SSLError, ValueError):
            super().handle()

    def log_message(self, *_unused: object) -> None:
        pass

    def say(self, status: int, body: bytes | dict, headers: dict[str, str]) -> None:
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        self.send_response(status)
        for name, value in {"Content-Type": "application/json; charset=UTF-8", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        self.act(b"")

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) == length:  # else it is not there
            self.act(body)

    def act(self, body: bytes) -> None:
        gmail = self.gmail
        url = urllib.parse.urlsplit(self.path)
        fields = dict(urllib.parse.parse_qsl(url.query, strict_parsing=True)) if url.query else {}
        step, user, rest = self.step_of(url.path)
        with gmail.lock:
            number = gmail.counts.get(step, 0)
            gmail.counts[step] = number + 1
            gmail.requests.append(f"{self.command} {step}")
            told = gmail.answer(step, number)
            if told is None or told.does:
                usual = self.usual(step, user, rest, fields, body)
        if told is None:
            self.say(*usual, {})
        elif told.status == 0:
            self.close_connection = True
        else:
            self.say(told.status, told.body, told.headers)

    def step_of(self, path: str) -> tuple[str, str, str]:
        found = re.fullmatch(r"(/upload)?/gmail/v1/users/([^/]+)/(messages|labels)(?:/([^/]+))?", path)
        assert found, path
        upload, user, what, rest = found.groups()
        assert bool(upload) == (rest == "import"), path
        if what == "labels":
            step = "labels" if self.command == "GET" else "make"
        else:
            step = "import" if rest == "import" else "get" if rest else "list"
        assert (self.command == "POST") == (step in ("import", "make")), path
        return step, urllib.parse.unquote(user), rest

    def usual(self, step: str, user: str, rest: str, fields: dict[str, str], body: bytes) -> tuple[int, dict]:
        gmail = self.gmail
        token = (self.headers["Authorization"] or "").removeprefix("Bearer ")
        if token not in gmail.tokens:
            return 401, {"error": {"code": 401, "message": "Invalid Credentials", "errors": [{"reason": "authError"}]}}
        if user != USER:
            return 403, {"error": {"code": 403, "message": f"Delegation denied for {USER}", "errors": [{"reason": "forbidden"}]}}
        if step not in gmail.scopes:
            return 403, {"error": {"code": 403, "message": "Request had insufficient authentication scopes.",
                                   "errors": [{"reason": "insufficientPermissions"}]}}  # fmt: skip
        return getattr(self, "on_" + step)(rest, fields, body)

    def on_import(self, _rest: str, fields: dict[str, str], body: bytes) -> tuple[int, dict]:
        assert fields.pop("uploadType") == "multipart"
        kind, boundary = re.fullmatch(r"(multipart/related); boundary=(\w+)", self.headers["Content-Type"]).groups()
        mark = b"--" + boundary.encode()
        assert body.count(mark) == 3 and body.startswith(mark) and body.endswith(b"\r\n" + mark + b"--\r\n"), kind
        _, metadata, message, _ = re.split(rb"(?:\A|\r\n)" + re.escape(mark) + rb"(?:\r\n|--\r\n)", body)
        head, metadata = metadata.split(b"\r\n\r\n", 1)
        assert head == b"Content-Type: application/json; charset=UTF-8"
        head, text = message.split(b"\r\n\r\n", 1)
        assert head == b"Content-Type: message/rfc822"
        labels = json.loads(metadata)["labelIds"]
        assert len(set(labels)) == len(labels)
        for label in labels:
            if label not in self.gmail.labels and label not in GMAILS:
                return 400, {"error": {"code": 400, "message": f"Invalid label: {label}", "errors": [{"reason": "invalidArgument"}]}}
        refused = self.gmail.judge(text)
        if refused is not None:
            return refused.status, refused.body
        mail = Mail(f"{len(self.gmail.mails):016x}", labels, fields, text)
        self.gmail.mails.append(mail)
        self.gmail.imported.notify_all()
        return 200, {"id": mail.id, "threadId": mail.id, "labelIds": labels}

    def on_list(self, _rest: str, fields: dict[str, str], _body: bytes) -> tuple[int, dict]:
        wanted = re.fullmatch(r"rfc822msgid:(\S+)", fields["q"])[1]
        assert fields["includeSpamTrash"] == "true"
        found = [m for m in self.gmail.mails if (m.header("Message-ID") or "").strip("<> ") == wanted]
        return 200, {"messages": [{"id": m.id, "threadId": m.id} for m in found], "resultSizeEstimate": len(found)}

    def on_get(self, rest: str, fields: dict[str, str], _body: bytes) -> tuple[int, dict]:
        assert fields == {"format": "metadata", "metadataHeaders": "X-POP3-Delivery"}
        mail = next(m for m in self.gmail.mails if m.id == rest)
        headers = [{"name": "X-POP3-Delivery", "value": mail.header("X-POP3-Delivery")}]
        return 200, {"id": mail.id, "payload": {"headers": headers}, "sizeEstimate": len(mail.text)}

    def on_labels(self, _rest: str, _fields: dict[str, str], _body: bytes) -> tuple[int, dict]:
        gmails = [{"id": name, "name": name, "type": "system"} for name in sorted(GMAILS | RESERVED)]
        return 200, {"labels": gmails + [{"id": i, "name": name, "type": "user"} for i, name in self.gmail.labels.items()]}

    def on_make(self, _rest: str, _fields: dict[str, str], body: bytes) -> tuple[int, dict]:
        name = json.loads(body)["name"]
        if name in self.gmail.labels.values():
            return 409, {"error": {"code": 409, "message": "Label name exists or conflicts"}}
        if name in ("Muted", *GMAILS, *RESERVED):
            return 400, {"error": {"code": 400, "message": "Invalid label name", "errors": [{"reason": "invalidArgument"}]}}
        self.gmail.labels[f"Label_{len(self.gmail.labels) + 1}"] = name
        return 200, {"id": f"Label_{len(self.gmail.labels)}", "name": name}


@contextlib.contextmanager
def running(*arguments, **options) -> Iterator[Gmaild]:
    server = Gmaild(*arguments, **options)
    try:
        yield server
    finally:
        server.stop()
