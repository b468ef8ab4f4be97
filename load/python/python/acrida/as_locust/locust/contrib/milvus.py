"""Users of a Milvus server; needs ``pymilvus``."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import grpc.experimental.gevent
from pymilvus import CollectionSchema, MilvusClient
from pymilvus.milvus_client import IndexParams

from .. import User
from ._vectors import count, timed

grpc.experimental.gevent.init_gevent()


class BaseClient(ABC):
    """What a MilvusUser needs of its client."""

    @abstractmethod
    def close(self) -> None: ...

    @abstractmethod
    def create_collection(self, schema: Any, index_params: Any, **kwargs: Any) -> None: ...

    @abstractmethod
    def insert(self, data: Any) -> dict[str, Any]: ...

    @abstractmethod
    def upsert(self, data: Any) -> dict[str, Any]: ...

    @abstractmethod
    def search(
        self,
        data: Any,
        anns_field: str,
        limit: int,
        filter: str = "",
        search_params: Any = None,
        output_fields: list[str] | None = None,
        calculate_recall: bool = False,
        ground_truth: Sequence[Any] | None = None,
    ) -> dict[str, Any]: ...

    @abstractmethod
    def hybrid_search(self, reqs: Any, ranker: Any, limit: int, output_fields: list[str] | None = None) -> dict[str, Any]: ...

    @abstractmethod
    def query(self, filter: str, output_fields: list[str] | None = None) -> dict[str, Any]: ...

    @abstractmethod
    def delete(self, filter: str) -> dict[str, Any]: ...


class MilvusV2Client(BaseClient):
    """A client for one collection, whose calls tell how long they took; see ``_vectors.timed``."""

    def __init__(
        self, uri: str, collection_name: str, token: str = "root:Milvus", db_name: str = "default", timeout: float = 60
    ) -> None:
        self.uri = uri
        self.collection_name = collection_name
        self.token = token
        self.db_name = db_name
        #: In seconds.
        self.timeout = timeout
        self.client = MilvusClient(uri=uri, token=token, db_name=db_name, timeout=timeout)

    def close(self) -> None:
        """Closes the connection."""
        self.client.close()

    def create_collection(self, schema: Any, index_params: Any, **kwargs: Any) -> None:
        """Makes the collection."""
        self.client.create_collection(
            collection_name=self.collection_name, schema=schema, index_params=index_params, **kwargs
        )

    def insert(self, data: Any) -> dict[str, Any]:
        """Adds entities."""
        return timed(lambda: self.client.insert(collection_name=self.collection_name, data=data))

    def upsert(self, data: Any) -> dict[str, Any]:
        """Adds or replaces entities."""
        return timed(lambda: self.client.upsert(collection_name=self.collection_name, data=data))

    def search(
        self,
        data: Any,
        anns_field: str,
        limit: int,
        filter: str = "",
        search_params: Any = None,
        output_fields: list[str] | None = None,
        calculate_recall: bool = False,
        ground_truth: Sequence[Any] | None = None,
    ) -> dict[str, Any]:
        """Finds the nearest entities; with ``calculate_recall`` and the ids that should be found also ``recall``."""
        told = timed(
            lambda: self.client.search(
                collection_name=self.collection_name,
                data=data,
                anns_field=anns_field,
                filter=filter,
                limit=limit,
                search_params=search_params,
                output_fields=["id"] if output_fields is None else output_fields,
            ),
            any,
        )
        if calculate_recall and ground_truth is not None and told["success"]:
            told["recall"] = self.get_recall(told["result"], ground_truth, limit)
        return told

    def hybrid_search(self, reqs: Any, ranker: Any, limit: int, output_fields: list[str] | None = None) -> dict[str, Any]:
        """Finds the nearest entities by several fields."""
        return timed(
            lambda: self.client.hybrid_search(
                collection_name=self.collection_name,
                reqs=reqs,
                ranker=ranker,
                limit=limit,
                output_fields=["id"] if output_fields is None else output_fields,
                timeout=self.timeout,
            ),
            any,
        )

    @staticmethod
    def get_recall(search_results: Any, ground_truth: Sequence[Any], limit: int | None = None) -> float:
        """Which share (0.0 to 1.0) of the first ``limit`` ids of ``ground_truth`` is among those found for the
        first query; 0.0 if there are fewer."""
        hits = search_results[0] if search_results and isinstance(search_results[0], list) else search_results
        found = [hit.get("id") for hit in hits if hasattr(hit, "get")]
        wanted = set(ground_truth[: len(found) if limit is None else limit])
        if not wanted or len(ground_truth) < (len(found) if limit is None else limit):
            return 0.0
        return len(wanted.intersection(found)) / len(wanted)

    def query(self, filter: str, output_fields: list[str] | None = None) -> dict[str, Any]:
        """Reads the entities that ``filter`` names."""
        fields = ["id"] if output_fields is None else output_fields
        return timed(
            lambda: self.client.query(collection_name=self.collection_name, filter=filter, output_fields=fields), bool
        )

    def delete(self, filter: str) -> dict[str, Any]:
        """Removes the entities that ``filter`` names."""
        return timed(lambda: self.client.delete(collection_name=self.collection_name, filter=filter))


class MilvusUser(User):
    """A user whose calls are counted as requests of the type ``milvus``."""

    abstract = True

    def __init__(
        self,
        environment: Any,
        uri: str = "http://localhost:19530",
        token: str = "root:Milvus",
        collection_name: str = "test_collection",
        db_name: str = "default",
        timeout: int = 60,
        schema: CollectionSchema | None = None,
        index_params: IndexParams | None = None,
        **kwargs: Any,
    ) -> None:
        """With a ``schema`` the collection is made; ``kwargs`` are further arguments of that."""
        super().__init__(environment)
        for name, value in (("uri", uri), ("collection_name", collection_name)):
            if value is None:
                raise ValueError(f"'{name}' must be provided for MilvusUser")
        self.client_type = "milvus"
        self.client = MilvusV2Client(uri, collection_name, token, db_name, timeout)
        if schema is not None:
            self.client.create_collection(schema, index_params, **kwargs)

    def insert(self, data: Any) -> dict[str, Any]:
        """See ``MilvusV2Client``, here and below."""
        return count(self.client_type, "insert", self.client.insert(data))

    def upsert(self, data: Any) -> dict[str, Any]:
        return count(self.client_type, "upsert", self.client.upsert(data))

    def search(self, data: Any, anns_field: str, limit: int, *more: Any, **arguments: Any) -> dict[str, Any]:
        """A recall is counted too: as a request ``recall`` that took as many ms as it has percent."""
        told = count(self.client_type, "search", self.client.search(data, anns_field, limit, *more, **arguments))
        if "recall" in told:
            count(self.client_type, "recall", {"response_time": int(told["recall"] * 100)})
        return told

    def hybrid_search(self, reqs: Any, ranker: Any, limit: int, output_fields: list[str] | None = None) -> dict[str, Any]:
        return count(self.client_type, "hybrid_search", self.client.hybrid_search(reqs, ranker, limit, output_fields))

    def query(self, filter: str, output_fields: list[str] | None = None) -> dict[str, Any]:
        return count(self.client_type, "query", self.client.query(filter, output_fields))

    def delete(self, filter: str) -> dict[str, Any]:
        return count(self.client_type, "delete", self.client.delete(filter))

    def on_stop(self) -> None:
        self.client.close()
