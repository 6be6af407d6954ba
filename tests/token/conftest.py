"""Fixtures of the tests of OAuth 2.0: a scripted authorization server, and an account that uses it."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(HERE.parent / "sync"))
sys.dont_write_bytecode = True

from authorization_server import AuthorizationServer  # noqa: E402
from command_clock import now  # noqa: E402
from world import BUILD, COMMAND, CRASH_COMMAND, DEADLINE, World, certificates  # noqa: E402


class Account:
    """An account `work` in a home of its own."""

    def __init__(self, path: Path, server: AuthorizationServer) -> None:
        self.path, self.server = path, server
        self.world = World(path)
        self.watches: list[threading.Timer] = []
        self.more: dict[str, str] = {}  # of the environment
        self.secret_file = path / "client-secret"
        self.secret_file.write_text("client-secret-value\n")
        self.secret_file.chmod(0o600)
        self.settings = {
            "host": "localhost", "user": "user", "issuer": server.issuer, "issuer-ca-file": str(server.ca_file),
            "client-id": "mail-client", "client-secret-file": str(self.secret_file), "scope": "mail",
            "maildir": str(path / "Maildir"), "ca-file": str(server.ca_file),
        }  # fmt: skip
        self.token_file = path / ".local/state/pop3/tokens/user@localhost%3A995"

    def configure(self, **settings: object) -> None:
        """Sets settings, or with None takes them away."""
        for name, value in settings.items():
            name = name.replace("_", "-")
            self.settings.pop(name, None)
            if value is not None:
                self.settings[name] = str(value)
        folder = self.path / "config/pop3"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config").write_text("[work]\n" + "".join(f"{k} = {v}\n" for k, v in self.settings.items()))
        (folder / "config").chmod(0o600)

    def keep(self, **changes: object) -> dict:
        """Keeps tokens as `pop3 authorize` would, so old that the next use refreshes them."""
        tokens = self.server.issue()
        moment = now()
        record = {
            "client_id": "mail-client", "token_endpoint": self.server.issuer + "/token",
            "access_token": tokens["access_token"], "refresh_token": tokens["refresh_token"],
            "obtained": moment - 3600, "expires": moment - 1, **changes,
        }  # fmt: skip
        return self.write(record)

    def write(self, record: dict) -> dict:
        self.token_file.parent.mkdir(parents=True, exist_ok=True)
        self.token_file.write_text(json.dumps(record))
        self.token_file.chmod(0o600)
        return record

    def keep_old(self) -> dict:
        """What is kept, so old that the next use refreshes it."""
        moment = now()
        return self.write({**self.kept(), "obtained": moment - 3600, "expires": moment - 1})

    def kept(self) -> dict:
        return json.loads(self.token_file.read_text())

    def command(self, *words: object, command: str = COMMAND) -> list[str]:
        return [command, *map(str, words)]

    def environment(self, **env: str) -> dict:
        ours = self.world.environment()
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy",
                     "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"):  # fmt: skip
            ours.pop(name, None)
        return {**ours, **self.more, **env}

    def start(self, *words: object, command: str = COMMAND, **env: str) -> subprocess.Popen:
        """Begins a command, which is killed at the deadline: nothing waits for it longer than that."""
        process = subprocess.Popen(self.command(*words, command=command), env=self.environment(**env), text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
        watch = threading.Timer(DEADLINE, process.kill)
        watch.daemon = True
        watch.start()
        self.watches.append(watch)
        return process

    def outcome(self, *words: object, command: str = COMMAND, typed: str = "",
                **env: str) -> subprocess.CompletedProcess[str]:  # fmt: skip
        return subprocess.run(self.command(*words, command=command), env=self.environment(**env), text=True,
                              input=typed, capture_output=True, timeout=DEADLINE)  # fmt: skip

    def run(self, *words: object, status: int = 0, command: str = COMMAND, typed: str = "", **env: str) -> str:
        done = self.outcome(*words, command=command, typed=typed, **env)
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return done.stdout if status == 0 else done.stderr

    def token(self, status: int = 0, **more: object) -> str:
        return self.run("token", "work", status=status, **more).rstrip("\n")


def preloaded(library: str) -> dict[str, str]:
    """The environment of a run with a library of ours, ahead of those that the run has anyway."""
    path = os.environ.get(f"POP3_{library.upper()}_LIBRARY", str(BUILD / f"tests/token/lib{library}.so"))
    before = os.environ.get("LD_PRELOAD", "").replace(":", " ").split()
    sanitizers = ":".join([word for word in [os.environ.get("ASAN_OPTIONS")] if word] + ["verify_asan_link_order=0"])
    return {"LD_PRELOAD": " ".join([path, *before]), "ASAN_OPTIONS": sanitizers}


@pytest.fixture(scope="session")
def certs(tmp_path_factory):
    return certificates(tmp_path_factory.mktemp("certs"))


@pytest.fixture
def server(certs):
    with AuthorizationServer(certs) as it:
        yield it


@pytest.fixture
def account(tmp_path, server):
    it = Account(tmp_path, server)
    it.configure()
    yield it
    for watch in it.watches:
        watch.cancel()


@pytest.fixture
def crash_command():
    if not os.path.exists(CRASH_COMMAND):
        pytest.skip("no command that can be made to crash")
    return CRASH_COMMAND
