"""Executes, on the gevent hub, what the native side decides.

Finished requests and actions arrive through one file descriptor: a finished
request wakes its user at once, an action waits for the main greenlet, since
listeners that it calls may block.
"""

from __future__ import annotations

import gc
import importlib
import json
import logging
import os
import signal
import sys
import traceback
from argparse import Namespace
from collections import deque
from collections.abc import Callable
from functools import cache
from typing import Any

from gevent import get_hub
from gevent.event import Event

#: The folder whose ``locust`` package answers ``import locust``.
AS_LOCUST = os.path.join(os.path.dirname(__file__), "as_locust")


class LocustfileError(Exception):
    """A locustfile could not be loaded; the text is for the user."""


def load(paths: list[os.PathLike[str]]) -> tuple[dict[str, Any], Any]:
    """Makes ``import locust`` ours, imports the locustfiles, returns their users by name
    and their load shape, if they have one."""
    sys.path.insert(0, AS_LOCUST)
    if not os.environ.get("LOCUST_SKIP_MONKEY_PATCH"):
        from gevent import monkey

        monkey.patch_all()
    load_locustfile = importlib.import_module("locust.util.load_locustfile").load_locustfile
    users: dict[str, Any] = {}
    shapes: list[Any] = []
    for path in paths:
        try:
            found, its_shapes = load_locustfile(os.fspath(path))
        except SystemExit:
            raise
        except BaseException as error:
            raise LocustfileError(explain(os.fspath(path), error)) from error
        users.update(found)
        shapes += its_shapes
    gc.collect()
    gc.freeze()  # what is loaded stays: it need not be looked at again and again
    if len(shapes) > 1:
        names = ", ".join(type(shape).__name__ for shape in shapes)
        raise LocustfileError(f"more than one load shape in {', '.join(map(os.fspath, paths))}: {names}; keep one of them")
    return users, shapes[0] if shapes else None


def explain(path: str, error: BaseException) -> str:
    """What is wrong with a locustfile, at which line, and what to do."""
    if isinstance(error, SyntaxError):
        pointer = "".join(traceback.format_exception_only(error)).rstrip()
        return f"cannot read {path}: {pointer}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "acrida" not in frame.filename]
    frames = [frame for frame in frames if not frame.filename.startswith("<frozen")]
    at = f"{frames[-1].filename}, line {frames[-1].lineno}" if frames else path
    text = f"cannot load {path}: {type(error).__name__}: {error} (at {at})"
    missing = error.name if isinstance(error, ModuleNotFoundError) else None
    if missing and missing.partition(".")[0] == "locust":
        text += "; acrida does not have this part of Locust yet"
    elif missing:
        text += f"; install it into this environment, e.g. {sys.executable} -m pip install {missing.partition('.')[0]}"
    return text


def custom_flags() -> list[tuple[Any, ...]]:
    """The flags that the loaded locustfiles add."""
    locust = importlib.import_module("locust")
    parser = _parser()
    locust.events.init_command_line_parser.fire(parser=parser)
    return [flag.native() for flag in parser.flags]


def page_options() -> list[tuple[str, str, list[str], bool, bool, bool]]:
    """The flags of locustfiles that the web page's form asks for."""
    return [
        (flag.dest, flag.help, flag.choices, flag.secret, flag.required, flag.kind == "words")
        for flag in _parser().flags
        if flag.in_web_ui
    ]


@cache
def _parser() -> Any:
    """What collects the flags of this process's locustfiles."""
    return importlib.import_module("locust.argument_parser").LocustArgumentParser()


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


def percentiles_to_report() -> list[float]:
    """The percentiles of tables and files; locustfiles may change the list."""
    return list(importlib.import_module("locust.stats").PERCENTILES_TO_REPORT)


