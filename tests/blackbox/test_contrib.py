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
    "qdrant_client/__init__.py": """
        from types import SimpleNamespace
        class QdrantClient:
            def __init__(self, **options):
                print("SAID options", sorted(options))
            def collection_exists(self, collection_name):
                return False
            def create_collection(self, **arguments):
                print("SAID creates", sorted(arguments))
            def upsert(self, collection_name, points):
                if points == "bad":
                    raise ValueError("no such points")
                return points
            def query_points(self, query, **arguments):
                print("SAID", sorted(arguments.items()))
                return SimpleNamespace(points=[1] if query == "good" else [])
            def scroll(self, scroll_filter, **arguments):
                return ([1, 2], 7) if scroll_filter == "good" else ([], None)
            def delete(self, **arguments):
                return sorted(arguments)
            def close(self):
                print("SAID closed")
    """,
    "qdrant_client/models.py": "class VectorParams: pass",
    "grpc/__init__.py": "",
    "grpc/experimental/__init__.py": "",
    "grpc/experimental/gevent.py": """
        def init_gevent():
            print("SAID gevent")
    """,
    "pymilvus/__init__.py": """
        class CollectionSchema: pass
        class MilvusClient:
            def __init__(self, **options):
                print("SAID options", sorted(options.items()))
            def create_collection(self, **arguments):
                print("SAID creates", sorted(arguments))
            def insert(self, collection_name, data):
                if data == "bad":
                    raise ValueError("no such data")
                return data
            upsert = insert
            def search(self, data, **arguments):
                print("SAID", sorted(arguments.items()))
                return [[{"id": 1}, {"id": 2}]] if data == "good" else [[]]
            def hybrid_search(self, **arguments):
                print("SAID", sorted(arguments.items()))
                return []
            def query(self, filter, **arguments):
                return [1] if filter == "good" else []
            def delete(self, **arguments):
                return sorted(arguments)
            def close(self):
                print("SAID closed")
    """,
    "pymilvus/milvus_client.py": "class IndexParams: pass",
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
    "qdrant": """
        from locust.contrib.qdrant import QdrantUser
        def show(told):
            print("SAID", sorted((key, str(value)) for key, value in told.items() if key != "response_time"))
        class TheUser(QdrantUser):
            collection_name = "c"
            vectors_config = {"size": 4}
            collection_kwargs = {"shard_number": 2}
            def steps(self):
                for points in ("good", "bad"):
                    show(self.upsert(points))
                for query in ("good", "none"):
                    show(self.search(query, limit=3))
                    show(self.scroll(query))
                show(self.delete([1]))
    """,
    "milvus": """
        from locust.contrib.milvus import MilvusUser
        def show(told):
            print("SAID", sorted((key, str(value)) for key, value in told.items() if key != "response_time"))
        class TheUser(MilvusUser):
            def __init__(self, environment):
                super().__init__(environment, collection_name="c", schema="s", num_shards=2)
            def steps(self):
                for data in ("good", "bad"):
                    show(self.insert(data))
                    show(self.upsert(data))
                for ids in ([1, 3], [1], None):
                    show(self.search("good", "field", 2, calculate_recall=True, ground_truth=ids))
                show(self.search("none", "field", 2, "a > 1", {}, ["id", "a"]))
                show(self.hybrid_search(["r"], "rank", 2))
                for filter in ("good", "none"):
                    show(self.query(filter))
                show(self.delete("all"))
                recall = self.environment.stats.get("recall", "milvus")
                print("SAID", float(recall.min_response_time), float(recall.max_response_time))
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
