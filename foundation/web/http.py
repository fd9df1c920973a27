"""The HTTP route of actions: who did by hand what is recorded nowhere else."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from foundation.access.actions import Action, latest_actions
from foundation.web.problems import problem_responses
from foundation.web.requests import Collection


class ActionList(BaseModel):
    """What was done in a collection."""

    actions: list[Action] = Field(description="The last thing first; none is ever changed.")


def make_router(engine: sa.Engine) -> APIRouter:
    """Return the route of actions."""
    router = APIRouter(tags=["operations"])

    @router.get("/v1/actions", responses=problem_responses(422))
    def list_actions(
        collection: Collection,
        limit: Annotated[int, Query(ge=1, le=1000, description="Most actions to list.")] = 100,
    ) -> ActionList:
        """List who added and removed keys, declared fields, held and released users, gave names, and sent again."""
        return ActionList(actions=latest_actions(engine, collection, limit))

    return router
