"""The HTTP route of suggestions: `GET /v1/suggest`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from foundation.web.problems import problem_responses
from foundation.web.requests import collection_of
from serving.suggest import MAX_SUGGESTIONS, Suggester


class SuggestOut(BaseModel):
    """Completions, the best first."""

    suggestions: list[str] = Field(description="Queries as most people typed them, then values and titles.")


def make_router(suggester: Suggester) -> APIRouter:
    """Return the route of suggestions."""
    router = APIRouter(tags=["search"])

    @router.get("/v1/suggest", responses=problem_responses(422))
    def suggest(
        collection: Annotated[str, Depends(collection_of)],
        q: Annotated[str, Query(max_length=200, description="What has been typed so far.")],
        limit: Annotated[int, Query(ge=1, le=MAX_SUGGESTIONS, description="Most suggestions.")] = 8,
    ) -> SuggestOut:
        """Complete a query from those that enough people asked and were satisfied with, then from the documents."""
        return SuggestOut(suggestions=suggester.complete(collection, q, limit))

    return router
