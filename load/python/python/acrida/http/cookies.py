"""Cookies, as ``requests`` shows its jar; a session's are kept beside the socket.

Imported where a locustfile first looks at cookies, since Python's http.cookiejar takes
long to import and few do.

Source: the documented RequestsCookieJar of requests 2, and Python's http.cookiejar.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, MutableMapping
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy, http2time
from http.cookies import Morsel
from threading import RLock
from typing import Any

from acrida.http.errors import named


#: The latest end that is told apart from a later one, in seconds since 1970.
_FOREVER = 1 << 62


class Cookies(CookieJar, MutableMapping[str, "str | None"]):
    """Cookies by name. As in requests, ``keys()``, ``values()`` and ``items()`` are lists
    with an entry for each cookie, and a ``for`` loop gives whole cookies."""

    def __init__(self, cookies: Iterable[Cookie] = ()) -> None:
        super().__init__()
        for cookie in cookies:
            self.set_cookie(cookie)

    def _matching(self, domain: str | None, path: str | None) -> list[Cookie]:
        return [each for each in self if domain in (None, each.domain) and path in (None, each.path)]

    def _only(self, name: str, domain: str | None = None, path: str | None = None) -> str | None:
        """The value of the one cookie that is meant; KeyError if there is none, requests'
        CookieConflictError if there are several."""
        found = [each for each in self._matching(domain, path) if each.name == name]
        if len(found) > 1:
            raise named("CookieConflictError")(f"There are multiple cookies with name, {name!r}")
        if not found:
            raise KeyError(f"{name=}, {domain=}, {path=}")  # In requests' words, which reports show.
        return found[0].value

    def get(self, name: str, default: Any = None, domain: str | None = None, path: str | None = None) -> Any:
        """The value of a cookie, of one domain or path if given; CookieConflictError if
        several are meant."""
        try:
            return self._only(name, domain, path)
        except KeyError:
            return default

    def get_dict(self, domain: str | None = None, path: str | None = None) -> dict[str, str | None]:
        """Names and values, of one domain or path if given."""
        return {each.name: each.value for each in self._matching(domain, path)}

    def set(self, name: str, value: str | Morsel[Any] | None, **attributes: Any) -> Cookie | None:
        """Sets a cookie and returns it; attributes are those of ``http.cookiejar.Cookie``.
        An empty domain means every host. None removes it."""
        if value is None:
            self._remove(name, attributes.get("domain"), attributes.get("path"))
            return None
        cookie = of_morsel(value) if isinstance(value, Morsel) else made(name, value, **attributes)
        self.set_cookie(cookie)
        return cookie

    def set_cookie(self, cookie: Cookie) -> None:
        """Sets a cookie with all its attributes."""
        super().set_cookie(_unescaped(cookie))

    def _remove(self, name: str, domain: str | None = None, path: str | None = None) -> None:
        for cookie in self._matching(domain, path):
            if cookie.name == name:
                self.clear(cookie.domain, cookie.path, name)

    def update(self, other: Any = ()) -> None:  # type: ignore[override]
        """Sets every cookie of a mapping, of pairs, or of another jar."""
        if isinstance(other, CookieJar):
            for cookie in other:
                self.set_cookie(cookie)
        else:
            super().update(other)

    def iterkeys(self) -> Iterator[str]:
        """The names."""
        return (each.name for each in self)

    def itervalues(self) -> Iterator[str | None]:
        """The values."""
        return (each.value for each in self)

    def iteritems(self) -> Iterator[tuple[str, str | None]]:
        """Names with their values."""
        return ((each.name, each.value) for each in self)

    def keys(self) -> list[str]:  # type: ignore[override]
        """The names."""
        return list(self.iterkeys())

    def values(self) -> list[str | None]:  # type: ignore[override]
        """The values."""
        return list(self.itervalues())

    def items(self) -> list[tuple[str, str | None]]:  # type: ignore[override]
        """Names with their values."""
        return list(self.iteritems())

    def list_domains(self) -> list[str]:
        """Every domain, once."""
        return list(dict.fromkeys(each.domain for each in self))

    def list_paths(self) -> list[str]:
        """Every path, once."""
        return list(dict.fromkeys(each.path for each in self))

    def multiple_domains(self) -> bool:
        """Whether a domain has several cookies."""
        domains = [each.domain for each in self]
        return len(set(domains)) < len(domains)

    def copy(self) -> Cookies:
        """The same cookies, kept by themselves."""
        return Cookies(self)

    def __reduce__(self) -> Any:
        return Cookies, (list(self),)

    def __getitem__(self, name: str) -> str | None:
        return self._only(name)

    def __setitem__(self, name: str, value: str | None) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        self._remove(name)

    def __contains__(self, name: object) -> bool:
        return any(each.name == name for each in self)

    def __repr__(self) -> str:
        return f"<RequestsCookieJar[{', '.join(map(repr, self))}]>"

    def __str__(self) -> str:
        return f"<RequestsCookieJar[{', '.join(map(str, self))}]>"


class SessionCookies(Cookies):
    """The cookies of a session, which the native side keeps, sends and receives."""

    # Shared, since they hold nothing of a session's.
    _policy = DefaultCookiePolicy()
    _cookies_lock = RLock()

    def __init__(self, session: Any) -> None:
        self._session = session

    @property
    def _cookies(self) -> dict[str, dict[str, dict[str, Cookie]]]:
        """By domain, path and name, where http.cookiejar looks for them."""
        found: dict[str, dict[str, dict[str, Cookie]]] = {}
        for fields in self._session.cookies():
            cookie = of_fields(fields)
            found.setdefault(cookie.domain, {}).setdefault(cookie.path, {})[cookie.name] = cookie
        return found

    def set_cookie(self, cookie: Cookie) -> None:
        """Sets a cookie with all its attributes that sending depends on."""
        cookie = _unescaped(cookie)
        expires = None if cookie.expires is None else min(max(int(cookie.expires), 0), _FOREVER)
        value = cookie.value or ""
        self._session.set_cookie(cookie.name, value, cookie.domain, cookie.path, bool(cookie.secure), expires)

    def clear(self, domain: str | None = None, path: str | None = None, name: str | None = None) -> None:
        """Removes all cookies, those of a domain, of a path of it, or one; KeyError if
        there are none of that domain or path, ValueError for a name or path alone."""
        if name is not None and None in (domain, path):
            raise ValueError("domain and path must be given to remove a cookie by name")
        if path is not None and domain is None:
            raise ValueError("domain must be given to remove cookies by path")
        if not self._session.remove_cookies(domain, path, name) and domain is not None:
            raise KeyError(domain)


def made(name: str, value: str, **attributes: Any) -> Cookie:
    """A cookie with the attributes that requests gives one that has none of its own;
    TypeError for unknown ones."""
    fields: dict[str, Any] = {
        "version": 0,
        "port": None,
        "domain": "",
        "path": "/",
        "secure": False,
        "expires": None,
        "discard": True,
        "comment": None,
        "comment_url": None,
        "rest": {"HttpOnly": None},
        "rfc2109": False,
    }
    unknown = [each for each in attributes if each not in fields]
    if unknown:
        raise TypeError(f"create_cookie() got unexpected keyword arguments: {unknown}")
    fields.update(attributes)
    return Cookie(
        name=name,
        value=value,
        port_specified=bool(fields["port"]),
        domain_specified=bool(fields["domain"]),
        domain_initial_dot=fields["domain"].startswith("."),
        path_specified=bool(fields["path"]),
        **fields,
    )


def of_fields(fields: tuple[str, str, str, str, bool, int | None]) -> Cookie:
    """The cookie that the native side describes so."""
    name, value, domain, path, secure, expires = fields
    return made(name, value, domain=domain, path=path, secure=secure, expires=expires, discard=expires is None, rest={})


def of_morsel(morsel: Morsel[Any]) -> Cookie:
    """The cookie that Python's http.cookies describes so; TypeError if its age is no number."""
    age, date = morsel["max-age"], morsel["expires"]
    try:
        expires = int(time.time()) + int(age) if age else http2time(date) if date else None
    except ValueError:
        raise TypeError(f"max-age: {age} must be integer") from None
    attributes = {"domain": morsel["domain"], "path": morsel["path"], "secure": bool(morsel["secure"])}
    return made(morsel.key, morsel.value, expires=expires, discard=False, **attributes)


def _unescaped(cookie: Cookie) -> Cookie:
    """As requests, which drops escaped quotation marks inside others."""
    value = cookie.value
    if value is not None and value.startswith('"') and value.endswith('"'):
        cookie.value = value.replace('\\"', "")
    return cookie
