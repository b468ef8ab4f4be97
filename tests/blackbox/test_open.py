"""Open runs: iterations arrive at a rate, whatever the earlier ones do."""

import json
import re
import signal
from pathlib import Path

import pytest
from support import GET_ROOT, Finished, Program, Target, locustfile, read_csv, stats, total, wait_for

#: Nobody would make more than one request in a run if it were looked at.
WAIT = "constant(1000)"


def arrivals(prefix: Path) -> dict[str, int]:
    (row,) = read_csv(prefix, "arrivals")
    return {name: int(row[name]) for name in ("Intended", "Begun", "Late", "Dropped")}


def run(acrida: Program, target: Target, folder: Path, arguments: str) -> Finished:
    given = f"--headless --only-summary --csv run --host {target.url} {arguments}"
    return acrida.run(*given.split(), cwd=folder)


def test_iterations_arrive_at_the_rate_and_every_output_tells_of_them(
    acrida: Program, target: Target, tmp_path: Path
) -> None:
    locustfile(tmp_path, GET_ROOT, WAIT)
    finished = run(acrida, target, tmp_path, "-u 20 --rate 100 -t 4s --json-file run --html run.html")
    assert finished.code == 0, finished.output
    told = arrivals(tmp_path / "run")
    # Three seconds, after the one in which the pool starts.
    assert 290 <= told["Intended"] <= 310, told
    assert told["Begun"] == total(tmp_path / "run") == target.total()
    assert told["Begun"] + told["Dropped"] == told["Intended"]
    assert f"{told['Intended']:,} iterations arrived: {told['Begun']:,} begun" in finished.stderr
    row = json.loads((tmp_path / "run.json").read_text())[-1]
    assert (row["name"], row["arrivals"]["begun"]) == ("Aggregated", told["Begun"])
    assert "iterations arrived" in (tmp_path / "run.html").read_text()
    for name in ("run", "run.json", "last"):
        report = acrida.run("report", name, cwd=tmp_path)
        assert f"{told['Intended']:,} iterations arrived" in report.stdout, report.output


def test_a_rate_that_changes_and_random_distances(acrida: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_ROOT, WAIT)
    finished = run(acrida, target, tmp_path, "-u 50 --rate 0..200 --poisson -t 4s")
    assert finished.code == 0, finished.output
    told = arrivals(tmp_path / "run")
    # 300 on average; six standard deviations, and the time of the pool's start.
    assert 180 <= told["Intended"] <= 420, told
    assert told["Begun"] == target.total()


def test_a_request_is_timed_from_when_its_iteration_was_due(acrida: Program, target: Target, tmp_path: Path) -> None:
    tasks = """
        @task
        def slow(self):
            self.client.get("/sleep20", name="first")
            self.client.get("/sleep20", name="second")
    """
    locustfile(tmp_path, tasks, WAIT)
    # One user makes at most 25 iterations a second: half of them queue up, for up to a second.
    finished = run(acrida, target, tmp_path, "-u 1 -r 10 --rate 50 -t 3s")
    rows = stats(tmp_path / "run")
    first, second = (float(rows["GET", name]["Max Response Time"]) for name in ("first", "second"))
    assert first > 500 > second, finished.output
    told = arrivals(tmp_path / "run")
    assert told["Late"] > 0 and told["Dropped"] > 0, "what nobody has taken at the end"
    assert target.total() == total(tmp_path / "run")
    assert told["Begun"] + told["Dropped"] == told["Intended"]


def test_an_arrival_goes_to_nested_sets_and_on_to_the_next_task(
    acrida: Program, target: Target, tmp_path: Path
) -> None:
    (tmp_path / "locustfile.py").write_text(
        "from locust import HttpUser, TaskSet, constant, task\n"
        "from locust.exception import RescheduleTaskImmediately\n\n"
        "class Inner(TaskSet):\n"
        "    @task\n    def get(self):\n        self.client.get('/')\n\n"
        "    @task\n    def leave(self):\n        self.interrupt()\n\n"
        "class A(HttpUser):\n"
        "    wait_time = constant(1000)\n    tasks = [Inner]\n\n"
        "    @task\n    def other(self):\n        raise RescheduleTaskImmediately\n\n"
        "    def on_start(self):\n        self.client.get('/status/200', name='on_start')\n"
    )
    finished = run(acrida, target, tmp_path, "-u 5 --rate 60 -t 3s")
    assert finished.code == 0, finished.output
    told = arrivals(tmp_path / "run")
    assert stats(tmp_path / "run")["GET", "on_start"]["Request Count"] == "5"
    assert target.answered()["GET /"] == told["Begun"], "one request an arrival"


