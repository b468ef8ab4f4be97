"""Which proxy a request goes through, from mappings such as requests takes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from acrida._native import Proxies


def chosen(url: str, proxies: Mapping[str, str] | None, trust_env: bool) -> Proxies | None:
    """The proxies for a request to ``url`` and its redirects; None for none.

    Keys are ``http``, ``https`` or ``all``, alone or with a host (``http://host``), which
    then is the stronger. With ``trust_env`` the environment's proxies come after them.
    """
    host = urlsplit(url).hostname or ""
    known: dict[str, str] = {}
    if trust_env:
        # It takes its time, and few runs need it.
        from urllib.request import getproxies, proxy_bypass

        if not proxy_bypass(host):
            known.update(getproxies())
    known.update(proxies or {})
    http, https = (_for_scheme(known, scheme, host) for scheme in ("http", "https"))
    return _native(http, https) if http or https else None


def _for_scheme(proxies: Mapping[str, str], scheme: str, host: str) -> str | None:
    keys = (f"{scheme}://{host}", scheme, f"all://{host}", "all")
    return next((proxies[key] for key in keys if proxies.get(key)), None)


#: A locustfile names few proxies, and often.
_native = lru_cache(maxsize=100)(Proxies)
