"""Tasks in order of declaration."""

from __future__ import annotations

from itertools import cycle
from typing import Any

from ..exception import LocustError
from .task import TaskSet, TaskSetMeta, is_task, weighted


class SequentialTaskSetMeta(TaskSetMeta):
    """Keeps a ``tasks`` attribute at its place among the decorated methods."""

    def __new__(mcs, classname: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        tasks = [inherited for base in bases for inherited in getattr(base, "tasks", None) or ()]
        for name, what in namespace.items():
            if name == "tasks":
                if not isinstance(what, list | dict):
                    raise ValueError("The 'tasks' attribute can only be set to list or dict")
                tasks += weighted(what)
            elif is_task(what):
                tasks += [what] * what.locust_task_weight
        namespace["tasks"] = tasks
        return type.__new__(mcs, classname, bases, namespace)


class SequentialTaskSet(TaskSet, metaclass=SequentialTaskSetMeta):
    """A TaskSet that runs its tasks in order of declaration, over and over."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._task_cycle = cycle(self.tasks)

    def get_next_task(self) -> Any:
        if not self.tasks:
            raise LocustError(
                "No tasks defined. Use the @task decorator or set the 'tasks' attribute of the SequentialTaskSet"
            )
        return next(self._task_cycle)
