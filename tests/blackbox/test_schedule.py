"""``acrida schedule``: the guide's daily runs."""

import json
import os
import re
import shutil
import signal
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support import GET_ROOT, Program, Target, locustfile, total, wait_for

ROOT = Path(__file__).resolve().parents[2]
FAILING = GET_ROOT.replace('"/"', '"/status/503"')


def schedule(acrida: Program, target: Target, folder: Path, tasks: str, *flags: str):
    locustfile(folder, tasks, wait_time="constant(0.05)")
    run = f"-u 2 -r 2 -t 1s --only-summary --host {target.url}".split()
    return acrida.run("schedule", "--results", "daily", "--now", "--runs", "1", *flags, "--", *run, cwd=folder)


def folders(folder: Path, results: str = "daily") -> list[str]:
    return sorted(path.name for path in (folder / results).iterdir() if path.is_dir())


def test_a_run_leaves_its_results_in_a_folder_of_its_own(acrida: Program, target: Target, tmp_path: Path) -> None:
    finished = schedule(acrida, target, tmp_path, GET_ROOT)
    assert finished.code == 0, finished.output
    (name,) = folders(tmp_path)
    assert re.fullmatch(r"\d{8}_\d{6}", name)
    assert f"Test completed with exit code 0: daily/{name}\n" in finished.stderr
    assert total(tmp_path / "daily" / name / "test") == target.total() > 0
    assert (tmp_path / "daily" / name / "report.html").stat().st_size > 10_000


def test_only_the_newest_results_stay(acrida: Program, target: Target, tmp_path: Path) -> None:
    for name in ("20200101_020000", "20200102_020000", "mine"):
        (tmp_path / "daily" / name).mkdir(parents=True)
    schedule(acrida, target, tmp_path, GET_ROOT, "--keep", "2")
    kept = folders(tmp_path)
    assert len(kept) == 3 and kept[0] == "20200102_020000" and kept[-1] == "mine"


def test_a_bad_run_calls_the_hook(acrida: Program, target: Target, tmp_path: Path) -> None:
    hook = 'echo "$ACRIDA_EXIT_CODE $ACRIDA_RESULTS" > hook.txt'
    assert schedule(acrida, target, tmp_path, GET_ROOT, "--hook", hook).code == 0
    assert not (tmp_path / "hook.txt").exists()
    assert schedule(acrida, target, tmp_path, FAILING, "--hook", hook).code == 1
    assert (tmp_path / "hook.txt").read_text() == f"1 daily/{folders(tmp_path)[-1]}\n"


def test_a_missed_run_is_made_up_for_and_two_do_not_overlap(acrida: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_ROOT, wait_time="constant(0.05)")
    (tmp_path / "daily/20200101_020000").mkdir(parents=True)
    run = f"-u 1 -t 2s --only-summary --host {target.url}".split()
    flags = ["schedule", "--results", "daily", "--", *run]
    running = acrida.start(*flags, cwd=tmp_path)
    wait_for(lambda: target.total() > 0, "the run that was missed")
    (tmp_path / "other").mkdir()
    other = acrida.run("schedule", "--results", "../daily", "--now", "--runs", "1", cwd=tmp_path / "other")
    assert (other.code, other.stderr) == (1, "acrida: cannot use ../daily: another schedule does\n")
    wait_for(lambda: "The next run is at " in (tmp_path / "stderr.txt").read_text(), "the wait for the next day")
    finished = running.stop()
    assert finished.code == 0, finished.output
    assert len(folders(tmp_path)) == 2


@pytest.mark.parametrize("to_all", [False, True], ids=["to the schedule", "to all, as by Ctrl-C"])
def test_a_signal_ends_the_run_in_order_and_then_the_schedule(
    acrida: Program, target: Target, tmp_path: Path, to_all: bool
) -> None:
    locustfile(tmp_path, GET_ROOT, wait_time="constant(0.05)")
    command = [acrida.command, *f"schedule --results daily --now -- -u 2 -t 60s --only-summary --no-history --host {target.url}".split()]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True, start_new_session=True) as running:
        wait_for(lambda: target.total() > 0, "a request")
        (os.killpg if to_all else os.kill)(running.pid, signal.SIGINT if to_all else signal.SIGTERM)
        _, told = running.communicate(timeout=30)
    (name,) = folders(tmp_path)
    assert running.returncode == 0, told
    assert total(tmp_path / "daily" / name / "test") == target.total()
    assert (tmp_path / "daily" / name / "report.html").exists()
    assert f"Test completed with exit code 0: daily/{name}\n" in told


