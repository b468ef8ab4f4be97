"""The report of a test as one HTML file, for programs that write it themselves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .user.inspectuser import get_ratio

if TYPE_CHECKING:
    from argparse import Namespace

    from .env import Environment

#: Percentiles that the report's table has, as fractions.
PERCENTILES_FOR_HTML_REPORT = [0.50, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0]


def process_html_filename(options: Namespace) -> None:
    """Puts users, spawn rate and run time in the place of ``{u}``, ``{r}`` and ``{t}`` in ``options.html_file``."""
    for term, value in ("{u}", options.num_users), ("{r}", options.spawn_rate), ("{t}", options.run_time):
        if value is not None:
            whole = int(value) if float(value).is_integer() else value
            options.html_file = options.html_file.replace(term, str(whole))


def get_html_report(environment: Environment, show_download_link: bool = True, theme: str = "") -> str:
    """The report on everything that was measured up to now.

    Its charts show ``stats.history``, which ``stats.stats_history`` fills while a test is on. ``theme`` is ``light`` or
    ``dark``; otherwise the reader's own choice holds.
    """
    runner, classes = environment.runner, environment.user_classes
    if runner is None:
        raise ValueError("there is no report without a runner: call create_local_runner() first")
    users = runner.user_classes_count
    if runner.state in ("stopping", "stopped"):
        users = runner.final_user_classes_count
    hosts = {user.host for user in classes}
    about = {
        "title": environment.locustfile or "",
        "host": environment.host or (hosts.pop() if len(hosts) == 1 else None),
        "profile": environment.profile,
        "tasks": {"per_class": get_ratio(classes, users, False), "total": get_ratio(classes, users, True)},
        "course": [_point(moment) for moment in environment.stats.history],
    }
    return environment.stats.ledger.snapshot().html_report(json.dumps(about), theme, show_download_link)


def _point(moment: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of ``stats.history`` as the report's charts have it; a percentile that is not kept is left out."""

    def figure(name: str) -> Any:
        return moment[name][1] if name in moment else None

    return {
        "t": datetime.fromisoformat(moment["time"].replace("Z", "+00:00")).timestamp(),
        "users": figure("user_count"),
        "rps": figure("current_rps"),
        "fps": figure("current_fail_per_sec"),
        "p50": figure("response_time_percentile_0.5"),
        "p95": figure("response_time_percentile_0.95"),
        "p99": figure("response_time_percentile_0.99"),
        "avg": figure("total_avg_response_time"),
    }