def release_sigint() -> None:
    """Leaves SIGINT to the native side, which ends the run in order."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def prepare(engine: Any, users: list[Any], shape: Any, options: dict[str, Any], locustfile: str) -> Run:
    """Makes the environment of a run; LocustfileError says what is wrong with its users."""
    try:
        return Run(engine, users, shape, options, os.fspath(locustfile))
    except ValueError as error:
        raise LocustfileError(str(error)) from error


class Run:
    """One run: the environment of its users, and the actions that start and stop them."""

    def __init__(self, engine: Any, users: list[Any], shape: Any, options: dict[str, Any], locustfile: str) -> None:
        locust = importlib.import_module("locust")
        log = importlib.import_module("locust.log")
        environment = importlib.import_module("locust.env")
        parsed = Namespace(**options)
        _parser().finish(parsed)
        if parsed.headless:  # Locust's defaults, which locustfiles may look at
            parsed.num_users = parsed.num_users or 1
            parsed.spawn_rate = parsed.spawn_rate or 1
        if not parsed.skip_log_setup:
            log.setup_logging(parsed.loglevel, parsed.logfile)
        self._log = log
        self._engine = engine
        self._actions: deque[tuple[Callable[..., None], tuple[Any, ...]]] = deque()
        self._wake = Event()
        self._over = False
        loop = get_hub().loop
        engine.attach(loop.run_callback)
        self._watcher = loop.io(engine.fd(), 1)
        self._watcher.start(self._drain)
        self.environment = environment.Environment(
            engine=engine,
            user_classes=users,
            locustfile=os.path.basename(locustfile),
            events=locust.events,
            shape_class=shape,
            host=parsed.host,
            reset_stats=parsed.reset_stats,
            parsed_options=parsed,
        )
        self._all_tasks = {user.__name__: list(user.tasks) for user in users}
        #: The classes that are spawned, in the order that the native side counts them in.
        self.user_classes = self.environment.user_classes
        self.runner = self.environment.create_local_runner()
        if not parsed.headless:
            self.environment.web_ui = importlib.import_module("locust.web").WebUI(self.environment)
        if parsed.equal_weights:
            self.environment.assign_equal_weights()
        self._publish()

    def _publish(self) -> None:
        """Tells the web page what the user classes are like now."""
        self._engine.publish(self.environment.user_classes)

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
            self.runner.start_shape(options.run_time)
        try:
            while not self._over:
                self._wake.wait()
                self._wake.clear()
                while self._actions:
                    action, arguments = self._actions.popleft()
                    action(*arguments)
        finally:
            self._watcher.stop()

    def _drain(self) -> None:
        for target, value in self._engine.drain(self.act):
            target(value)

    def act(self, action: tuple[str, tuple[Any, ...]]) -> None:
        """Queues an action of the native side: the name of a method below, and its arguments."""
        name, arguments = action
        self._actions.append((getattr(self, f"on_{name}"), arguments))
        self._wake.set()

    def on_test_start(self) -> None:
        """The run begins: its listeners come before the first user."""
        self.environment.filter_tasks_by_tags()
        self.environment.events.test_start.fire(environment=self.environment)
        if self.environment.host:
            for user in self.environment.user_classes:
                user.host = self.environment.host
        self._engine.test_started()

    def on_spawn(self, user_id: int, class_index: int) -> None:
        """One user starts."""
        self.runner.spawn(user_id, class_index)

    def on_stop_users(self, user_ids: list[int], at_once: bool) -> None:
        """Users end."""
        self.runner.stop_users(user_ids, at_once)

    def on_spawning_complete(self, user_count: int) -> None:
        """All users of a ramp have started."""
        self.environment.events.spawning_complete.fire(user_count=user_count)

    def on_test_stopping(self) -> None:
        """The run is about to end; its users still run."""
        self.runner.leave_shape()
        self.environment.events.test_stopping.fire(environment=self.environment)

    def on_test_stop(self) -> None:
        """The run has ended, and so have its users."""
        self.environment.events.test_stop.fire(environment=self.environment)

    def on_settings(self, settings: str) -> None:
        """The web page has set attributes of parsed_options."""
        values = json.loads(settings)
        for flag in _parser().flags:
            if flag.convert is not None and flag.dest in values:
                values[flag.dest] = flag.finish(values[flag.dest])
        vars(self.environment.parsed_options).update(values)
        if "host" in values:
            self.environment.host = values["host"]

    def on_shape(self, run_time: str) -> None:
        """The web page has started the load shape."""
        self.runner.start_shape(json.loads(run_time))

    def on_user_change(self, change: str) -> None:
        """The web page has changed a user class."""
        values = json.loads(change)
        name, names = values.pop("user_class_name"), values.pop("tasks")
        user = self.environment.user_classes_by_name[name]
        for attribute in ("host", "weight", "fixed_count"):
            if values[attribute] is not None:
                setattr(user, attribute, values[attribute])
        if names is not None:
            user.tasks = [task for task in self._all_tasks[name] if task.__name__ in names]
        self._publish()

    def on_classes(self, names: str) -> None:
        """The web page has chosen user classes; the native side spawns only those."""
        self.environment.parsed_options.user_classes = json.loads(names)

    def on_stats_reset(self, _: str) -> None:
        """The web page has reset the statistics."""
        self.environment.events.reset_stats.fire()

    def on_quit(self) -> None:
        """The loop ends."""
        self._over = True

    def quitting(self) -> int | None:
        """Fires ``quitting``; returns the exit code that Python's side asks for, if any."""
        self.environment.events.quitting.fire(environment=self.environment, reverse=True)
        gc.collect()  # answers that nobody looked at are counted when they are dropped
        if self.runner.cpu_warning_emitted:
            logging.getLogger("locust.main").warning(
                "This run was generator-bound: the interpreter was busy all the time at some point, "
                "and users made fewer requests than they could."
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
