#!/usr/bin/env python3
"""Measures acrida beside Locust and the classifier beside Python, and writes the table of results.

    make bench                          everything, into bench/RESULTS.md
    bench/run.py --quick --only get     a short look, into bench/out/RESULTS.md

Generators are pinned to one core and the server to another. Only the standard
library is used; README.md says what is measured and why.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import traceback
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))

from harness import classifier, measures, report  # noqa: E402
from harness.generators import Generator  # noqa: E402
from harness.measures import FAST_HTTP_USER, HTTP_USER, OURS_FAST, Bench  # noqa: E402

MEASURES = {**measures.MEASURES, **classifier.MEASURES}

OUT = HERE / "out"


def arguments() -> argparse.Namespace:
    release = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--acrida", default=ROOT / ".venv/bin/acrida", type=Path, help="the command (%(default)s)")
    parser.add_argument("--locust", default=ROOT / ".venv-locust/bin/locust", type=Path, help="its peer (%(default)s)")
    peers = ROOT / ".venv-peers/bin/python"
    parser.add_argument("--peers", default=peers, type=Path, help="Python with bench/peers/requirements.txt (%(default)s)")
    parser.add_argument("--binaries", default=release, type=Path, help="where the servers are (%(default)s)")
    parser.add_argument("--without-acrida", action="store_true", help="measure only its peers")
    parser.add_argument("--only", choices=MEASURES, action="append", help="one measure; may be repeated")
    parser.add_argument("--seconds", type=int, default=20, help="how long each run lasts (%(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="how often each is run (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="once, for 3 seconds: to try the harness")
    given = parser.parse_args()
    if given.quick:
        given.seconds, given.runs = 3, 1
    return given


def generators(given: argparse.Namespace) -> list[Generator]:
    """Ours first."""
    acrida = str(given.acrida.absolute())
    ours = [
        Generator(report.OURS, acrida, exact=True),
        Generator(OURS_FAST, acrida, {"BENCH_CLIENT": "fast"}, exact=True),
    ]
    locust = str(given.locust.absolute())
    peers = [
        Generator(HTTP_USER, locust),
        Generator(FAST_HTTP_USER, locust, {"BENCH_CLIENT": "fast"}),
    ]
    return peers if given.without_acrida else [*ours, *peers]


def circumstances(given: argparse.Namespace, chosen: list[Generator]) -> list[str]:
    commands = dict.fromkeys(generator.command for generator in chosen)
    versions = [output([command, "--version"]).split(" from ")[0] for command in commands]
    commit = output(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"])
    changed = ", with changes" if output(["git", "-C", str(ROOT), "status", "--porcelain"]) else ""
    return [
        f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC, commit {commit}{changed}",
        f"{', '.join(versions)}; Python {platform.python_version()}",
        f"{os.cpu_count()} cores: {processor()}; Linux {platform.release().split('-')[0]}",
        f"{given.runs} runs of {given.seconds} s each; load on the machine before: {os.getloadavg()[0]:.2f}",
    ]


def output(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def main() -> int:
    given = arguments()
    chosen = generators(given)
    names = given.only or list(MEASURES)
    bench = Bench(
        generators=chosen,
        target_binary=given.binaries / "bench-target",
        classifier_binary=given.binaries / "classifier",
        peer_python=given.peers,
        folder=OUT / "run",
        seconds=given.seconds,
        runs=given.runs,
    )
    lines = circumstances(given, chosen)
    if (os.cpu_count() or 1) < 2:
        sys.exit("bench/run.py: two cores are needed: one for the generator, one for the server")
    rows, failed = measured(names, bench)
    if failed:
        lines.append(f"not measured: {'; '.join(failed)}")
    if not given.without_acrida:
        exact = "; ".join(measures.MISCOUNTS) or f"equal in every run of {report.OURS}"
        lines.append(f"requests counted by the server and in the CSV: {exact}")
    whole = not (given.quick or given.only or given.without_acrida)
    path = HERE / "RESULTS.md" if whole else OUT / "RESULTS.md"
    columns = [generator.name for generator in chosen if generator.name != OURS_FAST]
    tables = [
        ("acrida beside Locust", [row for row in rows if row.ours == report.OURS], columns),
        ("The classifier beside the usual Python stack", [row for row in rows if row.ours == classifier.OURS],
         [classifier.OURS, classifier.PEER]),
    ]
    path.write_text(report.document(tables, lines))
    print(path.read_text())
    print(f"written to {path}")
    missed = [row for row in rows if row.verdict() == "**no**"]
    return 1 if missed or failed or measures.MISCOUNTS else 0


def measured(names: list[str], bench: Bench) -> tuple[list[report.Row], list[str]]:
    """The rows of every measure, and which measures failed, with why: one that fails does not cost the others."""
    rows, failed = [], []
    for name in names:
        try:
            rows += MEASURES[name](bench)
        except Exception as error:
            traceback.print_exc()
            failed.append(f"{name} ({type(error).__name__}: {error})")
    return rows, failed


if __name__ == "__main__":
    sys.exit(main())
