"""The HTTP of planning: how large an experiment must be."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body

from ab_testing.planning.forecast import ExperimentForecast, PlanningRequest
from ab_testing.planning.planner import Planner
from foundation.web.problems import problem_responses
from foundation.web.requests import Collection

Wanted = Annotated[PlanningRequest, Body(description="What an experiment shall find, or how large it may be.")]


def make_router(planner: Planner) -> APIRouter:
    """Return the route of planning."""
    router = APIRouter(prefix="/v1/experiments", tags=["experiments"])

    @router.post("/plan", responses=problem_responses(400, 422))
    def plan_experiment(collection: Collection, wanted: Wanted) -> ExperimentForecast:
        """Tell how many searches and days find which effect on this traffic, by the searches of the last weeks.

        With an effect: the searches and days that find it. With searches or days: the smallest effect that they find.
        With both: how likely they find it. Nothing is made or started.
        """
        return planner.forecast(collection, wanted)

    return router
