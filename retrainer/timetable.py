"""When the next scheduled training is due, by what the database says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from foundation.clock import Clock
from foundation.db import reading
from foundation.tables import impressions, training_runs

_TERMS = 200
"""Most collections asked about in one statement; SQLite's limit is 500."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """Tells which collections should train now because it is time.

    Attributes:
        interval: Between two scheduled runs, by the clock.
        collections: Returns the names of the collections to train on schedule.
    """

    engine: sa.Engine
    clock: Clock
    interval: timedelta
    collections: Callable[[], list[str]]

    def due(self) -> list[str]:
        """Return the collections for which a run should be requested now, sorted.

        A run is due one interval after the last one was requested, whoever did; where there was none, one interval
        after the first list was shown, for before that there is nothing to learn from. Only the database says so:
        no stall and no restart moves it. A run that is not finished is waited for. A run of the future, written by
        a clock that was put right since, counts as one of the past does: while it is less than an interval away.
        """
        now, collections = self.clock.now(), self.collections()
        with reading(self.engine) as connection:
            waits = _runs(connection, now, self.interval)
            new = [one for one in collections if one not in waits]
            shown = _shown_before(connection, new, now - self.interval)
        return sorted(one for one in collections if one in shown or waits.get(one) == 0)


def _runs(connection: sa.Connection, now: datetime, interval: timedelta) -> dict[str, int]:
    """Return every collection that ever had a run: 1 where it is too near or active, else 0."""
    at = training_runs.c.requested_at
    waits = (training_runs.c.state == "active") | ((at > now - interval) & (at < now + interval))
    statement = sa.select(training_runs.c.collection, sa.func.max(sa.case((waits, 1), else_=0)))
    rows = connection.execute(statement.group_by(training_runs.c.collection))
    return {row[0]: row[1] for row in rows}


def _shown_before(connection: sa.Connection, collections: Sequence[str], at: datetime) -> set[str]:
    """Return the collections of which some list was shown until a moment."""
    found: set[str] = set()
    for first in range(0, len(collections), _TERMS):
        some = collections[first : first + _TERMS]
        asked = [sa.select(sa.literal(one)).where(_was_shown(one, at)) for one in some]
        found.update(connection.execute(sa.union_all(*asked)).scalars())
    return found


def _was_shown(collection: str, at: datetime) -> sa.ColumnElement[bool]:
    return sa.exists().where(impressions.c.collection == collection, impressions.c.at <= at)
