"""Times as texts."""

from __future__ import annotations

from datetime import datetime, timezone


def format_utc_timestamp(unix_timestamp: float) -> str:
    """Seconds since the epoch as ``2026-01-31T12:00:00Z``."""
    return datetime.fromtimestamp(int(unix_timestamp), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_safe_timestamp(unix_timestamp: float) -> str:
    """Local time that can stand in a file's name: ``2026-01-31-12h00``."""
    return datetime.fromtimestamp(int(unix_timestamp)).strftime("%Y-%m-%d-%Hh%M")


def format_duration(start_time: float, end_time: float) -> str:
    """The time between two moments in words: ``1 hour, 2 minutes and 3 seconds``."""
    left, words = int(end_time - start_time), []
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        count, left = divmod(left, length)
        if count > 0:
            words.append(f"{count} {unit}{'' if count == 1 else 's'}")
    if len(words) < 2:
        return words[0] if words else "0 seconds"
    return f"{', '.join(words[:-1])} and {words[-1]}"
