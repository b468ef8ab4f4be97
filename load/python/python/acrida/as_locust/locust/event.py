"""Hooks that a locustfile can listen to, with Locust's names and arguments."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

from acrida import arrivals

from . import log
from .exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopTest, StopUser

Listener = TypeVar("Listener", bound=Callable[..., Any])

#: Raised on purpose by listeners to steer the user that fired the event.
STEERING = (StopUser, StopTest, RescheduleTask, RescheduleTaskImmediately, InterruptTaskSet)


class EventHook:
    """Calls every listener with the keyword arguments of ``fire``.

    A listener that raises is logged, marks the run (exit code 2) and does not
    keep the others from running. Exceptions that steer a user pass through.
    """

    def __init__(self) -> None:
        self._handlers: list[Callable[..., Any]] = []

    def add_listener(self, handler: Listener) -> Listener:
        """Adds ``handler``; returns it, so this works as a decorator."""
        self._handlers.append(handler)
        return handler

    def remove_listener(self, handler: Callable[..., Any]) -> None:
        """Removes ``handler``; ValueError if it is not listening."""
        self._handlers.remove(handler)

    def fire(self, *, reverse: bool = False, **kwargs: Any) -> None:
        """Calls the listeners in order of registration, or backwards."""
        # A copy: listeners may add and remove listeners while they run.
        handlers = self._handlers[::-1] if reverse else self._handlers[:]
        for handler in handlers:
            _call(handler, kwargs)

    @contextmanager
    def measure(
        self, request_type: str, name: str, response_length: int = 0, context: dict | None = None
    ) -> Generator[dict[str, Any], None, None]:
        """Times the block and fires the event; an exception inside marks a failure."""
        meta: dict[str, Any] = {
            "request_type": request_type,
            "name": name,
            "response_length": response_length,
            "context": context or {},
            "exception": None,
            "start_time": time.time(),
        }
        begin = time.perf_counter()
        try:
            yield meta
        except Exception as error:
            meta["exception"] = error
        finally:
            meta["response_time"] = (time.perf_counter() - begin) * 1000
            self.fire(**meta)


def _call(handler: Callable[..., Any], kwargs: dict[str, Any]) -> None:
    """Calls one listener."""
    try:
        handler(**kwargs)
    except STEERING:
        raise
    except Exception:
        logging.getLogger(__name__).error("Uncaught exception in event handler: \n%s", traceback.format_exc())
        log.unhandled_greenlet_exception = True


class RequestEvent(EventHook):
    """The ``request`` event: firing it counts a request.

    Requests of ``self.client`` are counted beside the socket and only *told* to
    the listeners; one that a locustfile fires for a client of its own is
    counted here, then told. What cannot be counted is logged as the exception of a
    listener.
    """

    def __init__(self) -> None:
        super().__init__()
        #: Whose statistics count the requests; the environment sets itself.
        self.environment: Any = None

    def fire(self, *, reverse: bool = False, **kwargs: Any) -> None:
        if self.environment is not None:
            if self.environment.is_open:
                _count_from_arrival(kwargs)
            _call(self.environment.record, kwargs)
        self.tell(reverse=reverse, **kwargs)

    #: Calls the listeners about a request that is already counted.
    tell = EventHook.fire


def _count_from_arrival(request: dict[str, Any]) -> None:
    """Adds how late its iteration began to the response time of its first request."""
    if isinstance(request.get("response_time"), int | float) and (arrival := arrivals.taken()) is not None:
        request["response_time"] += arrival.late_ms


class Events:
    """Every event of a run. What each is fired with stands beside it."""

    request: RequestEvent  # request_type, name, response_time (ms or None), response_length, response, context, exception, start_time, url
    user_error: EventHook  # user_instance, exception, tb
    report_to_master: EventHook  # client_id, data
    worker_report: EventHook  # client_id, data
    worker_connect: EventHook  # client_id
    spawning_complete: EventHook  # user_count
    quitting: EventHook  # environment; listeners run in reverse order
    quit: EventHook  # exit_code
    init: EventHook  # environment, runner, web_ui; a listener that raises ends the program
    init_command_line_parser: EventHook  # parser
    test_start: EventHook  # environment
    test_stopping: EventHook  # environment
    test_stop: EventHook  # environment
    reset_stats: EventHook  # nothing
    cpu_warning: EventHook  # environment, cpu_usage (percent)
    heartbeat_sent: EventHook  # client_id, timestamp
    heartbeat_received: EventHook  # client_id, timestamp
    usage_monitor: EventHook  # environment, cpu_usage (percent), memory_usage (bytes)

    def __init__(self) -> None:
        for name in Events.__annotations__:
            setattr(self, name, EventHook())
        self.request = RequestEvent()
