"""What locustfiles rely on besides users and requests, on acrida and on Locust."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest
from support import Program


def said(program: Program, folder: Path, text: str, arguments: str = "", code: int = 0) -> list[str]:
    """What a locustfile says in a headless run."""
    folder = folder / program.name
    folder.mkdir(exist_ok=True)
    (folder / "locustfile.py").write_text(textwrap.dedent(text))
    finished = program.run(*f"--headless {arguments}".split(), cwd=folder)
    assert finished.code == code, finished.output
    return [line for line in finished.stdout.splitlines() if line.startswith("SAID")]


def same_on_both(acrida: Program, locust: Program, folder: Path, text: str, arguments: str = "", code: int = 0) -> None:
    expected = said(locust, folder, text, arguments, code)
    assert expected
    assert said(acrida, folder, text, arguments, code) == expected


SHAPE = """
    from locust import LoadTestShape, User, constant, task

    class Base(User):
        abstract = True
        wait_time = constant(100)
        @task
        def nothing(self):
            pass

    class A(Base): pass
    class B(Base): pass
    class C(Base): pass

    class Steps(LoadTestShape):
        use_common_options = True
        steps = [(4, 100, [A, B]), (8, 100, [C]), (3, 100), (6, 100, [B])]
        said = 0

        def tick(self):
            step = int(self.get_run_time() / 1.5)
            if self.get_run_time() > 1.5 * self.said + 1.2 and self.said < len(self.steps):
                self.said += 1
                runner = self.runner
                print("SAID", runner.user_classes_count, self.get_current_user_count(), runner.target_user_count)
            if step >= len(self.steps):
                options = runner.environment.parsed_options if (runner := self.runner) else None
                print("SAID", options.num_users, options.spawn_rate, options.run_time)
                return None
            return self.steps[step]
"""


def test_a_shape_chooses_user_classes(acrida: Program, locust: Program, tmp_path: Path) -> None:
    same_on_both(acrida, locust, tmp_path, SHAPE, "-u 5 -r 2 -t 60s")


def test_options_that_a_shape_ignores_are_named(program: Program, tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text(textwrap.dedent(SHAPE).replace("use_common_options = True", ""))
    finished = program.run(*"--headless -u 5 -t 60s".split(), cwd=tmp_path)
    assert "--users" in finished.stderr
    assert "--run-time" in finished.stderr


def test_a_run_time_does_not_end_a_shape(acrida: Program, locust: Program, tmp_path: Path) -> None:
    same_on_both(acrida, locust, tmp_path, SHAPE.replace("use_common_options = True", ""), "-t 2s")


FLAGS = """
    from locust import User, constant, events, task

    class TheUser(User):
        wait_time = constant(100)
        @task
        def nothing(self):
            pass

    @events.init_command_line_parser.add_listener
    def _(parser):
        title = "Request statistics options"
        group = next((group for group in parser._action_groups if group.title == title), None)
        (group or parser.add_argument_group(title=title)).add_argument("--words-file", default="w.txt")
        parser.add_argument("--count", type=int, default="3")
        parser.add_argument("--ratio", type=float, default="0.5")
        parser.add_argument("--pair", type=lambda text: text.split(","), default="a,b")

    @events.init.add_listener
    def _(environment, **_):
        options = environment.parsed_options
        print("SAID", [options.words_file, options.count, options.ratio, options.pair])
"""


@pytest.mark.parametrize("arguments", ["", "--count 4 --ratio 2 --pair c,d --words-file x"])
def test_flags_of_a_locustfile_have_their_types(
    acrida: Program, locust: Program, tmp_path: Path, arguments: str
) -> None:
    same_on_both(acrida, locust, tmp_path, FLAGS, f"-t 1s {arguments}")


def test_a_default_that_its_type_refuses_is_named(acrida: Program, tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text(textwrap.dedent(FLAGS).replace('default="3"', 'default="three"'))
    finished = acrida.run(*"--headless -t 1s".split(), cwd=tmp_path)
    assert finished.code == 2
    assert "argument --count: invalid value 'three'" in finished.stderr.splitlines()[-1]
    assert "Traceback" not in finished.output


CLASSES = """
    from locust import User, constant, events, task

    class A(User):
        wait_time = constant(100)
        colour = "none"
        @task
        def one(self): pass
        @task
        def two(self): pass

    class B(A):
        weight = 3

    @events.spawning_complete.add_listener
    def _(user_count, **_):
        print("SAID", user_count, ENV.runner.user_classes_count)

    @events.init.add_listener
    def _(environment, **_):
        global ENV
        ENV = environment
        for user in environment.user_classes:
            tasks = [task.__name__ for task in user.tasks]
            print("SAID", user.__name__, user.host, user.weight, user.fixed_count, user.colour, tasks)
