"""Keys on a real terminal: w W s S change users, Enter opens the page."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import Program, clean_environment, free_port, wait_for

LOCUSTFILE = """
from locust import User, constant, task

class TheUser(User):
    wait_time = constant(0.1)

    @task
    def nothing(self):
        pass
"""


@dataclass
class Terminal:
    process: subprocess.Popen
    keyboard: int
    log: Path

    def press(self, keys: str) -> None:
        os.write(self.keyboard, keys.encode())

    def sees(self, *texts: str) -> None:
        """Waits until the log holds these texts, one after the other, and forgets them."""
        for text in texts:
            wait_for(lambda text=text: text in self._new(), f"{text!r} in:\n{self.log.read_text()}")
            self._seen = self.log.read_text().index(text, self._seen) + len(text)

    _seen: int = 0

    def _new(self) -> str:
        return self.log.read_text()[self._seen :]

    def mode(self) -> list:
        return termios.tcgetattr(self.keyboard)


@contextmanager
def on_a_terminal(program: Program, folder: Path, *arguments: str, **environment: str) -> Iterator[Terminal]:
    """``program`` with a terminal of its own as stdin, which it is in the foreground of."""
    (folder / "locustfile.py").write_text(LOCUSTFILE)
    keyboard, end = pty.openpty()
    log = folder / "log.txt"

    def take_terminal() -> None:
        os.setsid()
        fcntl.ioctl(end, termios.TIOCSCTTY, 0)

    with log.open("wb") as output:
        process = subprocess.Popen(
            [program.command, *arguments],
            cwd=folder,
            env={**clean_environment(), "ACRIDA_HISTORY": str(folder / "history.db"), **environment},
            stdin=end,
            stdout=output,
            stderr=output,
            preexec_fn=take_terminal,
        )
    try:
        yield Terminal(process, keyboard, log)
    finally:
        process.kill()
        process.wait()
        os.close(keyboard)
        os.close(end)


def test_keys_change_the_number_of_users(program: Program, tmp_path: Path) -> None:
    with on_a_terminal(program, tmp_path, "--headless", "-u", "0") as terminal:
        terminal.sees('All users spawned: {"TheUser": 0} (0 total users)')
        for key, users in [("w", 1), ("W", 11), ("s", 10), ("S", 0), ("S", 0)]:
            terminal.press(key)
            ramp = f"Ramping to {users} users at a rate of 100.00 per second"
            terminal.sees(ramp, f'All users spawned: {{"TheUser": {users}}} ({users} total users)')
        if program.name == "acrida":  # Locust's listener for keys swallows a signal now and then
            terminal.process.send_signal(signal.SIGINT)
            assert terminal.process.wait(60) == 0


def test_enter_opens_the_page(program: Program, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened.tmp && mv {tmp_path}/opened.tmp {tmp_path}/opened\n')
    browser.chmod(0o755)
    port = free_port()
    arguments = ("--web-port", str(port), "--web-host", "127.0.0.1")
    with on_a_terminal(program, tmp_path, *arguments, BROWSER=f"{browser} %s") as terminal:
        terminal.sees(f"Starting web interface at http://127.0.0.1:{port}, press enter to open")
        opened = tmp_path / "opened"

        def is_opened() -> bool:
            terminal.press("\n")  # Locust begins to listen a while after it says so
            return opened.exists()

        wait_for(is_opened, "a browser")
        assert opened.read_text().strip() == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("signals", [1, 2])
def test_the_terminal_is_put_back_however_a_run_ends(acrida: Program, tmp_path: Path, signals: int) -> None:
    with on_a_terminal(acrida, tmp_path, "--headless", "-u", "1") as terminal:
        before = terminal.mode()[3] | termios.ECHO | termios.ICANON
        terminal.sees("All users spawned")
        wait_for(lambda: not terminal.mode()[3] & termios.ECHO, "keys that are not shown")
        for _ in range(signals):
            terminal.process.send_signal(signal.SIGINT)
        assert terminal.process.wait(60) == 0
        assert terminal.mode()[3] == before


def test_input_that_is_no_terminal_is_left_alone(acrida: Program, tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text(LOCUSTFILE)
    command = [acrida.command, "--headless", "-u", "1", "-t", "1", "--no-history"]
    finished = subprocess.run(command, cwd=tmp_path, input=b"WWWW", capture_output=True, env=clean_environment(), check=True)
    assert finished.stderr.count(b"Ramping to") == 1
