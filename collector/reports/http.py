"""HTTP: the reports on queries and on pairs."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Query

from collector.reports.pairs import Pairs, PairsPage
from collector.reports.queries import Order
from collector.reports.query_report import QueryReport, report_queries
from foundation.clock import Clock
from foundation.settings import Settings
from foundation.web.problems import problem_responses
from foundation.web.requests import collection_of

MAX_DAYS = 3650

_Days = Annotated[int, Query(ge=1, le=MAX_DAYS, description="How far back to look.")]
_Limit = Annotated[int, Query(ge=1, le=1000, description="Most entries of a page.")]


def make_router(engine: sa.Engine, clock: Clock, settings: Settings) -> APIRouter:
    """Return the routes of the reports; they only read."""
    router = APIRouter(tags=["reports"])
    pairs = Pairs(engine, settings.suggest_min_users, settings.lists_per_user)

    @router.get("/v1/reports/queries", responses=problem_responses(422))
    def show_queries(
        collection: Annotated[str, Depends(collection_of)],
        by: Annotated[Order, Query(description="Which searches are counted, the queries with most of them first.")] = (
            "volume"
        ),
        days: _Days = 30,
        limit: _Limit = 50,
        offset: Annotated[int, Query(ge=0, le=1_000_000, description="Queries to leave out at the start.")] = 0,
    ) -> QueryReport:
        """Report what people asked and how it went: the latest 50,000 searches of the last days."""
        since = clock.now() - timedelta(days=days)
        return report_queries(engine, collection, by, since, settings.suggest_min_users, offset, limit)

    @router.get("/v1/reports/pairs", responses=problem_responses(422))
    def show_pairs(
        collection: Annotated[str, Depends(collection_of)],
        days: _Days = 365,
        limit: _Limit = 100,
        after: Annotated[str, Query(max_length=2000, description="`next` of the page before.")] = "",
    ) -> PairsPage:
        """Report how relevant feedback makes each document to each query, and which searches say so."""
        return pairs.page(collection, clock.now() - timedelta(days=days), after, limit)

    return router
