"""What locustfiles pass to clients and events without meaning to, on acrida and on Locust."""

from __future__ import annotations

from pathlib import Path

import pytest
from programs import said
from support import Program, Target

REQUESTS = """
    from locust import FastHttpUser
    env = Environment(events=events)
    env.create_local_runner()
    class Fast(FastHttpUser):
        host = sys.argv[1]
    @events.request.add_listener
    def _(request_type, name, exception, **_):
        say("   counted", request_type, name, repr(exception))
    def attempt(what, call):
        try:
            response = call()
            say(what, response.status_code, repr(getattr(response, "error", None)))
        except Exception as error:
            say(what, type(error).__name__, *([error] if what in TEXTS_ARE_ALIKE else []))
    TEXTS_ARE_ALIKE = ("method 'A B'", "no certificate", "no authorities")
    for user in (TheUser, Fast):
        client = user(env).client
        for value in (5, 1.5, ["a"], b"bytes", None, "", " a", "a\\nb"):
            attempt(f"header {value!r}", lambda: client.get("/", headers={"X-Odd": value}))
        attempt("JSON", lambda: client.post("/", json=float("nan")))
        attempt("JSON inside", lambda: client.post("/", json={"a": [float("inf")]}))
        for name in (5, ("a", 1), b"x", None, ""):
            attempt("name", lambda: client.get("/", name=name))
        for method in ("", "get", "A B", None, 5):
            attempt(f"method {method!r}", lambda: client.request(method, "/"))
        attempt("files", lambda: client.post("/", files=5) if user is TheUser else None)
    attempt("unknown", lambda: client.get("/", nonsense=5))
    client = TheUser(env).client
    for value in (7, "7"):
        client.headers["X-Odd"] = value
        attempt("header of the session", lambda: client.get("/"))
    attempt("no authorities", lambda: client.get("/", verify="/missing"))
    attempt("no authorities", lambda: client.get("https://127.0.0.1:1/", verify="/missing"))
    attempt("no certificate", lambda: client.get("/", cert="/missing"))
    for error in env.stats.errors.values():
        say(error.occurrences, error.to_name())
    say(env.stats.total.num_requests, env.stats.get(5, "GET").num_requests, env.stats.get(("a", 1), "GET").num_requests)
"""

#: Where the two differ: a name is shown as text, and these are the exceptions of another library.
ALIKE = {
    "GET ('a', 1)": "GET ('a', 1)",
    "method None AttributeError": "method None TypeError",
    "method 5 AttributeError": "method 5 TypeError",
    "files ValueError": "files TypeError",
}


def test_odd_arguments_of_a_request_are_taken_as_by_locust(
    acrida: Program, locust: Program, target: Target, tmp_path: Path
) -> None:
    def shown(program: Program) -> list[str]:
        return said(program, tmp_path, target.url, REQUESTS)

    expected = shown(locust)
    assert len(expected) > 60
    for theirs, ours in ALIKE.items():
        expected = [line.replace(theirs, ours) for line in expected]
    assert shown(acrida) == expected


FIRED = """
    env = Environment(events=events)
    env.create_local_runner()
    told = []
    events.request.add_listener(lambda **arguments: told.append(arguments))
    fine = dict(request_type="X", name="n", response_time=5, response_length=7, exception=None, context={})
    def fire(**changes):
        env.stats.clear_all()
        told.clear()
        arguments = {**fine, **changes}
        events.request.fire(**{name: value for name, value in arguments.items() if value != "LEFT OUT"})
        for entry in env.stats.entries.values():
            figures = (entry.avg_response_time, entry.min_response_time, entry.max_response_time)
            numbers = [None if figure is None else float(figure) for figure in figures]
            say(entry.method, entry.name, entry.num_requests, entry.num_failures, int(entry.total_content_length), *numbers)
        say("   told", len(told), [error.to_name() for error in env.stats.errors.values()])
    for changes in CHANGES:
        say(changes)
        fire(**changes)
"""
ALIKE_CHANGES = """
    from decimal import Decimal
    from fractions import Fraction
    class OfAnotherLibrary(float):
        pass
    CHANGES = [
        dict(name=None), dict(name=5), dict(name=("a", 1)), dict(request_type=None), dict(request_type=5),
        dict(response_time=None), dict(response_time=Decimal("5.5")), dict(response_time=Fraction(11, 2)),
        dict(response_time=OfAnotherLibrary(5.5)), dict(response_time=True), dict(response_time="5"),
        dict(response_time=float("nan")), dict(response_time=float("inf")), dict(response_time="LEFT OUT"),
        dict(response_length=7.5), dict(response_length=OfAnotherLibrary(7)), dict(response_length="7"),
        dict(response_length="LEFT OUT"), dict(name="LEFT OUT"), dict(request_type="LEFT OUT"),
        dict(exception="LEFT OUT"), dict(context="LEFT OUT"), dict(more=1),
        dict(exception="boom"), dict(exception=True), dict(exception=False), dict(exception=""), dict(exception=5),
        dict(exception=ValueError), dict(exception=ValueError("x")),
    ]
"""


def test_odd_arguments_of_a_fired_request_are_taken_as_by_locust(
    acrida: Program, locust: Program, tmp_path: Path
) -> None:
    expected = said(locust, tmp_path, "-", ALIKE_CHANGES + FIRED)
    assert len(expected) > 60
    assert said(acrida, tmp_path, "-", ALIKE_CHANGES + FIRED) == expected


@pytest.mark.parametrize(
    ("change", "row"),
    [
        ("response_time=-5", "X n 1 0 7 0.0 0.0 0.0"),
        ("response_length=None", "X n 1 0 0 5.0 5.0 5.0"),
        ("response_length=-7", "X n 1 0 0 5.0 5.0 5.0"),
    ],
)
def test_what_is_below_nothing_counts_as_nothing(acrida: Program, tmp_path: Path, change: str, row: str) -> None:
    # Locust counts below zero, and does not count a request of length None.
    lines = said(acrida, tmp_path, "-", f"    CHANGES = [dict({change})]\n{FIRED}")
    assert lines[1:] == [f"SAID {row}", "SAID    told 1 []"]
