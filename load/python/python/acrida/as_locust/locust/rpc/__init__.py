"""Messages between the parts of a run."""

from .protocol import Message

__all__ = ["Message"]
