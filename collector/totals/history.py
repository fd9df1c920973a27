"""What the units of a run did before it started, for what reduces the variance of its metrics."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from collector.reads.people import is_held
from collector.tables import impressions, outcomes
from collector.totals.run import ExperimentRun

HISTORY_DAYS = 28.0
History = dict[str, tuple[int, int]]
"""Searches of a unit, and those with a click."""


def read_history(
    connection: sa.Connection, run: ExperimentRun, started_at: datetime, days: float = HISTORY_DAYS
) -> History:
    """Return what each unit of a run did in the days before it started, of those that searched then.

    Only lists that count for the unit itself are its history: what a session's user did under their name is not the
    session's.
    """
    units = sa.select(outcomes.c.unit).where(
        *(outcomes.c[name] == value for name, value in run._asdict().items()),
    )
    clicked = sa.func.sum(sa.case((impressions.c.clicks > 0, 1), else_=0))
    statement = (
        sa.select(impressions.c.unit, sa.func.count(), clicked)
        .where(impressions.c.collection == run.collection, impressions.c.unit.in_(units))
        .where(before_start(started_at, days), ~is_held())
        .group_by(impressions.c.unit)
    )
    return {unit: (searches, int(clicks)) for unit, searches, clicks in connection.execute(statement)}


def before_start(started_at: datetime, days: float) -> sa.ColumnElement[bool]:
    """Return whether a list was shown in the days before a moment."""
    return (impressions.c.at >= started_at - timedelta(days=days)) & (impressions.c.at < started_at)
