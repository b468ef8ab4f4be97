"""Imports a locustfile and finds the users in it."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import inspect
import os
import re
import sys
from pathlib import Path
from typing import Any

from ..shape import LoadTestShape
from ..user import User

#: What a test of pytest's looks like.
_TEST = re.compile(r"^\s*def test|^class Test", re.MULTILINE)


def is_user_class(item: Any) -> bool:
    """Whether ``item`` is a User class that can be spawned."""
    return inspect.isclass(item) and issubclass(item, User) and not item.abstract


def is_shape_class(item: Any) -> bool:
    """Whether ``item`` is a LoadTestShape that can be followed."""
    return inspect.isclass(item) and issubclass(item, LoadTestShape) and not item.abstract


def load_locustfile(path: str) -> tuple[dict[str, type[User]], list[Any]]:
    """Imports the file at ``path``; returns its user classes by name, and its load shapes.

    Its ``__file__`` is absolute. As under Locust, the working directory comes first on the import path while
    the file is read, then the file's own directory.
    """
    path = os.path.abspath(path)
    folder, filename = os.path.split(path)
    name = os.path.splitext(filename)[0]
    if name == "locust":
        name = "locustfile"  # keeps ``import locust`` ours
    sys.path[:0] = [folder] if folder in sys.path else [folder, os.getcwd()]
    try:
        loader = importlib.machinery.SourceFileLoader(name, path)
        spec = importlib.util.spec_from_file_location(name, path, loader=loader)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    found = vars(module)
    shapes = [item() for item in found.values() if is_shape_class(item)]
    return {name: item for name, item in found.items() if is_user_class(item)}, shapes


def load_locustfile_pytest(path: str) -> dict[str, type[User]]:
    """The user classes, by name, that pytest's test functions in the file at ``path`` make.

    ModuleNotFoundError says that there are some, and that pytest is missing.
    """
    if not _TEST.search(Path(path).read_text(encoding="utf-8", errors="replace")):
        return {}
    from ..user import pytest_user

    return dict(pytest_user.collect(path))
