"""FastHttpUser: the same native client, with the manners of Locust's second one.

What differs from HttpUser is what its manual says: requests are named by their
URL as given, certificates are not verified, there are time limits, and failures
are worded as geventhttpclient words them.
"""

from __future__ import annotations

import json as _json
from collections.abc import Callable, Generator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from gevent import getcurrent
from gevent.lock import BoundedSemaphore

from acrida.http.errors import Said
from acrida.http.headers import CaseInsensitiveDict
from acrida.http.response import SentRequest
from acrida.http.ssl_context import choice_of

from ..clients import NO_CONTEXT, HttpSession
from ..clients import ResponseContextManager as _ResponseContextManager
from ..exception import StopTest
from ..user.rest import RestMixin
from ..user.users import User
from ..util.deprecation import DeprecatedFastHttpLocustClass as FastHttpLocust  # noqa: F401

if TYPE_CHECKING:
    from acrida.http.cookies import SessionCookies

    from ..env import Environment


#: Further arguments of ``FastHttpSession.request``. Any other is left aside, as geventhttpclient does.
_KNOWN = {"params", "cookies", "files", "timeout", "proxies", "hooks", "verify", "cert"}


class LocustBadStatusCode(ConnectionError):
    """The status says that the request failed."""

    def __init__(self, url: str | None, code: int) -> None:
        super().__init__(url)
        self.url = url
        self.code = code

    def __str__(self) -> str:
        return f"URL {self.url}: code={self.code}"

    def __repr__(self) -> str:
        return f"LocustBadStatusCode(code={self.code})"


class FastResponse(_ResponseContextManager):
    """An answer; with status 0 and an ``error`` where there is none."""

    def __init__(self, exchange: Any) -> None:
        super().__init__(exchange)
        if self.status_code == 0:
            kind, text, cause = exchange.failure
            original = TimeoutError("timed out") if kind.endswith("Timeout") else None
            self.error = exchange.cause() or Said(text, cause, original)
            self.__dict__["headers"] = None
        elif exchange.is_failure:
            self.error = LocustBadStatusCode(exchange.request_url, self.status_code)

    @property
    def url(self) -> str:  # type: ignore[override]
        """The URL of the request, before redirects."""
        return self._exchange.request_url

    @cached_property
    def request(self) -> SentRequest:
        """The request that this answers; its body as text where it is."""
        sent = SentRequest(self._exchange)
        try:
            sent.body = None if sent.body is None else sent.body.decode()  # type: ignore[assignment]
        except UnicodeDecodeError:
            pass  # Bytes that are no text stay bytes.
        return sent

    @property
    def stream(self) -> Any:
        """The body as a file; with ``stream=True`` it is read while it arrives."""
        return self.raw

    @property
    def text(self) -> str | None:  # type: ignore[override]
        """The body as text; None where there is no answer."""
        return None if self.content is None else super().text

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.status_code < 400

    def json(self, **kwargs: Any) -> Any:
        """The body read as JSON."""
        return _json.loads(self.text, **kwargs)  # type: ignore[arg-type]

    def raise_for_status(self) -> None:
        """Raises what went wrong; an explicit ``success()`` or ``failure()`` goes first."""
        if isinstance(self._manual_result, Exception):
            raise self._manual_result
        if not self._manual_result and self.error is not None:
            raise self.error

    def iter_content(self, chunk_size: int | None = 1024, decode_content: bool = True) -> Generator[Any, None, None]:  # type: ignore[override]
        """The body in pieces of ``chunk_size`` bytes, as text where they are."""
        for piece in super().iter_content(chunk_size):
            if decode_content:
                try:
                    piece = piece.decode("utf-8")
                except UnicodeDecodeError:
                    pass  # Bytes that are no text stay bytes.
            yield piece

    def _default_error(self, name: str) -> Exception | None:
        return self.error


ResponseContextManager = FastResponse
ErrorResponse = FastResponse
RestResponseContextManager = FastResponse


