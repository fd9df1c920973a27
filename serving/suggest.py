"""Query suggestions: `GET /v1/suggest`, from what people asked and were satisfied with."""

from __future__ import annotations

import math
import threading
from datetime import datetime, timedelta
from typing import Annotated

import sqlalchemy as sa
import structlog
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from foundation.clock import Clock, monotonic_s
from foundation.db import reading
from foundation.errors import Overloaded, StoreAway
from foundation.people import is_of_people, person
from foundation.tables import impressions
from foundation.web import collection_of, problem_responses
from serving.engine.suggestions import Asked, Suggestions

MAX_SUGGESTIONS = 20
_MOST_QUERIES = 50_000
_MOST_IMPRESSIONS = 200_000
_DAYS = 90
_REFRESH_S = 60.0
_LEAST_SATISFIED = 0.2

_log = structlog.get_logger("clickloop.suggest")


class SuggestOut(BaseModel):
    """Completions, the best first."""

    suggestions: list[str] = Field(description="Queries as most people typed them.")


class Suggester:
    """The suggestions of every collection, read again in the background each minute that they are asked for.

    Args:
        least_users: How many different people must have asked a query before it is shown to others.
    """

    def __init__(self, engine: sa.Engine, clock: Clock, least_users: int) -> None:
        self._engine = engine
        self._clock = clock
        self._least_users = least_users
        self._known: dict[str, tuple[float, Suggestions]] = {}
        self._reading = threading.Lock()

    def complete(self, collection: str, typed: str, limit: int) -> list[str]:
        """Return completions of what was typed; a collection's first call waits for the database."""
        if collection not in self._known:
            with self._reading:
                if collection not in self._known:  # others may have waited too
                    self._read(collection)
        read_at_s, known = self._known[collection]
        if monotonic_s() - read_at_s > _REFRESH_S and self._reading.acquire(blocking=False):
            threading.Thread(target=self._refresh, args=(collection,), name="suggestions", daemon=True).start()
        return known.complete(typed, limit)

    def _refresh(self, collection: str) -> None:
        """Read again what is known; what was known stays when the database cannot be read."""
        try:
            self._read(collection)
        except (sa.exc.SQLAlchemyError, StoreAway, Overloaded) as problem:
            _log.warning("suggestions could not be read again", collection=collection, problem=str(problem))
        finally:
            self._reading.release()

    def _read(self, collection: str) -> None:
        asked = read_asked(self._engine, collection, self._clock.now(), self._least_users)
        self._known[collection] = (monotonic_s(), Suggestions(asked))


def read_asked(engine: sa.Engine, collection: str, now: datetime, least_users: int) -> list[Asked]:
    """Return the queries that enough people asked lately, and of which a fifth at least led to a click.

    People are counted, not searches: one who asks a thousand times is one, and so are all searches without
    a user together. What agents and held users asked does not count, nor does a search without a click,
    until its user clicks in a later one. At most the latest 200,000 searches of 90 days are read. A query is
    shown as most people typed it.
    """
    columns = (impressions.c[name] for name in ("query_key", "query", "unit", "clicks", "at"))
    latest = (
        sa.select(*columns, person().label("person"))
        .where(
            impressions.c.collection == collection,
            impressions.c.at > now - timedelta(days=_DAYS),
            is_of_people(),
        )
        .order_by(impressions.c.at.desc())
        .limit(_MOST_IMPRESSIONS)
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
        .having(people >= least_users, satisfied >= _LEAST_SATISFIED)
        .order_by(people.desc())
        .limit(_MOST_QUERIES)
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
            key: Asked(" ".join(form.split()), math.log1p(count) * float(share))
            for key, count, share, form in connection.execute(forms)
        }
    return list(shown.values())


def make_router(suggester: Suggester) -> APIRouter:
    """Return the route of suggestions."""
    router = APIRouter(tags=["search"])

    @router.get("/v1/suggest", responses=problem_responses(422))
    def suggest(
        collection: Annotated[str, Depends(collection_of)],
        q: Annotated[str, Query(max_length=200, description="What has been typed so far.")],
        limit: Annotated[int, Query(ge=1, le=MAX_SUGGESTIONS, description="Most suggestions.")] = 8,
    ) -> SuggestOut:
        """Complete a query from those that enough people asked and were satisfied with."""
        return SuggestOut(suggestions=suggester.complete(collection, q, limit))

    return router
