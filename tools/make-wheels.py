#!/usr/bin/env python3
"""Builds an sdist of cpoplib from the last commit, and from it a wheel for each Python given.

    make-wheels.py [--output DIR] [PYTHON]...        PYTHON: an interpreter (default: python3)

A wheel is tagged manylinux with the oldest glibc that has all symbols it uses, if it links with nothing else
(`readelf`). Each interpreter needs meson-python (Debian: python3-mesonpy) and headers.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import platform
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Union

ROOT = Path(__file__).resolve().parent.parent
BUILD = """
import os, sys
import mesonpy
os.chdir(sys.argv[1])
print(getattr(mesonpy, "build_" + sys.argv[2])(sys.argv[3]))
"""
ALLOWED = {"libc.so.6", "libpthread.so.0", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def build(python: str, what: str, source: Path, output: Path) -> Path:
    done = subprocess.run([python, "-c", BUILD, source, what, output], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"make-wheels.py: {python}: no {what} could be built:\n{done.stdout}")
    return output / done.stdout.split()[-1]


def readelf(option: str, path: Path) -> str:
    return subprocess.run(["readelf", "-W", option, path], stdout=subprocess.PIPE, text=True, check=True).stdout


def oldest_glibc(wheel: Path) -> tuple[int, int]:
    """The least version of glibc that its extensions run with."""
    least = (2, 5)
    with tempfile.TemporaryDirectory() as directory, zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if not name.endswith(".so"):
                continue
            path = Path(archive.extract(name, directory))
            needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", readelf("-d", path)))
            if needed - ALLOWED:
                sys.exit(f"make-wheels.py: {name} links with {', '.join(sorted(needed - ALLOWED))}: it stays as it is")
            found = re.findall(r"GLIBC_(\d+)\.(\d+)", readelf("--version-info", path))
            least = max([least, *((int(major), int(minor)) for major, minor in found)])
    return least


def digest(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def retag(wheel: Path) -> Path:
    """The same wheel under the name, and with the tag, of the systems it runs on, and with the licence."""
    major, minor = oldest_glibc(wheel)
    stem, old = wheel.stem.rsplit("-", 1)
    new = f"manylinux_{major}_{minor}_{platform.machine()}"
    target = wheel.with_name(f"{stem}-{new}.whl")
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        rows = []

        def put(name: Union[str, zipfile.ZipInfo], data: bytes) -> None:
            rows.append(f"{getattr(name, 'filename', name)},{digest(data)},{len(data)}\n")
            out.writestr(name, data, zipfile.ZIP_DEFLATED)

        for info in source.infolist():
            data = source.read(info)
            if info.filename.endswith(".dist-info/METADATA"):
                data = data.replace(b"License: MIT\n", b"License: MIT\nLicense-File: LICENSE\n", 1)
                put(info.filename.replace("METADATA", "LICENSE"), (ROOT / "LICENSE").read_bytes())
            if info.filename.endswith(".dist-info/WHEEL"):
                data = data.replace(f"-{old}\n".encode(), f"-{new}\n".encode())
            if info.filename.endswith(".dist-info/RECORD"):
                record = info
                continue
            put(info, data)
        out.writestr(record, "".join([*rows, f"{record.filename},,\n"]), zipfile.ZIP_DEFLATED)
    wheel.unlink()
    return target


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "build-wheels")
    parser.add_argument("pythons", nargs="*", default=["python3"], metavar="PYTHON")
    options = parser.parse_args()
    output = options.output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    sdist = build(options.pythons[0], "sdist", ROOT, output)
    print(sdist)
    for python in options.pythons:
        with tempfile.TemporaryDirectory() as directory:
            subprocess.run(["tar", "-xzf", sdist, "-C", directory, "--strip-components=1"], check=True)
            print(retag(build(python, "wheel", Path(directory), output)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
