"""What a request answers with: the attributes and methods of ``requests.Response``.

Headers, text and bodies are built from the exchange when they are asked for.
"""

from __future__ import annotations

import codecs
import json as _json
import re
from collections.abc import Iterator
from datetime import timedelta
from functools import cached_property
from io import BufferedReader, BytesIO
from typing import TYPE_CHECKING, Any

from acrida.http.errors import named
from acrida.http.headers import CaseInsensitiveDict
from acrida.http.stream import StreamFile, pieces

if TYPE_CHECKING:
    from acrida.http.cookies import Cookies

#: A link of the header ``Link``: its URL and its parameters, which are one or more of the second form.
_LINK = re.compile(r'<([^>]*)>((?:\s*;\s*[\w*-]+\s*=\s*(?:"[^"]*"|[^",;\s]+))*)')
_PARAMETER = re.compile(r'([\w*-]+)\s*=\s*"?([^"]*?)"?\s*(?=;|$)')


class SentRequest:
    """The request as it was sent."""

    def __init__(self, exchange: Any) -> None:
        self.method: str = exchange.sent_method
        self.url: str = exchange.sent_url
        self.body: bytes | None = exchange.request_body
        self.headers = CaseInsensitiveDict(exchange.request_headers)

    @property
    def path_url(self) -> str:
        """The path and query of the URL."""
        return self.url.split("://", 1)[-1].partition("/")[2].join(("/", ""))


