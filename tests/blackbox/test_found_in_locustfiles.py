"""What people's locustfiles turned out to rely on, on acrida and on Locust."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest
from standin import Standin
from support import Program, Running, names, read_csv, wait_for

HEAD = """
import os, time
from locust import HttpUser, constant, events, task

def say(*what):
    print("SAID", *what, flush=True)
"""

#: By what it is about: what stands in the file, and what it says.
SAYS = {
    "defaults of flags": (
        """
        @events.init_command_line_parser.add_listener
        def _(parser):
            parser.add_argument("--before", default="a")
            parser.set_defaults(num_users=2, run_time="3s", spawn_rate=9, before="b", after="c", unknown=[5])
            parser.add_argument("--after")
            say(parser.get_default("before"), parser.get_default("after"))
        @events.init.add_listener
        def _(environment, **_):
            options = environment.parsed_options
            say(options.num_users, options.spawn_rate, options.run_time)
            say(options.before, options.after, options.unknown)
        class TheUser(HttpUser):
            @task
            def end(self):
                self.environment.runner.quit()
        """,
        ["b c", "2 4.0 3", "b c [5]"],
    ),
    "where it is": (
        """
        say(os.path.isabs(__file__), os.path.basename(__file__))
        class TheUser(HttpUser):
            @task
            def end(self):
                self.environment.runner.quit()
        """,
        ["True locustfile.py"],
    ),
    "a verdict after the block": (
        """
        class TheUser(HttpUser):
            def look(self):
                with self.client.get("/health", catch_response=True) as answer:
                    return answer
            @task
            def ask(self):
                answer = self.look()
                answer.failure("too late")
                try:
                    answer.raise_for_status()
                except Exception as error:
                    say(type(error).__name__, error)
                say([(e.num_requests, e.num_failures) for e in self.environment.stats.entries.values()])
                self.environment.runner.quit()
        """,
        ["CatchResponseError too late", "[(1, 0)]"],
    ),
    "a cookie that is not there": (
        """
        class TheUser(HttpUser):
            @task
            def look(self):
                for cookies in (self.client.cookies, self.client.get("/health").cookies):
                    try:
                        cookies["session"]
                    except KeyError as error:
                        say(error)
                self.environment.runner.quit()
        """,
        ['"name=\'session\', domain=None, path=None"'] * 2,
    ),
    "where a rest block went wrong": (
        """
        class TheUser(HttpUser):
            @task
            def ask(self):
                with self.rest("GET", "/health") as answer:
                    answer.js["nothing"]
                for error in self.environment.stats.errors.values():
                    say(f"{os.path.basename(__file__)}:" in str(error.error), "in ask" in str(error.error))
                self.environment.runner.quit()
        """,
        ["True True"],
    ),
}


def start(program: Program, standin: Standin, folder: Path, body: str, *arguments: str) -> Running:
    (folder / "locustfile.py").write_text(HEAD + textwrap.dedent(body))
    flags = f"--headless --host {standin.url} --csv run"
    return program.start(*flags.split(), *arguments, cwd=folder)


def rows(folder: Path, kind: str) -> list[dict[str, str]]:
    """Rows of a file that Locust writes once a second."""
    return read_csv(folder / "run", kind) if (folder / f"run_{kind}.csv").exists() else []


@pytest.mark.parametrize("about", SAYS)
def test_a_locustfile_sees_the_same(program: Program, standin: Standin, tmp_path: Path, about: str) -> None:
    body, expected = SAYS[about]
    finished = start(program, standin, tmp_path, body, "-r", "4").wait()
    said = [line.removeprefix("SAID ") for line in finished.stdout.splitlines() if line.startswith("SAID ")]
    assert said == expected, finished.output


def test_requests_are_named_as_requests_quotes_them(program: Program, standin: Standin, tmp_path: Path) -> None:
    body = """
        class TheUser(HttpUser):
            wait_time = constant(0.1)
            @task
            def ask(self):
                self.client.get("/a[1]?ids[]=[1, 2]&u=http://x/?y")
                self.client.get("/100%?x=%5b%7e")
    """
    running = start(program, standin, tmp_path, body)
    wait_for(lambda: len(rows(tmp_path, "stats")) > 2, "both requests")
    running.stop()
    assert names(tmp_path / "run") == {
        ("GET", "/a%5B1%5D?ids%5B%5D=%5B1,%202%5D&u=http://x/?y"),
        ("GET", "/100%25?x=%5B~"),
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "class TheUser(HttpUser): wait_time = constant(0.1)",
            "No tasks defined on TheUser. Use the @task decorator or set the 'tasks' attribute of the User "
            "(or mark it as abstract = True if you only intend to subclass it)",
        ),
        (
            """
            class TheUser(HttpUser):
                wait_time = constant(0.1)
                task = "health"
            """,
            "No tasks defined on TheUser, but you have set a 'task' attribute on your class - maybe you meant to set "
            "'tasks'? Use the @task decorator or set the 'tasks' attribute of the User (or mark it as abstract = True "
            "if you only intend to subclass it)",
        ),
    ],
)
def test_users_without_tasks_are_told_of(
    program: Program, standin: Standin, tmp_path: Path, body: str, message: str
) -> None:
    running = start(program, standin, tmp_path, body)
    wait_for(lambda: rows(tmp_path, "exceptions"), "an exception")
    running.stop()
    assert {row["Message"] for row in rows(tmp_path, "exceptions")} == {message}


def test_a_test_ends_though_its_users_take_long_to_make(program: Program, standin: Standin, tmp_path: Path) -> None:
    body = """
        class TheUser(HttpUser):
            def __init__(self, environment):
                say("made")
                time.sleep(1)
                super().__init__(environment)
            @task
            def ask(self):
                self.client.get("/health")
    """
    finished = start(program, standin, tmp_path, body, "-u", "30", "-r", "30", "-t", "3s").wait()
    assert "run-time limit reached" in finished.stderr
    assert finished.stdout.count("SAID made") < 30
