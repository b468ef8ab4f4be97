"""The HTTP client of a user: used like a ``requests.Session``, measured beside the socket."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from gevent import get_hub, getcurrent

from acrida import _native, arrivals
from acrida.http import body
from acrida.http.cookies import CookieJar
from acrida.http.headers import CaseInsensitiveDict
from acrida.http.prepared import Connection, PreparedRequest, merged_hooks, send
from acrida.http.proxies import chosen

from .event import RequestEvent
from .response_context import ResponseContextManager, error_text

logger = logging.getLogger(__name__)

NO_CONTEXT: dict[str, Any] = {}


class HttpSession:
    """Sends requests for one user, whose cookies and connections it keeps.

    A URL without scheme and host is relative to ``base_url``. Each method takes
    what its namesake in requests takes, and ``name`` (what to count it as),
    ``catch_response`` (the ``with`` block decides whether it failed) and
    ``context`` (handed to ``request`` listeners).
    """

    # Settings of the session stand on the class until a locustfile changes them,
    # and what has to be an object of its own is made when first looked at: a run
    # has thousands of sessions.
    auth: Any = None
    params: Any = None
    verify: Any = True
    cert: Any = None
    stream = False
    max_redirects = 30
    trust_env = False
    #: Counts requests under this name while set; see ``rename_request``.
    request_name: str | None = None
    _headers_seen = 0
    #: Whether the response time of an iteration's first request counts from its arrival.
    _is_open = False
    #: Seconds to wait where a request does not say.
    _timeout: Any = None
    #: Whether failures are worded as FastHttpUser's.
    _is_fast = False
    #: What requests answer with.
    _response_class = ResponseContextManager

    def __init__(self, base_url: str | None, request_event: RequestEvent, user: Any, pool_manager: Any = None) -> None:
        self.base_url, auth = _without_credentials(base_url or "")
        if auth is not None:
            self.auth = auth
        self.request_event = request_event
        self.user = user
        environment = (request_event if user is None else user).environment
        if environment.is_open:
            self._is_open = True
        # Whoever shares a pool's object shares connections, whatever kind of pool it is.
        self._native = environment.engine.session(None if pool_manager is None else id(pool_manager) >> 4)
        self._pool = pool_manager

    @property
    def headers(self) -> CaseInsensitiveDict:
        """Headers of every request; starts as what the native side sends by itself.

        A mapping that is assigned is copied, and replaces all of them.
        """
        own = self.__dict__
        if "headers" not in own:
            own["headers"] = CaseInsensitiveDict(_native.DEFAULT_HEADERS)
        return own["headers"]

    @headers.setter
    def headers(self, headers: Mapping[str, Any] | None) -> None:
        self.__dict__["headers"] = CaseInsensitiveDict(headers)
        self._headers_seen = -1  # changed, however often the copy has been

    @cached_property
    def hooks(self) -> dict[str, list[Callable[..., Any]]]:
        """Functions called with each response."""
        return {"response": []}

    @cached_property
    def proxies(self) -> dict[str, str]:
        """Proxies by scheme."""
        return {}

    @property
    def cookies(self) -> CookieJar:
        """This session's cookies."""
        return CookieJar(self._native)

    @cookies.setter
    def cookies(self, cookies: Any) -> None:
        jar = CookieJar(self._native)
        jar.clear()
        jar.update(cookies)

    @contextmanager
    def rename_request(self, name: str) -> Generator[None, None, None]:
        """Counts the requests of the block under ``name``."""
        self.request_name = name
        try:
            yield
        finally:
            self.request_name = None

    def request(
        self,
        method: str,
        url: str,
        name: str | None = None,
        catch_response: bool = False,
        context: Mapping[str, Any] = NO_CONTEXT,
        *,
        data: Any = None,
        json: Any = None,
        params: Any = None,
        headers: Mapping[str, Any] | None = None,
        cookies: Any = None,
        files: Any = None,
        auth: Any = None,
        timeout: Any = None,
        allow_redirects: bool = True,
        proxies: Mapping[str, str] | None = None,
        hooks: Mapping[str, Any] | None = None,
        stream: bool | None = None,
        verify: Any = None,
        cert: Any = None,
    ) -> ResponseContextManager:
        """Sends a request and waits for its answer; other users run meanwhile."""
        name = name or self.request_name
        listeners = self.request_event._handlers
        start_time = time.time() if listeners or catch_response else 0.0
        content = content_type = None
        if data is not None or json is not None or files is not None:
            content, content_type = body.encode(data, json, files)
            if type(content) is body.Chunked:
                headers = {**(headers or {}), "Transfer-Encoding": "chunked"}
        if params or self.params:
            url = body.with_params(url, body.merged_params(self.params, params))
        own = self.__dict__
        auth = auth or self.auth
        credentials = _credentials(auth) if auth else None
        through = None
        if proxies or "proxies" in own or self.trust_env:
            through = chosen(self._full_url(url), {**own.get("proxies", {}), **(proxies or {})}, self.trust_env)
        rest = (
            list(cookies.items()) if cookies else None,
            self._timeout if timeout is None else timeout,
            self.max_redirects if allow_redirects else None,
            self.verify if verify is None else verify,
            cert or self.cert,
            through,
            streams := bool(self.stream if stream is None else stream),
        )
        if hooks or "hooks" in own or (auth and credentials is None):
            prepared = PreparedRequest(
                method,
                self._full_url(url),
                _all_headers(self.headers, headers, content, content_type),
                None if content is None else bytes(content),
                merged_hooks(own.get("hooks"), hooks),
            )
            return self._request_prepared(prepared, credentials, auth, name, catch_response, context, rest)
        if "headers" in own and own["headers"]._changed != self._headers_seen:
            self._prepare_headers()
        current = getcurrent()
        exchange = self._native.submit(
            current.switch,
            method,
            self.base_url,
            url,
            name,
            body.merged(self.headers.items(), headers) if headers else None,
            content,
            content_type,
            credentials,
            *rest,
            not catch_response,
            self._is_fast,
            arrivals.taken() if self._is_open else None,
        )
        if type(exchange) is int:  # a ticket: other users run until the exchange is there
            try:
                exchange = get_hub().switch()
                current.others_ran = True
            except BaseException:
                self._native.abandon(exchange)
                raise
        response = self._response_class(exchange)
        if streams:
            response._stream = self._native.stream_of(exchange)
        if catch_response or listeners:
            response._describe(self.request_event, self._whole_context(context), start_time)
            response._verdict_open = catch_response
            if not catch_response:
                self.request_event.tell(**response.request_meta)
        return response

    def _request_prepared(
        self,
        prepared: PreparedRequest,
        credentials: tuple[str, str] | None,
        auth: Any,
        name: str | None,
        catch_response: bool,
        context: Mapping[str, Any],
        rest: tuple[Any, ...],
    ) -> ResponseContextManager:
        """Sends a request that an authentication object or hooks want to see."""
        start_time = time.time()
        first_name = name or prepared.path_url
        _, timeout, _, verify, cert, through, streams = rest

        def submit(request: PreparedRequest) -> ResponseContextManager:
            headers = list(request.headers.items())
            where = (request.method, "", request.url, first_name, headers, request.body, None, credentials)
            exchange = self._native.submit(getcurrent().switch, *where, *rest, False, self._is_fast, arrivals.taken() if self._is_open else None)
            if type(exchange) is int:
                try:
                    exchange = get_hub().switch()
                except BaseException:
                    self._native.abandon(exchange)
                    raise
            answer = self._response_class(exchange)
            answer._stream = self._native.stream_of(exchange) if streams else None
            return answer

        connection = Connection(submit)
        arguments = {"timeout": timeout, "verify": verify, "cert": cert, "proxies": through, "stream": streams}
        response = send(prepared, None if credentials else auth, connection, arguments)
        response._describe(self.request_event, self._whole_context(context), start_time)
        response.request_meta["response_time"] = connection.response_time_ms
        response.request_meta["url"] = prepared.url
        response._verdict_open = True
        if not catch_response:
            response.__exit__(None, None, None)
        return response

    def _whole_context(self, context: Mapping[str, Any]) -> dict[str, Any]:
        return {**({} if self.user is None else self.user.context()), **context}

    def _full_url(self, url: str) -> str:
        return url if re.match("https?://", url, re.IGNORECASE) else f"{self.base_url}{url}"

    def mount(self, prefix: str, adapter: Any) -> None:
        """Accepted, without effect: connections are kept natively, and nothing is sent again."""
        logger.warning("mount(%r, …): transport adapters have no effect; connections are kept natively", prefix)

    def close(self) -> None:
        """Nothing to do: connections are closed with the user."""

    def _prepare_headers(self) -> None:
        """Hands the session's headers to the native side, once for each change."""
        self._headers_seen = self.headers._changed
        self._native.set_headers(body.merged(self.headers.items(), None))

    def get(self, url: str, **kwargs: Any) -> ResponseContextManager:
        """Sends a GET request."""
        return self.request("GET", url, **kwargs)

    def options(self, url: str, **kwargs: Any) -> ResponseContextManager:
        """Sends an OPTIONS request."""
        return self.request("OPTIONS", url, **kwargs)

    def head(self, url: str, **kwargs: Any) -> ResponseContextManager:
        """Sends a HEAD request; does not follow redirects unless asked to."""
        kwargs.setdefault("allow_redirects", False)
        return self.request("HEAD", url, **kwargs)

    def post(self, url: str, data: Any = None, json: Any = None, **kwargs: Any) -> ResponseContextManager:
        """Sends a POST request."""
        return self.request("POST", url, data=data, json=json, **kwargs)

    def put(self, url: str, data: Any = None, **kwargs: Any) -> ResponseContextManager:
        """Sends a PUT request."""
        return self.request("PUT", url, data=data, **kwargs)

    def patch(self, url: str, data: Any = None, **kwargs: Any) -> ResponseContextManager:
        """Sends a PATCH request."""
        return self.request("PATCH", url, data=data, **kwargs)

    def delete(self, url: str, **kwargs: Any) -> ResponseContextManager:
        """Sends a DELETE request."""
        return self.request("DELETE", url, **kwargs)


