"""The load-testing guide's custom scenario, as it stands there.

    acrida -f examples/custom_user.py --host=http://localhost --users=5 --run-time=30s --headless

Its bytes are no images, so the classifier answers 400 to /predict, and the
report shows that as a failure. Endpoints that the service lacks are 404.

On Locust, retrain_workflow ends at its first request: requests takes a list of
two for (name, content), and raises where the name is a tuple.
"""

from locust import HttpUser, between, task


class CustomUser(HttpUser):
    wait_time = between(1, 3)

    @task(5)
    def high_volume_predictions(self):
        """Heavy prediction load"""
        for _ in range(10):
            self.client.post("/predict",
                files={'file': ('test.jpg', b'data', 'image/jpeg')})

    @task(1)
    def retrain_workflow(self):
        """Complete retrain workflow"""
        # Upload files
        self.client.post("/upload_training_data?label=glioma",
            files={'files': [('img1.jpg', b'data1'), ('img2.jpg', b'data2')]})

        # Start retrain
        self.client.post("/retrain", json={
            "epochs": 5,
            "batch_size": 32,
            "learning_rate": 1e-4
        })

        # Check status
        self.client.get("/retrain_jobs")
