"""The runner as locustfiles see it; deciding who runs when is Rust's."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NoReturn
from uuid import uuid4

import gevent
from gevent import GreenletExit, getcurrent

from acrida.page_changes import PageChanges

from . import log
from ._performing import Performer
from .dispatch import UsersDispatcher  # noqa: F401
from .exception import RPCError, RPCReceiveError, RPCSendError  # noqa: F401
from .rpc.protocol import Message
from .shape import planned
from .stats import RequestStats, StatsError
from .user.task import LOCUST_STATE_STOPPING

logger = logging.getLogger(__name__)

STATE_INIT = "ready"
STATE_SPAWNING = "spawning"
STATE_RUNNING = "running"
STATE_CLEANUP = "cleanup"
STATE_STOPPING = "stopping"
STATE_STOPPED = "stopped"
STATE_MISSING = "missing"

#: Seconds between two looks at how busy this process is.
CPU_MONITOR_INTERVAL = 5.0
#: Percent of one core from which the interpreter limits the load.
CPU_WARNING_THRESHOLD = 90

#: Seconds; what concerns several processes, which are not there yet.
WORKER_REPORT_INTERVAL = 3.0
HEARTBEAT_INTERVAL = 1
HEARTBEAT_LIVENESS = 3
HEARTBEAT_DEAD_INTERNAL = -60
MASTER_HEARTBEAT_TIMEOUT = 60
WORKER_LOG_REPORT_INTERVAL = 10
FALLBACK_INTERVAL = 5
CONNECT_TIMEOUT = 5
CONNECT_RETRY_COUNT = 60


class Runner(Performer):
    """Starts tests, changes their number of users, and ends them."""

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.spawning_greenlet: Any = None
        self.custom_messages: dict[str, tuple[Callable[..., Any], bool]] = {}
        self._spawned_by_hand = 0
        self._classes_told: Any = None

    @property
    def state(self) -> str:
        """ready, spawning, running, cleanup or stopped."""
        return self.environment.engine.state() if self.environment.has_engine else STATE_INIT

    @property
    def target_user_count(self) -> int:
        """Users that the newest start, or whoever is at the web page, asked for."""
        return self.environment.engine.users_wanted() if self.environment.has_engine else 0

    @property
    def stats(self) -> RequestStats:
        """The statistics of the run."""
        return self.environment.stats

    @property
    def errors(self) -> dict[str, StatsError]:
        """The failure table."""
        return self.stats.errors

    @property
    def exceptions(self) -> dict[int, dict[str, Any]]:
        """What tasks raised, by traceback: ``count``, ``msg``, ``traceback`` and ``nodes``."""
        return {
            hash(tb): {"count": count, "msg": message, "traceback": tb, "nodes": set(nodes)}
            for count, message, tb, nodes in self.stats.ledger.snapshot().exceptions
        }

    def start(
        self,
        user_count: int,
        spawn_rate: float,
        wait: bool = False,
        user_classes: Iterable[Any] | None = None,
        run_time: float | None = None,
    ) -> None:
        """Starts a test, or changes the number of users of one.

        ``user_classes`` are the classes that users are added of from now on. With
        ``wait``, ``spawning_greenlet`` ends only after the last user; otherwise when
        all have started. ``run_time`` is in seconds. ValueError for numbers that
        make no sense.
        """
        if user_count < 0:
            raise ValueError(f"user_count must be >= 0, got {user_count}")
        if wait and user_count - self.user_count > spawn_rate:
            raise ValueError("wait is True but the amount of users to add is greater than the spawn rate")
        is_new = self._idle.is_set()
        if is_new and self.environment.is_library:
            self.prepare()
        chosen = None if user_classes is None else [self._place_of(user) for user in user_classes]
        self.environment.engine.swarm(int(user_count), spawn_rate, run_time, chosen)
        self._complete.clear()
        if is_new:
            self._idle.clear()
            self._begun.clear()
        if self.spawning_greenlet is not None:
            self.spawning_greenlet.kill(block=False)
        self.spawning_greenlet = self.greenlet.spawn(self._wait_for_users, wait)
        if is_new and self._may_wait():
            self._begun.wait()

    def _place_of(self, user_class: Any) -> int:
        """Among the classes of the test, by which the engine knows it."""
        if user_class not in self.user_classes:
            raise ValueError(f"{user_class!r} is no user class of this test")
        return self.user_classes.index(user_class)

    def _wait_for_users(self, until_they_end: bool) -> None:
        self._complete.wait()
        if until_they_end:
            self.user_greenlets.join()

    def prepare(self) -> None:
        """A program of one's own: somebody has to execute actions, and to know the classes."""
        environment = self.environment
        self._quitting = False
        if not environment.actions.is_running:
            environment.actions.start(self.greenlet, self, PageChanges(environment))
        told = [(user, user.weight, user.fixed_count) for user in self.user_classes]
        told.append((environment.stop_timeout, environment.reset_stats, None))
        if told != self._classes_told:
            self._classes_told = told
            environment.engine.start_runner(self.user_classes, environment.stop_timeout or 0, bool(environment.reset_stats))

    def _may_wait(self) -> bool:
        """Whether the current greenlet may wait for an action: users and listeners would
        keep it from being executed."""
        return not self.environment.actions.is_performing_here() and getcurrent() not in self.user_greenlets

    def stop(self) -> None:
        """Ends the test; the program goes on. Returns when all users have ended, unless a
        listener of the test calls it; a user that calls it ends at once."""
        if self._idle.is_set():
            return self._stop_spawned_by_hand()
        self.environment.engine.stop()
        self._wait_for_the_end()
        return None

    def _wait_for_the_end(self) -> None:
        """Of the test."""
        self._end_caller()
        if self._may_wait():
            self._idle.wait()
            if self.environment.is_library:
                self._await_requests()

    def _await_requests(self) -> None:
        """Those that users had under way when they ended count, too."""
        engine = self.environment.engine
        until = time.monotonic() + engine.REQUEST_GRACE_S
        while engine.in_flight() and time.monotonic() < until:
            gevent.sleep(0.01)

    def _end_caller(self) -> None:
        """A user that asks for the end of the test ends here, even in its ``__init__``, as
        it would under Locust."""
        if getcurrent() in self.user_greenlets or getcurrent() is self._making_user_in:
            raise GreenletExit

    def quit(self) -> None:
        """Ends the test, then the program or, in a program of one's own, the runner's
        greenlets."""
        if not self.environment.is_library:
            self.environment.engine.quit()
            self._end_caller()
            return
        self._quitting = True
        self.stop()
        if self._idle.is_set():
            self._end_greenlets()

    def start_shape(self, run_time: float | None = None) -> None:
        """Follows the environment's load shape, for ``run_time`` seconds at most."""
        if self.shape_greenlet:
            logger.info("There is an ongoing shape test running. Editing is disabled")
            return
        logger.info("Shape test starting.")
        self.environment.shape_class.reset_time()
        self.shape_greenlet = self.greenlet.spawn(self._follow_shape, self.environment.shape_class, run_time)
        self.shape_greenlet.link_exception(self._shape_raised)

    def _follow_shape(self, shape: Any, run_time: float | None) -> None:
        while True:
            asked_at = time.time()
            wanted = shape.tick()
            if wanted is None:
                logger.info("Shape test stopping")
                self.shape_greenlet = self.shape_last_tick = None
                self._end()
                return
            if wanted != self.shape_last_tick:
                is_first = self.shape_last_tick is None
                try:
                    users, rate, classes = planned(wanted)
                    logger.info("Shape test updating to %d users at %.2f spawn rate", users, rate)
                    self.start(users, rate, user_classes=classes, run_time=run_time if is_first else None)
                except (ValueError, OverflowError) as nonsense:
                    self._shape_failed(f"returned {wanted!r}: {nonsense}")
                    return
                self.shape_last_tick = wanted
            gevent.sleep(max(1 - (time.time() - asked_at), 0))

    def _shape_raised(self, greenlet: Any) -> None:
        self._shape_failed(f"raised {greenlet.exception!r}")

    def _shape_failed(self, what: str) -> None:
        """A shape that raises, or returns nonsense, ends the run and marks it."""
        logger.error("The load shape %s", what)
        log.unhandled_greenlet_exception = True
        self.shape_greenlet = None
        self._end()

    def _end(self) -> None:
        """Ends the run; the program too, unless it can start another one."""
        if getattr(self.environment.parsed_options, "headless", False):
            self.quit()
        else:
            self.stop()

    def spawn_users(self, user_classes_spawn_count: dict[str, int], wait: bool = False) -> list[Any]:
        """Starts users at once, beside those that the engine decides about; returns them."""
        users = []
        for name, count in user_classes_spawn_count.items():
            for _ in range(count):
                self._spawned_by_hand += 1
                users.append(self._spawn(self.user_classes_by_name[name], -self._spawned_by_hand))
        if wait:
            self.user_greenlets.join()
        return users

    def stop_users(self, user_classes_stop_count: dict[str, int]) -> None:
        """Ends so many users of each class, those that started last first."""
        for name, count in user_classes_stop_count.items():
            users = [user for user in self._users.values() if type(user).__name__ == name]
            self._end_users(users[len(users) - count :])

    def _end_users(self, users: list[Any]) -> None:
        """Ends users as the environment's ``stop_timeout`` says, and waits for it."""
        users = [user for user in users if user.greenlet is not getcurrent()]
        timeout = self.environment.stop_timeout
        for user in users:
            if timeout and user._state != LOCUST_STATE_STOPPING:
                gevent.spawn(user.stop)
        greenlets = [user.greenlet for user in users]
        gevent.joinall(greenlets, timeout=timeout or 0)
        gevent.killall(greenlets)
        for ended in greenlets:
            self.user_greenlets.discard(ended)

    def _stop_spawned_by_hand(self) -> None:
        users = list(self._users.values())
        if not users:
            return
        self.on_test_stopping()
        self._end_users(users)
        self.user_greenlets.kill(block=False)  # the user that called, if one did
        self.environment.events.test_stop.fire(environment=self.environment)

    def register_message(self, msg_type: str, listener: Callable[..., Any], concurrent: bool = False) -> None:
        """Has ``listener(environment=…, msg=…)`` called for messages of this type."""
        if msg_type in self.custom_messages:
            raise Exception(f"Tried to register listener method for {msg_type}, but it already had a listener!")
        self.custom_messages[msg_type] = (listener, concurrent)


