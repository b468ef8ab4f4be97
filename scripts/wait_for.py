"""wait_for.py URL PID: waits until URL answers 200, as long as process PID lives."""

import http.client
import os
import sys
import time
import urllib.request

PATIENCE_S = 60


def main(url: str, pid: int) -> str | None:
    """What went wrong, if anything did."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return "the service has ended before it answered"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.status == 200:
                    return None
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
    return f"{url} has not answered 200 within {PATIENCE_S} s"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
