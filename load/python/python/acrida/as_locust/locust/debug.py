"""One user in this process, for a debugger."""

from __future__ import annotations

import inspect
import os
import sys
from datetime import datetime, timezone
from typing import Any

from . import log
from .argument_parser import get_parser
from .env import Environment
from .exception import CatchResponseError

#: The environment of ``run_single_user``; one for the whole process.
_env: Environment | None = None


class PrintListener:
    """Prints a line for every request."""

    def __init__(
        self,
        env: Environment,
        include_length: bool = False,
        include_time: bool = False,
        include_context: bool = False,
        include_payload: bool = False,
    ) -> None:
        self._wants = {
            "time": include_time,
            "length": include_length,
            "context": include_context,
            "payload": include_payload,
        }
        env.events.request.add_listener(self.on_request)
        columns = [("time", 32), ("type", 7), ("name", 50), ("resp_ms", 7), ("length", 7), ("exception", 9)]
        columns += [("context", 7), ("payload", 7)]
        print("\n" + "\t".join(name.ljust(width) for name, width in columns if self._wants.get(name, True)))

    def on_request(
        self,
        request_type: str = "",
        name: str | None = None,
        response_time: float | None = None,
        response_length: int | None = 0,
        exception: Any = None,
        context: Any = None,
        start_time: float | None = None,
        response: Any = None,
        **_: Any,
    ) -> None:
        """Prints one request."""
        began = datetime.fromtimestamp(start_time, timezone.utc) if start_time else datetime.now(timezone.utc)
        cells = [
            ("time", str(began).ljust(32)),
            ("type", request_type.ljust(7)),
            ("name", (name or "").ljust(50)),
            ("resp_ms", str(-1 if response_time is None else round(response_time)).ljust(7)),
            ("length", str(response_length).ljust(7)),
            ("exception", _text(exception).ljust(9)),
            ("context", str(context or "").ljust(7)),
            ("payload", str(getattr(getattr(response, "request", None), "body", None) or "")),
        ]
        print("\t".join(text for column, text in cells if self._wants.get(column, True)))


def _text(exception: Any) -> str:
    if not exception:
        return ""
    text = str(exception) if isinstance(exception, CatchResponseError) else repr(exception)
    return text[:500].replace("\n", " ")


def run_single_user(
    user_class: type,
    include_length: bool = False,
    include_time: bool = False,
    include_context: bool = False,
    include_payload: bool = False,
    loglevel: str | None = "WARNING",
) -> None:
    """Runs one user in this greenlet until it ends, printing its requests.

    Fires ``init`` and ``test_start``, but nothing of the end of a test. Settings come
    from the command line and the environment, as for the command ``acrida``.
    ``loglevel`` None leaves logging as it is.
    """
    import locust

    global _env
    if loglevel:
        log.setup_logging(loglevel)
    if _env is None:
        options = get_parser().parse_args()
        options.locustfile = os.path.basename(inspect.stack()[1].frame.f_code.co_filename)
        _env = Environment(events=locust.events, locustfile=options.locustfile, host=options.host, parsed_options=options)
        PrintListener(_env, include_length, include_time, include_context, include_payload)
        _env.events.init.fire(environment=_env, runner=None, web_ui=None)
        if log.unhandled_greenlet_exception:
            sys.exit(1)
    _env.user_classes = [user_class]
    _env.filter_tasks_by_tags()
    _env.events.test_start.fire(environment=_env)
    if _env.host:
        user_class.host = _env.host  # type: ignore[attr-defined]
    user = user_class(_env)
    _env.single_user_instance = user  # type: ignore[attr-defined]
    user.run()
