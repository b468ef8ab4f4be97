"""Predictions of the sample images, three a second from each user."""

from locust import constant_throughput
from predict import PredictUser


class SteadyUser(PredictUser):
    wait_time = constant_throughput(3)


del PredictUser
