"""HTTP: the report on the health of the join."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends
from pydantic import BaseModel

from collector.checks.finding import Finding
from collector.checks.register import run_checks
from foundation.web.problems import problem_responses
from foundation.web.requests import collection_of


class JoinHealth(BaseModel):
    """Whether a collection's feedback finds what it is about."""

    collection: str
    findings: list[Finding]


def make_router(engine: sa.Engine, lateness_days: float, refused_unset: Callable[[str], int]) -> APIRouter:
    """Return the route of the report.

    Args:
        lateness_days: After how many days an event comes too late for its search.
        refused_unset: How many events of a collection were refused lately because their query id was never set.
    """
    router = APIRouter(tags=["feedback"])

    @router.get("/v1/reports/join-health", responses=problem_responses(422))
    def report_join_health(collection: Annotated[str, Depends(collection_of)]) -> JoinHealth:
        """Report whether the latest 5,000 events find their impressions, and impressions their events."""
        findings = run_checks(engine, collection, lateness_days, refused_unset(collection))
        return JoinHealth(collection=collection, findings=findings)

    return router
