"""``locust.contrib``, on acrida and on Locust, with stand-ins for the drivers."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import Program

#: Modules that behave like the drivers: one call works, one fails.
DRIVERS = {
    "psycopg.py": """
        class Connection:
            def execute(self, query):
                if query == "bad":
                    raise ValueError("no such query")
            def close(self):
                print("SAID closed")
        def connect(text):
            print("SAID connected to", text)
            return Connection()
    """,
    "pymongo/__init__.py": """
        from pymongo.errors import PyMongoError
        class Collection:
            def find(self, query):
                if query == "bad":
                    raise PyMongoError("no such query")
                yield 1
        class MongoClient:
            def __init__(self, text):
                print("SAID connected to", text)
            def __getitem__(self, name):
                return {"c": Collection()}
            def close(self):
                print("SAID closed")
    """,
    "pymongo/errors.py": "class PyMongoError(Exception): pass",
    "dns/__init__.py": "",
    "dns/exception.py": "class DNSException(Exception): pass",
    "dns/message.py": "class Message: pass",
    "dns/query.py": """
        from types import SimpleNamespace
        from dns.exception import DNSException
        def udp(message, where):
            if where == "bad":
                raise DNSException("no such server")
            return SimpleNamespace(answer=[message] if where == "good" else [])
    """,
    "socketio.py": """
        import gevent
        class Client:
            def __init__(self, **options):
                print("SAID options", sorted(options))
            def connect(self, url):
                if url == "bad":
                    raise ValueError("no such server")
            def send(self, data, namespace, callback):
                if data == "bad":
                    raise ValueError("refused")
            def emit(self, event, data, namespace, callback):
                pass
            def call(self, event, data):
                return data
            def on(self, event, handler):
                self.handler = handler
            def wait(self):
                gevent.sleep(100)
    """,
}

USERS = {
    "postgres": """
        from locust.contrib.postgres import PostgresUser
        class TheUser(PostgresUser):
            conn_string = "postgres://x"
            def steps(self):
                self.client.execute_query("good")
                self.client.execute_query("bad")
    """,
    "mongodb": """
        from locust.contrib.mongodb import MongoDBUser
        class TheUser(MongoDBUser):
            conn_string = "mongo://x"
            db_name = "d"
            def steps(self):
                self.client.execute_query("c", "good")
                self.client.execute_query("c", "bad")
    """,
    "dns": """
        from locust.contrib.dns import DNSUser
        class TheUser(DNSUser):
            def steps(self):
                print("SAID", self.client.udp("m", "good").answer, self.client.udp("m", "bad"))
                self.client.udp("m", "empty", name="named")
    """,
    "socketio": """
        from locust.contrib.socketio import SocketIOUser
        class TheUser(SocketIOUser):
            options = {"logger": True}
            def steps(self):
                for url in ("good", "bad"):
                    self.sio.connect(url)
                self.sio.send("hello", name="n")
                self.sio.send("bad", name="n")
                self.sio.emit("e", [1, 2])
                print("SAID", self.sio.call("c", {"a": 1}))
                self.sio.handler("event", "data")
    """,
}

TAIL = """
    @task
    def once(self):
        try:
            self.steps()
        finally:
            self.environment.runner.quit()

@events.quitting.add_listener
def counted(environment, **_):
    stats = environment.stats
    for key, entry in sorted(stats.entries.items()):
        print("SAID", key, entry.num_requests, entry.num_failures, entry.total_content_length)
    for error in sorted(error.to_name() for error in stats.errors.values()):
        print("SAID", error)
"""


def dedent(text: str) -> str:
    lines = text.strip("\n").splitlines()
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return "\n".join(line[margin:] for line in lines) + "\n"


def said(program: Program, folder: Path, user: str) -> list[str]:
    folder = folder / program.name
    for name, text in DRIVERS.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(dedent(text))
    (folder / "locustfile.py").write_text("from locust import constant, events, task\n" + dedent(user) + TAIL)
    finished = program.run(*"--headless -u 1 -t 20s".split(), cwd=folder)
    assert "Traceback" not in finished.stderr, finished.stderr
    return [line for line in finished.stdout.splitlines() if line.startswith("SAID")]


@pytest.mark.parametrize("user", USERS.values(), ids=USERS.keys())
def test_contributed_users_count_the_same(acrida: Program, locust: Program, tmp_path: Path, user: str) -> None:
    expected = said(locust, tmp_path, user)
    assert len(expected) > 2
    assert said(acrida, tmp_path, user) == expected


def test_a_driver_that_is_missing_is_named(acrida: Program, tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text("from locust.contrib.postgres import PostgresUser\n")
    finished = acrida.run("--headless", cwd=tmp_path)
    assert finished.code == 1
    assert "pip install psycopg" in finished.stderr
    assert len(finished.stderr.splitlines()) == 1
