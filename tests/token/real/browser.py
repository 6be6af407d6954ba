"""Chromium without a screen, by the W3C's WebDriver protocol, which chromedriver speaks."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Callable, Iterator, Optional

DEADLINE = 60
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # a member's name, by the standard


def missing() -> Optional[str]:
    """What is not installed."""
    return next((name for name in ("chromium", "chromedriver") if shutil.which(name) is None), None)


class Browser:
    """One window."""

    def __init__(self, port: int, folder: Path) -> None:
        self.base = f"http://127.0.0.1:{port}/session"
        words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={folder}"]
        wanted = {"browserName": "chrome", "acceptInsecureCerts": True, "goog:chromeOptions": {"args": words}}
        self.base += "/" + self.ask("POST", "", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]

    def ask(self, method: str, path: str, body: Optional[dict] = None) -> object:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
            return json.load(answer)["value"]

    def open(self, url: str) -> None:
        self.ask("POST", "/url", {"url": url})

    def find(self, css: str) -> Optional[str]:
        """An element of the page; None where there is none (now)."""
        try:
            return self.ask("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]
        except urllib.error.HTTPError as error:
            error.close()
            return None

    def wait_for(self, css: str) -> str:
        """An element; the protocol tells no events."""
        return self.wait_until(lambda: self.find(css), f"no {css}")

    def wait_for_address(self, begins: str) -> str:
        return self.wait_until(lambda: self.address() if self.address().startswith(begins) else None, f"not at {begins}")

    def wait_until(self, look: Callable[[], Optional[str]], why: str) -> str:
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            found = look()
            if found is not None:
                return found
            time.sleep(0.05)
        raise AssertionError(f"{why} at {self.address()}: {self.ask('GET', '/source')}")

    def type(self, css: str, text: str) -> None:
        self.ask("POST", f"/element/{self.wait_for(css)}/value", {"text": text})

    def click(self, css: str) -> None:
        self.ask("POST", f"/element/{self.wait_for(css)}/click", {})

    def address(self) -> str:
        return str(self.ask("GET", "/url"))

    def text(self) -> str:
        return str(self.ask("GET", f"/element/{self.wait_for('body')}/text"))

    def close(self) -> None:
        self.ask("DELETE", "")


def started(driver: subprocess.Popen) -> Optional[int]:
    """Its port; None when it has ended: it takes a port that may be in use for the other version of IP."""
    for line in driver.stdout:
        if "successfully on port " in line:
            return int(line.rpartition("on port ")[2].strip(" .\n"))
    return None


@contextlib.contextmanager
def driver() -> Iterator[int]:
    """The program that Chromium is steered by; its port."""
    for _ in range(10):
        process = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True)
        try:
            port = started(process)
            if port is not None:
                yield port
                return
        finally:
            process.terminate()
            process.wait(DEADLINE)
            process.stdout.close()
    raise AssertionError("chromedriver does not start")


@contextlib.contextmanager
def browser(port: int, folder: Path) -> Iterator[Browser]:
    window = Browser(port, folder)
    try:
        yield window
    finally:
        window.close()
