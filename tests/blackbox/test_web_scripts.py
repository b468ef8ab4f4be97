"""Scripts written for Locust's web page, as people write them, on acrida and on Locust: what they send
is accepted by both, and what they read has the same shape."""

from __future__ import annotations

import csv
import http.client
import io
import json
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import free_port
from standin import Standin
from support import Program, wait_for

LOCUSTFILE = """
from locust import HttpUser, constant, events, task, TaskSet

@events.init_command_line_parser.add_listener
def _(parser):
    parser.add_argument("--dataset", default="small", help="which images")
    parser.add_argument("--api-key", default="k3y", is_secret=True)

class Visitor(HttpUser):
    wait_time = constant(0.05)
    weight = 2

    @task(3)
    def fine(self):
        self.client.get("/health")

    @task
    def missing(self):
        self.client.get("/missing", name='/a "quoted", name')

    @task
    class Nested(TaskSet):
        @task
        def look(self):
            self.client.get("/health")
            self.interrupt()

class Breaker(HttpUser):
    wait_time = constant(0.1)

    @task
    def boom(self):
        raise ValueError("broken on purpose")
"""

#: The script that many people have, in the shell.
SHELL = """
set -e
curl -sS -X POST "$URL/swarm" -d user_count=6 -d spawn_rate=10 --data-urlencode "host=$HOST" > swarm.json
for i in $(seq 600); do
    curl -sS "$URL/stats/requests" > stats.json
    grep -q '"state": "running"' stats.json && grep -q 'quoted' stats.json && break
    sleep 0.1
done
curl -sS "$URL/stats/requests/csv" -o requests.csv
curl -sS "$URL/stats/failures/csv" -o failures.csv
curl -sS "$URL/exceptions/csv" -o exceptions.csv
curl -sS -OJ "$URL/stats/report?download=1"
curl -sS -X POST "$URL/stop" > stop.json
"""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        return self.headers.get("content-type", "").replace(" ", "")

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Site:
    """The page of a program, as a script reaches it."""

    port: int
    folder: Path

    def ask(self, method: str, path: str, body: str | bytes = b"", kind: str = "application/x-www-form-urlencoded") -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, {"Content-Type": kind} if body else {})
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        return self.ask("GET", path)

    def is_up(self) -> bool:
        try:
            return self.get("/worker-count").status == 200
        except OSError:
            return False

    def stats(self) -> dict[str, Any]:
        return self.get("/stats/requests").json()

    def has_seen_everything(self) -> bool:
        """Also figures that are there from the second look at the test on."""
        stats = self.stats()
        is_complete = len(stats["stats"]) == 3 and None not in stats["current_response_time_percentiles"].values()
        return stats["state"] == "running" and is_complete and len(self.get("/exceptions").json()["exceptions"]) > 0


@contextmanager
def serving(program: Program, folder: Path, *arguments: str) -> Iterator[Site]:
    folder = folder / program.name
    folder.mkdir()
    (folder / "locustfile.py").write_text(LOCUSTFILE)
    site = Site(free_port(), folder)
    running = program.start("--web-host=127.0.0.1", f"--web-port={site.port}", "--stop-timeout=1", *arguments, cwd=folder)
    try:
        wait_for(lambda: running.process.poll() is not None or site.is_up(), "the page")
        yield site
    finally:
        running.stop()


@pytest.fixture
def both(acrida: Program, locust: Program, tmp_path: Path) -> Iterator[list[Site]]:
    with serving(acrida, tmp_path) as ours, serving(locust, tmp_path) as theirs:
        yield [ours, theirs]


