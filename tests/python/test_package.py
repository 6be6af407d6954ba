"""The module as it is installed: with pip, with its types; and that both say the same."""

from __future__ import annotations

import abc
import ast
import copy
import importlib.util
import inspect
import io
import os
import pickle
import shutil
import socket
import subprocess
import sys
import tarfile
from pathlib import Path

import cpoplib
import poplib
import pytest

ROOT = Path(__file__).resolve().parents[2]
STUB = ROOT / "python" / "cpoplib" / "__init__.pyi"


def public_names(module: object) -> set[str]:
    return {name for name in vars(module) if not name.startswith("__")}


def test_all_that_poplib_has_is_there() -> None:
    _ = cpoplib.ssl  # comes to be when it is used
    assert public_names(poplib) <= public_names(cpoplib)
    assert cpoplib.__all__ == poplib.__all__
    for name in ("POP3_PORT", "POP3_SSL_PORT", "CR", "LF", "CRLF", "_MAXLINE", "HAVE_SSL"):
        assert getattr(cpoplib, name) == getattr(poplib, name)


@pytest.mark.parametrize("name", ["POP3", "POP3_SSL"])
def test_classes_have_all_that_poplib_has(name: str) -> None:
    theirs, ours = getattr(poplib, name), getattr(cpoplib, name)

    class Empty:
        """What Python itself gives to a class that is written in it."""

    assert set(dir(theirs)) - set(dir(Empty)) <= set(dir(ours))
    assert set(dir(object)) <= set(dir(ours))
    assert ours.encoding == theirs.encoding
    assert ours.timestamp.pattern == theirs.timestamp.pattern
    assert ours.__name__ == theirs.__name__


@pytest.mark.parametrize("name", sorted(n for n in vars(poplib.POP3) if inspect.isfunction(vars(poplib.POP3)[n])
                                        and n != "__init__"))
def test_signatures_are_those_of_poplib(name: str) -> None:
    ours = inspect.signature(getattr(cpoplib.POP3, name))
    theirs = inspect.signature(getattr(poplib.POP3, name))
    assert list(ours.parameters) == list(theirs.parameters)
    assert [p.default for p in ours.parameters.values()] == [p.default for p in theirs.parameters.values()]


def test_the_exception_can_be_pickled_and_is_an_exception() -> None:
    error = pickle.loads(pickle.dumps(cpoplib.error_proto(b"-ERR")))
    assert type(error) is cpoplib.error_proto
    assert error.args == (b"-ERR",)
    assert cpoplib.error_proto.__bases__ == (Exception,)


def stub_members(tree: ast.Module, name: str) -> set[str]:
    """What the stub says that a class has."""
    (node,) = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name]
    return {n.name for n in ast.walk(node) if isinstance(n, ast.FunctionDef)}


def test_the_stub_and_the_module_have_the_same_members() -> None:
    tree = ast.parse(STUB.read_text())
    own = {n for n in vars(cpoplib.POP3) if callable(getattr(cpoplib.POP3, n))} | {"capabilities"}
    own -= {"__new__", "__doc__", "__getstate__"}
    assert stub_members(tree, "POP3") == {n for n in own if not n.startswith("__weak")}
    shown = {n.target.id for n in tree.body if isinstance(n, ast.AnnAssign)}
    shown |= {n.name for n in tree.body if isinstance(n, ast.ClassDef)}
    public = {n for n in shown if not n.startswith("_") or n in ("_MAXLINE", "__version__")}
    assert public <= set(vars(cpoplib))


def repository_of(target: Path) -> None:
    """A copy of the checkout with a history of its own: git refuses to work in what another user owns."""
    shutil.copytree(ROOT, target, ignore=shutil.ignore_patterns(".git", "build", "build-*", "demo"))
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "all"]):
        subprocess.run(["git", "-c", "user.name=test", "-c", "user.email=test@localhost", *command], cwd=target, check=True)


def test_what_make_wheels_builds_is_installed_by_pip_with_its_types(tmp_path: Path) -> None:
    if importlib.util.find_spec("mesonpy") is None or importlib.util.find_spec("pip") is None:
        pytest.skip("Debian's python3-mesonpy or python3-pip is not installed")
    if shutil.which("git") is None:
        pytest.skip("there is no git, of whose history an sdist is made")
    if os.environ.get("LD_PRELOAD"):
        pytest.skip("pip builds without sanitizers; the plain build tests it")
    source, wheels, target = tmp_path / "source", tmp_path / "wheels", tmp_path / "site"
    repository_of(source)
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    subprocess.run([source / "tools" / "make-wheels.py", "--output", wheels, sys.executable], env=environment, check=True,
                   stdout=subprocess.DEVNULL)
    (sdist,), (wheel,) = wheels.glob("*.tar.gz"), wheels.glob("*.whl")
    with tarfile.open(sdist) as archive:  # what building needs, and nothing else
        parts = {member.name.split("/")[1] for member in archive if member.isfile()}
    assert parts == {"LICENSE", "PKG-INFO", "include", "meson.build", "meson_options.txt", "pyproject.toml", "python", "src",
                     "tools"}
    assert "-manylinux_2_" in wheel.name
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", target, wheel],
                   check=True, env=environment)
    environment = {"PYTHONPATH": str(target), "PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", "import cpoplib, cpoplib.aio; print(cpoplib.__file__)"], env=environment,
                          capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).is_relative_to(target)
    assert {path.name for path in (target / "cpoplib").iterdir()} >= {"__init__.pyi", "aio.py", "py.typed"}
    suffixes = {"".join(path.suffixes) for path in target.rglob("*") if path.is_file()}
    assert not any(".h" == s or ".a" == s for s in suffixes)
    (about,) = target.glob("*.dist-info/METADATA")
    fields = about.read_text()
    assert (about.parent / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert "\nLicense: MIT\nLicense-File: LICENSE\n" in fields and f"\nVersion: {cpoplib.__version__}\n" in fields
    assert "\nClassifier: Typing :: Typed\n" in fields


def test_the_import_brings_no_module_but_those_that_are_globals_here() -> None:
    def brought(names: str) -> set[str]:
        code = f"import sys; import {names}; print(*sys.modules)"
        done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True)
        return set(done.stdout.split())

    assert brought("cpoplib") - {"cpoplib"} <= brought("errno, re, socket, sys")


class Ends:
    """A stand-in for a socket that has said hello."""

    def makefile(self, mode: str) -> io.BytesIO:
        return io.BytesIO(b"+OK hello\r\n")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="object has no __getstate__")
def test_connections_are_copied_as_those_of_poplib_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_: Ends())
    for module in (poplib, cpoplib):
        class WithSlots(module.POP3):
            __slots__ = ("slot",)

        pop = WithSlots("host")
        pop.slot, pop.other = "a slot", "in the dict"
        twin = copy.copy(pop)
        assert type(twin) is WithSlots
        assert vars(twin) == vars(pop)
        assert (twin.slot, twin.sock) == (pop.slot, pop.sock)
        plain = module.POP3("host")
        plain.sock = plain.file = None
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert vars(pickle.loads(pickle.dumps(plain, protocol))) == vars(plain)


def test_an_abstract_subclass_is_not_made() -> None:
    for module in (poplib, cpoplib):
        class Abstract(module.POP3, abc.ABC):
            @abc.abstractmethod
            def missing(self) -> None: ...

        with pytest.raises(TypeError, match="abstract"):
            Abstract("host")
