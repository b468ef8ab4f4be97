"""Ready-made ``wait_time`` methods: seconds to wait after each task."""

from __future__ import annotations

import random
from collections.abc import Callable
from time import perf_counter
from typing import Any

WaitTime = Callable[[Any], float]


def between(min_wait: float, max_wait: float) -> WaitTime:
    """A uniformly random time from ``min_wait`` to ``max_wait`` seconds."""
    span = max_wait - min_wait
    draw = random.random
    return lambda _user: min_wait + draw() * span


def constant(wait_time: float) -> WaitTime:
    """Always ``wait_time`` seconds."""
    return lambda _user: wait_time


def constant_pacing(wait_time: float) -> WaitTime:
    """What is left of ``wait_time`` seconds since the task before began.

    A task that took longer is followed by the next at once.
    """

    def pace(user: Any) -> float:
        now = perf_counter()
        ran_for = now - user._cp_last_run - user._cp_last_wait_time
        user._cp_last_run = now
        user._cp_last_wait_time = max(0.0, wait_time - ran_for)
        return user._cp_last_wait_time

    return pace


def constant_throughput(task_runs_per_second: float) -> WaitTime:
    """At most this many task runs a second and user: ``constant_pacing(1 / rate)``."""
    if task_runs_per_second <= 0:
        raise ValueError(f"constant_throughput() requires a positive rate, got: {task_runs_per_second}")
    return constant_pacing(1 / task_runs_per_second)


def poisson(rate: float) -> WaitTime:
    """Exponentially distributed times with a mean of ``1 / rate`` seconds."""
    if rate <= 0:
        raise ValueError(f"poisson() requires a positive rate, got: {rate}")
    return lambda _user: random.expovariate(rate)
