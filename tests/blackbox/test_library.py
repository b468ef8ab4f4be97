"""Programs that use Locust as a library, on acrida and on Locust."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from programs import said
from support import PATIENCE_S, Program, Target

COURSE = """
    class Other(User):
        fixed_count = 1
        wait_time = constant(100)
        @task
        def raises(self):
            events.request.fire(request_type="X", name="own", response_time=5, response_length=7, context={})
            raise ValueError("on purpose")

    env = Environment(user_classes=[TheUser, Other], events=events)
    runner = env.create_local_runner()
    for name in ("test_start", "spawning_complete", "test_stopping", "test_stop", "quitting"):
        getattr(events, name).add_listener(lambda name=name, **kwargs: say(name, sorted(kwargs)))
    say(runner.state, runner.user_count, env.stats.num_requests, type(runner).__name__)
    for users in (3, 5):
        runner.start(users, spawn_rate=100)
        runner.spawning_greenlet.join()
        say(runner.state, runner.user_count, runner.target_user_count, runner.user_classes_count)
        while env.stats.get("/", "GET").num_requests < 20:
            gevent.sleep(0.05)
        runner.stop()
        say(runner.state, runner.user_count)
        own = env.stats.get("own", "X")
        say(own.num_requests, own.avg_response_time, own.total_content_length, float(own.get_response_time_percentile(0.5)))
        say([(e["count"], e["msg"], e["nodes"]) for e in runner.exceptions.values()])
    total, entry = env.stats.total, env.stats.entries["/", "GET"]
    say(entry.num_requests > 19, total.num_requests == entry.num_requests + 1, total.fail_ratio, runner.errors)
    env.stats.log_request("GET", "/", 1000000, 10)
    env.stats.log_error("GET", "/", ValueError("mine"))
    say(float(total.max_response_time), entry.num_failures, [e.to_name() for e in env.stats.errors.values()])
    env.stats.reset_all()
    say(sorted(env.stats.entries), total.num_requests)
    env.stats.clear_all()
    say(sorted(env.stats.entries), total.num_requests, env.stats.history)
    gevent.spawn_later(0.3, runner.quit)
    runner.start(1, spawn_rate=1)
    runner.greenlet.join()
    say(runner.state, runner.user_count, env.process_exit_code)
"""


def test_an_environment_runs_tests_in_a_program_of_ones_own(
    acrida: Program, locust: Program, target: Target, tmp_path: Path
) -> None:
    expected = said(locust, tmp_path, target.url, COURSE)
    assert len(expected) > 20
    assert said(acrida, tmp_path, target.url, COURSE) == expected


ROWS = """
    from locust.stats import RequestStats, StatsEntry
    stats = RequestStats()
    for time_ms in (45, 135, 44, None, 375):
        stats.log_request("GET", "/", time_ms, 1)
    stats.log_error("GET", "/", ValueError("one"))
    stats.log_request("GET", "/other", 10, 1)
    row, [error] = stats.get("/", "GET"), stats.errors.values()
    say(error.occurrences, error.first_seen == error.last_seen)
    gevent.sleep(0.01)
    stats.log_error("GET", "/", ValueError("one"))
    say(error.occurrences, error.first_seen < error.last_seen)
    stats.total.start_time = start = min(row.num_reqs_per_sec)
    stats.total.last_request_timestamp = start + 4
    row.num_failures = 3
    say(row.total_rps, row.current_rps, row.fail_ratio, stats.total.total_rps, float(row.get_response_time_percentile(0.5)))
    row.reset()
    row.log(756, 10)
    say(row.num_requests, row.num_failures, float(row.avg_response_time), float(row.min_response_time))
    say(stats.get("/other", "GET").num_requests, len(stats.errors))
    own, more = (StatsEntry(stats, "own", "POST", use_response_times_cache=True) for _ in range(2))
    for time_ms in (122, 992, 1.5, None):
        own.log(time_ms, 3)
    own.log_error("x")
    more.log(7, 2)
    more.extend(own)
    for entry in (own, more):
        say(entry.num_requests, entry.num_failures, entry.total_content_length, sorted(entry.response_times.items()))
        say(entry.median_response_time, entry.min_response_time, entry.max_response_time, entry.percentile())
    say(StatsEntry.unserialize(more.serialize(), stats).num_requests, len(own.response_times_cache))
    own.num_requests, own.num_failures = 10, 5
    say(own.fail_ratio, str(own))
    report = own.get_stripped_report()
    say(report["num_requests"], own.num_requests, own.last_request_timestamp)
