"""Reports of a run beside its CSV files: one ledger, Locust's forms."""

import json
from pathlib import Path

from support import Program, Target, locustfile, total

MIXED = """
    @task(3)
    def get(self):
        self.client.get("/")

    @task
    def fail(self):
        self.client.get("/status/503", name="failing </script><b>")
"""

ARGUMENTS = "-u 3 -r 3 -t 3s --headless --only-summary"


def run(program: Program, target: Target, folder: Path, more: str):
    locustfile(folder, MIXED, wait_time="constant(0.02)")
    return program.run(*f"{ARGUMENTS} --host {target.url} {more}".split(), cwd=folder)


def page_arguments(page: Path) -> dict:
    text = page.read_text()
    start = text.index("window.templateArgs = ") + len("window.templateArgs = ")
    return json.loads(text[start : text.index(";</script>", start)])


def test_json_has_locusts_keys_and_types(acrida: Program, locust: Program, target: Target, tmp_path: Path) -> None:
    ours, theirs = (json.loads(run(program, target, tmp_path, "--json").stdout) for program in (acrida, locust))
    assert {row["name"] for row in ours} == {row["name"] for row in theirs} | {"Aggregated"}
    assert ours[-1]["name"] == "Aggregated"
    for row in ours:
        assert row.keys() == theirs[0].keys()
        for key, value in theirs[0].items():
            assert type(row[key]) is type(value), key
        assert sum(row["response_times"].values()) == row["num_requests"]
        assert sum(row["num_reqs_per_sec"].values()) == row["num_requests"]
        assert sum(row["num_fail_per_sec"].values()) == row["num_failures"]


def test_every_output_says_what_the_server_answered(acrida: Program, target: Target, tmp_path: Path) -> None:
    more = "--csv run --json --json-file out/stats --html out/report_{u}_{r}_{t}.html"
    finished = run(acrida, target, tmp_path, more)
    assert finished.code == 1, finished.output
    rows = json.loads(finished.stdout)
    assert json.loads((tmp_path / "out/stats.json").read_text()) == rows
    page = page_arguments(tmp_path / "out/report_3_3_3.html")
    answered = target.total()
    counts = {
        "--json": rows[-1]["num_requests"],
        "rows of --json": sum(row["num_requests"] for row in rows[:-1]),
        "--html": page["requests_statistics"][-1]["num_requests"],
        "_stats.csv": total(tmp_path / "run"),
        "console": finished.console_totals()[0],
    }
    assert counts == dict.fromkeys(counts, answered)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["report_3_3_3.html", "stats.json"]


def test_the_page_needs_nothing_else(acrida: Program, target: Target, tmp_path: Path) -> None:
    run(acrida, target, tmp_path, "--html report.html")
    text = (tmp_path / "report.html").read_text()
    for mark in ("<link rel=\"stylesheet\"", " src=", "@import", "fetch("):
        assert mark not in text, f"{mark} would be loaded"
    assert "failing </script>" not in text, "a name ends no script"
    page = page_arguments(tmp_path / "report.html")
    assert len(page["points"]) >= 3
    assert page["peak_users"] == 3
    assert page["failures_statistics"][0]["first_seen"] <= page["failures_statistics"][0]["last_seen"]
    assert set(page["tasks"]["total"]["TheUser"]["tasks"]) == {"get", "fail"}


def test_a_report_is_written_after_sigterm(acrida: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, MIXED)
    arguments = f"-u 3 -r 3 -t 60s --headless --only-summary --host {target.url} --html report.html"
    running = acrida.start(*arguments.split(), cwd=tmp_path)
    while target.total() < 100:
        assert running.process.poll() is None
    running.stop()
    assert page_arguments(tmp_path / "report.html")["requests_statistics"][-1]["num_requests"] == target.total()


def test_task_ratios_are_locusts(program: Program, tmp_path: Path) -> None:
    locustfile(tmp_path, MIXED)
    finished = program.run("--show-task-ratio-json", cwd=tmp_path)
    assert finished.code == 0
    assert json.loads(finished.stdout)["total"] == {
        "TheUser": {"ratio": 1.0, "tasks": {"get": {"ratio": 0.75}, "fail": {"ratio": 0.25}}}
    }


def test_what_cannot_be_written_is_said_before_the_run(acrida: Program, tmp_path: Path) -> None:
    locustfile(tmp_path, MIXED)
    for flag in ("--html", "--json-file"):
        finished = acrida.run(*f"{ARGUMENTS} --host http://127.0.0.1:1 {flag} /dev/null/x".split(), cwd=tmp_path)
        assert finished.code == 1
        assert finished.stderr.count("\n") <= 3, finished.stderr
        assert f"choose another {flag}" in finished.stderr
