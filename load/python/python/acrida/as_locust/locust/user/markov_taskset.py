"""Tasks that say which task may follow them, and how likely."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from typing import Any

from ..exception import LocustError
from .task import Task, TaskSet, TaskSetMeta

logger = logging.getLogger(__name__)


class NoMarkovTasksError(LocustError):
    """A MarkovTaskSet has no task with a transition."""


class InvalidTransitionError(LocustError):
    """A transition leads to something that is not there."""


class NonMarkovTaskTransitionError(LocustError):
    """A transition leads to a task that has none of its own."""


class MarkovTaskTagError(LocustError):
    """Leaving out tagged tasks could break the chain."""


def transition(func_name: str, weight: int = 1) -> Callable[[Task], Task]:
    """The task called ``func_name`` may follow, with this weight among all that may."""
    return transitions({func_name: weight})


def transitions(weights: Any) -> Callable[[Task], Task]:
    """Several tasks may follow: ``{name: weight}``, or a list of names and pairs."""
    pairs = weights.items() if isinstance(weights, dict) else (w if isinstance(w, tuple) else (w, 1) for w in weights)
    added = [name for name, weight in pairs for _ in range(weight)]

    def mark(task: Any) -> Any:
        #: Each name as often as its weight.
        task.transitions = [*getattr(task, "transitions", []), *added]
        return task

    return mark


def is_markov_task(task: Any) -> bool:
    """Whether it says what may follow it."""
    return hasattr(task, "transitions")


def _check(tasks: list[Any], namespace: dict[str, Any], classname: str) -> None:
    if not tasks:
        raise NoMarkovTasksError(
            f"No Markov tasks defined in class {classname}. Use the @transition(s) decorators to define some."
        )
    for task in tasks:
        for name in task.transitions:
            _check_transition(task, name, namespace.get(name), classname)
    _warn_of_unreachable(tasks, namespace, classname)
    for task in tasks:
        _check_task(task, classname)


def _check_transition(task: Any, name: str, following: Any, classname: str) -> None:
    if not following:
        raise InvalidTransitionError(
            f"Transition to {name} from {task.__name__} is invalid since no such element exists on class {classname}"
        )
    if not is_markov_task(following):
        raise NonMarkovTaskTransitionError(
            f"{classname}.{name} cannot be used as a target for a transition since it does not define any transitions "
            f"of its own.Used as a transition from {task.__name__}."
        )


def _check_task(task: Any, classname: str) -> None:
    if task.__name__ in ("on_start", "on_stop"):
        logger.warning("A transition on %s makes it run both as a task and when the user starts or stops.", task.__name__)
    if task.__name__ == "run":
        raise Exception("run() belongs to the load tester: it must not be overridden or have transitions")
    if hasattr(task, "locust_tag_set"):
        raise MarkovTaskTagError(
            "Tags are unsupported for MarkovTaskSet since they can make the markov chain invalid. "
            f"Tags detected on {classname}.{task.__name__}: {task.locust_tag_set}"
        )


def _warn_of_unreachable(tasks: list[Any], namespace: dict[str, Any], classname: str) -> None:
    reached: set[str] = set()
    ahead = [tasks[0].__name__]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += namespace[name].transitions
    if unreachable := {task.__name__ for task in tasks} - reached:
        logger.warning("The following markov tasks are unreachable in class %s: %s", classname, unreachable)


class MarkovTaskSetMeta(TaskSetMeta):
    """Gathers the tasks with transitions, and checks that each leads somewhere."""

    def __new__(mcs, classname: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        if not namespace.get("abstract"):
            namespace["abstract"] = False
            tasks = [what for what in namespace.values() if is_markov_task(what)]
            _check(tasks, namespace, classname)
            namespace["current"] = tasks[0]
        else:
            tasks = []
        namespace["tasks"] = tasks
        return type.__new__(mcs, classname, bases, namespace)


class MarkovTaskSet(TaskSet, metaclass=MarkovTaskSetMeta):
    """Starts with the task declared first; each task's transitions choose the next."""

    abstract = True
    current: Any

    def get_next_task(self) -> Any:
        task = self.current
        self.current = getattr(type(self), random.choice(task.transitions))
        return task
