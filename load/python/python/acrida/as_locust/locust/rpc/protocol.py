"""What a message is."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Message:
    """What listeners of ``register_message`` get."""

    def __init__(self, message_type: str, data: Any, node_id: str | None) -> None:
        self.type = message_type
        self.data = data
        #: Who sent it.
        self.node_id = node_id

    def __repr__(self) -> str:
        return f"<Message {self.type}:{self.node_id}>"

    def serialize(self) -> bytes:
        """The message as msgpack has it; needs the package ``msgpack``."""
        return import_module("msgpack").dumps((self.type, self.data, self.node_id))

    @classmethod
    def unserialize(cls, data: bytes) -> Message:
        """The message that ``serialize`` made these bytes of."""
        return cls(*import_module("msgpack").loads(data, raw=False, strict_map_key=False))
