"""The statistics of a run as listeners read them: a view on the one ledger."""

from __future__ import annotations

from typing import Any

PERCENTILES_TO_REPORT = [0.50, 0.66, 0.75, 0.80, 0.90, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0]


class RequestStats:
    """Everything counted so far; each look takes a fresh snapshot."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    @property
    def total(self) -> Any:
        """The row over all requests."""
        return self._engine.snapshot().total

    @property
    def entries(self) -> dict[tuple[str, str], Any]:
        """Rows by (name, method)."""
        return {(entry.name, entry.method): entry for entry in self._engine.snapshot().entries}

    @property
    def errors(self) -> list[Any]:
        """The failure table."""
        return self._engine.snapshot().failures

    def get(self, name: str, method: str) -> Any:
        """The row of one endpoint; KeyError if nothing was counted for it."""
        return self.entries[name, method]

    @property
    def num_requests(self) -> int:
        """All requests."""
        return self.total.num_requests

    @property
    def num_failures(self) -> int:
        """All failed requests."""
        return self.total.num_failures
