"""Trying again."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from typing import Any

logger = logging.getLogger(__name__)


def retry(delays: tuple[float, ...] = (1, 3, 5), exception: type[BaseException] = Exception) -> Callable[[Any], Any]:
    """A decorator: a function that raises ``exception`` is called again after each of ``delays`` (seconds)."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def persistent(*args: Any, **kwargs: Any) -> Any:
            for delay in delays:
                try:
                    return function(*args, **kwargs)
                except exception:
                    logger.exception("%s failed; it is tried again in %s s", function.__name__, delay)
                    time.sleep(delay)
            return function(*args, **kwargs)

        return persistent

    return decorate
