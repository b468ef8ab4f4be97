"""Users: what a locustfile subclasses."""

from __future__ import annotations

import logging
import time
import traceback
from typing import TYPE_CHECKING, Any, final

from gevent import GreenletExit

from ..clients import HttpSession, ResponseContextManager
from ..exception import StopTest, StopUser
from .rest import RestMixin
from .task import (
    LOCUST_STATE_RUNNING,
    LOCUST_STATE_STOPPING,
    LOCUST_STATE_WAITING,
    DefaultTaskSet,
    TaskSet,
    collect_tasks,
)
from .wait_time import constant

if TYPE_CHECKING:
    from ..env import Environment

logger = logging.getLogger(__name__)


class UserMeta(type):
    """Gathers the tasks of a class, and makes every subclass concrete unless it says otherwise."""

    def __new__(mcs, classname: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        namespace["tasks"] = collect_tasks(bases, namespace)
        namespace["abstract"] = bool(namespace.get("abstract"))
        return type.__new__(mcs, classname, bases, namespace)


class User(metaclass=UserMeta):
    """One simulated user: starts, runs its tasks with waits between them, stops."""

    #: Base of the target's URLs, such as ``http://127.0.0.1:8000``.
    host: str | None = None
    #: Milliseconds; older spelling of ``wait_time = between(…)``.
    min_wait: float | None = None
    max_wait: float | None = None
    wait_function: Any = None
    #: Seconds to wait after each task: a method, or one of ``locust.wait_time``.
    wait_time: Any = constant(0)
    #: As for TaskSet.tasks.
    tasks: Any = []
    #: How likely this class is among the classes of a run.
    weight: float = 1
    #: If above 0, exactly this many are spawned, before all others.
    fixed_count: int = 0
    #: Abstract classes are only there to be subclassed.
    abstract: bool = True
    def __init__(self, environment: Environment) -> None:
        super().__init__()
        self.environment = environment
        self._state: str | None = None
        self._greenlet: Any = None
        self._group: Any = None
        self._taskset_instance: TaskSet | None = None
        #: In an open run, where it gets its iterations from.
        self._place: Any = None
        #: Whether others ran since its last wait, while it awaited an answer of its client.
        self._others_ran = False
        self._cp_last_run = time.perf_counter()
        self._cp_last_wait_time = 0.0

    def on_start(self) -> None:
        """Runs once when the user starts."""

    def on_stop(self) -> None:
        """Runs once when the user ends."""

    @final
    def run(self) -> None:
        """The user's whole life; its greenlet runs this."""
        self._state = LOCUST_STATE_RUNNING
        self._taskset_instance = DefaultTaskSet(self)
        try:
            try:
                self.on_start()
            except Exception as error:
                logger.error("%s\n%s", error, traceback.format_exc())
                if not isinstance(error, StopUser | StopTest):
                    self.environment.events.user_error.fire(
                        user_instance=self, exception=error, tb=error.__traceback__
                    )
                raise
            if self._place is not None:
                self._taskset_instance.wait()
            self._taskset_instance.run()
        except (GreenletExit, StopUser, StopTest) as ended:
            self.on_stop()
            if isinstance(ended, StopTest):
                self.environment.runner.quit()

    def wait(self) -> None:
        """Waits as between two tasks; a user that waits can be stopped at once."""
        assert self._taskset_instance is not None
        self._taskset_instance.wait()

    def start(self, group: Any) -> Any:
        """Runs this user in a greenlet of ``group``; returns the greenlet."""
        self._group = group
        self._greenlet = group.spawn(type(self).run, self)
        return self._greenlet

    def stop(self, force: bool = False) -> bool:
        """Ends the user: at once if it waits or ``force``, else after its task.

        Returns True if it ended at once.
        """
        if force or self._state in (None, LOCUST_STATE_WAITING):
            self._group.killone(self._greenlet)
            return True
        if self._state == LOCUST_STATE_RUNNING:
            self._state = LOCUST_STATE_STOPPING
        return False

    @property
    def group(self) -> Any:
        """The greenlet group that the user runs in."""
        return self._group

    @property
    def greenlet(self) -> Any:
        """The greenlet that the user runs in."""
        return self._greenlet

    def context(self) -> dict:
        """What to hand to ``request`` listeners as ``context``; override to add to it."""
        return {}

    @classmethod
    def json(cls) -> dict[str, Any]:
        """The settings that can be changed from outside."""
        return {
            "host": cls.host,
            "weight": cls.weight,
            "fixed_count": cls.fixed_count,
            "tasks": [task.__name__ for task in cls.tasks],
        }

    @classmethod
    def fullname(cls) -> str:
        """Module and class name, as in ``my_module.MyUser``."""
        return f"{cls.__module__}.{cls.__qualname__}".replace("<locals>.", "")


class HttpUser(RestMixin[ResponseContextManager], User):
    """A user with an HTTP ``client`` that keeps connections and cookies to itself."""

    abstract = True
    client: HttpSession
    #: Users with the same object here, such as urllib3's PoolManager, share their connections.
    pool_manager: Any = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.host is None:
            raise StopTest(
                "You must specify the base host. Either in the host attribute in the User class, "
                "or on the command line using the --host option."
            )
        self.client = HttpSession(base_url=self.host, request_event=self.environment.events.request, user=self, pool_manager=self.pool_manager)


def __getattr__(name: str) -> Any:
    """PytestUser, which takes pytest, is looked up when it is asked for."""
    if name == "PytestUser":
        from .pytest_user import PytestUser

        return PytestUser
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
