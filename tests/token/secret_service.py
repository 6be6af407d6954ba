"""A desktop's keyring for tests: org.freedesktop.secrets over a private bus, in memory.

    with bus() as address:
        with SecretService(address) as keyring:
            keyring.items     # label, attributes and secret of each
            keyring.locked = True
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Iterator

import pytest

from world import DEADLINE

ROOT = "/org/freedesktop/secrets"
COLLECTION = f"{ROOT}/collection/login"
NO_PROMPT = "/"
CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


@contextlib.contextmanager
def bus() -> Iterator[str]:
    """A bus of our own. Yields its address."""
    program = shutil.which("dbus-daemon")
    if program is None:
        pytest.skip("no dbus-daemon")
    folder = Path(tempfile.mkdtemp(prefix="pop3-bus-"))  # a path that a socket can have
    try:
        (folder / "config").write_text(CONFIG.format(path=folder / "bus"))
        daemon = subprocess.Popen([program, f"--config-file={folder}/config", "--nofork", "--print-address"],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # fmt: skip
        watch = threading.Timer(2 * DEADLINE, daemon.kill)  # nothing waits for it longer than that
        watch.daemon = True
        watch.start()
        try:
            address = daemon.stdout.readline().strip()
            assert address, "the bus does not get ready"
            yield address
        finally:
            watch.cancel()
            daemon.terminate()
            daemon.wait()
            daemon.stdout.close()
    finally:
        shutil.rmtree(folder)


class SecretService:
    """As much of the service as libsecret asks for: one session without encryption, one collection."""

    def __init__(self, address: str) -> None:
        jeepney = pytest.importorskip("jeepney")
        from jeepney.io import blocking

        self.jeepney = jeepney
        self.items: dict[str, dict] = {}
        self.locked = False
        self.full = False
        self.prompted = 0
        self.made = 0
        self.connection = blocking.open_dbus_connection(address)
        reply = self.connection.send_and_get_reply(
            jeepney.DBus().RequestName("org.freedesktop.secrets"), timeout=DEADLINE)  # fmt: skip
        assert reply.body == (1,), reply.body
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self) -> SecretService:
        self.thread.start()
        return self

    def __exit__(self, *_unused: object) -> None:
        # A message of our own to ourselves ends the thread.
        ours = self.jeepney.DBusAddress(ROOT, bus_name="org.freedesktop.secrets", interface="org.example.Test")
        self.connection.send(self.jeepney.new_method_call(ours, "End"))
        self.thread.join()
        self.connection.close()

    def serve(self) -> None:
        types = self.jeepney.MessageType
        while True:
            message = self.connection.receive()
            fields = message.header.fields
            if message.header.message_type is not types.method_call:
                continue
            member = fields[self.jeepney.HeaderFields.member]
            if member == "End":
                return
            path = fields[self.jeepney.HeaderFields.path]
            handler = getattr(self, f"on_{member}", None)
            if handler is None:
                reply = self.jeepney.new_error(message, "org.freedesktop.DBus.Error.UnknownMethod", "s", (member,))
            else:
                result = handler(path, *message.body)
                if isinstance(result, str):
                    reply = self.jeepney.new_error(message, result, "s", ("it does not work",))
                else:
                    signature, body = result
                    reply = self.jeepney.new_method_return(message, signature, body)
            self.connection.send(reply)

    def find(self, attributes: dict) -> list[str]:
        return [path for path, item in self.items.items() if attributes.items() <= item["attributes"].items()]

    # ---- methods: a name of an error, or a signature and a body ----

    def on_OpenSession(self, _path: str, algorithm: str, _input: object) -> object:
        if algorithm != "plain":
            return "org.freedesktop.DBus.Error.NotSupported"
        return "vo", (("s", ""), f"{ROOT}/session/1")

    def on_SearchItems(self, _path: str, attributes: dict) -> object:
        found = self.find(attributes)
        return "aoao", ([], found) if self.locked else (found, [])

    def on_GetSecrets(self, _path: str, items: list, session: str) -> object:
        return "a{o(oayays)}", ({} if self.locked else {
            i: (session, b"", self.items[i]["secret"], "text/plain") for i in items if i in self.items},)  # fmt: skip

    def on_GetSecret(self, path: str, session: str) -> object:
        if self.locked:
            return "org.freedesktop.Secret.Error.IsLocked"
        return "(oayays)", ((session, b"", self.items[path]["secret"], "text/plain"),)

    def on_CreateItem(self, _path: str, properties: dict, secret: tuple, replace: bool) -> object:
        if self.full:
            return "org.freedesktop.DBus.Error.Failed"
        if self.locked:
            return "org.freedesktop.Secret.Error.IsLocked"
        attributes = properties["org.freedesktop.Secret.Item.Attributes"][1]
        old = self.find(attributes) if replace else []
        self.made += not old
        path = old[0] if old else f"{COLLECTION}/{self.made}"
        self.items[path] = {"attributes": attributes, "label": properties["org.freedesktop.Secret.Item.Label"][1],
                            "secret": bytes(secret[2])}  # fmt: skip
        return "oo", (path, NO_PROMPT)

    def on_Delete(self, path: str) -> object:
        self.items.pop(path, None)
        return "o", (NO_PROMPT,)

    def on_Unlock(self, _path: str, objects: list) -> object:
        self.prompted += 1
        return "aoo", ([] if self.locked else objects, NO_PROMPT)

    def on_ReadAlias(self, _path: str, _name: str) -> object:
        return "o", (COLLECTION,)

    def on_GetAll(self, path: str, interface: str) -> object:
        values: dict = {}
        if interface.endswith("Item") and path in self.items:
            item = self.items[path]
            values = {"Locked": ("b", self.locked), "Attributes": ("a{ss}", item["attributes"]),
                      "Label": ("s", item["label"]), "Created": ("t", 0), "Modified": ("t", 0)}  # fmt: skip
        elif interface.endswith("Collection"):
            values = {"Items": ("ao", list(self.items)), "Label": ("s", "Login"), "Locked": ("b", self.locked),
                      "Created": ("t", 0), "Modified": ("t", 0)}  # fmt: skip
        elif interface.endswith("Service"):
            values = {"Collections": ("ao", [COLLECTION])}
        return "a{sv}", (values,)
