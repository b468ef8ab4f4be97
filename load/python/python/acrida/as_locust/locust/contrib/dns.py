"""Users of name servers; needs ``dnspython``."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import dns.query
from dns.exception import DNSException

from .. import User
from ..exception import LocustError


class DNSClient:
    """The functions of ``dns.query`` (``udp``, ``tcp``, ``tls``, ``https`` …), whose calls count as requests."""

    def __init__(self, request_event: Any) -> None:
        self.request_event = request_event

    def __getattr__(self, function_name: str) -> Callable[..., Any]:
        query = getattr(dns.query, function_name)

        def ask(message: Any, *args: Any, name: str | None = None, **kwargs: Any) -> Any:
            response, error, start_time, began = None, None, time.time(), time.perf_counter()
            try:
                response = query(message, *args, **kwargs)
                if not response.answer:
                    error = LocustError("No answer in DNS response")
            except DNSException as raised:
                error = raised
            self.request_event.fire(
                request_type="DNS",
                name=name or function_name,
                response_time=(time.perf_counter() - began) * 1000,
                response_length=0,
                response=response,
                context={},
                exception=error,
                start_time=start_time,
            )
            return response

        return ask


class DNSUser(User):
    """A user whose ``client`` asks name servers."""

    abstract = True

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.client = DNSClient(environment.events.request)
