"""Forty requests a second and user, to something that now and then does nothing for half a second."""

from client import BenchUser
from locust import constant_throughput, task


class SteadyUser(BenchUser):
    wait_time = constant_throughput(40)

    @task
    def get(self):
        self.client.get("/stalling")
