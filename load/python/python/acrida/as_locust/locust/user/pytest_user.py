"""Users that run pytest's test functions, and where they come from."""

from __future__ import annotations

import inspect
import logging
import traceback
from typing import Any

import pytest
from _pytest.config import Config

from acrida.http.errors import Said, named

from ..exception import CatchResponseError
from .task import task
from .users import User

logger = logging.getLogger(__name__)


class PytestUser(User):
    """Runs test functions again and again, each with what the fixture gives that it asks for."""

    abstract = True
    #: Test functions, each with the fixtures of its parameters.
    functions: list[tuple[Any, list[Any]]]

    def on_start(self) -> None:
        """Sets the fixtures up; they last as long as the user."""
        self._open: list[Any] = []
        self._calls = [(function, [self._value(fixture) for fixture in fixtures]) for function, fixtures in self.functions]

    def on_stop(self) -> None:
        """Takes the fixtures down."""
        for fixture in reversed(self._open):
            next(fixture, None)

    @task
    def run_tests(self) -> None:
        """One round. A request that failed ends its function, and is counted already."""
        for function, values in self._calls:
            try:
                function(*values)
            except (named("RequestException"), CatchResponseError, ConnectionError, TimeoutError, Said) as error:
                if isinstance(error, ValueError):  # such as MissingSchema: the function is wrong
                    raise
                logger.debug("%s\n%s", error, traceback.format_exc())
            except pytest.skip.Exception as skipped:
                logger.debug("skipped: %s", skipped)
            except pytest.fail.Exception as failed:  # is no Exception, and would end the user
                raise AssertionError(str(failed)) from failed

    def _value(self, fixture: Any) -> Any:
        value = fixture(self) if inspect.signature(fixture).parameters else fixture()
        if not inspect.isgenerator(value):
            return value
        self._open.append(value)
        return next(value)


def collect(path: str) -> dict[str, type[PytestUser]]:
    """A user class for each test function that pytest finds in the file at ``path``.

    ValueError tells of a parameter that has no fixture, or several.
    """
    # pytest has no public way to look for tests and not run them; this is Locust's.
    # Locust's own plugin, which has the same fixtures, may be installed.
    plugins = ["-p", "no:locust", "-p", "no:acrida", "-p", "acrida.pytest_fixtures"]
    config = Config.fromdictargs({}, ["-q", "-s", *plugins, path])
    config._do_configure()
    try:
        session = pytest.Session.from_config(config)
        config.hook.pytest_sessionstart(session=session)
        session.perform_collect()
        users: dict[str, type[PytestUser]] = {}
        for item in session.items:
            if isinstance(item, pytest.Function):
                body = {"__module__": item.obj.__module__, "functions": []}
                user: Any = users.setdefault(item.name, type(item.name, (PytestUser,), body))
                user.functions.append((item.obj, _fixtures(session._fixturemanager, item)))
        return users
    finally:
        config._ensure_unconfigure()


def _fixtures(manager: Any, function: pytest.Function) -> list[Any]:
    fixtures = []
    for name in inspect.signature(function.obj).parameters:
        found = manager.getfixturedefs(name, function) or []
        if len(found) != 1:
            problem = f"Multiple fixtures found for parameter {name!r} in {function.name}: {found}"
            raise ValueError(problem if found else f"Could not find fixture for parameter {name!r} in {function.name}")
        fixtures.append(found[0].func)
    return fixtures
