"""The load-testing guide's users: clients of the brain MRI classifier.

    acrida -f locustfile.py --host=http://localhost --users=5 --spawn-rate=1 --run-time=1m --headless

Runs on Locust too. ``scenarios/`` has the guide's four tests as ``--config`` files.
"""

import logging
import random
import urllib.error
import urllib.request
from pathlib import Path

from locust import HttpUser, between, events, task
from locust.exception import RescheduleTaskImmediately

#: The folders of ``samples/``, and what the service calls what is in them.
CLASSES = {"glioma": "Glioma", "meningioma": "Meningioma", "pituitary": "Pituitary", "notumor": "No_Tumor"}


def read_samples():
    """Every sample image as (file name, bytes, class), read once for all users."""
    folder = Path(__file__).resolve().parent / "samples"
    samples = [
        (path.name, path.read_bytes(), label)
        for name, label in CLASSES.items()
        for path in sorted((folder / name).glob("*.jpg"))
    ]
    if not samples:
        raise FileNotFoundError(f"no images in {folder}/CLASS/*.jpg, where CLASS is one of {', '.join(CLASSES)}")
    return samples


SAMPLES = read_samples()


class Run:
    """What is known about the run that goes on."""

    has_retraining = True
    predictions = 0
    #: Those that named the class that the image is of.
    right_predictions = 0
    #: What the service answered about each sample, by the sample's name.
    answers: dict = {}


def mistake_in(prediction):
    """What is wrong with the shape of an answer to ``POST /predict``; None if nothing is."""
    if not isinstance(prediction, dict):
        return f"expected a JSON object, got {type(prediction).__name__}"
    named = prediction.get("predicted_class_short")
    if named not in CLASSES.values():
        return f"predicted_class_short is {named!r}, not one of {', '.join(CLASSES.values())}"
    probabilities = prediction.get("probabilities")
    if not isinstance(probabilities, dict) or set(probabilities) != set(CLASSES.values()):
        return "probabilities does not have exactly the four classes"
    if not all(isinstance(value, (int, float)) and 0 <= value <= 1 for value in probabilities.values()):
        return "a probability is not a number from 0 to 1"
    if abs(sum(probabilities.values()) - 1) > 0.01:
        return "probabilities do not add up to 1"
    if probabilities[named] < max(probabilities.values()):
        return "predicted_class_short is not the most probable class"
    confidence = prediction.get("confidence")
    if not isinstance(confidence, (int, float)) or abs(confidence - probabilities[named]) > 0.001:
        return "confidence is not the probability of the predicted class"
    return None


def is_of_another(name, prediction):
    """Whether this is no answer about the sample, but exactly the one that a sample of another class has had.

    The service answers alike as long as its model is the same, so an answer that nobody has had is a new model's.
    """
    answer = (prediction["predicted_class_short"], tuple(prediction["probabilities"].values()))
    known = Run.answers.setdefault(name, answer)
    if answer[0] != known[0] and answer in Run.answers.values():
        return True
    Run.answers[name] = answer
    return False


class ClassifierUser(HttpUser):
    """Looks whether the service is well, sends an image, now and then sees to retraining.

    The weights are those that the guide's example report has: /health at 15 ms on
    average, /predict at 520, /retrain_jobs at 30 and /retrain at 45 come to its overall
    245 ms if they are called 20 : 20 : 3 : 1. An upload comes before each retraining, as in
    the guide's custom user.

    The waits make the guide's expectations possible: 5 users make 5 to 6 requests
    a second, and 50 users 30 to 45 at its response times of 200 to 800 ms. A
    service that answers sooner is asked more often: up to 55 times a second.
    """

    wait_time = between(0.5, 1.3)

    @task(20)
    def health(self):
        with self.client.get("/health", catch_response=True) as response:
            if response.status_code == 200 and json_of(response).get("status") != "healthy":
                response.failure("the answer does not say that the service is healthy")

    @task(20)
    def predict(self):
        name, image, label = random.choice(SAMPLES)
        files = {"file": (name, image, "image/jpeg")}
        with self.client.post("/predict", files=files, catch_response=True) as response:
            if response.status_code != 200:
                return  # Counted as a failure for its status.
            prediction = json_of(response)
            mistake = mistake_in(prediction)
            if mistake:
                response.failure(f"not a prediction: {mistake}")
                return
            Run.predictions += 1
            Run.right_predictions += prediction["predicted_class_short"] == label
            # Acrida's reports tell of it; Locust hands it to listeners.
            response.request_meta["context"].update(
                expected=label,
                answered=prediction["predicted_class_short"],
                mixed_up=is_of_another(name, prediction),
            )

    @task(2)
    def retrain_jobs(self):
        need_retraining()
        self.ask_for_jobs()

    @task(1)
    def retrain_workflow(self):
        need_retraining()
        name, image, label = random.choice(SAMPLES)
        files = [("files", (name, image, "image/jpeg"))]
        with self.client.post(
            f"/upload_training_data?label={label}", files=files, name="/upload_training_data", catch_response=True
        ) as response:
            if response.status_code == 200 and "uploaded_count" not in json_of(response):
                response.failure("the answer does not say how many images were stored")
        settings = {"epochs": 5, "batch_size": 32, "learning_rate": 1e-4}
        with self.client.post("/retrain", json=settings, catch_response=True) as response:
            if response.status_code == 200 and "job_id" not in json_of(response):
                response.failure("the answer names no job")
        self.ask_for_jobs()

    def ask_for_jobs(self):
        with self.client.get("/retrain_jobs", catch_response=True) as response:
            if response.status_code == 200 and "jobs" not in json_of(response):
                response.failure("the answer has no jobs")


def need_retraining():
    """Goes on with another task where the service does not retrain."""
    if not Run.has_retraining:
        raise RescheduleTaskImmediately


def json_of(response):
    """The JSON object in an answer; an empty one if there is none."""
    try:
        content = response.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def is_absent(url):
    """Whether the service says that there is nothing at this address."""
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except urllib.error.HTTPError as error:
        return error.code == 404
    except (OSError, ValueError):
        return False  # Users will see what is wrong, and it will be counted.
    return False


@events.test_start.add_listener
def look_at_the_service(environment, **_):
    """Asks once a run, and not in the name of a user, whether the service retrains."""
    host = (environment.host or ClassifierUser.host or "").rstrip("/")
    Run.has_retraining = not is_absent(f"{host}/retrain_jobs")
    Run.predictions = Run.right_predictions = 0
    Run.answers = {}
    if not Run.has_retraining:
        logging.info("The service has no /retrain_jobs: retraining is left out")


@events.test_stop.add_listener
def tell_how_good_the_predictions_were(**_):
    if Run.predictions:
        logging.info("%d of %d predictions named the right class", Run.right_predictions, Run.predictions)
