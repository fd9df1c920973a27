"""The HTTP of experiments: make, start, stop and read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request
from pydantic import BaseModel, Field

from ab_testing.api import (
    CHAMPION,
    AuditedDecision,
    Decision,
    Experiment,
    ExperimentPlan,
    Experiments,
    Scorecard,
)
from foundation.errors import FieldFault, InvalidRequest
from foundation.web.problems import problem_responses
from foundation.web.requests import Collection, actor_of

ExperimentId = Annotated[
    str, Path(description="The experiment's id.", min_length=1, max_length=64, pattern=r"^[0-9A-Za-z_-]+$")
]
Plan = Annotated[ExperimentPlan, Body(description="What to compare; frozen once made.")]


class ExperimentList(BaseModel):
    """Experiments of a collection."""

    experiments: list[Experiment] = Field(description="Newest first.")
    false_promotions_a_year: float = Field(
        description="Promotions a year that would be false, were no candidate ever better and an automatic experiment "
        "made whenever one may be."
    )


class ExperimentAudit(BaseModel):
    """Decisions compared with what the log says."""

    decisions: list[AuditedDecision] = Field(description="Newest first.")


class DecisionList(BaseModel):
    """What was decided about an experiment."""

    decisions: list[Decision] = Field(description="Newest first; none is ever changed.")


class StopRequest(BaseModel):
    """Why an experiment is stopped."""

    reason: str = Field("stopped by hand", description="Recorded with the decision.", max_length=500)


def make_router(
    experiments: Experiments,
    find_version: Callable[[str, str], str | None],
    false_promotions_a_year: float = 0.0,
) -> APIRouter:
    """Return the routes under /v1/experiments.

    Args:
        find_version: Returns the id of a collection's version by id or name, None without one.
        false_promotions_a_year: What the schedule of automatic experiments makes at most.
    """
    router = APIRouter(prefix="/v1/experiments", tags=["experiments"])

    @router.post("", status_code=201, responses=problem_responses(400, 422))
    def create_experiment(collection: Collection, plan: Plan, request: Request) -> Experiment:
        """Make an experiment between two versions, ids or names. It takes no traffic before it is started."""
        return experiments.create(collection, _with_ids(collection, plan, find_version), actor_of(request))

    @router.get("", responses=problem_responses(422))
    def list_experiments(
        collection: Collection,
        limit: Annotated[int, Query(description="Most experiments to list.", ge=1, le=1000)] = 100,
    ) -> ExperimentList:
        """List the collection's experiments, newest first."""
        return ExperimentList(
            experiments=experiments.list(collection, limit), false_promotions_a_year=false_promotions_a_year
        )

    @router.get("/{experiment_id}", responses=problem_responses(404, 422))
    def read_experiment(collection: Collection, experiment_id: ExperimentId) -> Scorecard:
        """Read the scorecard: counts, the effect with its confidence sequence, the verdict and its inputs.

        Reading changes nothing and may be done at any time: the test allows for continuous looks.
        """
        return experiments.report(collection, experiment_id)

    @router.post("/{experiment_id}/start", responses=problem_responses(404, 409, 422))
    def start_experiment(collection: Collection, experiment_id: ExperimentId, request: Request) -> Experiment:
        """Let the experiment take traffic. Several may run in a collection, each on traffic of its own.

        A restart splits the units anew, and shares the plan's alpha with the runs before.
        """
        return experiments.start(collection, experiment_id, actor_of(request))

    @router.post("/{experiment_id}/stop", responses=problem_responses(400, 404, 409, 422))
    def stop_experiment(
        collection: Collection, experiment_id: ExperimentId, request: Request, body: StopRequest | None = None
    ) -> Experiment:
        """Stop the experiment without a verdict; it can be started again, from nothing."""
        reason = (body or StopRequest.model_validate({})).reason
        return experiments.stop(collection, experiment_id, reason, actor_of(request))

    @router.post("/{experiment_id}/look", responses=problem_responses(404, 422))
    def look_at_experiment(collection: Collection, experiment_id: ExperimentId) -> Scorecard:
        """Read the scorecard, record the day, and act on a final verdict: it is kept and ends the experiment."""
        return experiments.look(collection, experiment_id)

    @router.get("/{experiment_id}/decisions", responses=problem_responses(404, 422))
    def list_decisions(collection: Collection, experiment_id: ExperimentId) -> DecisionList:
        """List what was decided about the experiment, with all inputs, newest first."""
        return DecisionList(decisions=list(experiments.decisions(collection, experiment_id)))

    @router.get("/{experiment_id}/audit", responses=problem_responses(404, 422))
    def audit_experiment(collection: Collection, experiment_id: ExperimentId) -> ExperimentAudit:
        """Fold the stored lists and events again up to each decision's log position, and compare every number."""
        return ExperimentAudit(decisions=list(experiments.audit(collection, experiment_id)))

    return router


def _with_ids(collection: str, plan: ExperimentPlan, find_version: Callable[[str, str], str | None]) -> ExperimentPlan:
    """Return the plan with the ids of its versions, or refuse it where there are none."""
    ids = {version: find_version(collection, version) for version in plan.versions - {CHAMPION}}
    faults = tuple(
        FieldFault(place, f"collection {collection!r} has no version {arm.version!r}")
        for place, arm in zip(plan.places, plan.arms, strict=True)
        if arm.version in ids and ids[arm.version] is None
    )
    if faults:
        raise InvalidRequest("; ".join(f"{fault.field}: {fault.reason}" for fault in faults), faults)
    return plan.with_versions({version: found for version, found in ids.items() if found})
