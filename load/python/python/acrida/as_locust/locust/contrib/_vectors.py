"""What users of vector databases have in common: calls that are timed, judged and counted."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .. import events


def timed(call: Callable[[], Any], found: Callable[[Any], bool] | None = None) -> dict[str, Any]:
    """Calls, and tells how that went: ``success``, ``response_time`` in ms, ``result``, or ``exception``.

    With ``found``, which looks at a result, nothing found is no success, and ``empty`` tells of it.
    """
    began = time.perf_counter()
    try:
        result = call()
    except Exception as raised:
        return {"success": False, "response_time": _since(began), "exception": raised}
    told = {"success": True, "response_time": _since(began), "result": result}
    if found is not None:
        told["empty"] = not found(result)
        told["success"] = not told["empty"]
    return told


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def count(request_type: str, name: str, told: dict[str, Any]) -> dict[str, Any]:
    """Counts what ``timed`` told as a request; returns it."""
    events.request.fire(
        request_type=request_type,
        name=name,
        response_time=told["response_time"],
        response_length=0,
        exception=told.get("exception"),
    )
    return told
