"""Four requests a second and user, to something that takes exactly 20 ms."""

from client import BenchUser
from locust import constant_throughput, task


class SteadyUser(BenchUser):
    wait_time = constant_throughput(4)

    @task
    def get(self):
        self.client.get("/sleep20")
