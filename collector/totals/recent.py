"""What a collection's latest searches add up to, whether or not an experiment had them: what planning starts from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, pairwise
from typing import Any, Literal

import sqlalchemy as sa

from collector.fold.exposure import OutcomeKey, day_of
from collector.fold.signals import Asked, OutcomeSums
from collector.join.rows import stored_list
from collector.reads.people import is_of_people
from collector.tables import impressions
from collector.totals.memory import MemoryTotals
from collector.totals.run import RunTotals

RECENT_DAYS = 28.0
MAX_RECENT = 50_000
"""Most searches that are read, the latest ones."""

EVERYBODY = "everybody"
"""The one arm of these sums."""

_INTERLEAVED = "interleaved"
_SHARES = (0.125, 0.25, 0.5, 1.0)
_AT_ONCE = 1000
Unit = Literal["user", "query"]


@dataclass(frozen=True, slots=True)
class RecentWindow:
    """The searches of some last days.

    Attributes:
        days: How long it lasts, up to now.
        searches: Searches of people that name their unit.
        totals: What they add up to.
        interleaved: What those of interleaved lists add up to.
    """

    days: float
    searches: int
    totals: RunTotals
    interleaved: RunTotals


def read_recent(
    connection: sa.Connection,
    collection: str,
    now: datetime,
    unit: Unit = "user",
    *,
    days: float = RECENT_DAYS,
    limit: int = MAX_RECENT,
) -> tuple[RecentWindow, ...]:
    """Return four windows that end now, each twice as long as the one before; none without a search of people.

    The longest begins with the first of the latest searches. Searches of agents and of users who are held say nothing.

    Args:
        unit: By whom searches are added up. user: those that name neither a user nor a session are left out.
    """
    latest = _latest(collection, now - timedelta(days=days), now, limit)
    first = connection.execute(sa.select(sa.func.min(latest.c.at))).scalar_one()
    if first is None:
        return ()
    windows = [_Sums(share, now - share * (now - first)) for share in _SHARES]
    for row, following in pairwise(chain(_by_unit(connection, latest), [None])):
        if row is not None and (unit == "query" or row.unit != row.query_id):
            _add(windows, row, following, unit)
    whole = (now - first).total_seconds() / 86400
    return tuple(one.to_window(whole) for one in windows)


class _Sums:
    """What is added up of the searches since a moment."""

    def __init__(self, share: float, since: datetime) -> None:
        self.share = share
        self.since = since
        self.searches = 0
        self.all = OutcomeSums()
        self.interleaved = OutcomeSums()

    def to_window(self, days: float) -> RecentWindow:
        totals, interleaved = MemoryTotals(self.all, 0), MemoryTotals(self.interleaved, 0)
        return RecentWindow(self.share * days, self.searches, totals, interleaved)


def _latest(collection: str, since: datetime, now: datetime, limit: int) -> sa.Subquery:
    """Select the latest searches of people before a moment."""
    of_people = sa.select(impressions).where(is_of_people(collection, since), impressions.c.at < now)
    return of_people.order_by(impressions.c.at.desc()).limit(limit).subquery()


def _by_unit(connection: sa.Connection, latest: sa.Subquery) -> Iterator[sa.Row[Any]]:
    """Yield the searches of each unit in the order of time."""
    statement = sa.select(latest).order_by(latest.c.unit, latest.c.at, latest.c.query_id)
    yield from connection.execute(statement, execution_options={"yield_per": _AT_ONCE})


def _add(windows: list[_Sums], row: sa.Row[Any], following: sa.Row[Any] | None, unit: Unit) -> None:
    shown = stored_list(row)
    next_one = _asked(following) if following is not None and following.unit == row.unit else None
    whose = row.unit if unit == "user" else row.query_id
    key = OutcomeKey("", 0, whose, day_of(row.at), EVERYBODY, "", True, False)
    for window in windows:
        if row.at >= window.since:
            window.searches += 1
            window.all.add_search(key, shown, _asked(row), next_one, row.took_ms)
            if row.arm == _INTERLEAVED:
                window.interleaved.add_search(key, shown, _asked(row), next_one, row.took_ms)


def _asked(row: sa.Row[Any]) -> Asked:
    return Asked(row.at, row.query_id, row.query_key)