def lacking(ours: Any, theirs: Any, path: str) -> list[str]:
    """What ours lacks of theirs, or has with another type. Keys of our own are welcome: no script looks at them."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        found = [f"{path}/{key} is missing" for key in theirs.keys() - ours.keys()]
        return found + [line for key in theirs.keys() & ours.keys() for line in lacking(ours[key], theirs[key], f"{path}/{key}")]
    if isinstance(ours, list) and isinstance(theirs, list):
        firsts = [(ours[at], theirs[at]) for at in (0, -1) if ours and theirs]
        return [line for pair in firsts for line in lacking(*pair, f"{path}[]")]
    kinds = ["number" if type(value) in (int, float) else type(value).__name__ for value in (ours, theirs)]
    return [] if kinds[0] == kinds[1] else [f"{path} is {ours!r}, Locust has {theirs!r}"]


def start(site: Site, standin: Standin) -> Answer:
    return site.ask("POST", "/swarm", f"user_count=6&spawn_rate=10&host={standin.url}")


def test_a_running_test_is_told_in_the_same_shapes(both: list[Site], standin: Standin) -> None:
    for site in both:
        start(site, standin)
    for site in both:
        wait_for(site.has_seen_everything, "every kind of request, failure and exception")
    for path in ["/stats/requests", "/exceptions", "/tasks", "/logs", "/worker-count"]:
        ours, theirs = (site.get(path) for site in both)
        assert (ours.status, ours.kind) == (theirs.status, theirs.kind) == (200, "application/json"), path
        assert not lacking(ours.json(), theirs.json(), path)
    ours, theirs = (site.stats() for site in both)
    assert [(row["method"], row["name"]) for row in ours["stats"]] == [(row["method"], row["name"]) for row in theirs["stats"]]
    assert {error["error"] for error in ours["errors"]} == {error["error"] for error in theirs["errors"]}
    ours, theirs = (site.get("/exceptions").json()["exceptions"][0] for site in both)
    assert (ours["msg"], ours["nodes"]) == (theirs["msg"], theirs["nodes"])
    ours, theirs = (site.get("/tasks").json()["per_class"] for site in both)
    assert ours == theirs


def test_files_have_the_same_names_headers_and_rows(both: list[Site], standin: Standin) -> None:
    for site in both:
        start(site, standin)
    for site in both:
        wait_for(site.has_seen_everything, "every kind of request, failure and exception")
    for path, identity in [
        ("/stats/requests/csv", slice(0, 2)),
        ("/stats/failures/csv", slice(0, 3)),
        ("/exceptions/csv", slice(1, 2)),
    ]:
        answers = [site.get(path) for site in both]
        assert {answer.status for answer in answers} == {200}
        assert {answer.kind.partition(";")[0] for answer in answers} == {"text/csv"}
        tables = [list(csv.reader(io.StringIO(answer.body.decode(), newline=""))) for answer in answers]
        assert tables[0][0] == tables[1][0], path
        assert [row[identity] for row in tables[0]] == [row[identity] for row in tables[1]]
        names = [re.sub(r"\d{4}-\d\d-\d\d-\d\dh\d\d", "TIME", answer.headers["content-disposition"]) for answer in answers]
        assert names[0] == names[1], path
    ours, theirs = (site.get("/stats/requests_full_history/csv") for site in both)
    assert (ours.status, ours.body) == (theirs.status, theirs.body) == (404, theirs.body)


def test_reports_have_what_scripts_read_from_them(both: list[Site], standin: Standin) -> None:
    for site in both:
        start(site, standin)
    for site in both:
        wait_for(site.has_seen_everything, "every kind of request, failure and exception")
    for site in both:
        wait_for(lambda site=site: template_arguments(site.get("/").body.decode())["history"], "the first points of the charts")
    pages = [site.get("/stats/report?download=1") for site in both]
    arguments = [template_arguments(page.body.decode()) for page in pages]
    assert all(each["history"] for each in arguments)
    assert not lacking(*arguments, "report")
    names = [re.sub(r"\d{4}-\d\d-\d\d-\d\dh\d\d", "TIME", page.headers["content-disposition"]) for page in pages]
    assert names[0] == names[1]


def template_arguments(page: str) -> dict[str, Any]:
    begin = page.index("window.templateArgs = ") + len("window.templateArgs = ")
    return json.JSONDecoder().raw_decode(page[begin:])[0]


def test_the_index_tells_the_same_to_scripts(both: list[Site]) -> None:
    ours, theirs = (template_arguments(site.get("/").body.decode()) for site in both)
    for own in [ours, theirs]:
        del own["version"]
    assert {key: ours.get(key) for key in theirs} == theirs


def test_swarms_are_answered_alike(both: list[Site], standin: Standin) -> None:
    for form in [
        "",
        "user_count=many&spawn_rate=2",
        "user_count=2&spawn_rate=fast",
        "user_count=2",
        "spawn_rate=2",
        "user_count=-1&spawn_rate=2",
        "user_count=2&spawn_rate=0",
        "user_count=2&spawn_rate=inf",
        "user_count=2&spawn_rate=2&run_time=soon",
        "user_count=2&spawn_rate=2",
        "user_count=3&spawn_rate=2&run_time=1m",
        "user_count=2&spawn_rate=2.5&dataset=large&unknown=1",
    ]:
        ours, theirs = (site.ask("POST", "/swarm", f"{form}&host={standin.url}") for site in both)
        assert (ours.status, ours.kind) == (theirs.status, theirs.kind), form
        assert ours.json() == theirs.json(), form


def test_a_test_is_steered_alike(both: list[Site], standin: Standin) -> None:
    for site in both:
        assert start(site, standin).json()["success"]
        wait_for(site.has_seen_everything, "a running test")
    for method, path in [("POST", "/stats/reset"), ("POST", "/stop"), ("POST", "/stop")]:
        ours, theirs = (site.ask(method, path) for site in both)
        assert (ours.status, ours.kind, ours.body.strip()) == (theirs.status, theirs.kind, theirs.body.strip()), path
    for site in both:
        wait_for(lambda site=site: site.stats()["state"] == "stopped", "the end")
    ours, theirs = (site.stats() for site in both)
    assert (ours["user_count"], ours["state"]) == (theirs["user_count"], theirs["state"]) == (0, "stopped")
    assert [row["name"] for row in ours["stats"]] == [row["name"] for row in theirs["stats"]]


def test_what_is_not_there_is_refused_alike(both: list[Site]) -> None:
    for method, path in [
        ("GET", "/nowhere"),
        ("GET", "/swarm"),
        ("POST", "/stats/requests"),
        ("DELETE", "/tasks"),
        ("HEAD", "/"),
        ("OPTIONS", "/stats/requests"),
    ]:
        ours, theirs = (site.ask(method, path) for site in both)
        assert ours.status == theirs.status, (method, path)
        assert ("allow" in ours.headers) == ("allow" in theirs.headers), (method, path)


def test_user_classes_are_changed_alike(acrida: Program, locust: Program, tmp_path: Path, standin: Standin) -> None:
    change = json.dumps({"user_class_name": "Visitor", "weight": 5, "tasks": ["fine"], "host": standin.url})
    with serving(acrida, tmp_path, "--class-picker") as ours, serving(locust, tmp_path, "--class-picker") as theirs:
        both = [ours, theirs]
        answers = [site.ask("POST", "/user", change, "application/json") for site in both]
        assert [(answer.status, answer.json()) for answer in answers] == [(201, {})] * 2
        wait_for(lambda: users(ours) == users(theirs), "the change")
        assert users(ours)["Visitor"]["weight"] == 5
        form = f"user_count=2&spawn_rate=2&host={standin.url}&user_classes=Visitor&shape_class=Default"
        replies = [site.ask("POST", "/swarm", form).json() for site in both]
        assert replies[0] == replies[1]
        assert replies[0]["user_classes"] == ["Visitor"]


def users(site: Site) -> dict[str, Any]:
    return template_arguments(site.get("/").body.decode())["users"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="the script needs curl")
def test_a_shell_script_with_curl_runs_unchanged(program: Program, tmp_path: Path, standin: Standin) -> None:
    with serving(program, tmp_path) as site:
        environment = {"URL": f"http://127.0.0.1:{site.port}", "HOST": standin.url, "PATH": "/usr/bin:/bin"}
        subprocess.run(["bash", "-c", SHELL], cwd=site.folder, env=environment, check=True, timeout=120)
    read = {name: json.loads((site.folder / name).read_text()) for name in ["swarm.json", "stats.json", "stop.json"]}
    assert read["swarm.json"] == {"success": True, "message": "Swarming started", "host": standin.url}
    assert read["stop.json"] == {"success": True, "message": "Test stopped"}
    stats = read["stats.json"]
    assert stats["stats"][-1]["name"] == "Aggregated"
    assert 0 < stats["fail_ratio"] < 1
    for name in ["requests.csv", "failures.csv", "exceptions.csv"]:
        assert len(list(csv.reader((site.folder / name).open(newline="")))) > 1, name
    # The file's name ends with the host, of which curl takes what follows the last slash.
    assert len(list(site.folder.glob("*.html"))) == 1


def test_a_python_script_polls_until_a_test_has_run_its_time(program: Program, tmp_path: Path, standin: Standin) -> None:
    with serving(program, tmp_path) as site:
        base = f"http://127.0.0.1:{site.port}"
        form = f"user_count=4&spawn_rate=4&run_time=2s&host={standin.url}".encode()
        with urllib.request.urlopen(f"{base}/swarm", data=form) as answer:
            assert json.load(answer)["run_time"] == 2
        wait_for(lambda: site.stats()["state"] == "stopped", "the end of the run time")
        rows = {row["name"]: row for row in site.stats()["stats"]}
        total = rows.pop("Aggregated")
        assert total["num_requests"] == sum(row["num_requests"] for row in rows.values()) > 0


def test_tests_are_grouped_by_a_profile(acrida: Program, locust: Program, tmp_path: Path, standin: Standin) -> None:
    with serving(acrida, tmp_path, "--profile=nightly") as ours, serving(locust, tmp_path, "--profile=nightly") as theirs:
        for site in [ours, theirs]:
            assert template_arguments(site.get("/").body.decode())["profile"] == "nightly", site
            site.ask("POST", "/swarm", f"user_count=1&spawn_rate=1&host={standin.url}&profile=weekly")
            assert template_arguments(site.get("/").body.decode())["profile"] == "weekly", site
            assert template_arguments(site.get("/stats/report?download=1").body.decode())["profile"] == "weekly", site
