"""What users do: tasks, their weights and tags, and the sets that hold them."""

from __future__ import annotations

import logging
import random
import traceback
from collections.abc import Callable, Iterable
from time import perf_counter
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar, final, overload

import gevent
from gevent import GreenletExit, get_hub, getcurrent

from ..exception import (
    InterruptTaskSet,
    MissingWaitTimeError,
    RescheduleTask,
    RescheduleTaskImmediately,
    StopTest,
    StopUser,
)

if TYPE_CHECKING:
    from .users import User

logger = logging.getLogger(__name__)

#: A task: a function, or a TaskSet class.
Task = TypeVar("Task", bound=Callable[..., Any])

LOCUST_STATE_RUNNING = "running"
LOCUST_STATE_WAITING = "waiting"
LOCUST_STATE_STOPPING = "stopping"

#: These end a user: they travel up through every task set, running each on_stop.
USER_ENDS = (StopUser, StopTest, GreenletExit)


@overload
def task(weight: Task) -> Task: ...
@overload
def task(weight: int = 1) -> Callable[[Task], Task]: ...
def task(weight: Any = 1) -> Any:
    """Declares a method, or a nested TaskSet, as a task: ``@task`` or ``@task(weight)``."""

    def declare(what: Any) -> Any:
        if what.__name__ in ("on_start", "on_stop"):
            logger.warning(
                "@task on %s makes it run both as a task and when the user starts or stops; "
                "this is usually not what was meant.",
                what.__name__,
            )
        if what.__name__ == "run":
            raise Exception("run() belongs to the load tester: it must not be overridden or used as a task")
        what.locust_task_weight = 1 if callable(weight) else weight
        return what

    return declare(weight) if callable(weight) else declare


def tag(*tags: str) -> Callable[[Task], Task]:
    """Names tasks for ``--tags`` and ``--exclude-tags``; on a TaskSet, all its tasks."""
    if not tags or callable(tags[0]):
        raise ValueError("No tag name was supplied")

    def mark(what: Any) -> Any:
        if hasattr(what, "tasks"):
            what.tasks = [mark(inner) for inner in what.tasks]
        else:
            own = what.__dict__.setdefault("locust_tag_set", set())
            own.update(tags)
        return what

    return mark


def weighted(tasks: Any) -> Iterable[Any]:
    """Each task as often as its weight, from a list, a dict or a list of pairs."""
    for entry in tasks.items() if isinstance(tasks, dict) else tasks:
        if isinstance(entry, tuple):
            what, weight = entry
            yield from [what] * weight
        else:
            yield entry


def is_task(what: Any) -> bool:
    """Whether ``@task`` marked it."""
    return hasattr(what, "locust_task_weight")


def collect_tasks(bases: tuple[type, ...], namespace: dict[str, Any]) -> list[Any]:
    """A class's tasks: its bases', its ``tasks`` attribute's, then the decorated ones."""
    collected = [inherited for base in bases for inherited in getattr(base, "tasks", None) or ()]
    collected += weighted(namespace.get("tasks") or ())
    for what in namespace.values():
        if is_task(what):
            collected += [what] * what.locust_task_weight
    return collected


def filter_tasks_by_tags(
    holder: Any,
    tags: set[str] | None = None,
    exclude_tags: set[str] | None = None,
    decided: dict[Any, bool] | None = None,
) -> None:
    """Keeps, recursively, the tasks of ``holder`` that the tag options let run."""
    decided = {} if decided is None else decided
    for what in holder.tasks:
        if what not in decided:
            decided[what] = _passes(what, tags, exclude_tags, decided)
    holder.tasks = [what for what in holder.tasks if decided[what]]
    if not holder.tasks:
        logger.warning("%s had no tasks left after filtering, instantiating it will fail!", holder.__name__)


def _passes(what: Any, tags: set[str] | None, exclude_tags: set[str] | None, decided: dict[Any, bool]) -> bool:
    if hasattr(what, "tasks"):
        filter_tasks_by_tags(what, tags, exclude_tags, decided)
        return bool(what.tasks)
    own = getattr(what, "locust_tag_set", set())
    return (tags is None or bool(own & tags)) and not (exclude_tags and own & exclude_tags)


