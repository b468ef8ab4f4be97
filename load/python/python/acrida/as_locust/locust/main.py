"""What programs import from Locust's command: how it makes environments, and its version."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import locust

from acrida import __version__
from acrida._native import main as _main

from .env import Environment
from .event import Events
from .util.load_locustfile import is_shape_class, is_user_class, load_locustfile, load_locustfile_pytest

__all__ = [
    "COMMON_OPTIONS",
    "create_environment",
    "is_shape_class",
    "is_user_class",
    "load_locustfile",
    "load_locustfile_pytest",
    "main",
    "version",
]

version = __version__
#: Options that a load shape decides instead: attribute and flag.
COMMON_OPTIONS = {"num_users": "users", "spawn_rate": "spawn-rate", "run_time": "run-time"}


def create_environment(
    user_classes: list[Any],
    options: Any,
    events: Events | None = None,
    shape_class: Any = None,
    locustfile: str | None = None,
    **more: Any,
) -> Environment:
    """An environment with the settings of ``options``, as ``argument_parser.get_parser()`` reads them."""
    return Environment(
        locustfile=locustfile,
        user_classes=user_classes,
        shape_class=shape_class,
        events=events or locust.events,
        host=options.host,
        reset_stats=options.reset_stats,
        stop_timeout=options.stop_timeout,
        parsed_options=options,
        **more,
    )


def main() -> NoReturn:
    """Runs the command with this program's arguments, and exits with its code."""
    sys.exit(_main(sys.argv))
