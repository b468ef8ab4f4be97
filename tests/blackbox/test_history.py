"""Runs that are kept, and what can be said of two of them."""

import json
import os
import sqlite3
from pathlib import Path

import pytest
from support import GET_ROOT, Program, Target, locustfile, total

QUICK = """
    @task
    def get(self):
        self.client.get("/", name="/work")
"""
SLOW = QUICK.replace('"/"', '"/sleep20"')
#: Long enough for eight whole seconds with all users.
SECONDS = 12


def run(acrida: Program, target: Target, folder: Path, tasks: str, seconds: int = SECONDS, more: str = ""):
    locustfile(folder, tasks, wait_time="constant(0.05)")
    arguments = f"-u 4 -r 4 -t {seconds}s --headless --only-summary --host {target.url} --csv run {more}"
    return acrida.run(*arguments.split(), cwd=folder)


def test_every_run_is_kept(acrida: Program, target: Target, tmp_path: Path) -> None:
    for number in (1, 2):
        finished = run(acrida, target, tmp_path, GET_ROOT, seconds=2)
        assert f"This run is number {number} of the history" in finished.stderr
    run(acrida, target, tmp_path, GET_ROOT, seconds=2, more="--no-history")
    runs = json.loads(acrida.run("history", "--format", "json", cwd=tmp_path).stdout)
    assert [kept["id"] for kept in runs] == [2, 1]
    assert runs[0]["run"]["peak_users"] == 4
    assert runs[0]["settings"]["num_users"] == 4
    shown = acrida.run("history", cwd=tmp_path).stdout.splitlines()
    assert [line.split()[0] for line in shown[1:]] == ["2", "1"]
    assert acrida.run("history", "-n", "1", cwd=tmp_path).stdout.count("\n") == 2


def test_what_is_kept_is_what_was_counted(acrida: Program, target: Target, tmp_path: Path) -> None:
    run(acrida, target, tmp_path, GET_ROOT, seconds=3)
    kept = json.loads(acrida.run("history", "--format", "json", cwd=tmp_path).stdout)[0]
    assert kept["run"]["total"]["requests"] == total(tmp_path / "run") == target.total()


def test_a_kept_run_has_its_report(acrida: Program, target: Target, tmp_path: Path) -> None:
    run(acrida, target, tmp_path, GET_ROOT, seconds=3)
    for name in ("last", "1", "#1"):
        text = acrida.run("report", name, cwd=tmp_path).stdout
        assert text.startswith("Load Test Results - locustfile.py\n")
        assert "- Spawn Rate: 4 users/sec\n" in text
        assert f"- Total Requests: {total(tmp_path / 'run'):,}\n" in text
    missing = acrida.run("report", "7", cwd=tmp_path)
    assert (missing.code, missing.stdout) == (1, "") and "there is no run '7'" in missing.stderr


def test_equal_runs_show_no_difference_and_a_slow_one_does(acrida: Program, target: Target, tmp_path: Path) -> None:
    for tasks in (QUICK, SLOW, SLOW):
        assert run(acrida, target, tmp_path, tasks).code == 0
    worse = acrida.run("compare", "--baseline", "1", "2", cwd=tmp_path)
    assert worse.code == 3, worse.output
    row = next(line for line in worse.stdout.splitlines() if line.startswith("GET /work") and " median " in line)
    assert row.endswith("WORSE")
    assert "REGRESSION: " in worse.stdout
    assert acrida.run("compare", "1", "2", cwd=tmp_path).code == 0, "only a baseline is a gate"
    better = acrida.run("compare", "--baseline", "2", "1", cwd=tmp_path)
    assert better.code == 0 and "better" in better.stdout
    value = json.loads(acrida.run("compare", "2", "last", "--format", "json", cwd=tmp_path).stdout)
    medians = [row for row in value["comparison"]["differences"] if row["metric"] == "median"]
    assert {row["verdict"] for row in medians} == {"not_shown"}, "both took 20 ms"


def test_a_run_may_have_a_baseline(acrida: Program, target: Target, tmp_path: Path) -> None:
    assert run(acrida, target, tmp_path, QUICK, more="--baseline last").code == 1, "there is none yet"
    run(acrida, target, tmp_path, QUICK)
    slower = run(acrida, target, tmp_path, SLOW, more="--baseline last --html report.html")
    assert slower.code == 3, slower.output
    assert "REGRESSION: " in slower.stderr


def test_the_last_run_is_the_last_one_of_its_kind(acrida: Program, target: Target, tmp_path: Path) -> None:
    run(acrida, target, tmp_path, QUICK)
    run(acrida, target, tmp_path, SLOW, seconds=2, more="-u 2")
    alone = run(acrida, target, tmp_path, QUICK, seconds=2, more="-u 3 --baseline last")
    assert alone.code == 1 and "there is no earlier run of this test" in alone.stderr, alone.output
    first = run(acrida, target, tmp_path, QUICK, seconds=2, more="-u 3 --baseline last-if-any")
    assert first.code == 0 and "There is no earlier run of this test yet" in first.stderr, first.output
    second = run(acrida, target, tmp_path, QUICK, more="--baseline last")
    assert "A: run 1, " in second.output, "not run 2, which had other users"


def test_short_runs_are_not_judged(acrida: Program, target: Target, tmp_path: Path) -> None:
    for tasks in (QUICK, SLOW):
        run(acrida, target, tmp_path, tasks, seconds=3)
    finished = acrida.run("compare", "--baseline", "1", "2", cwd=tmp_path)
    assert finished.code == 0
    assert "Too little was measured to compare" in finished.stdout


def broken(kind: str, file: Path) -> None:
    if kind == "text":
        file.write_text("a letter to somebody, long enough to be no database\n" * 40)
    else:
        with sqlite3.connect(file) as database:
            database.execute("CREATE TABLE t (x)" if kind == "foreign" else "PRAGMA user_version = 99")
            if kind != "foreign":
                database.execute(f"PRAGMA application_id = {0x61637264}")
                database.execute("CREATE TABLE run (x)")
        if kind == "cut":
            os.truncate(file, file.stat().st_size // 2)


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        ("text", "is no history of acrida"),
        ("foreign", "is no history"),
        ("newer", "newer acrida"),
        ("cut", "is damaged, or a part of it is missing"),
    ],
)
def test_a_history_that_cannot_be_used_spoils_no_run(
    acrida: Program, target: Target, tmp_path: Path, kind: str, part: str
) -> None:
    file = tmp_path / "history.db"
    broken(kind, file)
    before = file.read_bytes()
    finished = run(acrida, target, tmp_path, GET_ROOT, seconds=2)
    assert finished.code == 0, finished.output
    assert "This run is not kept: " in finished.stderr and part in finished.stderr
    assert file.read_bytes() == before
    listed = acrida.run("history", cwd=tmp_path)
    assert (listed.code, listed.stdout) == (1, "") and part in listed.stderr
    assert listed.stderr.count("\n") == 1


def test_what_is_not_there_is_one_line(acrida: Program, target: Target, tmp_path: Path) -> None:
    missing = acrida.run("history", cwd=tmp_path)
    assert missing.code == 1 and "there is no history at" in missing.stderr
    run(acrida, target, tmp_path, GET_ROOT, seconds=1)
    finished = acrida.run("compare", "1", "7", cwd=tmp_path)
    assert finished.stderr == "acrida: there is no run '7': name one by its number in 'acrida history', or 'last'\n"
