"""Replicas of the classifier behind a real nginx, as ``deploy/`` has them, on loopback addresses."""

from __future__ import annotations

import http.client
import re
import signal
import socket
import struct
import subprocess
import threading
from pathlib import Path

from support import ROOT, clean_environment, wait_for

#: The port that ``deploy/nginx.conf`` expects replicas on; each has an address of its own.
API_PORT = 8000


class NameService:
    """Says where ``api`` is, as Docker's name service does: where its replicas were started."""

    def __init__(self) -> None:
        self.addresses: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            query, client = self._socket.recvfrom(512)
            if not query:
                return
            self._socket.sendto(self._answer(query), client)

    def _answer(self, query: bytes) -> bytes:
        """One record for each address, good for a second (RFC 1035, section 4)."""
        end = query.index(b"\0", 12) + 5
        question = query[12:end]
        addresses = list(self.addresses) if question == b"\x03api\0\0\x01\0\x01" else []
        head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, len(addresses), 0, 0)
        records = [
            b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 1, 4) + socket.inet_aton(address) for address in addresses
        ]
        return head + question + b"".join(records)

    def close(self) -> None:
        self._socket.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()


class Replica:
    """One service, on an address of its own."""

    def __init__(self, command: str, address: str, store: Path) -> None:
        self.address = address
        arguments = [command, "serve", "--host", address, "--port", str(API_PORT), "--store", str(store)]
        self._process = subprocess.Popen(
            [*arguments, "--threads", "1", "--drain-delay", "0.5"],
            cwd=ROOT,
            env=clean_environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        # Printed once it listens.
        assert "serving" in self._process.stdout.readline()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> str:
        """As an orchestrator does; returns what the service said."""
        self._process.send_signal(signal.SIGTERM)
        said = self._process.stdout.read()
        assert self._process.wait() == 0
        return said

    def close(self) -> None:
        if self._process.poll() is None:
            self.kill()
        self._process.stdout.close()


class Nginx:
    """nginx with ``deploy/nginx.conf``; only where it listens and asks for names is the test's."""

    def __init__(self, command: str, folder: Path, names: NameService, port: int) -> None:
        text = (ROOT / "deploy/nginx.conf").read_text()
        for shipped, ours in [
            ("listen 8080;", f"listen 127.0.0.1:{port};"),
            ("resolver 127.0.0.11 ", f"resolver 127.0.0.1:{names.port} "),
        ]:
            assert text.count(shipped) == 1, shipped
            text = text.replace(shipped, ours)
        config = folder / "nginx.conf"
        config.write_text(re.sub(r"(?<= )/tmp/", f"{folder}/", text))
        # Its workers write to the test's folder, so that they have to be the test's user.
        self._process = subprocess.Popen([command, "-c", config, "-g", "daemon off; user root;"])
        self.port = port
        wait_for(self._listens, "nginx")

    def _listens(self) -> bool:
        assert self._process.poll() is None, "nginx has ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


class Users:
    """Clients who ask without a pause, and count what comes back. Every one of them is told when it ends."""

    def __init__(self, port: int, image: bytes, count: int) -> None:
        self.answers: list[tuple[str, int | str]] = []
        self._port = port
        self._ending = threading.Event()
        form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jpg"\r\n\r\n'
        self._form = form + image + b"\r\n--x--\r\n"
        self._threads = [threading.Thread(target=self._ask, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self._ending.is_set():
            for method, path, body in [("POST", "/predict", self._form), ("GET", "/retrain_jobs", None)]:
                try:
                    connection.request(method, path, body, headers if body else {})
                    answer = connection.getresponse()
                    answer.read()
                    self.answers.append((path, answer.status))
                except (OSError, http.client.HTTPException) as error:
                    self.answers.append((path, repr(error)))
                    connection.close()
        connection.close()

    def wait_for_more(self, count: int) -> None:
        enough = len(self.answers) + count
        wait_for(lambda: len(self.answers) >= enough, f"{count} more answers")

    def end(self) -> list[tuple[str, int | str]]:
        """The answers that are none."""
        self._ending.set()
        for thread in self._threads:
            thread.join()
        return [answer for answer in self.answers if answer[1] != 200]
