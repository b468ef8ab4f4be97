"""What editors and type checkers know of a locustfile where Acrida is installed, and Locust is not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support import PATIENCE_S, ROOT, Program

#: Uses most names; ``reveal_type`` asks the checker.
LOCUSTFILE = """
from typing import Any

import locust.stats
from locust import (
    FastHttpUser, HttpUser, LoadTestShape, MarkovTaskSet, SequentialTaskSet, TaskSet, User, between, constant,
    constant_pacing, constant_throughput, events, poisson, run_single_user, tag, task, transition, transitions,
)
from locust.argument_parser import LocustArgumentParser
from locust.clients import HttpSession, ResponseContextManager
from locust.contrib.fasthttp import FastHttpSession, FastResponse
from locust.env import Environment
from locust.event import EventHook, Events
from locust.exception import CatchResponseError, InterruptTaskSet, RescheduleTask, StopUser
from locust.log import setup_logging
from locust.runners import STATE_STOPPED, LocalRunner, MasterRunner, WorkerRunner
from locust.stats import RequestStats, StatsEntry, StatsError, print_stats, stats_history, stats_printer
from locust.user.users import PytestUser
from locust.user.wait_time import constant as pause
from locust.util.timespan import parse_timespan

locust.stats.PERCENTILES_TO_REPORT = [0.5, 0.99]
setup_logging("INFO")

class Browse(TaskSet):
    wait_time = constant(1)

    @task(3)
    def look(self) -> None:
        reveal_type(self.user)
        self.client.get("/")
        self.interrupt()

class Steps(SequentialTaskSet):
    def wait_time(self) -> float:
        return 1

    @task
    def first(self) -> None: ...

class Web(HttpUser):
    wait_time = between(1, 2)
    tasks = [Browse, Steps]
    weight = 3

    def on_start(self) -> None:
        self.client.headers["a"] = "b"

    @tag("slow")
    @task
    def look(self) -> None:
        reveal_type(self.client.get("/x", name="x"))
        with self.client.post("/x", json={"a": 1}, catch_response=True, timeout=(1, 2)) as response:
            reveal_type(response.status_code)
            if response.elapsed.total_seconds() > 1:
                response.failure("slow")
        with self.rest("GET", "/") as answer:
            print(answer.js["x"])
        raise StopUser()

class Fast(FastHttpUser):
    wait_time = constant_pacing(2)

    @task(2)
    def look(self) -> None:
        with self.client.get("/", catch_response=True) as response:
            reveal_type(response)

class Own(User):
    wait_time = constant_throughput(2)

    @task
    def look(self) -> None:
        with self.environment.events.request.measure("X", "own") as meta:
            meta["response_length"] = 1

class Chain(MarkovTaskSet):
    @transition("b")
    def a(self) -> None: ...
    @transitions({"a": 1, "b": 2})
    def b(self) -> None: ...

class Shape(LoadTestShape):
    def tick(self) -> tuple[int, float] | None:
        return (1, 2.0) if self.get_run_time() < 3 else None

@events.init.add_listener
def on_init(environment: Environment, **kwargs: Any) -> None:
    reveal_type(environment.stats.total)
    if not isinstance(environment.runner, (MasterRunner, WorkerRunner)):
        environment.process_exit_code = 1

@events.init_command_line_parser.add_listener
def add_flags(parser: LocustArgumentParser) -> None:
    parser.add_argument("--x", type=int, default=3, include_in_web_ui=True)

if __name__ == "__main__":
    env = Environment(user_classes=[Web, Fast], events=events)
    runner = env.create_local_runner()
    runner.start(1, spawn_rate=1)
    runner.greenlet.join()
    run_single_user(Web)
"""

REVEALED = [
    "user.users.User",
    "response_context.ResponseContextManager",
    "int",
    "contrib.fasthttp.FastResponse",
    "stats_entry.StatsEntry",
]


PROGRAM = """
import sys
from importlib.util import find_spec
from pathlib import Path

package = Path(find_spec("acrida").origin).parent
for kind, folder in ("py", package / "as_locust" / "locust"), ("pyi", package.parent / "locust-stubs"):
    modules = [module.relative_to(folder).with_suffix("") for module in folder.rglob(f"*.{kind}")]
    print(*(".".join(module.parts).removesuffix("__init__").rstrip(".") for module in modules))
"""
#: Modules that Locust does not have, and nobody imports.
INNER = {"response_context", "stats_csv", "stats_entry", "stats_error", "user.pytest_user", "user.rest"}


def test_type_checkers_know_locusts_names(acrida: Program, tmp_path: Path) -> None:
    python = str(Path(acrida.command).with_name("python"))
    found = subprocess.run([python, "-c", PROGRAM], capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    ours, typed = (set(filter(None, line.split())) for line in found.stdout.splitlines())
    assert typed == {name for name in ours if not name.split(".")[-1].startswith("_")} - INNER

    (tmp_path / "many.py").write_text(LOCUSTFILE)
    (tmp_path / "modules.py").write_text("".join(f"import locust.{name}\n" for name in sorted(typed)))
    options = [f"--python-executable={python}", "--check-untyped-defs", "--no-implicit-reexport"]
    files = ["many.py", "modules.py", str(ROOT / "locustfile.py")]
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", *options, *files],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE_S,
        check=False,
    )
    assert not checked.stderr, checked.stderr
    *said, last = checked.stdout.splitlines()
    types = [line.partition("Revealed type is ")[2].strip('"') or line for line in said]
    assert [name.removeprefix("acrida.as_locust.locust.") for name in types] == REVEALED
    assert last.startswith("Success"), last
