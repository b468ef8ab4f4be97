"""Connects a native engine with the gevent hub, and executes what the engine decides.

Finished requests and actions arrive through one file descriptor: a finished
request wakes its user at once, an action waits for the one greenlet that runs
``run``, since listeners that it calls may block.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from gevent import get_hub, getcurrent
from gevent.event import Event


class Actions:
    """The actions of one engine, in the order in which it decided them."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._waiting: deque[tuple[str, tuple[Any, ...]]] = deque()
        #: Whether the end of the test is among the actions that wait.
        self.test_ends = False
        self._wake = Event()
        self._over = False
        self._performing: Any = None
        #: Who can go on and has not yet, and with what.
        self._ready: Iterator[tuple[Any, Any]] = iter(())
        self._hub = get_hub()
        engine.attach(self._hub.loop.run_callback)
        self._watcher = self._hub.loop.io(engine.fd(), 1)
        self._watcher.start(self._drain)

    def _drain(self) -> None:
        try:
            self._ready = iter(self._engine.drain(self._queue))
            for greenlet, value in self._ready:
                greenlet.switch(value)
        finally:
            self._engine.flush()

    def wait(self) -> Any:
        """What the current greenlet is switched to with, once it can go on; others run meanwhile.

        The next one that can go on is switched to at once. By way of the hub it would be two switches.
        """
        for greenlet, value in self._ready:
            return greenlet.switch(value)
        return self._hub.switch()

    def _queue(self, action: tuple[str, tuple[Any, ...]]) -> None:
        self._waiting.append(action)
        self.test_ends |= action[0] == "test_stopping"
        self._wake.set()

    def start(self, group: Any, *performers: Any) -> None:
        """Has a greenlet of ``group`` execute actions, as ``run`` does."""
        self._performing = group.spawn(self.run, *performers)

    def run(self, *performers: Any) -> None:
        """Executes actions until ``end``: an action called ``x`` by the first performer
        that has a method ``on_x``. What one of them raises ends this, and it can be called
        again."""
        self._over = False
        self._performing = getcurrent()
        try:
            while not self._over:
                self._wake.clear()
                while self._waiting and not self._over:
                    self._perform(performers, *self._waiting.popleft())
                if not self._over:
                    self._wake.wait()
        finally:
            self._performing = None

    def _perform(self, performers: tuple[Any, ...], name: str, arguments: tuple[Any, ...]) -> None:
        if name == "test_stopping":
            self.test_ends = False
        for performer in performers:
            if (perform := getattr(performer, f"on_{name}", None)) is not None:
                return perform(*arguments)
        raise AssertionError(f"nobody performs {name}")

    @property
    def is_running(self) -> bool:
        """Whether ``run`` is under way."""
        return self._performing is not None

    def is_performing_here(self) -> bool:
        """Whether the current greenlet is the one that executes actions, which must not
        wait for another action."""
        return self._performing is None or self._performing is getcurrent()

    def end(self) -> None:
        """Ends ``run``, after the action that is being executed."""
        self._over = True
        self._wake.set()

    def close(self) -> None:
        """Lets go of the hub: no request finishes and no action arrives any more."""
        self._watcher.stop()
