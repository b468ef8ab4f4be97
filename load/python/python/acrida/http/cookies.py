"""A session's cookies, kept beside the socket and shown as a mapping."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any


class CookieJar(MutableMapping[str, str]):
    """Cookies by name, as ``requests`` shows its jar."""

    __slots__ = ("_session",)

    def __init__(self, session: Any) -> None:
        self._session = session

    def set(self, name: str, value: str | None, domain: str = "", path: str = "/", **_: Any) -> None:
        """Sets a cookie; an empty domain means the session's host. None removes it."""
        if value is None:
            self._session.remove_cookie(name)
        else:
            self._session.set_cookie(name, value, domain, path)

    def get_dict(self, domain: str | None = None, path: str | None = None) -> dict[str, str]:
        """Names and values, of one domain or path if given."""
        return {
            name: value
            for name, value, its_domain, its_path in self._session.cookies()
            if domain in (None, its_domain) and path in (None, its_path)
        }

    def update(self, other: Any = (), /, **more: str) -> None:
        """Sets every cookie of a mapping, of pairs, or of another jar."""
        for name, value in other.items() if isinstance(other, Mapping) else other:
            self.set(name, value)
        for name, value in more.items():
            self.set(name, value)

    def clear(self, domain: str | None = None, path: str | None = None, name: str | None = None) -> None:
        """Removes all cookies, or those named."""
        if name is not None:
            self._session.remove_cookie(name)
        else:
            self._session.clear_cookies()

    def __getitem__(self, name: str) -> str:
        return self.get_dict()[name]

    def __setitem__(self, name: str, value: str | None) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        self[name]  # KeyError where there is none
        self._session.remove_cookie(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.get_dict())

    def __len__(self) -> int:
        return len(self.get_dict())

    def __repr__(self) -> str:
        return repr(self.get_dict())
