"""``acrida schedule``: the guide's daily runs."""

import re
from pathlib import Path

from support import GET_ROOT, Program, Target, locustfile, total, wait_for

FAILING = GET_ROOT.replace('"/"', '"/status/503"')


def schedule(acrida: Program, target: Target, folder: Path, tasks: str, *flags: str):
    locustfile(folder, tasks, wait_time="constant(0.05)")
    run = f"-u 2 -r 2 -t 1s --only-summary --host {target.url}".split()
    return acrida.run("schedule", "--results", "daily", "--now", "--runs", "1", *flags, "--", *run, cwd=folder)


def folders(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "daily").iterdir() if path.is_dir())


def test_a_run_leaves_its_results_in_a_folder_of_its_own(acrida: Program, target: Target, tmp_path: Path) -> None:
    finished = schedule(acrida, target, tmp_path, GET_ROOT)
    assert finished.code == 0, finished.output
    (name,) = folders(tmp_path)
    assert re.fullmatch(r"\d{8}_\d{6}", name)
    assert f"Test completed with exit code 0: daily/{name}\n" in finished.stderr
    assert total(tmp_path / "daily" / name / "test") == target.total() > 0
    assert (tmp_path / "daily" / name / "report.html").stat().st_size > 10_000


def test_only_the_newest_results_stay(acrida: Program, target: Target, tmp_path: Path) -> None:
    for name in ("20200101_020000", "20200102_020000", "mine"):
        (tmp_path / "daily" / name).mkdir(parents=True)
    schedule(acrida, target, tmp_path, GET_ROOT, "--keep", "2")
    kept = folders(tmp_path)
    assert len(kept) == 3 and kept[0] == "20200102_020000" and kept[-1] == "mine"


def test_a_bad_run_calls_the_hook(acrida: Program, target: Target, tmp_path: Path) -> None:
    hook = 'echo "$ACRIDA_EXIT_CODE $ACRIDA_RESULTS" > hook.txt'
    assert schedule(acrida, target, tmp_path, GET_ROOT, "--hook", hook).code == 0
    assert not (tmp_path / "hook.txt").exists()
    assert schedule(acrida, target, tmp_path, FAILING, "--hook", hook).code == 1
    assert (tmp_path / "hook.txt").read_text() == f"1 daily/{folders(tmp_path)[-1]}\n"


def test_a_missed_run_is_made_up_for_and_two_do_not_overlap(acrida: Program, target: Target, tmp_path: Path) -> None:
    locustfile(tmp_path, GET_ROOT, wait_time="constant(0.05)")
    (tmp_path / "daily/20200101_020000").mkdir(parents=True)
    run = f"-u 1 -t 2s --only-summary --host {target.url}".split()
    flags = ["schedule", "--results", "daily", "--", *run]
    running = acrida.start(*flags, cwd=tmp_path)
    wait_for(lambda: target.total() > 0, "the run that was missed")
    (tmp_path / "other").mkdir()
    other = acrida.run("schedule", "--results", "../daily", "--now", "--runs", "1", cwd=tmp_path / "other")
    assert (other.code, other.stderr) == (1, "acrida: cannot use ../daily: another schedule does\n")
    wait_for(lambda: "The next run is at " in (tmp_path / "stderr.txt").read_text(), "the wait for the next day")
    finished = running.stop()
    assert finished.code == 0, finished.output
    assert len(folders(tmp_path)) == 2


def test_a_mistake_is_one_line(acrida: Program, tmp_path: Path) -> None:
    for flags, part in [("--at 25:00", "'25:00' is no time of day like 02:00"), ("--keep 0", "invalid value '0'")]:
        finished = acrida.run("schedule", *flags.split(), cwd=tmp_path)
        assert finished.code == 2
        assert part in finished.stderr and finished.stderr.count("\n") == 1
