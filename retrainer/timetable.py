"""Which collections should train, by what the database says: it is time, or a person was erased."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from collector.api import collections_erased_since, collections_shown_before, erased_versions
from foundation.clock import Clock
from foundation.database.engine import reading
from retrainer.runs import LEARNERS, Learners, is_busy
from retrainer.tables import training_runs


@dataclass(frozen=True, slots=True)
class Timetable:
    """Finds the collections that should train because it is time.

    Attributes:
        interval: Between two scheduled runs, by the clock.
        collections: Returns the names of the collections to train on schedule.
        learners: What is scheduled. The encoder waits for the last run that fine-tuned it, the fast learners for any.
    """

    engine: sa.Engine
    clock: Clock
    interval: timedelta
    collections: Callable[[], list[str]]
    learners: Learners = "fast"

    def due(self) -> list[str]:
        """Return the collections for which a run should be requested now, sorted.

        A run is due one interval after the last one was requested, by whomever. Where there was none, it is due one
        interval after the first list was shown, for before that there is nothing to learn from. Only the database
        says so: no stall and no restart moves it. No run is due while one is active, but for one at its holdback. A run
        of the future, written by a clock that was put right since, counts while it is less than an interval away, as
        one of the past does.
        """
        now, collections = self.clock.now(), self.collections()
        with reading(self.engine) as connection:
            waits = _runs(connection, now, self.interval, self.learners)
            new = [one for one in collections if one not in waits]
            shown = collections_shown_before(connection, new, now - self.interval)
        return sorted(one for one in collections if one in shown or waits.get(one) == 0)


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


def _runs(connection: sa.Connection, now: datetime, interval: timedelta, learners: Learners) -> dict[str, int]:
    """Return every collection that ever had a run: 1 where it is too near or active, else 0."""
    at = training_runs.c.requested_at
    near = (at > now - interval) & (at < now + interval)
    if learners != "fast":
        near &= training_runs.c.report[LEARNERS].as_string() == learners
    waits = is_busy() | near
    statement = sa.select(training_runs.c.collection, sa.func.max(sa.case((waits, 1), else_=0)))
    rows = connection.execute(statement.group_by(training_runs.c.collection))
    return {row[0]: row[1] for row in rows}
