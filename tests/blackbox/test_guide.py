"""The load-testing guide, word for word but for shorter run times."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from standin import Standin
from support import ROOT, Program, header, locustfile, names, read_csv, stats, total, wait_for

COMMAND = """-f locustfile.py
  --host={host}
  --users={users}
  --spawn-rate={spawn_rate}
  --run-time=3s
  --headless
  --csv=logs/locust_results/{name}"""

#: Users, spawn rate, run time and csv name of the guide's four scenarios, by our names.
SCENARIOS = {
    "basic": (5, 1, "1m", "basic"),
    "medium": (50, 5, "5m", "medium"),
    "high": (100, 10, "10m", "high_load"),
    "stress": (500, 50, "15m", "stress"),
}

#: The guide's "Expected Results", by our names; it has none for the stress test.
EXPECTED = {
    "basic": "[p95 < 500ms, success_ratio > 99%, rps >= 5]",
    "medium": "[avg < 800ms, success_ratio > 98%, rps >= 20]",
    "high": "[avg < 1500ms, success_ratio > 95%]",
}

PANDAS = """
import pandas as pd
stats = pd.read_csv('logs/locust_results/basic_stats.csv')
print("Response Time Percentiles:")
print(f"  50th percentile: {stats['Median response time'].median()}ms")
print(f"  Average: {stats['Average response time'].mean()}ms")
print(f"  Max: {stats['Max response time'].max()}ms")
print(f"Success rate: {100 - (stats['# failures'].sum() / stats['# requests'].sum() * 100):.2f}%")
"""


def copy_users(folder: Path) -> None:
    """The guide's users as somebody has them in a folder of their own."""
    shutil.copy(ROOT / "locustfile.py", folder)
    shutil.copytree(ROOT / "samples", folder / "samples")
    (folder / "logs/locust_results").mkdir(parents=True)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_four_commands_run(program: Program, standin: Standin, tmp_path: Path, scenario: str) -> None:
    copy_users(tmp_path)
    users, spawn_rate, _, name = SCENARIOS[scenario]
    command = COMMAND.format(host=standin.url, users=users, spawn_rate=spawn_rate, name=name)
    finished = program.run(*command.split(), cwd=tmp_path)
    assert finished.code == 0, finished.output
    prefix = tmp_path / "logs/locust_results" / name
    assert names(prefix) <= {("GET", "/health"), ("POST", "/predict")}
    assert finished.console_totals()[0] > 0
    history = read_csv(prefix, "stats_history")
    assert {row["Name"] for row in history} == {"Aggregated"}


