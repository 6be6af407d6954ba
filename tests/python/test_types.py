"""The types that cpoplib is installed with: they are those of the module, and a strictly typed program can use them."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import cpoplib
import pytest

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="Debian's mypy is not installed"),
    pytest.mark.skipif("LD_PRELOAD" in os.environ, reason="the plain build tests it"),
]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package as it is installed."""
    folder = tmp_path_factory.mktemp("site")
    package = folder / "cpoplib"
    package.mkdir()
    for name in ("__init__.pyi", "aio.py", "py.typed"):
        (package / name).symlink_to(ROOT / "python" / "cpoplib" / name)
    assert cpoplib.__file__ is not None
    module = Path(cpoplib.__file__)
    (package / module.name).symlink_to(module)
    return folder


def check(site: Path, *arguments: str | Path) -> str:
    """Runs a module of mypy's; returns its complaints."""
    environment = {**os.environ, "MYPYPATH": str(site), "PYTHONPATH": str(site)}
    done = subprocess.run([sys.executable, "-m", *map(str, arguments)], cwd=site, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout or "it ended without a word"


def knows(option: str) -> bool:
    """Whether this mypy's stubtest has an option."""
    return option in subprocess.run([sys.executable, "-m", "mypy.stubtest", "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout


def test_a_strictly_typed_program_and_the_package_pass_mypy(site: Path) -> None:
    program = ROOT / "tests" / "python" / "typed_program.py"
    assert check(site, "mypy", "--strict", "--cache-dir", site / "cache", program, site / "cpoplib") == ""


def test_the_stub_says_what_the_module_has(site: Path) -> None:
    allowed = site / "allowed"
    allowed.write_text("cpoplib\\.aio\\..*\n")  # is its own stub
    options = ["--concise", "--allowlist", allowed, "--ignore-unused-allowlist"]
    if knows("--ignore-disjoint-bases"):
        options += ["--ignore-disjoint-bases"]  # an older mypy does not know the mark
    assert check(site, "mypy.stubtest", "cpoplib", *options) == ""
