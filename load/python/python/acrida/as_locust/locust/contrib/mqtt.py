"""Users of MQTT brokers; needs ``paho-mqtt``."""

from __future__ import annotations

import time
from typing import Any, NamedTuple
from uuid import uuid4

import paho.mqtt.client as mqtt

from .. import User

#: What a broker grants instead of a quality of service if it refuses (MQTT 3.1.1, section 3.9.3).
REFUSED = 0x80


class _Sent(NamedTuple):
    """What was sent, until the broker acknowledges it."""

    kind: str
    qos: int
    topic: str
    payload_size: int
    start_time: float


class MqttClient(mqtt.Client):
    """A client whose messages and subscriptions count as requests, from sending to the
    broker's acknowledgement. Connecting and disconnecting have no time of their own and
    count with 0.

    ``use_loop_selectors`` has no effect: any number of connections can be waited for.
    """

    def __init__(
        self,
        *args: Any,
        environment: Any,
        client_id: str | None = None,
        protocol: Any = mqtt.MQTTv311,
        use_loop_selectors: bool = False,
        **kwargs: Any,
    ) -> None:
        # Brokers take at most 23 characters.
        self.client_id = client_id or f"locust-{uuid4().hex[:16]}"
        super().__init__(*args, client_id=self.client_id, protocol=protocol, **kwargs)
        self.environment = environment
        self._sent: dict[int, _Sent] = {}
        # Versions of the protocol and of the library differ in what follows these arguments.
        self.on_connect = lambda client, userdata, flags, code, *more: self._count("connect", error=_refusal(code))
        self.on_disconnect = lambda client, userdata, *more: self._count("disconnect", error=_lost(more))
        self.on_publish = lambda client, userdata, mid, *more: self._acknowledged(mid)
        self.on_subscribe = lambda client, userdata, mid, granted, *more: self._acknowledged(mid, granted)

    def _generate_event_name(self, event_type: str, qos: int, topic: str) -> str:
        """What a message or subscription counts as; override it to group topics."""
        return f"{event_type}:{qos}:{topic}"

    def publish(self, topic: str, payload: Any = None, qos: int = 0, retain: bool = False, properties: Any = None) -> Any:
        """Sends a message; one that cannot be sent is a failure at once."""
        length = len(payload) if isinstance(payload, str | bytes | bytearray) else 0
        sent = _Sent("publish", qos, topic, length, time.time())
        info = super().publish(topic, payload=payload, qos=qos, retain=retain, properties=properties)
        self._expect(sent, info.rc, info.mid)
        return info

    def subscribe(self, topic: Any, qos: int = 0, options: Any = None, properties: Any = None) -> tuple[Any, int | None]:
        """Subscribes to one topic or several, which count under the first."""
        first = topic
        while not isinstance(first, str):
            first = first[0]
        sent = _Sent("subscribe", qos, first, 0, time.time())
        code, mid = super().subscribe(topic, qos, options, properties)
        self._expect(sent, code, mid)
        return code, mid

    def _expect(self, sent: _Sent, code: Any, mid: int | None) -> None:
        if code != mqtt.MQTT_ERR_SUCCESS:
            self._count(self._name(sent), error=code, **sent._asdict())
        elif mid is None:  # nothing will be acknowledged
            self._finish(sent, None)
        else:
            self._sent[mid] = sent

    def _acknowledged(self, mid: int, granted: Any = ()) -> None:
        sent = self._sent.pop(mid, None)
        if sent is None:
            return
        codes = [getattr(code, "value", code) for code in granted]
        refused = any(code >= REFUSED for code in codes)
        self._finish(sent, ConnectionRefusedError(f"the broker refused the subscription: {codes}") if refused else None)

    def _finish(self, sent: _Sent, error: Any) -> None:
        took_ms = (time.time() - sent.start_time) * 1000
        self._count(self._name(sent), took_ms, sent.payload_size if error is None else 0, error, **sent._asdict())

    def _name(self, sent: _Sent) -> str:
        return self._generate_event_name(sent.kind, sent.qos, sent.topic)

    def _count(self, name: str, took_ms: float = 0, length: int = 0, error: Any = None, **context: Any) -> None:
        self.environment.events.request.fire(
            request_type="MQTT",
            name=name,
            response_time=took_ms,
            response_length=length,
            exception=error,
            context={"client_id": self.client_id, **context},
        )


def _refusal(code: Any) -> Exception | None:
    return None if code == 0 else Exception(str(code))


def _lost(arguments: tuple[Any, ...]) -> Any:
    """Why a connection was lost: version 5 of the protocol puts flags before the reason, and properties behind."""
    reason = arguments[1] if len(arguments) > 2 else arguments[0]
    return None if reason == 0 else reason


class MqttUser(User):
    """A user with a client that connects by itself, in the background."""

    abstract = True
    host: str | None = "localhost"
    port = 1883
    #: ``tcp`` or ``websockets``.
    transport = "tcp"
    ws_path = "/mqtt"
    tls_context: Any = None
    client_cls = MqttClient
    client_id: str | None = None
    username: str | None = None
    password: str | None = None
    protocol: Any = mqtt.MQTTv311
    use_loop_selectors = False

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        self.client = self.client_cls(
            environment=environment,
            transport=self.transport,
            client_id=self.client_id,
            protocol=self.protocol,
            use_loop_selectors=self.use_loop_selectors,
        )
        if self.tls_context:
            self.client.tls_set_context(self.tls_context)
        if self.transport == "websockets" and self.ws_path:
            self.client.ws_set_options(path=self.ws_path)
        if self.username and self.password:
            self.client.username_pw_set(username=self.username, password=self.password)
        self.client.connect_async(host=self.host, port=self.port)
        self.client.loop_start()