def test_the_pandas_snippet_reads_the_statistics(acrida: Program, standin: Standin, tmp_path: Path) -> None:
    copy_users(tmp_path)
    command = COMMAND.format(host=standin.url, users=5, spawn_rate=5, name="basic")
    acrida.run(*command.split(), cwd=tmp_path)
    output = subprocess.run(
        [sys.executable, "-c", PANDAS], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert re.fullmatch(
        r"Response Time Percentiles:\n"
        r"  50th percentile: \d+(\.\d+)?ms\n"
        r"  Average: \d+(\.\d+)?ms\n"
        r"  Max: \d+(\.\d+)?ms\n"
        r"Success rate: 100\.00%\n",
        output,
    ), output


def test_files_begin_with_locusts_columns(acrida: Program, locust: Program, standin: Standin, tmp_path: Path) -> None:
    locustfile(tmp_path, "@task\ndef get(self):\n    self.client.get('/missing')")
    for program in (acrida, locust):
        arguments = f"--host {standin.url} -u 1 -t 2s --headless --csv {program.name}"
        program.run(*arguments.split(), cwd=tmp_path)
    ours, theirs = tmp_path / "acrida", tmp_path / "locust"
    for kind in ("exceptions", "stats_history"):
        assert header(ours, kind) == header(theirs, kind)
    guide = {
        "stats": "# requests,# failures,Median response time,Average response time,"
        "Min response time,Max response time,Average Content Length",
        "failures": "# failures,Failure message",
    }
    for kind, more in guide.items():
        assert header(ours, kind) == [*header(theirs, kind), *more.split(",")]
    for kind in ("stats", "failures", "exceptions", "stats_history"):
        assert b"\r\n" in Path(f"{ours}_{kind}.csv").read_bytes()
    assert [row["Error"] for row in read_csv(ours, "failures")] == [
        row["Error"] for row in read_csv(theirs, "failures")
    ]


def test_the_request_log_has_the_guides_columns(acrida: Program, standin: Standin, tmp_path: Path) -> None:
    copy_users(tmp_path)
    arguments = f"--host {standin.url} -u 5 -r 5 -t 2s --headless --csv out/run --csv-requests"
    acrida.run(*arguments.split(), cwd=tmp_path)
    prefix = tmp_path / "out/run"
    assert header(prefix, "requests") == [
        "Timestamp", "Method", "Name", "Response time (ms)", "Bytes sent", "Bytes received",
    ]  # fmt: skip
    rows = read_csv(prefix, "requests")
    assert len(rows) == total(prefix)
    for row in rows:
        assert (row["Method"], row["Name"]) in names(prefix)
        assert float(row["Response time (ms)"]) > 0
        assert int(row["Bytes received"]) > 0
        # An image is in every prediction, and in nothing else.
        assert (int(row["Bytes sent"]) > 4_000) == (row["Name"] == "/predict")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario_files_say_what_the_guide_says(scenario: str) -> None:
    users, spawn_rate, run_time, name = SCENARIOS[scenario]
    lines = (ROOT / f"scenarios/{scenario}.conf").read_text().splitlines()
    settings = dict(line.split(" = ") for line in lines if line and not line.startswith("#"))
    assert settings.pop("expect", None) == EXPECTED.get(scenario)
    assert settings == {
        "locustfile": "locustfile.py",
        "host": "http://localhost",
        "users": str(users),
        "spawn-rate": str(spawn_rate),
        "run-time": run_time,
        "headless": "true",
        "csv": f"logs/locust_results/{name}",
        "csv-requests": "true",
    }


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario_files_run(program: Program, standin: Standin, tmp_path: Path, scenario: str) -> None:
    copy_users(tmp_path)
    text = (ROOT / f"scenarios/{scenario}.conf").read_text()
    if program.name == "locust":
        text = text[: text.index("# Only acrida knows")]
    (tmp_path / "scenario.conf").write_text(text)
    arguments = f"--config scenario.conf --host={standin.url} --run-time=3s"
    finished = program.run(*arguments.split(), cwd=tmp_path)
    # Three seconds are mostly ramp, in which there may be fewer requests a second than expected.
    assert finished.code in ((0, 3) if program.name == "acrida" else (0,)), finished.output
    assert "FAIL" not in "".join(line for line in finished.output.splitlines() if " rps " not in line)
    prefix = tmp_path / "logs/locust_results" / SCENARIOS[scenario][3]
    assert ("", "Aggregated") in stats(prefix)
    if program.name == "acrida":
        assert len(read_csv(prefix, "requests")) == total(prefix) > 0


def test_the_first_scenario_runs_against_the_classifier(acrida: Program, classifier: str, tmp_path: Path) -> None:
    copy_users(tmp_path)
    shutil.copy(ROOT / "scenarios/basic.conf", tmp_path)
    # It is stopped in its ramp, where there are fewer requests a second than expected.
    arguments = f"--config basic.conf --host={classifier} --run-time=60s --expect=success_ratio>99%"
    running = acrida.start(*arguments.split(), cwd=tmp_path)
    prefix = tmp_path / "logs/locust_results/basic"
    expected = {("GET", "/health"), ("POST", "/predict")}
    wait_for(lambda: Path(f"{prefix}_stats.csv").exists() and names(prefix) >= expected, "both requests")
    finished = running.stop()
    assert finished.code == 0, finished.output
    assert read_csv(prefix, "failures") == []
    assert re.search(r"\d+ of \d+ predictions named the right class", finished.output)
    answers = re.search(r"POST /predict: (\d+) of (\d+) answers right \(\d.*%\), 0 mixed up", finished.stderr)
    assert answers and 0 < int(answers[1]) <= int(answers[2]), finished.stderr
    assert re.search(r"POST /predict: queue \S+ms \(p95 \S+\), compute \S+ms", finished.stderr), finished.stderr
