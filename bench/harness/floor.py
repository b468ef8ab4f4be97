"""What the kernel alone leaves possible: the same requests from a bare loop in C.

wrk sends one fixed text and only finds the end of each answer. It has no users, no names, no statistics by name and no
Python, so the CPU time of its requests is nearly all the kernel's, and no generator on this machine can be much
cheaper with sockets.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess

from harness.servers import Target


def per_cpu_second(target: Target, core: int, connections: int, seconds: int) -> float | None:
    """Requests per CPU-second of wrk on one core; None where it is not installed."""
    wrk = shutil.which("wrk")
    if wrk is None:
        return None
    process = subprocess.Popen(
        [wrk, "--threads=1", f"--connections={connections}", f"--duration={seconds}s", f"{target.url}/"],
        preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    output = process.stdout.read()
    _, _, usage = os.wait4(process.pid, 0)
    requests = int(re.search(r"(\d+) requests in", output).group(1))
    return requests / (usage.ru_utime + usage.ru_stime)
