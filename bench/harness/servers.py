"""The servers that are loaded, all of them on the loopback interface of this machine."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PATIENCE_S = 60


class Target:
    """A running ``bench-target``."""

    def __init__(self, url: str) -> None:
        self.url = url

    def counts(self) -> dict[str, Any]:
        """What it has answered since the last reset."""
        return ask(f"{self.url}/__count")

    def sleep_times(self) -> dict[str, Any]:
        """How long /sleep20 took by its own clock."""
        return ask(f"{self.url}/__times")

    def reset(self) -> None:
        ask(f"{self.url}/__reset")


@contextlib.contextmanager
def target(binary: Path, core: int | None) -> Iterator[Target]:
    """Starts ``bench-target``, pinned to ``core`` if there is one."""
    pin = (lambda: os.sched_setaffinity(0, {core})) if core is not None else None
    with subprocess.Popen([binary], stdout=subprocess.PIPE, text=True, preexec_fn=pin) as process:
        try:
            line = process.stdout.readline()
            if not line.startswith("listening on "):
                raise RuntimeError(f"{binary} does not listen: {line!r}")
            yield Target(line.split()[-1])
        finally:
            process.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@contextlib.contextmanager
def classifier(binary: Path) -> Iterator[str]:
    """Starts ``classifier serve`` on a free port, and yields its URL once it is healthy."""
    port = free_port()
    root = Path(__file__).resolve().parents[2]
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(tempfile.TemporaryDirectory())
        command = [binary, "serve", "--host", "127.0.0.1", "--port", str(port), "--store", store]
        process = stack.enter_context(subprocess.Popen(command, cwd=root))
        try:
            url = f"http://127.0.0.1:{port}"
            wait_until_healthy(f"{url}/health", process)
            yield url
        finally:
            process.terminate()


def wait_until_healthy(url: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the classifier ended with {process.returncode}")
        with contextlib.suppress(OSError):
            ask(url)
            return
        time.sleep(0.1)
    raise RuntimeError(f"{url} has not answered within {PATIENCE_S} s")


def ask(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)
