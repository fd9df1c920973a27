"""Reads in which arm of an experiment units were seen."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from collector.tables import impressions


class SeenUnit(NamedTuple):
    """A randomization unit, the arm of a list that it got, and when."""

    unit: str
    arm: str
    at: datetime


def read_seen_units(
    connection: sa.Connection, collection: str, experiment: str, run: int, *, since: datetime, limit: int
) -> list[SeenUnit]:
    """Return who got lists of a run since a moment, oldest first; of more than `limit` lists only the newest."""
    of = impressions.c
    statement = (
        sa.select(of.drawn_by, of.arm, of.at)
        .where(of.collection == collection, of.at >= since, of.experiment == experiment, of.run == run)
        .order_by(of.at.desc())
        .limit(limit)
    )
    return [SeenUnit(*row) for row in connection.execute(statement)][::-1]
