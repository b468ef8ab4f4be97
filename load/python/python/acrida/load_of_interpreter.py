"""How busy the interpreter is, which users wait for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from gevent import get_hub, sleep

#: Seconds between two looks at whether greenlets get to run.
LOOK_INTERVAL_S = 0.1
#: Seconds without a turn for anybody that are worth telling; below, a busy interpreter is like that.
PAUSE_MIN_S = 0.5


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


class Pauses:
    """When nobody could run, since a call did not let go of the interpreter."""

    def __init__(self) -> None:
        self.count = 0
        self.longest_s = 0.0
        self.total_s = 0.0

    def watch(self, tell: Callable[[float, float], None]) -> None:
        """Looks until its greenlet is killed, and tells how many seconds late each look was and in how many the next is due."""
        loop = get_hub().loop
        late_s = 0.0
        while True:
            tell(late_s, LOOK_INTERVAL_S)
            loop.update_now()  # a timer counts from the loop's own idea of now, which is old while greenlets run
            due = time.monotonic() + LOOK_INTERVAL_S
            sleep(LOOK_INTERVAL_S)
            late_s = max(0.0, time.monotonic() - due)
            self._woke(late_s)

    def _woke(self, late_s: float) -> None:
        if late_s >= PAUSE_MIN_S:
            self.count += 1
            self.longest_s = max(self.longest_s, late_s)
            self.total_s += late_s
