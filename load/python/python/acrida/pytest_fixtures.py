"""pytest's fixtures ``session`` and ``fastsession``, and its option ``--host``: locustfiles made of test
functions run under pytest as they are, and under load as users."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

#: What ``--host`` said to pytest; under load each user has its own host.
_host: str | None = None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds ``--host``, unless another plugin has it."""
    try:
        parser.addoption("--host", "-H", action="store", default=None, help="base of the URLs of session and fastsession")
    except ValueError as error:
        if "already added" not in str(error):
            raise


def pytest_configure(config: pytest.Config) -> None:
    """Remembers the host."""
    global _host
    _host = config.getoption("--host")


@pytest.fixture
def session(user: Any = None) -> Generator[Any, None, None]:
    """HttpUser's client: of ``user`` under load, otherwise of nobody."""
    # Not before it is needed: this patches the standard library for gevent.
    from locust.clients import HttpSession

    yield from _opened(HttpSession, user)


@pytest.fixture
def fastsession(user: Any = None) -> Generator[Any, None, None]:
    """FastHttpUser's client: of ``user`` under load, otherwise of nobody."""
    from locust.contrib.fasthttp import FastHttpSession

    yield from _opened(FastHttpSession, user)


def _opened(kind: Any, user: Any) -> Generator[Any, None, None]:
    from locust.env import Environment

    environment = Environment() if user is None else user.environment
    client = kind(base_url=_host if user is None else user.host, request_event=environment.events.request, user=user)
    yield client
    client.close()
