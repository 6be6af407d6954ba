#!/usr/bin/env python3
"""Removes from the sdist everything that is not needed to build cpoplib (`meson dist` runs it)."""

import os
import shutil
from pathlib import Path

KEPT = ("LICENSE", "meson.build", "meson_options.txt", "pyproject.toml", "include/pop3", "src/meson.build", "src/core",
        "python", "tools/prune-sdist.py")


def is_kept(path: str) -> bool:
    return any(path == kept or path.startswith(kept + "/") for kept in KEPT)


root = Path(os.environ["MESON_DIST_ROOT"])
for directory, names, files in os.walk(root, topdown=False):
    for name in files:
        path = Path(directory) / name
        if not is_kept(str(path.relative_to(root))):
            path.unlink()
    for name in names:
        path = Path(directory) / name
        if path.is_symlink() or not any(path.iterdir()):
            path.unlink() if path.is_symlink() else shutil.rmtree(path)