"""


def test_user_classes_are_configured_from_the_command_line(acrida: Program, locust: Program, tmp_path: Path) -> None:
    config = [{"user_class_name": "B", "weight": 1, "host": "http://x", "colour": "red"}]
    path = tmp_path / "users.json"
    path.write_text(json.dumps(config))
    one = '{"user_class_name":"A","fixed_count":3,"tasks":["two"]}'
    same_on_both(acrida, locust, tmp_path, CLASSES, f"-u 6 -r 100 -t 2s --config-users {path} {one}")


@pytest.mark.parametrize(
    ("value", "code", "part"),
    [
        ("nonsense", 2, "neither JSON nor a file"),
        ("missing.json", 2, "missing.json"),
        ('{"weight":1}', 2, "user_class_name"),
        ('{"user_class_name":"Z"}', 1, "unknown user class 'Z'; the locustfile has A, B"),
    ],
)
def test_a_wrong_configuration_of_users_is_said_in_a_line(
    acrida: Program, tmp_path: Path, value: str, code: int, part: str
) -> None:
    (tmp_path / "locustfile.py").write_text(textwrap.dedent(CLASSES))
    finished = acrida.run("--headless", "--config-users", value, cwd=tmp_path)
    assert finished.code == code
    assert part in finished.stderr.splitlines()[-1]
    assert "Traceback" not in finished.output


EVENTS = """
    from locust import HttpUser, constant, events, runners, task

    runners.CPU_MONITOR_INTERVAL = 0.2

    def listen(name):
        seen = set()
        @getattr(events, name).add_listener
        def _(**kwargs):
            if name not in seen:
                seen.add(name)
                print("SAID", name, {key: type(value).__name__ for key, value in sorted(kwargs.items())
                                     if key not in ("parser", "environment", "runner", "tb", "context", "response", "memory_usage", "cpu_usage")},
                      sorted(kwargs))

    for name in ("init_command_line_parser", "init", "test_start", "spawning_complete", "request", "user_error",
                 "test_stopping", "test_stop", "quitting", "quit"):
        listen(name)

    class TheUser(HttpUser):
        host = "http://127.0.0.1:9"
        wait_time = constant(100)
        @task
        def one(self):
            self.client.get("/")
            raise ValueError("on purpose")

    @events.usage_monitor.add_listener
    def _(environment, cpu_usage, memory_usage, **kwargs):
        if memory_usage > 1000000 and not kwargs and environment.runner.state == "running":
            environment.process_exit_code = 7
            environment.runner.quit()
"""


def test_events_are_fired_with_the_same_arguments(acrida: Program, locust: Program, tmp_path: Path) -> None:
    same_on_both(acrida, locust, tmp_path, EVENTS, "-t 20s", code=7)


MESSAGES = """
    from locust import User, constant, events, task

    class TheUser(User):
        wait_time = constant(100)
        @task
        def one(self):
            self.environment.runner.send_message("greet", {"from": "user"})
            self.environment.runner.send_message("unknown")
            self.environment.runner.quit()

    @events.init.add_listener
    def _(environment, **_):
        def greet(environment, msg, **kwargs):
            print("SAID", msg.type, msg.data, msg.node_id, environment.runner.state, kwargs)
        environment.runner.register_message("greet", greet)
        try:
            environment.runner.register_message("greet", greet)
        except Exception as error:
            print("SAID", error)
        print("SAID", environment.runner.worker_index, environment.runner.worker_count, type(environment.runner).__name__)
