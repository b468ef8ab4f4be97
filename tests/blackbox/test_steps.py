"""``acrida scale`` and ``acrida stress``: one run, several loads."""

import json
import re
from pathlib import Path

import pytest
from support import GET_ROOT, Program, Target, locustfile, total


def run(acrida: Program, target: Target, folder: Path, command: str):
    locustfile(folder, GET_ROOT, wait_time="constant(0.05)")
    return acrida.run(*f"{command} --host {target.url} --only-summary --csv run".split(), cwd=folder, patience_s=150)


def test_each_step_is_measured_on_its_own(acrida: Program, target: Target, tmp_path: Path) -> None:
    finished = run(acrida, target, tmp_path, "scale --steps 2,6 --hold 20s --html report.html")
    assert finished.code == 0, finished.output
    lines = finished.stdout.splitlines()
    assert lines[0] == "Scaling Analysis:"
    assert [re.sub(r"avg \S+", "avg", line) for line in lines[1:3]] == [
        "- 2 users: 100% success, avg",
        "- 6 users: 100% success, avg",
    ]
    # With their wait of 50 ms, they make 20 requests a second each at most.
    two, six = (float(line.split()[1]) for line in lines[5:7])
    assert 0 < two <= 41 and 0 < six <= 123, finished.stdout
    assert total(tmp_path / "run") == target.total(), "one ledger for all steps"
    page = (tmp_path / "report.html").read_text()
    start = page.index("window.templateArgs = ") + len("window.templateArgs = ")
    steps = json.loads(page[start : page.index(";</script>", start)])["scaling"]
    assert [step["users"] for step in steps] == [2, 6]


def test_a_service_that_holds_is_not_exceeded(acrida: Program, target: Target, tmp_path: Path) -> None:
    finished = run(acrida, target, tmp_path, "stress --users 3 --hold 20s")
    assert finished.code == 0, finished.output
    assert "Maximum sustainable load: 3 users or more; it was never exceeded." in finished.stdout
    assert "With 95 % confidence it is 3 users or more." in finished.stdout


def test_what_fails_first_is_named(acrida: Program, target: Target, tmp_path: Path) -> None:
    finished = run(acrida, target, tmp_path, "stress --users 2 --hold 20s --expect p50<1us")
    assert finished.code == 0, "that a load is too much is what a search is for"
    assert "Maximum sustainable load: below 1 users." in finished.stdout
    assert "With 95 % confidence it is below 1 users." in finished.stdout
    assert re.search(r"What failed first: p50 was \S+ms, not < 0\.001ms\n", finished.stdout), finished.stdout


def test_a_baseline_has_the_same_steps(acrida: Program, target: Target, tmp_path: Path) -> None:
    run(acrida, target, tmp_path, "scale --steps 2,4 -t 2s --history runs.db")
    other = run(acrida, target, tmp_path, "scale --steps 2,6 -t 2s --history runs.db --baseline last")
    assert other.code == 1 and "there is no earlier run of this test" in other.stderr, other.output
    same = run(acrida, target, tmp_path, "scale --steps 2,4 -t 2s --history runs.db --baseline last")
    assert "A: run 1, " in same.output


def test_an_interrupted_search_says_so(acrida: Program, target: Target, tmp_path: Path) -> None:
    finished = run(acrida, target, tmp_path, "scale --steps 2,4 -t 3s")
    assert finished.code == 0
    assert "No step was complete." in finished.stdout


@pytest.mark.parametrize(
    ("command", "part"),
    [
        ("scale --steps 5,x", "argument --steps: '5,x' is no list of numbers"),
        ("stress --hold 1s", "argument --hold: must be 15s or more, not 1s"),
        ("stress --steps 5", "unrecognized arguments: --steps"),
    ],
)
def test_a_mistake_is_one_line(acrida: Program, tmp_path: Path, command: str, part: str) -> None:
    locustfile(tmp_path, GET_ROOT)
    finished = acrida.run(*command.split(), cwd=tmp_path)
    assert finished.code == 2
    assert part in finished.stderr and finished.stderr.count("\n") == 1


def test_a_load_shape_decides_alone(acrida: Program, tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text(
        "from locust import HttpUser, LoadTestShape, task\n\n"
        "class Steps(LoadTestShape):\n    def tick(self):\n        return None\n\n"
        "class A(HttpUser):\n    host = 'http://127.0.0.1:1'\n\n    @task\n    def get(self):\n        self.client.get('/')\n"
    )
    finished = acrida.run("scale", cwd=tmp_path)
    assert finished.code == 2
    assert "load shape" in finished.stderr
