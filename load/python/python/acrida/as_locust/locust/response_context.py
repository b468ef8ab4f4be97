"""Responses that a locustfile can judge; see ``locust.clients``."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from gevent import GreenletExit, getcurrent

from acrida.http.errors import cause_of, named, raised
from acrida.http.response import Response

from .exception import CatchResponseError, LocustError, ResponseError

if TYPE_CHECKING:
    from .event import RequestEvent


#: The class of a response: its ``with`` block has the response itself.
Own = TypeVar("Own", bound="ResponseContextManager")


class ResponseContextManager(Response):
    """A response that can be told, in a ``with`` block, whether it counts as a failure."""

    js: Any
    _entered = False
    _verdict_open = False
    _manual_result: bool | Exception | None = None

    def __init__(self, exchange: Any) -> None:
        # As in Response, without the call: this is on the path of every request.
        self._exchange = exchange
        self.status_code = exchange.status
        if self.status_code == 0:
            self.error = raised(*exchange.failure)

    def _describe(self, request_event: RequestEvent, context: dict[str, Any], start_time: float) -> None:
        self._request_event = request_event
        self.request_meta = self._meta(context, start_time)

    @cached_property
    def request_meta(self) -> dict[str, Any]:
        """What ``request`` listeners are fired with; changes made in the block count."""
        return self._meta({}, time.time() - self.elapsed.total_seconds())

    def _meta(self, context: dict[str, Any], start_time: float) -> dict[str, Any]:
        exchange = self._exchange
        return {
            "request_type": exchange.method,
            "response_time": exchange.response_time_ms,
            "name": exchange.name,
            "context": context,
            "response": self,
            "exception": self._default_error(exchange.name),
            "start_time": start_time,
            "url": exchange.request_url,
            "response_length": exchange.content_length,
        }

    def _default_error(self, name: str) -> Exception | None:
        """What the failure table says unless the locustfile decides; grouped by name, not URL."""
        if self.error is not None:
            return self._exchange.cause() or cause_of(self.error)
        if self.status_code < 400:
            return None
        whose = "Client" if self.status_code < 500 else "Server"
        return named("HTTPError")(f"{self.status_code} {whose} Error: {self.reason} for url: {name}", response=self)

    def raise_for_status(self) -> None:
        """As in requests; an explicit ``success()`` or ``failure()`` goes first."""
        if isinstance(self._manual_result, Exception):
            raise self._manual_result
        if not self._manual_result:
            super().raise_for_status()

    def __enter__(self: Own) -> Own:
        self._entered = True
        if not self._verdict_open:
            raise LocustError("In order to use a with-block for requests, you must also pass catch_response=True")
        getcurrent().verdict_is_open = True
        return self

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> bool:
        current = getcurrent()
        current.verdict_is_open = False
        meta = self.request_meta
        if self._manual_result is not None:
            meta["exception"] = None if self._manual_result is True else self._manual_result
        elif isinstance(error, ResponseError):
            meta["exception"] = error
        elif error is not None:
            return False
        else:
            meta["exception"] = self._default_error(meta["name"])
        self._verdict_open = False
        self._exchange.record(
            meta["request_type"],
            meta["name"],
            meta["response_time"],
            meta["response_length"],
            error_text(meta["exception"]),
            checked_answer(context) if (context := meta["context"]) else None,
        )
        self._request_event.tell(**meta)
        if getattr(current, "ends_after_verdict", False):
            raise GreenletExit  # the test ended meanwhile; only this block was waited for
        return error is None or isinstance(error, ResponseError)

    def success(self) -> None:
        """The request counts as successful, whatever its status."""
        self._decide(True, "success()")

    def failure(self, exc: Any) -> None:
        """The request counts as failed, for the reason given (a text or an exception)."""
        self._decide(exc if isinstance(exc, Exception) else CatchResponseError(exc), "failure(...)")

    def _decide(self, verdict: bool | Exception, call: str) -> None:
        # After the block it is too late to count, as in Locust; raise_for_status() goes by it all the same.
        if not self._entered:
            raise LocustError(
                "Tried to set status on a request that has not yet been made. Make sure you use a with-block, like "
                f"this:\n\nwith self.client.request(..., catch_response=True) as response:\n    response.{call}"
            )
        self._manual_result = verdict


def checked_answer(context: Any) -> tuple[str, str, bool] | None:
    """What a request's context says of its answer: ``expected``, ``answered``, and whether
    it is known to be another request's (``mixed_up``); None where nobody checked it."""
    if not isinstance(context, Mapping) or "expected" not in context or "answered" not in context:
        return None
    return str(context["expected"]), str(context["answered"]), bool(context.get("mixed_up"))


def error_text(error: Exception | str | None) -> str | None:
    """What the failure table says of ``error``; None for none."""
    if error is None:
        return None
    text = error if isinstance(error, str) else repr(error)
    return re.sub(r"(object at )0x[0-9a-fA-F]+", r"\g<1>0x....", text)
