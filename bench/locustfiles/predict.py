"""Predictions without waits, of the sample images."""

import random
from pathlib import Path

from client import BenchUser
from locust import task

IMAGES = [path.read_bytes() for path in sorted(Path(__file__).parents[2].glob("samples/*/*.jpg"))]


class PredictUser(BenchUser):
    @task
    def predict(self):
        self.client.post("/predict", files={"file": ("image.jpg", random.choice(IMAGES), "image/jpeg")})
