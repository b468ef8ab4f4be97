"""``acrida report``: the guide's report, from the files of either program."""

import json
import re
from pathlib import Path

import pytest
from support import GET_ROOT, Finished, Program, Target, locustfile, total

LAYOUT = r"""Load Test Results - The service
=+

Test Configuration:
- Duration: \d+ seconds?
- Peak Users: \d+
(- Spawn Rate: [\d.]+ users/sec
)?
Results:
- Total Requests: [\d,]+
- Failed: 0 \(0\.00%\)
- Passed: [\d,]+ \(100\.00%\)

Response Times:
- Min: [\d.,]+ms
- Median: [\d.,]+ms
- Average: [\d.,]+ms
- 95th percentile: [\d.,]+ms
- 99th percentile: [\d.,]+ms
- Max: [\d.,]+ms

Throughput:
- Requests/sec: [\d.]+
- Bandwidth: [\d.]+ \S+( \(answers only\))?

API Endpoints Performance:
- GET /: Median [\d.]+ms \(avg [\d.]+ms\)
"""


def run(program: Program, target: Target, folder: Path, prefix: str, users: int = 3, more: str = "") -> None:
    locustfile(folder, GET_ROOT, wait_time="constant(0.05)")
    arguments = f"--host {target.url} -u {users} -r 1 -t {users + 2}s --headless --only-summary --csv {prefix} {more}"
    finished = program.run(*arguments.split(), cwd=folder)
    assert finished.code == 0, finished.output


def report(acrida: Program, folder: Path, *arguments: str) -> Finished:
    return acrida.run("report", *arguments, cwd=folder)


def test_files_of_both_programs_have_the_guides_report(
    acrida: Program, program: Program, target: Target, tmp_path: Path
) -> None:
    run(program, target, tmp_path, "logs/run")
    finished = report(acrida, tmp_path, "logs/run", "--title", "The service")
    assert finished.code == 0, finished.output
    assert re.match(LAYOUT, finished.stdout), finished.stdout
    assert f"Total Requests: {total(tmp_path / 'logs/run'):,}\n" in finished.stdout
    assert "- Response time (p95): " in finished.stdout


def test_bytes_both_ways_are_in_the_request_log(acrida: Program, target: Target, tmp_path: Path) -> None:
    run(acrida, target, tmp_path, "run", more="--csv-requests")
    text = report(acrida, tmp_path, "run").stdout
    assert re.search(r"Bandwidth: [\d.]+ \S+\n", text), text


def test_several_runs_are_a_scaling_analysis(acrida: Program, target: Target, tmp_path: Path) -> None:
    run(acrida, target, tmp_path, "one", users=1)
    run(acrida, target, tmp_path, "two", users=2)
    text = report(acrida, tmp_path, "two", "one").stdout
    assert re.search(r"Scaling Analysis:\n- 1 users: 100% success, avg \S+\n- 2 users: 100% success, avg \S+\n", text), text
    page = report(acrida, tmp_path, "two", "one", "--format", "html").stdout
    assert '"scaling": [{' in page and "uPlot" in page


def test_other_forms_hold_the_same_figures(acrida: Program, target: Target, tmp_path: Path) -> None:
    run(acrida, target, tmp_path, "run", more="--json-file stats")
    requests = total(tmp_path / "run")
    value = json.loads(report(acrida, tmp_path, "run", "--format", "json").stdout)
    assert value["run"]["total"]["requests"] == requests
    assert [grade["grade"] for grade in value["grades"]][:4] == ["good"] * 4
    markdown = report(acrida, tmp_path, "run", "--format=markdown").stdout
    assert markdown.startswith("# Load Test Results - run\n\n## Test Configuration\n")
    (tmp_path / "again.json").write_text(json.dumps(value))
    for name in ("again.json", "stats.json"):
        assert f"- Total Requests: {requests:,}\n" in report(acrida, tmp_path, name).stdout
    saved = report(acrida, tmp_path, "run", "-o", "report.txt")
    assert saved.stdout == ""
    assert (tmp_path / "report.txt").read_text() == report(acrida, tmp_path, "run").stdout


def test_a_saved_run_is_judged_too(acrida: Program, target: Target, tmp_path: Path) -> None:
    run(acrida, target, tmp_path, "run")
    assert report(acrida, tmp_path, "run", "--expect", "p95 < 30s").code == 0
    finished = report(acrida, tmp_path, "run", "--expect", "GET /: rps > 1000000")
    assert finished.code == 3
    assert finished.stdout.endswith("/s, expected > 1000000/s: FAIL\n")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (None, "there is no run_stats.csv: name the PREFIX that --csv had"),
        ("", "run_stats.csv: the file is empty"),
        ("a,b\n1,2\n", "run_stats.csv: no CSV of a load test: it has no column 'Name'"),
        ("Type,Name,Request Count,Failure Count\nGET,/,5,0\nGET,/b,", "run_stats.csv: the file is cut off in its last line"),
        ("Type,Name,Request Count,Failure Count\n,Aggregated,0,0\n", "run_stats.csv: no request was made in this run"),
    ],
)
def test_a_file_that_says_nothing_is_one_line(acrida: Program, tmp_path: Path, text: str | None, part: str) -> None:
    if text is not None:
        (tmp_path / "run_stats.csv").write_text(text)
    finished = report(acrida, tmp_path, "run")
    assert (finished.code, finished.stdout) == (1, "")
    assert finished.stderr == f"acrida: {part}\n"


def test_a_class_may_be_called_like_a_command(acrida: Program, target: Target, tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text(
        "from locust import HttpUser, task\n\nclass report(HttpUser):\n    @task\n    def get(self):\n        self.client.get('/')\n"
    )
    arguments = f"--headless --only-summary --host {target.url} -t 1s report"
    assert acrida.run(*arguments.split(), cwd=tmp_path).code == 0
    assert target.total() > 0
