"""What pytest loads by itself where Acrida is installed, and Locust, which has the same fixtures, is not."""

from importlib.util import find_spec

if find_spec("locust") is None:
    import acrida.as_locust  # noqa: F401

    pytest_plugins = ["acrida.pytest_fixtures"]