class Response:
    """An answer, or, with ``status_code`` 0 and an ``error``, the reason why there is none."""

    #: Why there is no answer; None where there is one.
    error: Exception | None = None
    #: The native stream of a body that is read while it arrives; None for one that is there.
    _stream: Any = None
    _is_consumed = False

    def __init__(self, exchange: Any) -> None:
        self._exchange = exchange
        self.status_code: int = exchange.status

    @property
    def reason(self) -> str | None:
        """The text beside the status."""
        return self._exchange.reason

    @cached_property
    def url(self) -> str | None:
        """Where the answer came from, after redirects."""
        return self._exchange.url

    @cached_property
    def headers(self) -> CaseInsensitiveDict:
        """The answer's headers; repeated ones are joined with a comma."""
        joined: dict[str, tuple[str, str]] = {}
        for name, value in self._exchange.headers:
            before = joined.get(name.lower())
            joined[name.lower()] = (name, value) if before is None else (before[0], f"{before[1]}, {value}")
        return CaseInsensitiveDict(joined.values())

    @cached_property
    def content(self) -> bytes | None:
        """The body, decompressed; None where there is no answer."""
        if self._stream is None:
            return self._exchange.body
        return b"".join(self._pieces())

    def _pieces(self) -> Iterator[bytes]:
        """The body as it arrives, or as it is; RuntimeError if it has been read."""
        if self._stream is None or "content" in self.__dict__:
            return iter((self.content or b"",))
        if self._is_consumed:
            raise RuntimeError("The content for this response was already consumed")
        self._is_consumed = True
        return pieces(self._stream)

    @cached_property
    def encoding(self) -> str | None:
        """The body's character set: the server's word, or the default of its type."""
        content_type = self.headers.get("content-type", "").lower()
        if named_by_server := re.search(r"charset=[\"']?([^\s;\"']+)", content_type):
            return named_by_server.group(1)
        if "text" in content_type:
            return "ISO-8859-1"
        return "utf-8" if "application/json" in content_type else None

    @property
    def apparent_encoding(self) -> str:
        """The character set that the body looks like."""
        content = self.content or b""
        if content.isascii():
            return "ascii"
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            return "ISO-8859-1"
        return "utf-8"

    @property
    def text(self) -> str:
        """The body as text."""
        content = self.content
        if not content:
            return ""
        try:
            return content.decode(self.encoding or self.apparent_encoding, errors="replace")
        except LookupError:
            return content.decode("utf-8", errors="replace")

    def json(self, **kwargs: Any) -> Any:
        """The body read as JSON; ``requests.exceptions.JSONDecodeError`` if it is not."""
        try:
            return _json.loads(self.content or b"", **kwargs)
        except UnicodeDecodeError:
            return _json.loads(self.text, **kwargs)
        except _json.JSONDecodeError as error:
            raise named("JSONDecodeError")(error.msg, error.doc, error.pos) from error

    @cached_property
    def raw(self) -> Any:
        """The body as a file, decompressed."""
        if self._stream is None:
            return BytesIO(self.content or b"")
        self._is_consumed = True
        return BufferedReader(StreamFile(self._stream))

    @cached_property
    def cookies(self) -> Cookies:
        """The cookies that this answer set."""
        from acrida.http.cookies import Cookies, of_fields

        return Cookies(map(of_fields, self._exchange.cookies))

    @cached_property
    def elapsed(self) -> timedelta:
        """Time from sending the last request to its answer."""
        return timedelta(microseconds=self._exchange.elapsed_us)

    @cached_property
    def history(self) -> list[Response]:
        """The redirects on the way here, oldest first."""
        return [Response(step) for step in self._exchange.history]

    @cached_property
    def request(self) -> SentRequest:
        """The request that this answers."""
        return SentRequest(self._exchange)

    @property
    def ok(self) -> bool:
        """Whether ``raise_for_status`` would not raise."""
        try:
            self.raise_for_status()
        except Exception:
            return False
        return True

    def __bool__(self) -> bool:
        return self.ok

    def __iter__(self) -> Iterator[bytes]:
        return self.iter_content(128)

    def __repr__(self) -> str:
        return f"<Response [{self.status_code}]>"

    @property
    def links(self) -> dict[str, dict[str, str]]:
        """What the header ``Link`` leads to: parameters, ``url`` among them, by ``rel`` or else by URL."""
        links = {}
        for url, parameters in _LINK.findall(self.headers.get("link") or ""):
            link = {"url": url, **dict(_PARAMETER.findall(parameters))}
            links[link.get("rel") or url] = link
        return links

    @property
    def is_redirect(self) -> bool:
        """Whether the answer points elsewhere."""
        return "location" in self.headers and self.status_code in (301, 302, 303, 307, 308)

    @property
    def is_permanent_redirect(self) -> bool:
        """Whether it does so for good."""
        return "location" in self.headers and self.status_code in (301, 308)

    def raise_for_status(self) -> None:
        """Raises the error that kept the answer away, or HTTPError from status 400."""
        if self.error is not None:
            raise self.error
        if self.status_code >= 400:
            whose = "Client" if self.status_code < 500 else "Server"
            raise named("HTTPError")(
                f"{self.status_code} {whose} Error: {self.reason} for url: {self.url}", response=self
            )

    def iter_content(self, chunk_size: int | None = 1, decode_unicode: bool = False) -> Iterator[Any]:
        """The body in pieces of at most ``chunk_size`` bytes, as they arrive if it is streamed."""
        if decode_unicode and self.encoding:
            return self._decoded(chunk_size, codecs.getincrementaldecoder(self.encoding)(errors="replace"))
        return self._sliced(chunk_size)

    def _sliced(self, size: int | None) -> Iterator[bytes]:
        for piece in self._pieces():
            step = size or len(piece) or 1
            yield from (piece[at : at + step] for at in range(0, len(piece), step))

    def _decoded(self, size: int | None, decoder: Any) -> Iterator[str]:
        for piece in self._sliced(size):
            if text := decoder.decode(piece):
                yield text
        if rest := decoder.decode(b"", final=True):
            yield rest

    def iter_lines(
        self, chunk_size: int = 512, decode_unicode: bool = False, delimiter: Any = None
    ) -> Iterator[Any]:
        """The body line by line, as they arrive if it is streamed."""
        rest: Any = None
        for piece in self.iter_content(chunk_size, decode_unicode):
            piece = piece if rest is None else rest + piece
            lines = piece.split(delimiter) if delimiter else piece.splitlines()
            # What does not end with a line's end goes on in the next piece.
            rest = lines.pop() if lines and lines[-1] and piece and lines[-1][-1] == piece[-1] else None
            yield from lines
        if rest is not None:
            yield rest

    def close(self) -> None:
        """The rest of a streamed body is not wanted."""
        if self._stream is not None:
            self._stream.close()