class LocalRunner(Runner):
    """Runs a test in this process."""

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.client_id = f"{socket.gethostname()}_{uuid4().hex}"
        self.worker_index = 0
        self.worker_count = 1

    def send_message(self, msg_type: str, data: Any = None, client_id: str | None = None) -> None:
        """Calls the listener that is registered for ``msg_type``, in this process."""
        if msg_type not in self.custom_messages:
            logger.warning("Unknown message type received: %s", msg_type)
            return
        listener, _ = self.custom_messages[msg_type]
        listener(environment=self.environment, msg=Message(msg_type, data, "local"))


class DistributedRunner(Runner):
    """For ``isinstance``: there are no runs of several processes yet."""

    def __init__(self, *_: Any, **__: Any) -> NoReturn:
        raise NotImplementedError("acrida does not run in several processes yet")


class MasterRunner(DistributedRunner):
    """See DistributedRunner."""


class WorkerRunner(DistributedRunner):
    """See DistributedRunner."""


@dataclass(eq=False)
class WorkerNode:
    """A worker as a :class:`locust.dispatch.UsersDispatcher` knows it."""

    #: Unique; what is before the first ``_`` names its machine.
    id: str
    state: str = STATE_INIT
    heartbeat: int = HEARTBEAT_LIVENESS
    cpu_usage: int = 0
    cpu_warning_emitted: bool = False
    memory_usage: int = 0
    #: Its users by the name of their class.
    user_classes_count: dict[str, int] = field(default_factory=dict)

    @property
    def user_count(self) -> int:
        """Its users."""
        return sum(self.user_classes_count.values())
