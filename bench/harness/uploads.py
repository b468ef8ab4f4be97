"""Many large uploads at the same time, from one thread."""

from __future__ import annotations

import random
import selectors
import socket
import struct
import time
import zlib
from collections import Counter
from urllib.parse import urlsplit

PATIENCE_S = 180
#: A piece for each connection in turn, so that all of them are open at once.
PIECE_BYTES = 256 * 1024


def noise_png(side: int) -> bytes:
    """A grey PNG of random pixels, which do not compress: about a byte a pixel."""
    noise = random.Random(1)
    rows = b"".join(b"\0" + noise.randbytes(side) for _ in range(side))

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    pieces = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows, 0)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(pieces)


def at_once(url: str, image: bytes, count: int) -> Counter[str]:
    """Uploads ``image`` over ``count`` connections that send in turns; answers by their status."""
    body = b"".join(
        (
            b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n',
            image,
            b"\r\n--x--\r\n",
        )
    )
    head = (
        "POST /upload_training_data?label=glioma HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    request = memoryview(head.encode() + body)
    address = urlsplit(url)
    answers: Counter[str] = Counter()
    with selectors.DefaultSelector() as waiting:
        for _ in range(count):
            connection = socket.create_connection((address.hostname, address.port))
            connection.setblocking(False)
            waiting.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE, [0])
        deadline = time.monotonic() + PATIENCE_S
        while waiting.get_map():
            if time.monotonic() > deadline:
                answers["no answer"] += len(waiting.get_map())
                break
            for key, events in waiting.select(timeout=1):
                status = go_on(waiting, key, events, request)
                if status:
                    answers[status] += 1
                    waiting.unregister(key.fileobj)
                    key.fileobj.close()
    return answers


def go_on(waiting: selectors.BaseSelector, key: selectors.SelectorKey, events: int, request: memoryview) -> str | None:
    """Reads or sends a little; the status once it is there."""
    try:
        if events & selectors.EVENT_READ:
            start = key.fileobj.recv(4096)
            return start.split(b" ", 2)[1].decode() if start else "closed"
        sent = key.data
        sent[0] += key.fileobj.send(request[sent[0] : sent[0] + PIECE_BYTES])
        if sent[0] == len(request):
            waiting.modify(key.fileobj, selectors.EVENT_READ, sent)
    except BlockingIOError:
        return None
    except OSError:
        return "broken off"
    return None
