"""The runner as locustfiles see it; deciding who runs when is Rust's."""

from __future__ import annotations

import logging
import os
import time
import traceback
from typing import Any

import gevent
from gevent.pool import Group

from . import log
from .exception import StopTest, StopUser
from .stats import RequestStats
from .user.task import LOCUST_STATE_STOPPING

logger = logging.getLogger(__name__)

#: Seconds between two looks at how busy this process is.
CPU_MONITOR_INTERVAL = 5.0
#: Percent of one core from which the interpreter limits the load.
CPU_WARNING_THRESHOLD = 90


def busy_seconds() -> float:
    """Seconds that this thread ran, or waited for a core that others had.

    Source: /proc/PID/schedstat, proc(5); where there is none, time spent running.
    """
    try:
        with open("/proc/thread-self/schedstat") as schedstat:
            running_ns, waiting_ns = schedstat.read().split()[:2]
            return (int(running_ns) + int(waiting_ns)) / 1e9
    except (OSError, ValueError):
        return time.thread_time()


def resident_memory() -> int:
    """Bytes of memory that this process has; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


class LocalRunner:
    """Starts and stops users of this process when the native engine says so."""

    def __init__(self, environment: Any) -> None:
        self.environment = environment
        #: The greenlets of all running users.
        self.user_greenlets = Group()
        self.target_user_count = 0
        self._users: dict[int, Any] = {}
        self._shape: Any = None
        #: Percent of one core that the interpreter used lately, and whether it ever was too much.
        self.current_cpu_usage = 0
        self.cpu_warning_emitted = False
        self._monitor = gevent.spawn(self._watch_cpu)
        if environment.shape_class:
            environment.shape_class.runner = self
        environment.events.user_error.add_listener(self._count_exception)

    @property
    def state(self) -> str:
        """ready, spawning, running, cleanup, stopping or stopped."""
        return self.environment.engine.state()

    @property
    def stats(self) -> RequestStats:
        """The statistics of the run."""
        return self.environment.stats

    @property
    def errors(self) -> list[Any]:
        """The failure table."""
        return self.stats.errors

    @property
    def user_classes(self) -> list[Any]:
        """The classes that users are spawned from."""
        return self.environment.user_classes

    @property
    def user_count(self) -> int:
        """Running users."""
        return len(self._users)

    def start(self, user_count: int, spawn_rate: float, wait: bool = False) -> None:
        """Starts a run, or changes the number of users of one."""
        self._swarm(user_count, spawn_rate, None)

    def _swarm(self, user_count: int, spawn_rate: float, run_time: float | None) -> None:
        self.target_user_count = user_count
        self.environment.engine.swarm(user_count, spawn_rate, run_time)

    def start_shape(self, run_time: float | None = None) -> None:
        """Follows the environment's load shape, for ``run_time`` seconds at most."""
        logger.info("Shape test starting.")
        self.leave_shape()
        self.environment.shape_class.reset_time()
        self._shape = gevent.spawn(self._follow_shape, self.environment.shape_class, run_time)
        self._shape.link_exception(self._shape_raised)

    def _follow_shape(self, shape: Any, run_time: float | None) -> None:
        last: Any = None
        while True:
            asked_at = time.time()
            wanted = shape.tick()
            if wanted is None:
                logger.info("Shape test stopping")
                self._end()
                return
            if wanted != last:
                users, rate = wanted[0], wanted[1]
                if len(wanted) > 2 and wanted[2]:
                    raise NotImplementedError("a load shape that chooses user classes is not supported yet")
                logger.info("Shape test updating to %d users at %.2f spawn rate", users, rate)
                self._swarm(users, rate, run_time if last is None else None)
                last = wanted
            gevent.sleep(max(1 - (time.time() - asked_at), 0))

    def _watch_cpu(self) -> None:
        """Says when users wait for the interpreter: the load is then less than it should be."""
        used, since = busy_seconds(), time.perf_counter()
        while True:
            gevent.sleep(CPU_MONITOR_INTERVAL)
            used_before, since_before = used, since
            used, since = busy_seconds(), time.perf_counter()
            self.current_cpu_usage = round(100 * (used - used_before) / (since - since_before))
            self.environment.events.usage_monitor.fire(
                environment=self.environment, cpu_usage=self.current_cpu_usage, memory_usage=resident_memory()
            )
            if self.current_cpu_usage > CPU_WARNING_THRESHOLD:
                self._warn_of_cpu()

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

    def _shape_raised(self, greenlet: Any) -> None:
        """A shape that raises, or returns nonsense, ends the run and marks it."""
        logger.error("The load shape raised %r", greenlet.exception)
        log.unhandled_greenlet_exception = True
        self._end()

    def leave_shape(self) -> None:
        """The run ends, whatever its shape still wants."""
        if self._shape is not None:
            self._shape.kill(block=False)
            self._shape = None

    def _end(self) -> None:
        """Ends the run; the program too, unless its web page can start another one."""
        if self.environment.parsed_options.headless:
            self.quit()
        else:
            self.stop()

    def stop(self) -> None:
        """Ends the run; the program goes on."""
        self.environment.engine.stop()

    def quit(self) -> None:
        """Ends the run, then the program."""
        self.environment.engine.quit()

    def spawn(self, user_id: int, class_index: int) -> None:
        """Starts one user; one that cannot be made is reported and counted as gone."""
        try:
            user = self.user_classes[class_index](self.environment)
            greenlet = user.start(self.user_greenlets)
        except Exception as error:
            self._cannot_spawn(error)
            self.environment.engine.user_stopped(user_id)
            return
        self._users[user_id] = user
        greenlet.rawlink(lambda ended: self._ended(user_id, ended))
        self.environment.engine.user_started(user_id)

    def stop_users(self, user_ids: list[int], at_once: bool) -> None:
        """Ends users: at once, or those that wait at once and the others after their task."""
        for user_id in user_ids:
            user = self._users.get(user_id)
            if user is None:
                continue
            if at_once:
                self.user_greenlets.killone(user.greenlet, block=False)
            elif user._state != LOCUST_STATE_STOPPING:
                user.stop()

    def _cannot_spawn(self, error: Exception) -> None:
        """A user class that cannot be instantiated: StopTest ends the run, saying why."""
        if isinstance(error, StopTest):
            logger.error("%s", error)
            logger.warning("Stopping the run...")
            self.environment.process_exit_code = self.environment.process_exit_code or 1
            self._end()
        else:
            logger.critical("Cannot start a user: %s\n%s", error, traceback.format_exc())
            log.unhandled_greenlet_exception = True

    def _ended(self, user_id: int, greenlet: Any) -> None:
        self._users.pop(user_id, None)
        if greenlet.exception is not None and not isinstance(greenlet.exception, StopUser | StopTest):
            log.unhandled_greenlet_exception = True
        self.environment.engine.user_stopped(user_id)

    def _count_exception(self, user_instance: Any, exception: BaseException, tb: Any, **_: Any) -> None:
        self.environment.engine.record_exception(str(exception), "".join(traceback.format_tb(tb)), "local")