"""


def test_rows_of_the_statistics_are_as_locusts(acrida: Program, locust: Program, tmp_path: Path) -> None:
    expected = said(locust, tmp_path, "-", ROWS)
    assert len(expected) == 12
    assert said(acrida, tmp_path, "-", ROWS) == expected


def test_a_row_of_a_run_takes_in_one_of_a_programs_own(acrida: Program, tmp_path: Path) -> None:
    text = """
        from locust.stats import RequestStats, StatsEntry
        stats, own = RequestStats(), StatsEntry(None, "own", "POST")
        for time_ms in (5, 7, None):
            own.log(time_ms, 2)
        own.log_error("x")
        stats.get("/", "GET").extend(own)
        for row in (stats.get("/", "GET"), stats.total):
            say(row.num_requests, row.num_none_requests, row.num_failures, row.avg_response_time, row.total_content_length)
    """
    assert said(acrida, tmp_path, "-", text) == ["SAID 3 1 1 6.0 6"] * 2


@pytest.mark.parametrize("path", ["/", "/sleep20"])
def test_a_librarys_statistics_are_what_the_server_counted(
    acrida: Program, target: Target, tmp_path: Path, path: str
) -> None:
    # With /sleep20, each user has a request under way when it ends.
    text = f"""
        TheUser.tasks = [lambda user: user.client.get("{path}")]
        env = Environment(user_classes=[TheUser])
        runner = env.create_local_runner()
        runner.start(10, spawn_rate=100)
        gevent.sleep(1)
        runner.quit()
        say(env.stats.total.num_requests)
    """
    [line] = said(acrida, tmp_path, target.url, text)
    assert line == f"SAID {target.total()}"
    assert target.total() > 100


def test_one_user_runs_under_a_debugger(acrida: Program, locust: Program, target: Target, tmp_path: Path) -> None:
    text = """
        from locust.exception import StopUser
        class Once(HttpUser):
            def on_start(self):
                say("start", self.host == sys.argv[2])
            @task
            def one(self):
                with self.client.get("/", name="named", catch_response=True) as response:
                    response.failure("no")
                raise StopUser
        @events.init.add_listener
        def _(environment, runner, **_):
            say("init", runner, environment.parsed_options.num_users)
        @events.request.add_listener
        def _(name, exception, **_):
            say("request", name, repr(exception))
        del sys.argv[1]
        sys.argv[1:] = ["--host", sys.argv[1], "-u", "7"]
        run_single_user(Once, include_length=True)
    """
    # The program's own argument comes first, as for the others.
    expected = said(locust, tmp_path, target.url, text, target.url)
    assert len(expected) == 3
    assert said(acrida, tmp_path, target.url, text, target.url) == expected


def test_a_program_that_is_not_there_is_named(acrida: Program, tmp_path: Path) -> None:
    python = str(Path(acrida.command).with_name("python"))
    command = [python, "-m", "acrida.script", "missing.py"]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert finished.returncode == 1
    assert finished.stderr.startswith("acrida.script: missing.py is no file")


def test_fast_http_users_send_no_more_at_once_than_they_say(acrida: Program, locust: Program, tmp_path: Path) -> None:
    """``concurrency`` for one user, ``client_pool`` for several; a user's own greenlet alone is not slowed down."""
    text = """
        from gevent.pool import Pool
        from gevent.pywsgi import WSGIServer
        from locust import FastHttpUser
        now = most = 0
        def application(environ, start_response):
            global now, most
            now += 1
            most = max(most, now)
            gevent.sleep(0.05)
            now -= 1
            start_response("200 OK", [])
            return [b"x"]
        server = WSGIServer(("127.0.0.1", 0), application, log=None)
        server.start()
        class Some(FastHttpUser):
            host = f"http://127.0.0.1:{server.server_port}"
            concurrency = 3
        env = Environment()
        def together(users, requests):
            global most
            most = 0
            pool = Pool()
            answers = [pool.spawn(user.client.get, "/") for user in users * requests]
            pool.join()
            say(most, sum(answer.value.status_code == 200 for answer in answers))
        together([Some(env)], 9)
        Some.concurrency = 10
        together([Some(env)], 9)
        together([Some(env)], 30)
        together([Some(env), Some(env)], 30)
    """
    expected = said(locust, tmp_path, "-", text)
    assert [line.split()[1] for line in expected] == ["3", "9", "10", "20"]
    assert said(acrida, tmp_path, "-", text) == expected
    shared = text + """
        SHARED
        Some.client_pool = pool
        together([Some(env), Some(env)], 10)
    """
    real = shared.replace("SHARED", "from geventhttpclient.client import HTTPClientPool\n        pool = HTTPClientPool(concurrency=4)")
    ours = shared.replace("SHARED", "class OfGeventhttpclient: client_args = {'concurrency': 4}\n        pool = OfGeventhttpclient()")
    expected = said(locust, tmp_path, "-", real)
    assert expected[-1].split()[1] == "4"
    assert said(acrida, tmp_path, "-", ours) == expected


