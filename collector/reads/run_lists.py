"""Reads the lists of an experiment's run, and which queries were asked in some time, as they were stored."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from collector.reads.people import is_held, is_of_people
from collector.tables import impressions


class RunList(NamedTuple):
    """One list of a run.

    Attributes:
        unit: The randomization unit.
        first_difference: First rank at which the arms' own lists differ, 0 where they are equal or were not compared.
        documents: What it showed, rank 1 first.
        teams: The team of each of them, "" where it earns no credit.
        clicked: Ranks clicked, from 1.
        took_ms: Milliseconds to the ranked list, 0 where nobody measured.
    """

    unit: str
    query_key: str
    arm: str
    first_difference: int
    documents: tuple[str, ...]
    teams: tuple[str, ...]
    clicked: tuple[int, ...]
    took_ms: float


class AskedSearch(NamedTuple):
    """Who asked which query."""

    unit: str
    query_key: str


def read_run_lists(
    connection: sa.Connection, collection: str, experiment: str, run: int, *, limit: int
) -> list[RunList]:
    """Return the lists of a run, of more than `limit` the newest; without those of users who are held."""
    of = impressions.c
    columns = (of.drawn_by, of.query_key, of.arm, of.first_difference, of.took_ms, of.results, of.outcome)
    mine = (of.collection == collection, of.experiment == experiment, of.run == run)
    statement = sa.select(*columns).where(*mine, ~is_held()).order_by(of.at.desc(), of.query_id).limit(limit)
    return [_to_list(row) for row in connection.execute(statement)]


def read_asked_searches(
    connection: sa.Connection, collection: str, since: datetime, until: datetime, limit: int
) -> list[AskedSearch]:
    """Return the searches of people after a moment and before another, of more than `limit` the newest."""
    of = impressions.c
    statement = (
        sa.select(of.unit, of.query_key)
        .where(is_of_people(collection, since), of.at < until)
        .order_by(of.at.desc(), of.query_id)
        .limit(limit)
    )
    return [AskedSearch(*row) for row in connection.execute(statement)]


def _to_list(row: Any) -> RunList:
    shown = sorted(row.results, key=lambda one: one["rank"])
    return RunList(
        unit=row.drawn_by,
        query_key=row.query_key,
        arm=row.arm,
        first_difference=row.first_difference,
        documents=tuple(one["id"] for one in shown),
        teams=tuple(one["team"] for one in shown),
        clicked=tuple(row.outcome["clicked"]),
        took_ms=row.took_ms,
    )
