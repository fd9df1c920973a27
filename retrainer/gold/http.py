"""HTTP: queries to judge, and the judgments of people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from foundation.contracts import query_key
from foundation.web.problems import problem_responses
from foundation.web.requests import Collection, actor_of
from retrainer.gold import bodies
from retrainer.gold.judgment import GoldJudgment
from retrainer.gold.sample import PooledDocument, sample
from retrainer.gold.store import GoldSet

Asked = Callable[[str], Sequence[tuple[str, int]]]
"""Returns the queries that people ask of a collection, with their searches."""
Find = Callable[[str, str], Sequence[PooledDocument]]
"""Returns what a collection's search finds for a query."""


def make_router(gold: GoldSet, asked: Asked, find: Find) -> APIRouter:
    """Return the routes under /v1/gold.

    Args:
        asked: Tells queries that enough people asked; what few ask is shown to nobody.
        find: Searches as the champion does, without a trace in the log.
    """
    router = APIRouter(prefix="/v1/gold", tags=["learning"])

    @router.get("", responses=problem_responses(422))
    def list_gold(
        collection: Collection,
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=bodies.MAX_BATCH)] = 100,
    ) -> bodies.GoldPage:
        """List the judgments that stand, by query and document."""
        found = gold.read(collection)
        return bodies.GoldPage(
            judgments=[bodies.GoldOut.model_validate(one) for one in found[offset : offset + limit]],
            queries=len({query_key(one.query) for one in found}),
            total=len(found),
        )

    @router.put("", responses=problem_responses(400, 422))
    def add_gold(
        collection: Collection,
        request: Request,
        judgments: Annotated[list[bodies.GoldIn], Field(min_length=1, max_length=bodies.MAX_BATCH)],
    ) -> bodies.GoldCount:
        """Add judgments, all or none; a later one of the same query and document takes the place of a former.

        From the next training run on nothing is learned from these queries, nor from those nearly equal to them, and
        every candidate answers them before it is shown to anybody.
        """
        gold.add(collection, [GoldJudgment(**one.model_dump()) for one in judgments], actor_of(request))
        return bodies.GoldCount(judgments=len(judgments))

    @router.delete("", responses=problem_responses(400, 422))
    def remove_gold(collection: Collection, request: Request, body: bodies.GoldRemoval) -> bodies.GoldCount:
        """Take queries out of the set; runs to come may learn from them again."""
        return bodies.GoldCount(judgments=gold.remove(collection, body.queries, actor_of(request)))

    @router.get("/sample", responses=problem_responses(404, 422, 503))
    def sample_gold(
        collection: Collection,
        count: Annotated[int, Query(ge=1, le=50)] = 10,
        depth: Annotated[int, Query(ge=1, le=20, description="Best documents by each way of searching.")] = 5,
        seed: Annotated[int, Query(ge=0, description="Of the draw; the same draws the same.")] = 0,
    ) -> bodies.GoldSample:
        """Draw queries to judge, not judged yet, by how often they are asked and how uncertain their answer is.

        Only queries of the last four weeks that enough people asked. Searches up to 200 times.
        """
        judged = {query_key(one.query) for one in gold.read(collection)}
        fresh = [(query, searches) for query, searches in asked(collection) if query not in judged]
        drawn = sample(fresh, partial(find, collection), count=count, depth=depth, seed=seed)
        return bodies.GoldSample.model_validate({"queries": drawn})

    return router
