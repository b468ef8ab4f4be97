"""``acrida check``: what would spoil a test is said before one begins."""

from pathlib import Path

from support import GET_ROOT, Program, Target, locustfile

FAILING = GET_ROOT + """
    @task
    def fail(self):
        self.client.get("/status/503", name="failing")
"""


def check(acrida: Program, folder: Path, host: str, more: str = ""):
    return acrida.run(*f"check --host {host} {more}".split(), cwd=folder)


def marks(stdout: str) -> list[str]:
    return [line.split()[0] for line in stdout.splitlines()]


def test_everything_is_there(acrida: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_ROOT, wait_time="constant(0.1)")
    finished = check(acrida, tmp_path, target.url, "--csv logs/run -u 20")
    assert finished.code == 0, finished.output
    assert "FAIL" not in marks(finished.stdout)
    assert "ok    the locustfile loads: TheUser\n" in finished.stdout
    assert f"ok    {target.url} is reached in " in finished.stdout
    assert "ok    results can be written to logs\n" in finished.stdout
    assert " open files are allowed, which is enough for 20 users\n" in finished.stdout
    assert "ok    GET /: " in finished.stdout
    assert list((tmp_path / "logs").iterdir()) == [], "nothing is left"
    assert not (tmp_path / "history.db").exists(), "a trial is no run"


def test_images_beside_the_locustfile_are_looked_at(acrida: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_ROOT, wait_time="constant(0.1)")
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples/a.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    assert "ok    1 images are in samples\n" in check(acrida, tmp_path, target.url).stdout
    (tmp_path / "samples/b.jpg").write_text("no image")
    finished = check(acrida, tmp_path, target.url)
    assert finished.code == 1
    assert "FAIL  1 of 2 images in samples are none, the first is ./samples/b.jpg\n" in finished.stdout


def test_a_task_that_fails_is_named(acrida: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, FAILING, wait_time="constant(0.1)")
    finished = check(acrida, tmp_path, target.url)
    assert finished.code == 1
    assert "FAIL  GET failing: " in finished.stdout and "503" in finished.stdout
    assert "ok    GET /: " in finished.stdout


def test_a_service_that_is_not_there_is_not_tried(acrida: Program, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_ROOT)
    finished = check(acrida, tmp_path, "http://127.0.0.1:9", "--csv /dev/null/run")
    assert finished.code == 1
    assert "FAIL  http://127.0.0.1:9 cannot be reached: " in finished.stdout
    assert "FAIL  results cannot be written to /dev/null/run*: " in finished.stdout
    assert finished.stderr == "acrida: 2 of these would spoil a test\n"
