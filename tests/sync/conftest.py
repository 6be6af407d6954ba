"""Fixtures of the command's tests."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

from ports import held_port  # noqa: E402
from subcommands import Mailbox  # noqa: E402
from world import ROOT, World, certificates  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "interrupted(target, how): each of its cases with a `point` interrupts one delivery")


def pytest_runtest_setup(item):
    """What `make check` counts: deliveries that were interrupted, by target and way. Tests that interrupt more than one, or
    not always one, record the number themselves (record_property)."""
    for mark in item.iter_markers("interrupted"):
        if item.callspec.params.get("point", "some") is not None:
            item.user_properties.append(("interrupted", (*mark.args, 1)))


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.fixture
def fast_world(tmp_path):
    """In memory, where that is possible: for tests that make many thousands of files."""
    if not os.access("/dev/shm", os.W_OK):
        yield World(tmp_path)
        return
    path = tempfile.mkdtemp(prefix="pop3-test-", dir="/dev/shm")
    try:
        yield World(Path(path))
    finally:
        shutil.rmtree(path)


@pytest.fixture
def port():
    """It refuses connections, but for those to a server that is given it, and is the test's until it is over."""
    with held_port() as held:
        yield held


@pytest.fixture(scope="session")
def certs(tmp_path_factory):
    return certificates(tmp_path_factory.mktemp("certs"))


@pytest.fixture
def mailbox(world):
    for file in (ROOT / "examples/mail").iterdir():
        world.put(file.name, file.read_bytes())
    with world.server("--delete") as server:
        yield Mailbox(world, server)
