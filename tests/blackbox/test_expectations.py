"""What is expected of a run, and the exit code that gates on it."""

from pathlib import Path

import pytest
from support import GET_ROOT, Program, Target, locustfile

FAILING = """
    @task(9)
    def get(self):
        self.client.get("/")

    @task
    def fail(self):
        self.client.get("/status/503", name="failing")
"""

ARGUMENTS = "-u 2 -r 2 -t 2s --headless --only-summary"


def run(acrida: Program, target: Target, folder: Path, *expectations: str, more: str = ""):
    arguments = f"{ARGUMENTS} --host {target.url} {more}".split()
    return acrida.run(*arguments, *(f"--expect={text}" for text in expectations), cwd=folder)


def test_a_failed_expectation_names_metric_value_and_limit(acrida: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_ROOT, wait_time="constant(0.02)")
    finished = run(acrida, target, tmp_path, "p95 < 30s", "GET /: rps > 1000000")
    assert finished.code == 3, finished.output
    rows = [line.split() for line in finished.stderr[finished.stderr.index("Expectations\n") :].splitlines()[2:4]]
    assert rows[0][:3] == ["all", "requests", "p95"] and rows[0][-1] == "pass"
    assert rows[1][:3] == ["GET", "/", "rps"] and rows[1][-3:] == [">", "1000000/s", "FAIL"]
    assert float(rows[1][3].removesuffix("/s")) > 0


def test_tolerated_failures_are_no_error(acrida: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, FAILING, wait_time="constant(0.01)")
    assert run(acrida, target, tmp_path).code == 1, "Locust's rule without an expectation"
    assert run(acrida, target, tmp_path, "p95 < 30s").code == 1
    assert run(acrida, target, tmp_path, "fail_ratio < 60%").code == 0
    assert run(acrida, target, tmp_path, "fail_ratio < 1%").code == 3


def test_what_was_not_measured_is_not_as_expected(acrida: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_ROOT, wait_time="constant(0.02)")
    finished = run(acrida, target, tmp_path, "GET /mistyped: p95 < 30s")
    assert finished.code == 3
    assert "not measured" in finished.stderr


def test_files_and_the_environment_may_expect_too(acrida: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_ROOT, wait_time="constant(0.02)")
    (tmp_path / "my.conf").write_text("expect = [p95 < 30s, rps > 1000000]\n")
    assert run(acrida, target, tmp_path, more="--config my.conf").code == 3
    assert run(acrida, target, tmp_path, "p95 < 30s", more="--config my.conf").code == 0, "the command line wins"


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--expect", "latency < 5"], "argument --expect: 'latency < 5' is no expectation: 'latency' is no metric"),
        (["--expect", "p95 < 5%"], "'%' is no unit of this metric"),
        (["--abort-on", "fail_ratio"], "argument --abort-on: 'fail_ratio' is no expectation"),
    ],
)
def test_a_mistake_is_one_line(acrida: Program, tmp_path: Path, arguments: list[str], part: str) -> None:
    locustfile(tmp_path, GET_ROOT)
    finished = acrida.run("--headless", *arguments, cwd=tmp_path)
    assert finished.code == 2
    assert part in finished.stderr
    assert finished.stderr.count("\n") == 1


def test_a_run_ends_early_when_it_has_gone_wrong(acrida: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, FAILING, wait_time="constant(0.01)")
    finished = run(acrida, target, tmp_path, more="-t 120s --abort-on=fail_ratio>1%")
    assert finished.code == 3, finished.output
    assert "Ended early: fail_ratio was" in finished.stderr
    assert "in the last 10 seconds (> 1%)" in finished.stderr
