"""Requests that Python has to look at before they are sent, or answers before they are counted.

Authentication objects (``requests.auth.AuthBase`` and whatever is called as one)
get the request to change it; hooks get every answer, and may send more requests,
as digest authentication does. All of that counts as one request, whose time is that
of all its exchanges.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from acrida.http.errors import named
from acrida.http.headers import CaseInsensitiveDict

Hooks = dict[str, list[Callable[..., Any]]]


class PreparedRequest:
    """A request that can still be changed: the attributes of ``requests.PreparedRequest``."""

    def __init__(
        self, method: str, url: str, headers: CaseInsensitiveDict, body: bytes | None, hooks: Hooks
    ) -> None:
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.hooks = hooks
        self._cookies: dict[str, str] = {}

    @property
    def path_url(self) -> str:
        """The path and query of the URL."""
        parts = urlsplit(self.url)
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    def copy(self) -> PreparedRequest:
        """An independent request like this one."""
        hooks = {event: list(functions) for event, functions in self.hooks.items()}
        return PreparedRequest(self.method, self.url, self.headers.copy(), self.body, hooks)

    def register_hook(self, event: str, hook: Any) -> None:
        """Has ``hook`` called with each answer."""
        self.hooks.setdefault(event, []).extend(listed(hook))

    def deregister_hook(self, event: str, hook: Callable[..., Any]) -> bool:
        """Whether ``hook`` was there; it is not any more."""
        try:
            self.hooks.get(event, []).remove(hook)
        except ValueError:
            return False
        return True

    def prepare_cookies(self, _: Any) -> None:
        """Nothing to do: the session's cookies are added when the request is sent."""


class Connection:
    """What a hook sends another request with: ``response.connection.send(request)``."""

    def __init__(self, submit: Callable[[PreparedRequest], Any]) -> None:
        self._submit = submit
        #: Milliseconds that all exchanges took.
        self.response_time_ms = 0.0
        self._last: Any = None

    def send(self, request: PreparedRequest, **_: Any) -> Any:
        """Sends ``request`` and gives its answer; the one before is not counted any more."""
        if self._last is not None:
            self._last._exchange.discard()
        response = self._last = self._submit(request)
        self.response_time_ms += response._exchange.response_time_ms
        response.request = request
        response.connection = self
        return response


def send(
    request: PreparedRequest, auth: Callable[[Any], Any] | None, connection: Connection, arguments: Mapping[str, Any]
) -> Any:
    """Sends ``request`` as ``auth`` changes it, and gives the answer as its hooks leave it.

    A hook that raises one of requests' exceptions makes it the reason why there is no answer.
    """
    if auth is not None:
        request = auth(request) or request
    answer = connection.send(request)
    response: Any = answer
    try:
        for hook in request.hooks.get("response", []):
            for step in answer.history:
                hook(step, **arguments)
            if (changed := hook(response, **arguments)) is not None:
                response = changed  # one of status 400 is false
    except named("RequestException") as error:
        response.error = error
        response.status_code = 0
    return response


def merged_hooks(own: Mapping[str, Any] | None, of_request: Mapping[str, Any] | None) -> Hooks:
    """The session's hooks overlaid with those of the request."""
    hooks = {event: listed(functions) for event, functions in (own or {}).items()}
    hooks.update({event: listed(functions) for event, functions in (of_request or {}).items()})
    return hooks


def listed(hooks: Any) -> list[Any]:
    """One hook, several or none as a list."""
    if hooks is None:
        return []
    return list(hooks) if isinstance(hooks, list | tuple) else [hooks]
