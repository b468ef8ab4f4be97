#!/usr/bin/env python3
"""Measures whether verdicts are right: of `acrida stress` and of `acrida compare`.

    bench/verdicts.py stress            capacities that are known, found again
    bench/verdicts.py compare           equal runs, and runs of which one is a tenth slower

Only the standard library is used. Everything stays on loopback.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))

from harness import servers  # noqa: E402

LOCUSTFILE = HERE / "locustfiles/verdicts.py"
#: Nothing that is started here lives longer, in seconds.
PATIENCE_S = 700


@dataclass(frozen=True)
class Case:
    """A server, and what `stress` has to say about it."""

    name: str
    server: str
    expect: str
    #: The most users with which it is as expected; None if the generator is the limit.
    users: int | None
    #: What has to stand in the verdict.
    verdict: str
    environment: dict[str, str] | None = None


#: With no wait, u users of k workers wait u / k service times: the limit is crossed at limit * k / service.
CASES = [
    Case("4 workers of 20 ms, p95 < 305 ms", "--workers 4 --service-ms 20", "p95 < 305ms", 60, "p95"),
    Case("2 workers of 10 ms, p95 < 122 ms", "--workers 2 --service-ms 10", "p95 < 122ms", 24, "p95"),
    Case("8 workers of 40 ms, p95 < 605 ms", "--workers 8 --service-ms 40", "p95 < 605ms", 120, "p95"),
    Case("4 workers of 20 ms, 26 may wait", "--workers 4 --service-ms 20 --queue 26", "fail_ratio < 1%", 30, "fail_ratio"),
    Case("a generator that burns 20 ms a request", "--workers 64 --service-ms 5", "p95 < 1s", None, "generator", {"BENCH_BURN": "0.02"}),
]


@contextlib.contextmanager
def simulated(flags: str) -> Iterator[str]:
    port = servers.free_port()
    command = [sys.executable, "-m", "harness.simulated", str(port), *flags.split()]
    process = subprocess.Popen(command, cwd=HERE, stdout=subprocess.PIPE, text=True)
    try:
        process.stdout.readline()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def acrida(given: argparse.Namespace, *flags: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    command = [str(given.acrida.absolute()), *flags]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, env={**os.environ, **(environment or {})}, check=False
    )


def stress(given: argparse.Namespace) -> bool:
    print("| server | limit | known | found | in | verdict | right |\n|---|---|---:|---:|---:|---|---|")
    all_right = True
    for case in [CASES[number - 1] for number in given.case or range(1, len(CASES) + 1)]:
        with simulated(case.server) as url:
            began = time.monotonic()
            run = acrida(
                given, "stress", "-f", str(LOCUSTFILE), "--host", url, "--users", "400", "--expect", case.expect,
                "--hold", "30s", "--only-summary", "--no-history", environment=case.environment,
            )  # fmt: skip
            took_s = time.monotonic() - began
        found = re.search(r"Maximum sustainable load: (?:at least )?(\d+) users", run.stdout)
        users = int(found[1]) if found else None
        said = next((line for line in run.stdout.splitlines() if "failed first" in line.lower() or "generator" in line), "-")
        right = case.verdict in said and took_s < 600
        if case.users is not None:
            right = right and users is not None and abs(users - case.users) <= max(1, 0.05 * case.users)
        all_right = all_right and right
        known = "-" if case.users is None else case.users
        print(f"| {case.name} | {case.expect} | {known} | {users} | {took_s:.0f} s | {said} | {'yes' if right else '**no**'} |", flush=True)
        if not right:
            print(run.stdout[-1500:], run.stderr[-800:], file=sys.stderr)
    return all_right


def compare(given: argparse.Namespace) -> bool:
    """Runs that are equal, and runs of which /b is a tenth slower, by turns."""
    with tempfile.TemporaryDirectory() as folder:
        history = f"{folder}/history.db"
        kinds = []
        for kind in itertools.islice(itertools.cycle(["equal", "slower", "equal"]), given.runs):
            slow = " --slow /b:1.1" if kind == "slower" else ""
            with simulated(f"--workers 64 --service-ms 30 --jitter 0.2{slow}") as url:
                run = acrida(
                    given, "-f", str(LOCUSTFILE), "--host", url, "--headless", "-u", "8", "-r", "8", "-t", f"{given.seconds}s",
                    "--only-summary", "--history", history, environment={"BENCH_WAIT": "0.02"},
                )  # fmt: skip
            if run.returncode != 0:
                sys.exit(f"bench/verdicts.py: a run failed\n{run.stderr[-800:]}")
            kinds.append(kind)
        alarms, equal_pairs, found, unequal_pairs = 0, 0, 0, 0
        for first, second in itertools.combinations(range(len(kinds)), 2):
            told = acrida(given, "compare", str(first + 1), str(second + 1), "--history", history, "--format", "json")
            rows = json.loads(told.stdout)["comparison"]["differences"]
            different = [row for row in rows if row["verdict"] in ("better", "worse")]
            if kinds[first] == kinds[second]:
                equal_pairs += 1
                alarms += bool(different)
            else:
                unequal_pairs += 1
                wanted = "worse" if kinds[second] == "slower" else "better"
                found += any(row["label"] == "GET /b" and row["metric"] == "median" and row["verdict"] == wanted for row in different)
    print(f"equal pairs called different: {alarms} of {equal_pairs} (5 % at most by what is stated)")
    print(f"/b found to be a tenth slower or faster: {found} of {unequal_pairs}")
    return found == unequal_pairs and alarms <= max(1, 0.05 * equal_pairs)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["stress", "compare"])
    parser.add_argument("--acrida", default=ROOT / ".venv/bin/acrida", type=Path, help="the command (%(default)s)")
    parser.add_argument("--case", type=int, action="append", choices=range(1, len(CASES) + 1), help="one server of stress; may be repeated")
    parser.add_argument("--runs", type=int, default=9, help="how many runs compare looks at (%(default)s)")
    parser.add_argument("--seconds", type=int, default=30, help="how long each of them is (%(default)s)")
    given = parser.parse_args()
    measure = {"stress": stress, "compare": compare}[given.what]
    return 0 if measure(given) else 1


if __name__ == "__main__":
    sys.exit(main())