def _without_credentials(base_url: str) -> tuple[str, tuple[str, str] | None]:
    """The URL without ``user:password@``, and these apart."""
    url = urlsplit(base_url)
    if not (url.username and url.password):
        return base_url, None
    host = url.netloc.rpartition("@")[2]
    return urlunsplit(url._replace(netloc=host)), (unquote(url.username), unquote(url.password))


def _credentials(auth: Any) -> tuple[str, str] | None:
    """Basic credentials from a pair or requests' HTTPBasicAuth; None for an object that is to be called."""
    if isinstance(auth, tuple | list) and len(auth) == 2:
        return (str(auth[0]), str(auth[1]))
    if type(auth).__name__ == "HTTPBasicAuth":
        return (str(auth.username), str(auth.password))
    if callable(auth):
        return None
    raise TypeError(f"auth={auth!r}: neither (user, password) nor an object that can be called with the request")


def _all_headers(
    own: CaseInsensitiveDict, of_request: Mapping[str, Any] | None, content: Any, content_type: str | None
) -> CaseInsensitiveDict:
    """The headers that a request would be sent with, as far as they are known before."""
    headers = CaseInsensitiveDict(body.merged(own.items(), of_request))
    if content is not None and "Transfer-Encoding" not in headers:
        headers["Content-Length"] = str(len(content))
    if content_type is not None:
        headers.setdefault("Content-Type", content_type)
    return headers
