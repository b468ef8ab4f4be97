"""Rows of the failure table; see ``locust.stats``."""

from __future__ import annotations

import ast
import hashlib
import re
import time
from typing import Any

from .response_context import error_text
from .exception import CatchResponseError


class StatsError:
    """One row of the failure table."""

    def __init__(
        self,
        method: str,
        name: str,
        error: Exception | str | None,
        occurrences: int = 0,
        first_seen: float | None = None,
        last_seen: float | None = None,
    ) -> None:
        self.method = method
        self.name = name
        self.error = error
        self.occurrences = occurrences
        #: Seconds since the epoch.
        self.first_seen = first_seen
        self.last_seen = last_seen

    @classmethod
    def parse_error(cls, error: Exception | str | None) -> str:
        """The text of an error, without memory addresses."""
        return error_text(error) or repr(error)

    @classmethod
    def create_key(cls, method: str, name: str, error: Exception | str | None) -> str:
        """What errors that are counted together have in common."""
        return hashlib.sha256(f"{method}.{name}.{cls.parse_error(error)!r}".encode()).hexdigest()

    def occurred(self) -> None:
        """It happened once more, now."""
        self.occurrences += 1
        self.last_seen = time.time()
        self.first_seen = self.first_seen or self.last_seen

    def to_name(self) -> str:
        """Method, name and text, as in the console's error report."""
        text = self.error.args[0] if isinstance(self.error, CatchResponseError) else self.parse_error(self.error)
        if quoted := re.fullmatch(r"CatchResponseError\((.*)\)", text, re.DOTALL):
            text = _unquoted(quoted.group(1))
        return f"{self.method} {self.name}: {text}"

    def to_dict(self) -> dict[str, Any]:
        """Every attribute, the error as text."""
        names = ("method", "name", "occurrences", "first_seen", "last_seen")
        return {**{name: getattr(self, name) for name in names}, "error": self.parse_error(self.error)}

    serialize = to_dict


class CountedError(StatsError):
    """A row of a run: what was counted is read from the ledger at each look."""

    def __init__(self, ledger: Any, method: str, name: str, error: str) -> None:
        self._ledger = ledger
        self.method = method
        self.name = name
        self.error = error

    def _read(self, name: str, none: Any) -> Any:
        row = self._ledger.failure(self.method, self.name, self.error)
        return none if row is None else getattr(row, name)

    occurrences: int = property(lambda self: self._read("occurrences", 0))  # type: ignore[assignment]
    first_seen: float | None = property(lambda self: self._read("first_seen", None))  # type: ignore[assignment]
    last_seen: float | None = property(lambda self: self._read("last_seen", None))  # type: ignore[assignment]

    def occurred(self) -> None:
        """It happened once more, now."""
        self._ledger.record_error(self.method, self.name, self.error)


def _unquoted(text: str) -> str:
    """What the ``repr()`` of a text stands for; anything else as it is."""
    try:
        value = ast.literal_eval(text)
    except (SyntaxError, ValueError):
        return text
    return value if isinstance(value, str) else text
