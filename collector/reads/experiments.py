"""What the searches of an experiment add up to, by arm and randomization unit."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from collector.reads.people import is_held
from collector.tables import impressions

_STREAM_ROWS = 1000
_UNIT = sa.case((impressions.c.drawn_by == sa.literal_column("''"), impressions.c.unit), else_=impressions.c.drawn_by)
"""The randomization unit: what decided the arm is what is counted."""


@dataclass(frozen=True, slots=True)
class Exposures:
    """Which searches are meant: those of an experiment's arms since it started, but of no user in quarantine."""

    collection: str
    experiment: str
    arms: Collection[str]
    since: datetime

    def condition(self) -> sa.ColumnElement[bool]:
        """Return the same as a condition on impressions."""
        return sa.and_(
            ~is_held(),
            impressions.c.collection == self.collection,
            impressions.c.experiment == self.experiment,
            impressions.c.experiment != sa.literal_column("''"),  # without it the partial index is not used
            impressions.c.at >= self.since,
            impressions.c.arm.in_(self.arms),
        )


class ArmSums(NamedTuple):
    """Sums over the units of an arm; x is a unit's searches with a click, y its searches."""

    arm: str
    clicks: int
    units: int
    x: int
    y: int
    xx: int
    yy: int
    xy: int


class DraftedSearch(NamedTuple):
    """One search with an interleaved list: its randomization unit, the side of each rank, and the clicked ranks."""

    unit: str
    teams: list[str]
    clicked: list[int]


def sum_clicks(connection: sa.Connection, exposures: Exposures) -> Iterator[ArmSums]:
    """Yield the sums of each arm that has a search; the database adds them up."""
    clicked = sa.case((impressions.c.clicks > 0, 1), else_=0)
    unit = (
        sa.select(
            impressions.c.arm,
            sa.func.sum(clicked).label("x"),
            sa.func.count().label("y"),
            sa.func.sum(impressions.c.clicks).label("clicks"),
        )
        .where(exposures.condition())
        .group_by(impressions.c.arm, _UNIT)
        .subquery()
    )
    x, y = unit.c.x, unit.c.y
    sums = [sa.func.sum(term) for term in (x, y, x * x, y * y, x * y)]
    statement = sa.select(unit.c.arm, sa.func.sum(unit.c.clicks), sa.func.count(), *sums).group_by(unit.c.arm)
    for arm, *totals in connection.execute(statement):
        yield ArmSums(arm, *map(int, totals))


def stream_drafts(connection: sa.Connection, exposures: Exposures) -> Iterator[DraftedSearch]:
    """Yield every search of an interleaving experiment; a thousand rows are held in memory."""
    statement = sa.select(_UNIT.label("unit"), impressions.c.results, impressions.c.outcome)
    rows = connection.execute(statement.where(exposures.condition()), execution_options={"yield_per": _STREAM_ROWS})
    for row in rows:
        shown = sorted(row.results, key=lambda result: result["rank"])
        yield DraftedSearch(row.unit, [result["team"] for result in shown], list(row.outcome.get("clicked", ())))
