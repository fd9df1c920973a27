"""Which versions learned from people who were erased since, and which collections should train for it."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from foundation.db import reading
from foundation.tables import erasures, training_runs


@dataclass(frozen=True, slots=True)
class Oblivion:
    """Reads the collector's receipts of erasures."""

    engine: sa.Engine

    def tainted(self, collection: str) -> frozenset[str]:
        """Return the versions of a collection that may have learned from an erased person."""
        statement = sa.select(erasures.c.versions).where(erasures.c.collection == collection)
        with reading(self.engine) as connection:
            return frozenset(version for found in connection.execute(statement).scalars() for version in found)

    def due(self) -> list[str]:
        """Return the collections with such versions and no training run asked for since the erasure."""
        asked = (
            sa.select(training_runs.c.collection, sa.func.max(training_runs.c.requested_at).label("at"))
            .group_by(training_runs.c.collection)
            .subquery()
        )
        since = sa.or_(asked.c.at.is_(None), asked.c.at <= erasures.c.at)
        statement = (
            sa.select(erasures.c.collection, erasures.c.versions)
            .outerjoin(asked, asked.c.collection == erasures.c.collection)
            .where(since)
        )
        with reading(self.engine) as connection:
            return sorted({row.collection for row in connection.execute(statement) if row.versions})
