"""Query suggestions: `GET /v1/suggest`, from what people asked and were satisfied with."""

from __future__ import annotations

import math
import threading
from datetime import datetime, timedelta
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from foundation.clock import Clock, monotonic_s
from foundation.db import reading
from foundation.tables import impressions
from foundation.web import collection_of, problem_responses
from serving.engine.suggestions import Asked, Suggestions

MAX_SUGGESTIONS = 20
_MOST_QUERIES = 50_000
_DAYS = 90
_REFRESH_S = 60.0
_LEAST_SATISFIED = 0.2


class SuggestOut(BaseModel):
    """Completions, the best first."""

    suggestions: list[str] = Field(description="Queries in their normal form.")


class Suggester:
    """The suggestions of every collection, read again every minute when they are asked for.

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
        """Return completions of what was typed; one call in a minute waits for the database."""
        read_at_s, known = self._known.get(collection, (-math.inf, Suggestions()))
        if monotonic_s() - read_at_s > _REFRESH_S and self._reading.acquire(blocking=read_at_s == -math.inf):
            try:
                known = Suggestions(read_asked(self._engine, collection, self._clock.now(), self._least_users))
                self._known[collection] = (monotonic_s(), known)
            finally:
                self._reading.release()
        return known.complete(typed, limit)


def read_asked(engine: sa.Engine, collection: str, now: datetime, least_users: int) -> list[Asked]:
    """Return the queries of the last 90 days that enough people asked, and of which a fifth at least led to a click.

    People are counted, not searches: one who asks a thousand times is one.
    """
    people = sa.func.count(sa.distinct(impressions.c.unit))
    satisfied = sa.func.avg(sa.case((impressions.c.clicks > 0, 1.0), else_=0.0))
    statement = (
        sa.select(impressions.c.query_key, people, satisfied)
        .where(impressions.c.collection == collection, impressions.c.at > now - timedelta(days=_DAYS))
        .group_by(impressions.c.query_key)
        .having(people >= least_users, satisfied >= _LEAST_SATISFIED)
        .order_by(people.desc())
        .limit(_MOST_QUERIES)
    )
    with reading(engine) as connection:
        return [Asked(key, math.log1p(count) * float(share)) for key, count, share in connection.execute(statement)]


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
