"""Header names compare without regard to case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any


class CaseInsensitiveDict(MutableMapping[str, Any]):
    """A mapping that keeps the spelling of a key and ignores its case when looking."""

    __slots__ = ("_changed", "_store")

    def __init__(self, data: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None, **kwargs: Any) -> None:
        self._store: dict[str, tuple[str, Any]] = {}
        #: Counts changes, so that what was derived from the mapping can be kept until it changes.
        self._changed = 0
        self.update(data or {}, **kwargs)

    def __setitem__(self, key: str, value: Any) -> None:
        self._store[_folded(key)] = (key, value)
        self._changed += 1

    def __getitem__(self, key: str) -> Any:
        return self._store[_folded(key)][1]

    def __delitem__(self, key: str) -> None:
        del self._store[_folded(key)]
        self._changed += 1

    def __iter__(self) -> Iterator[str]:
        return (spelled for spelled, _ in self._store.values())

    def __len__(self) -> int:
        return len(self._store)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        return self.folded() == CaseInsensitiveDict(other).folded()

    def __repr__(self) -> str:
        return repr(dict(self.items()))

    def folded(self) -> dict[str, Any]:
        """The values by lower-case name."""
        return {name: value for name, (_, value) in self._store.items()}

    def copy(self) -> CaseInsensitiveDict:
        """An independent mapping with the same content."""
        return CaseInsensitiveDict(self._store.values())


def _folded(key: Any) -> str:
    return (key.decode("latin-1") if isinstance(key, bytes) else key).lower()
