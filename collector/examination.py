"""Finds what shows that lists were looked at though nobody clicked in them: later clicks of the same person."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from collector.lookup import keys_as_rows
from collector.rows import PAGE, Vote
from collector.votes import LastClicks, PersonWeek
from foundation.tables import impressions


def read_last_clicks(connection: sa.Connection, collection: str, weeks: Collection[PersonWeek]) -> LastClicks:
    """Return when the latest list with a click was shown, of the people's weeks that have one."""
    statement = (
        _select(connection, collection, weeks, impressions.c.unit, impressions.c.period, sa.func.max(impressions.c.at))
        .where(impressions.c.clicks > 0)
        .group_by(impressions.c.unit, impressions.c.period)
    )
    return {PersonWeek(unit, period): at for unit, period, at in connection.execute(statement)}


def find_looked_over(connection: sa.Connection, collection: str, before: LastClicks, after: LastClicks) -> set[Vote]:
    """Return the votes with lists that were looked at by the last clicks `after`, and not yet by those `before`.

    Each list is found once, whatever its person does later, so that a click costs no more than was passed over.
    """
    moved = {week for week, at in after.items() if before.get(week) != at}
    first = moved - before.keys()
    again = moved & before.keys()
    since = min((before[week] for week in again), default=None)
    lists = [*_silent(connection, collection, first), *_silent(connection, collection, again, since)]
    return {
        vote
        for vote, at in lists
        if at < after[week := PersonWeek.of(vote)] and (week not in before or at >= before[week])
    }


def _silent(
    connection: sa.Connection, collection: str, weeks: Collection[PersonWeek], since: datetime | None = None
) -> list[tuple[Vote, datetime]]:
    """Return the lists without a click, each with its vote and time."""
    if not weeks:
        return []
    columns = (impressions.c[name] for name in (*Vote._fields, "at"))
    silent = (impressions.c.clicks == 0) & (impressions.c.surface == PAGE)
    statement = _select(connection, collection, weeks, *columns).where(silent)
    rows = connection.execute(statement if since is None else statement.where(impressions.c.at >= since))
    return [(Vote(query_key, unit, period), at) for query_key, unit, period, at in rows]


def _select(
    connection: sa.Connection, collection: str, weeks: Collection[PersonWeek], *columns: sa.ColumnElement[Any]
) -> sa.Select[Any]:
    names = ("collection", *PersonWeek._fields)
    wanted = keys_as_rows(connection, impressions, names, [(collection, *week) for week in sorted(weeks)])
    return sa.select(*columns).join_from(
        wanted, impressions, sa.and_(*(impressions.c[key.name] == key for key in wanted.c))
    )
