"""A run folded again from the stored lists and events, as they were by a change of the evidence.

What was deleted since is gone: lists and events of people who were erased, and what is no longer kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, pairwise
from typing import Any

import sqlalchemy as sa

from collector.fold.lists import ShownList, by_list, recompute
from collector.fold.signals import Asked, OutcomeSums
from collector.join.rows import event_of, exposure_of, stored_list
from collector.tables import HELD, events, impressions, quarantine_moves
from collector.totals.history import HISTORY_DAYS, History, before_start
from collector.totals.memory import MemoryTotals
from collector.totals.run import ExperimentRun, RunTotals

_AT_ONCE = 500


def refolded_totals(connection: sa.Connection, run: ExperimentRun, change: int, lateness_days: float) -> RunTotals:
    """Return what a run added up to when a change was made: what `stored_totals` gave then.

    Args:
        lateness_days: How long after its list an event counts, as the collector's settings say.
    """
    past = _Past(connection, run.collection, change, lateness_days)
    held, sums = past.held(), OutcomeSums()
    for (row, shown), (following, _) in pairwise(chain(past.lists(_in(run)), [(None, None)])):
        if row is None or shown is None or row.unit in held:
            continue
        next_one = _asked(following) if following and following.drawn_by == row.drawn_by else None
        sums.add_search(exposure_of(row, row.drawn_by), shown, _asked(row), next_one, row.took_ms)
    return MemoryTotals(sums, change)


def refolded_history(
    connection: sa.Connection,
    run: ExperimentRun,
    started_at: datetime,
    *,
    change: int,
    lateness_days: float,
    days: float = HISTORY_DAYS,
) -> History:
    """Return what `read_history` gave when a change was made."""
    past = _Past(connection, run.collection, change, lateness_days)
    drawn = sa.select(impressions.c.drawn_by, impressions.c.unit).where(impressions.c.collection == run.collection)
    rows = connection.execute(drawn.where(_in(run), impressions.c.change <= change).distinct())
    held, found = past.held(), History()
    units = {row.drawn_by for row in rows if row.unit not in held}
    for row, shown in past.lists(before_start(started_at, days)):
        if row.unit in units and row.unit not in held:
            searches, clicked = found.get(row.unit, (0, 0))
            found[row.unit] = (searches + 1, clicked + bool(shown.outcome.clicked))
    return found


@dataclass(frozen=True, slots=True)
class _Past:
    """What was stored of a collection when a change was made."""

    connection: sa.Connection
    collection: str
    change: int
    lateness_days: float

    def held(self) -> set[str]:
        """Return who was in quarantine."""
        moves = sa.select(quarantine_moves.c.unit, quarantine_moves.c.state).where(
            quarantine_moves.c.collection == self.collection, quarantine_moves.c.change <= self.change
        )
        rows = self.connection.execute(moves.order_by(quarantine_moves.c.change))
        states = {row.unit: row.state for row in rows}
        return {unit for unit, state in states.items() if state == HELD}

    def lists(self, which: sa.ColumnElement[bool]) -> Iterator[tuple[sa.Row[Any], ShownList]]:
        """Yield lists with the outcomes that they had, by randomization unit and time."""
        statement = (
            sa.select(impressions)
            .where(impressions.c.collection == self.collection, impressions.c.change <= self.change, which)
            .order_by(impressions.c.drawn_by, impressions.c.at, impressions.c.query_id)
        )
        rows = self.connection.execute(statement, execution_options={"yield_per": _AT_ONCE})
        for some in rows.partitions():
            about = self._events_about([row.query_id for row in some])
            for row in some:
                yield row, recompute(stored_list(row, self.change), about.get(row.query_id, ()), self.lateness_days)

    def _events_about(self, query_ids: list[str]) -> dict[str, list[Any]]:
        statement = sa.select(events).where(
            events.c.collection == self.collection, events.c.change <= self.change, events.c.query_id.in_(query_ids)
        )
        return by_list(event_of(row) for row in self.connection.execute(statement))


def _in(run: ExperimentRun) -> sa.ColumnElement[bool]:
    return sa.and_(
        impressions.c.experiment == run.experiment,
        impressions.c.experiment != sa.literal_column("''"),  # without it the partial index is not used
        impressions.c.run == run.run,
    )


def _asked(row: sa.Row[Any]) -> Asked:
    return Asked(row.at, row.query_id, row.query_key)