def test_requests_of_other_clients_count_from_when_they_were_due(
    acrida: Program, target: Target, tmp_path: Path
) -> None:
    tasks = """
        @task
        def slow(self):
            import gevent
            for name in ("first", "second"):
                with self.environment.events.request.measure("SLOW", name):
                    gevent.sleep(0.02)
    """
    locustfile(tmp_path, tasks, WAIT)
    run(acrida, target, tmp_path, "-u 1 -r 10 --rate 50 -t 3s")
    rows = stats(tmp_path / "run")
    first, second = (float(rows["SLOW", name]["Max Response Time"]) for name in ("first", "second"))
    assert first > 500 > second


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_an_open_run_with_every_count(
    acrida: Program, target: Target, tmp_path: Path, signal_number: int
) -> None:
    locustfile(tmp_path, GET_ROOT.replace('"/"', '"/sleep20"'), WAIT)
    arguments = f"--headless --only-summary --csv run --host {target.url} -u 2 --rate 200 -t 50s"
    running = acrida.start(*arguments.split(), cwd=tmp_path)
    wait_for(lambda: target.total() > 100, "requests")
    finished = running.stop(signal_number)
    assert finished.code == 0, finished.output
    told = arrivals(tmp_path / "run")
    assert total(tmp_path / "run") == target.total() == told["Begun"]
    assert told["Dropped"] > 0 and told["Begun"] + told["Dropped"] == told["Intended"]


def test_a_closed_run_leaves_no_arrivals_of_an_earlier_one(acrida: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_ROOT, "constant(0.05)")
    (tmp_path / "run_arrivals.csv").write_text("of an earlier run")
    finished = run(acrida, target, tmp_path, "-u 2 -r 2 -t 2s")
    assert not (tmp_path / "run_arrivals.csv").exists()
    assert "Arrivals" not in finished.output


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ("-u 5 --rate fast", "argument --rate: 'fast' is no rate: write arrivals per second such as 200"),
        ("-u 5 --rate 0", "argument --rate: '0' is no rate"),
        ("--rate 5", "'--rate' requires '--users'"),
        ("-u 5 --poisson", "'--poisson' requires '--rate'"),
        ("-u 5 --rate 1..9", "'--rate 1..9' requires '--run-time'"),
    ],
)
def test_a_mistake_is_one_line(acrida: Program, tmp_path: Path, arguments: str, part: str) -> None:
    locustfile(tmp_path, GET_ROOT)
    finished = acrida.run("--headless", *arguments.split(), cwd=tmp_path)
    assert finished.code == 2
    assert part in finished.stderr and finished.stderr.count("\n") == 1, finished.stderr


def test_a_locustfile_may_have_a_flag_of_this_name(acrida: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_ROOT, WAIT)
    with (tmp_path / "locustfile.py").open("a") as file:
        file.write(
            "\n\n@events.init_command_line_parser.add_listener\n"
            "def own(parser):\n    parser.add_argument('--rate', type=int, default=7)\n\n"
            "@events.test_start.add_listener\n"
            "def tell(environment, **_):\n    print('own rate', environment.parsed_options.rate)\n"
        )
    finished = run(acrida, target, tmp_path, "-u 2 -t 2s --rate 3")
    assert "own rate 3" in finished.stdout and "Arrivals" not in finished.output
    finished = run(acrida, target, tmp_path, "-u 2 -t 2s --acrida-rate 30")
    assert "own rate 7" in finished.stdout and "Arrivals" in finished.output


def test_neither_steps_nor_shapes_have_a_rate(acrida: Program, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_ROOT)
    finished = acrida.run("scale", "--rate", "5", "-u", "5", "--host", "http://127.0.0.1:1", cwd=tmp_path)
    assert finished.code == 2 and "'--rate' is a rate of arrivals" in finished.stderr
    shape = "\n\nfrom locust import LoadTestShape\n\nclass S(LoadTestShape):\n    def tick(self):\n        return None\n"
    with (tmp_path / "locustfile.py").open("a") as file:
        file.write(shape)
    finished = acrida.run("--headless", "--rate", "5", "-u", "5", "--host", "http://127.0.0.1:1", cwd=tmp_path)
    assert finished.code == 2 and re.search("load shape.*leave it or '--rate' out", finished.stderr)
