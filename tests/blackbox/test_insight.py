"""Answers that are checked under load, and the time that a server says it took."""

import json
import re
from pathlib import Path

import pytest
from standin import Standin
from support import GET_ROOT, Finished, Program, Target, locustfile, stats

CHECKED = """
    @task
    def predict(self):
        with self.client.post("/predict", catch_response=True) as response:
            answered = response.json()["predicted_class_short"]
            response.request_meta["context"].update(expected=self.expected(), answered=answered, mixed_up=False)

    def expected(self):
        TheUser.asked = getattr(TheUser, "asked", 0) + 1
        return "Pituitary" if TheUser.asked % 4 else "Glioma"
"""
PREDICT = """
    @task
    def predict(self):
        self.client.post("/predict")
"""


def run(program: Program, standin: Standin | Target, folder: Path, more: str = "") -> Finished:
    arguments = f"-u 2 -r 2 -t 3s --headless --only-summary --csv run --host {standin.url} {more}"
    return program.run(*arguments.split(), cwd=folder)


def last_json(folder: Path, name: str) -> dict:
    rows = json.loads((folder / "run.json").read_text())
    return next(row for row in rows if row["name"] == name)


def test_accuracy_stands_beside_latency(acrida: Program, standin: Standin, tmp_path: Path) -> None:
    locustfile(tmp_path, CHECKED, "constant(0.02)")
    finished = run(acrida, standin, tmp_path, "--json-file run --html run.html")
    answers = last_json(tmp_path, "/predict")["checked_answers"]
    asked = standin.served["POST /predict"]
    # One that was under way at the end is answered, and its user did not live to check it.
    assert asked - 2 <= answers["checked"] <= asked
    wrong = {(pair["expected"], pair["answered"]): pair["count"] for pair in answers["labels"]}["Glioma", "Pituitary"]
    assert answers["right"] + wrong == answers["checked"] and abs(wrong - asked // 4) <= 2
    line = f"{answers['right']:,} of {answers['checked']:,} answers right"
    assert line in finished.stderr and f"Glioma as Pituitary {wrong}x" in finished.stderr
    assert line in (tmp_path / "run.html").read_text()
    for name in ("last", "run.json"):
        assert line in acrida.run("report", name, cwd=tmp_path).stdout


def test_a_locustfile_that_checks_answers_runs_on_locust(locust: Program, standin: Standin, tmp_path: Path) -> None:
    locustfile(tmp_path, CHECKED, "constant(0.02)")
    finished = run(locust, standin, tmp_path)
    assert finished.code == 0, finished.output


def test_answers_of_other_clients_are_checked_too(acrida: Program, target: Target, tmp_path: Path) -> None:
    tasks = """
        @task
        def ask(self):
            context = {"expected": "a", "answered": "b", "mixed_up": True}
            with self.environment.events.request.measure("ASK", "it", context=context):
                pass
    """
    locustfile(tmp_path, tasks, "constant(0.02)")
    finished = run(acrida, target, tmp_path)
    count = int(stats(tmp_path / "run")["ASK", "it"]["Request Count"])
    assert f"ASK it: 0 of {count} answers right (0%), {count} mixed up with another request; a as b {count}x" in finished.stderr


def test_mixed_up_answers_are_told(acrida: Program, standin: Standin, tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    (tmp_path / "samples").symlink_to(root / "samples")
    users = (root / "locustfile.py").read_text().replace("between(0.5, 1.3)", "between(0.01, 0.02)")
    # The service answers what it was asked before, not what it is asked now.
    users += "\n\nfrom itertools import count\n_real = ClassifierUser.predict\n"
    users += "def json_of(response, turn=count(), labels=('Glioma', 'Pituitary')):\n"
    users += "    short = labels[next(turn) // 50 % 2]\n"
    users += "    every = {name: 0.0 for name in CLASSES.values()} | {short: 1.0}\n"
    users += "    return {'status': 'healthy', 'predicted_class_short': short, 'probabilities': every, 'confidence': 1.0}\n"
    (tmp_path / "locustfile.py").write_text(users)
    finished = run(acrida, standin, tmp_path)
    told = re.search(r"(\d+) mixed up", finished.stderr)
    assert told and int(told[1]) > 0, finished.output


@pytest.mark.parametrize(
    ("header", "flags", "expected"),
    [
        ("queue;dur=1.5, decode;dur=0.5, infer;dur=2.5", "", r"queue 1\.50ms \(p95 1\.50ms\), compute 3\.00ms"),
        ("", "--server-time-field inference_time_ms", r"compute 3\.10ms \(p95 3\.10ms\)"),
    ],
)
def test_the_time_of_the_server_is_split(
    acrida: Program, standin: Standin, tmp_path: Path, header: str, flags: str, expected: str
) -> None:
    locustfile(tmp_path, PREDICT, "constant(0.02)")
    if header:
        standin.headers["Server-Timing"] = header
    finished = run(acrida, standin, tmp_path, f"{flags} --json-file run")
    told = re.search(rf"POST /predict: {expected}.*network and rest \S+ms .*of (\d+) requests", finished.stderr)
    assert told and int(told[1]) == standin.served["POST /predict"], finished.stderr
    assert last_json(tmp_path, "/predict")["server_time"]["requests"] == int(told[1])


def test_a_server_that_does_not_tell_has_no_line(acrida: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_ROOT, "constant(0.02)")
    finished = run(acrida, target, tmp_path, "--json-file run --server-time-field inference_time_ms")
    assert "Server Time" not in finished.output
    assert "server_time" not in last_json(tmp_path, "/")
