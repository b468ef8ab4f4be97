"""What is measured of the web page: what it costs the generator, and what it keeps."""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from harness import generators, servers
from harness.generators import LOCUSTFILES, Load
from harness.report import OURS, Row

if TYPE_CHECKING:
    from harness.measures import Bench

ROOT = Path(__file__).resolve().parents[2]
HTTP_USER = "Locust HttpUser"

#: Seconds between two questions of a script that is in a hurry; Locust's own page asks every two seconds.
POLL_INTERVAL_S = 0.05
#: Names in locustfiles/endpoints.py, and the total.
ROWS = 501


def open_page(bench: Bench) -> list[Row]:
    """Throughput with the web page open, as a share of that without one."""
    shares: dict[str, list[float]] = {"requests per generator CPU-second": [], "requests per second": []}
    with servers.target(bench.target_binary, bench.target_core) as target:
        for _ in range(bench.runs):
            speeds = [speed(bench, "get.py", target, port, read_page) for port in (None, servers.free_port())]
            for share, before, after in zip(shares.values(), *speeds, strict=True):
                share.append(after / before)
    goal = ("0.98", lambda medians: medians[OURS] >= 0.98)
    return [
        Row(f"the web page open, as a share of without it: {unit}", "share", {OURS: runs}, *goal, digits=3)
        for unit, runs in shares.items()
    ]


def speed(
    bench: Bench, locustfile: str, target: servers.Target, port: int | None, meanwhile: Callable[[int], None], name: str = OURS
) -> tuple[float, float]:
    """Requests per CPU-second and per second, while something is done with the page at ``port``."""
    load = Load(LOCUSTFILES / locustfile, users=50, seconds=bench.seconds, spawn_rate=50, page=port)
    follow = (lambda process: meanwhile(port)) if port else (lambda process: None)
    outcome, counts = bench.run(bench.chosen(name)[0], load, target, meanwhile=follow)
    took_s = (counts["last_answer_ns"] - counts["first_request_ns"]) / 1e9
    return counts["total"] / outcome.cpu_s, counts["total"] / took_s


def read_page(port: int) -> None:
    """Reads what an open page reads, until the generator ends."""
    deadline = time.monotonic() + generators.PATIENCE_S
    while time.monotonic() < deadline:
        try:
            for path in ("/", "/live/history"):
                urllib.request.urlopen(f"http://127.0.0.1:{port}{path}").read()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/live/events") as events:
                while events.readline():
                    pass
            return
        except urllib.error.URLError:
            time.sleep(0.05)  # It is not there yet.
        except OSError:
            return  # It has ended in the middle of an event.


def polled(bench: Bench) -> list[Row]:
    """How long /stats/requests takes with 500 endpoints, and what asking for it costs the generator."""
    times_ms: dict[str, list[float]] = {}
    units = ("requests per generator CPU-second", "requests per second")
    shares: dict[str, dict[str, list[float]]] = {unit: {} for unit in units}
    notes = []
    with servers.target(bench.target_binary, bench.target_core) as target:
        for _ in range(bench.runs):
            for generator in bench.chosen(OURS, HTTP_USER):
                took_ms: list[float] = []
                poll = lambda port, took_ms=took_ms: poll_statistics(port, took_ms)  # noqa: E731
                quiet = speed(bench, "endpoints.py", target, servers.free_port(), wait_for_end, generator.name)
                asked = speed(bench, "endpoints.py", target, servers.free_port(), poll, generator.name)
                if not took_ms:
                    raise generators.RunFailed(f"{generator.name} never answered with all {ROWS} rows")
                times_ms.setdefault(generator.name, []).append(statistics.median(took_ms))
                for unit, before, after in zip(units, quiet, asked, strict=True):
                    shares[unit].setdefault(generator.name, []).append(after / before)
                worst = sorted(took_ms)[int(len(took_ms) * 0.99)]
                notes.append(f"{generator.name}: asked {len(took_ms)} times, p99 {worst:.1f} ms, longest {max(took_ms):.1f} ms")
    asking = f"asked for every {POLL_INTERVAL_S * 1000:.0f} ms"
    return [
        Row(
            f"/stats/requests with 500 endpoints, {asking} at full load: median", "ms", times_ms, "5",
            lambda medians: medians[OURS] < 5, digits=2, notes=notes,
        ),
        *(
            Row(f"the same: {unit}, as a share of those when nobody asks", "share", runs, "0.98", lambda m: m[OURS] >= 0.98, digits=3)
            for unit, runs in shares.items()
        ),
    ]  # fmt: skip


def wait_for_end(port: int) -> None:
    """Waits until a page has been there and is no more."""
    was_there = False
    deadline = time.monotonic() + generators.PATIENCE_S
    while time.monotonic() < deadline:
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=10).connect()
            was_there = True
        except OSError:
            if was_there:
                return
        time.sleep(0.5)


def poll_statistics(port: int, took_ms: list[float]) -> None:
    """Asks again and again until the generator ends, and notes how long complete answers took."""
    deadline = time.monotonic() + generators.PATIENCE_S
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    was_there = False
    while time.monotonic() < deadline:
        began = time.perf_counter()
        try:
            connection.request("GET", "/stats/requests")
            body = connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            if was_there:
                return
            connection.close()
            time.sleep(POLL_INTERVAL_S)
            continue
        took = (time.perf_counter() - began) * 1_000
        was_there = True
        if len(json.loads(body)["stats"]) == ROWS:
            took_ms.append(took)
        time.sleep(POLL_INTERVAL_S)


def day(bench: Bench) -> list[Row]:
    """Memory of the page and its statistics after a simulated day with 500 endpoints."""
    command = ["cargo", "bench", "--quiet", "--locked", "--package", "acrida-web", "--bench", "simulated_run"]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    held_mib = [kib / 1_024 for kib in json.loads(told)["held_kib"]]
    four_hours, end = held_mib[1], held_mib[-1]
    measure = "memory of the page and its statistics after a simulated day with 500 endpoints"
    notes = [f"before it, and after each four hours: {', '.join(f'{mib:.1f}' for mib in held_mib)} MiB"]
    return [
        Row(
            measure, "MiB", {OURS: [end]}, "100, and at most 1.2 times that after four hours",
            lambda medians: medians[OURS] <= 100 and end <= 1.2 * four_hours, digits=1, notes=notes,
        )
    ]  # fmt: skip
