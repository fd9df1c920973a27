"""Finds lists without a click that a later click of the same person shows to have been examined."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from collector.fold.votes import LastClicks, PersonWeek, Vote
from collector.join.rows import PAGE
from collector.tables import impressions
from foundation.database.lookup import keys_as_rows

_AT_ONCE = 500
_NEVER = datetime.min.replace(tzinfo=UTC)
_WEEK = (impressions.c.collection, *(impressions.c[name] for name in PersonWeek._fields))
_BOUNDS = (impressions.c.at.label("first"), impressions.c.at.label("end"))


def read_last_clicks(connection: sa.Connection, collection: str, weeks: Collection[PersonWeek]) -> LastClicks:
    """Return when the latest list with a click was shown, of the people's weeks that have one."""
    wanted = keys_as_rows(connection, _WEEK, [(collection, *week) for week in sorted(weeks)])
    statement = (
        sa.select(impressions.c.unit, impressions.c.period, sa.func.max(impressions.c.at))
        .join_from(wanted, impressions, _same_week(wanted))
        .where(impressions.c.clicks > 0, impressions.c.clicks > impressions.c.forced_clicks)
        .group_by(impressions.c.unit, impressions.c.period)
    )
    return {PersonWeek(unit, period): at for unit, period, at in connection.execute(statement)}


def find_reconsidered(
    connection: sa.Connection, collection: str, before: LastClicks, after: LastClicks
) -> Iterator[Sequence[Vote]]:
    """Yield the votes, some at a time, with lists without a click that lie between two last clicks of their person.

    One of the two shows that they were examined, the other does not. No other lists are read, so that a click
    costs no more than was passed over since the one before it; but for those of the week whose clicks a rule made,
    which are few.
    """
    moved = sorted(week for week in before.keys() | after.keys() if before.get(week) != after.get(week))
    if not moved:
        return
    bounds = [sorted((before.get(week, _NEVER), after.get(week, _NEVER))) for week in moved]
    keys = [(collection, *week, *bound) for week, bound in zip(moved, bounds, strict=True)]
    wanted = keys_as_rows(connection, (*_WEEK, *_BOUNDS), keys)
    lists = sa.select(*(impressions.c[name] for name in Vote._fields)).join_from(
        wanted, impressions, _same_week(wanted) & (impressions.c.surface == PAGE)
    )
    between = (impressions.c.at >= wanted.c.first) & (impressions.c.at < wanted.c.end)
    unclicked = (impressions.c.clicks == 0) & (impressions.c.forced_clicks == 0)
    by_force = (impressions.c.clicks > 0) & (impressions.c.clicks <= impressions.c.forced_clicks)
    statement = sa.union(lists.where(unclicked, between), lists.where(by_force))
    for rows in connection.execute(statement, execution_options={"yield_per": _AT_ONCE}).partitions():
        yield [Vote(*row) for row in rows]


def _same_week(wanted: sa.CTE) -> sa.ColumnElement[Any]:
    return sa.and_(*(column == wanted.c[column.name] for column in _WEEK))
