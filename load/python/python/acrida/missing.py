"""What to do about a module that a locustfile imports and that is not there."""

from __future__ import annotations

import sys
from pathlib import Path

#: Packages whose names are not those of the modules that they bring, as far as locustfiles import them.
PACKAGES = {
    "Crypto": "pycryptodome",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyOpenSSL",
    "PIL": "Pillow",
    "attr": "attrs",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "dns": "dnspython",
    "dotenv": "python-dotenv",
    "google.protobuf": "protobuf",
    "grpc": "grpcio",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "kafka": "kafka-python",
    "mysql": "mysql-connector-python",
    "nacl": "PyNaCl",
    "opentelemetry": "opentelemetry-sdk",
    "paho": "paho-mqtt",
    "pkg_resources": "setuptools",
    "psycopg2": "psycopg2-binary",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "socketio": "python-socketio",
    "websocket": "websocket-client",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}


def advice(module: str, locustfile: str) -> str:
    """How to get ``module``, which ``locustfile`` imports; empty if that is not known."""
    top = module.partition(".")[0]
    if top == "locust":
        return "acrida does not have this part of Locust yet"
    if folder := _above(locustfile, top):
        return f"{top} is in {folder}: set PYTHONPATH={folder}"
    if top in sys.modules and module not in PACKAGES:
        return ""  # The package is there, and has no such module.
    package = PACKAGES.get(module) or PACKAGES.get(top, top)
    return f"install it into this environment, e.g. {sys.executable} -m pip install {package}"


def _above(locustfile: str, module: str) -> Path | None:
    """The nearest folder above the locustfile's that has a module of this name: tests are often
    written to be started from there."""
    folders = Path(locustfile).resolve().parents[1:]
    return next((each for each in folders if (each / f"{module}.py").is_file() or (each / module).is_dir()), None)
