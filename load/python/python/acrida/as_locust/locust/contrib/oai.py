"""Users of OpenAI's interface, or of one like it; needs ``openai``, and OPENAI_API_KEY in the environment."""

from __future__ import annotations

import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import httpx
from openai import OpenAI

from ..user import User

if "OPENAI_API_KEY" not in os.environ:
    raise RuntimeError("You need to set OPENAI_API_KEY env var to use OpenAIUser")


class OpenAIClient(OpenAI):
    """A client whose requests are counted; their length is the number of output tokens."""

    def __init__(self, request_event: Any, user: Any, *args: Any, **kwargs: Any) -> None:
        #: Counts requests under this name while set; see ``rename_request``.
        self.request_name: str | None = None
        self.user = user
        self._request_event = request_event
        hooks = {"request": [_note_start], "response": [self._count]}
        super().__init__(*args, **kwargs, http_client=httpx.Client(event_hooks=hooks))

    def _count(self, response: Any) -> None:
        response.read()
        request, error = response.request, None
        try:
            response.raise_for_status()
        except httpx.HTTPStatusError as raised:
            error = raised
        start_time, began = request.extensions["acrida.began"]
        self._request_event.fire(
            request_type=request.method,
            name=self.request_name or response.url.path,
            response_time=(time.perf_counter() - began) * 1000,
            response_length=response.json().get("usage", {}).get("output_tokens", 0),
            response=response,
            context={},
            exception=error,
            start_time=start_time,
            url=response.url,
        )

    @contextmanager
    def rename_request(self, name: str) -> Generator[None, None, None]:
        """Counts the requests of the block under ``name``."""
        self.request_name = name
        try:
            yield
        finally:
            self.request_name = None


def _note_start(request: Any) -> None:
    request.extensions["acrida.began"] = (time.time(), time.perf_counter())


class OpenAIUser(User):
    """A user with a ``client`` for OpenAI's interface."""

    abstract = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.client = OpenAIClient(self.environment.events.request, user=self)
