"""Locustfiles that do what no locustfile should: one clear line, or the run survives."""

import re
import subprocess
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
        (f"({10**30}, 1)", "int too big to convert"),
        (f"(1, {10**400})", "int too large to convert to float"),
        ("(5, 1, 7)", "with a list of classes"),
        ("(5, 1, 'TheUser')", "'T' is no user class of this test"),
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


@pytest.mark.parametrize(("returned", "shown"), [("'1'", "'1'"), ("None", "None"), ("float('nan')", "nan")])
def test_a_wait_time_that_is_no_number_is_named(
    acrida: Program, target: Target, tmp_path: Path, returned: str, shown: str
) -> None:
    locustfile(tmp_path, GET_ROOT, wait_time=f"lambda self: {returned}")
    finished = acrida.run(*f"{RUN} --host {target.url}".split(), cwd=tmp_path)
    assert finished.code == 1
    [exception] = read_csv(tmp_path / "run", "exceptions")
    assert exception["Message"] == f"wait_time returned {shown}, expected a number of seconds"


def test_a_negative_wait_time_is_none(program: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_ROOT, wait_time="lambda self: -1")
    finished = program.run(*f"{RUN} --host {target.url}".split(), cwd=tmp_path)
    assert finished.code == 0, finished.output
    assert target.total() > 20


@pytest.mark.parametrize("event", ["test_start", "spawning_complete", "request", "test_stopping", "test_stop", "quitting"])
def test_a_listener_that_raises_is_shown_and_marks_the_run(
    program: Program, target: Target, tmp_path: Path, event: str
) -> None:
    file = tmp_path / locustfile(tmp_path, GET_ROOT, wait_time="constant(0.1)")
    file.write_text(f"{file.read_text()}\n@events.{event}.add_listener\ndef _(**_):\n    raise ValueError('bad {event}')\n")
    finished = program.run(*f"{RUN} --host {target.url} -t 5s".split(), cwd=tmp_path)
    assert finished.code == 2, finished.output
    assert f"ValueError: bad {event}" in finished.stderr
    assert finished.console_totals()[0] > 0


def test_an_init_listener_that_raises_ends_the_program(program: Program, target: Target, tmp_path: Path) -> None:
    file = tmp_path / locustfile(tmp_path, GET_ROOT)
    file.write_text(f"{file.read_text()}\n@events.init.add_listener\ndef _(**_):\n    raise ValueError('bad init')\n")
    finished = program.run(*f"{RUN} --host {target.url}".split(), cwd=tmp_path)
    assert finished.code == 1, finished.output
    assert "ValueError: bad init" in finished.stderr
    assert target.total() == 0


@pytest.mark.parametrize(("method", "code"), [("__init__", 2), ("on_start", 1)])
def test_a_user_that_raises_when_it_begins_is_shown(
    acrida: Program, target: Target, tmp_path: Path, method: str, code: int
) -> None:
    begin = "def on_start(self):" if method == "on_start" else "def __init__(self, environment):"
    locustfile(tmp_path, f"{begin}\n    raise ValueError('bad begin')\n{GET_ROOT.replace('    @', '@').replace('    def', 'def')}")
    finished = acrida.run(*f"{RUN} --host {target.url}".split(), cwd=tmp_path)
    assert finished.code == code, finished.output
    assert "ValueError: bad begin" in finished.stderr
    assert target.total() == 0


THREADS = """
    @task
    def get(self):
        import threading
        statuses = []
        for starts in (threading.Thread, original_thread):
            waits = starts(target=lambda: statuses.append(self.client.get("/").status_code))
            waits.start()
            waits.join()
        print("STATUSES", statuses, flush=True)

    def on_start(self):
        original_thread(target=original_sleep, args=(1000,), name="the sleeper").start()
"""
UNPATCHED = """
import threading
from gevent import monkey
original_sleep = monkey.get_original("time", "sleep")

class original_thread:
    def __init__(self, target, args=(), name=None):
        self.done = monkey.get_original("_thread", "allocate_lock")()
        self.run, self.args = target, args
    def start(self):
        self.done.acquire()
        monkey.get_original("_thread", "start_new_thread")(self._run, ())
    def _run(self):
        self.run(*self.args)
        self.done.release()
    def join(self):
        import gevent
        while not self.done.acquire(False):
            gevent.sleep(0.01)
"""


