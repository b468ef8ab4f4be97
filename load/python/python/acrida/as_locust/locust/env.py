"""The environment of a run: what listeners and users reach everything else through."""

from __future__ import annotations

from typing import Any

from .clients import error_text
from .event import Events
from .exception import RunnerAlreadyExistsError
from .runners import LocalRunner
from .stats import RequestStats
from .user.task import assign_equal_weights, filter_tasks_by_tags


class Environment:
    """Holds the user classes, the events, the runner and the statistics of one run."""

    def __init__(
        self,
        *,
        engine: Any,
        user_classes: list[Any] | None = None,
        shape_class: Any = None,
        tags: list[str] | None = None,
        exclude_tags: list[str] | None = None,
        locustfile: str | None = None,
        events: Events | None = None,
        host: str | None = None,
        reset_stats: bool = False,
        stop_timeout: float | None = None,
        catch_exceptions: bool = True,
        parsed_options: Any = None,
    ) -> None:
        #: The native side: sessions, recorders, the queue of finished requests.
        self.engine = engine
        self.user_classes = user_classes or []
        #: The load shape that the run follows; None for a fixed number of users.
        self.shape_class = shape_class
        self.tags = tags
        self.exclude_tags = exclude_tags
        self.locustfile = locustfile
        self.events = events or Events()
        self.host = host
        self.reset_stats = reset_stats
        #: Seconds that users get to finish their task when the run stops.
        self.stop_timeout = getattr(parsed_options, "stop_timeout", 0.0) if stop_timeout is None else stop_timeout
        #: False: an exception in a task ends its user.
        self.catch_exceptions = catch_exceptions
        self.parsed_options = parsed_options
        self.stats = RequestStats(engine)
        self.runner: LocalRunner | None = None
        self.web_ui: Any = None
        #: If set, the exit code of the process.
        self.process_exit_code: int | None = None
        self.events.request.record = self._record
        self._check_user_classes()

    def create_local_runner(self) -> LocalRunner:
        """Makes the runner; an environment has one."""
        if self.runner is not None:
            raise RunnerAlreadyExistsError(f"Environment.runner already exists ({self.runner})")
        self.runner = LocalRunner(self)
        return self.runner

    @property
    def user_classes_by_name(self) -> dict[str, Any]:
        """The user classes by their names."""
        return {user.__name__: user for user in self.user_classes}

    def assign_equal_weights(self) -> None:
        """Makes every user class, and every task inside one, equally likely."""
        assign_equal_weights(self.user_classes)

    def filter_tasks_by_tags(self) -> None:
        """Leaves the tasks that ``--tags`` and ``--exclude-tags`` let run."""
        tags = self.tags or getattr(self.parsed_options, "tags", None)
        excluded = self.exclude_tags or getattr(self.parsed_options, "exclude_tags", None)
        if tags or excluded:
            for user in self.user_classes:
                filter_tasks_by_tags(user, set(tags) if tags else None, set(excluded) if excluded else None)

    def _record(
        self,
        request_type: str = "",
        name: str = "",
        response_time: float | None = None,
        response_length: int | None = 0,
        exception: Any = None,
        **_: Any,
    ) -> None:
        self.engine.record(request_type, name, response_time, response_length or 0, error_text(exception or None))

    def _check_user_classes(self) -> None:
        spawnable = [user for user in self.user_classes if user.weight > 0 or user.fixed_count > 0]
        if self.user_classes and not spawnable:
            raise ValueError("There are no users with weight > 0.")
        self.user_classes[:] = spawnable
        if len(self.user_classes_by_name) != len(spawnable):
            names = ", ".join(user.fullname() for user in spawnable)
            raise ValueError(f"The following user classes have the same class name: {names}")
