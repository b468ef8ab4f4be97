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
    "paho/__init__.py": "",
    "paho/mqtt/__init__.py": "",
    "paho/mqtt/enums.py": "class MQTTErrorCode(int): pass",
    "paho/mqtt/client.py": """
        from types import SimpleNamespace
        MQTTv311, MQTTv5, MQTT_ERR_SUCCESS = 4, 5, 0
        PayloadType = object
        class Client:
            def __init__(self, **options):
                self.mid = 0
                print("SAID options", sorted(options), options["client_id"])
            def connect_async(self, **where):
                print("SAID connects to", where)
            def loop_start(self):
                self.on_connect(self, None, {}, 0)
                self.on_connect(self, None, {}, 5)
            def publish(self, topic, payload, qos, retain, properties):
                self.mid += 1
                return SimpleNamespace(rc=4 if topic == "bad" else 0, mid=self.mid)
            def subscribe(self, topic, qos, options, properties):
                self.mid += 1
                return 4 if topic == "bad" else 0, self.mid
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
    "mqtt": """
        from locust.contrib.mqtt import MqttClient, MqttUser
        class Client(MqttClient):
            def _generate_event_name(self, event_type, qos, topic):
                return event_type + "/" + topic
        class TheUser(MqttUser):
            client_cls = Client
            client_id = "me"
            def steps(self):
                for topic, payload in (("good", b"four"), ("bad", "x"), ("none", None)):
                    info = self.client.publish(topic, payload)
                    if topic != "bad":
                        self.client.on_publish(self.client, None, info.mid)
                for topic, granted in (("good", [0]), ([("several", 1)], [1]), ("bad", None)):
                    _, mid = self.client.subscribe(topic)
                    if granted:
                        self.client.on_subscribe(self.client, None, mid, granted)
                self.client.on_disconnect(self.client, None, 0)
                self.client.on_disconnect(self.client, None, 7)
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