def test_a_mistake_is_one_line(acrida: Program, tmp_path: Path) -> None:
    for flags, part in [("--at 25:00", "'25:00' is no time of day like 02:00"), ("--keep 0", "invalid value '0'")]:
        finished = acrida.run("schedule", *flags.split(), cwd=tmp_path)
        assert finished.code == 2
        assert part in finished.stderr and finished.stderr.count("\n") == 1


def plan(folder: Path, target: Target, head: str, **runs: str) -> list[str]:
    """Writes a plan of these runs, by name; one that is called heavy fails. Gives the flags that follow it."""
    tables = [head]
    for name, run in runs.items():
        (folder / name).mkdir()
        locustfile(folder / name, FAILING if name == "heavy" else GET_ROOT, wait_time="constant(0.05)")
        flags = f"-f {name}/locustfile.py --only-summary -u 2 -t 1s --host {target.url}"
        tables.append(f"[[run]]\nname = '{name}'\n{run}\nflags = '{flags}'\n")
    (folder / "plan.toml").write_text("".join(tables))
    return ["schedule", "--plan", "plan.toml"]


def test_a_plan_has_several_runs(acrida: Program, target: Target, tmp_path: Path) -> None:
    receiver = Receiver()
    try:
        head = f"""results = "daily"\nwebhook = "{receiver.url}"\nhook = 'echo "$ACRIDA_RUN $ACRIDA_RESULTS" > hook.txt'\n"""
        flags = plan(tmp_path, target, head, light="at = '02:00'", heavy="at = ['03:00', '15:00']")
        finished = acrida.run(*flags, "--now", "--runs", "2", cwd=tmp_path)
    finally:
        receiver.close()
    assert finished.code == 1, finished.output
    (light,), (heavy,) = (folders(tmp_path, f"daily/{name}") for name in ("light", "heavy"))
    light, heavy = f"daily/light/{light}", f"daily/heavy/{heavy}"
    assert total(tmp_path / light / "test") + total(tmp_path / heavy / "test") == target.total() > 0
    assert f"Test completed with exit code 0: {light}\n" in finished.stderr
    assert (tmp_path / "hook.txt").read_text() == f"heavy {heavy}\n"
    assert [(told["run"], told["results"]) for told in receiver.taken] == [("heavy", heavy)]


def test_what_a_plan_missed_is_made_up_for_run_by_run(acrida: Program, target: Target, tmp_path: Path) -> None:
    head = "results = 'daily'\nkeep = 1\n"
    flags = plan(tmp_path, target, head, missed="at = '02:00'", new="at = '02:00'")
    (tmp_path / "daily/missed/20200101_020000").mkdir(parents=True)
    running = acrida.start(*flags, cwd=tmp_path)
    wait_for(lambda: "The next run is " in (tmp_path / "stderr.txt").read_text(), "the wait for the next day")
    other = acrida.run("schedule", "--results", "../daily/new", "--now", "--runs", "1", cwd=tmp_path / "new")
    assert (other.code, other.stderr) == (1, "acrida: cannot use ../daily/new: another schedule does\n")
    finished = running.stop()
    assert finished.code == 0, finished.output
    assert re.search(r"^The next run is missed at \d{4}-\d\d-\d\d 02:00:00 ", finished.stderr, re.MULTILINE)
    assert len(kept := folders(tmp_path, "daily/missed")) == 1 and kept != ["20200101_020000"]
    assert folders(tmp_path, "daily/new") == []


