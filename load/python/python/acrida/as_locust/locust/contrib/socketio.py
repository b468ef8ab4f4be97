"""Users of Socket.IO servers; needs ``python-socketio``."""

from __future__ import annotations

from typing import Any

import gevent
import socketio

from .. import User


class SocketIOClient(socketio.Client):
    """A client whose connections, messages and events count as requests.

    What is only sent, or comes in by itself, has no response time and counts with 0.
    """

    def __init__(self, request_event: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request_event = request_event

    def connect(self, *args: Any, **kwargs: Any) -> None:
        """Connects; counted with its time, an error as a failure."""
        with self.request_event.measure("WS", "connect"):
            super().connect(*args, **kwargs)

    def call(self, event: str, data: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Emits an event and waits for its acknowledgement; counted with its time."""
        with self.request_event.measure("WSC", event):
            return super().call(event, data, *args, **kwargs)
        return None

    def send(self, data: Any, namespace: Any = None, callback: Any = None, name: str = "Unnamed") -> None:
        """Sends a message, counted under ``name``."""
        self._count("WSS", name, data, lambda: super(SocketIOClient, self).send(data, namespace, callback))

    def emit(self, event: str, data: Any = None, namespace: Any = None, callback: Any = None) -> None:
        """Emits an event, counted under its name."""
        self._count("WSE", str(event), data, lambda: super(SocketIOClient, self).emit(event, data, namespace, callback))

    def on_message(self, event: str, data: Any) -> None:
        """Counts an event that came in; override it to do more."""
        self._count("WSR", event, data, lambda: None)

    def _count(self, kind: str, name: str, data: Any, act: Any) -> None:
        error = None
        try:
            act()
        except Exception as raised:
            error = raised
        self.request_event.fire(
            request_type=kind,
            name=name,
            response_time=0,
            response_length=len(data or []),
            exception=error,
            context={},
        )


class SocketIOUser(User):
    """A user with a client ``sio``."""

    abstract = True
    #: Arguments of ``socketio.Client``.
    options: dict[str, Any] = {}
    sio: SocketIOClient

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sio = SocketIOClient(self.environment.events.request, **self.options)
        self.sio_greenlet = gevent.spawn(self.sio.wait)
        self.sio.on("*", self.sio.on_message)
