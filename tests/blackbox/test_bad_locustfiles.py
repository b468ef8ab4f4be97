"""Locustfiles that do what no locustfile should: one clear line, or the run survives."""

import re
from pathlib import Path

import pytest
from support import GET_ROOT, Program, Target, locustfile, names, read_csv, total

RUN = "--headless -u 2 -r 2 -t 2s --csv run"


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("host = 5", "acrida: TheUser.host is 5, expected a text"),
        ("weight = 'much'", "acrida: TheUser.weight is 'much', expected a number"),
        ("fixed_count = '2'", "acrida: TheUser.fixed_count is '2', expected a whole number"),
        ("tasks = [5]", "acrida: TheUser.tasks has 5, expected functions and task sets"),
    ],
)
def test_a_setting_of_a_user_class_that_has_no_meaning_is_named(
    acrida: Program, nobody: str, tmp_path: Path, setting: str, line: str
) -> None:
    file = tmp_path / locustfile(tmp_path, GET_ROOT)
    file.write_text(f"{file.read_text()}\nTheUser.{setting}\n")
    finished = acrida.run(*f"{RUN} --host {nobody}".split(), cwd=tmp_path)
    assert finished.code == 1
    assert finished.stderr.splitlines()[-1] == line
    assert "Traceback" not in finished.output


BLOCKING = """
    @task
    def block(self):
        self.client.get("/")
        if not hasattr(TheUser, "blocked"):
            TheUser.blocked = True
            from gevent import monkey
            monkey.get_original("time", "sleep")(1.2)
"""


def test_a_run_survives_a_call_that_blocks_and_says_for_how_long(
    acrida: Program, target: Target, tmp_path: Path
) -> None:
    locustfile(tmp_path, BLOCKING, wait_time="constant(0.1)")
    finished = acrida.run(*f"{RUN} --host {target.url}".split(), cwd=tmp_path)
    assert finished.code == 0, finished.output
    told = re.search(r"interpreter was blocked (\d+) time\(s\), for up to ([\d.]+) s", finished.stderr)
    assert told, finished.stderr
    assert float(told[2]) >= 1.0
    assert total(tmp_path / "run") == target.total() > 3


def test_a_run_that_nothing_blocks_does_not_say_so(acrida: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_ROOT, wait_time="constant(0.3)")
    finished = acrida.run(*f"{RUN} --host {target.url}".split(), cwd=tmp_path)
    assert "was blocked" not in finished.stderr


FORK = """
@events.test_start.add_listener
def fork(**_):
    import os, sys
    child = os.fork()
    if child == 0:
        sys.exit(3)
    print("the child ended with", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def test_a_forked_process_ends_alone(acrida: Program, target: Target, tmp_path: Path) -> None:
    # Under Locust the forked process writes the files, too.
    file = tmp_path / locustfile(tmp_path, GET_ROOT, wait_time="constant(0.1)")
    file.write_text(file.read_text() + FORK)
    finished = acrida.run(*f"{RUN} --host {target.url}".split(), cwd=tmp_path)
    assert finished.code == 0, finished.output
    assert "the child ended with 3" in finished.stdout
    assert "panicked" not in finished.stderr
    assert names(tmp_path / "run") == {("GET", "/")}


LEAVING_BADLY = """
    @task
    def get(self):
        self.client.get("/")
    def on_stop(self):
        raise ValueError("left in a bad mood")
"""


def test_an_on_stop_that_raises_is_shown_and_fails_nothing(program: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, LEAVING_BADLY, wait_time="constant(0.1)")
    finished = program.run(*f"{RUN} --host {target.url}".split(), cwd=tmp_path)
    assert finished.code == 0, finished.output
    assert finished.stderr.count("ValueError: left in a bad mood") == 2
    assert read_csv(tmp_path / "run", "exceptions") == []


SHAPE = """
from locust import LoadTestShape
class Nonsense(LoadTestShape):
    def tick(self):
        return {returned}
"""


@pytest.mark.parametrize(
    ("returned", "why"),
    [
        ("'x'", "expected (users, spawn_rate), (users, spawn_rate, user_classes) or None"),
        ("(1, 2, [], 4)", "expected (users, spawn_rate), (users, spawn_rate, user_classes) or None"),
        ("('1', 1)", "with numbers"),
        ("(-1, 1)", "a number of users is finite and not below 0, not -1"),
        ("(3, 0)", "a spawn rate is a finite number above 0, not 0"),
    ],
)
def test_a_shape_that_returns_nonsense_ends_the_run_with_a_line(
    acrida: Program, nobody: str, tmp_path: Path, returned: str, why: str
) -> None:
    # Locust ends with code 2 as well, or not at all.
    file = tmp_path / locustfile(tmp_path, GET_ROOT)
    file.write_text(file.read_text() + SHAPE.format(returned=returned))
    finished = acrida.run(*f"{RUN} --host {nobody}".split(), cwd=tmp_path)
    assert finished.code == 2
    assert re.search(rf"ERROR.*The load shape returned {re.escape(returned)}: .*{re.escape(why)}", finished.stderr)
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize("returned", ["'1'", "None"])
def test_a_wait_time_that_is_no_number_is_named(
    acrida: Program, target: Target, tmp_path: Path, returned: str
) -> None:
    locustfile(tmp_path, GET_ROOT, wait_time=f"lambda self: {returned}")
    finished = acrida.run(*f"{RUN} --host {target.url}".split(), cwd=tmp_path)
    assert finished.code == 1
    [exception] = read_csv(tmp_path / "run", "exceptions")
    assert exception["Message"] == f"wait_time returned {returned}, expected a number of seconds"


def test_a_negative_wait_time_is_none(program: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_ROOT, wait_time="lambda self: -1")
    finished = program.run(*f"{RUN} --host {target.url}".split(), cwd=tmp_path)
    assert finished.code == 0, finished.output
    assert target.total() > 20
