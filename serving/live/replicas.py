"""What each replica says that it serves: written by the replica itself, read by who moves the champion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from foundation.clock import Clock, monotonic_s
from foundation.database.engine import reading, transaction, upsert
from serving.tables import replicas

_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Replica:
    """What one replica says it serves; `problem` says why it does not follow."""

    name: str
    version: str
    problem: str


def living_replicas(engine: sa.Engine, collection: str, since: datetime) -> list[Replica]:
    """Return what the replicas seen after a moment say that they serve."""
    seen = (replicas.c.collection == collection) & (replicas.c.seen_at > since)
    statement = sa.select(replicas).where(seen).order_by(replicas.c.replica)
    with reading(engine) as connection:
        return [Replica(row.replica, row.version, row.problem) for row in connection.execute(statement)]


class ReplicaReport:
    """Writes what one replica serves.

    Args:
        replica: Name of the process in the table of replicas.
    """

    def __init__(self, engine: sa.Engine, replica: str, clock: Clock) -> None:
        self._engine = engine
        self._replica = replica
        self._clock = clock
        self._next_at_s = 0.0

    def hurry(self) -> None:
        """Let the next report be written at once."""
        self._next_at_s = 0.0

    def write(self, served: Mapping[str, tuple[str, str]]) -> None:
        """Write what the replica serves: at once after `hurry`, else every few seconds, as a sign of life.

        Args:
            served: Version and problem, "" without one, by collection.
        """
        if monotonic_s() < self._next_at_s:
            return
        now = self._clock.now()
        rows = [
            {"collection": name, "replica": self._replica, "version": version, "problem": problem, "seen_at": now}
            for name, (version, problem) in served.items()
        ]
        with transaction(self._engine) as connection:
            upsert(connection, replicas, rows)
        self._next_at_s = monotonic_s() + _EVERY_S

    def withdraw(self) -> None:
        """Take a replica that ends out of the table: nobody waits for it any more."""
        with transaction(self._engine) as connection:
            connection.execute(sa.delete(replicas).where(replicas.c.replica == self._replica))
