"""What each replica says that it serves: written by the replica itself, read by who moves the champion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from foundation.database.engine import reading, transaction, upsert
from serving.tables import replicas


@dataclass(frozen=True, slots=True)
class Replica:
    """What one replica says it serves; `problem` says why it does not follow."""

    name: str
    version: str
    problem: str


def living_replicas(engine: sa.Engine, collection: str, since: datetime) -> list[Replica]:
    """Return what the replicas that were heard of after a moment say that they serve."""
    heard = (replicas.c.collection == collection) & (replicas.c.seen_at > since)
    statement = sa.select(replicas).where(heard).order_by(replicas.c.replica)
    with reading(engine) as connection:
        return [Replica(row.replica, row.version, row.problem) for row in connection.execute(statement)]


def report_replica(engine: sa.Engine, replica: str, served: Mapping[str, tuple[str, str]], at: datetime) -> None:
    """Write what a replica serves.

    Args:
        served: Version and problem, "" without one, by collection.
    """
    rows = [
        {"collection": collection, "replica": replica, "version": version, "problem": problem, "seen_at": at}
        for collection, (version, problem) in served.items()
    ]
    with transaction(engine) as connection:
        upsert(connection, replicas, rows)


def forget_replica(engine: sa.Engine, replica: str) -> None:
    """Take a replica that ends out of those that others wait for."""
    with transaction(engine) as connection:
        connection.execute(sa.delete(replicas).where(replicas.c.replica == replica))
