"""What the service and the generator used during a run, what that shows, and how a scenario goes on over its runs."""

import csv
import http.server
import json
import sqlite3
import threading
from pathlib import Path

from support import GET_ROOT, Finished, Program, Target, locustfile


def run(acrida: Program, target: Target, folder: Path, more: str = "", seconds: int = 4) -> Finished:
    locustfile(folder, GET_ROOT, wait_time="constant(0.02)")
    flags = f"-u 3 -r 3 -t {seconds}s --headless --only-summary --host {target.url} --csv out/run {more}"
    return acrida.run(*flags.split(), cwd=folder)


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "out/run_resources.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_service_generator_and_machine_are_followed(acrida: Program, target: Target, tmp_path: Path) -> None:
    assert run(acrida, target, tmp_path, "--html out/report.html").code == 0
    port = target.url.rsplit(":", 1)[1]
    seen = rows(tmp_path)
    assert {row["Kind"] for row in seen} == {"service", "generator", "machine"}
    service = [row for row in seen if row["Kind"] == "service"]
    assert {row["Part"] for row in service} == {f"bench-target on port {port}"}
    assert len(service) >= 3 and float(service[-1]["Memory (MB)"]) > 0.5 and float(service[-1]["CPU (%)"]) >= 0
    for name in ("out/run", "last"):
        report = acrida.run("report", name, cwd=tmp_path).stdout
        assert f"- Service (bench-target on port {port}): CPU " in report
        assert "no restart" in report and "- Generator: CPU " in report
    kept = json.loads(acrida.run("report", "last", "--format", "json", cwd=tmp_path).stdout)
    assert {part["kind"] for part in kept["run"]["resources"]} == {"target", "generator", "machine"}
    assert kept["diagnosis"] == []
    assert f"bench-target on port {port}" in (tmp_path / "out/report.html").read_text()


def test_what_to_watch_can_be_said(acrida: Program, target: Target, tmp_path: Path) -> None:
    pages = []

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pages.append(self.path)
            body = f"process_cpu_seconds_total {len(pages) / 4}\nprocess_resident_memory_bytes 104857600\n".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/metrics"
    try:
        assert run(acrida, target, tmp_path, f"--watch {url}").code == 0
    finally:
        server.shutdown()
        server.server_close()
    service = [row for row in rows(tmp_path) if row["Kind"] == "service"]
    assert pages and {row["Part"] for row in service} == {url}
    assert service[-1]["Memory (MB)"] == "100.0" and 10 < float(service[-1]["CPU (%)"]) < 40
    (tmp_path / "out/run_resources.csv").unlink()
    assert run(acrida, target, tmp_path, "--watch none", seconds=2).code == 0
    assert not (tmp_path / "out/run_resources.csv").exists()
    wrong = run(acrida, target, tmp_path, "--watch moon")
    assert wrong.code == 2
    assert "argument --watch: 'moon' is nothing to look at: write port:8000" in wrong.stderr


def test_failures_are_told_with_what_most_of_them_say(acrida: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_ROOT.replace('"/"', '"/status/503"'), wait_time="constant(0.02)")
    acrida.run(*f"-u 3 -t 3s --headless --only-summary --host {target.url} --csv run".split(), cwd=tmp_path)
    for name in ("run", "last"):
        report = acrida.run("report", name, cwd=tmp_path).stdout
        assert "Troubleshooting:\n- Failed requests: " in report
        assert "failures say that the service, or a proxy before it, refused for load" in report
    cut = tmp_path / "run_resources.csv"
    cut.write_bytes(cut.read_bytes()[:-9])
    broken = acrida.run("report", "run", cwd=tmp_path)
    assert (broken.code, broken.stderr) == (1, "acrida: run_resources.csv: the file is cut off in its last line\n")


def test_a_trend_is_told_or_that_there_is_none_to_tell(acrida: Program, target: Target, tmp_path: Path) -> None:
    assert run(acrida, target, tmp_path, seconds=2).code == 0
    few = acrida.run("trend", cwd=tmp_path)
    assert few.code == 0 and "1 run cannot show a trend: it takes 6" in few.stdout
    # Copies of the run that was made, each a tenth slower than the one before.
    with sqlite3.connect(tmp_path / "history.db") as database:
        (text,) = database.execute("SELECT summary FROM run").fetchone()
        for number in range(1, 9):
            summary = json.loads(text)
            for percentile in summary["total"]["percentiles"]:
                percentile[1] *= 1.1**number
            database.execute(
                "INSERT INTO run (started_s, version, machine, settings, exit_code, summary) "
                "SELECT started_s, version, machine, settings, 0, ? FROM run LIMIT 1",
                [json.dumps(summary)],
            )
    worse = acrida.run("trend", "--gate", cwd=tmp_path)
    assert worse.code == 3
    assert "p95         gets WORSE: +" in worse.stdout and "requests/s  the same in every run" in worse.stdout
    told = json.loads(acrida.run("trend", "1", "-n", "8", "--format", "json", cwd=tmp_path).stdout)
    assert told["runs"] == list(range(2, 10))
    assert {metric["metric"]: metric["verdict"] for metric in told["metrics"]}["p95"] == "worse"
    assert acrida.run("trend", "--format", "svg", cwd=tmp_path).stdout.startswith("<svg ")
    acrida.run("trend", "--format", "html", "-o", "trend.html", cwd=tmp_path)
    assert "<svg " in (tmp_path / "trend.html").read_text()
    missing = acrida.run("trend", "77", cwd=tmp_path)
    assert (missing.code, missing.stderr.count("\n")) == (1, 1) and "there is no run '77'" in missing.stderr
