"""The classifier as ``deploy/`` runs it: behind nginx, in replicas."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from balanced import API_PORT, NameService, Nginx, Replica, Users
from conftest import executable, free_port
from docker.utils.build import exclude_paths
from support import PATIENCE_S, ROOT, wait_for

#: One after the other: replicas are at fixed addresses.
pytestmark = pytest.mark.xdist_group("replicas")

IMAGE = (ROOT / "samples/glioma/glioma_1.jpg").read_bytes()


@pytest.fixture(scope="module")
def nginx_command() -> str:
    found = subprocess.run([ROOT / "scripts/servers.sh", "nginx"], stdout=subprocess.PIPE, text=True, check=True)
    return found.stdout.strip()


@dataclass
class Cluster:
    names: NameService
    nginx: Nginx
    start: Callable[[int], Replica]
    replicas: list[Replica] = field(default_factory=list)

    def add(self, number: int) -> Replica:
        replica = self.start(number)
        self.replicas.append(replica)
        if replica.address not in self.names.addresses:
            self.names.addresses.append(replica.address)
        return replica


@pytest.fixture
def cluster(pytestconfig: pytest.Config, nginx_command: str, tmp_path: Path) -> Iterator[Cluster]:
    command = executable(pytestconfig, "--binaries", "classifier")
    # Addresses that no other run on this machine has.
    network = f"127.{os.getpid() >> 8 & 127 | 128}.{os.getpid() & 255}"
    names = NameService()
    nginx = Nginx(nginx_command, tmp_path, names, free_port())
    store = tmp_path / "store"
    made = Cluster(names, nginx, lambda number: Replica(command, f"{network}.{number}", store))
    try:
        yield made
    finally:
        for replica in made.replicas:
            replica.close()
        nginx.close()
        names.close()


def predictions(replica: Replica) -> int:
    with urllib.request.urlopen(f"http://{replica.address}:{API_PORT}/metrics") as answer:
        text = answer.read().decode()
    return text.count('"/predict"')


def test_a_replica_that_dies_under_load_fails_nobody(cluster: Cluster) -> None:
    first, second, _ = (cluster.add(number) for number in (1, 2, 3))
    users = Users(cluster.nginx.port, IMAGE, 6)
    users.wait_for_more(60)
    # Its address is still named, as it is for a moment after a machine has died.
    first.kill()
    users.wait_for_more(120)
    cluster.names.addresses.remove(first.address)
    users.wait_for_more(60)
    assert users.end() == []
    assert predictions(second) > 0


def test_replicas_that_are_added_take_part_at_once(cluster: Cluster) -> None:
    cluster.add(1)
    users = Users(cluster.nginx.port, IMAGE, 2)
    users.wait_for_more(10)
    second = cluster.add(2)
    wait_for(lambda: predictions(second) > 0, "the second replica's share")
    assert users.end() == []


def test_a_rolling_restart_under_load_fails_nobody(cluster: Cluster) -> None:
    for number in (1, 2, 3):
        cluster.add(number)
    users = Users(cluster.nginx.port, IMAGE, 6)
    users.wait_for_more(60)
    for number, replica in enumerate(list(cluster.replicas), start=1):
        assert replica.stop() == "stopped\n"
        users.wait_for_more(30)
        again = cluster.add(number)
        wait_for(lambda: predictions(again) > 0, "the new replica's share")
    assert users.end() == []


def test_nothing_that_is_up_is_a_clear_answer(cluster: Cluster) -> None:
    replica = cluster.add(1)
    replica.kill()
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(f"http://127.0.0.1:{cluster.nginx.port}/health")
    assert (error.value.code, error.value.headers["Retry-After"]) == (502, "1")
    assert json.load(error.value) == {"detail": "no replica answers"}


def test_an_upload_that_nginx_refuses_is_refused_as_the_service_does(cluster: Cluster) -> None:
    with socket.create_connection(("127.0.0.1", cluster.nginx.port)) as connection:
        connection.sendall(b"POST /upload_training_data HTTP/1.1\r\nHost: a\r\nContent-Length: 70000000\r\n\r\n")
        answer = connection.makefile("rb").read().decode()
    assert answer.startswith("HTTP/1.1 413 ")
    assert answer.endswith('\r\n\r\n{"detail":"the body is longer than the 64 MiB that are accepted"}')


def test_more_long_uploads_than_there_is_room_for_come_later(cluster: Cluster) -> None:
    cluster.add(1)
    head = b"POST /upload_training_data?label=glioma HTTP/1.1\r\nHost: a\r\nContent-Length: 60000000\r\n\r\n"
    with ExitStack() as held:
        to = ("127.0.0.1", cluster.nginx.port)
        uploads = [held.enter_context(socket.create_connection(to)) for _ in range(8)]
        for upload in uploads:
            upload.sendall(head + b"begun")
        (refused,), _, _ = select.select(uploads, [], [], PATIENCE_S)
        answer = refused.recv(4096).decode()
        assert answer.startswith("HTTP/1.1 503 ") and "Retry-After: 1\r\n" in answer, answer
        # Short ones go on.
        users = Users(cluster.nginx.port, IMAGE, 2)
        users.wait_for_more(10)
        assert users.end() == []


def test_nginx_takes_its_configuration_as_it_is_shipped(nginx_command: str) -> None:
    checked = subprocess.run(
        [nginx_command, "-t", "-c", ROOT / "deploy/nginx.conf"], stderr=subprocess.PIPE, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_the_image_is_built_from_the_whole_workspace_and_nothing_that_was_built(tmp_path: Path) -> None:
    lines = (ROOT / "deploy/Dockerfile.dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    # As Docker's own client reads them.
    sent = {path for path in exclude_paths(str(ROOT), patterns) if (ROOT / path).is_file()}
    for path in sent:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    command = ["cargo", "metadata", "--format-version=1", "--no-deps", "--locked", "--offline"]
    metadata = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True)
    names = {package["name"] for package in json.loads(metadata.stdout)["packages"]}
    assert {"classifier-service", "bench-target"} <= names
    assert {"models/brain-mri.model", "models/brain-mri.replay"} <= sent
    built = [path for path in sent if path.startswith(("target/", ".git/")) or "/node_modules/" in path or path.endswith(".so")]
    assert not built


@pytest.mark.parametrize("path", ["compose.yaml", "deploy/compose.yaml"])
def test_compose_yaml_is_what_the_compose_specification_describes(path: str) -> None:
    command = Path(sys.executable).with_name("check-jsonschema")
    checked = subprocess.run(
        [command, "--builtin-schema", "vendor.compose-spec", ROOT / path],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("path", sorted((ROOT / "deploy/kubernetes").glob("*.yaml*")), ids=lambda path: path.stem)
def test_manifests_are_what_kubernetes_describes(path: Path) -> None:
    command = Path(sys.executable).with_name("kubernetes-validate")
    checked = subprocess.run(
        [command, "--strict", "--kubernetes-version", "1.34", path],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_the_script_runs_replicas_without_containers(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    port = free_port()
    settings = {
        "PORT": str(port),
        "STORE": str(tmp_path / "store"),
        "CLASSIFIER": executable(pytestconfig, "--binaries", "classifier"),
    }
    script = subprocess.Popen(
        [ROOT / "scripts/replicas.sh", "2"],
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert script.stdout.readline() == f"2 replicas at http://127.0.0.1:{port}; Ctrl-C ends them\n"
        users = Users(port, IMAGE, 2)
        users.wait_for_more(20)
        children = Path(f"/proc/{script.pid}/task/{script.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)
        expected = f"replica 1 (process {children[0]}) ended; it is started again\n"
        assert expected in script.stderr
        users.wait_for_more(20)
        assert users.end() == []
        again = subprocess.run(script.args, env={**os.environ, **settings}, stderr=subprocess.PIPE, text=True, check=False)
        expected = f"scripts/replicas.sh: another program listens on port {port}: end it, or set PORT\n"
        assert (again.returncode, again.stderr) == (1, expected)
    finally:
        script.terminate()
        script.wait(timeout=PATIENCE_S)
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health")