def test_requests_of_threads_are_counted_and_their_sleep_does_not_keep_the_run(
    acrida: Program, target: Target, tmp_path: Path
) -> None:
    # Under Locust a request of another thread fails.
    file = tmp_path / locustfile(tmp_path, THREADS, wait_time="constant(0.1)")
    file.write_text(file.read_text() + UNPATCHED)
    finished = acrida.run(*f"{RUN} --host {target.url}".split(), cwd=tmp_path)
    assert finished.code == 0, finished.output
    assert "STATUSES [200, 200]" in finished.stdout
    assert total(tmp_path / "run") == target.total() > 3


def test_a_thread_that_does_not_end_is_left_behind_with_a_line(
    acrida: Program, target: Target, tmp_path: Path
) -> None:
    # Locust does not end.
    file = tmp_path / locustfile(tmp_path, GET_ROOT, wait_time="constant(0.1)")
    thread = "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,), name='sleeper').start()\n"
    file.write_text(file.read_text() + thread)
    finished = acrida.run(*f"{RUN} --host {target.url}".split(), cwd=tmp_path, patience_s=40)
    assert finished.code == 0, finished.output
    line = "acrida: leaving behind 1 thread(s) of the locustfile that did not end: sleeper"
    assert finished.stderr.splitlines()[-1] == line


def test_os_exit_is_the_end(program: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, f"{GET_ROOT}        import os\n        os._exit(9)\n")
    finished = program.run(*f"{RUN} --host {target.url}".split(), cwd=tmp_path)
    assert finished.code == 9


def test_megabytes_that_are_printed_arrive(program: Program, target: Target, tmp_path: Path) -> None:
    printing = """        import sys
        print("x" * 1_000_000)
        sys.stderr.write("y" * 1_000_000 + "\\n")
    """
    locustfile(tmp_path, GET_ROOT + printing, wait_time="constant(0.1)")
    finished = program.run(*f"{RUN} --host {target.url}".split(), cwd=tmp_path)
    assert finished.code == 0
    assert finished.stdout.count("x" * 1_000_000) == finished.stderr.count("y" * 1_000_000) >= 1


ABSENT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("requests", "flask", "faker", "urllib3"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Absent())
"""


def test_requests_and_flask_need_not_be_there(
    acrida: Program, target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(ABSENT)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    locustfile(tmp_path, GET_ROOT, wait_time="constant(0.1)")
    finished = acrida.run(*f"{RUN} --host {target.url}".split(), cwd=tmp_path)
    assert finished.code == 0, finished.output
    assert total(tmp_path / "run") == target.total() > 3
    file = tmp_path / "locustfile.py"
    file.write_text(f"import requests\n{file.read_text()}")
    finished = acrida.run(*f"{RUN} --host {target.url}".split(), cwd=tmp_path)
    assert finished.code == 1
    assert "No module named 'requests'" in finished.stderr
    assert "pip install requests" in finished.stderr


def test_an_installed_locust_is_left_alone(
    acrida: Program, locust: Program, target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = "import locust, os; print(os.path.dirname(os.path.dirname(locust.__file__)))"
    python = Path(locust.command).with_name("python")
    packages = subprocess.run([python, "-c", where], capture_output=True, text=True, check=True).stdout.strip()
    monkeypatch.setenv("PYTHONPATH", packages)
    file = tmp_path / locustfile(tmp_path, GET_ROOT, wait_time="constant(0.1)")
    file.write_text(f"{file.read_text()}\nimport locust, locust.stats\nprint('FROM', locust.__file__, locust.stats.__file__)\n")
    finished = acrida.run(*f"{RUN} --host {target.url}".split(), cwd=tmp_path)
    assert finished.code == 0, finished.output
    [line] = [line for line in finished.stdout.splitlines() if line.startswith("FROM")]
    assert line.count("acrida/as_locust/locust") == 2
    assert total(tmp_path / "run") == target.total() > 3
