"""Reads the searches of the last days for the report on queries; a bounded number of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

import sqlalchemy as sa

from collector.fold.outcomes import Outcome
from collector.reads.people import is_of_people, person
from collector.reports.queries import (
    Cluster,
    CountedSearch,
    Order,
    QueryFigures,
    cluster_queries,
    count_queries,
    order_queries,
)
from collector.tables import impressions
from foundation.database.engine import reading

MAX_SEARCHES = 50_000
"""Searches that are read; of more, the latest."""


@dataclass(frozen=True, slots=True)
class Rare:
    """Queries that are not shown because too few people asked them."""

    queries: int
    searches: int


@dataclass(frozen=True, slots=True)
class QueryReport:
    """A page of the report on queries.

    Attributes:
        since: Searches before this moment are not read.
        searches: How many were read.
        complete: Whether these were all since then.
        queries: The page.
        clusters: All queries of low satisfaction, those that share words together; for that order only.
        rare: What was left out of the order since it could give people away.
        next: The offset of the next page, None on the last.
    """

    collection: str
    by: Order
    since: datetime
    searches: int
    complete: bool
    queries: list[QueryFigures]
    clusters: list[Cluster]
    rare: Rare
    next: int | None


def report_queries(
    engine: sa.Engine, collection: str, by: Order, since: datetime, min_users: int, offset: int, limit: int
) -> QueryReport:
    """Return a page of the queries people asked since a moment; what agents and held users asked does not count.

    Args:
        min_users: How many different people must have asked a query before it is shown.
    """
    searches = _read_searches(engine, collection, since)
    ordered = order_queries(count_queries(searches[:MAX_SEARCHES]), by)
    shown = [one for one in ordered if one.users >= min_users]
    rare = [one for one in ordered if one.users < min_users]
    return QueryReport(
        collection=collection,
        by=by,
        since=since,
        searches=len(searches[:MAX_SEARCHES]),
        complete=len(searches) <= MAX_SEARCHES,
        queries=shown[offset : offset + limit],
        clusters=cluster_queries(shown) if by == "low-csat" else [],
        rare=Rare(len(rare), sum(one.searches for one in rare)),
        next=offset + limit if len(shown) > offset + limit else None,
    )


def _read_searches(engine: sa.Engine, collection: str, since: datetime) -> list[CountedSearch]:
    """Return the latest searches, one more than are counted where there are more."""
    statement = (
        sa.select(
            impressions.c.query_id,
            impressions.c.query_key,
            person().label("person"),
            impressions.c.at,
            sa.func.json_array_length(impressions.c.results).label("shown"),
            sa.cast(impressions.c.outcome, sa.Text).label("outcome"),
        )
        .where(is_of_people(collection, since))
        .order_by(impressions.c.at.desc())
        .limit(MAX_SEARCHES + 1)
    )
    with reading(engine) as connection:
        return [
            CountedSearch(row.query_id, row.query_key, row.person, row.at, row.shown, _outcome(row.outcome))
            for row in connection.execute(statement)
        ]


@lru_cache(maxsize=4096)
def _outcome(written: str) -> Outcome:
    """Return an outcome; most lists end in one of a few ways, so that reading each anew would take most of the time."""
    return Outcome.from_json(json.loads(written))
