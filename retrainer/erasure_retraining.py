"""Which versions learned from people who were erased since, and which collections should train for it."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from collector.api import collections_erased_since, erased_versions
from foundation.database.engine import reading
from retrainer.tables import training_runs


@dataclass(frozen=True, slots=True)
class ErasureRetraining:
    """Reads the collector's receipts of erasures."""

    engine: sa.Engine

    def tainted(self, collection: str) -> frozenset[str]:
        """Return the versions of a collection that may have learned from an erased person."""
        with reading(self.engine) as connection:
            return erased_versions(connection, collection)

    def due(self) -> list[str]:
        """Return the collections with such versions and no training run asked for since the erasure."""
        asked = (
            sa.select(training_runs.c.collection, sa.func.max(training_runs.c.requested_at).label("at"))
            .group_by(training_runs.c.collection)
            .subquery()
        )
        with reading(self.engine) as connection:
            return sorted(collections_erased_since(connection, asked))
