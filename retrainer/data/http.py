"""HTTP: the report on how near a collection is to what learning needs."""

from __future__ import annotations

import sqlalchemy as sa
from fastapi import APIRouter
from pydantic import BaseModel, Field

from foundation.clock import Clock
from foundation.web.problems import problem_responses
from foundation.web.requests import Collection
from retrainer.data.threshold import MIN_CLICKED, read_threshold


class LearningOut(BaseModel):
    """How near a collection is to what learning needs."""

    collection: str
    clicked: int = Field(
        description="Queries with clicks in the present week and the four before it, or resolved without one."
    )
    needed: int = Field(description="With how many a training run can be judged.")
    reached: bool
    meaning: str = Field(description="The same in a sentence.")


def make_router(engine: sa.Engine, clock: Clock) -> APIRouter:
    """Return the route of the report; it only reads."""
    router = APIRouter(tags=["reports"])

    @router.get("/v1/reports/learning", responses=problem_responses(422))
    def report_learning(collection: Collection) -> LearningOut:
        """Report how many queries have clicks, and how many learning needs."""
        found = read_threshold(engine, collection, clock.now())
        return LearningOut(
            collection=collection,
            clicked=found.clicked,
            needed=MIN_CLICKED,
            reached=found.reached,
            meaning=found.tell(),
        )

    return router
