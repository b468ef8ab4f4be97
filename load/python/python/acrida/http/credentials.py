"""User and password, wherever a locustfile puts them."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit


def without_credentials(base_url: str) -> tuple[str, tuple[str, str] | None]:
    """The URL without ``user:password@``, and these apart."""
    url = urlsplit(base_url)
    if not (url.username and url.password):
        return base_url, None
    host = url.netloc.rpartition("@")[2]
    return urlunsplit(url._replace(netloc=host)), (unquote(url.username), unquote(url.password))


def credentials_of(auth: Any) -> tuple[str, str] | None:
    """Basic credentials from a pair or requests' HTTPBasicAuth; None for an object that is to be called."""
    if isinstance(auth, tuple | list) and len(auth) == 2:
        return (str(auth[0]), str(auth[1]))
    if type(auth).__name__ == "HTTPBasicAuth":
        return (str(auth.username), str(auth.password))
    if callable(auth):
        return None
    raise TypeError(f"auth={auth!r}: neither (user, password) nor an object that can be called with the request")
