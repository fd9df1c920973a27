"""How much a collection was searched lately, day by day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from collector.reads.people import is_of_people
from collector.tables import impressions
from foundation.database.engine import reading

DAYS = 7


@dataclass(frozen=True, slots=True)
class ActivityDay:
    """What happened within 24 hours.

    Attributes:
        start: When they began.
        searches: Searches of people, as the reports count them: none of agents, none of users who are held.
        clicked: Searches with a click.
        clicks: Results clicked, each once a search.
    """

    start: datetime
    searches: int
    clicked: int
    clicks: int

    @property
    def click_rate(self) -> float | None:
        """Share of searches with a click, None without searches."""
        return self.clicked / self.searches if self.searches else None


def count_days(engine: sa.Engine, collection: str, now: datetime) -> list[ActivityDay]:
    """Return the last seven times 24 hours up to `now`, newest first; one indexed query each."""
    with reading(engine) as connection:
        return [_count(connection, collection, now - timedelta(days=age)) for age in range(1, DAYS + 1)]


def total(days: list[ActivityDay]) -> ActivityDay:
    """Return all days as one; its start is the oldest's."""
    return ActivityDay(
        min(day.start for day in days),
        sum(day.searches for day in days),
        sum(day.clicked for day in days),
        sum(day.clicks for day in days),
    )


def _count(connection: sa.Connection, collection: str, start: datetime) -> ActivityDay:
    clicked = sa.case((impressions.c.clicks > 0, 1), else_=0)
    statement = sa.select(sa.func.count(), sa.func.sum(clicked), sa.func.sum(impressions.c.clicks)).where(
        is_of_people(collection, start), impressions.c.at <= start + timedelta(days=1)
    )
    searches, with_click, clicks = connection.execute(statement).one()
    return ActivityDay(start, int(searches), int(with_click or 0), int(clicks or 0))
