"""What people get wrong, and what is said about it. Nothing here ends in a traceback of ours."""

import re
from pathlib import Path

import pytest
from support import GET_ROOT, Program, Target, locustfile, names, read_csv, stats

RUN = "--headless -u 2 -r 2 -t 2s --csv run"


def test_an_unknown_flag_gets_a_suggestion(program: Program, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_ROOT)
    finished = program.run("--headless", "--usrs=5", cwd=tmp_path)
    assert finished.code == 2
    assert "did you mean" in finished.output.lower()
    assert "--users" in finished.output


@pytest.mark.parametrize(
    ("arguments", "flag"),
    [
        ("-u many", "-u/--users"),
        ("-t soon", "-t/--run-time"),
        ("-r -1", "-r/--spawn-rate"),
        ("-u 1.5", "-u/--users"),
    ],
)
def test_a_flag_with_a_bad_value_is_named(program: Program, tmp_path: Path, arguments: str, flag: str) -> None:
    locustfile(tmp_path, GET_ROOT)
    finished = program.run("--headless", *arguments.split(), cwd=tmp_path)
    assert finished.code == 2
    assert f"error: argument {flag}" in finished.output


def test_a_missing_locustfile_is_named(program: Program, tmp_path: Path) -> None:
    finished = program.run(*f"-f missing.py {RUN}".split(), cwd=tmp_path)
    assert finished.code == 1
    assert "missing.py" in finished.output
    assert not (tmp_path / "run_stats.csv").exists()


def test_a_syntax_error_is_shown_with_its_line(program: Program, tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text("from locust import HttpUser\n\nclass TheUser(HttpUser:\n    pass\n")
    finished = program.run(*RUN.split(), cwd=tmp_path)
    assert finished.code == 1
    assert re.search(r"locustfile\.py.*line 3", finished.output, re.DOTALL)
    assert "class TheUser(HttpUser:" in finished.output


def test_an_import_that_fails_is_explained(acrida: Program, tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text("import locust\nimport surely_missing\n")
    finished = acrida.run(*RUN.split(), cwd=tmp_path)
    assert finished.code == 1
    assert re.search(r"locustfile\.py, line 2", finished.output)
    assert "pip install surely_missing" in finished.output


def test_a_missing_package_is_named_as_pip_knows_it(acrida: Program, tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text("import cv2\n")
    finished = acrida.run(*RUN.split(), cwd=tmp_path)
    assert finished.code == 1
    assert "No module named 'cv2'" in finished.stderr
    assert "pip install opencv-python" in finished.stderr


def test_a_module_of_a_folder_above_is_shown(
    acrida: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "helpers").mkdir()
    folder = tmp_path / "acrida-tests"
    folder.mkdir()
    file = folder / locustfile(folder, GET_ROOT)
    file.write_text(f"import helpers\n{file.read_text()}")
    finished = acrida.run("--list", cwd=folder)
    assert finished.code == 1
    assert f"{file}, line 1); helpers is in {tmp_path}: set PYTHONPATH={tmp_path}" in finished.stderr
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert acrida.run("--list", cwd=folder).code == 0


def test_a_module_that_a_package_does_not_have_is_not_to_be_installed(acrida: Program, tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text("import email.surely_missing\n")
    finished = acrida.run(*RUN.split(), cwd=tmp_path)
    assert finished.code == 1
    assert finished.stderr.rstrip().endswith("line 1)")


def test_a_locustfile_without_users_is_refused(program: Program, tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text("from locust import HttpUser\n")
    finished = program.run(*RUN.split(), cwd=tmp_path)
    assert finished.code == 1
    assert "no user class found" in finished.output.lower()


def test_requests_to_nobody_are_failures_and_the_run_goes_on(program: Program, nobody: str, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_ROOT, wait_time="constant(0.05)")
    finished = program.run(*f"{RUN} --host {nobody}".split(), cwd=tmp_path)
    assert finished.code == 1
    [failure] = read_csv(tmp_path / "run", "failures")
    assert (failure["Method"], failure["Name"]) == ("GET", "/")
    assert "refused" in failure["Error"].lower()
    assert int(failure["Occurrences"]) > 2, "it went on"
    assert "Error report" in finished.output


def test_a_missing_host_is_said(program: Program, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_ROOT)
    finished = program.run(*RUN.split(), cwd=tmp_path)
    assert "You must specify the base host" in finished.output
    assert finished.console_totals() == (0, 0)


def test_files_that_cannot_be_written_are_named_before_the_run(
    acrida: Program, target: Target, tmp_path: Path
) -> None:
    locustfile(tmp_path, GET_ROOT)
    (tmp_path / "taken").write_text("a file, where a folder is needed")
    for arguments in ("--csv taken/run", "--csv taken/run --csv-requests", "--csv /proc/run"):
        finished = acrida.run(*f"{RUN} --host {target.url} {arguments}".split(), cwd=tmp_path)
        assert finished.code == 1, arguments
        assert arguments.split()[1] in finished.output
        assert "Traceback" not in finished.output
    assert target.total() == 0


def test_tasks_that_raise_are_counted_and_shown_once(program: Program, target: Target, tmp_path: Path) -> None:
    tasks = """
        @task
        def fall_over(self):
            self.client.get("/")
            raise KeyError("the third drawer")
    """
    locustfile(tmp_path, tasks, wait_time="constant(0.05)")
    finished = program.run(*f"{RUN} --host {target.url}".split(), cwd=tmp_path)
    assert finished.code == 1
    [exception] = read_csv(tmp_path / "run", "exceptions")
    assert int(exception["Count"]) > 2
    assert "the third drawer" in exception["Message"]
    assert exception["Traceback"].count("in fall_over") == 1
    assert stats(tmp_path / "run")["", "Aggregated"]["Failure Count"] == "0", "the requests were fine"
    assert names(tmp_path / "run") == {("GET", "/")}


@pytest.mark.parametrize(
    ("path", "arguments", "code"),
    [
        ("/", "", 0),
        ("/status/404", "", 1),
        ("/status/404", "--exit-code-on-error 7", 7),
        ("/status/404", "--exit-code-on-error 0", 0),
    ],
)
def test_the_exit_code_says_how_the_run_went(
    program: Program, target: Target, tmp_path: Path, path: str, arguments: str, code: int
) -> None:
    locustfile(tmp_path, f"@task\ndef get(self):\n    self.client.get('{path}')", wait_time="constant(0.1)")
    finished = program.run(*f"{RUN} --host {target.url} {arguments}".split(), cwd=tmp_path)
    assert finished.code == code, finished.output


def test_a_locustfile_has_the_last_word_on_the_exit_code(program: Program, target: Target, tmp_path: Path) -> None:
    file = locustfile(tmp_path, GET_ROOT, wait_time="constant(0.1)")
    with (tmp_path / file).open("a") as text:
        text.write(
            "\n@events.quitting.add_listener\ndef decide(environment, **_):\n    environment.process_exit_code = 5\n"
        )
    finished = program.run(*f"{RUN} --host {target.url}".split(), cwd=tmp_path)
    assert finished.code == 5, finished.output


def test_list_and_version_run_nothing(program: Program, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_ROOT)
    listed = program.run("--list", cwd=tmp_path)
    assert listed.code == 0
    assert listed.stdout == "Available Users:\n    TheUser\n"
    version = program.run("--version", cwd=tmp_path)
    assert version.code == 0
    assert version.output.startswith(program.name)
