"""Rows of the statistics: those that a program makes itself, and those of a run; see ``locust.stats``."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict, namedtuple
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from acrida._native import Ledger

from . import stats as _stats  # whose constants and functions locustfiles may change
from .response_context import error_text
from .exception import LocustError
from .util.rounding import proper_round

if TYPE_CHECKING:
    from .stats import RequestStats

CachedResponseTimes = namedtuple("CachedResponseTimes", ["response_times", "num_requests", "num_none_requests"])

#: Seconds around the beginning of the window that "current" percentiles accept a kept state from.
_WINDOW_SLACK_S = 8
#: "Current" rates are averages from so many seconds before the run's last request to so many.
_RATE_FROM_S, _RATE_TO_S = 12, 3

#: What a row counts; everything else follows from it.
_COUNTED = {
    "start_time": "When it started to count, in seconds since the epoch.",
    "last_request_timestamp": "In seconds since the epoch; None before the first request.",
    "num_requests": "All requests.",
    "num_none_requests": "Requests without a response time.",
    "num_failures": "Failed requests.",
    "total_response_time": "Sum of the response times.",
    "min_response_time": "None where nothing was timed.",
    "max_response_time": "0 where nothing was timed.",
    "total_content_length": "Bytes of all answers.",
    "num_reqs_per_sec": "Requests by the second in which they finished.",
    "num_fail_per_sec": "Failures likewise.",
    "response_times": "Requests by response time, as ``bucket_response_time`` rounds it.",
}


class StatsEntry:
    """One row, which counts what it is told. Times are in milliseconds.

    Rows of a run come from ``RequestStats``. One that a program makes itself counts
    apart, as exactly as ``bucket_response_time`` rounds.
    """

    def __init__(
        self, stats: RequestStats | None, name: str, method: str, use_response_times_cache: bool = False
    ) -> None:
        self.stats = stats
        #: What the requests are counted under, and their method.
        self.name = name
        self.method = method
        #: Whether each second's state is kept for ``get_current_response_time_percentile``.
        self.use_response_times_cache = use_response_times_cache
        #: The states by second, the newest 20.
        self.response_times_cache: Any = None
        self.reset()

    def reset(self) -> None:
        """Forgets what was counted."""
        self.start_time = time.time()
        self.last_request_timestamp: float | None = None
        self.num_requests = self.num_none_requests = self.num_failures = 0
        self.total_response_time: float = 0
        self.min_response_time: float | None = None
        self.max_response_time: float = 0
        self.total_content_length = 0
        self.num_reqs_per_sec: dict[int, int] = Counter()
        self.num_fail_per_sec: dict[int, int] = Counter()
        self.response_times: dict[int, int] = Counter()
        if self.use_response_times_cache:
            self.response_times_cache = OrderedDict()
            self._keep_state(int(self.start_time))

    def log(self, response_time: float | None, content_length: int) -> None:
        """Counts a request."""
        now = time.time()
        if self.use_response_times_cache and self.last_request_timestamp and int(now) > int(self.last_request_timestamp):
            self._keep_state(int(now) - 1)
        self.num_requests += 1
        self.num_reqs_per_sec[int(now)] += 1
        self.last_request_timestamp = now
        self.total_content_length += content_length or 0
        if response_time is None:
            self.num_none_requests += 1
            return
        self.total_response_time += response_time
        self.min_response_time = _least(self.min_response_time, response_time)
        self.max_response_time = max(self.max_response_time, response_time)
        self.response_times[_stats.bucket_response_time(response_time)] += 1

    def log_error(self, error: Exception | str | None) -> None:
        """Counts a failure of a request that is counted by ``log``."""
        self.num_failures += 1
        self.num_fail_per_sec[int(time.time())] += 1

    def extend(self, other: StatsEntry) -> None:
        """Adds what another row counted."""
        before = int(self.last_request_timestamp or 0)
        self.start_time = min(self.start_time, other.start_time)
        self.last_request_timestamp = max(filter(None, (self.last_request_timestamp, other.last_request_timestamp)), default=None)
        self.min_response_time = _least(self.min_response_time, other.min_response_time)
        self.max_response_time = max(self.max_response_time, other.max_response_time)
        for name in ("num_requests", "num_none_requests", "num_failures", "total_response_time", "total_content_length"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("response_times", "num_reqs_per_sec", "num_fail_per_sec"):
            setattr(self, name, Counter(getattr(self, name)) + Counter(getattr(other, name)))
        last = int(self.last_request_timestamp or 0)
        if self.use_response_times_cache and last > before:
            self._keep_state(last)

    def _keep_state(self, second: int) -> None:
        cache = self.response_times_cache
        cache[second] = CachedResponseTimes(dict(self.response_times), self.num_requests, self.num_none_requests)
        while len(cache) > _stats.CURRENT_RESPONSE_TIME_PERCENTILE_WINDOW + 10:
            cache.popitem(last=False)

    @property
    def fail_ratio(self) -> float:
        """Failures among requests, 0.0 to 1.0."""
        return self.num_failures / self.num_requests if self.num_requests else float(self.num_failures > 0)

    @property
    def _timed(self) -> int:
        return self.num_requests - self.num_none_requests

    @property
    def avg_response_time(self) -> float:
        """0 where nothing was timed."""
        return self.total_response_time / self._timed if self._timed else 0.0

    @property
    def median_response_time(self) -> float:
        """0 where nothing was timed."""
        median = self.get_response_time_percentile(0.5)
        return min(max(median, self.min_response_time or 0), self.max_response_time) if self.response_times else 0

    @property
    def avg_content_length(self) -> float:
        """Bytes."""
        return self.total_content_length / self.num_requests if self.num_requests else 0

    @property
    def current_rps(self) -> float:
        """Requests a second of the run, over its last ten seconds."""
        return self._current_rate(self.num_reqs_per_sec)

    @property
    def current_fail_per_sec(self) -> float:
        """Failures likewise."""
        return self._current_rate(self.num_fail_per_sec)

    @property
    def total_rps(self) -> float:
        """Requests a second, over the whole run."""
        return self._total_rate(self.num_requests)

    @property
    def total_fail_per_sec(self) -> float:
        """Failures likewise."""
        return self._total_rate(self.num_failures)

    def _current_rate(self, by_second: dict[int, int]) -> float:
        start, last = _run_times(self.stats)
        seconds = range(max(int(last) - _RATE_FROM_S, int(start)), int(last) - _RATE_TO_S + 1)
        return sum(by_second.get(second, 0) for second in seconds) / len(seconds) if last and seconds else 0.0

    def _total_rate(self, count: int) -> float:
        start, last = _run_times(self.stats)
        return count / (last - start) if start and last and last != start else 0.0

    def get_response_time_percentile(self, percent: float) -> float:
        """The time that a share of ``percent`` (0.0 to 1.0) stays within; 0 where nothing was timed."""
        return _stats.calculate_response_time_percentile(self.response_times, self._timed, percent)

    def get_current_response_time_percentile(self, percent: float) -> float | None:
        """The same of about the last ten seconds; None if nothing is kept of their beginning."""
        if not self.use_response_times_cache:
            raise ValueError("current percentiles need use_response_times_cache=True")
        begin = int(time.time()) - _stats.CURRENT_RESPONSE_TIME_PERCENTILE_WINDOW
        near = sorted(range(begin - _WINDOW_SLACK_S, begin + _WINDOW_SLACK_S + 1), key=lambda second: abs(second - begin))
        kept = next((self.response_times_cache[second] for second in near if second in self.response_times_cache), None)
        if kept is None:
            return None
        times = _stats.diff_response_time_dicts(self.response_times, kept.response_times)
        timed = self._timed - (kept.num_requests - kept.num_none_requests)
        return _stats.calculate_response_time_percentile(times, timed, percent)

    def serialize(self) -> dict[str, Any]:
        """The counts, as JSON can hold them."""
        return {name: getattr(self, name) for name in ("name", "method", *_COUNTED)}

    @classmethod
    def unserialize(cls, data: dict[str, Any], stats: RequestStats) -> StatsEntry:
        """A row that counted what ``serialize`` has told."""
        entry = StatsEntry(stats, data["name"], data["method"])
        for name in _COUNTED.keys() & data.keys():
            setattr(entry, name, data[name])
        return entry

    def get_stripped_report(self) -> dict[str, Any]:
        """``serialize``, then ``reset``."""
        report = self.serialize()
        self.reset()
        return report

    def to_dict(self, escape_string_values: bool = False) -> dict[str, Any]:
        """What the web page's table shows."""
        percentiles = {
            f"response_time_percentile_{percent}": self.get_response_time_percentile(percent)
            for percent in _stats.PERCENTILES_TO_STATISTICS
        }
        names = (
            "method name num_requests num_failures current_rps current_fail_per_sec avg_response_time "
            "median_response_time total_rps total_fail_per_sec avg_content_length"
        )
        rounded = {name: proper_round(getattr(self, name) or 0) for name in ("min_response_time", "max_response_time")}
        return {**{name: getattr(self, name) for name in names.split()}, **rounded, **percentiles}

    def to_string(self, current: bool = True) -> str:
        """The row as the console's table has it, with current rates or those of the whole run."""
        rps, fails = (
            (self.current_rps, self.current_fail_per_sec) if current else (self.total_rps, self.total_fail_per_sec)
        )
        failures = f"{self.num_failures}({self.fail_ratio * 100:.2f}%)"
        times = (self.avg_response_time, self.min_response_time or 0, self.max_response_time, self.median_response_time)
        name_width = _stats.STATS_NAME_WIDTH - _stats.STATS_TYPE_WIDTH + 4
        return (
            f"{self.method:<{_stats.STATS_TYPE_WIDTH}} {self.name:<{name_width}} "
            f"{self.num_requests:>7} {failures:>12} |{int(times[0]):>7} {int(times[1]):>7} {int(times[2]):>7}"
            f"{int(times[3]):>7} | {rps:>7.2f} {fails:>11.2f}"
        )

    __str__ = to_string

    def percentile(self) -> str:
        """The row as the console's table of percentiles has it; ValueError without requests."""
        if not self.num_requests:
            raise ValueError("Can't calculate percentile on url with no successful requests")
        first, *rest = (int(self.get_response_time_percentile(percent)) for percent in _stats.PERCENTILES_TO_REPORT)
        numbers = " ".join([f"{first:>8}", *(f"{number:>6}" for number in (*rest, self.num_requests))])
        return f"{self.method:<{_stats.STATS_TYPE_WIDTH}} {self.name:<{_stats.STATS_NAME_WIDTH}} {numbers}"


