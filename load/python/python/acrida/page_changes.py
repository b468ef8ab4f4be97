"""What somebody does at the web page, as the user classes, listeners and options of a run see it."""

from __future__ import annotations

import importlib
import json
import webbrowser
from functools import cache
from typing import Any

import gevent


@cache
def parser() -> Any:
    """What collects the flags of this process's locustfiles."""
    return importlib.import_module("locust.argument_parser").LocustArgumentParser()


class PageChanges:
    """Has a method ``on_x`` for each change ``x`` at the page, whose argument is JSON."""

    def __init__(self, environment: Any) -> None:
        self.environment = environment

    def on_settings(self, settings: str) -> None:
        """Attributes of parsed_options were set."""
        values = json.loads(settings)
        for flag in parser().flags:
            if flag.convert is not None and flag.dest in values:
                values[flag.dest] = flag.finish(values[flag.dest])
        if self.environment.parsed_options is not None:
            vars(self.environment.parsed_options).update(values)
        if "host" in values:
            self.environment.host = values["host"]
        if "profile" in values:
            self.environment.profile = values["profile"]

    def on_shape(self, run_time: str) -> None:
        """The load shape was started."""
        self.environment.runner.start_shape(json.loads(run_time))

    def on_shape_class(self, name: str) -> None:
        """A load shape was chosen, or none."""
        environment = self.environment
        environment.shape_class = (environment.available_shape_classes or {}).get(json.loads(name))
        if environment.shape_class:
            environment.shape_class.runner = environment.runner

    def on_user_change(self, change: str) -> None:
        """A user class was changed."""
        values = json.loads(change)
        name, names = values.pop("user_class_name"), values.pop("tasks")
        changes = {key: values[key] for key in ("host", "weight", "fixed_count") if values[key] is not None}
        if names is not None:
            changes["tasks"] = names
        self.environment.update_user_class({"user_class_name": name, **changes})
        self.publish()

    def publish(self) -> None:
        """Tells the page what the user classes are like now."""
        self.environment.engine.publish(self.environment.user_classes)

    def on_classes(self, names: str) -> None:
        """User classes were chosen; the native side spawns only those."""
        if self.environment.parsed_options is not None:
            self.environment.parsed_options.user_classes = json.loads(names)

    def on_stats_reset(self, _: str) -> None:
        """The statistics were reset."""
        self.environment.events.reset_stats.fire()

    def on_open_page(self, url: str) -> None:
        """Somebody has pressed Enter. A browser without windows may keep its caller waiting, so nobody waits for it."""
        gevent.spawn(webbrowser.open_new_tab, url)
