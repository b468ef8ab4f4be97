"""A stand-in for the classifier that answers as its API says, or wrongly on purpose."""

from __future__ import annotations

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PREDICTION = {
    "predicted_class": "Pituitary Tumor",
    "predicted_class_short": "Pituitary",
    "class_index": 2,
    "confidence": 0.9910,
    "probabilities": {"Glioma": 0.0010, "Meningioma": 0.0077, "Pituitary": 0.9910, "No_Tumor": 0.0003},
    "inference_time_ms": 3.1,
}
HEALTH = {"status": "healthy", "model_loaded": True, "model_version": "v1", "uptime_seconds": 45}
ABSENT = (404, {"detail": "Not Found"})


class Standin:
    """Serves until it is closed. ``answers`` may be changed for a test: (method, path) → (status, JSON)."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str], tuple[int, object]] = {
            ("GET", "/health"): (200, HEALTH),
            ("POST", "/predict"): (200, PREDICTION),
        }
        #: Further header lines of every answer.
        self.headers: dict[str, str] = {}
        self.served: Counter[str] = Counter()
        #: The cookies of every request, as its header has them.
        self.cookies: list[str | None] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.standin = self
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    standin: Standin


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        standin = self.server.standin
        key = (self.command, self.path.partition("?")[0])
        status, content = standin.answers.get(key, ABSENT)
        standin.served[" ".join(key)] += 1
        standin.cookies.append(self.headers.get("Cookie"))
        body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        # In one piece: two small writes would wait for each other's acknowledgement.
        headers = {"Content-Type": "application/json", "Content-Length": len(body), **standin.headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status} -\r\n{lines}\r\n"
        self.wfile.write(head.encode() + body)

    do_GET = do_POST = _answer

    def log_message(self, *_: object) -> None:
        pass
