"""The environment of a run: what listeners and users reach everything else through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from acrida._native import Engine, Ledger
from acrida.actions import Actions

from .dispatch import UsersDispatcher
from .event import Events
from .exception import RunnerAlreadyExistsError
from .response_context import checked_answer, error_text
from .runners import LocalRunner, MasterRunner, Runner, WorkerRunner  # noqa: F401
from .shape import LoadTestShape
from .stats import RequestStats
from .user.task import assign_equal_weights, filter_tasks_by_tags

if TYPE_CHECKING:
    from .web import WebUI


@dataclass
class Native:
    """The native side of a run that the command ``acrida`` has begun."""

    engine: Engine
    ledger: Ledger
    actions: Actions


class Environment:
    """Holds the user classes, the events, the runner and the statistics of one run."""

    def __init__(
        self,
        *,
        user_classes: list[Any] | None = None,
        shape_class: LoadTestShape | None = None,
        tags: list[str] | None = None,
        locustfile: str | None = None,
        exclude_tags: list[str] | None = None,
        events: Events | None = None,
        host: str | None = None,
        reset_stats: bool = False,
        stop_timeout: float | None = None,
        catch_exceptions: bool = True,
        parsed_options: Any = None,
        parsed_locustfiles: list[str] | None = None,
        available_user_classes: dict[str, Any] | None = None,
        available_shape_classes: dict[str, Any] | None = None,
        available_user_tasks: dict[str, list[Any]] | None = None,
        dispatcher_class: type[UsersDispatcher] = UsersDispatcher,
        profile: str | None = None,
        native: Native | None = None,
    ) -> None:
        self._native = native
        #: Whether a program of one's own runs, not the command ``acrida``.
        self.is_library = native is None
        #: Whether iterations arrive at a rate (``--rate``) instead of following each other.
        self.is_open = native is not None and bool(parsed_options.arrival_rate)
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
        self.stop_timeout = float(getattr(parsed_options, "stop_timeout", 0.0)) if stop_timeout is None else stop_timeout
        #: False: an exception in a task ends its user.
        self.catch_exceptions = catch_exceptions
        self.parsed_options = parsed_options
        self.parsed_locustfiles = parsed_locustfiles
        #: Classes by name, and their tasks, for ``update_user_class``.
        self.available_user_classes = available_user_classes
        self.available_shape_classes = available_shape_classes
        self.available_user_tasks = available_user_tasks
        self.profile = profile
        self.dispatcher_class = dispatcher_class
        self.stats = RequestStats(ledger=native.ledger if native else None)
        self.runner: LocalRunner | None = None
        self.web_ui: Any = None
        #: If set, the exit code of the process.
        self.process_exit_code: int | None = None
        self._tasks_filtered = False
        self.events.request.environment = self
        self._check_user_classes()
        if shape_class is not None and not isinstance(shape_class, LoadTestShape):
            raise ValueError(
                f"shape_class should be instance of LoadTestShape or subclass LoadTestShape, but got: {shape_class}"
            )

    def _started(self) -> Native:
        """The native side; a program of one's own starts it with its first request or test."""
        if self._native is None:
            engine = Engine(self.stats.ledger)
            self._native = Native(engine, self.stats.ledger, Actions(engine))
        return self._native

    @property
    def has_engine(self) -> bool:
        """Whether the native side has been started."""
        return self._native is not None

    @property
    def engine(self) -> Engine:
        """The native side: sessions, and who decides when users start."""
        return self._started().engine

    @property
    def actions(self) -> Actions:
        """What the engine has decided and is still to be done."""
        return self._started().actions

    @property
    def dispatcher_class(self) -> type[UsersDispatcher]:
        """Locust's, in whose order users start. NotImplementedError for any other: nobody would ask it."""
        return UsersDispatcher

    @dispatcher_class.setter
    def dispatcher_class(self, chosen: type[UsersDispatcher]) -> None:
        if chosen is not UsersDispatcher:
            name = getattr(chosen, "__name__", chosen)
            raise NotImplementedError(
                f"dispatcher_class={name}: acrida decides natively which user starts when, and asks no other dispatcher"
            )

    def create_local_runner(self) -> LocalRunner:
        """Makes the runner; an environment has one."""
        if self.runner is not None:
            raise RunnerAlreadyExistsError(f"Environment.runner already exists ({self.runner})")
        self.runner = LocalRunner(self)
        if self.shape_class:
            self.shape_class.runner = self.runner
        return self.runner

    def create_master_runner(self, master_bind_host: str = "*", master_bind_port: int = 5557) -> NoReturn:
        """Not there yet."""
        raise NotImplementedError("acrida does not run in several processes yet: use create_local_runner()")

    def create_worker_runner(self, master_host: str, master_port: int) -> NoReturn:
        """Not there yet."""
        raise NotImplementedError("acrida does not run in several processes yet: use create_local_runner()")

    def create_web_ui(self, host: str = "", port: int = 8089, **settings: Any) -> WebUI:
        """Makes the web page, and serves it unless ``delayed_start``; see :class:`locust.web.WebUI`."""
        from .web import WebUI

        self.web_ui = WebUI(self, host, port, **settings)
        return self.web_ui

    @property
    def user_classes_by_name(self) -> dict[str, Any]:
        """The user classes by their names."""
        return {user.__name__: user for user in self.user_classes}

    def update_user_class(self, user_settings: dict[str, Any]) -> None:
        """Sets attributes of the class ``user_settings["user_class_name"]``; KeyError if there is none."""
        settings = dict(user_settings)
        name = settings.pop("user_class_name")
        classes = self.user_classes_by_name if self.available_user_classes is None else self.available_user_classes
        user_class, names = classes[name], settings.pop("tasks", None)
        for attribute, value in settings.items():
            setattr(user_class, attribute, value)
        if names is not None:
            tasks = (self.available_user_tasks or {}).get(name, user_class.tasks)
            user_class.tasks = [task for task in tasks if task.__name__ in names]

    def assign_equal_weights(self) -> None:
        """Makes every user class, and every task inside one, equally likely."""
        assign_equal_weights(self.user_classes)

    def filter_tasks_by_tags(self) -> None:
        """Leaves the tasks that ``--tags`` and ``--exclude-tags`` let run; only the first time."""
        if self._tasks_filtered:
            return
        self._tasks_filtered = True
        options = self.parsed_options
        tags = getattr(options, "tags", None) or None if self.tags is None else self.tags
        excluded = getattr(options, "exclude_tags", None) or None if self.exclude_tags is None else self.exclude_tags
        for user in self.user_classes:
            filter_tasks_by_tags(
                user, None if tags is None else set(tags), None if excluded is None else set(excluded)
            )

    #: What programs written for Locust call.
    _filter_tasks_by_tags = filter_tasks_by_tags

    def record(
        self,
        request_type: Any,
        name: Any,
        response_time: float | None,
        response_length: float | None,
        exception: Any = None,
        context: Any = None,
        **_: Any,
    ) -> None:
        """Counts one request of a client of the locustfile's own, as ``events.request`` is fired with it.

        Names that are no texts are counted under their ``str()``; what is below 0 counts as 0.
        TypeError or ValueError for a time or a length that is no number.
        """
        answer = checked_answer(context) if context else None
        failure = error_text(exception or None)
        self.stats.ledger.record(request_type, name, response_time, response_length or 0, failure, answer)

    def _check_user_classes(self) -> None:
        spawnable = [user for user in self.user_classes if user.weight > 0 or user.fixed_count > 0]
        if self.user_classes and not spawnable:
            raise ValueError("There are no users with weight > 0.")
        self.user_classes[:] = spawnable
        if len(self.user_classes_by_name) != len(spawnable):
            names = ", ".join(user.fullname() for user in spawnable)
            raise ValueError(f"The following user classes have the same class name: {names}")
