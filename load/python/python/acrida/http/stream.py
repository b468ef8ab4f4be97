"""Bodies that are read while they arrive."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from gevent import get_hub, getcurrent

from acrida.http.errors import raised


def pieces(stream: Any) -> Iterator[bytes]:
    """What comes of a native ``stream``, as it comes; other users run meanwhile.

    Raises what keeps the rest away, as requests does.
    """
    while True:
        piece = stream.read(getcurrent())
        if type(piece) is int:  # a ticket: other users run until something has come
            try:
                get_hub().switch()
            except BaseException:
                stream.abandon(piece)
                raise
        elif piece is None:
            return
        elif type(piece) is tuple:
            raise raised(*piece)
        else:
            yield piece


class StreamFile(io.RawIOBase):
    """A native stream as a file."""

    def __init__(self, stream: Any) -> None:
        self._pieces = pieces(stream)
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = piece
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count
