"""Executes, on the gevent hub, what the native side decides.

The actions of the engine are performed by the main greenlet; see ``acrida.actions``.
"""

from __future__ import annotations

import gc
import importlib
import json
import logging
import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any, NoReturn

from acrida import __version__
from acrida.actions import Actions
from acrida.load_of_interpreter import Pauses
from acrida.loading import LocustfileError
from acrida.page_changes import PageChanges, parser


class UsageError(LocustfileError):
    """The command line is wrong in a way that only Python's side knows."""


def custom_flags() -> list[tuple[Any, ...]]:
    """The flags that the loaded locustfiles add."""
    locust = importlib.import_module("locust")
    locust.events.init_command_line_parser.fire(parser=parser())
    return [flag.native() for flag in parser().flags]


def defaults_of_flags() -> dict[str, Any]:
    """What the loaded locustfiles gave to the parser's ``set_defaults``; ``custom_flags`` comes first."""
    return parser().native_defaults()


def page_options() -> list[tuple[str, str, list[str], bool, bool, bool]]:
    """The flags of locustfiles that the web page's form asks for."""
    return [
        (flag.dest, flag.help, flag.choices, flag.secret, flag.required_in_page, flag.kind == "words")
        for flag in parser().flags
        if flag.in_web_ui
    ]


def apply_task_options(
    users: list[Any], equal_weights: bool, tags: list[str] | None, exclude_tags: list[str] | None
) -> None:
    """Changes the tasks of ``users`` as the command line asks."""
    tasks = importlib.import_module("locust.user.task")
    if equal_weights:
        tasks.assign_equal_weights(users)
    if tags or exclude_tags:
        for user in users:
            tasks.filter_tasks_by_tags(user, set(tags) if tags else None, set(exclude_tags) if exclude_tags else None)


def check_user_classes(users: list[Any]) -> None:
    """LocustfileError names a setting of a user class that has no meaning."""
    settings: list[tuple[str, Any, str]] = [
        ("host", str | None, "a text"),
        ("weight", int | float, "a number"),
        ("fixed_count", int, "a whole number"),
    ]
    for user in users:
        for name, kind, what in settings:
            if not isinstance(value := getattr(user, name), kind):
                raise LocustfileError(f"{user.__name__}.{name} is {value!r}, expected {what}")
        for task in user.tasks:
            if not callable(task):
                raise LocustfileError(f"{user.__name__}.tasks has {task!r}, expected functions and task sets")


def percentiles_to_report() -> list[float]:
    """The percentiles of tables and files; locustfiles may change the list."""
    stats = importlib.import_module("locust.stats")
    stats.validate_stats_configuration()
    return list(stats.PERCENTILES_TO_REPORT)


def percentiles_of_the_page() -> tuple[list[float], list[float]]:
    """The percentiles of the page's figures: over all requests, and of each row; locustfiles may change them."""
    stats = importlib.import_module("locust.stats")
    return list(stats.PERCENTILES_TO_CHART), list(stats.PERCENTILES_TO_STATISTICS)


def intervals() -> tuple[float, float]:
    """Seconds between two tables, and between two states of the CSV files; locustfiles may change them."""
    stats = importlib.import_module("locust.stats")
    return float(stats.CONSOLE_STATS_INTERVAL_SEC), float(stats.CSV_STATS_INTERVAL_SEC)


def user_settings(texts: list[str]) -> list[dict[str, Any]]:
    """What ``--config-users`` says: the objects in JSON texts and ``.json`` files."""
    settings: list[dict[str, Any]] = []
    for text in texts:
        try:
            value = json.loads(Path(text).read_text() if text.endswith(".json") else text)
        except (OSError, ValueError) as error:
            raise UsageError(f"--config-users {text}: neither JSON nor a file with JSON: {error}") from error
        settings += value if isinstance(value, list) else [value]
    for each in settings:
        if not isinstance(each, dict) or "user_class_name" not in each:
            raise UsageError(f"--config-users: {each!r} is no object with a user_class_name")
    return settings


