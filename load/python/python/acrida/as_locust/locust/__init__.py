"""What ``import locust`` means during a run: Locust's names, answered by Acrida."""

from typing import Any

from acrida import __version__

from .contrib.fasthttp import FastHttpUser
from .event import Events
from .shape import LoadTestShape
from .user import wait_time
from .user.markov_taskset import MarkovTaskSet, transition, transitions
from .user.sequential_taskset import SequentialTaskSet
from .user.task import TaskSet, tag, task
from .user.users import HttpUser, User
from .user.wait_time import between, constant, constant_pacing, constant_throughput, poisson

#: The events of the run.
events = Events()

__all__ = [
    "FastHttpUser",
    "HttpUser",
    "LoadTestShape",
    "MarkovTaskSet",
    "SequentialTaskSet",
    "TaskSet",
    "User",
    "__version__",
    "between",
    "constant",
    "constant_pacing",
    "constant_throughput",
    "events",
    "poisson",
    "tag",
    "task",
    "transition",
    "transitions",
    "wait_time",
]

_NOT_YET = {"run_single_user"}


def __getattr__(name: str) -> Any:
    if name in _NOT_YET:
        raise ImportError(f"acrida {__version__} does not support locust.{name} yet")
    raise AttributeError(f"module 'locust' has no attribute {name!r}")
