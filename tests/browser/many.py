"""Many endpoints, some with names that are long or meant to be mistaken for others."""

from itertools import count

from locust import HttpUser, constant, task

NAMES = [f"/patients/{at}/scans" for at in range(300)] + ["/" + "long-" * 60, "/\u202eevil"]
_turn = count()


class Many(HttpUser):
    wait_time = constant(0)

    @task
    def get(self):
        turn = next(_turn) % len(NAMES)
        self.client.get("/missing" if turn % 10 == 0 else "/health", name=NAMES[turn])
