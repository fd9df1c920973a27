"""The queries that enough people asked and were satisfied with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from collector.reads.people import is_of_people, person
from collector.tables import impressions
from foundation.database.engine import reading

_MAX_QUERIES = 50_000
_MAX_IMPRESSIONS = 200_000
_DAYS = 90
_MIN_SATISFIED = 0.2


@dataclass(frozen=True, slots=True)
class AskedQuery:
    """A query as most people typed it, how many different people did, and the share of its searches with a click."""

    text: str
    people: int
    satisfied: float


def read_asked(engine: sa.Engine, collection: str, now: datetime, min_users: int) -> list[AskedQuery]:
    """Return the queries that enough people asked lately, and of which a fifth at least led to a click.

    People are counted, not searches: one who asks a thousand times is one, and so are all searches without
    a user together. What agents and held users asked does not count, nor does a search without a click,
    until its user clicks in a later one. At most the latest 200,000 searches of 90 days are read.
    """
    columns = (impressions.c[name] for name in ("query_key", "query", "unit", "clicks", "at"))
    latest = (
        sa.select(*columns, person().label("person"))
        .where(is_of_people(collection, now - timedelta(days=_DAYS)))
        .order_by(impressions.c.at.desc())
        .limit(_MAX_IMPRESSIONS)
        .subquery()
    )
    last_click = sa.func.max(sa.case((latest.c.clicks > 0, latest.c.at))).over(partition_by=latest.c.unit)
    by_unit = sa.select(latest, last_click.label("last_click")).subquery()
    looked_at = (by_unit.c.clicks > 0) | (by_unit.c.at < by_unit.c.last_click)
    recent = sa.select(by_unit).where(looked_at).cte("recent")
    people = sa.func.count(sa.distinct(recent.c.person)).label("people")
    satisfied = sa.func.avg(sa.case((recent.c.clicks > 0, 1.0), else_=0.0)).label("satisfied")
    known = (
        sa.select(recent.c.query_key, people, satisfied)
        .group_by(recent.c.query_key)
        .having(people >= min_users, satisfied >= _MIN_SATISFIED)
        .order_by(people.desc())
        .limit(_MAX_QUERIES)
        .cte("known")
    )
    forms = (
        sa.select(known.c.query_key, known.c.people, known.c.satisfied, recent.c.query)
        .join(recent, recent.c.query_key == known.c.query_key)
        .group_by(known.c.query_key, known.c.people, known.c.satisfied, recent.c.query)
        .order_by(people, recent.c.query.desc())  # of one query's forms the last is what most people typed
    )
    with reading(engine) as connection:
        shown = {
            key: AskedQuery(" ".join(form.split()), int(count), float(share))
            for key, count, share, form in connection.execute(forms)
        }
    return list(shown.values())
