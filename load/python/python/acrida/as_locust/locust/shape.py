"""Load that follows a plan of one's own."""

from __future__ import annotations

import math
import time
from abc import ABCMeta, abstractmethod
from collections.abc import Iterable
from numbers import Real
from typing import Any


class LoadTestShapeMeta(ABCMeta):
    """Makes every subclass concrete unless it says otherwise."""

    def __new__(mcs, classname: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        namespace["abstract"] = namespace.get("abstract", False)
        return super().__new__(mcs, classname, bases, namespace)


class LoadTestShape(metaclass=LoadTestShapeMeta):
    """Asked about once a second how many users there should be."""

    #: The runner of the run.
    runner: Any = None
    abstract: bool = True
    #: Whether --users, --spawn-rate and --run-time mean something to this shape.
    use_common_options: bool = False

    def __init__(self) -> None:
        self.start_time = time.perf_counter()

    def reset_time(self) -> None:
        """The run starts now."""
        self.start_time = time.perf_counter()

    def get_run_time(self) -> float:
        """Seconds since the run started."""
        return time.perf_counter() - self.start_time

    def get_current_user_count(self) -> int:
        """Users that run now."""
        return self.runner.user_count

    @abstractmethod
    def tick(self) -> Any:
        """``(users, spawn_rate)``, ``(users, spawn_rate, user_classes)``, or None to end the run."""


def planned(wanted: Any) -> tuple[float, float, Iterable[Any] | None]:
    """Users, spawn rate and user classes (None for all) of what ``tick`` returned; ValueError if it is nonsense."""
    form = "expected (users, spawn_rate), (users, spawn_rate, user_classes) or None"
    if not isinstance(wanted, tuple | list) or len(wanted) not in (2, 3):
        raise ValueError(form)
    users, rate, *classes = wanted
    if not isinstance(users, Real) or not isinstance(rate, Real):
        raise ValueError(f"{form}, with numbers")
    if not 0 <= users < math.inf:
        raise ValueError(f"a number of users is finite and not below 0, not {users}")
    chosen = classes[0] if classes else None
    if not isinstance(chosen, Iterable | None):
        raise ValueError(f"{form}, with a list of classes")
    return users, float(rate), chosen
