"""One ledger: what the server answered is what every output says, to the last request."""

import os
import signal
from pathlib import Path

import pytest
from support import (
    GET_ROOT,
    PATIENCE_S,
    Finished,
    Program,
    Target,
    count_rows,
    locustfile,
    read_csv,
    stats,
    total,
    wait_for,
)

ARGUMENTS = "-u 20 -r 20 --headless --csv run --csv-requests --only-summary"

#: Seconds at full speed; the environment may ask for more.
FULL_SPEED_S = int(os.environ.get("FULL_SPEED_S", "5"))

MIXED = """
    @task(3)
    def get(self):
        self.client.get("/")

    @task(2)
    def post(self):
        self.client.post("/upload", files={"file": ("a.jpg", b"x" * 20_000, "image/jpeg")})

    @task(1)
    def fail(self):
        self.client.get("/status/503", name="failing")
"""


def check_that_all_agree(finished: Finished, target: Target, prefix: Path) -> int:
    answered = target.total()
    counts = {
        "console": finished.console_totals()[0],
        "_stats.csv": total(prefix),
        "the guide's column": int(stats(prefix)["", "Aggregated"]["# requests"]),
        "rows of _stats.csv": sum(
            int(row["Request Count"]) for (_, name), row in stats(prefix).items() if name != "Aggregated"
        ),
        "_requests.csv": count_rows(prefix, "requests"),
        "_stats_history.csv": int(read_csv(prefix, "stats_history")[-1]["Total Request Count"]),
    }
    assert counts == dict.fromkeys(counts, answered), finished.output
    failed = {
        "console": finished.console_totals()[1],
        "_stats.csv": int(stats(prefix)["", "Aggregated"]["Failure Count"]),
        "_failures.csv": sum(int(row["Occurrences"]) for row in read_csv(prefix, "failures")),
    }
    assert failed == dict.fromkeys(failed, target.answered().get("GET /status/503", 0))
    assert "Cut off" not in finished.output
    return answered


def test_after_a_run_at_full_speed(acrida: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_ROOT)
    arguments = f"{ARGUMENTS} -t {FULL_SPEED_S}s --host {target.url}"
    finished = acrida.run(*arguments.split(), cwd=tmp_path, patience_s=FULL_SPEED_S + PATIENCE_S)
    assert finished.code == 0, finished.output
    assert check_that_all_agree(finished, target, tmp_path / "run") > 0


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
def test_after_a_signal_in_the_middle(
    acrida: Program, target: Target, tmp_path: Path, signal_number: signal.Signals
) -> None:
    locustfile(tmp_path, MIXED)
    running = acrida.start(*f"{ARGUMENTS} -t 60s --host {target.url}".split(), cwd=tmp_path)
    wait_for(lambda: target.total() > 2_000, "a busy server")
    finished = running.stop(signal_number)
    assert finished.code == 1, "requests failed"
    assert check_that_all_agree(finished, target, tmp_path / "run") > 2_000
    by_name = {name: int(row["Request Count"]) for (_, name), row in stats(tmp_path / "run").items()}
    answered = target.answered()
    assert by_name["/"] == answered["GET /"]
    assert by_name["/upload"] == answered["POST /upload"]
    assert by_name["failing"] == answered["GET /status/503"]


def test_requests_in_flight_at_the_end_are_recorded(acrida: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, "@task\ndef get(self):\n    self.client.get('/sleep20')")
    running = acrida.start(*f"{ARGUMENTS} -t 60s --host {target.url}".split(), cwd=tmp_path)
    wait_for(lambda: target.total() > 100, "a busy server")
    finished = running.stop()
    assert finished.code == 0, finished.output
    check_that_all_agree(finished, target, tmp_path / "run")


def test_what_is_never_answered_is_cut_off_and_said(acrida: Program, target: Target, tmp_path: Path) -> None:
    tasks = """
        def on_start(self):
            self.client.get("/")

        @task
        def hang(self):
            self.client.get("/hang")
    """
    locustfile(tmp_path, tasks)
    running = acrida.start(*f"{ARGUMENTS} -u 3 -t 60s --host {target.url}".split(), cwd=tmp_path)
    wait_for(lambda: target.total() == 3, "three users")
    wait_for(lambda: total(tmp_path / "run") == 3, "their answers in the file")
    finished = running.stop()
    assert finished.code == 0, "nothing failed"
    assert "Cut off: 3 requests were still open when the run ended" in finished.output
    assert total(tmp_path / "run") == finished.console_totals()[0] == 3
    assert len(read_csv(tmp_path / "run", "requests")) == 3
