"""A server whose capacity is known: workers that take a fixed time a request, in order.

    python -m harness.simulated PORT --workers 4 --service-ms 20 [--queue 30] [--slow /b:1.1] [--jitter 0.2]

A request is done when a worker was free for it and has worked its time. That is computed
when it arrives, so that the timers' delays do not add up: the capacity is workers / time.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import random


class Site:
    def __init__(self, given: argparse.Namespace) -> None:
        self.free_at = [0.0] * given.workers
        self.service_s = given.service_ms / 1e3
        self.queue = given.queue
        self.jitter = given.jitter
        path, _, factor = given.slow.partition(":")
        self.slow = (path.encode(), float(factor or 1))
        self.waiting = 0
        self.random = random.Random(1)

    def admit(self, path: bytes, now: float) -> float | None:
        """When the request will be done; None if there is no room for it."""
        if self.queue is not None and self.waiting >= len(self.free_at) + self.queue:
            return None
        self.waiting += 1
        begin = max(now, heapq.heappop(self.free_at))
        took = self.service_s * (self.slow[1] if path == self.slow[0] else 1)
        if self.jitter:
            took *= self.random.uniform(1 - self.jitter, 1 + self.jitter)
        heapq.heappush(self.free_at, begin + took)
        return begin + took


class Connection(asyncio.Protocol):
    def __init__(self, site: Site) -> None:
        self.site = site
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        while b"\r\n\r\n" in self.received:
            head, _, self.received = self.received.partition(b"\r\n\r\n")
            loop = asyncio.get_running_loop()
            done = self.site.admit(head.split(b" ")[1], loop.time())
            if done is None:
                self.answer(b"503 Service Unavailable")
            else:
                loop.call_at(done, self.done)

    def done(self) -> None:
        self.site.waiting -= 1
        self.answer(b"200 OK")

    def answer(self, status: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nok")


async def serve(given: argparse.Namespace) -> None:
    site = Site(given)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(site), "127.0.0.1", given.port)
    print("listening", flush=True)
    async with server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("port", type=int)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--service-ms", type=float, default=20)
    parser.add_argument("--queue", type=int, help="requests that may wait; more are refused with 503")
    parser.add_argument("--slow", default="", help="PATH:FACTOR, a path that takes longer")
    parser.add_argument("--jitter", type=float, default=0, help="share that a time varies by, either way")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
