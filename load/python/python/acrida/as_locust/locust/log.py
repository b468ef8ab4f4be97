"""Python's logging, in the lines that Locust prints."""

from __future__ import annotations

import logging
import os
import re
import socket
from collections import deque
from collections.abc import Callable
from typing import Any

from acrida._native import remember_log_line

HOSTNAME = re.sub(r"\..*", "", socket.gethostname())

#: Set once a listener or a greenlet raised where nobody could catch it; the
#: process then exits with 2 unless something stronger decides the code.
unhandled_greenlet_exception = False


#: Lines that ``get_logs`` remembers.
LOGS_MAX = 500


class LogReader(logging.Handler):
    """Remembers the newest lines, and shows them on the web page."""

    def __init__(self) -> None:
        super().__init__()
        self.logs: deque[str] = deque(maxlen=LOGS_MAX)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record)
            self.logs.append(line)
            remember_log_line(line)
        except Exception:
            self.handleError(record)


def setup_logging(loglevel: str, logfile: str | None = None) -> None:
    """Sends log records to stderr, or to ``logfile``; the tables of ``locust.stats`` to stderr as they are."""
    if logfile:
        if folder := os.path.dirname(logfile):
            os.makedirs(folder, exist_ok=True)
        handler: logging.Handler = logging.FileHandler(logfile)
    else:
        handler = logging.StreamHandler()
    root = logging.getLogger()
    root.handlers[:] = [handler, LogReader()]
    for each in root.handlers:
        each.setFormatter(logging.Formatter(f"[%(asctime)s] {HOSTNAME}/%(levelname)s/%(name)s: %(message)s"))
    root.setLevel(loglevel.upper())
    tables = logging.getLogger("locust.stats_logger")
    tables.handlers[:] = [logging.StreamHandler()]
    tables.setLevel(logging.INFO)
    tables.propagate = False


def get_logs() -> list[str]:
    """The newest lines that were logged since ``setup_logging``."""
    readers = [handler for handler in logging.getLogger().handlers if isinstance(handler, LogReader)]
    return list(readers[0].logs) if readers else []


def greenlet_exception_logger(logger: logging.Logger, level: int = logging.CRITICAL) -> Callable[[Any], None]:
    """For ``Greenlet.link_exception``: logs what the greenlet raised, and marks the run (exit code 2)."""

    def log_exception(greenlet: Any) -> None:
        global unhandled_greenlet_exception
        kind, error, _ = greenlet.exc_info
        if kind is SystemExit:
            logger.log(min(logging.INFO, level), "sys.exit(%s) called (use log level DEBUG for callstack)", error)
            level_of_trace = logging.DEBUG
        else:
            level_of_trace = level
        logger.log(level_of_trace, "Unhandled exception in greenlet: %s", greenlet, exc_info=greenlet.exc_info)
        unhandled_greenlet_exception = True

    return log_exception
