"""The statistics of a run as listeners read and write them: views on the one ledger.

Nothing is counted here: a look reads the ledger as it is at that moment, and
``log_request`` and ``log_error`` write into it, so that what a listener sees is
what the tables and files of the run say.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import gevent

from acrida._native import Ledger

from .response_context import error_text
from .stats_entry import CachedResponseTimes, CountedEntry, StatsEntry, TotalEntry  # noqa: F401
from .stats_error import CountedError, StatsError
from .util.date import format_utc_timestamp
from .util.rounding import proper_round

if TYPE_CHECKING:
    from .runners import Runner

console_logger = logging.getLogger("locust.stats_logger")

#: Columns of the console's tables.
STATS_NAME_WIDTH = 80
STATS_TYPE_WIDTH = 8
STATS_AUTORESIZE = True
#: Seconds between two tables on the console, rows of ``stats.history``, and states of the CSV files.
CONSOLE_STATS_INTERVAL_SEC: float = 2
HISTORY_STATS_INTERVAL_SEC: float = 5
CSV_STATS_INTERVAL_SEC: float = 1
CSV_STATS_FLUSH_INTERVAL_SEC: float = 5
#: Seconds that "current" percentiles look back.
CURRENT_RESPONSE_TIME_PERCENTILE_WINDOW = 10
#: Fractions: of tables and CSV files, of the web page's statistics, of its charts (six at most).
PERCENTILES_TO_REPORT = [0.50, 0.66, 0.75, 0.80, 0.90, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0]
PERCENTILES_TO_STATISTICS = [0.95, 0.99]
PERCENTILES_TO_CHART = [0.5, 0.95]
#: Entries that ``stats.history`` keeps, the newest: a day and a half.
HISTORY_MAX = 25_920


def bucket_response_time(response_time: float) -> int:
    """The key of ``response_times``: milliseconds at two significant digits. A locustfile may replace it."""
    digits = 0 if response_time < 100 else -1 if response_time < 1000 else -2 if response_time < 10000 else -3
    return int(round(response_time, digits))


def get_readable_percentiles(percentile_list: list[float]) -> list[str]:
    """Fractions as percentages: 0.5 is ``50%``."""
    percents = [round(100 * fraction, 6) for fraction in percentile_list]
    return [f"{int(percent) if float(percent).is_integer() else percent}%" for percent in percents]


def calculate_response_time_percentile(response_times: Mapping[Any, int], num_requests: int, percent: float) -> Any:
    """Of counted times, the one that a share of ``percent`` (0.0 to 1.0) stays within; 0 for none."""
    within, seen = int(num_requests * percent), 0
    for response_time in sorted(response_times, reverse=True):
        seen += response_times[response_time]
        if num_requests - seen <= within:
            return response_time
    return 0


def diff_response_time_dicts(latest: Mapping[Any, int], old: Mapping[Any, int]) -> dict[Any, int]:
    """What ``latest`` counts beyond ``old``."""
    return {time: count - old.get(time, 0) for time, count in latest.items() if count != old.get(time, 0)}


class Entries(Mapping[tuple[str, str], StatsEntry]):
    """The rows by (name, method); one that is not there yet reads as zeros."""

    def __init__(self, stats: RequestStats) -> None:
        self._stats = stats

    def __getitem__(self, key: tuple[Any, Any]) -> StatsEntry:
        name, method = key
        return CountedEntry(self._stats, str(name), str(method))

    def __contains__(self, key: object) -> bool:
        return key in list(self)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return ((name, method) for method, name in self._stats.ledger.snapshot().keys)

    def __len__(self) -> int:
        return len(self._stats.ledger.snapshot().keys)


class RequestStats:
    """Everything counted so far."""

    def __init__(self, use_response_times_cache: bool = True, *, ledger: Any = None) -> None:
        #: The native ledger: what counts.
        self.ledger = ledger or Ledger()
        self.use_response_times_cache = use_response_times_cache
        self.entries = Entries(self)
        #: What a program has assigned to attributes of rows, by name and method.
        self.assigned: dict[tuple[str, str], dict[str, Any]] = {}
        #: The row over all requests.
        self.total: StatsEntry = TotalEntry(self)
        #: Course of the run, see ``stats_history``.
        self.history: list[dict[str, Any]] = []

    num_requests = property(lambda self: self.total.num_requests)
    num_none_requests = property(lambda self: self.total.num_none_requests)
    num_failures = property(lambda self: self.total.num_failures)
    start_time = property(lambda self: self.total.start_time)
    last_request_timestamp = property(lambda self: self.total.last_request_timestamp)

    @property
    def errors(self) -> dict[str, StatsError]:
        """The failure table, by ``StatsError.create_key``."""
        rows = [CountedError(self.ledger, row.method, row.name, row.error) for row in self.ledger.snapshot().failures]
        return {StatsError.create_key(row.method, row.name, row.error): row for row in rows}

    def get(self, name: str, method: str) -> StatsEntry:
        """The row of one endpoint."""
        return self.entries[name, method]

    def log_request(self, method: str, name: str, response_time: float | None, content_length: int) -> None:
        """Counts a request; ``response_time`` is in milliseconds."""
        self.ledger.record(method, name, response_time, content_length or 0, None)

    def log_error(self, method: str, name: str, error: Exception | str | None) -> None:
        """Counts a failure of a request that is counted by ``log_request``."""
        self.ledger.record_error(method, name, error_text(error) or repr(error))

    def reset_all(self) -> None:
        """Begins anew; names stay."""
        self.ledger.reset()
        self._forget()

    def clear_all(self) -> None:
        """Begins anew, without any names."""
        self.ledger.clear()
        self._forget()

    def _forget(self) -> None:
        self.assigned.clear()
        self.history = []

    def serialize_stats(self) -> list[dict[str, Any]]:
        """Every row that counted something, as JSON can hold it."""
        return [entry.serialize() for entry in self.entries.values() if entry.num_requests or entry.num_failures]

    def serialize_errors(self) -> dict[str, dict[str, Any]]:
        """The failure table, as JSON can hold it."""
        return {key: error.serialize() for key, error in self.errors.items()}


def sort_stats(stats: Mapping[Any, Any]) -> list[Any]:
    """The values in the order of their keys."""
    return [stats[key] for key in sorted(stats)]


def get_stats_summary(stats: RequestStats, current: bool = True) -> list[str]:
    """The lines of the console's table."""
    return stats.ledger.snapshot().table(current).splitlines()


