"""A server that tells what it was asked, and some that are asked in roundabout ways."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

#: Headers that differ between the programs for good reasons.
LEFT_OUT = {"host", "user-agent", "accept-encoding", "connection", "proxy-connection"}


class Echo:
    """Serves until it is closed:

    - ``/digest`` wants digest authentication of ``user`` with ``secret``,
    - ``/redirect?status=…&to=…`` redirects,
    - ``/pieces?count=…`` sends a line, and the others once ``/go`` was asked for,
    - anything else, as server or as proxy, is answered with what was asked, as JSON; ``?link=…`` is its header ``Link``.
    """

    def __init__(self) -> None:
        #: Requests answered, by path.
        self.served: list[str] = []
        self.go = threading.Semaphore(0)
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.echo = self
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    echo: Echo


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _answer(self) -> None:
        body = self._body()
        url = urlsplit(self.path)
        self.server.echo.served.append(f"{self.command} {url.path}")
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if url.path == "/redirect":
            self._send(int(query["status"]), {"Location": query["to"], "X-Step": "redirect"}, b"elsewhere")
        elif url.path == "/pieces":
            self._send_pieces(int(query["count"]))
        elif url.path == "/go":
            self.server.echo.go.release()
            self._send(200, {}, b"gone")
        elif url.path == "/digest" and not self._is_digest_right():
            challenge = 'Digest realm="r", nonce="n", qop="auth", algorithm=MD5'
            self._send(401, {"WWW-Authenticate": challenge}, b"who?")
        else:
            headers = {name.lower(): value for name, value in self.headers.items() if name.lower() not in LEFT_OUT}
            headers.pop("authorization", None) if url.path == "/digest" else None
            asked = {"method": self.command, "path": self.path, "headers": headers, "body": body.decode("latin-1")}
            links = {"Link": query["link"]} if "link" in query else {}
            self._send(200, {"Content-Type": "application/json", **links}, json.dumps(asked, sort_keys=True).encode())

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _answer

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while length := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(length))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _is_digest_right(self) -> bool:
        scheme, _, fields = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Digest":
            return False
        given = {name: value.strip('"') for name, value in (part.strip().split("=", 1) for part in fields.split(","))}
        of_user = _md5("user:r:secret")
        of_request = _md5(f"{self.command}:{given['uri']}")
        right = _md5(f"{of_user}:n:{given['nc']}:{given['cnonce']}:auth:{of_request}")
        return given["response"] == right

    def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.wfile.write(f"HTTP/1.1 {status} -\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body)

    def _send_pieces(self, count: int) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(count):
            # A client that wants to see everything first sees this.
            in_time = number == 0 or number > 1 or self.server.echo.go.acquire(timeout=10)
            line = f"line {number}\n".encode() if in_time else b"too late\n"
            self._write_chunk(line)
        self._write_chunk(b"")

    def _write_chunk(self, content: bytes) -> None:
        with suppress(BrokenPipeError):  # Somebody may have seen enough.
            self.wfile.write(b"%x\r\n%b\r\n" % (len(content), content))

    def log_message(self, *_: object) -> None:
        pass


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


class Tunnel:
    """A proxy that opens ways through to other servers; ``asked`` tells which."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._open, args=(client,), daemon=True).start()

    def _open(self, client: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        method, place, _ = head.decode().split(" ", 2)
        self.asked.append(f"{method} {place}")
        host, _, port = place.rpartition(":")
        server = socket.create_connection((host, int(port)))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=_copy, args=(server, client), daemon=True).start()
        _copy(client, server)


def _copy(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # One side has gone.