def test_a_mistake_in_a_plan_is_one_line(acrida: Program, tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text("[[run]]\nname = 'a'\nflag = ''\n")
    (tmp_path / "hook.toml").write_text("webhook = 'moon'\n[[run]]\nname = 'a'\nflags = ''\n")
    for flags, part in [
        ("--plan none.toml", "cannot read the plan none.toml: No such file"),
        ("--plan plan.toml", "plan.toml: line 3: unknown field `flag`, expected one of"),
        ("--plan hook.toml", "hook.toml: webhook: 'moon' is no URL"),
        ("--plan plan.toml --at 03:00", "'--plan <file>' cannot be used with '--at <HH:MM>'"),
        ("--plan plan.toml -- -u 3", "'--plan <file>' cannot be used with"),
    ]:
        finished = acrida.run("schedule", *flags.split(), cwd=tmp_path)
        assert finished.code == 2
        assert part in finished.stderr and finished.stderr.count("\n") == 1, finished.stderr
    assert not (tmp_path / "logs").exists()


class Receiver:
    """Takes what is posted to it; answers with ``statuses`` first, then with 204."""

    def __init__(self, *statuses: int) -> None:
        self.taken: list[dict] = []
        receiver, left = self, list(statuses)

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                receiver.taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(left.pop(0) if left else 204)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def test_a_webhook_is_told_of_a_bad_run_and_tried_again(acrida: Program, target: Target, tmp_path: Path) -> None:
    receiver = Receiver(503)
    try:
        assert schedule(acrida, target, tmp_path, GET_ROOT, "--webhook", receiver.url).code == 0
        assert receiver.taken == []
        assert schedule(acrida, target, tmp_path, FAILING, "--webhook", receiver.url).code == 1
    finally:
        receiver.close()
    first, second = receiver.taken
    assert first == second
    assert (first["exit_code"], first["not_as_expected"]) == (1, False)
    assert first["results"] == f"daily/{folders(tmp_path)[-1]}"
    assert first["total"]["requests"] == first["total"]["failures"] == total(tmp_path / first["results"] / "test")


def test_a_webhook_that_nobody_takes_ends_nothing(acrida: Program, target: Target, tmp_path: Path) -> None:
    receiver = Receiver()
    receiver.close()
    finished = schedule(acrida, target, tmp_path, FAILING, "--webhook", receiver.url.replace("//", "//me:secret@"))
    assert finished.code == 1
    assert f"The webhook {receiver.url} did not take it: " in finished.stderr
    assert "secret" not in finished.stderr


def daily(folder: Path) -> None:
    """What the examples call /srv/load."""
    for name in ("run_daily_tests.sh", "examples/daily", "scenarios"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, folder / name)
    locustfile(folder, GET_ROOT, wait_time="constant(0.05)")


def example(folder: Path, name: str, pattern: str) -> str:
    found = re.search(pattern, (folder / "examples/daily" / name).read_text(), re.MULTILINE)
    assert found, pattern
    return found[1].replace("/srv/load", str(folder))


def test_the_script_of_the_guide_and_the_examples_that_call_it_run(acrida: Program, target: Target, tmp_path: Path) -> None:
    daily(tmp_path)
    environment = {**os.environ, "ACRIDA": acrida.command, "HOST": target.url, "USERS": "2", "RUN_TIME": "1s"}
    cron = example(tmp_path, "crontab", r"^0 2 \* \* \* (.*)$").replace("http://localhost", target.url)
    unit = example(tmp_path, "acrida-daily.service", r"^ExecStart=(.*)$")
    for command in (cron, f"{unit} --stop-timeout 1"):
        done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
    results = tmp_path / "logs/locust_results"
    first, second = sorted(path for path in results.iterdir() if path.is_dir())
    assert total(first / "test") + total(second / "test") == target.total()
    log = (results / "daily.log").read_text()
    assert "There is no earlier run of this test yet" in log and "Test completed with exit code 0" in log
    history = json.loads(acrida.run("history", "--history", results / "daily.db", "--format", "json", cwd=tmp_path).stdout)
    assert [run["run"]["total"]["requests"] for run in history] == [total(second / "test"), total(first / "test")]


def test_the_plan_of_the_examples_runs_as_its_service_calls_it(acrida: Program, target: Target, tmp_path: Path) -> None:
    daily(tmp_path)
    unit = example(tmp_path, "acrida-schedule.service", r"^ExecStart=\S+/acrida (.*)$")
    small = {"LOCUST_HOST": target.url, "LOCUST_USERS": "4", "LOCUST_RUN_TIME": "1s", "ACRIDA_HISTORY": "daily.db"}
    command = [acrida.command, *unit.split(), "--now", "--runs", "3"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, **small}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode in (0, 3), done.stderr  # Whether it is as the guide expects is no matter here.
    results = tmp_path / "logs/locust_results"
    tests = [results / name / stamp / "test" for name in ("basic", "medium", "high") for stamp in folders(results, name)]
    assert [test.parent.parent.name for test in tests] == ["basic", "medium", "high"]
    assert sum(total(test) for test in tests) == target.total() > 0
