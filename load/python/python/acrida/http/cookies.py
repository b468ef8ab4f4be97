"""Cookies, kept beside the socket and shown as ``requests`` shows its jar."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, NamedTuple


class Cookie(NamedTuple):
    """One cookie; an empty domain is the host that the request went to."""

    name: str
    value: str
    domain: str = ""
    path: str = "/"


class Cookies(MutableMapping[str, str]):
    """Cookies by name. As in requests, ``keys()``, ``values()`` and ``items()`` are lists,
    and a ``for`` loop gives whole cookies."""

    __slots__ = ()

    def _all(self) -> list[Cookie]:
        raise NotImplementedError

    def set(self, name: str, value: str | None, domain: str = "", path: str = "/", **_: Any) -> None:
        """Sets a cookie; an empty domain means the session's host. None removes it."""
        raise NotImplementedError

    def clear(self, domain: str | None = None, path: str | None = None, name: str | None = None) -> None:
        """Removes all cookies, or those named."""
        raise NotImplementedError

    def get_dict(self, domain: str | None = None, path: str | None = None) -> dict[str, str]:
        """Names and values, of one domain or path if given."""
        found = (each for each in self._all() if domain in (None, each.domain) and path in (None, each.path))
        return {each.name: each.value for each in found}

    def get(self, name: str, default: Any = None, domain: str | None = None, path: str | None = None) -> Any:
        """The value of a cookie, of one domain or path if given."""
        return self.get_dict(domain, path).get(name, default)

    def update(self, other: Any = (), /, **more: str) -> None:
        """Sets every cookie of a mapping, of pairs, or of another jar."""
        for name, value in other.items() if isinstance(other, Mapping) else other:
            self.set(name, value)
        for name, value in more.items():
            self.set(name, value)

    def keys(self) -> list[str]:  # type: ignore[override]
        """The names."""
        return list(self.get_dict())

    def values(self) -> list[str]:  # type: ignore[override]
        """The values."""
        return list(self.get_dict().values())

    def items(self) -> list[tuple[str, str]]:  # type: ignore[override]
        """Names with their values."""
        return list(self.get_dict().items())

    def __getitem__(self, name: str) -> str:
        found = self.get_dict()
        if name not in found:
            raise KeyError(f"{name=}, domain=None, path=None")  # In requests' words, which reports show.
        return found[name]

    def __setitem__(self, name: str, value: str | None) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        self[name]  # KeyError where there is none
        self.set(name, None)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __eq__(self, other: object) -> bool:
        return self.get_dict() == (other.get_dict() if isinstance(other, Cookies) else other)

    def __repr__(self) -> str:
        return repr(self.get_dict())


class CookieJar(Cookies):
    """The cookies of a session, which the native side sends and receives."""

    __slots__ = ("_session",)

    def __init__(self, session: Any) -> None:
        self._session = session

    def _all(self) -> list[Cookie]:
        return [Cookie(*each) for each in self._session.cookies()]

    def set(self, name: str, value: str | None, domain: str = "", path: str = "/", **_: Any) -> None:
        """Sets a cookie; an empty domain means the session's host. None removes it."""
        if value is None:
            self._session.remove_cookie(name)
        else:
            self._session.set_cookie(name, value, domain, path)

    def clear(self, domain: str | None = None, path: str | None = None, name: str | None = None) -> None:
        """Removes all cookies, or those named."""
        if name is not None:
            self._session.remove_cookie(name)
        else:
            self._session.clear_cookies()


class AnswerCookies(Cookies):
    """The cookies that one answer has set; changing them changes no session."""

    __slots__ = ("_cookies",)

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._cookies = {name: Cookie(name, value) for name, value in pairs}

    def _all(self) -> list[Cookie]:
        return list(self._cookies.values())

    def set(self, name: str, value: str | None, domain: str = "", path: str = "/", **_: Any) -> None:
        """Changes, adds or (None) removes a cookie."""
        if value is None:
            self._cookies.pop(name, None)
        else:
            self._cookies[name] = Cookie(name, value, domain, path)

    def clear(self, domain: str | None = None, path: str | None = None, name: str | None = None) -> None:
        """Removes all cookies, or those named."""
        if name is not None:
            self._cookies.pop(name, None)
        else:
            self._cookies.clear()
