"""The HTTP route for chatbots: `POST /v1/context` gives the passages that answer a question."""

from __future__ import annotations

import math
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from foundation.web.problems import problem_responses
from foundation.web.requests import collection_of
from serving.http.inputs import Name, QueryText, Surface
from serving.index.passages import cut_passages
from serving.present.context import Excerpt, RankedPassage, assemble
from serving.search import Searcher, SearchRequest, SearchResult, show_results

MAX_TOKENS = 16_000
_DOCUMENTS = 10


class ContextIn(BaseModel):
    """A question that a chatbot is about to answer."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: QueryText = Field(description="What the person asked.", examples=["how do I print an envelope"])
    budget_tokens: int = Field(1000, ge=20, le=MAX_TOKENS, description="Most tokens, counted as four characters each.")
    documents: int = Field(_DOCUMENTS, ge=1, le=50, description="Most documents that passages are taken from.")
    user: Name = Field("", description="The person's id; experiments and caps count persons.")
    session: Name = Field("", description="The visit's id, for people without one of their own.")
    filters: Any = Field(None, description="As in a search.")
    surface: Surface = Field("context", description="Where the answer is shown.")
    log: bool = Field(True, description="false: leave no impression and join no experiment.")


class ExcerptOut(BaseModel):
    """Neighbouring passages of one document."""

    document_id: str
    rank: int = Field(description="Of its document in the impression, for feedback; 1 on top.")
    title: str
    url: str
    text: str
    score: float = Field(description="How well it answers; comparable within one reply.")
    tokens: int


class ContextOut(BaseModel):
    """What answers the question. Send its `query_id` with every event about it."""

    query_id: str
    version: str
    arm: str
    experiment: str
    logged: bool = Field(description="Whether its impression is durable; events about others find no list.")
    tokens: int = Field(description="Of all passages together.")
    passages: list[ExcerptOut] = Field(description="Best first.")


def make_router(searcher: Searcher, budget_ms: float) -> APIRouter:
    """Return the route of context.

    Args:
        searcher: Finds the documents.
        budget_ms: Time that finding them may take.
    """
    router = APIRouter(tags=["search"])

    @router.post("/v1/context", responses=problem_responses(400, 404, 413, 422, 503))
    def context(wanted: ContextIn, collection: Annotated[str, Depends(collection_of)]) -> ContextOut:
        """Find the passages that answer a question; their impression is durable then, or `logged` is false."""
        ask = SearchRequest(
            query=wanted.question,
            k=wanted.documents,
            user=wanted.user,
            session=wanted.session,
            filters=wanted.filters,
            budget_s=budget_ms / 1000,
            surface=wanted.surface,
            log=wanted.log,
        )
        found = searcher.find(collection, ask)
        excerpts = assemble(_passages(found), wanted.budget_tokens)
        order = list(dict.fromkeys(excerpt.document for excerpt in excerpts))
        publication = searcher.log(found, show_results(found.ranked.hits[number] for number in order))
        found.timer.end("context")
        found = searcher.settle(found, publication)
        searcher.note(found)
        return _to_reply(found, excerpts, order)

    return router


def _passages(found: SearchResult) -> list[RankedPassage]:
    """Return the passages of all documents found, scored by their own meaning and their document's score."""
    hits = [hit for hit, _, _ in found.ranked.hits]
    best = max((hit.score for hit in hits), default=0.0)
    near = found.snapshot.corpus.nearness([hit.row for hit in hits], found.query.vector)
    return [
        passage for number, hit in enumerate(hits) for passage in _score(found, number, near[number], best - hit.score)
    ]


def _score(found: SearchResult, number: int, near: list[float], behind: float) -> list[RankedPassage]:
    texts = cut_passages(found.snapshot.corpus.document(found.ranked.hits[number][0].row).text)
    document = 1 / (1 + math.exp(behind))
    return [
        RankedPassage(number, place, text, cosine + document)
        for place, (text, cosine) in enumerate(zip(texts, near or [0.0] * len(texts), strict=True))
        if text
    ]


def _to_reply(found: SearchResult, excerpts: list[Excerpt], order: list[int]) -> ContextOut:
    ranks = {number: rank for rank, number in enumerate(order, start=1)}
    documents = {number: found.snapshot.corpus.document(found.ranked.hits[number][0].row) for number in order}
    return ContextOut(
        query_id=found.query_id,
        version=found.ranked.version,
        arm=found.ranked.arm,
        experiment=found.ranked.experiment,
        logged=found.logged,
        tokens=sum(excerpt.tokens for excerpt in excerpts),
        passages=[
            ExcerptOut(
                document_id=documents[excerpt.document].id,
                rank=ranks[excerpt.document],
                title=documents[excerpt.document].title,
                url=documents[excerpt.document].url,
                text=excerpt.text,
                score=round(excerpt.score, 5),
                tokens=excerpt.tokens,
            )
            for excerpt in excerpts
        ],
    )
