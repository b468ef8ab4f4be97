"""Where the web page is served and until when, on acrida and on Locust."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path

from support import PATIENCE_S, Program, free_port, wait_for

LOCUSTFILE = """
from locust import User, constant, task

class TheUser(User):
    wait_time = constant(0.1)
    @task
    def nothing(self):
        pass
"""


def test_the_page_is_served_below_a_path_by_tls_until_the_test_is_over(program: Program, certificates: Path) -> None:
    port = free_port()
    (certificates / "locustfile.py").write_text(LOCUSTFILE)
    tls = ["--tls-cert=server.pem", "--tls-key=server.key"]
    where = ["--web-host=127.0.0.1", f"--web-port={port}", "--web-base-path=/load"]
    running = program.start(*tls, *where, "--autostart", "-t", "3s", "--autoquit=1", cwd=certificates)
    trusted = ssl.create_default_context(cafile=str(certificates / "server.pem"))
    trusted.check_hostname = False  # it names localhost

    def status(path: str, scheme: str = "https") -> int:
        try:
            with urllib.request.urlopen(f"{scheme}://127.0.0.1:{port}{path}", context=trusted, timeout=PATIENCE_S) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except (OSError, HTTPException):
            return 0

    wait_for(lambda: status("/load/") == 200, "the page")
    assert [status(path) for path in ("/load/stats/requests", "/stats/requests", "/")] == [200, 404, 404]
    assert status("/load/", "http") != 200
    finished = running.wait()
    assert finished.code == 0
    assert "--autoquit time reached, shutting down" in finished.stderr
