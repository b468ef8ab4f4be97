"""What is measured: one function a measure, each giving rows of the table."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

from harness import floor, generators, page, servers
from harness.generators import LOCUSTFILES, Generator, Load, Outcome
from harness.report import OURS, Row
from harness.stall import PERCENTILES, PERIOD_S, RATE, implied_ms

HTTP_USER = "Locust HttpUser"
FAST_HTTP_USER = "Locust FastHttpUser"
#: Shown in rows of its own, under ours.
OURS_FAST = "acrida FastHttpUser"

ROOT = Path(__file__).resolve().parents[2]

#: A generator's requests that its statistics lack, or the other way round.
MISCOUNTS: list[str] = []


@dataclass(frozen=True)
class Bench:
    """What every measure needs to know."""

    generators: list[Generator]
    target_binary: Path
    classifier_binary: Path
    #: Of the environment with the usual Python stack.
    peer_python: Path
    #: Where generators write their files.
    folder: Path
    seconds: int
    runs: int
    generator_core: int = 0
    target_core: int = 1

    def chosen(self, *names: str) -> list[Generator]:
        return [generator for generator in self.generators if generator.name in names]

    def run(self, generator: Generator, load: Load, target: servers.Target, **more) -> tuple[Outcome, dict]:
        """One run on a core of its own, with the counts compared; and what the server counted.

        To ask the server is an answer too, so its last one is the run's own only the first time.
        """
        target.reset()
        say(f"{load.locustfile.stem}: {generator.name}, {load.users} users")
        outcome = generators.run(generator, load, target.url, self.folder, self.generator_core, **more)
        counts = target.counts()
        answered = counts["total"]
        if answered != outcome.requests:
            miscount = f"{load.locustfile.stem}: the server answered {answered}, {generator.name} counts {outcome.requests}"
            say(f"  {miscount}")
            if generator.exact:
                MISCOUNTS.append(miscount)
        return outcome, counts


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def get(bench: Bench) -> list[Row]:
    names = (OURS, OURS_FAST, HTTP_USER, FAST_HTTP_USER)
    runs, rates = full_speed(bench, "get.py", names)
    fast = {OURS: runs.pop(OURS_FAST, []), FAST_HTTP_USER: runs.get(FAST_HTTP_USER, [])}
    rates.pop(OURS_FAST, None)

    def reached(medians: dict[str, float]) -> bool:
        peers = ((HTTP_USER, 30), (FAST_HTTP_USER, 10))
        return all(medians[OURS] >= times * medians[peer] for peer, times in peers if peer in medians)

    goal = "30 × HttpUser, 10 × FastHttpUser"
    return [
        Row("GET, 50 users, no wait", "requests per generator CPU-second", runs, goal, reached, notes=bare_loop(bench)),
        Row("the same", "requests per second", rates),
        Row("the same, FastHttpUser on both", "requests per generator CPU-second", fast),
    ]


def bare_loop(bench: Bench) -> list[str]:
    """How many a bare loop in C makes, to tell the generators' cost from the kernel's."""
    say("GET: wrk, 50 connections")
    with servers.target(bench.target_binary, bench.target_core) as target:
        speeds = [floor.per_cpu_second(target, bench.generator_core, 50, bench.seconds) for _ in range(bench.runs)]
    if None in speeds:
        return ["wrk is not installed, so what the kernel alone takes was not measured"]
    listed = ", ".join(f"{speed:,.0f}" for speed in speeds)
    return [f"wrk, a bare loop in C on as many connections: {listed} requests per CPU-second"]


def post(bench: Bench) -> list[Row]:
    runs, rates = full_speed(bench, "post.py", (OURS, HTTP_USER))

    def reached(medians: dict[str, float]) -> bool:
        return medians[OURS] >= 15 * medians.get(HTTP_USER, 0)

    return [
        Row("POST, multipart 20 KB, 50 users", "requests per generator CPU-second", runs, "15 × HttpUser", reached),
        Row("the same", "requests per second", rates),
    ]


def full_speed(bench: Bench, locustfile: str, names: tuple[str, ...]) -> tuple[dict, dict]:
    """Requests per CPU-second and per second of the generators in turn, as the server counts them."""
    chosen = bench.chosen(*names)
    per_cpu_s: dict[str, list[float]] = {generator.name: [] for generator in chosen}
    per_s: dict[str, list[float]] = {generator.name: [] for generator in chosen}
    load = Load(LOCUSTFILES / locustfile, users=50, seconds=bench.seconds, spawn_rate=50)
    with servers.target(bench.target_binary, bench.target_core) as target:
        for _ in range(bench.runs):
            for generator in chosen:
                outcome, counts = bench.run(generator, load, target)
                took_s = (counts["last_answer_ns"] - counts["first_request_ns"]) / 1e9
                per_cpu_s[generator.name].append(counts["total"] / outcome.cpu_s)
                per_s[generator.name].append(counts["total"] / took_s)
    return per_cpu_s, per_s


def listener(bench: Bench) -> list[Row]:
    """What a listener of every request costs, as the difference of runs with and without one."""
    chosen = bench.chosen(OURS, HTTP_USER, FAST_HTTP_USER)
    costs_us: dict[str, list[float]] = {generator.name: [] for generator in chosen}
    load = Load(LOCUSTFILES / "listener.py", users=50, seconds=bench.seconds, spawn_rate=50)
    with servers.target(bench.target_binary, bench.target_core) as target:
        for _ in range(bench.runs):
            for generator in chosen:
                cpu_us = []
                for listens in ("no", "yes"):
                    listening = replace(generator, environment={**generator.environment, "BENCH_LISTENER": listens})
                    outcome, counts = bench.run(listening, load, target)
                    cpu_us.append(1e6 * outcome.cpu_s / counts["total"])
                costs_us[generator.name].append(cpu_us[1] - cpu_us[0])
    measure = "a `request` listener in Python, GET, 50 users, no wait: its cost"
    return [Row(measure, "µs of CPU a request", costs_us, "10", lambda m: m[OURS] <= 10, digits=1)]


def sleep20(bench: Bench) -> list[Row]:
    chosen = bench.chosen(OURS, HTTP_USER, FAST_HTTP_USER)
    medians: dict[str, list[float]] = {generator.name: [] for generator in chosen}
    notes = []
    load = Load(LOCUSTFILES / "sleep20.py", users=50, seconds=bench.seconds, spawn_rate=50)
    with servers.target(bench.target_binary, bench.target_core) as target:
        for _ in range(bench.runs):
            for generator in chosen:
                outcome, _ = bench.run(generator, load, target)
                row = outcome.stats["GET", "/sleep20"]
                medians[generator.name].append(float(row["Median Response Time"]))
                took = target.sleep_times()["median_ms"]
                notes.append(f"under {generator.name} the server took {took:.2f} ms by its own clock, median")
    measure = "median reported for a server that takes exactly 20 ms, 50 users, 200 requests/s"
    return [
        Row(measure, "ms", medians, "within 1 ms of 20", lambda m: abs(m[OURS] - 20) <= 1, digits=2, notes=notes)
    ]


def stall(bench: Bench) -> list[Row]:
    """What is told of a server that stalls: by iterations that arrive at a rate, and by users that wait for it."""
    seconds = PERIOD_S * max(1, round(bench.seconds / PERIOD_S))
    locustfile = LOCUSTFILES / "stalling.py"
    # The pool starts in the first second, and the statistics after it.
    flags = (f"--rate={RATE}", "--reset-stats")
    open_run = Load(locustfile, users=RATE, seconds=seconds + 1, spawn_rate=RATE, flags=flags)
    closed_run = Load(locustfile, users=5, seconds=seconds, spawn_rate=5)
    chosen = bench.chosen(OURS, HTTP_USER, FAST_HTTP_USER)
    told: dict[str, dict[str, list[float]]] = {column: {} for column in PERCENTILES}
    closed: list[float] = []

    def look(generator: Generator, load: Load) -> dict[str, str]:
        outcome, _ = bench.run(generator, load, target)
        return outcome.stats["GET", "/stalling"]

    with servers.target(bench.target_binary, bench.target_core) as target:
        for _ in range(bench.runs):
            for generator in chosen:
                row = look(generator, open_run if generator.name == OURS else closed_run)
                for column, runs in told.items():
                    runs.setdefault(generator.name, []).append(float(row[column]))
            closed += [float(look(generator, closed_run)["99%"]) for generator in bench.chosen(OURS)]
    rows = []
    for column, implied in zip(PERCENTILES, implied_ms(seconds), strict=True):
        name = "maximum" if column == "100%" else f"p{column[:-1]}"
        measure = f"a server that stalls 500 ms every 5 s, {RATE} requests/s, open here and closed in Locust: {name}"
        goal = f"within 5 % of {implied:.0f}, as the schedule implies"
        near = lambda medians, implied=implied: abs(medians[OURS] - implied) <= 0.05 * implied  # noqa: E731
        rows.append(Row(measure, "ms", told[column], goal, near, digits=1))
    closed_runs = {OURS: closed, **{name: runs for name, runs in told["99%"].items() if name != OURS}}
    hidden = lambda medians: max(medians.values()) < 50  # noqa: E731
    rows.append(Row("the same, closed in all of them: p99", "ms", closed_runs, "the stall hides: below 50", hidden, digits=1))
    return rows


def memory(bench: Bench) -> list[Row]:
    few, many = 10, 2000
    runs: dict[str, list[float]] = {}
    with servers.target(bench.target_binary, bench.target_core) as target:
        for generator in bench.chosen(OURS, HTTP_USER):
            held = [held_kib(bench, generator, users, target) for users in (few, many)]
            runs[generator.name] = [(held[1] - held[0]) / (many - few)]
    measure = "memory held per added user at 2,000 users, each with an open connection"
    return [Row(measure, "KiB", runs, "15", lambda medians: medians[OURS] <= 15, digits=1)]


def held_kib(bench: Bench, generator: Generator, users: int, target: servers.Target) -> int:
    """What a generator holds once each of its users has made its request."""
    held = []

    def measure(process: subprocess.Popen) -> None:
        deadline = time.monotonic() + 120
        while target.counts()["total"] < users:
            if time.monotonic() > deadline or process.poll() is not None:
                raise generators.RunFailed(f"{generator.name} has not started {users} users")
            time.sleep(0.1)
        # What comes last, answers and the next rows of the CSV, takes a moment.
        for _ in range(4):
            time.sleep(0.5)
            held.append(generators.resident_kib(process))
        process.terminate()

    load = Load(LOCUSTFILES / "memory.py", users=users, seconds=180, spawn_rate=200)
    bench.run(generator, load, target, meanwhile=measure)
    return max(held)


def start_up(bench: Bench) -> list[Row]:
    chosen = bench.chosen(OURS, HTTP_USER)
    runs: dict[str, list[float]] = {generator.name: [] for generator in chosen}
    load = Load(LOCUSTFILES / "memory.py", users=1, seconds=1, spawn_rate=1)
    with servers.target(bench.target_binary, bench.target_core) as target:
        for generator in chosen:
            bench.run(generator, load, target)  # So that every file has been read once.
        for _ in range(2 * bench.runs + 1):
            for generator in chosen:
                outcome, counts = bench.run(generator, load, target)
                took_ns = counts["first_request_ns"] - outcome.started_ns
                runs[generator.name].append(took_ns / 1e9)
    measure = "command start to first request, as the server sees it"
    return [Row(measure, "s", runs, "0.25", lambda medians: medians[OURS] <= 0.25, digits=3)]


def predict_mix(bench: Bench) -> list[Row]:
    columns = {"50%": 20, "95%": 60, "99%": 100}
    times: dict[str, list[float]] = {column: [] for column in columns}
    failures: list[float] = []
    generator, load = bench.generators[0], Load(ROOT / "locustfile.py", 50, max(3 * bench.seconds, 5), 5)
    with servers.classifier(bench.classifier_binary) as url:
        for _ in range(bench.runs):
            say(f"the guide's users, 50 of them: {generator.name}")
            outcome = generators.run(generator, load, url, bench.folder)
            for column, values in times.items():
                values.append(float(outcome.stats["POST", "/predict"][column]))
            failures.append(outcome.failures)
    rows = []
    for column, goal in columns.items():
        measure = f"/predict, the guide's users, 50 with waits, both cores shared: p{column[:-1]}"
        runs = {generator.name: times[column]}
        rows.append(Row(measure, "ms", runs, str(goal), lambda m, goal=goal: m[OURS] <= goal, digits=1))
    runs = {generator.name: failures}
    rows.append(Row("the same: requests that failed", "requests", runs, "0", lambda medians: not any(failures)))
    return rows


def predict_alone(bench: Bench) -> list[Row]:
    rates: list[float] = []
    failed = 0
    generator, load = bench.generators[0], Load(LOCUSTFILES / "predict.py", 50, bench.seconds, 50)
    with servers.classifier(bench.classifier_binary) as url:
        for _ in range(bench.runs):
            say(f"/predict without waits, 50 users: {generator.name}")
            outcome = generators.run(generator, load, url, bench.folder)
            rates.append(float(outcome.stats["POST", "/predict"]["Requests/s"]))
            failed += outcome.failures
    notes = [f"{failed} requests failed"]
    runs = {generator.name: rates}
    measure = "/predict alone, 50 users without waits, both cores shared"
    return [Row(measure, "requests per second", runs, "150", lambda m: m[OURS] >= 150 and not failed, notes=notes)]


MEASURES = {
    "get": get,
    "post": post,
    "listener": listener,
    "page": page.open_page,
    "stats-requests": page.polled,
    "page-day": page.day,
    "sleep20": sleep20,
    "stall": stall,
    "memory": memory,
    "start-up": start_up,
    "predict-mix": predict_mix,
    "predict-alone": predict_alone,
}
