"""Programs and servers of the tests, every one of them on the loopback interface."""

from __future__ import annotations

import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from standin import Standin
from support import ROOT, Program, Target, clean_environment, free_port, wait_for


def pytest_addoption(parser: pytest.Parser) -> None:
    for name, default, what in [
        ("--acrida", ".venv/bin/acrida", "the command under test"),
        ("--locust", ".venv-locust/bin/locust", "real Locust 2.47.0, the oracle"),
        ("--binaries", "target/debug", "where bench-target and classifier are"),
    ]:
        parser.addoption(name, default=str(ROOT / default), help=f"{what} ({default})")


def executable(config: pytest.Config, option: str, file: str = "") -> str:
    path = Path(config.getoption(option)).absolute() / file
    if not path.is_file():
        pytest.fail(f"there is no {path}: run `make test-python`, or set {option}", pytrace=False)
    return str(path)


@pytest.fixture
def acrida(pytestconfig: pytest.Config) -> Program:
    return Program("acrida", executable(pytestconfig, "--acrida"))


@pytest.fixture
def locust(pytestconfig: pytest.Config) -> Program:
    return Program("locust", executable(pytestconfig, "--locust"))


@pytest.fixture(params=["acrida", "locust"])
def program(request: pytest.FixtureRequest) -> Program:
    """Both, where they have to behave alike."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def target(pytestconfig: pytest.Config) -> Iterator[Target]:
    command = executable(pytestconfig, "--binaries", "bench-target")
    with subprocess.Popen([command], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Target(process.stdout.readline().split()[-1])
        finally:
            process.kill()


@pytest.fixture
def standin() -> Iterator[Standin]:
    server = Standin()
    yield server
    server.close()


@pytest.fixture(scope="session")
def classifier(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the real service, with the model of the repository and a store of its own."""
    command = executable(pytestconfig, "--binaries", "classifier")
    url = f"http://127.0.0.1:{free_port()}"
    port = url.rpartition(":")[2]
    store = tmp_path_factory.mktemp("classifier") / "store"
    arguments = [command, "serve", "--host", "127.0.0.1", "--port", port, "--store", store]
    with subprocess.Popen(arguments, cwd=ROOT, env=clean_environment()) as process:
        try:
            wait_for(lambda: process.poll() is not None or answers(f"{url}/health"), "the classifier")
            assert process.poll() is None, "the classifier has ended"
            yield url
        finally:
            process.terminate()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


@pytest.fixture
def nobody() -> str:
    """The URL of a port that nobody listens on."""
    return f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """A folder with ``server`` and ``client``, each as ``.pem`` and ``.key``."""
    for name in ("server", "client"):
        subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        files = ["-keyout", f"{name}.key", "-out", f"{name}.pem"]
        command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject, *files]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    return tmp_path
