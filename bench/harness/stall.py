"""What response times a server that stalls implies for requests that come at a rate. Pure."""

from __future__ import annotations

#: Requests per second.
RATE = 200
#: `/stalling` of bench-target: 20 ms of work, none of it during the last 500 ms of each period,
#: the first of which begins a little before the first request.
PERIOD_S = 5
WORK_MS, STALL_MS, AHEAD_MS = 20.0, 500.0, 2.5
#: Columns of the CSV, with their fractions.
PERCENTILES = {"90%": 0.9, "95%": 0.95, "99%": 0.99, "100%": 1.0}


def implied_ms(seconds: int) -> list[float]:
    """Percentiles of the response times, from when each request was due."""
    count = RATE * seconds
    times = sorted(response_time_ms(number * 1000 / RATE + AHEAD_MS) for number in range(count))
    return [times[min(int(count * fraction), count - 1)] for fraction in PERCENTILES.values()]


def response_time_ms(at_ms: float) -> float:
    """Of a request that comes at this time of the server's first period, or later."""
    period_ms = 1000.0 * PERIOD_S
    into = at_ms % period_ms
    until_stall = period_ms - STALL_MS - into
    if until_stall >= WORK_MS:
        return WORK_MS
    return WORK_MS + min(STALL_MS, STALL_MS + until_stall)
