"""What a command line may say: where locustfiles come from, and what is made known of a run."""

from __future__ import annotations

import functools
import http.server
import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from standin import Standin
from support import Program, clean_environment, locustfile, names

GET_HEALTH = """
@task
def health(self):
    self.client.get("/health")
"""
RUN = "--headless -u 1 -t 1"


@pytest.fixture
def files(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """A folder, and the URL of a server that gives its files away."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", folder
        server.shutdown()


def test_a_locustfile_may_be_at_a_url(program: Program, files: tuple[str, Path], tmp_path: Path) -> None:
    url, folder = files
    locustfile(folder, GET_HEALTH)
    command = f"-f {url}/locustfile.py --list"
    assert program.run(*command.split(), cwd=tmp_path).stdout == "Available Users:\n    TheUser\n"


def test_a_url_without_a_locustfile_is_told_in_a_line(acrida: Program, files: tuple[str, Path], nobody: str, tmp_path: Path) -> None:
    url, folder = files
    (folder / "page.py").write_text("<html>")
    for wrong, part in [
        (f"{url}/missing.py", "404"),
        (f"{nobody}/l.py", "refused"),
        (f"{url}/page.py", "invalid syntax"),
    ]:
        finished = acrida.run("-f", wrong, "--list", cwd=tmp_path)
        assert (finished.code, part in finished.stderr) == (1, True), finished.stderr
        assert "Traceback" not in finished.stderr


def test_two_classes_of_one_name_are_refused_unless_one_is_imported(program: Program, tmp_path: Path) -> None:
    user = "from locust import User, LoadTestShape\nclass {}(User): pass\n"
    shape = "class {}(LoadTestShape):\n    def tick(self): return None\n"
    for name, text in [
        ("a.py", user.format("Twin") + shape.format("Form")),
        ("b.py", user.format("Twin")),
        ("c.py", user.format("Third") + shape.format("Form")),
        ("d.py", "from a import Form, Twin\n"),
    ]:
        (tmp_path / name).write_text(text)
    for given, code, part in [
        ("a.py,b.py", 1, "Duplicate user class names: Twin is defined in both"),
        ("a.py,c.py", 1, "Duplicate shape classes: Form"),
        ("a.py,d.py", 0, "    Twin\n"),
    ]:
        finished = program.run("-f", given, "--list", cwd=tmp_path)
        assert (finished.code, part in finished.output) == (code, True), finished.output


def test_a_run_tells_programs_that_it_starts(program: Program, standin: Standin, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_HEALTH, wait_time="constant(0.2)")
    finished = program.run(*f"{RUN} --host {standin.url}".split(), cwd=tmp_path)
    assert "INFO/locust.main: Starting Locust" in finished.stderr.splitlines()[0]


def test_the_report_shows_the_profile(program: Program, standin: Standin, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_HEALTH, wait_time="constant(0.2)")
    command = f"{RUN} --host {standin.url} --profile nightly-7 --html report.html"
    assert program.run(*command.split(), cwd=tmp_path).code == 0
    assert "nightly-7" in (tmp_path / "report.html").read_text()


def test_traces_of_requests_reach_the_server(acrida: Program, standin: Standin, tmp_path: Path) -> None:
    pytest.importorskip("opentelemetry.sdk", reason="--otel needs opentelemetry-sdk")
    locustfile(
        tmp_path,
        """
        @task
        def health(self):
            answer = self.client.get("/health", name="/of/[id]")
            print("SENT", answer.request.headers["traceparent"], flush=True)
        """,
        wait_time="constant(0.2)",
    )
    exporters = {"OTEL_TRACES_EXPORTER": "console", "OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
    command = [acrida.command, *RUN.split(), "--csv", "run", "--otel", "--host", standin.url]
    finished = subprocess.run(
        command, cwd=tmp_path, env={**clean_environment(), **exporters}, capture_output=True, text=True, check=False
    )
    assert "Starting Locust on acrida" in finished.stderr and ", OpenTelemetry enabled" in finished.stderr
    sent = [line.split("-")[1] for line in finished.stdout.splitlines() if line.startswith("SENT")]
    assert sent, finished.stdout + finished.stderr
    for trace_id in sent:
        assert f'"trace_id": "0x{trace_id}"' in finished.stdout
    assert '"name": "GET /of/[id]"' in finished.stdout
    assert names(tmp_path / "run") == {("GET", "/of/[id]")}


def test_tracing_without_its_packages_is_said_and_the_run_goes_on(
    acrida: Program, standin: Standin, tmp_path: Path
) -> None:
    locustfile(tmp_path, GET_HEALTH, wait_time="constant(0.2)")
    hidden = "import sys\nsys.modules['opentelemetry.sdk'] = None\n"
    (tmp_path / "locustfile.py").write_text(hidden + (tmp_path / "locustfile.py").read_text())
    finished = acrida.run(*f"{RUN} --otel --host {standin.url} --json".split(), cwd=tmp_path)
    assert finished.code == 0
    assert "--otel needs the package opentelemetry-sdk" in finished.stderr
    assert json.loads(finished.stdout)[0]["num_requests"] > 0
