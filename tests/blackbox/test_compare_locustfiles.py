"""scripts/compare_locustfiles.py, on files that are alike on both programs and on one that is not."""

import subprocess
import sys
from pathlib import Path

from support import ROOT, Program, locustfile

ALIKE = """
    @task
    def some(self):
        self.client.get(f"/things/{id(self)}")
        self.client.get("/other")
        raise ValueError(f"number {id(self)}")
"""

#: A request that nobody decides about is counted here, and is not by Locust.
DIFFERENT = """
    @task
    def some(self):
        self.client.get("/decided")
        self.client.get("/undecided", catch_response=True)
"""


def test_locustfiles_are_compared(acrida: Program, locust: Program, tmp_path: Path) -> None:
    for name, tasks in (("alike", ALIKE), ("different", DIFFERENT)):
        folder = tmp_path / name
        folder.mkdir()
        locustfile(folder, tasks, wait_time="constant(0.1)")
    (tmp_path / "helper.py").write_text("import locust\n")
    script = [sys.executable, ROOT / "scripts/compare_locustfiles.py", tmp_path, "--rounds", "2"]
    programs = ["--locust", locust.command, "--acrida", acrida.command]
    compared = subprocess.run(
        [*script, *programs, "--", "--exit-code-on-error", "0"], capture_output=True, text=True, check=False
    )
    assert compared.returncode == 1, compared.stderr
    assert compared.stdout.splitlines() == [
        f"equal    {tmp_path}/alike/locustfile.py",
        f"differs  {tmp_path}/different/locustfile.py",
        "    stats, on Acrida only: GET /undecided",
        "1 of 2 equal",
    ]
