"""Small GETs, without waits."""

from client import BenchUser
from locust import task


class GetUser(BenchUser):
    @task
    def get(self):
        self.client.get("/")
