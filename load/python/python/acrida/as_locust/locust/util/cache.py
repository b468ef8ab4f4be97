"""Results that are kept for a while."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any


def memoize(timeout: float, dynamic_timeout: bool = False) -> Callable[[Any], Any]:
    """A decorator: the function is called at most once in ``timeout`` seconds.

    With ``dynamic_timeout`` the time doubles whenever a call takes longer than it.
    The decorated function has ``clear_cache()``.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        kept: list[tuple[float, Any]] = []
        keep_for = timeout

        @functools.wraps(function)
        def remembered(*args: Any, **kwargs: Any) -> Any:
            nonlocal keep_for
            asked_at = time.time()
            if not kept or asked_at - kept[0][0] > keep_for:
                result = function(*args, **kwargs)
                kept[:] = [(time.time(), result)]
                if dynamic_timeout and kept[0][0] - asked_at > keep_for:
                    keep_for *= 2
            return kept[0][1]

        remembered.clear_cache = kept.clear  # type: ignore[attr-defined]
        return remembered

    return decorate
