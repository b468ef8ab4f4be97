"""Time spans such as ``1h20m``."""

from __future__ import annotations

import re

_SPAN = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def parse_timespan(time_str: str) -> int:
    """Seconds of ``20``, ``20s``, ``3m``, ``1h20m`` or ``3h30m10s``; ValueError for anything else."""
    if re.fullmatch(r"\d+", time_str or ""):
        return int(time_str)
    parts = _SPAN.fullmatch(time_str or "")
    if parts is None or not any(parts.groups()):
        raise ValueError("Invalid time span format. Valid formats: 20, 20s, 3m, 2h, 1h20m, 3h30m10s, etc.")
    hours, minutes, seconds = (int(part or 0) for part in parts.groups())
    return hours * 3600 + minutes * 60 + seconds