def _least(one: float | None, other: float | None) -> float | None:
    return min((time for time in (one, other) if time is not None), default=None)


def _run_times(stats: RequestStats | None) -> tuple[float, float]:
    """When a run started, and when its last request finished; 0 for never."""
    return (0, 0) if stats is None else (stats.start_time or 0, stats.last_request_timestamp or 0)


class CountedEntry(StatsEntry):
    """A row of a run: each look reads the one ledger.

    What a program assigns to an attribute it reads back, and the other figures of
    these statistics follow from it; tables and files of the run do not.
    """

    def __init__(self, stats: RequestStats, name: str, method: str) -> None:
        self.stats: RequestStats = stats
        self.name = name
        self.method = method
        self.use_response_times_cache = stats.use_response_times_cache

    @property
    def response_times_cache(self) -> dict[int, Any] | None:  # type: ignore[override]
        """Empty: the ledger remembers the newest seconds by itself. None where nothing is to be kept."""
        return {} if self.use_response_times_cache else None

    def _row(self) -> Any:
        return self.stats.ledger.entry(self.method, self.name)

    def log(self, response_time: float | None, content_length: int) -> None:
        """Counts a request."""
        self.stats.ledger.record(self.method, self.name, response_time, content_length or 0, None, None)

    def log_error(self, error: Exception | str | None) -> None:
        """Counts a failure of a request that is counted by ``log``."""
        self.stats.ledger.record_error(self.method, self.name, error_text(error) or repr(error))

    def extend(self, other: StatsEntry) -> None:
        """Adds what another row counted, to the row over all requests, too."""
        row = other._row() if isinstance(other, CountedEntry) else _counted_apart(other).total()
        self.stats.ledger.absorb_row(self.method, self.name, row)

    def reset(self) -> None:
        """Forgets what this row counted; the row over all requests stays."""
        self.stats.assigned.pop((self.name, self.method), None)
        self.stats.ledger.reset_entry(self.method, self.name)

    def get_response_time_percentile(self, percent: float) -> float:
        """The time that a share of ``percent`` (0.0 to 1.0) stays within; 0 where nothing was timed."""
        if self.stats.assigned:
            return super().get_response_time_percentile(percent)
        return self._row().get_response_time_percentile(percent)

    def get_current_response_time_percentile(self, percent: float) -> float | None:
        """The same of the last ten seconds; None if nothing was timed in them."""
        return self._row().get_current_response_time_percentile(percent)


