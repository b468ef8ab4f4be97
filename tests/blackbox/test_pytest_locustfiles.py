"""Locustfiles made of pytest's test functions, on acrida and on Locust, and under pytest itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from standin import Standin
from support import Program, Running, clean_environment, names, read_csv, wait_for

TESTS = """
import time
import pytest
from locust.clients import HttpSession
from locust.contrib.fasthttp import FastHttpSession
from locust.exception import CatchResponseError

@pytest.fixture
def health(user=None):
    yield "/health"

def test_plain(session: HttpSession):
    session.get("/health")
    session.get("/absent").raise_for_status()
    session.get("/never").raise_for_status()

def test_fast(fastsession: FastHttpSession):
    fastsession.get("/health", name="fast")
    fastsession.get("/absent", name="fast absent").raise_for_status()
    fastsession.get("/never").raise_for_status()

def test_decided(session):
    with session.get("/health", name="decided", catch_response=True) as answer:
        answer.failure("not as it should be")
    with pytest.raises(CatchResponseError):
        answer.raise_for_status()
    time.sleep(0.02)

class TestOfAClass:
    def test_method(self, session):
        session.get("/health", name="of a method")
        time.sleep(0.02)

def helper(session):
    session.get("/never")
"""

EXPECTED = {
    ("GET", "/health"),
    ("GET", "/absent"),
    ("GET", "fast"),
    ("GET", "fast absent"),
    ("GET", "decided"),
    ("GET", "of a method"),
}


def started(program: Program, standin: Standin, folder: Path, tests: str, users: int, *arguments: str) -> Running:
    (folder / "test_load.py").write_text(tests)
    flags = f"-f test_load.py --host={standin.url} -u {users} -r {users} -t 60s --headless --csv run"
    return program.start(*flags.split(), *arguments, cwd=folder)


def test_each_function_is_a_user(program: Program, standin: Standin, tmp_path: Path) -> None:
    running = started(program, standin, tmp_path, TESTS, 4)
    wait_for(lambda: (tmp_path / "run_stats.csv").exists() and names(tmp_path / "run") >= EXPECTED, "every row")
    finished = running.stop()
    assert names(tmp_path / "run") == EXPECTED
    assert {(row["Name"], row["Error"]) for row in read_csv(tmp_path / "run", "failures")} == {
        ("/absent", "HTTPError('404 Client Error: - for url: /absent')"),
        ("fast absent", "LocustBadStatusCode(code=404)"),
        ("decided", "CatchResponseError('not as it should be')"),
    }
    assert finished.code == 1
    assert read_csv(tmp_path / "run", "exceptions") == []


def test_functions_are_chosen_by_name(program: Program, standin: Standin, tmp_path: Path) -> None:
    running = started(program, standin, tmp_path, TESTS, 2, "test_method")
    wait_for(lambda: standin.served["GET /health"] > 5, "requests")
    running.stop()
    assert names(tmp_path / "run") <= {("GET", "of a method")}
    assert set(standin.served) == {"GET /health"}


def test_a_parameter_without_a_fixture_is_named(program: Program, standin: Standin, tmp_path: Path) -> None:
    finished = started(program, standin, tmp_path, "def test_it(nonsense): pass", 1).wait()
    assert finished.code == 1
    assert "Could not find fixture for parameter 'nonsense' in test_it" in finished.output


@pytest.mark.parametrize(
    ("end", "exceptions"),
    [("assert False, 'wrong answer'", {"wrong answer"}), ("pytest.fail('bad')", {"bad"}), ("pytest.skip('later')", set())],
)
def test_a_user_goes_on_after_a_failed_function(
    acrida: Program, standin: Standin, tmp_path: Path, end: str, exceptions: set[str]
) -> None:
    tests = f"import pytest\ndef test_it(session):\n    session.get('/health')\n    {end}"
    running = started(acrida, standin, tmp_path, tests, 1)
    wait_for(lambda: standin.served["GET /health"] > 3, "further rounds")
    running.stop()
    assert {row["Message"].splitlines()[0] for row in read_csv(tmp_path / "run", "exceptions")} == exceptions


def test_fixtures_last_as_long_as_their_user(acrida: Program, standin: Standin, tmp_path: Path) -> None:
    tests = """
import pytest

@pytest.fixture
def thing(user=None):
    print("SAID up", flush=True)
    yield user.host
    print("SAID down", flush=True)

def test_it(thing):
    assert thing
    print("SAID round", flush=True)
"""
    running = started(acrida, standin, tmp_path, tests, 1)
    wait_for(lambda: (tmp_path / "stdout.txt").read_text().count("SAID round") > 2, "rounds")
    said = [line.removeprefix("SAID ") for line in running.stop().stdout.splitlines() if line.startswith("SAID ")]
    assert (said[0], said[-1]) == ("up", "down")
    assert set(said[1:-1]) == {"round"}


def test_pytest_runs_the_same_file(acrida: Program, standin: Standin, tmp_path: Path) -> None:
    (tmp_path / "test_load.py").write_text(TESTS)
    python = str(Path(acrida.command).with_name("python"))
    # The fixtures come from the plugin that is installed with Acrida.
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--host={standin.url}", "test_load.py"]
    finished = subprocess.run(command, cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, timeout=60, check=False)
    assert "2 failed, 2 passed" in finished.stdout, finished.stdout + finished.stderr
    assert "404 Client Error: - for url" in finished.stdout
    assert standin.served["GET /never"] == 0
