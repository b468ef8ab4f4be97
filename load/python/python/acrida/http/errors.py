"""The exceptions of an exchange, under the names that ``requests`` gives them.

Where the locustfile's environment has ``requests`` loaded, they *are* that
package's classes, so that ``except requests.exceptions.…`` catches them; where
it has not, the stand-ins below have the same names and the same hierarchy.
Source: the documented exceptions of requests 2.
"""

from __future__ import annotations

import json
import sys
from typing import Any


class RequestException(IOError):
    """Anything that kept a request from getting its answer."""

    def __init__(self, *args: Any, request: Any = None, response: Any = None) -> None:
        super().__init__(*args)
        self.request = request
        self.response = response


class HTTPError(RequestException):
    """A status of 400 or above."""


class ConnectionError(RequestException):
    """The connection could not be made, or broke."""


class ProxyError(ConnectionError):
    """The proxy could not be used."""


class SSLError(ConnectionError):
    """TLS could not be agreed on, or the certificate is not trusted."""


class Timeout(RequestException):
    """The server took too long."""


class ConnectTimeout(ConnectionError, Timeout):
    """The connection took too long to make."""


class ReadTimeout(Timeout):
    """The server sent nothing for too long."""


class TooManyRedirects(RequestException):
    """More redirects than allowed."""


class MissingSchema(RequestException, ValueError):
    """The URL does not say http or https."""


class InvalidSchema(RequestException, ValueError):
    """The URL says something other than http or https."""


class InvalidURL(RequestException, ValueError):
    """The URL cannot be read."""


class InvalidProxyURL(InvalidURL):
    """The URL of a proxy cannot be used."""


class InvalidHeader(RequestException, ValueError):
    """A header cannot be sent."""


class ChunkedEncodingError(RequestException):
    """The body ended early or was framed wrongly."""


class ContentDecodingError(RequestException):
    """The body could not be decompressed."""


class InvalidJSONError(RequestException):
    """The value cannot be written as JSON."""


class JSONDecodeError(InvalidJSONError, json.JSONDecodeError):
    """The body is not JSON."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        json.JSONDecodeError.__init__(self, *args)
        self.request = kwargs.get("request")
        self.response = kwargs.get("response")


class CookieConflictError(RuntimeError):
    """Several cookies have the name that was asked for."""


def named(name: str) -> type[Exception]:
    """The exception class called ``name``: requests' own where it is loaded."""
    module = "requests.cookies" if name == "CookieConflictError" else "requests.exceptions"
    return getattr(sys.modules.get(module), name, None) or globals()[name]


class Said(Exception):
    """An inner exception of which only its text and its ``repr()`` are known, and perhaps
    what caused it in turn."""

    def __init__(self, text: str, shown: str, original: Exception | None = None) -> None:
        super().__init__(text)
        self._shown = shown
        self.original = original

    def __repr__(self) -> str:
        return self._shown


def raised(kind: str, text: str, cause: str) -> Exception:
    """The exception ``kind`` with ``str()`` ``text``, around what shows as ``cause``."""
    inside = cause[len(kind) + 1 : -1] if cause.startswith(f"{kind}(") else cause
    return named(kind)(Said(text, inside))


def cause_of(error: Exception) -> Exception:
    """What the failure table shows of ``error``: Locust digs below connection errors."""
    inner = error.args[0] if error.args else None
    if type(error).__name__ in ("ConnectionError", "ConnectTimeout", "ProxyError") and isinstance(inner, Said):
        return inner
    return error
