"""Imports locustfiles: from files and from URLs."""

from __future__ import annotations

import atexit
import gc
import importlib
import inspect
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from acrida.missing import advice

#: The folder whose ``locust`` package answers ``import locust``.
AS_LOCUST = os.path.join(os.path.dirname(__file__), "as_locust")


#: How long a server may take for a locustfile, and how large that may be.
FETCH_TIMEOUT_S = 10
FETCH_BYTES_MAX = 4 << 20


class LocustfileError(Exception):
    """A locustfile could not be loaded; the text is for the user."""


def load(paths: list[str]) -> tuple[dict[str, Any], list[Any]]:
    """Makes ``import locust`` ours, imports the locustfiles, returns their users by name
    and their load shapes, of which the first is followed."""
    sys.path.insert(0, AS_LOCUST)
    loader = importlib.import_module("locust.util.load_locustfile")
    users: dict[str, Any] = {}
    shapes: list[Any] = []
    copies = [fetched(path) for path in paths]
    for path, copy in zip(paths, copies, strict=True):
        found, its_shapes = _explained(path, loader.load_locustfile, copy)
        _add(users, found)
        for shape in its_shapes:
            twins = [known for known in shapes if type(known).__name__ == type(shape).__name__]
            if not twins:
                shapes.append(shape)
            elif both := _files(type(twins[0]), type(shape)):
                raise LocustfileError(f"Duplicate shape classes: {type(shape).__name__} is defined in both {both}")
    if not users:
        for path, copy in zip(paths, copies, strict=True):
            _add(users, _explained(path, loader.load_locustfile_pytest, copy))
    gc.collect()
    gc.freeze()  # what is loaded stays: it need not be looked at again and again
    return users, shapes


def _explained(path: str, load_file: Callable[[str], Any], copy: str) -> Any:
    try:
        return load_file(copy)
    except (SystemExit, LocustfileError):
        raise
    except BaseException as error:
        raise LocustfileError(explain(path, error)) from error


def _add(users: dict[str, Any], found: dict[str, Any]) -> None:
    for name, user in found.items():
        if (known := users.setdefault(name, user)) is not user and (both := _files(known, user)):
            raise LocustfileError(f"Duplicate user class names: {name} is defined in both {both}")


def fetched(path: str) -> str:
    """The locustfile at ``path``, or a copy of the one at a URL, which is there until the process ends."""
    if not path.startswith(("http://", "https://")):
        return path
    # These take their time, and few runs need them.
    from http.client import HTTPException
    from urllib.request import urlopen

    try:
        with urlopen(path, timeout=FETCH_TIMEOUT_S) as answer:
            source = answer.read(FETCH_BYTES_MAX + 1)
    except (OSError, ValueError, HTTPException) as error:
        raise LocustfileError(f"cannot fetch the locustfile {path}: {error}") from error
    if len(source) > FETCH_BYTES_MAX:
        raise LocustfileError(f"the locustfile {path} has more than {FETCH_BYTES_MAX} bytes")
    folder = tempfile.mkdtemp(prefix="acrida-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    copy = Path(folder, Path(urlsplit(path).path).name or "locustfile.py")
    copy.write_bytes(source)
    return os.fspath(copy)


def _files(first: type, second: type) -> str:
    """Where two classes are defined; nothing if that is one file, which two locustfiles import."""
    files = [inspect.getfile(each) for each in (first, second)]
    return "" if files[0] == files[1] else " and ".join(files)


def explain(path: str, error: BaseException) -> str:
    """What is wrong with a locustfile, at which line, and what to do."""
    if isinstance(error, SyntaxError):
        pointer = "".join(traceback.format_exception_only(error)).rstrip()
        return f"cannot read {path}: {pointer}"
    ours = ("<frozen", os.path.dirname(__file__) + os.sep)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(ours)]
    at = f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else path
    text = f"cannot load {path}: {type(error).__name__}: {error} (at {at})"
    if isinstance(error, ModuleNotFoundError) and error.name and (what_to_do := advice(error.name, path)):
        text += f"; {what_to_do}"
    return text
