"""SQL of the clusters of queries: kept once, at first sight; training and judging divide by them."""

from __future__ import annotations

import sqlalchemy as sa

from foundation.arrays import Floats
from foundation.database.engine import insert_missing, reading, take_numbers, transaction
from foundation.ids import digest_bytes
from retrainer.data.splits import join_clusters
from retrainer.tables import query_clusters


def keep_clusters(engine: sa.Engine, collection: str, keys: list[str], vectors: Floats) -> dict[str, str]:
    """Return the cluster of each query by its key, and keep those of queries seen for the first time.

    Only digests of the queries are kept, so that the table tells nothing of what somebody asked. One transaction;
    of two that see queries first, the second waits.

    Args:
        vectors: Unit vectors of the keys, float32 of shape (n, dimension).
    """
    names = [digest_bytes(key.encode()) for key in keys]
    with transaction(engine) as connection:
        take_numbers(connection, f"clusters:{collection}", 1)
        kept = sa.select(query_clusters.c.query, query_clusters.c.cluster).where(
            query_clusters.c.collection == collection
        )
        known = {row.query: row.cluster for row in connection.execute(kept)}
        joined = join_clusters(names, vectors, known)
        new = [
            {"collection": collection, "query": name, "cluster": cluster}
            for name, cluster in joined.items()
            if name not in known
        ]
        insert_missing(connection, query_clusters, new)
    return {key: joined[name] for key, name in zip(keys, names, strict=True)}


def read_clusters(engine: sa.Engine, collection: str, keys: list[str]) -> dict[str, str]:
    """Return the clusters of the queries that have one, by their keys; keeps nothing."""
    mine = sa.select(query_clusters.c.query, query_clusters.c.cluster).where(query_clusters.c.collection == collection)
    with reading(engine) as connection:
        known = {row.query: row.cluster for row in connection.execute(mine)}
    named = {key: digest_bytes(key.encode()) for key in keys}
    return {key: known[name] for key, name in named.items() if name in known}
