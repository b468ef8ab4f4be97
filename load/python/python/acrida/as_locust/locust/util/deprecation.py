"""Names that Locust had before its version 1: using one says what it is called now."""

from __future__ import annotations

from typing import Any


def _renamed(old: str, new: str) -> Any:
    class Renamed(type):
        def __new__(mcs, classname: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
            if bases:
                raise ImportError(f"The {old} class has been renamed to {new} in version 1.0.")
            return super().__new__(mcs, classname, bases, namespace)

    return Renamed(old, (), {})


DeprecatedLocustClass = _renamed("Locust", "User")
DeprecatedHttpLocustClass = _renamed("HttpLocust", "HttpUser")
DeprecatedFastHttpLocustClass = _renamed("FastHttpLocust", "FastHttpUser")
