"""Runs locustfiles on Locust and on Acrida, and tells where the two differ.

    python3 scripts/compare_locustfiles.py --host http://127.0.0.1:8000 tests/load another/locustfile.py

Every file, and every .py file of a folder that has users, runs headless on both, from its own folder. Compared are the
names of requests, the kinds of failures and of exceptions, and the exit code. Digits and addresses count as alike:
they differ from run to run. What tasks drawn by chance leave out is looked for again: as long as the two differ, both
run once more, twice as long, and what the runs of each found is put together. What is requested when users stop shows as
a difference, because Locust's CSV files end before.

Without --host, a server that answers every path, each in its own way, stands in for the service. Options of Locust,
such as --tags, follow after --. The exit code is 1 if a file differs.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import zlib
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

#: A run that has not ended so long after its time is killed.
PATIENCE_S = 60

#: These runs are none that a later one is to be compared with.
KEPT_APART = {**os.environ, "LOCUST_NO_HISTORY": "true"}

#: What differs between two runs of one program: addresses, ids, numbers.
CHANGING = re.compile(r"0x[0-9a-fA-F]+|[0-9a-fA-F]{8}-[0-9a-fA-F-]{20,}|\d+")

#: The files that are compared, and the columns that say which kind of thing a row is.
KINDS = {"stats": ("Type", "Name"), "failures": ("Method", "Name", "Error"), "exceptions": ("Message",)}


@dataclass(frozen=True)
class Found:
    """What runs of one program showed: how the last one ended, and rows by the file that they stood in."""

    code: int | None
    rows: dict[str, frozenset[str]]

    def and_later(self, later: Found) -> Found:
        return Found(later.code, {kind: self.rows[kind] | later.rows[kind] for kind in KINDS})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path, help="locustfiles, or folders of them")
    parser.add_argument("--locust", default="locust", help="the command of Locust")
    parser.add_argument("--acrida", default="acrida", help="the command of Acrida")
    parser.add_argument("--host", help="the service to load; a stand-in if there is none")
    parser.add_argument("--users", type=int, default=3)
    parser.add_argument("--run-time", type=int, default=5, metavar="SECONDS", help="of the first run")
    parser.add_argument("--rounds", type=int, default=3, help="runs of a file at most, on each of the two")
    own, options = split(sys.argv[1:])
    arguments = parser.parse_args(own)
    host = arguments.host or stand_in()
    differ = 0
    files = locustfiles(arguments.paths)
    for file in files:
        lines = compare(
            arguments, [*options, "--host", host, "-u", str(arguments.users), "-r", str(arguments.users)], file
        )
        differ += bool(lines)
        print("\n".join([f"{'differs' if lines else 'equal':8} {file}", *lines]), flush=True)
    print(f"{len(files) - differ} of {len(files)} equal")
    return 1 if differ else 0


def split(words: list[str]) -> tuple[list[str], list[str]]:
    """What is before ``--``, and what is after it."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def locustfiles(paths: list[Path]) -> list[Path]:
    """The files, and in place of folders the files in them that have users."""
    files: list[Path] = []
    for path in paths:
        files += sorted(each for each in path.rglob("*.py") if has_users(each)) if path.is_dir() else [path]
    return [file.resolve() for file in files]


def has_users(file: Path) -> bool:
    text = file.read_text(errors="replace")
    return bool(re.search(r"^\s*(from|import) locust\b", text, re.M) and re.search(r"^class \w+\(.*User\b", text, re.M))


def compare(arguments: argparse.Namespace, flags: list[str], file: Path) -> list[str]:
    """In what the two differ, a line each."""
    found: dict[str, Found] = {}
    for seconds in (arguments.run_time << again for again in range(arguments.rounds)):
        for command in (arguments.locust, arguments.acrida):
            run = ran(command, [*flags, "-t", f"{seconds}s"], file, seconds + PATIENCE_S)
            found[command] = found[command].and_later(run) if command in found else run
        lines = differences(found[arguments.locust], found[arguments.acrida])
        if not lines:
            break
    return lines


def ran(command: str, flags: list[str], file: Path, patience_s: int) -> Found:
    with tempfile.TemporaryDirectory() as folder:
        prefix = Path(folder, "run")
        line = [command, "-f", str(file), "--headless", "--csv", str(prefix), *flags]
        try:
            ended = subprocess.run(
                line, cwd=file.parent, env=KEPT_APART, capture_output=True, timeout=patience_s, check=False
            )
            code = ended.returncode
        except subprocess.TimeoutExpired:
            code = None
        return Found(code, {kind: rows(Path(f"{prefix}_{kind}.csv"), columns) for kind, columns in KINDS.items()})


def rows(file: Path, columns: tuple[str, ...]) -> frozenset[str]:
    if not file.exists():
        return frozenset()
    with file.open(newline="", errors="replace") as lines:
        found = (" ".join(row[column] for column in columns) for row in csv.DictReader(lines))
        return frozenset(CHANGING.sub("#", text) for text in found)


def differences(locust: Found, acrida: Found) -> list[str]:
    def end(code: int | None) -> str:
        return "did not end" if code is None else f"exit code {code}"

    lines = [] if locust.code == acrida.code else [f"    {end(locust.code)} on Locust, {end(acrida.code)} on Acrida"]
    for kind in KINDS:
        lines += [f"    {kind}, on Locust only: {text}" for text in sorted(locust.rows[kind] - acrida.rows[kind])]
        lines += [f"    {kind}, on Acrida only: {text}" for text in sorted(acrida.rows[kind] - locust.rows[kind])]
    return lines


def stand_in() -> str:
    """Starts the server that stands in for a service; its URL."""
    server = Server(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


class Server(ThreadingHTTPServer):
    """Takes as many connections at once as a locustfile with a load shape of its own makes."""

    request_queue_size = 4096


class Answering(BaseHTTPRequestHandler):
    """Answers most with an object of the names that are usually asked for, some with an error."""

    protocol_version = "HTTP/1.1"
    body = json.dumps(
        {"id": 1, "name": "name", "token": "token", "access_token": "token", "items": [{"id": 1}], "data": {"id": 1}}
    ).encode()

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        route = f"{self.command} {CHANGING.sub('#', self.path.partition('?')[0])}"
        status = {0: 404, 1: 500}.get(zlib.crc32(route.encode()) % 10, 200)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(self.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

    def log_message(self, *_: object) -> None:
        """Says nothing."""


if __name__ == "__main__":
    sys.exit(main())
