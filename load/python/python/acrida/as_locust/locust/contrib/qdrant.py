"""Users of a Qdrant server; needs ``qdrant-client``."""

from __future__ import annotations

from typing import Any

from qdrant_client import QdrantClient
from qdrant_client.models import VectorParams

from .. import User
from ._vectors import count, timed


class QdrantLocustClient:
    """A client for one collection, whose calls tell how long they took; see ``_vectors.timed``."""

    def __init__(self, url: str, collection_name: str, api_key: str | None = None, timeout: int = 60, **kwargs: Any) -> None:
        self.url = url
        self.collection_name = collection_name
        self.api_key = api_key
        #: In seconds.
        self.timeout = timeout
        self.client = QdrantClient(url=url, api_key=api_key, timeout=timeout, **kwargs)

    def close(self) -> None:
        """Closes the connection."""
        self.client.close()

    def create_collection(self, vectors_config: Any, **kwargs: Any) -> None:
        """Makes the collection, unless it is there."""
        if not self.client.collection_exists(collection_name=self.collection_name):
            self.client.create_collection(collection_name=self.collection_name, vectors_config=vectors_config, **kwargs)

    def upsert(self, points: Any) -> dict[str, Any]:
        """Writes points."""
        return timed(lambda: self.client.upsert(collection_name=self.collection_name, points=points))

    def search(
        self,
        query: Any,
        limit: int = 10,
        query_filter: Any = None,
        search_params: Any = None,
        with_payload: Any = True,
    ) -> dict[str, Any]:
        """Finds the points that are nearest to ``query``."""
        return timed(
            lambda: self.client.query_points(
                collection_name=self.collection_name,
                query=query,
                limit=limit,
                query_filter=query_filter,
                search_params=search_params,
                with_payload=with_payload,
            ),
            lambda result: bool(result.points),
        )

    def scroll(self, scroll_filter: Any = None, limit: int = 10, with_payload: Any = True) -> dict[str, Any]:
        """Reads points; where to go on is told as ``next_offset``."""
        told = timed(
            lambda: self.client.scroll(
                collection_name=self.collection_name, scroll_filter=scroll_filter, limit=limit, with_payload=with_payload
            ),
            lambda result: bool(result[0]),
        )
        if "result" in told:
            told["result"], told["next_offset"] = told["result"]
        return told

    def delete(self, points_selector: Any) -> dict[str, Any]:
        """Removes points."""
        return timed(lambda: self.client.delete(collection_name=self.collection_name, points_selector=points_selector))


class QdrantUser(User):
    """A user whose calls are counted as requests of the type ``qdrant``."""

    abstract = True
    url: str = "http://localhost:6333"
    api_key: str | None = None
    collection_name: str | None = None
    #: In seconds.
    timeout: int = 60
    #: If set, the collection is made with it when there is none.
    vectors_config: VectorParams | None = None
    #: Further arguments of the client, and of the making of the collection.
    client_kwargs: dict | None = None
    collection_kwargs: dict | None = None

    def __init__(self, environment: Any) -> None:
        super().__init__(environment)
        if self.collection_name is None:
            raise ValueError("'collection_name' must be provided for QdrantUser")
        self.client_type = "qdrant"
        self.client = QdrantLocustClient(
            self.url, self.collection_name, self.api_key, self.timeout, **(self.client_kwargs or {})
        )
        if self.vectors_config is not None:
            self.client.create_collection(self.vectors_config, **(self.collection_kwargs or {}))

    def upsert(self, points: Any) -> dict[str, Any]:
        """See ``QdrantLocustClient``, here and below."""
        return count(self.client_type, "upsert", self.client.upsert(points))

    def search(
        self,
        query: Any,
        limit: int = 10,
        query_filter: Any = None,
        search_params: Any = None,
        with_payload: Any = True,
    ) -> dict[str, Any]:
        return count(
            self.client_type, "search", self.client.search(query, limit, query_filter, search_params, with_payload)
        )

    def scroll(self, scroll_filter: Any = None, limit: int = 10, with_payload: Any = True) -> dict[str, Any]:
        return count(self.client_type, "scroll", self.client.scroll(scroll_filter, limit, with_payload))

    def delete(self, points_selector: Any) -> dict[str, Any]:
        return count(self.client_type, "delete", self.client.delete(points_selector))

    def on_stop(self) -> None:
        self.client.close()
