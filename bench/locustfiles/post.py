"""Multipart POSTs of 20 KB, without waits."""

from client import BenchUser
from locust import task

CONTENT = bytes(range(256)) * 80


class PostUser(BenchUser):
    @task
    def post(self):
        self.client.post("/upload", files={"file": ("image.jpg", CONTENT, "image/jpeg")})
