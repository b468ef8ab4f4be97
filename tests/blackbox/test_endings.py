"""How a run ends that a locustfile ends, or that ends while a locustfile is busy."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import Program, Target, locustfile, names, stats, total

RUN = "--headless -u 3 -r 100 -t {limit} --csv run"
SAYING = """
@events.test_stop.add_listener
def _(**_):
    print("SAID test_stop", flush=True)
@events.quitting.add_listener
def _(**_):
    print("SAID quitting", flush=True)
"""


def a_locustfile(folder: Path, tasks: str, more: str = SAYING) -> None:
    file = folder / locustfile(folder, tasks, wait_time="constant(0.1)")
    file.write_text(file.read_text() + more)


@pytest.mark.parametrize(
    ("statement", "code"), [("raise KeyboardInterrupt", 0), ("import sys; sys.exit(4)", 4), ("raise SystemExit('why')", 1)]
)
def test_a_task_that_ends_the_program_ends_it_in_order(
    acrida: Program, target: Target, tmp_path: Path, statement: str, code: int
) -> None:
    # Locust's exit codes; at sys.exit it says nothing and writes nothing.
    tasks = f"""
        @task
        def get(self):
            self.client.get("/")
            TheUser.count = getattr(TheUser, "count", 0) + 1
            if TheUser.count == 7:
                {statement}
        def on_stop(self):
            print("SAID on_stop", flush=True)
    """
    a_locustfile(tmp_path, tasks)
    finished = acrida.run(*f"{RUN.format(limit='30s')} --host {target.url}".split(), cwd=tmp_path)
    assert finished.code == code, finished.output
    said = [line for line in finished.stdout.splitlines() if line.startswith("SAID")]
    assert said == ["SAID on_stop", "SAID on_stop", "SAID test_stop", "SAID quitting"]
    assert ("why" in finished.stderr.splitlines()) == ("why" in statement)
    assert f"Shutting down (exit code {code})" in finished.stderr
    assert total(tmp_path / "run") == target.total() >= 7


@pytest.mark.parametrize("event", ["test_start", "test_stopping", "test_stop", "spawning_complete", "request"])
def test_a_listener_that_ends_the_program_ends_it(acrida: Program, target: Target, tmp_path: Path, event: str) -> None:
    leaving = f"@events.{event}.add_listener\ndef _(**_):\n    raise SystemExit(5)\n"
    a_locustfile(tmp_path, "@task\ndef get(self):\n    self.client.get('/')", leaving + SAYING)
    finished = acrida.run(*f"{RUN.format(limit='1s')} --host {target.url}".split(), cwd=tmp_path)
    assert finished.code == 5, finished.output
    assert "SAID quitting" in finished.stdout
    assert total(tmp_path / "run") == target.total()


def test_a_user_that_ends_the_run_when_it_is_made_never_starts(
    acrida: Program, target: Target, tmp_path: Path
) -> None:
    tasks = """
        def __init__(self, environment):
            super().__init__(environment)
            environment.runner.quit()
            print("SAID after quit", flush=True)
        def on_start(self):
            print("SAID on_start", flush=True)
        @task
        def get(self):
            self.client.get("/")
    """
    a_locustfile(tmp_path, tasks)
    finished = acrida.run(*f"{RUN.format(limit='30s')} --host {target.url}".split(), cwd=tmp_path)
    assert finished.code == 0, finished.output
    said = [line for line in finished.stdout.splitlines() if line.startswith("SAID")]
    assert said == ["SAID test_stop", "SAID quitting"]
    assert target.total() == 0


@pytest.mark.parametrize("user", ["HttpUser", "FastHttpUser"])
def test_a_block_that_is_open_at_the_end_decides(acrida: Program, target: Target, tmp_path: Path, user: str) -> None:
    # Locust loses these requests.
    tasks = """
        @task
        def get(self):
            with self.client.get("/sleep20", catch_response=True) as response:
                response.failure("too late") if response.status_code == 200 else None
    """
    a_locustfile(tmp_path, tasks, "TheUser.wait_time = constant(0)\n")
    file = tmp_path / "locustfile.py"
    file.write_text(file.read_text().replace("TheUser(HttpUser)", f"TheUser({user})").replace("HttpUser,", f"{user},"))
    finished = acrida.run(*f"{RUN.format(limit='1s')} -u 30 --host {target.url}".split(), cwd=tmp_path)
    assert names(tmp_path / "run") == {("GET", "/sleep20")}, finished.output
    row = stats(tmp_path / "run")["GET", "/sleep20"]
    assert int(row["Request Count"]) == int(row["Failure Count"]) == target.total() > 100
    assert "cut off" not in finished.output


def test_nothing_runs_after_a_block_that_was_open_at_the_end(acrida: Program, target: Target, tmp_path: Path) -> None:
    tasks = """
        @task
        def get(self):
            import gevent
            with self.client.get("/", catch_response=True) as response:
                while not stopping:
                    gevent.sleep(0.05)
                gevent.sleep(0.3)
                response.failure("no")
            self.client.get("/after")
        def on_stop(self):
            print("SAID on_stop", flush=True)
    """
    listener = "stopping = []\n@events.test_stopping.add_listener\ndef _(**_):\n    stopping.append(1)\n"
    a_locustfile(tmp_path, tasks, listener)
    finished = acrida.run(*f"{RUN.format(limit='1s')} --host {target.url}".split(), cwd=tmp_path)
    assert names(tmp_path / "run") == {("GET", "/")}, finished.output
    assert stats(tmp_path / "run")["GET", "/"]["Failure Count"] == "3"
    assert finished.stdout.count("SAID on_stop") == 3


def test_requests_that_nobody_decided_about_are_counted_and_told_of(acrida: Program, target: Target, tmp_path: Path) -> None:
    tasks = """
        @task
        def get(self):
            self.client.get("/status/404", catch_response=True)
            with self.client.get("/", catch_response=True):
                raise ValueError("in the block")
    """
    a_locustfile(tmp_path, tasks)
    finished = acrida.run(*f"{RUN.format(limit='1s')} --host {target.url}".split(), cwd=tmp_path)
    rows = stats(tmp_path / "run")
    failures = {path: rows["GET", path]["Failure Count"] for path in ("/", "/status/404")}
    assert failures == {"/": "0", "/status/404": rows["GET", "/status/404"]["Request Count"]}
    assert total(tmp_path / "run") == target.total() > 2
    told = [line for line in finished.output.splitlines() if "Nobody decided about" in line]
    assert len(told) == 1 and "GET /status/404 (no 'with'" in told[0], finished.output


def test_an_open_block_that_waits_is_not_waited_for_longer_than_the_grace(
    acrida: Program, target: Target, tmp_path: Path
) -> None:
    tasks = """
        @task
        def get(self):
            import gevent
            with self.client.get("/", catch_response=True):
                gevent.sleep(1000)
    """
    a_locustfile(tmp_path, tasks)
    finished = acrida.run(*f"{RUN.format(limit='1s')} --host {target.url}".split(), cwd=tmp_path, patience_s=30)
    assert finished.code == 0, finished.output
    assert total(tmp_path / "run") == target.total() == 3