def assign_equal_weights(users: list[Any]) -> None:
    """Makes every user class, and every task inside one, equally likely."""
    for user in users:
        user.weight = 1
        user.tasks = list(dict.fromkeys(_leaves(user.tasks)))


def _leaves(tasks: list[Any]) -> list[Any]:
    """The plain tasks below ``tasks``, nested sets opened."""
    return [
        leaf
        for what in tasks
        for leaf in (_leaves(what.tasks) if isinstance(what, type) and issubclass(what, TaskSet) else [what])
    ]


def pick(tasks: list[Any], owner: Any) -> Any:
    """One of ``tasks`` at random; says what is missing when there is none."""
    if not tasks:
        is_set = isinstance(owner, TaskSet)
        hint = f", but you have set a 'task' attribute{'' if is_set else ' on your class'} - maybe you meant to set 'tasks'?"
        advice = (
            "use the @task decorator or set the 'tasks' attribute of the TaskSet"
            if is_set
            else "Use the @task decorator or set the 'tasks' attribute of the User "
            "(or mark it as abstract = True if you only intend to subclass it)"
        )
        raise Exception(f"No tasks defined on {type(owner).__name__}{hint if hasattr(owner, 'task') else '.'} {advice}")
    return tasks[int(random.random() * len(tasks))]


def let_others_run() -> None:
    """As ``gevent.sleep(0)``, for less: nothing is timed."""
    hub = get_hub()
    resume = hub.loop.run_callback(getcurrent().switch)
    try:
        hub.switch()
    finally:
        resume.stop()  # A user that is ended meanwhile must not be resumed later.


