"""Who starts where and when, for programs that ask for it; in a run of Acrida's it is decided natively."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import gevent

from acrida._native import Picks

if TYPE_CHECKING:
    from .runners import WorkerNode

#: How many users of each class, by its name, each worker runs, by its ``id``.
Placement = dict[str, dict[str, int]]


class UsersDispatcher(Iterator[Placement]):
    """Spreads users over workers, a batch at a time, and waits between batches as the spawn rate says.

    ``new_dispatch`` says where it goes from here; the iterator then gives what has to run after each batch, and ends
    with the last one. When workers come or go, the next item is the same users spread anew.
    """

    def __init__(self, worker_nodes: list[WorkerNode], user_classes: list[Any]) -> None:
        """ValueError for no classes, or one of them twice."""
        if not user_classes or len(set(user_classes)) != len(user_classes):
            raise ValueError("user_classes has to hold at least one class, and none twice")
        self._classes = sorted(user_classes, key=attrgetter("__name__"))
        self._names = [user.__name__ for user in self._classes]
        self._chosen = list(range(len(self._classes)))
        self._workers = _in_turn(worker_nodes)
        self._target_user_count = 0
        self._batch = 1
        self._wait_between_dispatch = 0.0
        self._rebalance = False
        self._dispatch_in_progress = False
        self._durations: list[float] = []
        self._batches: Iterator[Placement] = iter(())
        self._begin()

    def _begin(self) -> None:
        """From no users at all."""
        self._picks = Picks([(user.__name__, user.weight, user.fixed_count) for user in self._classes])
        self._picks.choose_from(self._chosen)
        self._turns = cycle([worker.id for worker in self._workers])
        self._users: Placement = {worker.id: dict.fromkeys(self._names, 0) for worker in self._workers}
        #: Where each user is, and of which class, in the order of their start.
        self._active: list[tuple[str, int]] = []

    def new_dispatch(self, target_user_count: int, spawn_rate: float, user_classes: list[Any] | None = None) -> None:
        """Heads for another number of users, adding those of ``user_classes``, or of the same as before.

        ValueError for a number that makes no sense.
        """
        if target_user_count < 0:
            raise ValueError(f"target_user_count must be >= 0, got {target_user_count}")
        if not (math.isfinite(spawn_rate) and spawn_rate > 0):
            raise ValueError(f"spawn_rate must be a finite number > 0, got {spawn_rate}")
        if user_classes is not None:
            self._chosen = [self._classes.index(user) for user in user_classes]
            self._picks.choose_from(self._chosen)
        self._target_user_count = target_user_count
        self._batch = max(1, math.floor(spawn_rate))
        self._wait_between_dispatch = self._batch / spawn_rate
        self._durations.clear()
        self._batches = self._dispatch()

    def __next__(self) -> Placement:
        return {worker: dict(users) for worker, users in next(self._batches).items()}

    def get_current_user_count(self) -> int:
        """Users that the newest item comes to."""
        return len(self._active)

    @property
    def dispatch_in_progress(self) -> bool:
        """Whether items are still to come."""
        return self._dispatch_in_progress

    @property
    def dispatch_iteration_durations(self) -> list[float]:
        """Seconds that each batch took, without the wait after it."""
        return self._durations

    def add_worker(self, worker_node: WorkerNode) -> None:
        """One worker more: the users are spread anew."""
        self._workers = _in_turn([*self._workers, worker_node])
        self._spread_anew()

    def remove_worker(self, worker_node: WorkerNode) -> None:
        """One worker less: the users are spread anew, unless nobody is left to take them."""
        self._workers = [worker for worker in self._workers if worker.id != worker_node.id]
        if self._workers:
            self._spread_anew()

    def _spread_anew(self) -> None:
        count = len(self._active)
        self._begin()
        self._add(count)
        self._rebalance = True

    def _dispatch(self) -> Iterator[Placement]:
        self._dispatch_in_progress = True
        is_there = len(self._active) == self._target_user_count
        if is_there or self._rebalance:
            self._rebalance = False
            yield self._users
        while len(self._active) != self._target_user_count:
            began = time.perf_counter()
            missing = self._target_user_count - len(self._active)
            goes_on = self._add(min(self._batch, missing)) if missing > 0 else self._remove(min(self._batch, -missing))
            yield self._users
            if self._rebalance:
                self._rebalance = False
                yield self._users
            self._durations.append(time.perf_counter() - began)
            if not goes_on:
                break
            if len(self._active) != self._target_user_count:
                gevent.sleep(max(0.0, self._wait_between_dispatch - self._durations[-1]))
        self._dispatch_in_progress = False

    def _add(self, count: int) -> bool:
        """False if no class may have that many users."""
        for _ in range(count):
            if (picked := self._picks.pick()) is None:
                return False
            worker = next(self._turns)
            self._users[worker][self._names[picked]] += 1
            self._active.append((worker, picked))
        return True

    def _remove(self, count: int) -> bool:
        """Those that started last go first."""
        for _ in range(count):
            worker, picked = self._active.pop()
            self._users[worker][self._names[picked]] -= 1
            self._picks.removed(picked)
        return True


def _in_turn(workers: list[WorkerNode]) -> list[WorkerNode]:
    """The order in which workers get users: the first of each machine, then the second of each, and so on.

    A machine is what is before the first ``_`` of a worker's ``id``.
    """
    seen: Counter[str] = Counter()
    turns = []
    for worker in sorted(workers, key=attrgetter("id")):
        machine = worker.id.split("_")[0]
        turns.append((seen[machine], worker.id, worker))
        seen[machine] += 1
    return [worker for _, _, worker in sorted(turns, key=lambda turn: turn[:2])]
