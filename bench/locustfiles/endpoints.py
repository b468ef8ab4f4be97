"""GETs without waits, counted under 500 names."""

from itertools import count

from client import BenchUser
from locust import task

ENDPOINTS = 500
_turn = count()


class ManyNames(BenchUser):
    @task
    def get(self):
        self.client.get("/", name=f"/api/v1/patients/{next(_turn) % ENDPOINTS}/scans")
