"""Two endpoints for `bench/verdicts.py`; BENCH_BURN keeps the interpreter busy instead."""

import os
import time

from locust import HttpUser, constant, task

BURN_S = float(os.environ.get("BENCH_BURN", "0"))


class Visitor(HttpUser):
    wait_time = constant(float(os.environ.get("BENCH_WAIT", "0")))

    @task
    def a(self):
        self.client.get("/a")
        until = time.perf_counter() + BURN_S
        while time.perf_counter() < until:
            pass

    @task
    def b(self):
        self.client.get("/b")