class TotalEntry(CountedEntry):
    """The row over all requests."""

    def __init__(self, stats: RequestStats) -> None:
        super().__init__(stats, "Aggregated", "")

    def _row(self) -> Any:
        return self.stats.ledger.total()

    def reset(self) -> None:
        """Forgets what this row counted; the other rows stay."""
        self.stats.assigned.pop((self.name, self.method), None)
        self.stats.ledger.reset_total()

    def _cannot_count(self, *_: Any) -> None:
        """LocustError: what the other rows count is counted here by itself."""
        raise LocustError("the row over all requests counts what the other rows count")

    log = log_error = extend = _cannot_count  # type: ignore[assignment]


def _counted_apart(entry: StatsEntry) -> Ledger:
    """A ledger with what a row of a program's own counted."""
    ledger = Ledger()
    times = list(Counter(entry.response_times).elements()) + [None] * entry.num_none_requests
    bytes_left = entry.total_content_length
    for time_ms in times:
        ledger.record(entry.method, entry.name, time_ms, bytes_left, None, None)
        bytes_left = 0
    for _ in range(entry.num_failures):
        ledger.record_error(entry.method, entry.name, "")
    return ledger


def _read(entry: CountedEntry, name: str) -> Any:
    value = getattr(entry._row(), name)
    if name != "response_times":
        return value
    counts: Counter[int] = Counter()
    for response_time, count in value:
        counts[_stats.bucket_response_time(response_time)] += count
    return dict(counts)


def _counted(name: str, doc: str) -> Any:
    """What is read from the ledger unless a program has assigned something."""

    def read(entry: CountedEntry) -> Any:
        assigned = entry.stats.assigned.get((entry.name, entry.method), {})
        return assigned[name] if name in assigned else _read(entry, name)

    def assign(entry: CountedEntry, value: Any) -> None:
        entry.stats.assigned.setdefault((entry.name, entry.method), {})[name] = value

    return property(read, assign, doc=doc)


def _follows(name: str) -> Any:
    """What the ledger knows exactly, and follows from what a program has assigned if it has."""
    derived: Callable[[Any], Any] = getattr(StatsEntry, name).fget

    def read(entry: CountedEntry) -> Any:
        return derived(entry) if entry.stats.assigned else getattr(entry._row(), name)

    return property(read, doc=getattr(StatsEntry, name).__doc__)


for _name, _doc in _COUNTED.items():
    setattr(CountedEntry, _name, _counted(_name, _doc))
for _name in (
    "fail_ratio avg_response_time median_response_time avg_content_length "
    "current_rps current_fail_per_sec total_rps total_fail_per_sec"
).split():
    setattr(CountedEntry, _name, _follows(_name))
