"""Open runs: users wait for iterations that arrive, instead of for their wait_time.

The engine decides which user takes which arrival and when; see ``Engine.join_pool``.
"""

from __future__ import annotations

from typing import Any

from gevent import get_hub, getcurrent


class Place:
    """One user's place in the pool of those that take arrivals."""

    def __init__(self, engine: Any, user_id: int) -> None:
        self._engine = engine
        self._user_id = user_id

    def wait(self) -> None:
        """Waits for the user's next arrival, and begins it."""
        current = getcurrent()
        self._engine.join_pool(self._user_id, current)
        try:
            due = get_hub().switch()
        except BaseException:
            self._engine.leave_pool(self._user_id)
            raise
        current.arrival = self._engine.begin(due)


def taken() -> Any:
    """The arrival that the current greenlet has begun, for the first request after it; then None."""
    current = getcurrent()
    arrival = getattr(current, "arrival", None)
    if arrival is not None:
        current.arrival = None
    return arrival
