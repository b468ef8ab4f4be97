"""Users of the browser test; some of what they meet is meant to harm the page that shows it."""

from locust import HttpUser, TaskSet, between, task


class Visitor(HttpUser):
    wait_time = between(0.02, 0.1)
    weight = 3

    @task(6)
    def health(self):
        self.client.get("/health")

    @task(3)
    def predict(self):
        self.client.post("/predict", files={"file": ("scan.jpg", b"x" * 2000, "image/jpeg")})

    @task(1)
    def missing(self):
        self.client.get("/missing")

    @task(1)
    def hostile(self):
        self.client.get("/<script>", name="/<script>window.hacked=1</script>")

    @task(1)
    class Jobs(TaskSet):
        @task
        def list(self):
            self.client.get("/retrain_jobs")
            self.interrupt()


class Trainer(HttpUser):
    wait_time = between(0.2, 0.6)

    @task
    def upload(self):
        self.client.post("/upload_training_data?label=glioma", data=b"x" * 5000, name="/upload_training_data")

    @task
    def boom(self):
        raise RuntimeError("<img src=x onerror='window.hacked=1'>")
