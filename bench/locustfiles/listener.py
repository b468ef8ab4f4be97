"""Small GETs, without waits, and with BENCH_LISTENER=yes a listener that looks at each of them."""

import os

from client import BenchUser
from locust import events, task


class GetUser(BenchUser):
    @task
    def get(self):
        self.client.get("/")


if os.environ.get("BENCH_LISTENER") == "yes":
    seen = {"requests": 0, "bytes": 0, "ms": 0.0, "failures": 0}

    @events.request.add_listener
    def look(request_type, name, response_time, response_length, exception, **_):
        seen["requests"] += 1
        seen["bytes"] += response_length
        seen["ms"] += response_time
        if exception is not None:
            seen["failures"] += 1
