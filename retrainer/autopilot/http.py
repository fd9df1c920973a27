"""HTTP: what the autopilot will do, pause it, and let it go on."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from foundation.web.problems import problem_responses
from foundation.web.requests import Collection, actor_of
from retrainer.autopilot.outlook import Outlooks
from retrainer.autopilot.pauses import Pauses
from retrainer.runs import Learners


class PauseIn(BaseModel):
    """Why the autopilot is paused or goes on."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field("by hand", max_length=500)


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class PauseOut(_Answer):
    """A pause."""

    at: datetime
    actor: str = Field(description="Who paused it.")
    reason: str


class UpcomingOut(_Answer):
    """A scheduled run to come."""

    learners: Learners
    at: datetime | None = Field(description="When it is due; null where nothing was shown yet.")
    why: str = Field(description="What makes it due, in a sentence.")


class OutlookOut(_Answer):
    """What the autopilot of a collection does."""

    automatic: bool = Field(description="Whether runs are requested on schedule.")
    pause: PauseOut | None
    doing: list[str] = Field(description="What active runs do, oldest first.")
    upcoming: list[UpcomingOut]
    waits: list[str] = Field(description="Why nothing is requested now.")
    missing: list[str] = Field(description="What a run would still lack.")


def make_router(outlooks: Outlooks, pauses: Pauses) -> APIRouter:
    """Return the routes under /v1/autopilot."""
    router = APIRouter(prefix="/v1/autopilot", tags=["versions"])

    def outlook(collection: str) -> OutlookOut:
        return OutlookOut.model_validate(outlooks.of(collection))

    @router.get("", responses=problem_responses(422))
    def explain_autopilot(collection: Collection) -> OutlookOut:
        """Tell what the autopilot does, what it will do next and when, why not now, and what is missing."""
        return outlook(collection)

    @router.post("/pause", responses=problem_responses(400, 422))
    def pause_autopilot(collection: Collection, request: Request, body: PauseIn | None = None) -> OutlookOut:
        """Pause: no run is requested on schedule, and no run goes on to plan, show or promote a candidate.

        A training under way ends; an experiment under way runs to its verdict; a holdback rolls back what harms; and
        where a person is erased, the versions that learned from them are trained anew.
        """
        pauses.pause(collection, (body or PauseIn.model_validate({})).reason, actor_of(request))
        return outlook(collection)

    @router.post("/resume", responses=problem_responses(400, 422))
    def resume_autopilot(collection: Collection, request: Request, body: PauseIn | None = None) -> OutlookOut:
        """Go on after a pause; a run that came due meanwhile is requested, once."""
        pauses.resume(collection, (body or PauseIn.model_validate({})).reason, actor_of(request))
        return outlook(collection)

    return router