"""


def test_messages_reach_the_listener_in_the_same_process(acrida: Program, locust: Program, tmp_path: Path) -> None:
    same_on_both(acrida, locust, tmp_path, MESSAGES, "-t 20s")


NAMES = """
    import importlib
    for name in '''
        locust.argument_parser:get_parser,parse_options,LocustArgumentParser,get_empty_argument_parser,setup_parser_arguments,default_args_dict
        locust.clients:HttpSession,ResponseContextManager,RestResponseContextManager
        locust.contrib.fasthttp:FastHttpUser,FastHttpSession,FastResponse,ResponseContextManager,RestResponseContextManager
        locust.contrib.csv_request_logger:CsvRequestLogger
        locust.debug:run_single_user,PrintListener
        locust.dispatch:UsersDispatcher
        locust.env:Environment,Runner,LocalRunner,MasterRunner,WorkerRunner,UsersDispatcher
        locust.event:Events,EventHook
        locust.exception:StopUser,StopTest,RescheduleTask,RescheduleTaskImmediately,InterruptTaskSet,ResponseError,CatchResponseError,LocustError,RPCError,RPCSendError,RPCReceiveError
        locust.html:get_html_report,process_html_filename,PERCENTILES_FOR_HTML_REPORT
        locust.log:setup_logging,greenlet_exception_logger,get_logs,LogReader
        locust.main:main,create_environment,load_locustfile,version
        locust.rpc:Message
        locust.runners:LocalRunner,MasterRunner,WorkerRunner,Runner,STATE_INIT,STATE_SPAWNING,STATE_RUNNING,STATE_CLEANUP,STATE_STOPPING,STATE_STOPPED,STATE_MISSING,WORKER_REPORT_INTERVAL,HEARTBEAT_INTERVAL,WORKER_LOG_REPORT_INTERVAL,FALLBACK_INTERVAL,CONNECT_TIMEOUT,CONNECT_RETRY_COUNT,WorkerNode,UsersDispatcher,RPCError,RPCReceiveError
        locust.shape:LoadTestShape
        locust.stats:RequestStats,StatsEntry,StatsError,StatsCSV,StatsCSVFileWriter,stats_printer,stats_history,print_stats,print_percentile_stats,print_error_report,sort_stats,PERCENTILES_TO_REPORT,PERCENTILES_TO_CHART,PERCENTILES_TO_STATISTICS,CONSOLE_STATS_INTERVAL_SEC,CSV_STATS_INTERVAL_SEC,HISTORY_STATS_INTERVAL_SEC,calculate_response_time_percentile,get_readable_percentiles
        locust.user:User,HttpUser,TaskSet,task,tag
        locust.user.inspectuser:get_ratio,print_task_ratio,print_task_ratio_json
        locust.user.markov_taskset:MarkovTaskSet
        locust.user.sequential_taskset:SequentialTaskSet
        locust.user.task:TaskSet,DefaultTaskSet,LOCUST_STATE_RUNNING,LOCUST_STATE_WAITING,LOCUST_STATE_STOPPING
        locust.user.users:User,HttpUser
        locust.user.wait_time:between,constant,constant_pacing,constant_throughput,poisson
        locust.util.cache:memoize
        locust.util.date:format_utc_timestamp,format_safe_timestamp,format_duration
        locust.util.exception_handler:retry
        locust.util.load_locustfile:load_locustfile,is_user_class,is_shape_class
        locust.util.rounding:proper_round
        locust.util.timespan:parse_timespan
        locust.util.url:is_url
        locust.web:WebUI,AuthArgs,AuthProvider,CustomForm,InputField
    '''.split():
        module, _, attributes = name.partition(":")
        module = importlib.import_module(module)
        for attribute in attributes.split(","):
            value = getattr(module, attribute)
            print("SAID", name.partition(":")[0], attribute, value if isinstance(value, (str, int, float, list)) and attribute != "version" else "")

    from locust.util import date, timespan, rounding, url
    print("SAID", date.format_duration(0, 90061), date.format_utc_timestamp(0), timespan.parse_timespan("1h20m"),
          [rounding.proper_round(n) for n in (0.5, 1.5, 2.5)], url.is_url("http://a"), url.is_url("a"))
    import locust
    for name in sorted(set(locust.__all__)):
        print("SAID", name)

    from locust import User, task
    class TheUser(User):
        @task
        def one(self):
            self.environment.runner.quit()
"""


def test_the_names_that_locustfiles_import_are_there(acrida: Program, locust: Program, tmp_path: Path) -> None:
    same_on_both(acrida, locust, tmp_path, NAMES, "-t 5s")


TARGET = """
    from locust import User, constant, events, task

    class TheUser(User):
        wait_time = constant(0.05)
        @task
        def nothing(self):
            pass

    for event in (events.test_start, events.spawning_complete, events.test_stop):
        @event.add_listener
        def _(environment=None, **_):
            runner = environment.runner if environment else None
            print("SAID", runner and runner.target_user_count)
"""


def test_a_runner_tells_how_many_users_were_asked_for(acrida: Program, locust: Program, tmp_path: Path) -> None:
    same_on_both(acrida, locust, tmp_path, TARGET, "-u 3 -r 100 -t 1s")
