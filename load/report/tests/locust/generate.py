"""Writes what Locust shows of samples.csv into the files beside it.

Run with Locust 2.47.0 installed: python load/report/tests/locust/generate.py
"""

import csv
import io
import tempfile
from pathlib import Path
from types import SimpleNamespace

from locust import stats
from locust.exception import CatchResponseError

HERE = Path(__file__).parent
START, END = 1_700_000_000.5, 1_700_000_020.25
clock = SimpleNamespace(time=lambda: clock.now, now=START)
# Locust asks the clock itself when a request finished.
stats.time = clock
stats.STATS_NAME_WIDTH = 80


def measured() -> stats.RequestStats:
    requests = stats.RequestStats()
    with (HERE / "samples.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            clock.now = int(row["finished_us"]) / 1e6
            method, name = row["method"], row["name"]
            time_ms = float(row["response_time_ms"]) if row["response_time_ms"] else None
            requests.log_request(method, name, time_ms, int(row["content_length"]))
            if row["failure"]:
                requests.log_error(method, name, error_of(row["failure"]))
    clock.now = END
    return requests


def error_of(text: str) -> Exception | str:
    """Outside of distributed runs, Locust holds the exception itself."""
    return eval(text, {"CatchResponseError": CatchResponseError}) if text.startswith("Catch") else text


def write(name: str, text: str) -> None:
    (HERE / name).write_text(text, newline="")


def csv_of(*writers) -> str:
    out = io.StringIO(newline="")
    for writer in writers:
        writer(csv.writer(out))
    return out.getvalue()


def main() -> None:
    requests = measured()
    exceptions = {
        1: {"count": 2, "msg": 'boom, "x"', "traceback": '  File "a.py", line 1, in f\n    g()\n', "nodes": {"local"}}
    }
    runner = SimpleNamespace(user_count=7, exceptions=exceptions)
    environment = SimpleNamespace(stats=requests, runner=runner)
    files = stats.StatsCSVFileWriter(environment, stats.PERCENTILES_TO_REPORT, f"{tempfile.mkdtemp()}/x")
    write("stats.csv", csv_of(files.requests_csv))
    write("failures.csv", csv_of(files.failures_csv))
    write("exceptions.csv", csv_of(files.exceptions_csv))
    header = lambda out: out.writerow(files.stats_history_csv_columns)
    for files.full_history, name in [(False, "history.csv"), (True, "full_history.csv")]:
        write(name, csv_of(header, lambda out: files._stats_history_data_rows(out, END)))
    for name, lines in [
        ("table_current.txt", stats.get_stats_summary(requests, current=True)),
        ("table_total.txt", stats.get_stats_summary(requests, current=False)),
        ("percentiles.txt", stats.get_percentile_stats_summary(requests)),
        # Unlike the others, its lines already end with an empty one.
        ("errors.txt", stats.get_error_report_summary(requests)[:-1]),
    ]:
        write(name, "\n".join(lines) + "\n\n")


main()
