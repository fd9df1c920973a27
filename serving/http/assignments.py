"""The HTTP route of assignments: `GET /v1/assignments` tells an app which arm of which experiment its user is in."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from ab_testing.api import Assignment, Assignments
from foundation.errors import FieldFault, InvalidRequest
from foundation.privacy.privacy import Privacy
from foundation.web.problems import problem_responses
from foundation.web.requests import collection_of
from serving.exposure import read_visitor
from serving.http.inputs import MAX_ATTRIBUTES, Name, Short, Surface
from serving.records import SearchRequest


class AssignmentOut(BaseModel):
    """An experiment that searches like this one are part of."""

    experiment: str = Field(description="The experiment's id.")
    run: int = Field(description="Which start of it, from 1.")
    plan_hash: str = Field(description="Hash of its plan.")
    arm: str = Field(description="Name of the arm; interleaved where all rank.")
    engine: str = Field(description="The engine of yours that ranks in this arm, empty where a search here does.")


class AssignmentsOut(BaseModel):
    """The experiments of a user."""

    assignments: list[AssignmentOut] = Field(description="One at most: a search takes part in one experiment.")


def make_router(assignments: Assignments, privacy: Privacy) -> APIRouter:
    """Return the route of assignments."""
    router = APIRouter(tags=["search"])

    @router.get("/v1/assignments", responses=problem_responses(422))
    async def read_assignments(
        collection: Annotated[str, Depends(collection_of)],
        user: Annotated[Name, Query(description="The person's id, as in a search.")] = "",
        session: Annotated[Name, Query(description="The visit's id.")] = "",
        conversation: Annotated[Name, Query(description="The conversation's id.")] = "",
        surface: Annotated[Surface, Query(description="Where the answer is to be shown.")] = "page",
        attribute: Annotated[
            list[Short] | None, Query(description="NAME:VALUE, once for each attribute.", max_length=MAX_ATTRIBUTES)
        ] = None,
    ) -> AssignmentsOut:
        """Tell which arm a search by this user would get. It asks no store and logs nothing."""
        request = SearchRequest(
            query="",
            user=user,
            session=session,
            conversation=conversation,
            surface=surface,
            attributes=dict(map(_split, attribute or ())),
        )
        visitor = read_visitor(request, privacy, "")
        found = assignments.assign(collection, visitor, interleaves=request.shows_drafts)
        return AssignmentsOut(assignments=[_to_answer(found)] if found else [])

    return router


def _split(attribute: str) -> tuple[str, str]:
    name, colon, value = attribute.partition(":")
    if not colon:
        fault = FieldFault("attribute", f"must be NAME:VALUE, not {attribute!r}")
        raise InvalidRequest(f"{fault.field}: {fault.reason}", (fault,))
    return name, value


def _to_answer(found: Assignment) -> AssignmentOut:
    return AssignmentOut(
        experiment=found.experiment,
        run=found.run,
        plan_hash=found.plan_hash,
        arm=found.arm,
        engine=found.engine,
    )
