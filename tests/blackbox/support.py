"""Programs under test and what they leave behind."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import signal
import socket
import subprocess
import textwrap
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

#: Nothing here takes this long; what does has failed.
PATIENCE_S = 60


def wait_for(condition: Callable[[], Any], what: str) -> None:
    """Looks again and again until ``condition`` holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s for {what}"
        time.sleep(0.02)


@dataclass(frozen=True)
class Program:
    """``acrida`` or real Locust: both take the same command lines."""

    name: str
    command: str

    def run(self, *arguments: str, cwd: Path, patience_s: float = PATIENCE_S) -> Finished:
        """Runs to the end."""
        return self.start(*arguments, cwd=cwd).wait(patience_s)

    def start(self, *arguments: str, cwd: Path) -> Running:
        """Starts, with its output going to files in ``cwd``."""
        with (cwd / "stdout.txt").open("wb") as out, (cwd / "stderr.txt").open("wb") as err:
            process = subprocess.Popen(
                [self.command, *arguments],
                cwd=cwd,
                # A history of its own, for what a test keeps and for what it finds.
                env={**clean_environment(), "ACRIDA_HISTORY": str(cwd / "history.db")},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )
        return Running(process, cwd)


def clean_environment() -> dict[str, str]:
    """What surrounds the tests, without settings for the programs."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LOCUST_")}


def free_port() -> int:
    """A port that nobody else is given: tests run side by side, each process of them with
    ports of its own, below those that the system hands out by itself."""
    for port in _ports:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("every port of this process was used")


def _ports_of_this_process() -> Iterator[int]:
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    first = 20_000 + 1_000 * worker
    return iter(range(first, first + 1_000))


_ports = _ports_of_this_process()


@dataclass(frozen=True)
class Running:
    process: subprocess.Popen
    cwd: Path

    def stop(self, signal_number: int = signal.SIGTERM) -> Finished:
        self.process.send_signal(signal_number)
        return self.wait()

    def wait(self, patience_s: float = PATIENCE_S) -> Finished:
        try:
            code = self.process.wait(patience_s)
        finally:
            self.process.kill()
            self.process.wait()
        text = [(self.cwd / name).read_text(errors="replace") for name in ("stdout.txt", "stderr.txt")]
        return Finished(code, *text)


@dataclass(frozen=True)
class Finished:
    code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr

    def console_totals(self) -> tuple[int, int]:
        """Requests and failures in the last table."""
        totals = re.findall(r"Aggregated\s+(\d+)\s+(\d+)\(", self.output)
        assert totals, f"a table in:\n{self.output}"
        requests, failures = totals[-1]
        return int(requests), int(failures)


def read_csv(prefix: Path, kind: str) -> list[dict[str, str]]:
    with Path(f"{prefix}_{kind}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def count_rows(prefix: Path, kind: str) -> int:
    """How many rows a file has that may be too long to hold."""
    with Path(f"{prefix}_{kind}.csv").open(newline="") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def header(prefix: Path, kind: str) -> list[str]:
    with Path(f"{prefix}_{kind}.csv").open(newline="") as file:
        return next(csv.reader(file))


def stats(prefix: Path) -> dict[tuple[str, str], dict[str, str]]:
    """Rows of ``_stats.csv``, ("", "Aggregated") among them."""
    return {(row["Type"], row["Name"]): row for row in read_csv(prefix, "stats")}


def names(prefix: Path) -> set[tuple[str, str]]:
    """What requests were counted under."""
    return stats(prefix).keys() - {("", "Aggregated")}


def total(prefix: Path) -> int:
    return int(stats(prefix)["", "Aggregated"]["Request Count"])


def locustfile(folder: Path, tasks: str, wait_time: str = "constant(0)") -> str:
    """Writes a locustfile with one user that has these tasks."""
    head = f"""
        from locust import HttpUser, User, between, constant, events, task

        class TheUser(HttpUser):
            wait_time = {wait_time}
    """
    body = textwrap.indent(textwrap.dedent(tasks).strip(), "    ")
    (folder / "locustfile.py").write_text(f"{textwrap.dedent(head).strip()}\n\n{body}\n")
    return "locustfile.py"


GET_ROOT = """
    @task
    def get(self):
        self.client.get("/")
"""


class Target:
    """A running ``bench-target``: knows exactly what it answered."""

    def __init__(self, url: str) -> None:
        self.url = url

    def answered(self) -> dict[str, int]:
        with urllib.request.urlopen(f"{self.url}/__count", timeout=PATIENCE_S) as answer:
            return json.load(answer)["answered"]

    def total(self) -> int:
        return sum(self.answered().values())
