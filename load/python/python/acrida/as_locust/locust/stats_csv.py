"""The CSV files of a run for programs that use Locust as a library; see ``locust.stats``."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path
from typing import Any

import gevent

from acrida._native import history_header

from . import stats


class StatsCSV:
    """Writes the statistics of an environment as CSV."""

    def __init__(self, environment: Any, percentiles_to_report: list[float]) -> None:
        self.environment = environment
        self.percentiles_to_report = percentiles_to_report

    def _snapshot(self) -> Any:
        return self.environment.stats.ledger.snapshot()

    def requests_csv(self, csv_writer: Any) -> None:
        """Header and rows of the requests, to a ``csv.writer``."""
        _copy(self._snapshot().stats_csv(self.percentiles_to_report), csv_writer)

    def failures_csv(self, csv_writer: Any) -> None:
        """Header and rows of the failures."""
        _copy(self._snapshot().failures_csv(), csv_writer)

    def exceptions_csv(self, csv_writer: Any) -> None:
        """Header and rows of what tasks raised."""
        _copy(self._snapshot().exceptions_csv(), csv_writer)


class StatsCSVFileWriter(StatsCSV):
    """Keeps ``PREFIX_stats.csv`` and its companions up to date while it is called.

    The files are complete after every interval, and once more after ``close_files``.
    """

    def __init__(
        self, environment: Any, percentiles_to_report: list[float], base_filepath: str, full_history: bool = False
    ) -> None:
        super().__init__(environment, percentiles_to_report)
        self.base_filepath = base_filepath
        self.full_history = full_history
        header = history_header(percentiles_to_report)
        self._history = open(self.stats_history_file_name(), "w", newline="")
        self._history.write(header)
        self._write()

    def __call__(self) -> None:
        self.stats_writer()

    def stats_writer(self) -> None:
        """Writes again and again, for a greenlet of its own."""
        while True:
            snapshot = self._write()
            self._history.write(snapshot.history_rows(self.percentiles_to_report, self.full_history))
            self._history.flush()
            gevent.sleep(stats.CSV_STATS_INTERVAL_SEC)

    def _write(self) -> Any:
        snapshot = self._snapshot()
        for kind, text in (
            ("stats", snapshot.stats_csv(self.percentiles_to_report)),
            ("failures", snapshot.failures_csv()),
            ("exceptions", snapshot.exceptions_csv()),
        ):
            Path(f"{self.base_filepath}_{kind}.csv").write_text(text, newline="")
        return snapshot

    def stats_history_file_name(self) -> str:
        """The file that grows."""
        return f"{self.base_filepath}_stats_history.csv"

    def close_files(self) -> None:
        """Writes for the last time."""
        if not self._history.closed:
            self._write()
            self._history.close()


def _copy(text: str, csv_writer: Any) -> None:
    for row in csv.reader(StringIO(text)):
        csv_writer.writerow(row)