def prepare(
    native: tuple[Any, Any], users: list[Any], shapes: list[Any], options: dict[str, Any], locustfile: str
) -> Run:
    """Makes the environment of a run, of an engine and its ledger; LocustfileError says
    what is wrong with its users."""
    check_user_classes(users)
    try:
        return Run(native, users, shapes, options, os.fspath(locustfile))
    except ValueError as error:
        raise LocustfileError(str(error)) from error


class Run:
    """One run: the environment of its users, and the actions that start and stop them."""

    def __init__(
        self, native: tuple[Any, Any], users: list[Any], shapes: list[Any], options: dict[str, Any], locustfile: str
    ) -> None:
        locust = importlib.import_module("locust")
        log = importlib.import_module("locust.log")
        environment = importlib.import_module("locust.env")
        stats = importlib.import_module("locust.stats")
        parsed = Namespace(**options)
        try:
            parser().finish(parsed)
        except ValueError as error:
            raise UsageError(str(error)) from error
        given = Namespace(**vars(parsed))
        shape = shapes[0] if shapes else None
        if parsed.headless:  # Locust's defaults, which locustfiles may look at
            parsed.num_users = parsed.num_users or 1
            parsed.spawn_rate = parsed.spawn_rate or 1
        if not parsed.skip_log_setup:
            log.setup_logging(parsed.loglevel, parsed.logfile)
        if parsed.otel:
            self._export(parsed)
        self._log = log
        self._engine, ledger = native
        self._actions = Actions(self._engine)
        self.environment = environment.Environment(
            native=environment.Native(self._engine, ledger, self._actions),
            user_classes=users,
            locustfile=os.path.basename(locustfile),
            events=locust.events,
            shape_class=shape,
            available_shape_classes={type(shape).__name__: shape for shape in shapes},
            host=parsed.host,
            reset_stats=parsed.reset_stats,
            parsed_options=parsed,
            profile=parsed.profile,
        )
        self._changes = PageChanges(self.environment)
        self._all_tasks = {user.__name__: list(user.tasks) for user in users}
        self.environment.available_user_classes = {user.__name__: user for user in users}
        self.environment.available_user_tasks = self._all_tasks
        self._warn_of_ignored_options(given, shape)
        for settings in user_settings(parsed.config_users or []):
            self._configure(settings)
        #: The classes that are spawned, in the order that the native side counts them in.
        self.user_classes = self.environment.user_classes
        self.runner = self.environment.create_local_runner()
        if not parsed.headless:
            self.environment.create_web_ui(
                host=parsed.web_host,
                port=parsed.web_port,
                web_base_path=parsed.web_base_path,
                web_login=parsed.web_login,
                tls_cert=parsed.tls_cert,
                tls_key=parsed.tls_key,
                delayed_start=True,
                userclass_picker_is_active=parsed.class_picker,
            )
        self.runner.greenlet.spawn(stats.stats_history, self.runner)
        self._pauses = Pauses()
        self.runner.greenlet.spawn(self._pauses.watch, self._engine.loop_looked)
        if parsed.equal_weights:
            self.environment.assign_equal_weights()
        self._changes.publish()

    def _export(self, options: Namespace) -> None:
        """``--otel``; the first line of the log follows, so that it is exported, too."""
        opentelemetry = importlib.import_module("locust.opentelemetry")
        enabled = ", OpenTelemetry enabled" if opentelemetry.setup_opentelemetry(options.locustfile, options.profile) else ""
        logging.getLogger("locust.main").info("Starting Locust on acrida %s%s", __version__, enabled)

    def _configure(self, settings: dict[str, Any]) -> None:
        """Applies one object of ``--config-users``."""
        try:
            self.environment.update_user_class(settings)
        except KeyError as error:
            known = ", ".join(self._all_tasks)
            raise LocustfileError(f"--config-users: unknown user class {error}; the locustfile has {known}") from error

    def _warn_of_ignored_options(self, options: Namespace, shape: Any) -> None:
        """A shape decides by itself, unless it says that it looks at these."""
        flags = {"num_users": "users", "spawn_rate": "spawn-rate", "run_time": "run-time"}
        given = [f"--{flag}" for name, flag in flags.items() if getattr(options, name)]
        if shape is not None and not shape.use_common_options and given:
            logger = logging.getLogger("locust.main")
            logger.warning(
                "--run-time, --users or --spawn-rate have no impact on LoadShapes unless the shape class explicitly reads "
                "them: with use_common_options = True"
            )
            logger.warning("The following option(s) will be ignored: %s", ", ".join(given))

    def init(self) -> bool:
        """Fires ``init``; False if a listener raised, which ends the program."""
        environment = self.environment
        environment.events.init.fire(environment=environment, runner=self.runner, web_ui=environment.web_ui)
        return not self._log.unhandled_greenlet_exception

    def page_extension(self) -> tuple[str, bool] | None:
        """What ``init`` listeners have put in front of the web page: where, and whether it logs people in."""
        return self.environment.web_ui and self.environment.web_ui.serve()

    def loop(self) -> None:
        """Runs users until the native side says that the run is over."""
        options = self.environment.parsed_options
        if self.environment.shape_class and (options.headless or options.autostart):
            self.runner.start_shape()
            self.runner.shape_greenlet.link_value(self._shape_completed)
        process = os.getpid()
        try:
            while not self._runs_to_the_end(process):
                self._engine.quit()
        finally:
            self._actions.close()

    def _runs_to_the_end(self, process: int) -> bool:
        """Executes actions; False if ``sys.exit`` or KeyboardInterrupt in a user or listener kept
        it from the end, which comes in order all the same."""
        try:
            self._actions.run(self, self._changes, self.runner)
        except KeyboardInterrupt:
            return False
        except SystemExit as leaving:
            if os.getpid() != process:
                _leave_fork(leaving)
            self.environment.process_exit_code = _exit_code(leaving)
            return False
        return True

    def _shape_completed(self, _: Any) -> None:
        then = "shutting down" if self.environment.parsed_options.headless else "stopping test"
        logging.getLogger("locust.main").info("Shape test completed, %s", then)

    def on_quit(self) -> None:
        """Nothing is left to be done."""
        self._actions.end()

    def quitting(self) -> int | None:
        """Fires ``quitting``; returns the exit code that Python's side asks for, if any."""
        self.environment.events.quitting.fire(environment=self.environment, reverse=True)
        gc.collect()  # answers that nobody looked at are counted when they are dropped
        if self.runner.cpu_warning_emitted:
            logging.getLogger("locust.main").warning(
                "This run was generator-bound: the interpreter was busy all the time at some point, "
                "and users made fewer requests than they could."
            )
        if self._pauses.count:
            logging.getLogger("locust.main").warning(
                "The interpreter was blocked %d time(s), for up to %.1f s and %.1f s in all: a call did not let go of it, "
                "and no user could go on meanwhile.",
                self._pauses.count,
                self._pauses.longest_s,
                self._pauses.total_s,
            )
        return self.environment.process_exit_code

    def listener_raised(self) -> bool:
        """Whether a listener or greenlet raised where nobody caught it."""
        return self._log.unhandled_greenlet_exception

    def quit(self, exit_code: int) -> None:
        """Fires ``quit``, after every report has been written."""
        self.environment.events.quit.fire(exit_code=exit_code)
        if self.environment.web_ui:
            self.environment.web_ui.stop()
        logging.shutdown()


def _leave_fork(leaving: SystemExit) -> NoReturn:
    """Ends a process that a locustfile forked, at its ``sys.exit``: the run and its files
    belong to the first process, and the native side's threads are only there."""
    sys.stdout.flush()
    os._exit(_exit_code(leaving))


def _exit_code(leaving: SystemExit) -> int:
    """What ``sys.exit`` was called with, as the system has it; a text is printed."""
    code = leaving.code
    if code is None or isinstance(code, int):
        return code or 0
    print(code, file=sys.stderr, flush=True)
    return 1
