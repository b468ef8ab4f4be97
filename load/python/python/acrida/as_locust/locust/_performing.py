"""What a runner does when the native engine says so: users start and end, listeners hear of it."""

from __future__ import annotations

import logging
import time
import traceback
from collections import Counter
from typing import Any

import gevent
from gevent import GreenletExit, getcurrent
from gevent.event import Event
from gevent.pool import Group

from acrida.arrivals import Place
from acrida.load_of_interpreter import busy_seconds, resident_memory

from . import log
from .exception import StopTest
from .user.task import LOCUST_STATE_STOPPING

logger = logging.getLogger("locust.runners")


class Performer:
    """Has a method ``on_x`` for each action ``x`` of the engine."""

    def __init__(self, environment: Any) -> None:
        self.environment = environment
        #: The greenlets of all running users.
        self.user_greenlets = Group()
        #: The greenlets of the runner itself; a program can wait for their end.
        self.greenlet = Group()
        self.shape_greenlet: Any = None
        self.shape_last_tick: Any = None
        #: Users that should run, by class name; set when they do.
        self.target_user_classes_count: dict[str, int] = {}
        #: Users by class name when the last test began to stop.
        self.final_user_classes_count: dict[str, int] = {}
        #: Percent of one core that the interpreter used lately, and whether it ever was too much.
        self.current_cpu_usage: float = 0
        self.cpu_warning_emitted = False
        #: Bytes of memory that this process had lately.
        self.current_memory_usage = 0
        self._users: dict[int, Any] = {}
        self._quitting = False
        #: The greenlet that a user's ``__init__`` runs in.
        self._making_user_in: Any = None
        #: Set while no test is on; once a test has users or is over; once it has all of them.
        self._idle, self._begun, self._complete = Event(), Event(), Event()
        self._idle.set()
        self.greenlet.spawn(self._watch_cpu)
        environment.events.user_error.add_listener(self._count_exception)

    @property
    def user_classes(self) -> list[Any]:
        """The classes that users are spawned from."""
        return self.environment.user_classes

    @property
    def user_classes_by_name(self) -> dict[str, Any]:
        """The same by their names."""
        return self.environment.user_classes_by_name

    @property
    def user_count(self) -> int:
        """Running users."""
        return len(self.user_greenlets)

    @property
    def user_classes_count(self) -> dict[str, int]:
        """Running users by the name of their class."""
        running = Counter(type(user).__name__ for user in self._users.values())
        return {user.__name__: running[user.__name__] for user in self.user_classes}

    def on_test_start(self) -> None:
        """The engine begins a test: its listeners come before the first user."""
        environment = self.environment
        self._idle.clear()
        environment.stats.clear_all()
        self.cpu_warning_emitted = False
        environment.filter_tasks_by_tags()
        try:
            environment.events.test_start.fire(environment=environment)
        except BaseException:  # sys.exit(), for one: nobody is to start
            environment.engine.stop()
            raise
        finally:
            self._set_host()
            environment.engine.test_started()  # which the engine waits for

    def _set_host(self) -> None:
        if self.environment.host:
            for user in self.environment.user_classes:
                user.host = self.environment.host

    def on_spawn(self, user_id: int, class_index: int) -> None:
        """One user starts; one that cannot be made is reported and counted as gone."""
        self._begun.set()
        if self.environment.actions.test_ends:  # making a user can take long
            self.environment.engine.user_stopped(user_id)
            return
        try:
            self._spawn(self.user_classes[class_index], user_id)
        except Exception as error:
            self._cannot_spawn(error)
            self.environment.engine.user_stopped(user_id)
        except GreenletExit:  # its __init__ ended the test
            self.environment.engine.user_stopped(user_id)
        except BaseException:
            self.environment.engine.user_stopped(user_id)
            raise
        else:
            self.environment.engine.user_started(user_id)

    def _cannot_spawn(self, error: Exception) -> None:
        """A user class that cannot be instantiated: StopTest ends the run, saying why."""
        if isinstance(error, StopTest):
            logger.error("%s", error)
            logger.warning("Stopping Locust...")
            self._end()
        else:
            logger.critical("Cannot start a user: %s\n%s", error, traceback.format_exc())
            log.unhandled_greenlet_exception = True

    def on_stop_users(self, user_ids: list[int], grace_s: float | None) -> None:
        """Users end: within ``grace_s`` seconds, or (None) those that wait at once and the
        others after their task."""
        for user in filter(None, map(self._users.get, user_ids)):
            if grace_s is not None:
                self._end_now(user, grace_s)
            elif user._state != LOCUST_STATE_STOPPING:
                user.stop()

    def _end_now(self, user: Any, grace_s: float) -> None:
        """Ends a user; one with an open ``catch_response`` block when that has decided, or
        after ``grace_s`` seconds."""
        if not grace_s or not getattr(user.greenlet, "verdict_is_open", False):
            self.user_greenlets.killone(user.greenlet, block=False)
            return
        user.greenlet.ends_after_verdict = True
        user._state = LOCUST_STATE_STOPPING
        gevent.spawn_later(grace_s, self.user_greenlets.killone, user.greenlet, block=False)

    def on_spawning_complete(self, user_count: int) -> None:
        """All users of a ramp have started."""
        self._begun.set()
        self.target_user_classes_count = self.user_classes_count
        self.environment.events.spawning_complete.fire(user_count=user_count)
        self._complete.set()

    def on_test_stopping(self) -> None:
        """The test is about to end; its users still run."""
        self._leave_shape()
        self.final_user_classes_count = self.user_classes_count
        self.environment.events.test_stopping.fire(environment=self.environment)

    def on_test_stop(self) -> None:
        """The test has ended, and so have its users."""
        self.environment.events.test_stop.fire(environment=self.environment)
        for waited_for in (self._begun, self._complete, self._idle):
            waited_for.set()
        if self._quitting:
            self._end_greenlets()

    def _spawn(self, user_class: Any, user_id: int) -> Any:
        self._making_user_in = getcurrent()
        try:
            user = user_class(self.environment)
        finally:
            self._making_user_in = None
        assert hasattr(user, "environment"), (
            f"Attribute 'environment' is missing on user {user_class.__name__}. Perhaps you defined your own __init__ "
            "and forgot to call the base constructor? (super().__init__(*args, **kwargs))"
        )
        if self.environment.is_open and user_id >= 0:
            user._place = Place(self.environment.engine, user_id)
        greenlet = user.start(self.user_greenlets)
        self._users[user_id] = user
        greenlet.rawlink(lambda _: self._ended(user_id))
        return user

    def _ended(self, user_id: int) -> None:
        self._users.pop(user_id, None)
        if user_id >= 0:
            self.environment.engine.user_stopped(user_id)

    def _leave_shape(self) -> None:
        """The test ends, whatever its shape still wants."""
        shape, self.shape_greenlet, self.shape_last_tick = self.shape_greenlet, None, None
        if shape is not None and shape is not getcurrent():
            shape.kill(block=False)

    def _end_greenlets(self) -> None:
        """Ends the runner's greenlets, and waits for it unless one of them calls."""
        if self.environment.has_engine and self.environment.actions.is_performing_here():
            self.environment.actions.end()
        self.greenlet.kill(block=getcurrent() not in self.greenlet and getcurrent() not in self.user_greenlets)

    def log_exception(self, node_id: str, msg: str, formatted_tb: str) -> None:
        """Counts an exception."""
        self.environment.stats.ledger.record_exception(msg, formatted_tb, node_id)

    def _count_exception(self, user_instance: Any, exception: BaseException, tb: Any, **_: Any) -> None:
        self.log_exception("local", str(exception), "".join(traceback.format_tb(tb)))

    def _watch_cpu(self) -> None:
        """Says when users wait for the interpreter: the load is then less than it should be."""
        from . import runners  # whose constants locustfiles may change

        used, since = busy_seconds(), time.perf_counter()
        while True:
            gevent.sleep(runners.CPU_MONITOR_INTERVAL)
            used_before, since_before = used, since
            used, since = busy_seconds(), time.perf_counter()
            self.current_cpu_usage = round(100 * (used - used_before) / (since - since_before))
            self.current_memory_usage = resident_memory()
            if self.current_cpu_usage > runners.CPU_WARNING_THRESHOLD:
                self._warn_of_cpu()
            self.environment.events.usage_monitor.fire(
                environment=self.environment, cpu_usage=self.current_cpu_usage, memory_usage=self.current_memory_usage
            )

    def _warn_of_cpu(self) -> None:
        usage = self.current_cpu_usage
        self.environment.events.cpu_warning.fire(environment=self.environment, cpu_usage=usage)
        if not self.cpu_warning_emitted:
            self.cpu_warning_emitted = True
            logger.warning(
                "The interpreter is busy %d %% of the time, so users make fewer requests than they could. "
                "Response times are not affected.",
                usage,
            )