class FastHttpSession(HttpSession):
    """Sends requests for one FastHttpUser."""

    _response_class = FastResponse
    _is_fast = True

    def __init__(
        self,
        base_url: str | None,
        request_event: Any,
        user: Any,
        insecure: bool = True,
        network_timeout: float = 60.0,
        connection_timeout: float = 60.0,
        max_redirects: int = 30,
        headers: Mapping[str, Any] | None = None,
        proxy_host: str | None = None,
        proxy_port: int | None = None,
        client_pool: Any = None,
        concurrency: int = 10,
        ssl_context_factory: Callable[[], Any] | None = None,
        **_: Any,
    ) -> None:
        super().__init__(base_url, request_event, user, pool_manager=client_pool)
        self._shares_slots = client_pool is not None
        self._slots = _slots_of(client_pool) if self._shares_slots else BoundedSemaphore(concurrency)
        self._ssl_context_factory = ssl_context_factory
        if proxy_host:
            self.proxies["all"] = f"http://{proxy_host}:{proxy_port}"
        self.verify = not insecure
        self.max_redirects = max_redirects
        self._timeout = (connection_timeout, network_timeout)
        if headers:
            self.headers.update(headers)

    def request(  # type: ignore[override]
        self,
        method: str,
        url: str,
        name: str | None = None,
        data: Any = None,
        catch_response: bool = False,
        stream: bool = False,
        headers: Mapping[str, Any] | None = None,
        auth: Any = None,
        json: Any = None,
        allow_redirects: bool = True,
        context: Mapping[str, Any] = NO_CONTEXT,
        **kwargs: Any,
    ) -> FastResponse:
        """Sends a request and waits for its answer; other users run meanwhile."""
        kwargs = {known: value for known, value in kwargs.items() if known in _KNOWN} if kwargs else kwargs
        if json is not None and not data:
            data, json = _json.dumps(json), None
            headers = CaseInsensitiveDict(headers or {})
            headers.setdefault("Content-Type", "application/json")
            headers.setdefault("Accept", "application/json")
        # Only what is said is passed on: a request that says nothing is sent sooner.
        if data is not None:
            kwargs["data"] = data
        if json is not None:
            kwargs["json"] = json
        if headers is not None:
            kwargs["headers"] = headers
        if auth is not None:
            kwargs["auth"] = auth
        if stream:
            kwargs["stream"] = True
        if not allow_redirects:
            kwargs["allow_redirects"] = False
        if self._ssl_context_factory is not None:
            self._adopt_ssl_context()
        arguments = (method, url, name or self.request_name or url, catch_response, context)
        user = self.user
        # The user's own greenlet sends one request at a time, and need not ask whether it may.
        if self._slots is None or (user is not None and user._greenlet is getcurrent() and not self._shares_slots):
            return super().request(*arguments, **kwargs)  # type: ignore[return-value]
        with self._slots:
            return super().request(*arguments, **kwargs)  # type: ignore[return-value]

    if TYPE_CHECKING:  # what they answer; what they do is HttpSession's

        def get(self, url: str, **kwargs: Any) -> FastResponse: ...
        def options(self, url: str, **kwargs: Any) -> FastResponse: ...
        def head(self, url: str, **kwargs: Any) -> FastResponse: ...
        def post(self, url: str, data: Any = None, json: Any = None, **kwargs: Any) -> FastResponse: ...
        def put(self, url: str, data: Any = None, **kwargs: Any) -> FastResponse: ...
        def patch(self, url: str, data: Any = None, **kwargs: Any) -> FastResponse: ...
        def delete(self, url: str, **kwargs: Any) -> FastResponse: ...

    @property
    def cookiejar(self) -> SessionCookies:
        """This session's cookies, as Python's http.cookiejar has them."""
        return self.cookies

    def _adopt_ssl_context(self) -> None:
        """Trusts whom the locustfile's context trusts, and has its certificate."""
        self.verify, self.cert = choice_of(self._ssl_context_factory)  # type: ignore[arg-type]
        self._ssl_context_factory = None

    def iter_lines(self, url: str, method: str = "GET", **kwargs: Any) -> Generator[str, None, None]:
        """Sends a request, and gives the answer line by line."""
        response = self.request(method, url, stream=True, **kwargs)
        response.raise_for_status()
        rest = ""
        for piece in response.iter_content(chunk_size=1024, decode_content=True):
            rest += piece.decode("utf-8", errors="replace") if isinstance(piece, bytes) else piece
            *lines, rest = rest.split("\n")
            yield from lines
        if rest:
            yield rest


#: How many requests may be under way in pools that users share.
_slots: WeakKeyDictionary[Any, BoundedSemaphore] = WeakKeyDictionary()


def _slots_of(client_pool: Any) -> BoundedSemaphore | None:
    """Those of geventhttpclient's ``HTTPClientPool(concurrency=…)``, one unless told; any other object has no limit."""
    arguments = getattr(client_pool, "client_args", None)
    if arguments is None:
        return None
    if client_pool not in _slots:
        _slots[client_pool] = BoundedSemaphore(arguments.get("concurrency", 1))
    return _slots[client_pool]


class FastHttpUser(RestMixin[FastResponse], User):
    """A user with an HTTP ``client`` that keeps connections and cookies to itself."""

    abstract = True
    client: FastHttpSession
    #: Seconds without a byte from the server.
    network_timeout: float = 60.0
    #: Seconds until there is a connection.
    connection_timeout: float = 60.0
    max_redirects: int = 30
    max_retries: int = 0
    #: Whether any certificate is accepted.
    insecure: bool = True
    #: Added to every request.
    default_headers: dict | None = None
    #: How many requests may be under way, beside the one of the user's own greenlet.
    concurrency: int = 10
    proxy_host: str | None = None
    proxy_port: int | None = None
    #: Users with the same object here share their connections, of which there are as many as it says.
    client_pool: Any = None
    #: Makes an ``ssl.SSLContext`` that says whom to trust, and has the user's certificate.
    ssl_context_factory: Any = None

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        if self.host is None:
            raise StopTest(
                "You must specify the base host. Either in the host attribute in the User class, "
                "or on the command line using the --host option."
            )
        self.client = FastHttpSession(
            base_url=self.host,
            request_event=self.environment.events.request,
            user=self,
            insecure=self.insecure,
            network_timeout=self.network_timeout,
            connection_timeout=self.connection_timeout,
            max_redirects=self.max_redirects,
            headers=self.default_headers,
            proxy_host=self.proxy_host,
            proxy_port=self.proxy_port,
            client_pool=self.client_pool,
            concurrency=self.concurrency,
            ssl_context_factory=self.ssl_context_factory,
        )