REPORT = """
    import json, re
    from argparse import Namespace
    from locust.html import PERCENTILES_FOR_HTML_REPORT, get_html_report, process_html_filename
    from locust.stats import stats_history

    env = Environment(user_classes=[TheUser], events=events, locustfile="a <b>.py", profile="p")
    runner = env.create_local_runner()
    history = gevent.spawn(stats_history, runner)
    runner.start(2, spawn_rate=100)
    while len(env.stats.history) < 2:
        gevent.sleep(0.1)
    runner.stop()
    history.kill()
    for theme in ("", "light", "dark"):
        page = get_html_report(env, show_download_link=theme != "dark", theme=theme)
        args, _ = json.JSONDecoder().raw_decode(page.split("templateArgs = ", 1)[1].lstrip())
        total = args["requests_statistics"][-1]
        say([row["name"] for row in args["requests_statistics"]], total["num_requests"] == env.stats.total.num_requests,
            args["host"] == TheUser.host, args["locustfile"], args["profile"], args["tasks"], args["show_download_link"],
            [key for key in sorted(args["response_time_statistics"][0]) if key[0].isdigit()], args["is_report"],
            args["failures_statistics"], args["exceptions_statistics"], len(args["history"]) >= 2,
            [moment["user_count"][1] for moment in args["history"]][:1])
    say(PERCENTILES_FOR_HTML_REPORT)
    for users, rate, limit in (5, 2.0, 90), (None, 0.5, None):
        options = Namespace(num_users=users, spawn_rate=rate, run_time=limit, html_file="r_{u}_{r}_{t}.html")
        process_html_filename(options)
        say(options.html_file)
"""


def test_a_program_writes_the_report_itself(acrida: Program, locust: Program, target: Target, tmp_path: Path) -> None:
    expected = said(locust, tmp_path, target.url, REPORT)
    assert len(expected) == 6
    assert said(acrida, tmp_path, target.url, REPORT) == expected


def test_a_page_takes_any_free_port(acrida: Program, tmp_path: Path) -> None:
    text = """
        import urllib.request
        pages = []
        for _ in range(2):
            env = Environment(user_classes=[TheUser])
            env.create_local_runner()
            pages.append(env.create_web_ui("127.0.0.1", 0))
        ports = [page.server.server_port for page in pages]
        gevent.sleep(0.1)
        say(len(set(ports)), 8089 in ports, [urllib.request.urlopen(f"http://127.0.0.1:{port}/").status for port in ports])
    """
    assert said(acrida, tmp_path, "-", text) == ["SAID 2 False [200, 200]"]


def test_a_locustfile_of_a_url_is_fetched(acrida: Program, tmp_path: Path) -> None:
    text = """
        import http.server, threading
        from pathlib import Path
        from locust.argument_parser import parse_locustfile_paths
        server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/program.py"
        [path] = parse_locustfile_paths([url])
        say(Path(path).name, Path(path).read_text() == Path("program.py").read_text())
        try:
            parse_locustfile_paths([url + "x"])
        except SystemExit as ended:
            say(ended.code)
        server.shutdown()
    """
    assert said(acrida, tmp_path, "-", text) == ["SAID program.py True", "SAID 1"]
