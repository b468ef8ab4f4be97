"""Python's logging, in the lines that Locust prints."""

from __future__ import annotations

import logging
import os
import re
import socket

from acrida._native import remember_log_line

HOSTNAME = re.sub(r"\..*", "", socket.gethostname())

#: Set once a listener or a greenlet raised where nobody could catch it; the
#: process then exits with 2 unless something stronger decides the code.
unhandled_greenlet_exception = False


class PageHandler(logging.Handler):
    """Shows records on the web page."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            remember_log_line(self.format(record))
        except Exception:
            self.handleError(record)


def setup_logging(loglevel: str, logfile: str | None = None) -> None:
    """Sends the root logger's records to stderr, or to ``logfile``."""
    if logfile:
        if folder := os.path.dirname(logfile):
            os.makedirs(folder, exist_ok=True)
        handler: logging.Handler = logging.FileHandler(logfile)
    else:
        handler = logging.StreamHandler()
    root = logging.getLogger()
    root.handlers[:] = [handler, PageHandler()]
    for each in root.handlers:
        each.setFormatter(logging.Formatter(f"[%(asctime)s] {HOSTNAME}/%(levelname)s/%(name)s: %(message)s"))
    root.setLevel(loglevel.upper())