def get_percentile_stats_summary(stats: RequestStats) -> list[str]:
    """The lines of the console's table of percentiles."""
    return stats.ledger.snapshot().percentiles_table(PERCENTILES_TO_REPORT).splitlines()


def get_error_report_summary(stats: RequestStats) -> list[str]:
    """The lines of the console's table of failures; none without failures."""
    return stats.ledger.snapshot().error_report().splitlines()


def _say(lines: list[str]) -> None:
    for line in lines:
        console_logger.info(line)


def print_stats(stats: RequestStats, current: bool = True) -> None:
    """Logs the console's table."""
    _say(get_stats_summary(stats, current))


def print_percentile_stats(stats: RequestStats) -> None:
    """Logs the console's table of percentiles."""
    _say(get_percentile_stats_summary(stats))


def print_error_report(stats: RequestStats) -> None:
    """Logs the console's table of failures."""
    _say(get_error_report_summary(stats))


def print_stats_json(stats: RequestStats) -> None:
    """Prints every row as JSON."""
    print(json.dumps(stats.serialize_stats(), indent=4))


def save_stats_json(stats: RequestStats, filename: str) -> None:
    """Writes every row as JSON to ``filename``.json."""
    with open(f"{filename}.json", "w") as file:
        json.dump(stats.serialize_stats(), file, indent=4)


def stats_printer(stats: RequestStats) -> Callable[[], None]:
    """A function that logs the console's table again and again, for a greenlet of its own."""

    def print_for_ever() -> None:
        while True:
            print_stats(stats)
            gevent.sleep(CONSOLE_STATS_INTERVAL_SEC)

    return print_for_ever


def update_stats_history(runner: Runner, timestamp: str | None = None) -> None:
    """Adds the present to ``stats.history``, whose oldest entries go once there are HISTORY_MAX."""
    stats, at = runner.stats, timestamp or format_utc_timestamp(time.time())
    total = stats.total
    figures = {
        f"response_time_percentile_{percent}": total.get_current_response_time_percentile(percent) or 0
        for percent in PERCENTILES_TO_CHART
    }
    figures |= {
        "current_rps": total.current_rps,
        "current_fail_per_sec": total.current_fail_per_sec,
        "total_avg_response_time": proper_round(total.avg_response_time, digits=2),
        "user_count": runner.user_count,
    }
    stats.history.append({**{name: [at, figure] for name, figure in figures.items()}, "time": at})
    del stats.history[:-HISTORY_MAX]


def stats_history(runner: Runner) -> None:
    """Adds to ``stats.history`` again and again while a test is on, for a greenlet of its own."""
    while True:
        if runner.state not in ("ready", "stopped"):
            update_stats_history(runner)
        gevent.sleep(HISTORY_STATS_INTERVAL_SEC)


def validate_stats_configuration() -> None:
    """Ends the program, saying so, if a locustfile set percentiles that make no sense."""
    if len(PERCENTILES_TO_CHART) > 6:
        _refuse("stats.PERCENTILES_TO_CHART parameter should be a maximum of 6 parameters")
    for name, percentiles in (("CHART", PERCENTILES_TO_CHART), ("STATISTICS", PERCENTILES_TO_STATISTICS)):
        for percent in percentiles:
            if not isinstance(percent, float) or not 0 < percent < 1:
                _refuse(
                    f"stats.PERCENTILES_TO_{name} parameter need to be float and value between. 0 < percentile < 1 Eg 0.95"
                )


def _refuse(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.exit(1)


def __getattr__(name: str) -> Any:
    if name in ("StatsCSV", "StatsCSVFileWriter"):
        from . import stats_csv

        return getattr(stats_csv, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
