"""One request a user, who then stays, with an open connection."""

from client import BenchUser
from locust import constant, task


class StayingUser(BenchUser):
    wait_time = constant(3600)

    @task
    def get(self):
        self.client.get("/")
