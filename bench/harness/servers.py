"""The servers that are loaded, all of them on the loopback interface of this machine."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

PATIENCE_S = 60
#: Retrainings at once: one runs, and as many wait as the service allows.
JOBS = 8


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
def classifier(binary: Path, core: int | None = None) -> Iterator[str]:
    """Starts ``classifier serve`` on a free port, and yields its URL once it is healthy."""
    port = free_port()
    root = Path(__file__).resolve().parents[2]
    with tempfile.TemporaryDirectory() as store:
        command = [str(binary), "serve", "--host", "127.0.0.1", "--port", str(port), "--store", store]
        with running(command, port, root, core) as url:
            yield url


#: Of the services that run, by URL.
PROCESSES: dict[str, subprocess.Popen] = {}


@contextlib.contextmanager
def running(
    command: list[str], port: int, folder: Path, core: int | None, environment: dict[str, str] | None = None
) -> Iterator[str]:
    """Starts a service in ``folder``, pinned to ``core`` if there is one, until the end of the block."""
    pin = (lambda: os.sched_setaffinity(0, {core})) if core is not None else None
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen(command, cwd=folder, env={**os.environ, **(environment or {})}, preexec_fn=pin) as process:
        PROCESSES[url] = process
        try:
            wait_until_healthy(f"{url}/health", process)
            yield url
        finally:
            del PROCESSES[url]
            process.terminate()


def peak_kib(url: str) -> int:
    """The most memory that a service has held so far."""
    for line in Path(f"/proc/{PROCESSES[url].pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1])
    raise RuntimeError(f"{url} has ended")


@contextlib.contextmanager
def retraining(url: str, settings: dict[str, Any]) -> Iterator[None]:
    """Has a classifier retrain from before the block until after it.

    A job ends when it gets no better, so others wait behind it. They differ, since equal ones are made one."""
    rates = [settings["learning_rate"] * (1 + number / 100) for number in range(JOBS)]
    jobs = [ask(f"{url}/retrain", {**settings, "learning_rate": rate})["job_id"] for rate in rates]
    deadline = time.monotonic() + PATIENCE_S
    # Progress shows that images are loaded and batches are learnt from.
    while (state := ask(f"{url}/retrain_status/{jobs[0]}"))["progress"] == 0:
        if time.monotonic() > deadline or state["status"] not in ("queued", "running"):
            raise RuntimeError(f"the retraining does not get on: {state}")
        time.sleep(0.1)
    yield
    last = ask(f"{url}/retrain_status/{jobs[-1]}")
    if last["status"] not in ("queued", "running"):
        raise RuntimeError(f"the retraining ended before the load: {last}")
    for job in reversed(jobs):
        cancel(url, job)
        while ask(f"{url}/retrain_status/{job}")["status"] in ("queued", "running"):
            time.sleep(0.1)


def cancel(url: str, job: str) -> None:
    """Cancels a job of the classifier, if it has not ended by itself."""
    try:
        ask(f"{url}/retrain_jobs/{job}/cancel", {})
    except urllib.error.HTTPError as error:
        if error.code != HTTPStatus.CONFLICT:
            raise


def wait_until_healthy(url: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the classifier ended with {process.returncode}")
        with contextlib.suppress(OSError):
            ask(url)
            return
        time.sleep(0.005)
    raise RuntimeError(f"{url} has not answered within {PATIENCE_S} s")


def ask(url: str, content: dict[str, Any] | None = None) -> dict[str, Any]:
    """The answer to GET, or to POST if there is something to send."""
    data = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)
