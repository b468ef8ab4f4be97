"""Acrida: a load tester that runs locustfiles unchanged.

The command enters Rust at once (``acrida._native.main``); the Python beside it
is what has to be a Python class, and answers ``import locust`` during a run.
"""

import sys
from typing import NoReturn

from acrida._native import __version__, main as _main

__all__ = ["__version__", "main"]


def main() -> NoReturn:
    """Console entry point: runs the command line and exits with its code."""
    sys.exit(_main(sys.argv))
