"""How busy the interpreter is, which users wait for."""

from __future__ import annotations

import os
import time


def busy_seconds() -> float:
    """Seconds that this thread ran, or waited for a core that others had.

    Source: /proc/PID/schedstat, proc(5); where there is none, time spent running.
    """
    try:
        with open("/proc/thread-self/schedstat") as schedstat:
            running_ns, waiting_ns = schedstat.read().split()[:2]
            return (int(running_ns) + int(waiting_ns)) / 1e9
    except (OSError, ValueError):
        return time.thread_time()


def resident_memory() -> int:
    """Bytes of memory that this process has; 0 where the system does not tell."""
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0
