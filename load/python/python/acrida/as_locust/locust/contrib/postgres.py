"""Users of a PostgreSQL server; needs ``psycopg``."""

from __future__ import annotations

import time
from typing import Any

import psycopg

from .. import User, events


class PostgresClient:
    """A connection whose queries count as requests."""

    def __init__(self, conn_string: str) -> None:
        self.connection = psycopg.connect(conn_string)

    def execute_query(self, query: Any) -> None:
        """Runs ``query``; an error counts as a failure and is not raised."""
        began, error = time.perf_counter(), None
        try:
            self.connection.execute(query)
        except Exception as raised:
            error = raised
        events.request.fire(
            request_type="postgres_failure" if error else "postgres_success",
            name="execute_query",
            response_time=(time.perf_counter() - began) * 1000,
            response_length=0,
            exception=error,
        )

    def close(self) -> None:
        """Closes the connection."""
        self.connection.close()


class PostgresUser(User):
    """A user with a ``client`` for the server that ``conn_string`` names."""

    abstract = True
    conn_string: str

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.client = PostgresClient(conn_string=self.conn_string)

    def on_stop(self) -> None:
        self.client.close()
