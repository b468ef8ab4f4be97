"""A CSV file with a line for every request, written by a ``request`` listener.

``--csv-requests`` writes a like file beside the socket, without Python's part.
"""

from __future__ import annotations

import csv
import time
from typing import Any, TextIO

#: The file's header.
CSV_COLUMNS = (
    "timestamp",
    "request_type",
    "name",
    "response_time_ms",
    "response_length",
    "status_code",
    "exception",
)


def _status_code(response: Any, exception: Any) -> int:
    """The status of an answer; 0 where there is none."""
    if response is None:
        return 0
    try:
        return int(response.status_code)
    except (AttributeError, TypeError, ValueError):
        return 0


class CsvRequestLogger:
    """Writes to ``filepath``, whose folder has to exist, from ``register`` to the end of the run.

    What was written is on disk after every ``flush_interval`` lines.
    """

    def __init__(self, filepath: str, *, flush_interval: int = 1) -> None:
        self.filepath = filepath
        self.flush_interval = max(1, flush_interval)
        self._filehandle: TextIO | None = None
        self._writer: Any = None
        self._pending = 0

    def register(self, environment: Any) -> None:
        """Begins the file anew, and listens to the events of ``environment``."""
        self.close()
        self._filehandle = open(self.filepath, "w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._filehandle)
        self._writer.writerow(CSV_COLUMNS)
        self._filehandle.flush()
        environment.events.request.add_listener(self._on_request)
        environment.events.quitting.add_listener(self._on_quitting)

    def close(self) -> None:
        """Closes the file; nothing is written any more."""
        if self._filehandle is not None:
            self._filehandle.close()
        self._filehandle = self._writer = None
        self._pending = 0

    def _on_request(
        self,
        *,
        request_type: str,
        name: str,
        response_time: float | None,
        response_length: int,
        exception: Any = None,
        response: Any = None,
        start_time: float | None = None,
        **_: Any,
    ) -> None:
        if self._filehandle is None:
            return
        began = time.time() if start_time is None else start_time
        shown_time = "" if response_time is None else round(response_time, 2)
        error = "" if exception is None else str(exception)
        status = _status_code(response, exception)
        self._writer.writerow([round(began, 6), request_type, name, shown_time, response_length, status, error])
        self._pending += 1
        if self._pending >= self.flush_interval:
            self._filehandle.flush()
            self._pending = 0

    def _on_quitting(self, **_: Any) -> None:
        self.close()
