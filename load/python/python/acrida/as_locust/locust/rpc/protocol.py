"""What a message is."""

from __future__ import annotations

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
