"""The HTTP of exposures: `POST /v1/experiments/{id}/exposures` takes the lists of engines outside clickloop."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field

from ab_testing.design.experiment import Experiment
from ab_testing.exposures.exposure import Exposure, ExposureReader
from ab_testing.traffic.assignments import Assignments
from collector.api import IntakePipeline, Parsed, Taken
from foundation.errors import NotFound
from foundation.web.problems import problem_responses
from foundation.web.requests import Collection

_SCHEMA = Exposure.model_json_schema()
_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {"schema": {"anyOf": [_SCHEMA, {"type": "array", "items": _SCHEMA}]}},
        "application/x-ndjson": {"schema": _SCHEMA | {"description": "One exposure a line."}},
    },
}
ExperimentId = Annotated[
    str, Path(description="The experiment's id.", min_length=1, max_length=64, pattern=r"^[0-9A-Za-z_-]+$")
]


class ExposureVerdict(BaseModel):
    """What became of one exposure."""

    index: int = Field(description="Its place in the request, from 0.")
    status: Literal["accepted", "refused"]
    query_id: str = Field(description="Send it with the events about this list; empty when refused.")
    reasons: list[str] = Field(description="Why it was refused.")


class ExposuresReply(BaseModel):
    """What became of a request's exposures. Accepted ones are durable."""

    accepted: int
    refused: int
    verdicts: list[ExposureVerdict]


def make_router(intake: IntakePipeline, assignments: Assignments) -> APIRouter:
    """Return the route of exposures."""
    router = APIRouter(prefix="/v1/experiments", tags=["experiments"])

    @router.post(
        "/{experiment_id}/exposures",
        status_code=202,
        openapi_extra={"requestBody": _BODY},
        responses=problem_responses(400, 404, 413, 422, 429, 503),
    )
    async def send_exposures(request: Request, collection: Collection, experiment_id: ExperimentId) -> ExposuresReply:
        """Take lists that an engine of yours ranked in a running experiment: one, an array, or NDJSON.

        Each counts as a search of its arm, as if it had been ranked here. Each has its own verdict. The same query id
        again changes nothing, so a request without an answer can be sent again.
        """
        experiment = _running(assignments, collection, experiment_id)
        entries = await intake.read_entries(request, request.headers.get("content-type", ""))
        reader = ExposureReader(experiment, assignments, intake.privacy, intake.clock.now())
        result = await intake.take(request, collection, entries, reader.read, brings_lists=True)
        result.refuse_if_all_bad()
        verdicts = [_verdict(index, one) for index, one in enumerate(result.parsed)]
        return ExposuresReply(accepted=len(verdicts) - result.refused, refused=result.refused, verdicts=verdicts)

    return router


def _running(assignments: Assignments, collection: str, experiment_id: str) -> Experiment:
    for experiment in assignments.running(collection):
        if experiment.id == experiment_id:
            return experiment
    raise NotFound(f"no experiment {experiment_id!r} runs in collection {collection!r}")


def _verdict(index: int, parsed: Parsed) -> ExposureVerdict:
    if isinstance(parsed, Taken):
        return ExposureVerdict(index=index, status="accepted", query_id=parsed.content[0].query_id, reasons=[])
    reasons = [f"{fault.field} {fault.reason}" for fault in parsed]
    return ExposureVerdict(index=index, status="refused", query_id="", reasons=reasons)
