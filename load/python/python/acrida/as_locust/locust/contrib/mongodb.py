"""Users of a MongoDB server; needs ``pymongo``."""

from __future__ import annotations

import time
from typing import Any

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from .. import User, events


class MongoDBClient(MongoClient):
    """A client whose queries count as requests."""

    def __init__(self, conn_string: str, db_name: str) -> None:
        super().__init__(conn_string)
        self.db = self[db_name]

    def execute_query(self, collection_name: str, query: Any) -> None:
        """Fetches every document that ``query`` finds; an error counts as a failure and is not raised."""
        began, error = time.perf_counter(), None
        try:
            for _ in self.db[collection_name].find(query):
                pass
        except PyMongoError as raised:
            error = raised
        events.request.fire(
            request_type="MONGODB",
            name="QUERY",
            response_time=(time.perf_counter() - began) * 1000,
            response_length=0,
            exception=error,
        )


class MongoDBUser(User):
    """A user with a ``client`` for the database ``db_name`` of the server that ``conn_string`` names."""

    abstract = True
    conn_string: str
    db_name: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.client = MongoDBClient(conn_string=self.conn_string, db_name=self.db_name)

    def on_stop(self) -> None:
        self.client.close()
