"""Load generators: how each is started, and what a run of one cost and counted."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

LOCUSTFILES = Path(__file__).resolve().parents[1] / "locustfiles"

#: How much longer than its run time a generator may take before it is killed.
PATIENCE_S = 60


@dataclass(frozen=True)
class Generator:
    """A program, and which of its clients it uses."""

    name: str
    command: str
    environment: dict[str, str] = field(default_factory=dict)
    #: Whether its counts have to be exact. Locust's last CSV lags behind the stop.
    exact: bool = False


@dataclass(frozen=True)
class Load:
    """What a run does."""

    locustfile: Path
    users: int
    seconds: int
    spawn_rate: float
    #: The port of the web page; None for a run without one.
    page: int | None = None
    #: Further flags.
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a run cost and counted."""

    cpu_s: float
    exit_code: int
    #: When the process was started, in ns of the system's monotonic clock.
    started_ns: int
    #: Rows of ``_stats.csv`` by (method, name); ("", "Aggregated") is the total.
    stats: dict[tuple[str, str], dict[str, str]]

    @property
    def requests(self) -> int:
        return int(self.stats["", "Aggregated"]["Request Count"])

    @property
    def failures(self) -> int:
        return int(self.stats["", "Aggregated"]["Failure Count"])


class RunFailed(Exception):
    """A generator did not do what it was asked to."""


def run(
    generator: Generator,
    load: Load,
    host: str,
    folder: Path,
    core: int | None = None,
    meanwhile: Callable[[subprocess.Popen], None] = lambda process: None,
) -> Outcome:
    """Runs a generator to its end in an emptied ``folder``, pinned to ``core`` if there is one.

    ``meanwhile`` is called once, while it runs.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pin = (lambda: os.sched_setaffinity(0, {core})) if core is not None else None
    with (folder / "output.txt").open("wb") as output:
        started_ns = time.monotonic_ns()
        process = subprocess.Popen(
            command_line(generator, load, host),
            cwd=folder,
            # Keeping a run is part of its cost; it is kept where nobody looks for their own.
            env={**os.environ, "ACRIDA_HISTORY": str(folder / "history.db"), **generator.environment},
            preexec_fn=pin,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        watchdog = threading.Timer(load.seconds + PATIENCE_S, process.kill)
        watchdog.start()
        try:
            meanwhile(process)
        except BaseException:
            process.kill()
            raise
        finally:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            watchdog.cancel()
    if not (folder / "run_stats.csv").exists():
        raise RunFailed(f"{generator.name} wrote no statistics: see {folder / 'output.txt'}")
    return Outcome(
        cpu_s=usage.ru_utime + usage.ru_stime,
        exit_code=process.returncode,
        started_ns=started_ns,
        stats=read_stats(folder / "run_stats.csv"),
    )


def command_line(generator: Generator, load: Load, host: str) -> list[str]:
    return [
        generator.command,
        f"--locustfile={load.locustfile}",
        f"--host={host}",
        f"--users={load.users}",
        f"--spawn-rate={load.spawn_rate}",
        f"--run-time={load.seconds}s",
        *(["--headless"] if load.page is None else ["--autostart", "--autoquit=0", f"--web-port={load.page}"]),
        "--only-summary",
        "--csv=run",
        *load.flags,
    ]


def read_stats(path: Path) -> dict[tuple[str, str], dict[str, str]]:
    with path.open(newline="") as file:
        return {(row["Type"], row["Name"]): row for row in csv.DictReader(file)}


def resident_kib(process: subprocess.Popen) -> int:
    """The memory that a process holds at this moment."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RunFailed("the generator ended before its memory was measured")