class TaskSetMeta(type):
    """Gathers the tasks of a class when it is declared."""

    def __new__(mcs, classname: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        namespace["tasks"] = collect_tasks(bases, namespace)
        return type.__new__(mcs, classname, bases, namespace)


class TaskSet(metaclass=TaskSetMeta):
    """Tasks of which one is picked at random, run, and followed by a wait, until interrupted.

    Sets nest: one that is itself a task runs until it calls ``interrupt()``,
    then its parent goes on.
    """

    #: Functions and TaskSet classes: a list, ``{task: weight}`` or ``[(task, weight)]``.
    tasks: Any = []
    #: Milliseconds; older spelling of ``wait_time = between(…)``.
    min_wait: float | None = None
    max_wait: float | None = None
    wait_function: Any = None

    def __init__(self, parent: Any) -> None:
        self._task_queue: list[Any] = []
        self._parent = parent
        self._user: User = parent.user if isinstance(parent, TaskSet) else parent
        for name in ("min_wait", "max_wait", "wait_function"):
            inherited = getattr(self._user, name)
            if inherited is not None and not getattr(self, name):
                setattr(self, name, inherited)
        self._cp_last_run = perf_counter()
        self._cp_last_wait_time = 0.0

    @property
    def user(self) -> User:
        """The user that runs this set."""
        return self._user

    @property
    def parent(self) -> Any:
        """The set that this one is nested in, or the user."""
        return self._parent

    @property
    def client(self) -> Any:
        """The user's client."""
        return self._user.client

    def on_start(self) -> None:
        """Runs when a user enters this set."""

    def on_stop(self) -> None:
        """Runs when a user leaves this set, or ends while in it."""

    @final
    def run(self) -> None:
        """Runs tasks until the set is interrupted or the user ends."""
        try:
            self.on_start()
        except InterruptTaskSet as left:
            raise _for_parent(left) from left
        while True:
            try:
                # Not a function of its own: this is on the path of every task. One that
                # nobody scheduled need not go through the queue.
                task = None if self._task_queue else self.get_next_task()
                if self._user._state == LOCUST_STATE_STOPPING:
                    raise StopUser()
                try:
                    if task is None:
                        self.execute_next_task()
                    else:
                        self.execute_task(task)
                except RescheduleTaskImmediately:
                    continue
                except RescheduleTask:
                    pass
                self.wait()
            except InterruptTaskSet as left:
                self._leave()
                raise _for_parent(left) from left
            except USER_ENDS:
                self._leave()
                raise
            except Exception as error:
                self._task_raised(error)

    def _leave(self) -> None:
        try:
            self.on_stop()
        except USER_ENDS:
            raise
        except Exception:
            logger.error("Uncaught exception in on_stop: \n%s", traceback.format_exc())

    def _task_raised(self, error: Exception) -> None:
        environment = self._user.environment
        environment.events.user_error.fire(user_instance=self, exception=error, tb=error.__traceback__)
        if not environment.catch_exceptions:
            raise error
        logger.error("%s\n%s", error, traceback.format_exc())
        self.wait()

    def execute_next_task(self) -> None:
        """Runs the task at the head of the queue."""
        self.execute_task(self._task_queue.pop(0))

    def execute_task(self, task: Any) -> None:
        """Runs ``task``: a bound method, a nested set, or a function of this set."""
        if getattr(task, "__self__", None) is self:
            task()
        elif isinstance(task, type) and issubclass(task, TaskSet):
            task(self).run()
        else:
            task(self)

    def schedule_task(self, task_callable: Any, first: bool = False) -> None:
        """Queues a task, at the head if ``first``."""
        if first:
            self._task_queue.insert(0, task_callable)
        else:
            self._task_queue.append(task_callable)

    def get_next_task(self) -> Any:
        """The task to run next; override to decide otherwise."""
        return pick(self.tasks, self)

    def _wait_time_of_user(self) -> float:
        if wait_time := self._user.wait_time:
            return wait_time()
        if self.min_wait is not None and self.max_wait is not None:
            return random.randint(int(self.min_wait), int(self.max_wait)) / 1000.0
        raise MissingWaitTimeError(
            f"You must define a wait_time method on either the {type(self._user).__name__} or {type(self).__name__} class"
        )

    #: Seconds to wait after a task: the user's ``wait_time`` unless it is overridden, by a method
    #: or by one of ``locust.wait_time``.
    wait_time: Any = _wait_time_of_user

    def wait(self) -> None:
        """Waits ``wait_time()`` seconds, in an open run until the next iteration arrives;
        a user that waits can be stopped at once."""
        user = self._user
        if user._state == LOCUST_STATE_STOPPING:
            raise StopUser()
        user._state = LOCUST_STATE_WAITING
        if user._place is not None:
            user._place.wait()
        else:
            # Not a function of its own: this is on the path of every task.
            seconds = self.wait_time()
            try:
                waits = seconds > 0
            except TypeError:
                raise _no_seconds(seconds) from None
            if waits:
                self._sleep(seconds)
            elif not seconds <= 0:  # nan
                raise _no_seconds(seconds)
            elif user._others_ran:
                user._others_ran = False
            else:
                let_others_run()
        if user._state == LOCUST_STATE_STOPPING:
            raise StopUser()
        user._state = LOCUST_STATE_RUNNING

    def _sleep(self, seconds: float) -> None:
        gevent.sleep(seconds)

    def interrupt(self, reschedule: bool = True) -> None:
        """Leaves this set; the parent's next task follows at once unless ``reschedule`` is False."""
        raise InterruptTaskSet(reschedule)


def _no_seconds(returned: Any) -> TypeError:
    return TypeError(f"wait_time returned {returned!r}, expected a number of seconds")


def _for_parent(left: InterruptTaskSet) -> Exception:
    return RescheduleTaskImmediately(left.reschedule) if left.reschedule else RescheduleTask(left.reschedule)


class DefaultTaskSet(TaskSet):
    """Runs the tasks that are declared on the user itself."""

    def get_next_task(self) -> Any:
        tasks = self._user.tasks
        return tasks[0] if len(tasks) == 1 else pick(tasks, self._user)

    def execute_task(self, task: Any) -> None:
        if type(task) is FunctionType:  # the usual case, and the quicker question
            task(self._user)
        elif isinstance(task, type) and issubclass(task, TaskSet):
            task(self._user).run()
        else:
            task(self._user)
