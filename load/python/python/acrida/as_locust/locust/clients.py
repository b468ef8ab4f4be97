"""The HTTP client of a user: used like a ``requests.Session``, measured beside the socket."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gevent import getcurrent

from acrida import _native, arrivals
from acrida.http import body
from acrida.http.credentials import credentials_of, without_credentials
from acrida.http.headers import CaseInsensitiveDict
from acrida.http.prepared import Connection, PreparedRequest, merged_hooks, send
from acrida.http.proxies import chosen

from .event import RequestEvent
from .response_context import ResponseContextManager

if TYPE_CHECKING:
    from http.cookiejar import CookieJar
    from typing import TypedDict, Unpack

    from acrida.http.cookies import SessionCookies

    class Details(TypedDict, total=False):
        """What a request can say beside its method and URL: requests' arguments."""

        data: Any
        json: Any
        params: Any
        headers: Mapping[str, Any] | None
        cookies: Any
        files: Any
        auth: Any
        timeout: Any
        allow_redirects: bool
        proxies: Mapping[str, str] | None
        hooks: Mapping[str, Any] | None
        stream: bool | None
        verify: Any
        cert: Any


#: A response of ``rest``, whose ``js`` is its JSON.
RestResponseContextManager = ResponseContextManager

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
    #: Seconds to wait where a request does not say.
    _timeout: Any = None
    #: Whether failures are worded as FastHttpUser's.
    _is_fast = False
    #: What requests answer with.
    _response_class = ResponseContextManager
    _hooks: dict[str, list[Callable[..., Any]]] | None = None
    _proxies: dict[str, str] | None = None
    _headers_seen = 0

    def __init__(self, base_url: str | None, request_event: RequestEvent, user: Any, pool_manager: Any = None) -> None:
        # What every request looks at stands on the object, where it is found sooner.
        #: Counts requests under this name while set; see ``rename_request``.
        self.request_name: str | None = None
        self._headers: CaseInsensitiveDict | None = None
        self.base_url, auth = without_credentials(base_url or "")
        if auth is not None:
            self.auth = auth
        self.request_event = request_event
        self.user = user
        environment = (request_event if user is None else user).environment
        #: Who is told that others ran while a request was under way.
        self._waiting_user = user if hasattr(user, "_others_ran") else None
        self._actions = environment.actions
        #: Whether the response time of an iteration's first request counts from its arrival.
        self._is_open = environment.is_open
        # Whoever shares a pool's object shares connections, whatever kind of pool it is.
        self._native = environment.engine.session(None if pool_manager is None else id(pool_manager) >> 4)
        self._pool = pool_manager

    def __setattr__(self, name: str, value: Any) -> None:
        """Sets an attribute; how requests are sent is worked out anew then."""
        #: How requests are sent that say nothing of it themselves; None while each has to be looked at.
        object.__setattr__(self, "_own_options", None)
        object.__setattr__(self, name, value)

    @property
    def headers(self) -> CaseInsensitiveDict:
        """Headers of every request; starts as what the native side sends by itself.

        A mapping that is assigned is copied, and replaces all of them.
        """
        if self._headers is None:
            self._headers = CaseInsensitiveDict(_native.DEFAULT_HEADERS)
        return self._headers

    @headers.setter
    def headers(self, headers: Mapping[str, Any] | None) -> None:
        self._headers = CaseInsensitiveDict(headers)
        self._headers_seen = -1  # changed, however often the copy has been

    @property
    def hooks(self) -> dict[str, list[Callable[..., Any]]]:
        """Functions called with each response."""
        if self._hooks is None:
            self._hooks = {"response": []}
        return self._hooks

    @hooks.setter
    def hooks(self, hooks: dict[str, list[Callable[..., Any]]]) -> None:
        self._hooks = hooks

    @property
    def proxies(self) -> dict[str, str]:
        """Proxies by scheme."""
        if self._proxies is None:
            self._proxies = {}
        return self._proxies

    @proxies.setter
    def proxies(self, proxies: dict[str, str]) -> None:
        self._proxies = proxies

    @property
    def cookies(self) -> SessionCookies:
        """This session's cookies."""
        from acrida.http.cookies import SessionCookies

        return SessionCookies(self._native)

    @cookies.setter
    def cookies(self, cookies: Any) -> None:
        jar = self.cookies
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
        name: Any = None,
        catch_response: bool = False,
        context: Mapping[str, Any] = NO_CONTEXT,
        **details: Unpack[Details],
    ) -> ResponseContextManager:
        """Sends a request and waits for its answer; other users run meanwhile."""
        if details or self._own_options is None:
            return self._request_with(method, url, name, catch_response, context, **details)
        return self._send(method, url, name, catch_response, context, None, None, None, self._own_options, False)

    def _request_with(
        self,
        method: str,
        url: str,
        name: Any,
        catch_response: bool,
        context: Mapping[str, Any],
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
        content = content_type = None
        if data is not None or json is not None or files is not None:
            content, content_type = body.encode(data, json, files)
            if type(content) is body.Chunked:
                headers = {**(headers or {}), "Transfer-Encoding": "chunked"}
        if params or self.params:
            url = body.with_params(url, body.merged_params(self.params, params))
        says_nothing = cookies is auth is timeout is proxies is hooks is stream is verify is cert is None and allow_redirects
        options, streams = self._own_options, False
        if options is None or not says_nothing:
            auth = auth or self.auth
            credentials = credentials_of(auth) if auth else None
            through = None
            if proxies or self._proxies is not None or self.trust_env:
                through = chosen(self._full_url(url), {**(self._proxies or {}), **(proxies or {})}, self.trust_env)
            streams = bool(self.stream if stream is None else stream)
            arguments = {
                "timeout": self._timeout if timeout is None else timeout,
                "verify": self.verify if verify is None else verify,
                "cert": cert or self.cert,
                "proxies": through,
                "stream": streams,
            }
            options = _native.Options(
                credentials,
                _pairs_of(cookies) if cookies else None,
                self.max_redirects if allow_redirects else None,
                self._is_fast,
                **arguments,
            )
            if hooks or self._hooks is not None or (auth and credentials is None):
                prepared = PreparedRequest(
                    method,
                    self._full_url(url),
                    _all_headers(self.headers, headers, content, content_type),
                    content if content is None or isinstance(content, _native.Unsendable) else bytes(content),
                    merged_hooks(self._hooks, hooks),
                )
                judge = None if credentials else auth
                return self._send_prepared(prepared, judge, arguments, name, catch_response, context, options)
            if says_nothing and not streams and self.params is None and self._proxies is None and not self.trust_env:
                self._own_options = options
        merged = body.merged(self.headers.items(), headers) if headers else None
        return self._send(method, url, name, catch_response, context, merged, content, content_type, options, streams)

    # What a TypeError calls it.
    _request_with.__qualname__ = request.__qualname__

    def _send(
        self,
        method: str,
        url: str,
        name: Any,
        catch_response: bool,
        context: Mapping[str, Any],
        headers: list[tuple[str, Any]] | None,
        content: Any,
        content_type: str | None,
        options: _native.Options,
        streams: bool,
    ) -> ResponseContextManager:
        """Sends a request whose arguments have been made out; None for ``headers`` are the session's own."""
        listeners = self.request_event._handlers
        start_time = time.time() if listeners or catch_response else 0.0
        if self._headers is not None and self._headers._changed != self._headers_seen:
            self._prepare_headers()
        current = getcurrent()
        exchange = self._native.submit(
            current,
            method,
            self.base_url,
            url,
            name or self.request_name,
            headers,
            content,
            content_type,
            options,
            not catch_response,
            arrivals.taken() if self._is_open else None,
        )
        if type(exchange) is int:  # a ticket: other users run until the exchange is there
            if catch_response:
                current.verdict_is_open = True  # the block is about to be entered
            try:
                exchange = self._actions.wait()
            except BaseException:
                current.verdict_is_open = False
                self._native.abandon(exchange)
                raise
            if self._waiting_user is not None:
                self._waiting_user._others_ran = True
        response = self._response_class(exchange)
        if streams:
            response._stream = self._native.stream_of(exchange)
        if catch_response or listeners:
            response._describe(self.request_event, self._whole_context(context), start_time)
            response._verdict_open = catch_response
            current.verdict_is_open = False  # until it is entered
            if not catch_response:
                self.request_event.tell(**response.request_meta)
        return response

    def _send_prepared(
        self,
        prepared: PreparedRequest,
        auth: Any,
        arguments: dict[str, Any],
        name: Any,
        catch_response: bool,
        context: Mapping[str, Any],
        options: _native.Options,
    ) -> ResponseContextManager:
        """Sends a request that an authentication object or hooks want to see."""
        start_time = time.time()
        first_name = name or self.request_name or prepared.path_url

        def submit(request: PreparedRequest) -> ResponseContextManager:
            headers = list(request.headers.items())
            where = (request.method, "", request.url, first_name, headers, request.body, None, options)
            exchange = self._native.submit(getcurrent(), *where, False, arrivals.taken() if self._is_open else None)
            if type(exchange) is int:
                try:
                    exchange = self._actions.wait()
                except BaseException:
                    self._native.abandon(exchange)
                    raise
            answer = self._response_class(exchange)
            answer._stream = self._native.stream_of(exchange) if options.streams else None
            return answer

        connection = Connection(submit)
        response = send(prepared, auth, connection, arguments)
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
        self._native.set_headers(body.merged(self.headers.items(), None), self._is_fast)

    def get(self, url: str, **kwargs: Any) -> ResponseContextManager:
        """Sends a GET request."""
        # Handing on no keywords costs as much as handing on some.
        return self.request("GET", url, **kwargs) if kwargs else self.request("GET", url)

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


def _pairs_of(cookies: Mapping[str, str] | CookieJar) -> list[tuple[str, str]]:
    """Names and values of a request's own cookies."""
    if isinstance(cookies, Mapping):
        return list(cookies.items())
    return [(each.name, each.value or "") for each in cookies]


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
