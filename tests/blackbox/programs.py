"""Programs that use Locust as a library, and what they say."""

from __future__ import annotations

import subprocess
import textwrap
from pathlib import Path

from support import PATIENCE_S, Program, clean_environment

HEAD = """
import sys
import gevent
from locust import HttpUser, User, constant, events, run_single_user, task
from locust.env import Environment

def say(*what):
    print("SAID", *what)

class TheUser(HttpUser):
    host = sys.argv[1]
    wait_time = constant(0.02)
    @task
    def get(self):
        self.client.get("/")
"""


def said(program: Program, folder: Path, url: str, text: str, *more: str) -> list[str]:
    """What a program says that is run by the program's interpreter."""
    folder = folder / program.name
    folder.mkdir(exist_ok=True)
    (folder / "program.py").write_text(HEAD + textwrap.dedent(text))
    python = str(Path(program.command).with_name("python"))
    command = [python, *(["-m", "acrida.script"] if program.name == "acrida" else []), "program.py", url, *more]
    finished = subprocess.run(
        command, cwd=folder, env=clean_environment(), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return [line for line in finished.stdout.splitlines() if line.startswith("SAID")]
