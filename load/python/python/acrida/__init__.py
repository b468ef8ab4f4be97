"""Acrida: a load tester that runs locustfiles unchanged.

The command enters Rust at once (``acrida._native.main``); the Python beside it
is what has to be a Python class, and answers ``import locust`` during a run.
"""

import atexit
import logging
import os
import sys
import threading
import time
from typing import NoReturn

from acrida._native import __version__, main as _main

__all__ = ["__version__", "main"]

#: How long threads that a locustfile left running may hold up the end of the program.
THREADS_GRACE_S = 5.0


def main() -> NoReturn:
    """Console entry point: runs the command line and exits with its code."""
    code = _main(sys.argv)
    _await_threads(code)
    sys.exit(code)


def _await_threads(code: int) -> None:
    """Waits for threads of a locustfile, which the interpreter would wait for without end;
    ends the process without those that go on."""
    until = time.monotonic() + THREADS_GRACE_S
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread() and not thread.daemon]
    for thread in others:
        thread.join(max(0.0, until - time.monotonic()))
    if left := [thread.name for thread in others if thread.is_alive()]:
        names = ", ".join(left[:5]) + (", …" if len(left) > 5 else "")
        text = f"acrida: leaving behind {len(left)} thread(s) of the locustfile that did not end: {names}"
        print(text, file=sys.stderr)
        atexit._run_exitfuncs()
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
