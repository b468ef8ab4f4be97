"""The locustfiles of the repository, on acrida and on Locust."""

from pathlib import Path

import pytest
from standin import PREDICTION, Standin
from support import ROOT, Program, names, read_csv, wait_for

JOBS = (200, {"total_jobs": 0, "jobs": {}})


def run_until(program: Program, file: str, standin: Standin, folder: Path, served: dict[str, int]) -> str:
    """Runs a locustfile until the server has answered this much; returns the output."""
    arguments = f"-f {ROOT / file} --host={standin.url} -u 20 -r 20 -t 60s --headless --csv run -s 10"
    running = program.start(*arguments.split(), cwd=folder)
    wait_for(lambda: all(standin.served[name] >= count for name, count in served.items()), f"{served}")
    # Locust writes its files once a second.
    found = {tuple(name.split()) for name in served}
    wait_for(lambda: found <= names(folder / "run"), f"rows of {served}")
    return running.stop().output


def test_the_guides_users_ask_for_health_and_predictions(program: Program, standin: Standin, tmp_path: Path) -> None:
    output = run_until(program, "locustfile.py", standin, tmp_path, {"GET /health": 20, "POST /predict": 20})
    assert names(tmp_path / "run") == {("GET", "/health"), ("POST", "/predict")}
    assert read_csv(tmp_path / "run", "failures") == []
    assert standin.served["GET /retrain_jobs"] == 1, "asked once, at the start"
    assert "/retrain_jobs: retraining is left out" in output
    assert "predictions named the right class" in output


def test_the_guides_users_retrain_where_that_can_be_done(program: Program, standin: Standin, tmp_path: Path) -> None:
    standin.answers["GET", "/retrain_jobs"] = JOBS
    standin.answers["POST", "/upload_training_data"] = (200, {"uploaded_count": 1, "saved_path": "x", "message": "x"})
    standin.answers["POST", "/retrain"] = (200, {"job_id": "x", "status": "started", "message": "x"})
    served = {"POST /upload_training_data": 1, "POST /retrain": 1, "GET /retrain_jobs": 3, "POST /predict": 3}
    run_until(program, "locustfile.py", standin, tmp_path, served)
    assert read_csv(tmp_path / "run", "failures") == []


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ((503, {"detail": "busy"}), "503 Server Error"),
        ((200, "<html>"), "not a prediction"),
        ((200, PREDICTION | {"predicted_class_short": "Cat"}), "predicted_class_short is 'Cat', not one of Glioma"),
        ((200, PREDICTION | {"probabilities": {"Glioma": 1}}), "probabilities does not have exactly the four classes"),
        ((200, PREDICTION | {"confidence": 0.5}), "confidence is not the probability of the predicted class"),
    ],
)
def test_wrong_answers_are_failures_that_say_what_is_wrong(
    program: Program, standin: Standin, tmp_path: Path, answer: tuple[int, object], text: str
) -> None:
    standin.answers["POST", "/predict"] = answer
    run_until(program, "locustfile.py", standin, tmp_path, {"POST /predict": 3})
    [failure] = read_csv(tmp_path / "run", "failures")
    assert (failure["Method"], failure["Name"]) == ("POST", "/predict")
    assert text in failure["Error"]


def test_the_guides_custom_user_makes_the_same_requests(
    acrida: Program, locust: Program, standin: Standin, tmp_path: Path
) -> None:
    standin.answers["POST", "/predict"] = (400, {"detail": "not an image"})
    found = {}
    for program in (locust, acrida):
        folder = tmp_path / program.name
        folder.mkdir()
        standin.served.clear()
        run_until(program, "examples/custom_user.py", standin, folder, {"POST /predict": 200})
        found[program.name] = names(folder / "run")
        failures = [row for row in read_csv(folder / "run", "failures") if row["Name"] == "/predict"]
        assert ["400 Client Error" in row["Error"] for row in failures] == [True]
    # Locust cannot send two files in the guide's form, so it never gets further.
    assert found["locust"] == {("POST", "/predict")}
    assert found["locust"] <= found["acrida"]
    assert found["acrida"] <= found["locust"] | {
        ("POST", "/upload_training_data?label=glioma"), ("POST", "/retrain"), ("GET", "/retrain_jobs"),
    }  # fmt: skip


def test_the_classifier_answers_400_to_what_is_no_image(acrida: Program, classifier: str, tmp_path: Path) -> None:
    arguments = f"-f {ROOT / 'examples/custom_user.py'} --host={classifier} -u 5 -r 5 -t 60s --headless --csv run"
    running = acrida.start(*arguments.split(), cwd=tmp_path)
    prefix = tmp_path / "run"

    def refused() -> list[str]:
        rows = read_csv(prefix, "failures") if Path(f"{prefix}_failures.csv").exists() else []
        return [row["Error"] for row in rows if row["Name"] == "/predict"]

    wait_for(refused, "a refused prediction")
    finished = running.stop()
    assert finished.code == 1, finished.output
    assert all("400 Client Error" in error for error in refused())


def test_a_service_that_is_absent_is_no_reason_to_leave_tasks_out(program: Program, nobody: str, tmp_path: Path) -> None:
    arguments = f"-f {ROOT / 'locustfile.py'} --host={nobody} -u 20 -r 20 -t 3s --headless --csv run"
    finished = program.run(*arguments.split(), cwd=tmp_path)
    assert finished.code == 1
    assert "left out" not in finished.output
